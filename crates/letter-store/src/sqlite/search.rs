//! Which letters a list shows, found by an index.

use std::collections::BTreeSet;

use audit_core::StreamKey;
use letter_delivery::{RefKind, StoreError};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::lists::{copies_of, read_letter, reference, rows};
use super::seal::Seal;
use crate::search::{self, Ask, Way};
use crate::views::{LetterView, StatusFilter};

pub(super) fn letters(
    db: &Connection,
    seal: &Seal,
    filter: &StatusFilter,
) -> Result<Vec<LetterView>, StoreError> {
    let mut views = Vec::new();
    for key in candidates(db, filter)? {
        let Some(letter) = read_letter(db, key)? else {
            continue;
        };
        let copies = copies_of(db, key)?;
        let Some(copies) = filter.shown(&letter, copies) else {
            continue;
        };
        let document = reference(db, seal, key, RefKind::Document)?;
        views.push(LetterView {
            letter,
            copies,
            document,
        });
        if search::is_full(filter, views.len()) {
            break;
        }
    }
    search::sort(filter, &mut views);
    Ok(views)
}

/// The letters that may be shown, each once.
fn candidates(db: &Connection, filter: &StatusFilter) -> Result<Vec<StreamKey>, StoreError> {
    if let Some(letter) = filter.letter {
        return Ok(vec![letter]);
    }
    let mut ways = search::ways(filter);
    let limit = search::limit(&ways, filter);
    if ways.len() > 1 {
        let found: Result<Vec<usize>, _> = ways
            .iter()
            .map(|way| Ok(keys(db, way, search::PROBED)?.len()))
            .collect();
        ways = vec![search::shortest(ways, &found?)?];
    }
    let mut met = BTreeSet::new();
    let mut all = Vec::new();
    for way in &ways {
        let found = keys(db, way, limit)?.into_iter();
        all.extend(found.filter(|key| met.insert(*key)));
    }
    Ok(all)
}

fn keys(db: &Connection, way: &Way, limit: i64) -> Result<Vec<StreamKey>, StoreError> {
    let mut keys = Vec::new();
    for ask in &way.asks {
        let (sql, values) = question(ask);
        let values = values.into_iter().chain([Value::Integer(limit)]);
        let found: Vec<[u8; 16]> = rows(db, sql, params_from_iter(values), |row| row.get(0))?;
        keys.extend(found.into_iter().map(StreamKey::from_bytes));
    }
    Ok(keys)
}

/// Each begins at an index and stops at its limit, the last parameter.
fn question(ask: &Ask) -> (&'static str, Vec<Value>) {
    let text = |value: &String| vec![Value::Text(value.clone())];
    match ask {
        Ask::Practice(code) => (
            "SELECT letter FROM copy WHERE practice = ?1 LIMIT ?2",
            text(code),
        ),
        Ask::Time(from, before) => (
            "SELECT key FROM letter WHERE taken_at >= ?1 AND taken_at < ?2 \
             ORDER BY taken_at DESC LIMIT ?3",
            vec![Value::Integer(*from), Value::Integer(*before)],
        ),
        Ask::LettersNeed => (
            "SELECT key FROM letter WHERE needs_person = 1 ORDER BY act_by LIMIT ?1",
            Vec::new(),
        ),
        Ask::CopiesNeed => (
            "SELECT letter FROM copy WHERE needs_person = 1 ORDER BY act_by LIMIT ?1",
            Vec::new(),
        ),
        Ask::LettersIn(state) => (
            "SELECT key FROM letter WHERE state = ?1 ORDER BY taken_at DESC LIMIT ?2",
            text(state),
        ),
        Ask::CopiesIn(state) => (
            "SELECT letter FROM copy WHERE state = ?1 LIMIT ?2",
            text(state),
        ),
        Ask::Source(source) => (
            "SELECT key FROM letter WHERE json_extract(record, '$.source') = ?1 \
             ORDER BY taken_at DESC LIMIT ?2",
            text(source),
        ),
        Ask::Class(class) => (
            "SELECT key FROM letter WHERE json_extract(record, '$.class') = ?1 \
             ORDER BY taken_at DESC LIMIT ?2",
            text(class),
        ),
    }
}

#[cfg(test)]
mod tests;
