//! A backup becomes the store: put together and looked at beside it, and only then in its place.

use std::fs;
use std::path::{Path, PathBuf};

use audit_core::{Checkpoint, Event, Origin};
use chrono::{DateTime, Utc};
use letter_delivery::{Restore, StoreError};
use rusqlite::Connection;

use super::manifest::{self, KeptFile, Manifest};
use super::{KeepError, files, keys};
use crate::sqlite::{EngineLock, SqliteStore, checkpoint, commit, lists, lock, schema};
use crate::{MasterKey, notes};

/// Which backup becomes the store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RestoreFrom {
    /// The folder of one backup, or one that holds backups: then the newest of this store.
    pub folder: PathBuf,
    /// The folder of the letters' keys, where it is not beside the backups.
    pub keys: Option<PathBuf>,
    /// Whether a store that is there gives way; it is kept beside the new one.
    pub replace: bool,
}

impl RestoreFrom {
    /// From this folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            keys: None,
            replace: false,
        }
    }

    /// With the keys of another folder.
    #[must_use]
    pub fn with_keys(mut self, keys: impl Into<PathBuf>) -> Self {
        self.keys = Some(keys.into());
        self
    }

    /// A store that is there gives way.
    #[must_use]
    pub const fn replacing(mut self) -> Self {
        self.replace = true;
        self
    }
}

/// A store that was put together from a backup, and is not in its place yet. Nothing else works
/// on the store while this lives.
#[derive(Debug)]
pub struct Restoring {
    store: SqliteStore,
    facts: Restore,
    manifest: Option<Manifest>,
    /// Checkpoints that the store does not know.
    lost: Vec<String>,
    path: PathBuf,
    /// Where it is put together; nothing where it is the store itself.
    beside: Option<PathBuf>,
    _lock: EngineLock,
}

impl Restoring {
    /// The store, as it will be: what is committed to it now goes with it.
    pub const fn store(&self) -> &SqliteStore {
        &self.store
    }

    /// What is known of the restore.
    pub const fn facts(&self) -> &Restore {
        &self.facts
    }

    /// What the backup says of itself; nothing where no backup was put in place.
    pub const fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    /// Puts the store in its place. What was there is kept beside it, and so are the checkpoints
    /// that it does not know.
    ///
    /// # Errors
    ///
    /// [`KeepError::Unavailable`]: what was there before is still there.
    pub fn finish(self, now: DateTime<Utc>) -> Result<Option<PathBuf>, KeepError> {
        let Self {
            store,
            lost,
            path,
            beside,
            _lock,
            ..
        } = self;
        drop(store);
        let replaced = match beside {
            Some(beside) => put_in_place(&beside, &path, now)?,
            None => None,
        };
        set_apart(&path, &lost)?;
        Ok(replaced)
    }
}

/// Puts a backup together beside the store.
pub(in crate::sqlite) fn restore(
    path: &Path,
    key: &MasterKey,
    from: &RestoreFrom,
    origin: Origin,
    outside: &[String],
) -> Result<Restoring, KeepError> {
    if path.exists() && !from.replace {
        return Err(KeepError::InTheWay {
            path: path.to_owned(),
        });
    }
    let folder = path.parent().unwrap_or(path);
    files::make_folder(folder)?;
    let lock = lock::lock(path)?;
    let (backup, manifest) = find(&from.folder, path)?;
    check(&backup, &manifest)?;
    let beside = path.with_extension("restoring.db");
    clear(&beside)?;
    let name = path.file_name().unwrap_or_default();
    copy(&backup.join(name), &beside)?;
    let kept = checkpoint::outside(&backup.join(name));
    if kept.exists() {
        copy(&kept, &checkpoint::outside(&beside))?;
    }
    put_keys_together(path, &beside, &key_places(from, &backup, path), key)?;
    let (facts, lost) = look(&beside, path, key, origin, outside)?;
    let store = SqliteStore::open(&beside, key)?;
    Ok(Restoring {
        store,
        facts,
        manifest: Some(manifest),
        lost,
        path: path.to_owned(),
        beside: Some(beside),
        _lock: lock,
    })
}

/// The store in its place is an older copy: it goes on as a restored one.
pub(in crate::sqlite) fn as_it_is(
    path: &Path,
    key: &MasterKey,
    origin: Origin,
    outside: &[String],
) -> Result<Restoring, KeepError> {
    if !path.exists() {
        return Err(KeepError::NoStore {
            path: path.to_owned(),
        });
    }
    let lock = lock::lock(path)?;
    let (facts, lost) = look(path, path, key, origin, outside)?;
    let store = SqliteStore::open(path, key)?;
    Ok(Restoring {
        store,
        facts,
        manifest: None,
        lost,
        path: path.to_owned(),
        beside: None,
        _lock: lock,
    })
}

/// The backup that is meant: the folder itself, or the newest in it that is of this store.
fn find(folder: &Path, path: &Path) -> Result<(PathBuf, Manifest), KeepError> {
    let stem = path.file_stem().unwrap_or_default();
    let is_ours = |manifest: &Manifest| manifest.store == stem.to_string_lossy();
    let mut found = Vec::new();
    for home in [folder.to_owned(), folder.join(stem)] {
        let entries = fs::read_dir(&home).into_iter().flatten().flatten();
        let entries = entries.map(|entry| entry.path());
        let folders = std::iter::once(home).chain(entries);
        found.extend(folders.filter_map(|folder| Some((Manifest::read(&folder)?, folder))));
    }
    found.retain(|(manifest, _)| is_ours(manifest));
    let newest = found
        .into_iter()
        .max_by_key(|(manifest, folder)| (manifest.made_at, folder.clone()));
    let (manifest, backup) = newest.ok_or_else(|| KeepError::NoBackup {
        path: folder.to_owned(),
    })?;
    Ok((backup, manifest))
}

/// Every file is there, byte for byte.
fn check(backup: &Path, manifest: &Manifest) -> Result<(), KeepError> {
    for file in &manifest.files {
        let path = backup.join(&file.name);
        if KeptFile::of(&path)? != *file {
            return Err(KeepError::Damaged { path });
        }
    }
    Ok(())
}

/// What a restore that broke off left behind goes.
fn clear(beside: &Path) -> Result<(), KeepError> {
    let keys = schema::keys_path(beside);
    for file in [beside, &keys] {
        for end in ["", "-wal", "-shm", "-journal"] {
            files::remove_left_over(&files::beside(file, end))?;
        }
    }
    files::remove_left_over(&checkpoint::outside(beside))?;
    files::remove_left_over(&beside.with_extension("lock"))
}

fn copy(from: &Path, to: &Path) -> Result<(), KeepError> {
    fs::copy(from, to).map_err(|error| KeepError::unavailable(from, &error))?;
    files::sync(to)
}

/// Where keys may be: named, or beside the backup as a backup puts them.
fn key_places(from: &RestoreFrom, backup: &Path, path: &Path) -> Vec<PathBuf> {
    let keys = schema::keys_path(path);
    let name = keys.file_name().unwrap_or_default();
    let around = backup.ancestors().take(3);
    let around = around.map(|folder| folder.join(super::BackupTo::KEYS));
    let places = from.keys.clone().into_iter().chain(around);
    places
        .map(|folder| folder.join(name))
        .filter(|place| place.is_file())
        .collect()
}

/// The keys in use know best: what was erased, and what was made since the backup. A copy adds
/// what they lack, and nothing that was erased.
fn put_keys_together(
    path: &Path,
    beside: &Path,
    places: &[PathBuf],
    key: &MasterKey,
) -> Result<(), KeepError> {
    let used = schema::keys_path(path);
    let together = schema::keys_path(beside);
    let is_readable = |place: &PathBuf| keys::is_readable(place, key);
    let candidates = std::iter::once(used).chain(places.iter().cloned());
    let mut candidates = candidates.filter(|place| place.is_file() && is_readable(place));
    let base = candidates.next().ok_or_else(|| KeepError::NoKeys {
        path: schema::keys_path(path),
    })?;
    files::copy_database(&base, &together)?;
    let open = keys::open(&together, key)?;
    for more in candidates {
        keys::add(&open, &more).map_err(|error| KeepError::unavailable(&more, &error))?;
    }
    keys::close(open, &together)?;
    files::sync(&together)
}

/// How far the store came, and how far it is known to have come.
fn look(
    database: &Path,
    path: &Path,
    key: &MasterKey,
    origin: Origin,
    more: &[String],
) -> Result<(Restore, Vec<String>), KeepError> {
    let broken = |error: StoreError| KeepError::store(database, &error);
    let db = schema::open_as_it_is(database, key)?;
    let range = commit::read_tree(&db).map_err(broken)?;
    let held = Checkpoint {
        origin,
        size: range.size(),
        root: range.root(),
    };
    let mut facts = Restore::new(held);
    facts.remembers_to = last_event(&db).map_err(broken)?;
    let known: Vec<String> =
        lists::rows(&db, "SELECT note FROM checkpoint", [], |row| row.get(0)).map_err(broken)?;
    let outside = notes::read(&checkpoint::outside(path)).map_err(broken)?;
    let outside = outside.iter().chain(more);
    let lost: Vec<String> = outside
        .filter(|note| !known.contains(note))
        .cloned()
        .collect();
    let checkpoints = lost.iter().filter_map(|note| body_of(note));
    let newest = checkpoints.max_by_key(|checkpoint| checkpoint.size);
    facts.lost = newest.map(|checkpoint| (checkpoint.size, checkpoint.root));
    Ok((facts, lost))
}

fn body_of(note: &str) -> Option<Checkpoint> {
    let (body, _) = note.split_once("\n\n")?;
    Checkpoint::parse(&format!("{body}\n")).ok()
}

fn last_event(db: &Connection) -> Result<Option<DateTime<Utc>>, StoreError> {
    let sql = "SELECT bytes FROM event ORDER BY seq DESC LIMIT 1";
    let found: Vec<Vec<u8>> = lists::rows(db, sql, [], |row| row.get(0))?;
    let event = found.first().and_then(|bytes| Event::parse(bytes).ok());
    let millis = event.map(|event| event.body.at.as_millis());
    Ok(millis.and_then(DateTime::from_timestamp_millis))
}

/// Keys first: they open the old store as well as the new one.
fn put_in_place(
    beside: &Path,
    path: &Path,
    now: DateTime<Utc>,
) -> Result<Option<PathBuf>, KeepError> {
    let (new_keys, keys) = (schema::keys_path(beside), schema::keys_path(path));
    for file in [beside, &new_keys] {
        settle(file)?;
        files::sync(file)?;
    }
    let apart = format!("replaced-{}.db", now.format("%Y%m%dT%H%M%SZ"));
    let apart = path.with_extension(apart);
    let is_there = path.exists();
    if keys.exists() {
        settle_or_set_apart(&keys, &schema::keys_path(&apart))?;
    }
    files::rename(&new_keys, &keys)?;
    if is_there {
        settle_or_set_apart(path, &apart)?;
        if !apart.exists() {
            // A second name for the old file, so that the new one takes its place at one stroke.
            fs::hard_link(path, &apart)
                .or_else(|_| fs::copy(path, &apart).map(drop))
                .map_err(|error| KeepError::unavailable(&apart, &error))?;
        }
    }
    files::rename(beside, path)?;
    let kept = checkpoint::outside(beside);
    for note in notes::read(&kept).map_err(|error| KeepError::store(&kept, &error))? {
        keep_note(path, &note)?;
    }
    clear(beside)?;
    Ok(is_there.then_some(apart))
}

/// A checkpoint of the backup, where the file beside the store was lost.
fn keep_note(path: &Path, note: &str) -> Result<(), KeepError> {
    let outside = checkpoint::outside(path);
    let failed = |error: StoreError| KeepError::store(&outside, &error);
    let held = notes::read(&outside).map_err(failed)?;
    if held.iter().any(|one| one == note) {
        return Ok(());
    }
    notes::append(&outside, note).map_err(failed)
}

fn settle(path: &Path) -> Result<(), KeepError> {
    let db = Connection::open(path).map_err(|error| KeepError::unavailable(path, &error))?;
    files::settle(&db, path)
}

/// A log must never lie beside a file that it does not belong to: it is worked into its own, or,
/// where that is damaged, set apart with it.
fn settle_or_set_apart(path: &Path, apart: &Path) -> Result<(), KeepError> {
    let logs = |path: &Path| ["-wal", "-shm", "-journal"].map(|end| files::beside(path, end));
    let settled = settle(path);
    let is_settled = logs(path).iter().all(|log| !log.exists());
    match settled {
        _ if is_settled => Ok(()),
        Err(KeepError::Unavailable { cause, .. }) if cause.contains("locked") => {
            Err(KeepError::unavailable(path, &cause))
        }
        _ => {
            for (log, apart) in logs(path).iter().zip(logs(apart)) {
                if log.exists() {
                    files::rename(log, &apart)?;
                }
            }
            files::rename(path, apart)
        }
    }
}

/// Checkpoints that the store does not know are kept, and tell no more of a roll-back: the ledger
/// itself says now what was lost.
fn set_apart(path: &Path, lost: &[String]) -> Result<(), KeepError> {
    if lost.is_empty() {
        return Ok(());
    }
    let outside = checkpoint::outside(path);
    let failed = |error: StoreError| KeepError::store(&outside, &error);
    let apart = path.with_extension("checkpoints.lost.txt");
    for note in lost {
        notes::append(&apart, note).map_err(failed)?;
    }
    let held = notes::read(&outside).map_err(failed)?;
    let held = held.iter().filter(|note| !lost.contains(note));
    let text: String = held.map(|note| format!("{note}\n")).collect();
    // The file may be a link to one that several machines share.
    let outside = fs::canonicalize(&outside).unwrap_or(outside);
    let partial = files::beside(&outside, ".partial");
    files::write(&partial, text.as_bytes())?;
    files::rename(&partial, &outside)
}

impl Manifest {
    fn read(folder: &Path) -> Option<Self> {
        let text = fs::read_to_string(folder.join(manifest::NAME)).ok()?;
        serde_json::from_str(&text).ok()
    }
}
