use std::path::{Path, PathBuf};

use letter_delivery::StoreError;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use super::{OpenError, migrate, row_mac};
use crate::MasterKey;

/// Marks a file as ours: the letters `LTBX`.
const APPLICATION_ID: i64 = 0x4C54_4258;

/// Each entry takes a store from its index to the next version. Released entries never change.
const MIGRATIONS: &[&str] = &[include_str!("schema/1.sql"), include_str!("schema/2.sql")];

/// How long a writer waits for another process' short transaction.
const BUSY: std::time::Duration = std::time::Duration::from_secs(5);

/// Opens the database file with the settings that make its answers true, and takes it to this
/// version.
///
/// A file that is not ours is refused before anything in it is changed.
pub(super) fn open(path: &Path, key: &MasterKey) -> Result<Connection, OpenError> {
    let db = open_as_it_is(path, key)?;
    migrate::migrate(&db, path)?;
    Ok(db)
}

/// Opens the database file, of whatever version it is.
pub(super) fn open_as_it_is(path: &Path, key: &MasterKey) -> Result<Connection, OpenError> {
    let failed = |error: rusqlite::Error| open_error(path, &error);
    let db = Connection::open(path).map_err(failed)?;
    db.busy_timeout(BUSY).map_err(failed)?;
    version(&db, path)?;
    configure(&db, path)?;
    row_mac::register(&db, key).map_err(failed)?;
    Ok(db)
}

/// The file beside the database that holds the wrapped keys of its letters.
pub(super) fn keys_path(path: &Path) -> PathBuf {
    path.with_extension("keys.db")
}

/// What the key file holds: the wrapped keys; the letters whose keys were destroyed, so that no
/// older copy of the file brings them back; the places where copies of it lie.
const KEY_TABLES: &str = "\
    CREATE TABLE IF NOT EXISTS data_key(letter BLOB PRIMARY KEY, wrapped BLOB NOT NULL) \
    WITHOUT ROWID; \
    CREATE TABLE IF NOT EXISTS erased_key(letter BLOB PRIMARY KEY, at INTEGER NOT NULL, \
    mac BLOB NOT NULL) WITHOUT ROWID; \
    CREATE TABLE IF NOT EXISTS key_backup(path TEXT PRIMARY KEY, at INTEGER NOT NULL, \
    mac BLOB NOT NULL) WITHOUT ROWID;";

/// Opens the key file of a database.
pub(super) fn open_keys(
    db: &Connection,
    path: &Path,
    key: &MasterKey,
) -> Result<Connection, OpenError> {
    let failed = |error: rusqlite::Error| open_error(path, &error);
    if !path.exists() && has_key_check(db).map_err(failed)? {
        return Err(OpenError::Unavailable {
            path: path.to_owned(),
            cause: "the keys of the letters are missing: put them back from their backup".into(),
        });
    }
    make_keys(path, key)
}

/// Opens a key file, or makes an empty one.
pub(super) fn make_keys(path: &Path, key: &MasterKey) -> Result<Connection, OpenError> {
    let failed = |error: rusqlite::Error| open_error(path, &error);
    let keys = Connection::open(path).map_err(failed)?;
    keys.busy_timeout(BUSY).map_err(failed)?;
    configure(&keys, path)?;
    row_mac::register(&keys, key).map_err(failed)?;
    // What is deleted is overwritten at once, and nothing of it is left in a file elsewhere.
    keys.pragma_update(None, "secure_delete", "ON")
        .and_then(|()| keys.pragma_update(None, "temp_store", "MEMORY"))
        .and_then(|()| keys.execute_batch(KEY_TABLES))
        .map_err(failed)?;
    Ok(keys)
}

/// What keeps a file from being opened.
pub(super) fn open_error(path: &Path, error: &rusqlite::Error) -> OpenError {
    let (path, cause) = (path.to_owned(), error.to_string());
    if is_damage(error) {
        OpenError::NotAStore { path, cause }
    } else {
        OpenError::Unavailable { path, cause }
    }
}

/// A store that is in use proves which key it was made with, and has a key file.
fn has_key_check(db: &Connection) -> rusqlite::Result<bool> {
    db.query_row("SELECT EXISTS (SELECT 1 FROM key_check)", [], |row| {
        row.get(0)
    })
}

/// WAL with synchronous FULL: a commit that answered survives a power cut.
fn configure(db: &Connection, path: &Path) -> Result<(), OpenError> {
    let set = || {
        patiently(|| db.pragma_update(None, "journal_mode", "WAL"))?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "foreign_keys", "ON")?;
        db.set_prepared_statement_cache_capacity(64);
        db.is_readonly("main")
    };
    if set().map_err(|error| open_error(path, &error))? {
        return Err(OpenError::Unavailable {
            path: path.to_owned(),
            cause: "it is read-only".to_owned(),
        });
    }
    Ok(())
}

/// SQLite does not wait by itself where two processes change the journal of one file.
fn patiently(mut change: impl FnMut() -> rusqlite::Result<()>) -> rusqlite::Result<()> {
    let began = std::time::Instant::now();
    loop {
        match change() {
            Err(error) if is_busy(&error) && began.elapsed() < BUSY => {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            other => return other,
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(
        code,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// The newest version that this program knows.
pub(super) fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// The version of a store, 0 of an empty file; refuses what is not ours and what is too new.
pub(super) fn version(db: &Connection, path: &Path) -> Result<i64, OpenError> {
    let (application, found, tables) = read_header(db).map_err(|error| open_error(path, &error))?;
    if application != APPLICATION_ID && tables > 0 {
        return Err(OpenError::NotAStore {
            path: path.to_owned(),
            cause: "it holds other tables".to_owned(),
        });
    }
    let known = known();
    if found > known {
        return Err(OpenError::TooNew {
            path: path.to_owned(),
            found,
            known,
        });
    }
    Ok(found)
}

/// Application id, version and number of tables, as they are at one moment: another process may
/// be making the same store.
fn read_header(db: &Connection) -> rusqlite::Result<(i64, i64, i64)> {
    let alone = db.is_autocommit();
    if alone {
        db.execute_batch("BEGIN")?;
    }
    let number = |name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let count = "SELECT count(*) FROM sqlite_schema";
    // The tables are counted first: that opens the moment which the numbers are then read at.
    let header = db
        .query_row(count, [], |row| row.get::<_, i64>(0))
        .and_then(|tables| Ok((number("application_id")?, number("user_version")?, tables)));
    if alone {
        db.execute_batch("ROLLBACK")?;
    }
    header
}

/// Takes the write lock for a change of the tables.
pub(super) fn begin<'a>(db: &'a Connection, path: &Path) -> Result<Transaction<'a>, OpenError> {
    Transaction::new_unchecked(db, TransactionBehavior::Immediate)
        .map_err(|error| open_error(path, &error))
}

/// Every statement on the way from a version to the newest, one by one.
#[cfg(test)]
pub(super) fn statements_from(version: usize) -> Vec<String> {
    let mut statements = Vec::new();
    for (sql, to) in MIGRATIONS.iter().zip(1..).skip(version) {
        let plain: Vec<&str> = sql.lines().filter(|line| !line.starts_with("--")).collect();
        let plain = plain.join("\n");
        let mut statement = String::new();
        for part in plain.split_inclusive(';') {
            statement.push_str(part);
            let is_whole = statement.trim().ends_with("END;")
                || !statement.trim().starts_with("CREATE TRIGGER");
            if is_whole && !statement.trim().is_empty() {
                statements.push(std::mem::take(&mut statement).trim().to_owned());
            }
        }
        statements.push(format!("PRAGMA user_version = {to}"));
    }
    statements
}

/// Takes a store step by step to a version; it is looked at again under the write lock, for
/// another process may be making the same store.
pub(super) fn take_to(db: &Connection, path: &Path, to: i64) -> Result<(), OpenError> {
    let done = version(db, path)?;
    for (sql, version) in MIGRATIONS.iter().zip(1..) {
        if version <= done || version > to {
            continue;
        }
        db.execute_batch(sql)
            .and_then(|()| db.pragma_update(None, "application_id", APPLICATION_ID))
            .and_then(|()| db.pragma_update(None, "user_version", version))
            .map_err(|error| open_error(path, &error))?;
    }
    Ok(())
}

/// The tables and indexes that a store must have, as SQLite keeps their definitions.
pub(super) fn expected() -> rusqlite::Result<Vec<(String, String)>> {
    let fresh = Connection::open_in_memory()?;
    for sql in MIGRATIONS {
        fresh.execute_batch(sql)?;
    }
    definitions(&fresh)
}

/// The tables and indexes that a store has.
pub(super) fn definitions(db: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let sql = "SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name";
    let mut statement = db.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Whether the file itself is damaged, rather than locked, full or out of reach; SQLite has no
/// code of its own for a table that is missing or a header that makes no sense.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::TypeMismatch
                | ErrorCode::Unknown
        )
    )
}

/// What an error of the database means to a caller.
pub(super) fn store_error(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        None => StoreError::Corrupt(error.to_string()),
        Some(_) if is_damage(error) => StoreError::Corrupt(error.to_string()),
        Some(ErrorCode::ConstraintViolation) => StoreError::Conflict,
        Some(ErrorCode::DiskFull) => {
            StoreError::Unavailable("the disk is full; free space and it goes on".to_owned())
        }
        Some(_) => StoreError::Unavailable(error.to_string()),
    }
}
