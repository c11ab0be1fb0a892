//! A backup of a store that others work on meanwhile.

use std::fs;
use std::path::{Path, PathBuf};

use audit_core::VerifierKey;
use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::manifest::{KeptFile, Manifest};
use super::{KeepError, files, keys};
use crate::sqlite::seal::Seal;
use crate::sqlite::{checkpoint, commit, schema, verify};
use crate::{MasterKey, StoreVerification, VerifyAgainst, notes};

/// Where a backup goes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BackupTo {
    /// The folder for the database and its checkpoints; each backup gets a folder of its own in it.
    pub folder: PathBuf,
    /// The folder for the letters' keys: one file, replaced by each backup.
    pub keys: PathBuf,
    /// The keys whose signatures count when the copy is verified.
    pub trusted: Vec<VerifierKey>,
}

impl BackupTo {
    /// The name of the folder for keys, where none is named.
    pub const KEYS: &'static str = "letter-keys";

    /// A backup into this folder, with the keys in a folder of their own in it.
    pub fn new(folder: impl Into<PathBuf>, trusted: Vec<VerifierKey>) -> Self {
        let folder = folder.into();
        Self {
            keys: folder.join(Self::KEYS),
            folder,
            trusted,
        }
    }

    /// The keys go to another folder, which is kept apart from the backups.
    #[must_use]
    pub fn with_keys(mut self, keys: impl Into<PathBuf>) -> Self {
        self.keys = keys.into();
        self
    }
}

/// A backup that was made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Backup {
    /// Its folder.
    pub folder: PathBuf,
    /// The copy of the key file.
    pub keys: PathBuf,
    /// What it holds.
    pub manifest: Manifest,
    /// What was found wrong in it: the store itself is to be looked at.
    pub faults: Vec<String>,
}

/// Copies, verifies the copy, makes it durable, and only then gives it its name.
pub(in crate::sqlite) fn back_up(
    path: &Path,
    key: &MasterKey,
    to: &BackupTo,
    now: DateTime<Utc>,
) -> Result<Backup, KeepError> {
    if !path.exists() {
        return Err(KeepError::NoStore {
            path: path.to_owned(),
        });
    }
    let stem = path.file_stem().unwrap_or_default();
    let home = to.folder.join(stem);
    files::make_folder(&home)?;
    files::make_folder(&to.keys)?;
    let partial = home.join("partial");
    files::remove_left_over(&partial)?;
    files::make_folder(&partial)?;
    let database = partial.join(path.file_name().unwrap_or_default());
    copy_checkpoints(path, &database)?;
    files::copy_database(path, &database)?;
    let kept_keys = to
        .keys
        .join(schema::keys_path(path).file_name().unwrap_or_default());
    let wrong = copy_keys(path, &kept_keys, key, now)?;
    let (mut manifest, mut faults) = look(&database, &kept_keys, key, to, now)?;
    if let Some(wrong) = wrong {
        faults.push(wrong);
        manifest.clean = manifest.clean.map(|_| false);
    }
    manifest.store = stem.to_string_lossy().into_owned();
    manifest.files = files_of(&partial)?;
    manifest.write(&partial)?;
    let folder = free_name(&home, &manifest);
    files::rename(&partial, &folder)?;
    Ok(Backup {
        folder,
        keys: kept_keys,
        manifest,
        faults,
    })
}

fn copy_checkpoints(path: &Path, database: &Path) -> Result<(), KeepError> {
    let from = checkpoint::outside(path);
    if !from.exists() {
        return Ok(());
    }
    let to = checkpoint::outside(database);
    let bytes = fs::read(&from).map_err(|error| KeepError::unavailable(&from, &error))?;
    files::write(&to, &bytes)
}

/// Keys last: see the module's own words.
fn copy_keys(
    path: &Path,
    place: &Path,
    key: &MasterKey,
    now: DateTime<Utc>,
) -> Result<Option<String>, KeepError> {
    let from = schema::keys_path(path);
    let wrong = keys::copy(&from, place, key, now)?;
    let used = keys::open(&from, key)?;
    keys::remember(&used, place, now).map_err(|error| KeepError::unavailable(&from, &error))?;
    Ok(wrong)
}

/// Opens the copy as a store is opened, and verifies it by every rule.
fn look(
    database: &Path,
    keys: &Path,
    key: &MasterKey,
    to: &BackupTo,
    now: DateTime<Utc>,
) -> Result<(Manifest, Vec<String>), KeepError> {
    let db = schema::open_as_it_is(database, key)?;
    let seal = Seal::open_with(&db, keys, key)?;
    let schema = schema::version(&db, database)?;
    let tree = commit::read_tree(&db).map_err(|error| KeepError::store(database, &error))?;
    let outside = notes::read(&checkpoint::outside(database))
        .map_err(|error| KeepError::store(database, &error))?;
    let (clean, faults) = if schema == schema::known() {
        let against = VerifyAgainst {
            trusted: to.trusted.clone(),
            ..VerifyAgainst::default()
        };
        let found = verify::verify(&db, &seal, against, &outside);
        (Some(found.is_clean()), told(&found))
    } else {
        (None, pages(&db, database)?)
    };
    seal.close(keys)?;
    files::settle(&db, database)?;
    db.close()
        .map_err(|(_, error)| KeepError::unavailable(database, &error))?;
    files::sync(database)?;
    let manifest = Manifest {
        store: String::new(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        schema,
        made_at: now,
        events: tree.size(),
        root: tree.root().to_string(),
        clean,
        files: Vec::new(),
    };
    Ok((manifest, faults))
}

fn told(found: &StoreVerification) -> Vec<String> {
    let faults = found.faults.iter();
    faults
        .map(|fault| format!("{}: {}", fault.rule, fault.what))
        .collect()
}

/// A store of an older version is checked as far as this one can: its pages.
fn pages(db: &Connection, path: &Path) -> Result<Vec<String>, KeepError> {
    let failed = |error: rusqlite::Error| KeepError::unavailable(path, &error);
    let mut statement = db.prepare("PRAGMA integrity_check").map_err(failed)?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0));
    let found: Vec<String> = rows.and_then(Iterator::collect).map_err(failed)?;
    Ok(found.into_iter().filter(|line| line != "ok").collect())
}

fn files_of(folder: &Path) -> Result<Vec<KeptFile>, KeepError> {
    let failed = |error: std::io::Error| KeepError::unavailable(folder, &error);
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut kept = Vec::new();
    for entry in entries {
        kept.push(KeptFile::of(&entry.map_err(failed)?.path())?);
    }
    kept.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(kept)
}

/// A name that sorts by time and that nothing has: an older backup is never written over.
fn free_name(home: &Path, manifest: &Manifest) -> PathBuf {
    let at = manifest.made_at.format("%Y%m%dT%H%M%S%3fZ");
    let base = home.join(format!("{at}-{}", manifest.events));
    let ends = std::iter::once(String::new()).chain((2..).map(|n| format!("-{n}")));
    ends.map(|end| files::beside(&base, &end))
        .find(|path| !path.exists())
        .unwrap_or(base)
}
