use std::fmt;

use bytes::Bytes;
use nhs_types::{MailboxId, Sensitive, WorkflowId};

use crate::LocalId;

/// A message to be sent: everything that goes into its headers is checked when it is set, so a
/// message that exists can be put on the wire.
///
/// ```
/// use mesh_client::{LocalId, OutgoingMessage};
/// use nhs_types::{MailboxId, WorkflowId};
///
/// let message = OutgoingMessage::new(
///     MailboxId::parse("YGM24GP1").unwrap(),
///     WorkflowId::parse("TOC_OUTP_ATT_DMS").unwrap(),
///     "<letter/>",
/// )?
/// .with_local_id(LocalId::parse("L0123456789ABCDEF0123").unwrap())
/// .with_content_type("application/xml")?;
/// assert_eq!(message.body(), b"<letter/>");
/// # Ok::<(), mesh_client::Misuse>(())
/// ```
#[derive(Clone)]
pub struct OutgoingMessage {
    to: Recipient,
    workflow: WorkflowId,
    local_id: Option<LocalId>,
    subject: Option<Sensitive<String>>,
    file_name: Option<Sensitive<String>>,
    content_type: Option<String>,
    body: Bytes,
}

/// Whom a message is for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recipient {
    /// A mailbox whose id is known.
    Mailbox(MailboxId),
}

/// A call that cannot be right: nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// A message without a body, which the service refuses with 02.
    #[error("a message needs a body")]
    EmptyBody,
    /// A body that does not fit into one request.
    #[error("the body has {bytes} bytes, a request takes at most {max}")]
    BodyTooLarge {
        /// Length of the body.
        bytes: usize,
        /// What a request takes.
        max: usize,
    },
    /// A header value with a character that must not stand there.
    #[error("{header} may hold printable ASCII characters only")]
    HeaderCharacters {
        /// Name of the header.
        header: &'static str,
    },
    /// A header value that is too long.
    #[error("{header} has {length} characters, at most {max} are allowed")]
    HeaderTooLong {
        /// Name of the header.
        header: &'static str,
        /// Length of the value.
        length: usize,
        /// What the service takes.
        max: usize,
    },
    /// An id that would change the path of the request.
    #[error("{what} must not be `.` or `..`")]
    PathSegment {
        /// Which id.
        what: &'static str,
    },
    /// A setting of the client that cannot be used.
    #[error("{setting}: {problem}")]
    Setting {
        /// Name of the builder's method.
        setting: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

/// Largest body of one request (mesh-api section 19).
pub(crate) const BODY_MAX: usize = 100 * 1024 * 1024;
const SUBJECT_MAX: usize = 500;
const FILE_NAME_MAX: usize = 300;
const CONTENT_TYPE_MAX: usize = 100;

impl OutgoingMessage {
    /// A message with what it cannot do without.
    ///
    /// # Errors
    ///
    /// [`Misuse::EmptyBody`] and [`Misuse::BodyTooLarge`] (over 100 MiB).
    pub fn new(
        to: impl Into<Recipient>,
        workflow: WorkflowId,
        body: impl Into<Vec<u8>>,
    ) -> Result<Self, Misuse> {
        let body = Bytes::from(body.into());
        check_body(body.len())?;
        Ok(Self {
            to: to.into(),
            workflow,
            local_id: None,
            subject: None,
            file_name: None,
            content_type: None,
            body,
        })
    }

    /// Sets the sender's reference, by which the message can be asked for later.
    #[must_use]
    pub fn with_local_id(mut self, local_id: LocalId) -> Self {
        self.local_id = Some(local_id);
        self
    }

    /// Sets `Mex-Subject`: at most 500 printable ASCII characters.
    ///
    /// # Errors
    ///
    /// [`Misuse::HeaderCharacters`] and [`Misuse::HeaderTooLong`].
    pub fn with_subject(mut self, subject: &str) -> Result<Self, Misuse> {
        check_header("Mex-Subject", subject, SUBJECT_MAX)?;
        self.subject = Some(Sensitive::new(subject.to_owned()));
        Ok(self)
    }

    /// Sets `Mex-FileName`: at most 300 printable ASCII characters, nothing about a patient.
    ///
    /// # Errors
    ///
    /// [`Misuse::HeaderCharacters`] and [`Misuse::HeaderTooLong`].
    pub fn with_file_name(mut self, file_name: &str) -> Result<Self, Misuse> {
        check_header("Mex-FileName", file_name, FILE_NAME_MAX)?;
        self.file_name = Some(Sensitive::new(file_name.to_owned()));
        Ok(self)
    }

    /// Sets the type of the body, by default `application/octet-stream`.
    ///
    /// # Errors
    ///
    /// [`Misuse::HeaderCharacters`] and [`Misuse::HeaderTooLong`] (over 100).
    pub fn with_content_type(mut self, content_type: &str) -> Result<Self, Misuse> {
        check_header("Content-Type", content_type, CONTENT_TYPE_MAX)?;
        self.content_type = Some(content_type.to_owned());
        Ok(self)
    }

    /// Whom it is for.
    pub fn recipient(&self) -> &Recipient {
        &self.to
    }

    /// Its workflow.
    pub fn workflow(&self) -> &WorkflowId {
        &self.workflow
    }

    /// The sender's reference.
    pub fn local_id(&self) -> Option<&LocalId> {
        self.local_id.as_ref()
    }

    /// The subject, which may hold patient data by the rules of some workflows.
    pub fn subject(&self) -> Option<&Sensitive<String>> {
        self.subject.as_ref()
    }

    /// The file name.
    pub fn file_name(&self) -> Option<&Sensitive<String>> {
        self.file_name.as_ref()
    }

    /// The type of the body.
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// The bytes that the recipient will get.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn shared_body(&self) -> Bytes {
        self.body.clone()
    }
}

impl From<MailboxId> for Recipient {
    fn from(mailbox: MailboxId) -> Self {
        Self::Mailbox(mailbox)
    }
}

impl Recipient {
    pub(crate) fn as_header(&self) -> &str {
        match self {
            Self::Mailbox(mailbox) => mailbox.as_str(),
        }
    }
}

impl fmt::Debug for OutgoingMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingMessage")
            .field("to", &self.to)
            .field("workflow", &self.workflow)
            .field("local_id", &self.local_id)
            .field("content_type", &self.content_type)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

fn check_body(bytes: usize) -> Result<(), Misuse> {
    match bytes {
        0 => Err(Misuse::EmptyBody),
        1..=BODY_MAX => Ok(()),
        _ => Err(Misuse::BodyTooLarge {
            bytes,
            max: BODY_MAX,
        }),
    }
}

fn check_header(header: &'static str, value: &str, max: usize) -> Result<(), Misuse> {
    let printable = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if !printable || value.trim() != value || value.is_empty() {
        return Err(Misuse::HeaderCharacters { header });
    }
    if value.len() > max {
        return Err(Misuse::HeaderTooLong {
            header,
            length: value.len(),
            max,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> OutgoingMessage {
        let to = MailboxId::parse("YGM24GP1").unwrap();
        OutgoingMessage::new(to, WorkflowId::parse("W").unwrap(), "body").unwrap()
    }

    #[test]
    fn a_body_at_its_limits() {
        assert_eq!(check_body(0), Err(Misuse::EmptyBody));
        assert_eq!(check_body(1), Ok(()));
        assert_eq!(check_body(BODY_MAX), Ok(()));
        let bytes = BODY_MAX + 1;
        assert_eq!(
            check_body(bytes),
            Err(Misuse::BodyTooLarge {
                bytes,
                max: BODY_MAX
            })
        );
    }

    #[test]
    fn headers_at_their_limits() {
        assert!(message().with_subject(&"s".repeat(SUBJECT_MAX)).is_ok());
        assert!(
            message()
                .with_subject(&"s".repeat(SUBJECT_MAX + 1))
                .is_err()
        );
        assert!(message().with_file_name(&"s".repeat(FILE_NAME_MAX)).is_ok());
        assert!(
            message()
                .with_file_name(&"s".repeat(FILE_NAME_MAX + 1))
                .is_err()
        );
        assert!(
            message()
                .with_content_type(&"s".repeat(CONTENT_TYPE_MAX))
                .is_ok()
        );
        assert!(
            message()
                .with_content_type(&"s".repeat(CONTENT_TYPE_MAX + 1))
                .is_err()
        );
    }

    #[test]
    fn what_could_forge_a_header_is_misuse() {
        let header = "Mex-Subject";
        for value in ["a\r\nMex-To: X", "a\0b", "Zoë", "\t", "", " a"] {
            let refused = message().with_subject(value).unwrap_err();
            assert_eq!(refused, Misuse::HeaderCharacters { header }, "{value:?}");
        }
    }

    #[test]
    fn debug_shows_neither_subject_nor_file_name_nor_body() {
        let message = message()
            .with_subject("canary")
            .unwrap()
            .with_file_name("canary")
            .unwrap();
        assert!(!format!("{message:?}").contains("canary"));
        assert!(!format!("{message:?}").contains("body\""));
    }
}
