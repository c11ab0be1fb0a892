//! MESH said what became of a message it had taken.

use audit_core::Data;
use chrono::{DateTime, Utc};

use super::{Engine, Writer};
use crate::commit::{Commit, SeenMessage, Work, WorkChange, WorkKind};
use crate::copy::CopyEvent;
use crate::outcome::TrackResult;
use crate::record::{CopyRecord, is_told, tell};
use crate::state::CopyState;
use crate::store::Claimed;

/// Accepted, and unknown to the transport (audit-and-delivery facts 9).
const R5: &str = "R5";

/// A report that came back about one of our messages.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The report's own message.
    pub message: SeenMessage,
    /// The transport's code.
    pub code: String,
    /// The id of the message it is about.
    pub about: Option<String>,
}

impl Report {
    /// A report.
    pub fn new(message: SeenMessage, code: impl Into<String>, about: Option<String>) -> Self {
        Self {
            message,
            code: code.into(),
            about,
        }
    }
}

impl Engine {
    /// Records what MESH said of a message, and when it is asked next.
    pub fn tracked(&mut self, now: DateTime<Utc>, claimed: Claimed, result: TrackResult) -> Commit {
        let fence = (claimed.work.stream, claimed.token);
        if result == TrackResult::Unavailable {
            return self.track_later(now, &claimed);
        }
        let Some(mut copy) = claimed.copy else {
            return Commit::default();
        };
        self.note_answer(now, false);
        copy.tracked = copy.tracked.saturating_add(1);
        let next = now + self.policy.track_pause(copy.tracked);
        let earliest = now + self.policy.track_apart;
        let code = match &result {
            TrackResult::Undelivered { code } => Some(code.clone()),
            _ => None,
        };
        let mut writer = self.writer(now);
        match result.event() {
            Some(CopyEvent::TransportUnknown) => writer.unknown_to_transport(&mut copy),
            Some(event) => writer.copy(&mut copy, event, code.as_deref(), Data::new()),
            None => {}
        }
        if copy.state == CopyState::Accepted {
            let mut work = copy.work(WorkKind::Track, next);
            work.earliest_at = earliest;
            writer.commit.work.push(WorkChange::Set(work));
        } else {
            writer.done(copy.key);
        }
        writer.commit.copies.push(copy);
        writer.commit.fence = Some(fence);
        writer.commit
    }

    /// MESH could not be asked: that is none of the sweeps.
    fn track_later(&mut self, now: DateTime<Utc>, claimed: &Claimed) -> Commit {
        let tries = claimed.work.tries.saturating_add(1);
        let pause = self.policy.backoff(tries, &mut self.entropy);
        let pause = pause.max(self.policy.track_apart);
        let mut work = Work {
            due_at: now + pause,
            earliest_at: now + pause,
            ..claimed.work.clone()
        };
        work.tries = tries;
        Commit {
            work: vec![WorkChange::Set(work)],
            fence: Some((claimed.work.stream, claimed.token)),
            ..Commit::default()
        }
    }

    /// Records a report about a copy; MESH may be told "acknowledged" once this is durable.
    pub fn reported(&mut self, now: DateTime<Utc>, mut copy: CopyRecord, report: Report) -> Commit {
        let before = copy.state;
        let mut writer = self.writer(now);
        let mut data = Data::new().with("report", report.message.message_id.as_str());
        if let Some(about) = &report.about {
            data.insert("message_id", about.as_str());
        }
        writer.copy(
            &mut copy,
            CopyEvent::TransportUndelivered,
            Some(&report.code),
            data,
        );
        if copy.state != before {
            copy.accepted_at = copy.accepted_at.or(Some(now));
            copy.message_id = copy.message_id.take().or(report.about);
            copy.doubt_since = None;
            writer.carry_through(&mut copy);
            writer.done(copy.key);
        }
        writer.commit.copies.push(copy);
        writer.commit.seen.push(report.message);
        writer.commit
    }
}

impl Writer<'_> {
    /// R5: accepted, and unknown to the transport: a possible loss, told once.
    fn unknown_to_transport(&mut self, copy: &mut CopyRecord) {
        if copy.alert.as_ref().is_some_and(|alert| is_told(alert, R5)) {
            return;
        }
        self.copy(copy, CopyEvent::TransportUnknown, Some(R5), Data::new());
        tell(&mut copy.alert, R5);
    }
}
