use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use nhs_types::{MailboxId, Sensitive, WorkflowId};

use crate::times::parse_time;
use crate::{ErrorCode, LocalId, MessageId, headers};

/// A message of the inbox, complete and checked: it may be stored and then acknowledged.
///
/// `Debug` shows ids and sizes only.
#[derive(Clone)]
#[non_exhaustive]
pub struct ReceivedMessage {
    /// The id under which it was downloaded, and is acknowledged.
    pub message_id: MessageId,
    /// The mailbox that sent it; absent in reports of the service.
    pub from: Option<MailboxId>,
    /// The mailbox it lies in (in reports too, mesh-api section 13).
    pub to: Option<MailboxId>,
    /// What kind of content it carries.
    pub workflow: Option<WorkflowId>,
    /// The sender's reference; in a report ours. `None` when it is none that we could have
    /// made; the text itself stands in `headers`.
    pub local_id: Option<LocalId>,
    /// The subject, which holds patient data in some workflows.
    pub subject: Option<Sensitive<String>>,
    /// The sender's file name.
    pub file_name: Option<Sensitive<String>>,
    /// A message of another mailbox, or a report of the service.
    pub kind: MessageKind,
    /// Every header of the first answer, names in lower case, values as they came.
    pub headers: BTreeMap<String, String>,
    /// The bytes that the sender sent, unpacked and joined.
    pub body: Vec<u8>,
}

/// What a received message is.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a receiver must treat reports apart"
)]
pub enum MessageKind {
    /// Content that another mailbox sent.
    Data,
    /// The service tells that one of our messages failed.
    Report(Report),
}

/// The service's report about a message that failed after it was accepted (mesh-api section 13).
#[derive(Clone)]
#[non_exhaustive]
pub struct Report {
    /// The failed message.
    pub linked_message_id: Option<MessageId>,
    /// The failed message's local id.
    pub local_id: Option<LocalId>,
    /// The step that failed: `SEND`, `TRANSFER`, `COLLECT` or `RECEIVE`.
    pub event: String,
    /// Why.
    pub code: ErrorCode,
    /// Why, in the service's words.
    pub description: String,
    /// When.
    pub at: Option<DateTime<Utc>>,
}

impl ReceivedMessage {
    /// Reads a message from the headers of its first answer and its joined body.
    pub fn from_parts(
        message_id: MessageId,
        headers: BTreeMap<String, String>,
        body: Vec<u8>,
    ) -> Self {
        let text = |name: &str| present(&headers, name);
        let is_report =
            text(headers::MESSAGE_TYPE).is_some_and(|kind| kind.eq_ignore_ascii_case("REPORT"));
        let kind = if is_report {
            MessageKind::Report(report(&headers))
        } else {
            MessageKind::Data
        };
        Self {
            from: text(headers::FROM).and_then(|id| MailboxId::parse(id).ok()),
            to: text(headers::TO).and_then(|id| MailboxId::parse(id).ok()),
            workflow: text(headers::WORKFLOW_ID).and_then(|id| WorkflowId::parse(id).ok()),
            local_id: text(headers::LOCAL_ID).and_then(|id| LocalId::parse(id).ok()),
            subject: text(headers::SUBJECT).map(|text| Sensitive::new(text.to_owned())),
            file_name: text(headers::FILE_NAME).map(|text| Sensitive::new(text.to_owned())),
            message_id,
            kind,
            headers,
            body,
        }
    }

    /// The report, when it is one.
    pub fn report(&self) -> Option<&Report> {
        match &self.kind {
            MessageKind::Report(report) => Some(report),
            MessageKind::Data => None,
        }
    }
}

fn present<'a>(headers: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    headers
        .get(name)
        .map(|value| value.trim())
        .filter(|value| !value.is_empty())
}

fn report(headers: &BTreeMap<String, String>) -> Report {
    let text = |name: &str| present(headers, name).unwrap_or_default();
    Report {
        linked_message_id: MessageId::parse(text(headers::LINKED_MESSAGE_ID)).ok(),
        local_id: LocalId::parse(text(headers::LOCAL_ID)).ok(),
        event: text(headers::STATUS_EVENT).to_owned(),
        code: ErrorCode::new(text(headers::STATUS_CODE)),
        description: text(headers::STATUS_DESCRIPTION).to_owned(),
        at: parse_time(text(headers::STATUS_TIMESTAMP)),
    }
}

impl fmt::Debug for ReceivedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedMessage")
            .field("message_id", &self.message_id)
            .field("from", &self.from)
            .field("to", &self.to)
            .field("workflow", &self.workflow)
            .field("kind", &self.kind)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("linked_message_id", &self.linked_message_id)
            .field("code", &self.code)
            .field("event", &self.event)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn received(pairs: &[(&str, &str)]) -> ReceivedMessage {
        let id = MessageId::parse("20261121205836000001_ABCDEF").unwrap();
        ReceivedMessage::from_parts(id, headers(pairs), b"canary body".to_vec())
    }

    #[test]
    fn a_report_as_it_was_seen() {
        let message = received(&[
            ("mex-messagetype", "REPORT"),
            ("mex-linkedmsgid", "20261116205836000001_000001"),
            ("mex-localid", "L1"),
            ("mex-to", "RT9OT001"),
            ("mex-statuscode", "14"),
            ("mex-statusevent", "SEND"),
            (
                "mex-statusdescription",
                "Message not collected by recipient after 5 days",
            ),
            ("mex-statustimestamp", "20261121205836"),
        ]);
        let report = message.report().unwrap();
        assert_eq!(report.code, ErrorCode::new("14"));
        assert_eq!(report.event, "SEND");
        assert_eq!(
            report.linked_message_id.as_ref().unwrap().as_str(),
            "20261116205836000001_000001"
        );
        assert_eq!(report.local_id, message.local_id);
        assert_eq!(report.at, Some("2026-11-21T20:58:36Z".parse().unwrap()));
    }

    #[test]
    fn a_message_without_type_is_data_and_keeps_what_it_cannot_read() {
        let message = received(&[("mex-localid", "two words"), ("mex-from", " ")]);
        assert!(message.report().is_none());
        assert_eq!(
            (message.local_id.as_ref(), message.from.as_ref()),
            (None, None)
        );
        assert_eq!(message.headers.get("mex-localid").unwrap(), "two words");
    }

    #[test]
    fn debug_shows_no_content() {
        let message = received(&[
            ("mex-subject", "canary"),
            ("mex-filename", "canary.dat"),
            ("mex-messagetype", "REPORT"),
            ("mex-statusdescription", "canary"),
        ]);
        assert!(!format!("{message:?}").contains("canary"));
        assert_eq!(message.subject.unwrap().expose(), "canary");
    }
}
