use std::fmt;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use mesh_client::{LocalId, MessageId, TrackingStatus};
use nhs_types::{MailboxId, Sensitive, WorkflowId};

/// A message as the server keeps it.
///
/// `Debug` shows neither subject nor bytes.
#[derive(Clone)]
#[non_exhaustive]
pub struct StoredMessage {
    /// Its id.
    pub id: MessageId,
    /// Who sent it; a report has no sender.
    pub from: Option<MailboxId>,
    /// Whose inbox it went to.
    pub to: MailboxId,
    /// Its workflow; a report copies the failed message's.
    pub workflow: Option<WorkflowId>,
    /// The sender's reference.
    pub local_id: Option<LocalId>,
    /// The subject.
    pub subject: Option<Sensitive<String>>,
    /// The file name.
    pub file_name: Option<Sensitive<String>>,
    /// The type of the body.
    pub content_type: Option<String>,
    /// The bytes, unpacked, in the chunks they are downloaded in; mostly one.
    pub chunks: Vec<Bytes>,
    /// How far it came.
    pub status: TrackingStatus,
    /// When the server took it.
    pub uploaded_at: DateTime<Utc>,
    /// When the status was reached.
    pub status_at: DateTime<Utc>,
    /// What it reports, when it is a report.
    pub report: Option<ReportNotice>,
}

/// A report about a message that failed after it was accepted (mesh-api section 13).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReportNotice {
    /// The failed message.
    pub linked_message_id: Option<MessageId>,
    /// Its local id.
    pub local_id: Option<LocalId>,
    /// Its workflow.
    pub workflow: Option<WorkflowId>,
    /// The step that failed.
    pub event: String,
    /// The error code.
    pub code: String,
    /// The text.
    pub description: String,
}

impl StoredMessage {
    /// The bytes of all chunks.
    pub fn body(&self) -> Vec<u8> {
        self.chunks.concat()
    }
}

impl ReportNotice {
    /// A report with a code and a text, event `SEND`, about no message in particular.
    pub fn new(code: &str, description: &str) -> Self {
        Self {
            linked_message_id: None,
            local_id: None,
            workflow: None,
            event: "SEND".to_owned(),
            code: code.to_owned(),
            description: description.to_owned(),
        }
    }

    /// A report about a message that this server keeps.
    #[must_use]
    pub fn about(mut self, message: &StoredMessage) -> Self {
        self.linked_message_id = Some(message.id.clone());
        self.local_id = message.local_id.clone();
        self.workflow = message.workflow.clone();
        self
    }

    /// Sets the step that failed.
    #[must_use]
    pub fn event(mut self, event: &str) -> Self {
        event.clone_into(&mut self.event);
        self
    }
}

impl fmt::Debug for StoredMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: usize = self.chunks.iter().map(Bytes::len).sum();
        f.debug_struct("StoredMessage")
            .field("id", &self.id)
            .field("from", &self.from)
            .field("to", &self.to)
            .field("workflow", &self.workflow)
            .field("local_id", &self.local_id)
            .field("status", &self.status)
            .field("bytes", &bytes)
            .finish_non_exhaustive()
    }
}
