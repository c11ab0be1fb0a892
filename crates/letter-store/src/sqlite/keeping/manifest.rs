//! What a backup says of itself; nothing of any patient.

use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{KeepError, files};

/// The name of the manifest in a backup's folder.
pub(super) const NAME: &str = "manifest.json";

/// What a backup holds, and what it was found to be when it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Manifest {
    /// The name of the store, such as `rxx`.
    pub store: String,
    /// The program's version that made the backup.
    pub version: String,
    /// The version of the store's tables.
    pub schema: i64,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// How many events the ledger holds.
    pub events: u64,
    /// The root over them.
    pub root: String,
    /// Whether every rule of verification was kept; `None` for a store of an older version, of
    /// which only the pages were checked.
    pub clean: Option<bool>,
    /// The files.
    pub files: Vec<KeptFile>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeptFile {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
}

impl KeptFile {
    pub(super) fn of(path: &Path) -> Result<Self, KeepError> {
        let (bytes, sha256) = files::digest(path)?;
        let name = path.file_name().unwrap_or_default();
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            bytes,
            sha256,
        })
    }
}

impl Manifest {
    pub(super) fn write(&self, folder: &Path) -> Result<(), KeepError> {
        let path = folder.join(NAME);
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| KeepError::unavailable(&path, &error))?;
        files::write(&path, format!("{text}\n").as_bytes())
    }
}
