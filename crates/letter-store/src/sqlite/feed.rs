//! The ledger as feeds read it, and messages that others send to the trust.

use audit_core::{Event, StreamKey};
use letter_delivery::{InboundRecord, LedgerEntry, LedgerPage, RefKind, StoreError};
use rusqlite::{Connection, params};

use super::commit::{read_tree, unsigned};
use super::lists::{read_copy, read_letter, reference, rows};
use super::seal::Seal;
use crate::views::parse;

/// A stretch of the ledger, with what is known of the letters in it.
pub(super) fn entries(
    db: &Connection,
    seal: &Seal,
    from: u64,
    limit: usize,
) -> Result<LedgerPage, StoreError> {
    let sql = "SELECT seq, bytes FROM event WHERE seq >= ?1 ORDER BY seq LIMIT ?2";
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found: Vec<(i64, Vec<u8>)> = rows(db, sql, params![signed(from), limit], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    let (mut next, mut entries) = (from, Vec::new());
    for (seq, bytes) in found {
        next = unsigned(seq)?.saturating_add(1);
        let event = Event::parse(&bytes)
            .map_err(|error| StoreError::Corrupt(format!("an event cannot be read: {error}")))?;
        entries.extend(entry(db, seal, event)?);
    }
    let end = read_tree(db)?.size();
    Ok(LedgerPage::new(entries, next, end))
}

/// An event with its letter; nothing for what is about no letter.
fn entry(db: &Connection, seal: &Seal, event: Event) -> Result<Option<LedgerEntry>, StoreError> {
    let stream = event.body.stream;
    let copy = match event.body.copy {
        Some(_) => read_copy(db, stream)?,
        None => None,
    };
    let key = copy.as_ref().map_or(stream, |copy| copy.letter);
    let Some(letter) = read_letter(db, key)? else {
        return Ok(None);
    };
    let before = state_before(db, &event)?;
    let document = reference(db, seal, key, RefKind::Document)?;
    Ok(Some(LedgerEntry::new(
        event, before, letter, copy, document,
    )))
}

fn state_before(db: &Connection, event: &Event) -> Result<Option<String>, StoreError> {
    let Some(lseq) = event.body.lseq.checked_sub(1) else {
        return Ok(None);
    };
    let sql = "SELECT bytes FROM event WHERE stream = ?1 AND lseq = ?2";
    let lseq = i64::try_from(lseq).unwrap_or(i64::MAX);
    let values = params![event.body.stream.as_bytes(), lseq];
    let found: Vec<Vec<u8>> = rows(db, sql, values, |row| row.get(0))?;
    let before = found.first().map(|bytes| Event::parse(bytes)).transpose();
    let before = before.map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(before.map(|event| event.body.state))
}

pub(super) fn cursor(db: &Connection, feed: &str) -> Result<Option<u64>, StoreError> {
    let sql = "SELECT next FROM feed WHERE name = ?1";
    let found: Vec<i64> = rows(db, sql, [feed], |row| row.get(0))?;
    found.first().map(|next| unsigned(*next)).transpose()
}

pub(super) fn inbound(
    db: &Connection,
    key: StreamKey,
) -> Result<Option<InboundRecord>, StoreError> {
    let sql = "SELECT record FROM inbound WHERE key = ?1";
    let found: Vec<String> = rows(db, sql, [key.as_bytes()], |row| row.get(0))?;
    found.first().map(|record| parse(record)).transpose()
}

/// `RECEIVED` comes before `HELD` when the alphabet is read backwards.
pub(super) fn inbound_open(
    db: &Connection,
    limit: usize,
) -> Result<Vec<InboundRecord>, StoreError> {
    let sql = "SELECT record FROM inbound WHERE state <> 'HANDED_OVER' \
         ORDER BY state DESC, next_at, key LIMIT ?1";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found: Vec<String> = rows(db, sql, [limit], |row| row.get(0))?;
    found.iter().map(|record| parse(record)).collect()
}
