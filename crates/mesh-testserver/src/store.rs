use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use mesh_client::{LocalId, MessageId, TrackingStatus};
use nhs_types::{MailboxId, OdsCode, WorkflowId};

use crate::{Mailbox, ReportNotice, StoredMessage};

/// Mailboxes and messages, in memory.
#[derive(Debug, Default)]
pub(crate) struct Store {
    mailboxes: BTreeMap<MailboxId, Slot>,
    messages: BTreeMap<MessageId, StoredMessage>,
    last_micros: i64,
}

#[derive(Debug)]
struct Slot {
    mailbox: Mailbox,
    waiting: BTreeSet<MessageId>,
    sent: BTreeMap<LocalId, Vec<MessageId>>,
}

/// Text of the report about a message that nobody collected (mesh-api section 13).
const NOT_COLLECTED: &str = "Message not collected by recipient after 5 days";

impl Store {
    pub(crate) fn add(&mut self, mailbox: Mailbox) {
        let id = mailbox.id.clone();
        let (waiting, sent) = (BTreeSet::new(), BTreeMap::new());
        self.mailboxes.insert(
            id,
            Slot {
                mailbox,
                waiting,
                sent,
            },
        );
    }

    pub(crate) fn mailbox(&self, id: &MailboxId) -> Option<&Mailbox> {
        self.mailboxes.get(id).map(|slot| &slot.mailbox)
    }

    pub(crate) fn message(&self, id: &MessageId) -> Option<&StoredMessage> {
        self.messages.get(id)
    }

    pub(crate) fn waiting(&self, id: &MailboxId) -> impl Iterator<Item = &StoredMessage> {
        let ids = self
            .mailboxes
            .get(id)
            .into_iter()
            .flat_map(|slot| &slot.waiting);
        ids.filter_map(|id| self.messages.get(id))
    }

    pub(crate) fn receivers(
        &self,
        organisation: &OdsCode,
        workflow: &WorkflowId,
    ) -> impl Iterator<Item = &Mailbox> {
        self.mailboxes
            .values()
            .map(|slot| &slot.mailbox)
            .filter(move |mailbox| {
                mailbox.organisation.as_ref() == Some(organisation)
                    && mailbox.receives.contains(workflow)
            })
    }

    pub(crate) fn sent_as(&self, from: &MailboxId, local_id: &LocalId) -> &[MessageId] {
        let sent = self
            .mailboxes
            .get(from)
            .and_then(|slot| slot.sent.get(local_id));
        sent.map_or(&[], Vec::as_slice)
    }

    /// Puts a message into its recipient's inbox, under a new id.
    pub(crate) fn deliver(&mut self, mut message: StoredMessage) -> MessageId {
        let id = self.next_id(message.uploaded_at);
        message.id = id.clone();
        if let (Some(from), Some(local_id)) = (&message.from, &message.local_id)
            && let Some(sender) = self.mailboxes.get_mut(from)
        {
            sender
                .sent
                .entry(local_id.clone())
                .or_default()
                .push(id.clone());
        }
        if let Some(slot) = self.mailboxes.get_mut(&message.to) {
            slot.waiting.insert(id.clone());
        }
        self.messages.insert(id.clone(), message);
        id
    }

    pub(crate) fn report(
        &mut self,
        to: &MailboxId,
        notice: ReportNotice,
        at: DateTime<Utc>,
    ) -> MessageId {
        let mut report = blank(to.clone(), at);
        report.workflow = notice.workflow.clone();
        report.local_id = notice.local_id.clone();
        report.report = Some(notice);
        self.deliver(report)
    }

    /// Takes a message out of its inbox; true when it lay there or had been taken out before.
    pub(crate) fn acknowledge(&mut self, id: &MessageId, at: DateTime<Utc>) -> bool {
        let Some(message) = self.messages.get_mut(id) else {
            return false;
        };
        if message.status == TrackingStatus::Accepted {
            message.status = TrackingStatus::Acknowledged;
            message.status_at = at;
        }
        if let Some(slot) = self.mailboxes.get_mut(&message.to) {
            slot.waiting.remove(id);
        }
        true
    }

    /// What the service does after five days: out of the inbox, and a report to the sender.
    pub(crate) fn undeliverable(&mut self, id: &MessageId, at: DateTime<Utc>) -> Option<MessageId> {
        let message = self.messages.get_mut(id)?;
        message.status = TrackingStatus::Undeliverable;
        message.status_at = at;
        let (to, from) = (message.to.clone(), message.from.clone()?);
        let notice = ReportNotice::new("14", NOT_COLLECTED).about(message);
        if let Some(slot) = self.mailboxes.get_mut(&to) {
            slot.waiting.remove(id);
        }
        Some(self.report(&from, notice, at))
    }

    /// An id as the real service's: time to the microsecond, underscore, six hex digits.
    fn next_id(&mut self, at: DateTime<Utc>) -> MessageId {
        let micros = at
            .timestamp_micros()
            .max(self.last_micros.saturating_add(1));
        self.last_micros = micros;
        let at = DateTime::from_timestamp_micros(micros).unwrap_or(at);
        let tail = micros.wrapping_mul(0x9E37_79B9).unsigned_abs() & 0x00FF_FFFF;
        let text = format!("{}_{tail:06X}", at.format("%Y%m%d%H%M%S%6f"));
        MessageId::parse(&text).unwrap_or_else(|_| placeholder_id())
    }
}

/// A message that only has a recipient; it gets its id when it is delivered.
pub(crate) fn blank(to: MailboxId, at: DateTime<Utc>) -> StoredMessage {
    StoredMessage {
        id: placeholder_id(),
        from: None,
        to,
        workflow: None,
        local_id: None,
        subject: None,
        file_name: None,
        content_type: None,
        chunks: vec![Bytes::new()],
        status: TrackingStatus::Accepted,
        uploaded_at: at,
        status_at: at,
        report: None,
    }
}

#[expect(clippy::expect_used, reason = "a constant that is a message id")]
fn placeholder_id() -> MessageId {
    MessageId::parse("0").expect("one digit is a message id")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_look_like_the_real_ones_and_never_repeat() {
        let at = "2020-06-01T11:21:52.994285Z".parse().unwrap();
        let mut store = Store::default();
        let ids: Vec<_> = (0..1000).map(|_| store.next_id(at)).collect();
        assert!(ids[0].as_str().starts_with("20200601112152994285_"));
        assert_eq!(ids[0].as_str().len(), 27);
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 1000);
        assert!(ids.is_sorted());
    }

    #[test]
    fn undeliverable_leaves_the_inbox_and_reports_to_the_sender() {
        let at = "2026-11-21T21:00:00Z".parse().unwrap();
        let (a, b) = (
            MailboxId::parse("A").unwrap(),
            MailboxId::parse("B").unwrap(),
        );
        let mut store = Store::default();
        store.add(Mailbox::new(a.clone(), "a"));
        store.add(Mailbox::new(b.clone(), "b"));
        let mut message = blank(b.clone(), at);
        message.from = Some(a.clone());
        message.local_id = LocalId::parse("L1").ok();
        let id = store.deliver(message);
        assert_eq!(
            store.sent_as(&a, &LocalId::parse("L1").unwrap()),
            std::slice::from_ref(&id)
        );
        let report = store.undeliverable(&id, at).unwrap();
        assert_eq!(store.waiting(&b).count(), 0);
        let waiting: Vec<_> = store.waiting(&a).collect();
        assert_eq!(waiting[0].id, report);
        assert_eq!(
            waiting[0].report.as_ref().unwrap().linked_message_id,
            Some(id)
        );
    }
}
