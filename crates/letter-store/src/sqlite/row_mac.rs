//! A keyed digest over each row (rule V1): whoever changes a row outside, by chance or by hand,
//! cannot make the digest that goes with it.

use ring::hmac;
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;

use crate::MasterKey;

/// The tables whose rows carry a digest, with the columns it covers; a content seals itself.
pub(super) const ROWS: &[(&str, &str)] = &[
    ("checkpoint", "size, at, note"),
    (
        "copy",
        "key, letter, number, state, needs_person, practice, message_id, local_id, act_by, record",
    ),
    ("document", "key, latest, letter, content"),
    (
        "letter",
        "key, document, version, state, needs_person, due_at, act_by, taken_at, record",
    ),
    ("letter_ref", "kind, idx, letter, sealed"),
    ("payload", "id, letter, kind"),
    ("seen", "mailbox, message_id, ours, at"),
    (
        "work",
        "stream, kind, due_at, earliest_at, tries, token, lease_until",
    ),
];

/// How much of the digest is kept: 16 bytes.
const KEPT_BYTES: usize = 16;

/// Gives the connection the function `row_mac(table, columns…)`.
pub(super) fn register(db: &Connection, key: &MasterKey) -> rusqlite::Result<()> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.rows().as_slice());
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY;
    db.create_scalar_function("row_mac", -1, flags, move |row| Ok(digest(&key, row)))
}

fn digest(key: &hmac::Key, row: &Context<'_>) -> Vec<u8> {
    let mut mac = hmac::Context::with_key(key);
    for index in 0..row.len() {
        add(&mut mac, row.get_raw(index));
    }
    let tag = mac.sign();
    tag.as_ref().iter().copied().take(KEPT_BYTES).collect()
}

/// Kind, length and content of each value, so that no two rows look the same.
fn add(mac: &mut hmac::Context, value: ValueRef<'_>) {
    let number;
    let (kind, bytes): (u8, &[u8]) = match value {
        ValueRef::Null => (0, &[]),
        ValueRef::Integer(integer) => {
            number = integer.to_be_bytes();
            (1, &number)
        }
        ValueRef::Real(real) => {
            number = real.to_be_bytes();
            (2, &number)
        }
        ValueRef::Text(text) => (3, text),
        ValueRef::Blob(blob) => (4, blob),
    };
    mac.update(&[kind]);
    mac.update(&bytes.len().to_be_bytes());
    mac.update(bytes);
}

#[cfg(test)]
mod tests;
