//! What an error of the database means to a caller.

use deadpool_postgres::PoolError;
use letter_delivery::StoreError;
use tokio_postgres::error::{DbError, Error, SqlState};

/// What an error means. A message of the server may be told, its detail never: it holds values.
pub(super) fn store_error(error: &Error) -> StoreError {
    let Some(told) = error.as_db_error() else {
        return match error.to_string() {
            what if error.is_closed() => unavailable(&what),
            what if is_conversion(error) => StoreError::Corrupt(what),
            what => unavailable(&what),
        };
    };
    match told.code() {
        code if code.code().starts_with("23") => StoreError::Conflict,
        &SqlState::DISK_FULL => {
            StoreError::Unavailable("the disk is full; free space and it goes on".to_owned())
        }
        &SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED => {
            StoreError::Corrupt(message(told))
        }
        &SqlState::UNDEFINED_TABLE | &SqlState::UNDEFINED_COLUMN | &SqlState::DATATYPE_MISMATCH => {
            StoreError::Corrupt(message(told))
        }
        _ => unavailable(&message(told)),
    }
}

/// A value that is not of the type its column should have.
fn is_conversion(error: &Error) -> bool {
    let shown = error.to_string();
    shown.starts_with("error deserializing") || shown.starts_with("error serializing")
}

fn message(told: &DbError) -> String {
    format!("{} ({})", told.message(), told.code().code())
}

fn unavailable(what: &str) -> StoreError {
    StoreError::Unavailable(format!("the database: {what}"))
}

pub(super) fn pool_error(error: &PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) => unavailable(&connect_cause(error)),
        other => unavailable(&other.to_string()),
    }
}

/// Why there is no connection, with what lies beneath the driver's own words.
pub(super) fn connect_cause(error: &Error) -> String {
    match error.as_db_error() {
        Some(told) => message(told),
        None => {
            let source = std::error::Error::source(error);
            source.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
        }
    }
}

/// Whether the same transaction may be tried again at once: it lost against another.
pub(super) fn is_retry(error: &Error) -> bool {
    matches!(
        error.code(),
        Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED)
    )
}
