//! What was erased is erased in the copies of the key file too.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::{KeepError, files, keys};
use crate::MasterKey;
use crate::sqlite::{erase, schema};

/// A copy of the key file, and whether it opens what was erased.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyCopy {
    /// Where it lies.
    pub path: PathBuf,
    /// How many keys were destroyed in it just now.
    pub destroyed: usize,
    /// Why it could not be reached: it may still open what was erased.
    pub unreached: Option<String>,
}

/// Destroys in every copy of a key file what was destroyed in the file itself.
pub(in crate::sqlite) fn carry(path: &Path, key: &MasterKey) -> Result<Vec<KeyCopy>, KeepError> {
    let used = schema::keys_path(path);
    let live = keys::open(&used, key)?;
    let places = places(&live).map_err(|error| KeepError::unavailable(&used, &error))?;
    let copies = places.iter().flat_map(|place| copies_at(place));
    let carried = copies.map(|copy| match carry_to(&copy, &used, key) {
        Ok(destroyed) => KeyCopy {
            path: copy,
            destroyed,
            unreached: None,
        },
        Err(error) => KeyCopy {
            path: copy,
            destroyed: 0,
            unreached: Some(error.to_string()),
        },
    });
    Ok(carried.collect())
}

/// Where copies of the key file lie.
fn places(keys: &Connection) -> rusqlite::Result<Vec<PathBuf>> {
    let mut statement = keys.prepare("SELECT path FROM key_backup ORDER BY path")?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0).map(PathBuf::from))?;
    rows.collect()
}

/// A copy, and those that were kept beside it.
fn copies_at(place: &Path) -> Vec<PathBuf> {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    let kept = format!("{name}{}", keys::BEFORE);
    let entries = place.parent().and_then(|folder| fs::read_dir(folder).ok());
    let beside = entries.into_iter().flatten().flatten();
    let beside = beside.filter(|entry| {
        let name = entry.file_name();
        name.to_string_lossy().starts_with(&kept)
    });
    let mut copies = vec![place.to_owned()];
    copies.extend(beside.map(|entry| entry.path()));
    copies
}

/// A key of the same letter that was made after the erasure is in the file itself, and stays.
const DESTROY: &str = "DELETE FROM main.data_key AS k \
    WHERE EXISTS (SELECT 1 FROM used.erased_key e WHERE e.letter = k.letter) \
    AND NOT EXISTS (SELECT 1 FROM used.data_key u \
                    WHERE u.letter = k.letter AND u.wrapped = k.wrapped)";
const REMEMBER: &str = "INSERT OR IGNORE INTO main.erased_key SELECT * FROM used.erased_key";

fn carry_to(copy: &Path, used: &Path, key: &MasterKey) -> Result<usize, KeepError> {
    if !copy.exists() {
        return Err(KeepError::unavailable(copy, &"it is not there"));
    }
    let keys = keys::open(copy, key)?;
    let failed = |error: rusqlite::Error| KeepError::unavailable(copy, &error);
    keys.execute("ATTACH ?1 AS used", [used.to_string_lossy()])
        .map_err(failed)?;
    let destroyed = keys.execute(DESTROY, []).map_err(failed)?;
    keys.execute(REMEMBER, []).map_err(failed)?;
    keys.execute_batch("DETACH used").map_err(failed)?;
    if destroyed > 0 {
        erase::scour(&keys).map_err(failed)?;
    }
    keys::close(keys, copy)?;
    files::sync(copy)?;
    Ok(destroyed)
}
