//! Key files: one of them in use, copies of it in other places.

use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::{KeepError, files};
use crate::MasterKey;
use crate::sqlite::schema;

/// What stands behind the name of an older copy that was kept.
pub(super) const BEFORE: &str = ".before-";

/// How many keys an older copy has that this one neither has nor knows to be erased.
fn lacks(keys: &Connection, older: &Path) -> rusqlite::Result<u64> {
    keys.execute("ATTACH ?1 AS older", [older.to_string_lossy()])?;
    let sql = "SELECT count(*) FROM older.data_key o \
               WHERE NOT EXISTS (SELECT 1 FROM main.data_key k WHERE k.letter = o.letter) \
               AND NOT EXISTS (SELECT 1 FROM main.erased_key e WHERE e.letter = o.letter)";
    let missing = keys.query_row(sql, [], |row| row.get::<_, i64>(0));
    keys.execute_batch("DETACH older")?;
    Ok(missing?.unsigned_abs())
}

/// Copies the key file in use to its place in a folder, over the copy that was there.
///
/// An older copy that has more, or cannot be read, is kept beside the new one, and that is told.
pub(super) fn copy(
    from: &Path,
    place: &Path,
    key: &MasterKey,
    now: DateTime<Utc>,
) -> Result<Option<String>, KeepError> {
    let partial = files::beside(place, ".partial");
    files::remove_left_over(&partial)?;
    files::copy_database(from, &partial)?;
    let copied = open(&partial, key)?;
    let wrong = if place.exists() {
        match lacks(&copied, place) {
            Ok(0) => None,
            Ok(missing) => Some(format!("it has {missing} keys that the key file lacks")),
            Err(error) => Some(format!("it cannot be read: {error}")),
        }
    } else {
        None
    };
    close(copied, &partial)?;
    if wrong.is_some() {
        let name = format!("{BEFORE}{}", now.format("%Y%m%dT%H%M%SZ"));
        files::rename(place, &files::beside(place, &name))?;
    }
    files::sync(&partial)?;
    files::rename(&partial, place)?;
    Ok(wrong.map(|why| format!("the older copy of the key file was kept beside the new: {why}")))
}

/// The key file in use remembers where a copy of it lies.
pub(super) fn remember(
    keys: &Connection,
    place: &Path,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    let place = fs::canonicalize(place).unwrap_or_else(|_| place.to_owned());
    keys.execute(
        "INSERT INTO key_backup (path, at, mac) VALUES (?1, ?2, row_mac('key_backup', ?1, ?2)) \
         ON CONFLICT (path) DO UPDATE SET at = excluded.at, mac = excluded.mac",
        params![place.to_string_lossy(), now.timestamp_millis()],
    )
    .map(drop)
}

/// Whether a key file can be read whole.
pub(super) fn is_readable(path: &Path, key: &MasterKey) -> bool {
    let check = |keys: Connection| {
        let found: rusqlite::Result<String> =
            keys.query_row("PRAGMA quick_check", [], |row| row.get(0));
        found.is_ok_and(|found| found == "ok")
    };
    open(path, key).is_ok_and(check)
}

/// Adds the keys of a copy that are neither here nor erased.
pub(super) fn add(keys: &Connection, copy: &Path) -> rusqlite::Result<()> {
    keys.execute("ATTACH ?1 AS more", [copy.to_string_lossy()])?;
    let added = keys.execute_batch(
        "INSERT OR IGNORE INTO main.erased_key SELECT * FROM more.erased_key; \
         INSERT OR IGNORE INTO main.key_backup SELECT * FROM more.key_backup; \
         INSERT OR IGNORE INTO main.data_key SELECT * FROM more.data_key m \
         WHERE NOT EXISTS (SELECT 1 FROM main.erased_key e WHERE e.letter = m.letter);",
    );
    keys.execute_batch("DETACH more")?;
    added
}

pub(super) fn open(path: &Path, key: &MasterKey) -> Result<Connection, KeepError> {
    Ok(schema::make_keys(path, key)?)
}

/// Closes a copy as one file by itself.
pub(in crate::sqlite) fn close(keys: Connection, path: &Path) -> Result<(), KeepError> {
    files::settle(&keys, path)?;
    keys.close()
        .map_err(|(_, error)| KeepError::unavailable(path, &error))
}
