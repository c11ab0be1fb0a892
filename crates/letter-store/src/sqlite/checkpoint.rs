//! Signed checkpoints: in the store, and in a file beside it that a rolled-back store cannot match.

use std::path::{Path, PathBuf};

use audit_core::{Checkpoint, Origin, Signer};
use chrono::{DateTime, Utc};
use letter_delivery::StoreError;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::commit::{execute, millis, read_tree, unsigned};
use super::schema::store_error;
use super::worker::Reader;
use super::{OpenError, Tree};
use crate::notes;

pub(super) fn tree(db: &Connection) -> Result<Tree, StoreError> {
    let range = read_tree(db)?;
    let signed: Option<i64> = db
        .query_row("SELECT max(size) FROM checkpoint", [], |row| row.get(0))
        .map_err(|error| store_error(&error))?;
    let signed_size = signed.map(unsigned).transpose()?;
    Ok(Tree {
        size: range.size(),
        root: range.root(),
        signed_size,
    })
}

/// What is to be signed; nothing when all is.
pub(super) fn to_sign(
    db: &Connection,
    origin: Origin,
    path: &Path,
) -> Result<Option<Checkpoint>, StoreError> {
    let tree = tree(db)?;
    if tree.size == 0 || tree.signed_size == Some(tree.size) {
        return Ok(None);
    }
    let next = Checkpoint {
        origin,
        size: tree.size,
        root: tree.root,
    };
    notes::require_follows(&outside(path), &next)?;
    Ok(Some(next))
}

pub(super) fn sign(
    db: &Connection,
    signer: &Signer,
    now: DateTime<Utc>,
    path: &Path,
) -> Result<Option<String>, StoreError> {
    let origin =
        Origin::parse(signer.name()).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let Some(next) = to_sign(db, origin, path)? else {
        return Ok(None);
    };
    let note = signer.sign(&next).to_text();
    keep(db, next.size, &note, now)?;
    Ok(Some(note))
}

/// Keeps a note; one over as many events that is there already stays.
pub(super) fn keep(
    db: &Connection,
    size: u64,
    note: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    execute(
        db,
        "INSERT OR IGNORE INTO checkpoint (size, at, note, mac) \
         VALUES (?1, ?2, ?3, row_mac('checkpoint', ?1, ?2, ?3))",
        params![size, millis(now), note],
    )
    .map(drop)
}

pub(super) fn latest(db: &Connection) -> Result<Option<String>, StoreError> {
    db.query_row(
        "SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1",
        [],
        |row| row.get(0),
    )
    .optional()
    .map_err(|error| store_error(&error))
}

/// The file beside the store: every signed note, one after the other.
pub(super) fn outside(path: &Path) -> PathBuf {
    path.with_extension("checkpoints.txt")
}

/// Refuses a store that is older than what it once signed, or signed otherwise.
pub(super) async fn refuse_rollback(path: &Path, reader: &Reader) -> Result<(), OpenError> {
    let unavailable = |error: &dyn std::fmt::Display| OpenError::Unavailable {
        path: path.to_owned(),
        cause: error.to_string(),
    };
    let latest = notes::latest(&outside(path)).map_err(|error| unavailable(&error))?;
    let Some((signed, note)) = latest else {
        return Ok(());
    };
    let (size, known) = reader
        .run(move |db, _| Ok((tree(db)?.size, note_at(db, signed)?)))
        .await
        .map_err(|error| unavailable(&error))?;
    if size < signed || known != Some(note) {
        return Err(OpenError::RolledBack {
            path: path.to_owned(),
            size,
            signed,
        });
    }
    Ok(())
}

/// Refuses to go on beside a store that was taken into service in the place of this one.
pub(super) fn require_latest(
    db: &Connection,
    outside: Option<(u64, String)>,
) -> Result<(), StoreError> {
    match outside {
        Some((size, note)) if note_at(db, size)?.as_ref() != Some(&note) => {
            Err(StoreError::TakenOver)
        }
        _ => Ok(()),
    }
}

fn note_at(db: &Connection, size: u64) -> Result<Option<String>, StoreError> {
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    db.query_row(
        "SELECT note FROM checkpoint WHERE size = ?1",
        [size],
        |row| row.get(0),
    )
    .optional()
    .map_err(|error| store_error(&error))
}
