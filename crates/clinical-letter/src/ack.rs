//! Answers to HL7 v2 messages in original mode (source-documents section 6).

use chrono::{DateTime, FixedOffset};

use crate::hl7::{Delimiters, escape, field_of_bytes};
use crate::{Disposition, Reading, Reason};

/// What a sender is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "original mode has these three answers"
)]
pub enum AckCode {
    /// `AA`: durable here; held and duplicate documents too.
    Accept,
    /// `AE`: a passing fault here; send it again after a while.
    Error,
    /// `AR`: can never be accepted; do not send it again.
    Reject,
}

impl AckCode {
    /// `AA`, `AE` or `AR`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "AA",
            Self::Error => "AE",
            Self::Reject => "AR",
        }
    }
}

/// An error of HL7 table 0357, with a text for people that holds no patient data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AckError {
    /// The code, such as 201.
    pub code: u16,
    /// Its meaning.
    pub text: &'static str,
}

impl AckError {
    /// 207: the fault is here. It goes with [`AckCode::Error`].
    pub const INTERNAL: Self = Self::new(207, "application internal error");

    const fn new(code: u16, text: &'static str) -> Self {
        Self { code, text }
    }

    /// The error that tells a sender why a document was rejected; none for other reasons.
    ///
    /// ```
    /// use clinical_letter::{AckError, Reason};
    ///
    /// assert_eq!(AckError::for_reason(Reason::UnsupportedEvent).unwrap().code, 201);
    /// assert_eq!(AckError::for_reason(Reason::NotAuthenticated), None);
    /// ```
    pub const fn for_reason(reason: Reason) -> Option<Self> {
        Some(match reason {
            Reason::Empty | Reason::Malformed => Self::new(102, "data type error: not readable"),
            Reason::SegmentMissing => Self::new(100, "segment sequence error: segment missing"),
            Reason::UnsupportedEvent => Self::new(201, "unsupported event code"),
            Reason::ProcessingId => Self::new(202, "unsupported processing id"),
            Reason::TooLarge | Reason::TooDeep => Self::new(102, "data type error: past a limit"),
            _ => return None,
        })
    }
}

impl Reading {
    /// The answer to the message this reading is of, once it is durable: AR for what is
    /// rejected, AA for all else.
    pub const fn ack(&self) -> (AckCode, Option<AckError>) {
        match self.disposition {
            Disposition::Reject => (AckCode::Reject, AckError::for_reason(self.reason)),
            _ => (AckCode::Accept, None),
        }
    }
}

/// Builds the answer to a message: sender and receiver swapped, same processing id and version,
/// the message's own delimiters. What is no HL7 message is answered, too.
///
/// `control_id` is the answer's own id, `now` its time, written as its local time stands.
///
/// ```
/// use clinical_letter::{AckCode, acknowledge};
///
/// let message = b"MSH|^~\\&|EPR|RXX|TIE|RXX|20261119143210||MDM^T02|CTL1|P|2.4\r";
/// let now = chrono::DateTime::parse_from_rfc3339("2026-11-19T14:32:11+00:00").unwrap();
/// let answer = acknowledge(message, AckCode::Accept, None, "A1", now);
/// assert_eq!(
///     String::from_utf8(answer).unwrap(),
///     "MSH|^~\\&|TIE|RXX|EPR|RXX|20261119143211||ACK^T02^ACK|A1|P|2.4\rMSA|AA|CTL1\r",
/// );
/// ```
pub fn acknowledge(
    message: &[u8],
    code: AckCode,
    error: Option<AckError>,
    control_id: &str,
    now: DateTime<FixedOffset>,
) -> Vec<u8> {
    let message = message.trim_ascii_start();
    let read = Delimiters::of_message(message).ok();
    let delimiters = read.unwrap_or_default();
    let header = if read.is_some() { message } else { &[] };
    let of = |number| field_of_bytes(header, delimiters, number);
    let or = |raw: &[u8], default: &str| match raw {
        [] => default.as_bytes().to_vec(),
        raw => raw.to_vec(),
    };
    let version = or(of(12), "2.4");
    let mut answer = Segments::new(delimiters);
    answer.add(
        "MSH",
        &[
            delimiters_of(delimiters),
            of(5).to_vec(),
            of(6).to_vec(),
            of(3).to_vec(),
            of(4).to_vec(),
            now.format("%Y%m%d%H%M%S").to_string().into_bytes(),
            Vec::new(),
            message_type(of(9), delimiters),
            escape(control_id, &delimiters).into_bytes(),
            or(of(11), "P"),
            version.clone(),
        ],
    );
    let outcome = vec![code.as_str().as_bytes().to_vec(), of(10).to_vec()];
    add_outcome(&mut answer, outcome, error, &version);
    answer.bytes
}

/// Up to v2.4 the error stands in MSA-6 and ERR-1, later in ERR-3.
fn add_outcome(
    answer: &mut Segments,
    mut outcome: Vec<Vec<u8>>,
    error: Option<AckError>,
    version: &[u8],
) {
    let Some(error) = error else {
        answer.add("MSA", &outcome);
        return;
    };
    let sign = char::from(answer.delimiters.component);
    let coded = format!(
        "{}{sign}{}",
        error.code,
        escape(error.text, &answer.delimiters)
    );
    let coded = coded.into_bytes();
    if version < b"2.5".as_slice() {
        outcome.resize(5, Vec::new());
        outcome.push(coded.clone());
        answer.add("MSA", &outcome);
        let inner = char::from(answer.delimiters.subcomponent);
        let text = String::from_utf8_lossy(&coded).replace(sign, &inner.to_string());
        answer.add("ERR", &[format!("{sign}{sign}{sign}{text}").into_bytes()]);
    } else {
        answer.add("MSA", &outcome);
        answer.add("ERR", &[Vec::new(), Vec::new(), coded, b"E".to_vec()]);
    }
}

struct Segments {
    delimiters: Delimiters,
    bytes: Vec<u8>,
}

impl Segments {
    const fn new(delimiters: Delimiters) -> Self {
        Self {
            delimiters,
            bytes: Vec::new(),
        }
    }

    fn add(&mut self, name: &str, fields: &[Vec<u8>]) {
        self.bytes.extend_from_slice(name.as_bytes());
        for field in fields {
            self.bytes.push(self.delimiters.field);
            self.bytes.extend_from_slice(field);
        }
        self.bytes.push(b'\r');
    }
}

fn delimiters_of(delimiters: Delimiters) -> Vec<u8> {
    vec![
        delimiters.component,
        delimiters.repetition,
        delimiters.escape,
        delimiters.subcomponent,
    ]
}

/// `ACK^event^ACK`, or `ACK` to a message without an event.
fn message_type(raw: &[u8], delimiters: Delimiters) -> Vec<u8> {
    let event = raw.split(|byte| *byte == delimiters.component).nth(1);
    match event {
        Some(event) if !event.is_empty() => [b"ACK", event, b"ACK"].join(&delimiters.component),
        _ => b"ACK".to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ReadOptions, read};

    fn answer(message: &[u8], code: AckCode, error: Option<AckError>) -> String {
        let now = DateTime::parse_from_rfc3339("2026-11-19T14:32:11+00:00").unwrap();
        let bytes = acknowledge(message, code, error, "A0000001", now);
        String::from_utf8(bytes).unwrap().replace('\r', "\n")
    }

    const HEADER: &[u8] =
        b"MSH|^~\\&|MEDITECH|RXX|TIE|RXX|20261119143210||MDM^T02^MDM_T02|CTL1|P|2.4";

    #[test]
    fn section_6_accepted() {
        let expected = "MSH|^~\\&|TIE|RXX|MEDITECH|RXX|20261119143211||ACK^T02^ACK|A0000001|P|2.4\n\
                        MSA|AA|CTL1\n";
        assert_eq!(answer(HEADER, AckCode::Accept, None), expected);
    }

    #[test]
    fn section_6_errors_stand_where_the_version_has_them() {
        let error = AckError::for_reason(Reason::UnsupportedEvent);
        let old = answer(HEADER, AckCode::Reject, error);
        assert!(
            old.contains("MSA|AR|CTL1||||201^unsupported event code\n"),
            "{old}"
        );
        assert!(old.contains("ERR|^^^201&unsupported event code\n"), "{old}");
        let newer = [HEADER.strip_suffix(b"2.4").unwrap(), b"2.5.1"].concat();
        let new = answer(&newer, AckCode::Error, Some(AckError::INTERNAL));
        assert!(
            new.contains("MSA|AE|CTL1\nERR|||207^application internal error|E\n"),
            "{new}"
        );
    }

    #[test]
    fn section_6_what_is_no_message_is_answered_too() {
        let told = answer(
            b"GET / HTTP/1.1",
            AckCode::Reject,
            AckError::for_reason(Reason::Malformed),
        );
        assert!(
            told.starts_with("MSH|^~\\&|||||20261119143211||ACK|A0000001|P|2.4\nMSA|AR||"),
            "{told}"
        );
    }

    #[test]
    fn section_6_own_delimiters_are_kept() {
        let told = answer(
            b"MSH#*!/%#EPR#RXX#TIE#RXX###ADT*A01#7#P#2.4",
            AckCode::Accept,
            None,
        );
        assert!(
            told.ends_with("##ACK*A01*ACK#A0000001#P#2.4\nMSA#AA#7\n"),
            "{told}"
        );
    }

    #[test]
    fn section_6_every_reject_of_hl7_has_an_error_and_all_else_is_accepted() {
        let of = |bytes: &[u8]| read(bytes, &ReadOptions::default()).remove(0).ack();
        assert_eq!(
            of(HEADER),
            (
                AckCode::Reject,
                AckError::for_reason(Reason::SegmentMissing)
            )
        );
        assert_eq!(of(b"{\\rtf1 x}").0, AckCode::Accept);
    }
}
