mod difference;
mod edit;
mod words;

use clinical_letter::Letter;
use kettering_xml::{Mode, Parsed, PayloadKind, parse};
use nhs_types::{Report, Sensitive};
use sha2::{Digest as _, Sha256};

pub use difference::{Difference, DifferenceKind};
pub use words::{RULES_VERSION, Words};

use crate::source::source_words;
use crate::visible::visible_text;

/// What a proof compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// The bytes of an attachment that passes through.
    Bytes,
    /// The visible words.
    Words,
}

/// The outcome of comparing an artefact with the letter it was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proof {
    /// The version of the rules, [`RULES_VERSION`].
    pub rules_version: u32,
    /// What was compared.
    pub method: Method,
    /// Words of the letter.
    pub source_words: usize,
    /// Words of the artefact.
    pub artefact_words: usize,
    /// Words of the letter that the artefact lacks.
    pub missing: usize,
    /// Words of the artefact that the letter lacks.
    pub added: usize,
    /// Words of the letter in whose place the artefact has another.
    pub changed: usize,
    /// Values in the message's header that are not the letter's.
    pub header: usize,
    /// The differences, the first [`Proof::DIFFERENCES_MAX`] of them.
    pub differences: Vec<Difference>,
    /// SHA-256 of the letter's normalised words (or bytes), lower-case hex.
    pub source_digest: String,
    /// SHA-256 of the artefact's, lower-case hex.
    pub artefact_digest: String,
}

/// Why an artefact cannot be compared at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The artefact is no message that can be read.
    #[error("the artefact cannot be read as a message: {} findings", .findings.findings().len())]
    Unreadable {
        /// What the parser found.
        findings: Report,
    },
}

impl Proof {
    /// Most differences that are listed; the counts go on.
    pub const DIFFERENCES_MAX: usize = 200;

    /// Whether the artefact says what the letter says: nothing missing, added or changed.
    pub fn is_exact(&self) -> bool {
        self.missing + self.added + self.changed + self.header == 0
            && self.source_digest == self.artefact_digest
    }

    pub(crate) fn note(&mut self, difference: Difference) {
        match difference.kind {
            DifferenceKind::Added => self.added += 1,
            DifferenceKind::Changed => self.changed += 1,
            DifferenceKind::Header => self.header += 1,
            DifferenceKind::Missing => self.missing += 1,
        }
        if self.differences.len() < Self::DIFFERENCES_MAX {
            self.differences.push(difference);
        }
    }

    fn between(method: Method, source: (usize, String), artefact: (usize, String)) -> Self {
        Self {
            rules_version: RULES_VERSION,
            method,
            source_words: source.0,
            artefact_words: artefact.0,
            missing: 0,
            added: 0,
            changed: 0,
            header: 0,
            differences: Vec::new(),
            source_digest: source.1,
            artefact_digest: artefact.1,
        }
    }
}

/// Compares word by word, in order.
///
/// ```
/// use letter_shape::{Words, compare};
/// let proof = compare(&Words::of("take 5 mg daily"), &Words::of("take 50 mg"));
/// assert_eq!((proof.changed, proof.missing), (1, 1));
/// assert!(!proof.is_exact());
/// ```
pub fn compare(source: &Words, artefact: &Words) -> Proof {
    let mut proof = Proof::between(
        Method::Words,
        (source.len(), source.digest()),
        (artefact.len(), artefact.digest()),
    );
    for difference in difference::between(source.as_slice(), artefact.as_slice()) {
        proof.note(difference);
    }
    proof
}

/// Proves a finished message against the letter it was made from: header and document.
///
/// # Errors
///
/// [`ProveError::Unreadable`] when the bytes are no message with a document.
pub fn prove(letter: &Letter, artefact: &[u8]) -> Result<Proof, ProveError> {
    let Parsed {
        message,
        payload,
        findings,
        further_payloads,
        ..
    } = parse(artefact, Mode::Strict);
    let (Some(message), Some(payload), true) = (message, payload, further_payloads.is_empty())
    else {
        return Err(ProveError::Unreadable { findings });
    };
    let html = payload.text().filter(|_| payload.kind == PayloadKind::Html);
    let mut proof = match (&letter.attachment, html) {
        (Some(attachment), _) => compare_bytes(attachment.expose_bytes(), &payload.bytes),
        (None, Some(html)) => compare(&source_words(letter), &Words::of(&visible_text(html))),
        (None, None) => compare(&source_words(letter), &Words::default()),
    };
    for (place, expected, found) in header_pairs(letter, &message.patient) {
        if expected != found {
            proof.note(Difference::header(place, &expected, &found));
        }
    }
    Ok(proof)
}

fn compare_bytes(source: &[u8], artefact: &[u8]) -> Proof {
    let mut proof = Proof::between(Method::Bytes, (0, hex(source)), (0, hex(artefact)));
    if source != artefact {
        let (one, two) = (proof.source_digest.clone(), proof.artefact_digest.clone());
        proof.note(Difference {
            kind: DifferenceKind::Changed,
            at: 0,
            expected: Sensitive::new(one),
            found: Sensitive::new(two),
        });
    }
    proof
}

type Pair = (&'static str, String, String);

/// The values by which a practice's system finds the patient.
fn header_pairs(letter: &Letter, header: &kettering_xml::Patient) -> [Pair; 4] {
    let (source, name) = (letter.patient.name.expose(), header.name.expose());
    let number = header.nhs_number.as_ref().map(nhs_types::NhsNumber::expose);
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let born = (
        letter.patient.birth_date.expose(),
        header.birth_date.expose(),
    );
    [
        (
            "NHS number",
            text(Some(letter.patient.nhs_number.expose())),
            text(number),
        ),
        (
            "family name",
            text(Some(source.family)),
            text(Some(name.family)),
        ),
        ("given name", text(source.given), text(name.given)),
        ("date of birth", born.0.to_string(), born.1.to_string()),
    ]
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_listed_at_their_limit() {
        for count in [Proof::DIFFERENCES_MAX, Proof::DIFFERENCES_MAX + 1] {
            let proof = compare(&Words::of(&"a ".repeat(count)), &Words::default());
            assert_eq!(proof.missing, count);
            assert_eq!(proof.differences.len(), Proof::DIFFERENCES_MAX);
        }
    }

    #[test]
    fn digests_are_those_of_the_words() {
        let proof = compare(&Words::of("a  b"), &Words::of("a\nb"));
        assert!(proof.is_exact());
        assert_eq!(proof.source_digest, hex(b"a b"));
        assert_eq!(
            hex(b""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
