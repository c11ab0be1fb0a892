//! A keyed digest over each row (rule V1): whoever changes a row outside, by chance or by hand,
//! cannot make the digest that goes with it.

use ring::hmac;

use crate::MasterKey;

/// The tables whose rows carry a digest, with the columns it covers; a content seals itself.
pub(crate) const ROWS: &[(&str, &str)] = &[
    ("answer", "key, content, status, body, at"),
    ("checkpoint", "size, at, note"),
    (
        "copy",
        "key, letter, number, state, needs_person, practice, message_id, local_id, act_by, record",
    ),
    ("document", "key, latest, letter, content"),
    ("erasure", "letter, at, done"),
    ("feed", "name, next"),
    ("inbound", "key, state, next_at, record"),
    (
        "letter",
        "key, document, version, state, needs_person, due_at, act_by, taken_at, record",
    ),
    ("letter_ref", "kind, idx, letter, sealed"),
    ("pace", "lane, line, claimed_at"),
    ("parked", "stream, until"),
    ("payload", "id, letter, kind"),
    ("seen", "mailbox, message_id, ours, at"),
    ("stop", "id, stands, record"),
    (
        "work",
        "stream, kind, due_at, earliest_at, tries, token, lease_until",
    ),
];

/// How much of the digest is kept: 16 bytes.
const KEPT_BYTES: usize = 16;

/// The key of the digests.
#[derive(Clone)]
pub(crate) struct RowKey(hmac::Key);

/// A digest in the making: the table's name as text, then each column's value.
pub(crate) struct RowMac(hmac::Context);

impl RowKey {
    pub(crate) fn new(key: &MasterKey) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.rows().as_slice()))
    }

    pub(crate) fn begin(&self) -> RowMac {
        RowMac(hmac::Context::with_key(&self.0))
    }
}

/// Kind, length and content of each value, so that no two rows look the same.
impl RowMac {
    pub(crate) fn null(&mut self) {
        self.add(0, &[]);
    }

    pub(crate) fn integer(&mut self, integer: i64) {
        self.add(1, &integer.to_be_bytes());
    }

    pub(crate) fn text(&mut self, text: &[u8]) {
        self.add(3, text);
    }

    pub(crate) fn blob(&mut self, blob: &[u8]) {
        self.add(4, blob);
    }

    pub(crate) fn add(&mut self, kind: u8, bytes: &[u8]) {
        self.0.update(&[kind]);
        self.0.update(&bytes.len().to_be_bytes());
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        let tag = self.0.sign();
        tag.as_ref().iter().copied().take(KEPT_BYTES).collect()
    }
}
