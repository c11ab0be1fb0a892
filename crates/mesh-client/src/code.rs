use std::fmt;

/// An error code of the service, kept as the text it is: `02`, `EPL-151`.
///
/// Unknown codes are kept too; the table of mesh-api section 17 tells about the known ones.
///
/// ```
/// use mesh_client::{Advice, ErrorCode};
/// let code = ErrorCode::new("12");
/// assert_eq!(code.meaning(), Some("unregistered recipient address"));
/// assert_eq!(code.advice(), Some(Advice::Reroute));
/// assert_eq!(ErrorCode::new("XYZ").meaning(), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorCode(String);

/// Who has to do what about an error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advice {
    /// Nothing: the code says success.
    Nothing,
    /// The message was built wrongly: correct it.
    FixMessage,
    /// A mailbox, a workflow or this client is set up wrongly: correct the configuration.
    FixConfiguration,
    /// The recipient's mailbox is not the right one: look it up again.
    Reroute,
    /// The patient's data do not lead to one practice: check them.
    CheckPatient,
    /// It arrived nowhere: a person must send it again or by another way.
    OtherChannel,
}

const CODE_MAX: usize = 40;

/// Code, meaning, advice: mesh-api section 17, in its order.
const TABLE: [(&str, &str, Advice); 22] = [
    ("00", "success", Advice::Nothing),
    (
        "02",
        "data file missing or inaccessible",
        Advice::FixMessage,
    ),
    (
        "06",
        "malformed headers or control file",
        Advice::FixMessage,
    ),
    (
        "07",
        "sender address does not match the token's mailbox",
        Advice::FixConfiguration,
    ),
    ("08", "recipient address missing", Advice::FixMessage),
    ("09", "invalid control file version", Advice::FixMessage),
    ("11", "invalid message type", Advice::FixMessage),
    ("12", "unregistered recipient address", Advice::Reroute),
    (
        "14",
        "not collected by the recipient within five days",
        Advice::OtherChannel,
    ),
    ("15", "bad CP-IS file", Advice::FixMessage),
    (
        "16",
        "sender not allowed to send this type",
        Advice::FixConfiguration,
    ),
    (
        "17",
        "workflow not registered for the mailbox",
        Advice::FixConfiguration,
    ),
    ("18", "workflow not enabled", Advice::FixConfiguration),
    ("19", "invalid expiry period", Advice::FixMessage),
    ("20", "message does not exist", Advice::FixMessage),
    (
        "100",
        "mailbox not enabled for national applications",
        Advice::FixConfiguration,
    ),
    ("EPL-150", "several mailboxes match", Advice::Reroute),
    ("EPL-151", "no mailbox matched", Advice::OtherChannel),
    ("EPL-152", "invalid NHS number", Advice::CheckPatient),
    ("EPL-153", "NHS number not found", Advice::CheckPatient),
    (
        "EPL-154",
        "NHS number does not match the demographics",
        Advice::CheckPatient,
    ),
    (
        "InvalidHeaderChunks",
        "invalid chunk range",
        Advice::FixMessage,
    ),
];

impl ErrorCode {
    /// Takes a code as the service wrote it: without control characters, at most 40 characters.
    pub fn new(text: &str) -> Self {
        let shown = text.trim().chars().filter(|c| !c.is_control());
        Self(shown.take(CODE_MAX).collect())
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for `00`, which says that nothing failed.
    pub fn is_success(&self) -> bool {
        self.0 == "00"
    }

    /// What the code stands for, when it is a known one.
    pub fn meaning(&self) -> Option<&'static str> {
        self.row().map(|(_, meaning, _)| *meaning)
    }

    /// Who has to do what, when it is a known code.
    pub fn advice(&self) -> Option<Advice> {
        self.row().map(|(_, _, advice)| *advice)
    }

    fn row(&self) -> Option<&'static (&'static str, &'static str, Advice)> {
        TABLE
            .iter()
            .find(|(code, _, _)| code.eq_ignore_ascii_case(&self.0))
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zero_is_part_of_the_code() {
        assert_eq!(ErrorCode::new("02").advice(), Some(Advice::FixMessage));
        assert_eq!(ErrorCode::new("2").advice(), None);
    }

    #[test]
    fn codes_of_routing_are_known_in_any_case() {
        assert_eq!(
            ErrorCode::new("epl-153").advice(),
            Some(Advice::CheckPatient)
        );
    }

    #[test]
    fn a_code_is_never_longer_than_its_limit() {
        assert_eq!(
            ErrorCode::new(&"9".repeat(CODE_MAX)).as_str().len(),
            CODE_MAX
        );
        assert_eq!(
            ErrorCode::new(&"9".repeat(CODE_MAX + 1)).as_str().len(),
            CODE_MAX
        );
        assert_eq!(ErrorCode::new("1\r\n2").as_str(), "12");
    }

    #[test]
    fn every_code_of_the_table_is_found_once() {
        for (code, meaning, _) in TABLE {
            assert_eq!(ErrorCode::new(code).meaning(), Some(meaning));
        }
        assert!(ErrorCode::new("00").is_success());
    }
}
