//! The engine's lock: one `run` on a store at a time.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::{EngineLock, OpenError};

pub(super) fn lock(path: &Path) -> Result<EngineLock, OpenError> {
    let beside = path.with_extension("lock");
    let unavailable = |error: &std::io::Error| OpenError::Unavailable {
        path: beside.clone(),
        cause: error.to_string(),
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&beside)
        .map_err(|error| unavailable(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(EngineLock::locked(file)),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(unavailable(&error)),
    }
}
