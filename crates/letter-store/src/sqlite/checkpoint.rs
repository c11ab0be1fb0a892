//! Signed checkpoints: in the store, and in a file beside it that a rolled-back store cannot match.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use audit_core::{Checkpoint, Origin, Signer};
use chrono::{DateTime, Utc};
use letter_delivery::StoreError;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::commit::{execute, millis, read_tree, unsigned};
use super::schema::store_error;
use super::worker::Reader;
use super::{OpenError, Tree};

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

pub(super) fn sign(
    db: &Connection,
    signer: &Signer,
    now: DateTime<Utc>,
) -> Result<Option<String>, StoreError> {
    let tree = tree(db)?;
    if tree.size == 0 || tree.signed_size == Some(tree.size) {
        return Ok(None);
    }
    let origin =
        Origin::parse(signer.name()).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let note = signer
        .sign(&Checkpoint {
            origin,
            size: tree.size,
            root: tree.root,
        })
        .to_text();
    let size = i64::try_from(tree.size).unwrap_or(i64::MAX);
    execute(
        db,
        "INSERT INTO checkpoint (size, at, note) VALUES (?1, ?2, ?3)",
        params![size, millis(now), note],
    )?;
    Ok(Some(note))
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
fn outside(path: &Path) -> PathBuf {
    path.with_extension("checkpoints.txt")
}

pub(super) fn append_outside(path: &Path, note: &str) -> Result<(), StoreError> {
    let write = || -> std::io::Result<()> {
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(outside(path))?;
        file.write_all(note.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()
    };
    write().map_err(|error| StoreError::Unavailable(format!("the checkpoint file: {error}")))
}

/// The latest note outside that is whole; a torn tail is passed over.
fn latest_outside(path: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(outside(path))
        .ok()?
        .read_to_string(&mut text)
        .ok()?;
    let whole: Vec<&str> = text.split("\n\n").collect();
    let pairs: Vec<&[&str]> = whole.chunks_exact(2).collect();
    let last = pairs.last()?;
    Some(format!("{}\n", last.join("\n\n")))
}

/// Refuses a store that is older than what it once signed, or signed otherwise.
pub(super) async fn refuse_rollback(path: &Path, reader: &Reader) -> Result<(), OpenError> {
    let Some(note) = latest_outside(path) else {
        return Ok(());
    };
    let Some(signed) = note
        .lines()
        .nth(1)
        .and_then(|size| size.parse::<u64>().ok())
    else {
        return Ok(());
    };
    let unavailable = |error: &StoreError| OpenError::Unavailable {
        path: path.to_owned(),
        cause: error.to_string(),
    };
    let (size, known) = reader
        .run(move |db, _| Ok((tree(db)?.size, note_at(db, signed)?)))
        .await
        .map_err(|error| unavailable(&error))?;
    if size < signed || known.is_none_or(|known| known.trim_end() != note.trim_end()) {
        return Err(OpenError::RolledBack {
            path: path.to_owned(),
            size,
            signed,
        });
    }
    Ok(())
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
