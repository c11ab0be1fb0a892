//! Puts events, records and work of one change together.

use audit_core::{Data, DataValue, EventBody, EventId, StreamKey, SubjectKey, Timestamp};
use chrono::{DateTime, Utc};

use super::Dice;
use crate::actor::Actor;
use crate::commit::{Commit, Work, WorkChange};
use crate::copy::CopyEvent;
use crate::letter::LetterEvent;
use crate::record::{CopyRecord, LetterRecord, tell};
use crate::step::Step;

/// The `type` of an event that its state does not allow; it is kept, and a person is told.
pub(crate) const ANOMALY: &str = "anomaly";

pub(super) struct Writer<'a> {
    pub(super) now: DateTime<Utc>,
    pub(super) commit: Commit,
    pub(super) actor: Actor,
    dice: &'a mut Dice,
}

impl<'a> Writer<'a> {
    pub(super) fn new(now: DateTime<Utc>, dice: &'a mut Dice) -> Self {
        Self {
            now,
            commit: Commit::default(),
            actor: Actor::SERVICE,
            dice,
        }
    }

    pub(super) fn random<const N: usize>(&mut self) -> [u8; N] {
        self.dice.bytes()
    }

    /// Applies an event to a letter and records it.
    pub(super) fn letter(
        &mut self,
        letter: &mut LetterRecord,
        event: LetterEvent,
        reason: Option<&str>,
        data: Data,
    ) {
        let from = (letter.events > 0).then(|| letter.position());
        let step = event.step(from);
        if let Step::Moved(to) = step {
            letter.state = to.state;
            letter.resume = to.resume;
            letter.reason = reason.map(str::to_owned);
            letter.entered_at = self.now;
        }
        if step == Step::NotAllowed {
            tell(&mut letter.alert, &unexpected(event.as_str()));
        }
        if step == Step::Repeated {
            return;
        }
        let (kind, data) = recorded(step, event.as_str(), data, reason);
        let place = Place {
            stream: letter.key,
            copy: None,
            lseq: letter.events,
        };
        self.push(place, letter.subject, kind, letter.state.as_str(), data);
        letter.events += 1;
    }

    /// Applies an event to a copy and records it.
    pub(super) fn copy(
        &mut self,
        copy: &mut CopyRecord,
        event: CopyEvent,
        reason: Option<&str>,
        data: Data,
    ) {
        let from = (copy.events > 0).then(|| copy.position());
        let step = event.step(from);
        match step {
            Step::Moved(to) => {
                copy.state = to.state;
                copy.resume = to.resume;
                copy.reason = reason.map(str::to_owned);
                copy.entered_at = self.now;
                self.close(copy);
            }
            Step::Conflict => {
                tell(
                    &mut copy.alert,
                    &format!("contradiction: {}", event.as_str()),
                );
            }
            Step::NotAllowed => tell(&mut copy.alert, &unexpected(event.as_str())),
            Step::Repeated if !says_more(copy, reason, &data) => {
                copy.repeats = copy.repeats.saturating_add(1);
                return;
            }
            Step::Kept | Step::Repeated => {}
        }
        let (kind, data) = recorded(step, event.as_str(), data, reason);
        let place = Place {
            stream: copy.key,
            copy: Some(copy.number),
            lseq: copy.events,
        };
        self.push(place, copy.subject, kind, copy.state.as_str(), data);
        copy.events += 1;
    }

    /// Records what does not fit, moves nothing, and tells a person (facts 3.2 rule b).
    pub(super) fn anomaly(
        &mut self,
        copy: &mut CopyRecord,
        event: CopyEvent,
        what: &str,
        data: Data,
    ) {
        tell(&mut copy.alert, what);
        let (kind, data) = recorded(Step::<()>::NotAllowed, event.as_str(), data, Some(what));
        let place = Place {
            stream: copy.key,
            copy: Some(copy.number),
            lseq: copy.events,
        };
        self.push(place, copy.subject, kind, copy.state.as_str(), data);
        copy.events += 1;
    }

    fn close(&self, copy: &mut CopyRecord) {
        let closed = copy.address.closes_on.closed_by(copy.state);
        copy.closed_at = closed.then(|| copy.closed_at.unwrap_or(self.now));
    }

    pub(super) fn push(
        &mut self,
        place: Place,
        subject: Option<SubjectKey>,
        kind: &str,
        state: &str,
        data: Data,
    ) {
        self.commit.events.push(EventBody {
            id: event_id(self.now, self.dice),
            at: timestamp(self.now),
            stream: place.stream,
            copy: place.copy,
            lseq: place.lseq,
            subject,
            kind: kind.to_owned(),
            state: state.to_owned(),
            actor: self.actor.to_string(),
            data,
        });
    }

    pub(super) fn work(&mut self, work: Work) {
        self.commit.work.push(WorkChange::Set(work));
    }

    pub(super) fn done(&mut self, stream: StreamKey) {
        self.commit.work.push(WorkChange::Done(stream));
    }
}

pub(super) struct Place {
    pub(super) stream: StreamKey,
    pub(super) copy: Option<u32>,
    pub(super) lseq: u64,
}

fn unexpected(event: &str) -> String {
    format!("unexpected: {event}")
}

/// Whether what repeats the present state says something that is not known (facts 3.2 rule a).
fn says_more(copy: &CopyRecord, reason: Option<&str>, data: &Data) -> bool {
    let other_reason = reason.is_some_and(|reason| copy.reason.as_deref() != Some(reason));
    let message = data.text("message_id");
    other_reason || message.is_some_and(|id| copy.message_id.as_deref() != Some(id))
}

/// The `type` and data to record.
pub(super) fn recorded<'a, S>(
    step: Step<S>,
    event: &'a str,
    mut data: Data,
    reason: Option<&str>,
) -> (&'a str, Data) {
    if let Some(reason) = reason {
        data.insert("reason", reason);
    }
    let mut data = writable(&data);
    match step {
        Step::Moved(_) | Step::Kept => (event, data),
        Step::Conflict => {
            data.insert("conflict", true);
            (event, data)
        }
        Step::Repeated => {
            data.insert("dup", true);
            (event, data)
        }
        Step::NotAllowed => {
            data.insert("event", event);
            (ANOMALY, data)
        }
    }
}

/// The longest text in an event's data: a transport's code is not ours, and may be anything.
const TEXT_CHARS_MAX: usize = 500;

/// What a transport or a source says must never make an event that cannot be written.
fn writable(data: &Data) -> Data {
    let clean = |value: &DataValue| match value {
        DataValue::Text(text) => DataValue::Text(
            text.chars()
                .filter(|c| !c.is_control())
                .take(TEXT_CHARS_MAX)
                .collect(),
        ),
        other => other.clone(),
    };
    data.iter()
        .map(|(name, value)| (name.to_owned(), clean(value)))
        .collect()
}

/// A UUIDv7: the time in its first 48 bits, the rest random.
pub(super) fn event_id(now: DateTime<Utc>, dice: &mut Dice) -> EventId {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    let id = uuid::Builder::from_unix_timestamp_millis(millis, &dice.bytes()).into_uuid();
    EventId::from_bytes(id.into_bytes())
}

pub(super) const fn timestamp(now: DateTime<Utc>) -> Timestamp {
    Timestamp::from_millis(now.timestamp_millis())
}

/// The form in which a time stands in an event's data.
pub(super) fn time_text(at: DateTime<Utc>) -> String {
    timestamp(at).to_string()
}
