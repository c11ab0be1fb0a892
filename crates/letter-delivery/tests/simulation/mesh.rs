//! A MESH that keeps what it took, whatever it answers.

use std::collections::BTreeMap;

use letter_delivery::{AskResult, Saying, TrackResult};

/// After this time a message that nobody collected comes back (five days, compressed).
pub(crate) const UNCOLLECTED: i64 = 20 * crate::plan::HOUR;

#[derive(Debug, Default)]
pub(crate) struct Mesh {
    pub(crate) messages: Vec<Message>,
    by_id: BTreeMap<String, usize>,
    by_local: BTreeMap<String, Vec<usize>>,
    pub(crate) inbox: BTreeMap<String, Letter>,
    ids: u32,
    /// Times in which it cannot be reached.
    pub(crate) outages: Vec<(i64, i64)>,
}

/// A message that was taken.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) local_id: String,
    /// From when on a question by local id finds it.
    pub(crate) visible_at: i64,
    pub(crate) fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Waiting,
    Collected,
    Undelivered,
}

/// What lies in the trust's inbox.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) report: Option<ReportOf>,
    pub(crate) acknowledged: bool,
}

/// A report that a message could not be delivered, or what the recipient says of it.
#[derive(Clone, Debug)]
pub(crate) struct ReportOf {
    pub(crate) says: Option<Saying>,
    pub(crate) about: Option<String>,
    pub(crate) local_id: String,
}

impl Mesh {
    pub(crate) fn new_id(&mut self) -> String {
        self.ids += 1;
        format!("M{:06}", self.ids)
    }

    pub(crate) fn is_down(&self, now: i64) -> bool {
        self.outages
            .iter()
            .any(|(from, to)| (*from..*to).contains(&now))
    }

    /// Takes a message; how many it now has with this local id.
    pub(crate) fn take(&mut self, id: String, local_id: String, visible_at: i64) -> usize {
        let index = self.messages.len();
        self.by_id.insert(id.clone(), index);
        let same = self.by_local.entry(local_id.clone()).or_default();
        same.push(index);
        let count = same.len();
        self.messages.push(Message {
            id,
            local_id,
            visible_at,
            fate: Fate::Waiting,
        });
        count
    }

    pub(crate) fn of_local(&self, local_id: &str) -> impl Iterator<Item = &Message> {
        let places = self.by_local.get(local_id);
        places
            .into_iter()
            .flatten()
            .map(|index| &self.messages[*index])
    }

    pub(crate) fn ask(&self, local_id: &str, now: i64) -> AskResult {
        let mut visible = self.of_local(local_id).filter(|one| one.visible_at <= now);
        match (visible.next(), visible.next()) {
            (None, _) => AskResult::NotFound,
            (Some(one), None) => AskResult::Found {
                message_id: one.id.clone(),
            },
            (Some(_), Some(_)) => AskResult::Several,
        }
    }

    pub(crate) fn track(&self, id: &str) -> TrackResult {
        match self.by_id.get(id).map(|index| self.messages[*index].fate) {
            None => TrackResult::Unknown,
            Some(Fate::Waiting) => TrackResult::Waiting,
            Some(Fate::Collected) => TrackResult::Collected,
            Some(Fate::Undelivered) => TrackResult::Undelivered {
                code: "14".to_owned(),
            },
        }
    }

    /// Puts a message into the trust's inbox.
    pub(crate) fn deliver(&mut self, report: Option<ReportOf>) {
        let id = self.new_id();
        let letter = Letter {
            report,
            acknowledged: false,
        };
        self.inbox.insert(id, letter);
    }

    /// The ids of the messages that wait in the inbox.
    pub(crate) fn waiting(&self) -> Vec<String> {
        let waiting = self.inbox.iter().filter(|(_, letter)| !letter.acknowledged);
        waiting.map(|(id, _)| id.clone()).collect()
    }
}
