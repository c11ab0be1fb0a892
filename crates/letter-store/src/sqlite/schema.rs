use std::path::{Path, PathBuf};

use letter_delivery::StoreError;
use rusqlite::{Connection, ErrorCode};

use super::OpenError;

/// Marks a file as ours: the letters `LTBX`.
const APPLICATION_ID: i64 = 0x4C54_4258;

/// Each entry takes a store from its index to the next version. Released entries never change.
const MIGRATIONS: &[&str] = &[include_str!("schema/1.sql")];

/// How long a writer waits for another process' short transaction.
const BUSY: std::time::Duration = std::time::Duration::from_secs(5);

/// Opens the database file with the settings that make its answers true.
pub(super) fn open(path: &Path) -> Result<Connection, OpenError> {
    let unavailable = |error: &rusqlite::Error| OpenError::Unavailable {
        path: path.to_owned(),
        cause: error.to_string(),
    };
    let db = Connection::open(path).map_err(|error| unavailable(&error))?;
    db.busy_timeout(BUSY).map_err(|error| unavailable(&error))?;
    configure(&db)
        .and_then(|()| migrate(&db, path))
        .map_err(|error| match error {
            Failure::Sqlite(error) if is_damage(&error) => OpenError::NotAStore {
                path: path.to_owned(),
                cause: error.to_string(),
            },
            Failure::Sqlite(error) => unavailable(&error),
            Failure::Open(error) => error,
        })?;
    Ok(db)
}

/// The file beside the database that holds the wrapped keys of its letters.
pub(super) fn keys_path(path: &Path) -> PathBuf {
    path.with_extension("keys.db")
}

/// Opens the key file.
pub(super) fn open_keys(path: &Path) -> Result<Connection, OpenError> {
    let path = keys_path(path);
    let unavailable = |error: rusqlite::Error| OpenError::Unavailable {
        path: path.clone(),
        cause: error.to_string(),
    };
    let db = Connection::open(&path).map_err(unavailable)?;
    db.busy_timeout(BUSY).map_err(unavailable)?;
    db.pragma_update(None, "journal_mode", "WAL")
        .map_err(unavailable)?;
    db.pragma_update(None, "synchronous", "FULL")
        .map_err(unavailable)?;
    db.execute_batch(
        "CREATE TABLE IF NOT EXISTS data_key(letter BLOB PRIMARY KEY, wrapped BLOB NOT NULL) \
         WITHOUT ROWID;",
    )
    .map_err(unavailable)?;
    Ok(db)
}

enum Failure {
    Sqlite(rusqlite::Error),
    Open(OpenError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// WAL with synchronous FULL: a commit that answered survives a power cut.
fn configure(db: &Connection) -> Result<(), Failure> {
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", "ON")?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn migrate(db: &Connection, path: &Path) -> Result<(), Failure> {
    let number = |name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if application != APPLICATION_ID && tables > 0 {
        let cause = "it holds other tables".to_owned();
        return Err(Failure::Open(OpenError::NotAStore {
            path: path.to_owned(),
            cause,
        }));
    }
    if version > known {
        let path = path.to_owned();
        return Err(Failure::Open(OpenError::TooNew {
            path,
            found: version,
            known,
        }));
    }
    let done = usize::try_from(version).unwrap_or(0);
    for (index, sql) in MIGRATIONS.iter().enumerate().skip(done) {
        db.execute_batch(&format!(
            "BEGIN IMMEDIATE; {sql}; PRAGMA application_id = {APPLICATION_ID}; \
             PRAGMA user_version = {}; COMMIT;",
            index + 1
        ))?;
    }
    Ok(())
}

/// Whether the file itself is damaged, rather than locked, full or out of reach.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::TypeMismatch)
    )
}

/// What an error of the database means to a caller.
pub(super) fn store_error(error: &rusqlite::Error) -> StoreError {
    let code = error.sqlite_error_code();
    if is_damage(error) || code.is_none() {
        return StoreError::Corrupt(error.to_string());
    }
    StoreError::Unavailable(match code {
        Some(ErrorCode::DiskFull) => "the disk is full; free space and it goes on".to_owned(),
        _ => error.to_string(),
    })
}
