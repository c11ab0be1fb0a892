//! Keys that name letters, copies, documents and payloads without telling who a patient is.

use std::fmt;

use audit_core::{PseudonymKey, StreamKey, SubjectKey};
use nhs_types::{NhsNumber, OdsCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::actor::Actor;

/// The keys of one trust that turn identifiers into pseudonyms (audit-and-delivery facts 8.1).
///
/// ```
/// use audit_core::PseudonymKey;
/// use letter_delivery::TrustKeys;
/// use nhs_types::{NhsNumber, OdsCode};
///
/// let key = |byte| PseudonymKey::new([byte; 32]); // secrets, in earnest
/// let keys = TrustKeys::new(OdsCode::parse("RZZ")?, key(0xA1), key(0xB2), key(0xC3));
///
/// let first = keys.letter("epr", "DOC-0001842", 1);
/// assert_ne!(first, keys.letter("epr", "DOC-0001842", 2), "each version has its stream");
/// assert_ne!(keys.copy(first, 1), keys.copy(first, 2), "and so has each copy");
///
/// let patient = keys.patient(&NhsNumber::parse("9999999484")?);
/// assert_eq!(patient.to_string(), "124abc07e1c68e7f53e0682bdee81b67");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TrustKeys {
    trust: OdsCode,
    streams: PseudonymKey,
    patients: PseudonymKey,
    index: PseudonymKey,
}

impl TrustKeys {
    /// Takes the three keys of a trust: for streams, for patients, and for indexes.
    pub const fn new(
        trust: OdsCode,
        streams: PseudonymKey,
        patients: PseudonymKey,
        index: PseudonymKey,
    ) -> Self {
        Self {
            trust,
            streams,
            patients,
            index,
        }
    }

    /// The trust.
    pub const fn trust(&self) -> &OdsCode {
        &self.trust
    }

    /// The stream of one version of a document.
    ///
    /// The source is part of it: two systems may use the same numbers.
    pub fn letter(&self, source: &str, document: &str, version: u32) -> StreamKey {
        let (source, document) = (&plain(source), &plain(document));
        let version = version.to_string();
        self.streams
            .stream_key(&["letter", self.trust.as_str(), source, document, &version])
    }

    /// The stream of one copy.
    pub fn copy(&self, letter: StreamKey, number: u32) -> StreamKey {
        let number = number.to_string();
        self.streams
            .stream_key(&["copy", self.trust.as_str(), &letter.to_string(), &number])
    }

    /// The stream of a message that another organisation sent to the trust.
    pub fn inbound(&self, mailbox: &str, message_id: &str) -> StreamKey {
        let (mailbox, message_id) = (&plain(mailbox), &plain(message_id));
        self.streams
            .stream_key(&["inbound", self.trust.as_str(), mailbox, message_id])
    }

    /// The patient's pseudonym.
    pub fn patient(&self, number: &NhsNumber) -> SubjectKey {
        self.patients.subject_key(&["patient", number.expose()])
    }

    /// A person, by the account they were authenticated with, such as `unix:1001`.
    pub fn account(&self, account: &str) -> Actor {
        let account = plain(account);
        let parts = ["user", self.trust.as_str(), &account];
        Actor::user(self.streams.stream_key(&parts))
    }

    /// The key of a document over all its versions.
    pub fn document(&self, source: &str, document: &str) -> DocumentKey {
        DocumentKey(
            self.index
                .index(&["document", self.trust.as_str(), source, document]),
        )
    }

    /// The key under which a reference is found again, such as a document number.
    pub fn reference(&self, kind: RefKind, value: &str) -> [u8; 32] {
        self.index.index(&["ref", kind.as_str(), value])
    }

    /// The key under which the answer to a hand-over is kept: what its source calls it.
    pub fn hand_over(&self, source: &str, name: &str) -> [u8; 32] {
        self.index
            .index(&["hand-over", self.trust.as_str(), source, name])
    }

    /// The fingerprint of what was read, so that the same content is known again.
    pub fn content(&self, digest: &[u8; 32]) -> [u8; 32] {
        self.index.index(&["content", &lower_hex(digest)])
    }

    /// The fingerprint of the same content where it is no signed letter: a draft, a cancellation.
    pub(crate) fn content_as(&self, what: &str, digest: &[u8; 32]) -> [u8; 32] {
        self.index.index(&["content", what, &lower_hex(digest)])
    }
}

fn lower_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The separator of a pseudonym's parts has no place inside a part.
fn plain(part: &str) -> String {
    part.replace('\u{1F}', "\u{241F}")
}

/// What a sealed reference of a letter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RefKind {
    /// The document's number in its source.
    Document,
    /// The patient's NHS number.
    NhsNumber,
}

impl RefKind {
    /// The name it is stored under.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::NhsNumber => "nhs-number",
        }
    }
}

/// Names a document over all its versions; an HMAC of its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DocumentKey(pub(crate) [u8; 32]);

impl DocumentKey {
    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Names a sealed payload; random, so that it says nothing of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PayloadId(pub(crate) [u8; 16]);

impl PayloadId {
    /// Takes 16 random bytes.
    pub const fn from_random(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// The local id of an attempt series: what MESH is asked by when an answer was lost.
///
/// `L` and 20 upper-case hex digits of SHA-256(stream key of the letter ‖ copy ‖ series), the
/// numbers as big-endian u32 (design section 5, rule 2). It is the same for every attempt of a
/// series, and says nothing of the patient.
///
/// ```
/// use audit_core::StreamKey;
/// use letter_delivery::LocalId;
/// let id = LocalId::of(StreamKey::from_bytes([0xEC; 16]), 1, 1);
/// assert_eq!(id.as_str().len(), 21);
/// assert_ne!(id, LocalId::of(StreamKey::from_bytes([0xEC; 16]), 1, 2));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LocalId(String);

impl LocalId {
    /// The id of a copy's series.
    pub fn of(letter: StreamKey, copy: u32, series: u32) -> Self {
        let mut hash = Sha256::new();
        hash.update(letter.as_bytes());
        hash.update(copy.to_be_bytes());
        hash.update(series.to_be_bytes());
        let hex: String = hash
            .finalize()
            .iter()
            .take(10)
            .map(|b| format!("{b:02X}"))
            .collect();
        Self(format!("L{hex}"))
    }

    /// Reads an id of this form; anything else is not one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('L')?;
        let hex = |c: char| c.is_ascii_digit() || ('A'..='F').contains(&c);
        (digits.len() == 20 && digits.chars().all(hex)).then(|| Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LocalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(crate) mod stream_hex {
    use super::StreamKey;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(key: &StreamKey, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&key.to_string())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<StreamKey, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        StreamKey::parse(&text).map_err(serde::de::Error::custom)
    }
}

pub(crate) mod subject_hex {
    use super::SubjectKey;
    use serde::{Deserialize, Deserializer, Serialize as _, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        key: &Option<SubjectKey>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        key.map(|key| key.to_string()).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<SubjectKey>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| SubjectKey::parse(&text).map_err(serde::de::Error::custom))
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> TrustKeys {
        let key = |byte| PseudonymKey::new([byte; 32]);
        TrustKeys::new(
            OdsCode::parse("RZZ").unwrap(),
            key(0xA1),
            key(0xB2),
            key(0xC3),
        )
    }

    #[test]
    fn audit_8_1_patient_pseudonym_of_the_worked_ledger() {
        // The facts' own number is ten nines with a tail that passes modulus 11.
        let number = NhsNumber::parse("9999999484").unwrap();
        assert_eq!(
            keys().patient(&number).to_string(),
            "124abc07e1c68e7f53e0682bdee81b67"
        );
    }

    #[test]
    fn every_part_of_an_identity_changes_the_key() {
        let keys = keys();
        let base = keys.letter("epr", "D-1", 1);
        assert_ne!(base, keys.letter("epr", "D-1", 2));
        assert_ne!(base, keys.letter("epr", "D-2", 1));
        assert_ne!(base, keys.letter("lab", "D-1", 1));
        assert_ne!(keys.copy(base, 1), keys.copy(base, 2));
        assert_ne!(keys.document("epr", "D-1"), keys.document("lab", "D-1"));
    }

    #[test]
    fn design_5_rule_2_local_id_has_its_shape() {
        let id = LocalId::of(StreamKey::from_bytes([7; 16]), 1, 1);
        assert!(id.as_str().starts_with('L'));
        assert!(
            id.as_str()
                .chars()
                .skip(1)
                .all(|c| c.is_ascii_digit() || ('A'..='F').contains(&c))
        );
    }
}
