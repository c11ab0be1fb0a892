//! Signed checkpoints: in the store, and in a file beside it that a rolled-back store cannot match.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
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
        "INSERT INTO checkpoint (size, at, note, mac) \
         VALUES (?1, ?2, ?3, row_mac('checkpoint', ?1, ?2, ?3))",
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

/// How much of the file's end is read to find its latest note.
const TAIL_BYTES: u64 = 65_536;

/// What stands between a note that was cut short and the next one, so that both are known.
const CUT_SHORT: &str = "\n(cut short)\n\n";

/// Adds a note to the file, unless it is the latest there.
pub(super) fn append_outside(path: &Path, note: &str) -> Result<(), StoreError> {
    let outside = outside(path);
    let write = || -> std::io::Result<()> {
        let before = read_tail(&outside, TAIL_BYTES)?;
        if notes(&before).last().is_some_and(|last| last == note) {
            return Ok(());
        }
        let mut file = File::options().create(true).append(true).open(&outside)?;
        if !before.is_empty() && !before.ends_with("\n\n") {
            file.write_all(CUT_SHORT.as_bytes())?;
        }
        file.write_all(format!("{note}\n").as_bytes())?;
        file.sync_all()?;
        sync_folder(&outside, before.is_empty())
    };
    write().map_err(|error| outside_error(&error))
}

/// A new file's name must be durable too; where a folder cannot be opened it is so by itself.
fn sync_folder(file: &Path, is_new: bool) -> std::io::Result<()> {
    let folder = file.parent().filter(|_| is_new);
    match folder.map(File::open) {
        Some(Ok(folder)) => folder.sync_all(),
        _ => Ok(()),
    }
}

/// Every whole note of the file, in the order of their writing.
pub(super) fn notes_outside(path: &Path) -> Result<Vec<String>, StoreError> {
    let text = read_tail(&outside(path), u64::MAX).map_err(|error| outside_error(&error))?;
    Ok(notes(&text))
}

fn outside_error(error: &std::io::Error) -> StoreError {
    StoreError::Unavailable(format!("the checkpoint file: {error}"))
}

/// The end of a file; nothing when there is none.
fn read_tail(path: &Path, bytes: u64) -> std::io::Result<String> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(String::new()),
        other => other?,
    };
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(bytes)))?;
    let mut read = Vec::new();
    file.read_to_end(&mut read)?;
    Ok(String::from_utf8_lossy(&read).into_owned())
}

/// The notes in a piece of the file; what is torn at either end or between is passed over.
fn notes(text: &str) -> Vec<String> {
    let mut blocks: Vec<&str> = text.split("\n\n").collect();
    // What follows the last empty line was not finished.
    blocks.pop();
    let pairs = blocks.iter().zip(blocks.iter().skip(1));
    pairs
        .filter(|(body, signatures)| {
            size_of(body).is_some() && signatures.lines().all(|line| line.starts_with('—'))
        })
        .map(|(body, signatures)| format!("{body}\n\n{signatures}\n"))
        .collect()
}

/// The size in the three lines of a checkpoint's body.
fn size_of(body: &str) -> Option<u64> {
    let lines: Vec<&str> = body.lines().collect();
    match lines[..] {
        [_, size, _] => size.parse().ok(),
        _ => None,
    }
}

/// Refuses a store that is older than what it once signed, or signed otherwise.
pub(super) async fn refuse_rollback(path: &Path, reader: &Reader) -> Result<(), OpenError> {
    let unavailable = |error: &dyn std::fmt::Display| OpenError::Unavailable {
        path: path.to_owned(),
        cause: error.to_string(),
    };
    let tail = read_tail(&outside(path), TAIL_BYTES).map_err(|error| unavailable(&error))?;
    let signed = notes(&tail).into_iter();
    let signed = signed.filter_map(|note| Some((size_of(note.split("\n\n").next()?)?, note)));
    let Some((signed, note)) = signed.max() else {
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

#[cfg(test)]
mod tests;
