//! Signed checkpoints in a file outside the store, which a rolled-back store cannot match.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use audit_core::Checkpoint;
use letter_delivery::StoreError;

/// How much of the file's end is read to find its latest note.
const TAIL_BYTES: u64 = 65_536;

/// What stands between a note that was cut short and the next one, so that both are known.
const CUT_SHORT: &str = "\n(cut short)\n\n";

/// Adds a note to the file, unless it is the latest there.
pub(crate) fn append(file: &Path, note: &str) -> Result<(), StoreError> {
    let write = || -> std::io::Result<()> {
        let before = read_tail(file, TAIL_BYTES)?;
        if notes(&before).last().is_some_and(|last| last == note) {
            return Ok(());
        }
        let mut open = File::options().create(true).append(true).open(file)?;
        if !before.is_empty() && !before.ends_with("\n\n") {
            open.write_all(CUT_SHORT.as_bytes())?;
        }
        open.write_all(format!("{note}\n").as_bytes())?;
        open.sync_all()?;
        sync_folder(file, before.is_empty())
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
pub(crate) fn read(file: &Path) -> Result<Vec<String>, StoreError> {
    let text = read_tail(file, u64::MAX).map_err(|error| outside_error(&error))?;
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

/// The note over most events among the file's latest, with how many those are.
pub(crate) fn latest(file: &Path) -> Result<Option<(u64, String)>, StoreError> {
    let tail = read_tail(file, TAIL_BYTES).map_err(|error| outside_error(&error))?;
    let signed = notes(&tail).into_iter();
    let signed = signed.filter_map(|note| Some((size_of(note.split("\n\n").next()?)?, note)));
    Ok(signed.max())
}

/// Refuses what a signer must never sign: fewer events than the file has for the same ledger, or
/// another root over as many (audit-and-delivery facts 5.4).
pub(crate) fn require_follows(file: &Path, next: &Checkpoint) -> Result<(), StoreError> {
    let Some((_, note)) = latest(file)? else {
        return Ok(());
    };
    let body = note.split_once("\n\n").map(|(body, _)| format!("{body}\n"));
    let Some(Ok(before)) = body.map(|body| Checkpoint::parse(&body)) else {
        return Ok(());
    };
    if before.origin != next.origin {
        return Ok(());
    }
    next.follows(&before).map_err(|error| {
        StoreError::Corrupt(format!(
            "not signed, because more was signed before: {error}"
        ))
    })
}

#[cfg(test)]
mod tests;
