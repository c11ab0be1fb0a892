//! Keeping a store, bringing it back, and destroying what must not come back.
//!
//! A store is three files, and each is kept for another reason:
//!
//! - the **database** holds letters as ciphertext. Its backups may be many and old.
//! - the **key file** holds the key of each letter, wrapped by the trust's. It is copied *after*
//!   the database: a letter's key is durable before the letter is, so whatever letter the copied
//!   database holds, its key is in the later copy of the key file. The other way round, a letter
//!   taken between the two copies would be lost. There is one copy of it in each place, replaced
//!   by the next, because an older one is worth nothing but to open what was erased: keys are only
//!   added or destroyed. The key file remembers those places, so that an erasure reaches them.
//! - the **checkpoint file** is copied *before* the database, so that every checkpoint in the copy
//!   is one that the copied database knows; one that it does not know tells of a roll-back.

mod backup;
mod carry;
mod files;
mod keys;
mod manifest;
mod restore;

use std::path::PathBuf;

use letter_delivery::StoreError;

use super::OpenError;

pub(super) use backup::back_up;
pub use backup::{Backup, BackupTo};
pub use carry::KeyCopy;
pub(super) use carry::carry;
pub(super) use keys::close as close_keys;
pub use manifest::{KeptFile, Manifest};
pub use restore::{RestoreFrom, Restoring};
pub(super) use restore::{as_it_is, restore};

/// Why a store could not be kept or brought back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeepError {
    /// The store itself cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A file could not be read or written.
    #[error("cannot use {path}: {cause}; it must be writable and have space")]
    Unavailable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// A store is where another is to be put.
    #[error(
        "there is a store {path}: to put a backup in its place, say so; it is kept beside the new one"
    )]
    InTheWay {
        /// The store that is there.
        path: PathBuf,
    },
    /// No whole backup of this store was found.
    #[error("there is no whole backup of this store in {path}")]
    NoBackup {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A file of a backup is not as it was when it was made.
    #[error("{path} is not as it was when the backup was made: take another backup")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// No key file was found that this key opens.
    #[error("the letters' keys are nowhere, neither {path} nor a copy: name the folder of a copy")]
    NoKeys {
        /// The key file.
        path: PathBuf,
    },
    /// There is no store to keep.
    #[error("there is no store {path}: nothing was run yet")]
    NoStore {
        /// Where it was looked for.
        path: PathBuf,
    },
}

impl KeepError {
    fn unavailable(path: impl Into<PathBuf>, cause: &impl ToString) -> Self {
        Self::Unavailable {
            path: path.into(),
            cause: cause.to_string(),
        }
    }

    fn store(path: impl Into<PathBuf>, error: &StoreError) -> Self {
        Self::unavailable(path, error)
    }
}
