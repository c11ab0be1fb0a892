use std::fmt;
use std::str::FromStr;

/// A code of the Organisation Data Service: a practice, a trust, a site.
///
/// 3 to 12 ASCII letters and digits, held in upper case. Whether such an organisation exists,
/// and may receive letters, is a question for routing.
///
/// ```
/// # use nhs_types::OdsCode;
/// assert_eq!(OdsCode::parse("rr8").unwrap().as_str(), "RR8");
/// assert!(OdsCode::parse("A8 001").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OdsCode(String);

/// The id of a MESH mailbox.
///
/// 1 to 100 ASCII letters and digits, held in upper case since the service compares it so in
/// paths and tokens (mesh-api facts, section 3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailboxId(String);

/// The workflow id of a MESH message: what kind of content it carries.
///
/// 1 to 300 visible ASCII characters, compared with case (mesh-api facts, section 7).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkflowId(String);

/// Why a text is not an ODS code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an ODS code has {} to {} letters and digits",
    ODS_CODE_MIN,
    ODS_CODE_MAX
)]
pub struct ParseOdsCodeError;

/// Why a text is not a mailbox id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a mailbox id has 1 to {} letters and digits", MAILBOX_ID_MAX)]
pub struct ParseMailboxIdError;

/// Why a text is not a workflow id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a workflow id has 1 to {} visible ASCII characters without spaces",
    WORKFLOW_ID_MAX
)]
pub struct ParseWorkflowIdError;

const ODS_CODE_MIN: usize = 3;
const ODS_CODE_MAX: usize = 12;
const MAILBOX_ID_MAX: usize = 100;
const WORKFLOW_ID_MAX: usize = 300;

impl OdsCode {
    /// Reads a code, ignoring case and surrounding white space.
    ///
    /// # Errors
    ///
    /// [`ParseOdsCodeError`] when length or characters are wrong. O and 0 are never swapped.
    pub fn parse(text: &str) -> Result<Self, ParseOdsCodeError> {
        let text = text.trim();
        let fits = (ODS_CODE_MIN..=ODS_CODE_MAX).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            Ok(Self(text.to_ascii_uppercase()))
        } else {
            Err(ParseOdsCodeError)
        }
    }
}

impl MailboxId {
    /// Reads an id, ignoring case and surrounding white space.
    ///
    /// # Errors
    ///
    /// [`ParseMailboxIdError`] when length or characters are wrong.
    pub fn parse(text: &str) -> Result<Self, ParseMailboxIdError> {
        let text = text.trim();
        let fits = (1..=MAILBOX_ID_MAX).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            Ok(Self(text.to_ascii_uppercase()))
        } else {
            Err(ParseMailboxIdError)
        }
    }
}

impl WorkflowId {
    /// Reads an id, ignoring surrounding white space.
    ///
    /// # Errors
    ///
    /// [`ParseWorkflowIdError`] when length or characters are wrong.
    pub fn parse(text: &str) -> Result<Self, ParseWorkflowIdError> {
        let text = text.trim();
        let fits = (1..=WORKFLOW_ID_MAX).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseWorkflowIdError)
        }
    }
}

macro_rules! text_of_code {
    ($type:ident, $error:ident) => {
        impl $type {
            /// The code as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_of_code!(OdsCode, ParseOdsCodeError);
text_of_code!(MailboxId, ParseMailboxIdError);
text_of_code!(WorkflowId, ParseWorkflowIdError);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ods_code_at_its_limits() {
        assert!(OdsCode::parse("AB").is_err());
        assert!(OdsCode::parse("ABC").is_ok());
        assert!(OdsCode::parse(&"A".repeat(ODS_CODE_MAX)).is_ok());
        assert!(OdsCode::parse(&"A".repeat(ODS_CODE_MAX + 1)).is_err());
        assert!(OdsCode::parse("ÄBC").is_err());
    }

    #[test]
    fn mailbox_id_at_its_limits() {
        assert!(MailboxId::parse("").is_err());
        assert!(MailboxId::parse(&"A".repeat(MAILBOX_ID_MAX)).is_ok());
        assert!(MailboxId::parse(&"A".repeat(MAILBOX_ID_MAX + 1)).is_err());
        assert!(MailboxId::parse("../inbox").is_err());
        assert_eq!(
            MailboxId::parse("rt9ot001").unwrap().to_string(),
            "RT9OT001"
        );
    }

    #[test]
    fn workflow_id_at_its_limits() {
        assert!(WorkflowId::parse(" ").is_err());
        assert!(WorkflowId::parse(&"W".repeat(WORKFLOW_ID_MAX)).is_ok());
        assert!(WorkflowId::parse(&"W".repeat(WORKFLOW_ID_MAX + 1)).is_err());
        assert!(WorkflowId::parse("TWO WORDS").is_err());
        assert!(WorkflowId::parse("LINE\r\nBREAK").is_err());
        assert_eq!(
            WorkflowId::parse("Disch_Ket").unwrap().as_str(),
            "Disch_Ket"
        );
    }

    proptest! {
        #[test]
        fn what_is_read_is_read_again_to_the_same(text in "\\PC{0,20}") {
            if let Ok(code) = OdsCode::parse(&text) {
                prop_assert_eq!(OdsCode::parse(code.as_str()), Ok(code));
            }
            if let Ok(id) = MailboxId::parse(&text) {
                prop_assert_eq!(MailboxId::parse(id.as_str()), Ok(id));
            }
            if let Ok(id) = WorkflowId::parse(&text) {
                prop_assert_eq!(WorkflowId::parse(id.as_str()), Ok(id));
            }
        }
    }
}
