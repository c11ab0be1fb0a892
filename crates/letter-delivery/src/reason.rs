//! Why a person decided something: a code, never free text.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a person decided something, as a code such as `wrong-patient`.
///
/// It stands in events, which can never be erased, so it must not hold a name or a number of a
/// patient: lower-case words with hyphens, and at most four digits in all.
///
/// ```
/// use letter_delivery::Reason;
/// assert!(Reason::parse("wrong-patient").is_ok());
/// assert!(Reason::parse("change-4711").is_ok());
/// assert!(Reason::parse("Mrs Jones, 943 476 5919").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reason(String);

/// The longest reason.
pub const REASON_CHARS_MAX: usize = 48;
/// The most digits in all: a change's number fits, a patient's does not.
const DIGITS_MAX: usize = 4;

/// A text that is no reason code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error(
    "a reason is a code of lower-case words with hyphens, such as wrong-patient: at most \
     {REASON_CHARS_MAX} characters and 4 digits in all, for it stays in the ledger for ever"
)]
pub struct ParseReasonError;

impl Reason {
    /// Reads a code.
    ///
    /// # Errors
    ///
    /// [`ParseReasonError`] when it is none, or could hold more than a code.
    pub fn parse(text: &str) -> Result<Self, ParseReasonError> {
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let digits = text.chars().filter(char::is_ascii_digit).count();
        let fits = !text.is_empty() && text.len() <= REASON_CHARS_MAX && digits <= DIGITS_MAX;
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
        if fits && begins && text.chars().all(letter) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseReasonError)
        }
    }

    /// A code of our own.
    pub(crate) fn of_ours(code: &'static str) -> Self {
        Self(code.to_owned())
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Reason {
    type Error = ParseReasonError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_at_its_limits() {
        let longest = "a".repeat(REASON_CHARS_MAX);
        assert!(Reason::parse(&longest).is_ok());
        assert!(Reason::parse(&format!("{longest}a")).is_err());
        assert!(Reason::parse("change-1234").is_ok());
        assert!(
            Reason::parse("change-1-2-3-4-5").is_err(),
            "split digits are digits"
        );
    }

    #[test]
    fn design_5_rule_12_what_could_name_a_patient_is_no_reason() {
        for text in [
            "",
            "Jane",
            "a b",
            "9434765919",
            "x9434765919",
            "é",
            "a\nb",
            "-a",
        ] {
            assert!(Reason::parse(text).is_err(), "{text:?}");
        }
    }
}
