//! A message for the trust arrives, and is handed to its own system.

use audit_core::{Data, StreamKey};
use chrono::{DateTime, Utc};
use nhs_types::Sensitive;

use super::write::Place;
use super::{Engine, Writer};
use crate::actor::Actor;
use crate::commit::{Commit, PayloadKind, SeenMessage};
use crate::inbound::{InboundEvent, InboundRecord};
use crate::reason::Reason;
use crate::record::tell;
use crate::state::InboundState;
use crate::step::Step;

/// A message for the trust, downloaded and checked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Arrival {
    /// The mailbox it lies in.
    pub mailbox: String,
    /// Its id.
    pub message_id: String,
    /// What kind of content it carries.
    pub workflow: String,
    /// The mailbox that sent it.
    pub from: Option<String>,
    /// Its content.
    pub content: Sensitive<Vec<u8>>,
}

impl Arrival {
    /// A message with what every message has.
    pub fn new(
        mailbox: impl Into<String>,
        message_id: impl Into<String>,
        workflow: impl Into<String>,
        content: Vec<u8>,
    ) -> Self {
        Self {
            mailbox: mailbox.into(),
            message_id: message_id.into(),
            workflow: workflow.into(),
            from: None,
            content: Sensitive::new(content),
        }
    }
}

impl Engine {
    /// The stream of an inbound message.
    pub fn inbound_key(&self, mailbox: &str, message_id: &str) -> StreamKey {
        self.keys.inbound(mailbox, message_id)
    }

    /// Takes a message in. With `acknowledge` MESH may be told once this is durable; without, only
    /// once the message was handed over.
    pub fn arrived(&mut self, now: DateTime<Utc>, arrival: Arrival, acknowledge: bool) -> Commit {
        let mut record = InboundRecord {
            key: self.inbound_key(&arrival.mailbox, &arrival.message_id),
            mailbox: arrival.mailbox,
            message_id: arrival.message_id,
            workflow: arrival.workflow,
            from: arrival.from,
            state: InboundState::Received,
            resume: None,
            reason: None,
            alert: None,
            content: self.payload_id(),
            bytes: u64::try_from(arrival.content.expose().len()).unwrap_or(u64::MAX),
            tries: 0,
            next_at: now,
            received_at: now,
            entered_at: now,
            events: 0,
        };
        let mut writer = self.writer(now);
        let (kind, content) = (PayloadKind::Inbound, arrival.content);
        let digest = writer.keep(record.key, kind, record.content, content);
        let mut data = Data::new()
            .with("mailbox", &*record.mailbox)
            .with("message_id", &*record.message_id)
            .with("workflow", &*record.workflow)
            .with("bytes", i64::try_from(record.bytes).unwrap_or(i64::MAX))
            .with("payload_digest", digest);
        if let Some(from) = &record.from {
            data.insert("from", from.as_str());
        }
        writer.inbound(&mut record, InboundEvent::Received, None, data);
        if acknowledge {
            writer.commit.seen.push(seen(&record, now));
        }
        writer.commit.inbound.push(record);
        writer.commit
    }

    /// The trust's own system took it; MESH may be told once this is durable.
    pub fn handed_over(
        &mut self,
        now: DateTime<Utc>,
        mut record: InboundRecord,
        to: &str,
    ) -> Commit {
        let mut writer = self.writer(now);
        let data = Data::new().with("to", to);
        writer.inbound(&mut record, InboundEvent::HandedOver, None, data);
        writer.commit.seen.push(seen(&record, now));
        writer.commit.inbound.push(record);
        writer.commit
    }

    /// It could not be handed over this time: it is tried again, later each time.
    pub fn hand_over_later(&mut self, now: DateTime<Utc>, mut record: InboundRecord) -> Commit {
        record.tries = record.tries.saturating_add(1);
        record.next_at = now + self.policy.backoff(record.tries, &mut self.entropy);
        Commit {
            inbound: vec![record],
            ..Commit::default()
        }
    }

    /// The trust's own system will never take it: a person must look.
    pub fn hand_over_refused(
        &mut self,
        now: DateTime<Utc>,
        mut record: InboundRecord,
        code: &str,
    ) -> Commit {
        let mut writer = self.writer(now);
        writer.inbound(&mut record, InboundEvent::Refused, Some(code), Data::new());
        writer.commit.inbound.push(record);
        writer.commit
    }

    /// A person has a held message handed over again; nothing to write when it is not held.
    pub fn hand_over_again(
        &mut self,
        now: DateTime<Utc>,
        mut record: InboundRecord,
        by: &Actor,
        reason: &Reason,
    ) -> Commit {
        if record.state != InboundState::Held {
            return Commit::default();
        }
        (record.next_at, record.tries) = (now, 0);
        let mut writer = self.writer(now);
        writer.actor = by.clone();
        let data = Data::new().with("reason", reason.as_str());
        writer.inbound(&mut record, InboundEvent::Resumed, None, data);
        writer.commit.inbound.push(record);
        writer.commit
    }
}

fn seen(record: &InboundRecord, now: DateTime<Utc>) -> SeenMessage {
    SeenMessage::new(&*record.mailbox, &*record.message_id, true, now)
}

impl Writer<'_> {
    /// Applies an event to an inbound message and records it.
    fn inbound(
        &mut self,
        record: &mut InboundRecord,
        event: InboundEvent,
        reason: Option<&str>,
        data: Data,
    ) {
        let from = (record.events > 0).then(|| record.position());
        let step = event.step(from);
        match step {
            Step::Moved(to) => {
                record.state = to.state;
                record.resume = to.resume;
                record.reason = reason.map(str::to_owned);
                record.entered_at = self.now;
            }
            Step::Conflict => {
                let what = format!("contradiction: {}", event.as_str());
                tell(&mut record.alert, &what);
            }
            Step::NotAllowed => {
                tell(
                    &mut record.alert,
                    &format!("unexpected: {}", event.as_str()),
                );
            }
            Step::Repeated => return,
            Step::Kept => {}
        }
        let (kind, data) = super::write::recorded(step, event.as_str(), data, reason);
        let place = Place {
            stream: record.key,
            copy: None,
            lseq: record.events,
        };
        self.push(place, None, kind, record.state.as_str(), data);
        record.events += 1;
    }
}
