use chrono::{DateTime, Utc};
use nhs_types::{MailboxId, OdsCode, WorkflowId};

use crate::{ErrorCode, LocalId, MessageId};

/// What the service knows of a message that we sent (mesh-api section 14).
///
/// Only `message_id` is sure to be there; the service leaves out what it does not know, and both
/// versions of the answer are read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tracking {
    /// The message.
    pub message_id: MessageId,
    /// Our reference.
    pub local_id: Option<LocalId>,
    /// Its workflow.
    pub workflow: Option<WorkflowId>,
    /// How far it came.
    pub status: TrackingStatus,
    /// False when the service says that it failed.
    pub is_success: Option<bool>,
    /// The error code, or `00`.
    pub status_code: Option<ErrorCode>,
    /// The step that the code belongs to.
    pub event: Option<String>,
    /// The service's words for it.
    pub description: Option<String>,
    /// When the status was reached.
    pub status_at: Option<DateTime<Utc>>,
    /// When the service took it.
    pub uploaded_at: Option<DateTime<Utc>>,
    /// When it leaves the recipient's inbox uncollected.
    pub expires_at: Option<DateTime<Utc>>,
    /// The mailbox it went to.
    pub recipient: Option<MailboxId>,
    /// Name of that mailbox.
    pub recipient_name: Option<String>,
    /// The organisation that the mailbox belongs to.
    pub recipient_ods_code: Option<OdsCode>,
}

/// How far a message came.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrackingStatus {
    /// Not all of its chunks have arrived.
    Uploading,
    /// Taken by the service, not collected yet.
    Accepted,
    /// Collected and acknowledged by the recipient's system.
    Acknowledged,
    /// Not collected in time, or the mailbox was closed.
    Undeliverable,
    /// Failed.
    Error,
    /// A word that this crate does not know; empty when there was none.
    Other(String),
}

/// What asking by local id tells about a send whose answer was lost (mesh-api section 18).
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a caller must decide each of the three"
)]
#[expect(
    clippy::large_enum_variant,
    reason = "made once for a question, never stored in bulk"
)]
pub enum LocalIdTracking {
    /// The service does not know of it, at the moment.
    NotFound,
    /// It arrived once.
    Found(Tracking),
    /// It arrived more than once.
    Several,
}

/// A mailbox that takes a workflow for an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoint {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// Its name, when the service tells one.
    pub name: Option<String>,
}

impl TrackingStatus {
    /// Reads a status word, ignoring case.
    pub fn parse(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "uploading" => Self::Uploading,
            "accepted" => Self::Accepted,
            "acknowledged" => Self::Acknowledged,
            "undeliverable" => Self::Undeliverable,
            "error" => Self::Error,
            _ => Self::Other(text.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_words_of_both_versions() {
        assert_eq!(TrackingStatus::parse("Accepted"), TrackingStatus::Accepted);
        assert_eq!(
            TrackingStatus::parse("acknowledged"),
            TrackingStatus::Acknowledged
        );
        assert_eq!(
            TrackingStatus::parse("Parked"),
            TrackingStatus::Other("Parked".to_owned())
        );
    }
}
