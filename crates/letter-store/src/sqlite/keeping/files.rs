//! Files that are durable, or are not there.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};
use rusqlite::backup::{Backup as Copying, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::KeepError;

/// How often and how long a copy waits for a writer that holds the whole file.
const WAITS_MAX: u32 = 1000;
const WAIT: std::time::Duration = std::time::Duration::from_millis(10);

/// Copies a database as it is at one moment, whoever works on it; others go on meanwhile.
pub(super) fn copy_database(from: &Path, to: &Path) -> Result<(), KeepError> {
    let failed = |error: rusqlite::Error| KeepError::unavailable(to, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(from, flags)
        .map_err(|error| KeepError::unavailable(from, &error))?;
    let mut copy = Connection::open(to).map_err(failed)?;
    let copying = Copying::new(&source, &mut copy).map_err(failed)?;
    let mut waits = 0;
    // All pages in one step: a writer between two steps would begin the copy anew.
    while copying.step(-1).map_err(failed)? != StepResult::Done {
        waits += 1;
        if waits > WAITS_MAX {
            return Err(KeepError::unavailable(
                from,
                &"it is locked by another process",
            ));
        }
        std::thread::sleep(WAIT);
    }
    drop(copying);
    settle(&copy, to)
}

/// One file by itself, that needs no log beside it and can lie on a medium that is read only.
pub(super) fn settle(db: &Connection, path: &Path) -> Result<(), KeepError> {
    db.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))
        .map_err(|error| KeepError::unavailable(path, &error))
}

/// Makes a file's bytes and name durable, and its folder's.
pub(super) fn sync(path: &Path) -> Result<(), KeepError> {
    let failed = |error: io::Error| KeepError::unavailable(path, &error);
    File::options()
        .write(true)
        .open(path)
        .and_then(|file| file.sync_all())
        .map_err(failed)?;
    sync_folder(path.parent().unwrap_or(path))
}

/// Makes names in a folder durable; where a folder cannot be opened they are so by themselves.
pub(super) fn sync_folder(folder: &Path) -> Result<(), KeepError> {
    match File::open(folder) {
        Ok(open) if cfg!(unix) => open
            .sync_all()
            .map_err(|error| KeepError::unavailable(folder, &error)),
        _ => Ok(()),
    }
}

/// Writes a new file that is durable when this returns.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), KeepError> {
    fs::write(path, bytes).map_err(|error| KeepError::unavailable(path, &error))?;
    sync(path)
}

pub(super) fn make_folder(path: &Path) -> Result<(), KeepError> {
    fs::create_dir_all(path).map_err(|error| KeepError::unavailable(path, &error))
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<(), KeepError> {
    fs::rename(from, to).map_err(|error| KeepError::unavailable(to, &error))?;
    sync_folder(to.parent().unwrap_or(to))
}

/// Takes away what a copy that broke off left behind.
pub(super) fn remove_left_over(path: &Path) -> Result<(), KeepError> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(KeepError::unavailable(path, &error))
        }
        _ => Ok(()),
    }
}

/// The same path with something behind its name.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Size and SHA-256 of a file.
pub(super) fn digest(path: &Path) -> Result<(u64, String), KeepError> {
    let read = || -> io::Result<(u64, String)> {
        let mut file = File::open(path)?;
        let mut hash = Context::new(&SHA256);
        let (mut size, mut buffer) = (0, vec![0; 1 << 16]);
        loop {
            let read = file.read(&mut buffer)?;
            let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            hash.update(bytes);
            size += u64::try_from(read).unwrap_or_default();
        }
        let digest = hash.finish();
        let hex = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
        Ok((size, hex.collect()))
    };
    read().map_err(|error| KeepError::unavailable(path, &error))
}
