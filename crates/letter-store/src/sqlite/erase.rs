//! A letter's key is destroyed: in the key file, its log and its free pages, so that no copy of
//! the database opens the letter any more.
//!
//! The event and the rows go first, in one transaction that also notes what is still to be done;
//! then the key. A crash between the two leaves the note, and the next opening does the rest.

use audit_core::StreamKey;
use letter_delivery::{Erasure, StoreError};
use rusqlite::{Connection, params};

use super::commit::{execute, millis};
use super::lists::rows;
use super::schema::store_error;
use super::seal::Seal;

/// Takes the rows of a letter away, and notes that its key must go.
pub(super) fn put(db: &Connection, erasure: &Erasure) -> Result<(), StoreError> {
    let letter = erasure.letter.as_bytes();
    for sql in [
        "DELETE FROM payload WHERE letter = ?1",
        "DELETE FROM letter_ref WHERE letter = ?1",
    ] {
        execute(db, sql, [letter])?;
    }
    execute(
        db,
        "INSERT OR REPLACE INTO erasure (letter, at, done, mac) \
         VALUES (?1, ?2, 0, row_mac('erasure', ?1, ?2, 0))",
        params![letter, millis(erasure.at)],
    )
    .map(drop)
}

/// Destroys the keys that are still to be destroyed, outside of any transaction.
pub(super) fn complete(db: &Connection, seal: &Seal) -> Result<(), StoreError> {
    let sql = "SELECT letter, at FROM erasure WHERE done = 0";
    let pending = rows(db, sql, [], |row| {
        Ok((StreamKey::from_bytes(row.get(0)?), row.get::<_, i64>(1)?))
    })?;
    if pending.is_empty() {
        return Ok(());
    }
    destroy(seal.keys(), &pending).map_err(|error| store_error(&error))?;
    for (letter, _) in pending {
        execute(
            db,
            "UPDATE erasure SET done = 1, mac = row_mac('erasure', letter, at, 1) \
             WHERE letter = ?1",
            [letter.as_bytes()],
        )?;
    }
    Ok(())
}

/// Finds keys that came back, as with an older key file put in the place of the present one, so
/// that they are destroyed again. A letter that got something new after its erasure has a new key.
pub(super) fn find_returned(db: &Connection, seal: &Seal) -> Result<Vec<StreamKey>, StoreError> {
    let sql = "SELECT letter FROM erasure e WHERE done = 1 \
               AND NOT EXISTS (SELECT 1 FROM payload p WHERE p.letter = e.letter)";
    let letters = rows(db, sql, [], |row| row.get(0).map(StreamKey::from_bytes))?;
    let mut returned = Vec::new();
    for letter in letters {
        if !seal.is_erased(letter)? {
            returned.push(letter);
        }
    }
    Ok(returned)
}

/// Letters that are here, whose key the key file knows to be destroyed.
pub(super) fn erased_since(db: &Connection, seal: &Seal) -> Result<Vec<StreamKey>, StoreError> {
    let sql = "SELECT letter FROM erased_key";
    let erased = rows(seal.keys(), sql, [], |row| {
        row.get(0).map(StreamKey::from_bytes)
    })?;
    let mut found = Vec::new();
    for letter in erased {
        let sql = "SELECT 1 FROM payload p WHERE p.letter = ?1 \
                   AND NOT EXISTS (SELECT 1 FROM erasure e WHERE e.letter = p.letter) LIMIT 1";
        let held = rows(db, sql, [letter.as_bytes()], |row| row.get::<_, i64>(0))?;
        if !held.is_empty() && seal.is_erased(letter)? {
            found.push(letter);
        }
    }
    Ok(found)
}

/// Notes that the keys which came back must go.
pub(super) fn again(db: &Connection, seal: &Seal) -> Result<usize, StoreError> {
    let returned = find_returned(db, seal)?;
    for letter in &returned {
        execute(
            db,
            "UPDATE erasure SET done = 0, mac = row_mac('erasure', letter, at, 0) \
             WHERE letter = ?1",
            [letter.as_bytes()],
        )?;
    }
    Ok(returned.len())
}

/// The key file forgets these letters' keys, and remembers that it must.
fn destroy(keys: &Connection, letters: &[(StreamKey, i64)]) -> rusqlite::Result<()> {
    keys.execute_batch("BEGIN IMMEDIATE")?;
    let destroyed = letters.iter().try_for_each(|(letter, at)| {
        let letter = letter.as_bytes();
        keys.execute("DELETE FROM data_key WHERE letter = ?1", [letter])?;
        let sql = "INSERT OR REPLACE INTO erased_key (letter, at, mac) \
                   VALUES (?1, ?2, row_mac('erased_key', ?1, ?2))";
        keys.execute(sql, params![letter, at]).map(drop)
    });
    let ended = if destroyed.is_ok() {
        "COMMIT"
    } else {
        "ROLLBACK"
    };
    let ended = keys.execute_batch(ended);
    destroyed.and(ended)?;
    scour(keys)
}

/// Leaves no page, free page or log of a key file that holds what was deleted.
pub(super) fn scour(keys: &Connection) -> rusqlite::Result<()> {
    keys.execute_batch("VACUUM")?;
    let busy: i64 = keys.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if busy == 0 {
        return Ok(());
    }
    // Somebody reads the file this moment: the next opening does it.
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
    Err(rusqlite::Error::SqliteFailure(code, None))
}
