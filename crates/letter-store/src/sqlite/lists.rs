//! What the engine and the screens read.

use audit_core::StreamKey;
use letter_delivery::{
    CopyRecord, DocumentKey, DocumentView, HandOverAnswer, LetterDetails, LetterRecord, LocalId,
    PayloadId, RefKind, StoreError,
};
use nhs_types::Sensitive;
use rusqlite::{Connection, OptionalExtension as _, Params, params};

use super::schema::store_error;
use super::seal::Seal;
use crate::views::parse;

pub(super) const COPIES_OF: &str = "SELECT record FROM copy WHERE letter = ?1 ORDER BY number";
pub(super) const REFERENCE: &str = "SELECT sealed FROM letter_ref WHERE letter = ?1 AND kind = ?2";
pub(super) const FIND: &str = "SELECT letter FROM letter_ref WHERE kind = ?1 AND idx = ?2";
pub(super) const HISTORY: &str = "SELECT bytes FROM event WHERE stream = ?1 ORDER BY lseq";

pub(super) fn rows<T>(
    db: &Connection,
    sql: &str,
    values: impl Params,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    db.prepare_cached(sql)
        .and_then(|mut statement| statement.query_map(values, read)?.collect())
        .map_err(|error| store_error(&error))
}

pub(super) fn read_letter(
    db: &Connection,
    key: StreamKey,
) -> Result<Option<LetterRecord>, StoreError> {
    let sql = "SELECT record FROM letter WHERE key = ?1";
    let found: Vec<String> = rows(db, sql, [key.as_bytes()], |row| row.get(0))?;
    found.first().map(|record| parse(record)).transpose()
}

pub(super) fn read_copy(db: &Connection, key: StreamKey) -> Result<Option<CopyRecord>, StoreError> {
    let sql = "SELECT record FROM copy WHERE key = ?1";
    let found: Vec<String> = rows(db, sql, [key.as_bytes()], |row| row.get(0))?;
    found.first().map(|record| parse(record)).transpose()
}

pub(super) fn copies_of(db: &Connection, letter: StreamKey) -> Result<Vec<CopyRecord>, StoreError> {
    let found: Vec<String> = rows(db, COPIES_OF, [letter.as_bytes()], |row| row.get(0))?;
    found.iter().map(|record| parse(record)).collect()
}

pub(super) fn document(
    db: &Connection,
    key: DocumentKey,
) -> Result<Option<DocumentView>, StoreError> {
    let found: Option<(u32, [u8; 16], [u8; 32])> = db
        .prepare_cached("SELECT latest, letter, content FROM document WHERE key = ?1")
        .and_then(|mut statement| {
            statement
                .query_row([key.as_bytes()], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })
                .optional()
        })
        .map_err(|error| store_error(&error))?;
    let Some((latest, stream, content)) = found else {
        return Ok(None);
    };
    let stream = StreamKey::from_bytes(stream);
    let letter = read_letter(db, stream)?
        .ok_or_else(|| StoreError::Corrupt("a document without its letter".to_owned()))?;
    Ok(Some(DocumentView::new(
        latest,
        content,
        letter,
        copies_of(db, stream)?,
    )))
}

/// A message id is surer than a local id, which several messages may share.
pub(super) fn copy_by_message(
    db: &Connection,
    message_id: Option<&str>,
    local_id: Option<&LocalId>,
) -> Result<Option<CopyRecord>, StoreError> {
    let by_message = "SELECT record FROM copy WHERE message_id = ?1";
    let by_local = "SELECT record FROM copy WHERE local_id = ?1";
    let values = [
        (by_message, message_id),
        (by_local, local_id.map(LocalId::as_str)),
    ];
    for (sql, value) in values {
        let Some(value) = value else { continue };
        let found: Vec<String> = rows(db, sql, [value], |row| row.get(0))?;
        if let Some(record) = found.first() {
            return parse(record).map(Some);
        }
    }
    Ok(None)
}

pub(super) fn payload(
    db: &Connection,
    seal: &Seal,
    letter: StreamKey,
    id: PayloadId,
) -> Result<Vec<u8>, StoreError> {
    let sealed: Option<Vec<u8>> = db
        .prepare_cached("SELECT sealed FROM payload WHERE id = ?1")
        .and_then(|mut statement| {
            statement
                .query_row([id.as_bytes()], |row| row.get(0))
                .optional()
        })
        .map_err(|error| store_error(&error))?;
    let sealed = sealed.ok_or_else(|| StoreError::Corrupt("a content is missing".to_owned()))?;
    let plain = seal.open_sealed(letter, &sealed, id.as_bytes())?;
    let content = plain.get(16..).unwrap_or_default();
    Ok(content.to_vec())
}

pub(super) fn reference(
    db: &Connection,
    seal: &Seal,
    letter: StreamKey,
    kind: RefKind,
) -> Result<Option<Sensitive<String>>, StoreError> {
    let values = params![letter.as_bytes(), kind.as_str()];
    let found: Vec<Vec<u8>> = rows(db, REFERENCE, values, |row| row.get(0))?;
    let Some(sealed) = found.first() else {
        return Ok(None);
    };
    if seal.is_erased(letter)? {
        return Ok(None);
    }
    let plain = seal.open_sealed(letter, sealed, kind.as_str().as_bytes())?;
    Ok(String::from_utf8(plain.to_vec()).ok().map(Sensitive::new))
}

pub(super) fn find(
    db: &Connection,
    kind: RefKind,
    index: [u8; 32],
) -> Result<Vec<StreamKey>, StoreError> {
    rows(db, FIND, params![kind.as_str(), index], |row| {
        row.get(0).map(StreamKey::from_bytes)
    })
}

pub(super) fn history(db: &Connection, stream: StreamKey) -> Result<Vec<Vec<u8>>, StoreError> {
    rows(db, HISTORY, [stream.as_bytes()], |row| row.get(0))
}

/// A letter with its copies, as its source may ask for it.
pub(super) fn details(
    db: &Connection,
    seal: &Seal,
    key: StreamKey,
) -> Result<Option<LetterDetails>, StoreError> {
    let Some(letter) = read_letter(db, key)? else {
        return Ok(None);
    };
    let document = reference(db, seal, key, RefKind::Document)?;
    Ok(Some(LetterDetails::new(
        letter,
        copies_of(db, key)?,
        document,
    )))
}

pub(super) fn answer(db: &Connection, key: [u8; 32]) -> Result<Option<HandOverAnswer>, StoreError> {
    let sql = "SELECT content, status, body, at FROM answer WHERE key = ?1";
    let found: Vec<([u8; 32], u16, String, i64)> = rows(db, sql, [key], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    })?;
    let Some((content, status, body, at)) = found.into_iter().next() else {
        return Ok(None);
    };
    let at = chrono::DateTime::from_timestamp_millis(at)
        .ok_or_else(|| StoreError::Corrupt("a time out of range".to_owned()))?;
    Ok(Some(HandOverAnswer::new(key, content, status, body, at)))
}

pub(super) fn seen(
    db: &Connection,
    mailbox: &str,
    message_ids: &[String],
) -> Result<Vec<Option<bool>>, StoreError> {
    let sql = "SELECT ours FROM seen WHERE mailbox = ?1 AND message_id = ?2";
    message_ids
        .iter()
        .map(|id| {
            db.prepare_cached(sql)
                .and_then(|mut statement| {
                    statement
                        .query_row(params![mailbox, id], |row| row.get(0))
                        .optional()
                })
                .map_err(|error| store_error(&error))
        })
        .collect()
}
