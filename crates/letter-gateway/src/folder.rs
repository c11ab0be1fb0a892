//! Documents are handed over in a folder.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clinical_letter::{Disposition, Sidecar};
use letter_delivery::{Store, StoreError, TakenAs};

use crate::take::{OnReject, Receipt};
use crate::{Gateway, GatewayError};

/// A folder that a source hands documents over in.
///
/// A document is ready when it has been still for a while, or, with a sidecar `<name>.json`, as
/// soon as the sidecar has its final name. Names that begin with a dot or end in `.tmp`, `.part`
/// or `.partial` are being written, and left alone. What was taken is moved on only when it is
/// durable.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Folder {
    /// The source's name: document numbers are unique within one source.
    pub source: String,
    /// Where documents arrive.
    pub inbox: PathBuf,
    /// Where they go once they are durable.
    pub taken: PathBuf,
    /// Where they go when they are no document that can be read; a person looks.
    pub refused: PathBuf,
    /// How long a document without a sidecar must have been still.
    pub still_for: Duration,
    /// Largest document that is read.
    pub bytes_max: u64,
}

/// What a look into a folder did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scanned {
    /// Documents taken.
    pub taken: usize,
    /// Of these, known already.
    pub duplicates: usize,
    /// Of these, no document that can be read.
    pub refused: usize,
    /// Files that are still being written, or wait for their other half.
    pub waiting: usize,
    /// Files that could not be read or moved.
    pub failed: usize,
}

/// Default of [`Folder::still_for`].
const STILL_FOR: Duration = Duration::from_secs(2);
/// Default of [`Folder::bytes_max`] (source-documents facts 9).
const BYTES_MAX: u64 = 32 * 1024 * 1024;
const SIDECAR: &str = "json";
const BEING_WRITTEN: [&str; 3] = ["tmp", "part", "partial"];

impl Folder {
    /// A folder with `taken` and `refused` beside it.
    pub fn new(source: impl Into<String>, inbox: impl Into<PathBuf>) -> Self {
        let inbox = inbox.into();
        let beside = |name: &str| inbox.with_file_name(name);
        Self {
            source: source.into(),
            taken: beside("taken"),
            refused: beside("refused"),
            inbox,
            still_for: STILL_FOR,
            bytes_max: BYTES_MAX,
        }
    }

    /// The documents that are ready, and how many files wait.
    ///
    /// # Errors
    ///
    /// [`GatewayError::Folder`] when the folder cannot be read.
    fn ready(&self, now: SystemTime) -> Result<(Vec<Item>, usize), GatewayError> {
        let mut names = BTreeSet::new();
        for entry in fs::read_dir(&self.inbox).map_err(|cause| folder(&self.inbox, cause))? {
            let entry = entry.map_err(|cause| folder(&self.inbox, cause))?;
            let file = entry.file_type().is_ok_and(|kind| kind.is_file());
            if file && !is_being_written(&entry.path()) {
                names.insert(entry.path());
            }
        }
        let sidecars: BTreeSet<&PathBuf> = names
            .iter()
            .filter(|path| path.extension() == Some(OsStr::new(SIDECAR)))
            .collect();
        let mut items = Vec::new();
        let mut used = BTreeSet::new();
        let mut waiting = 0;
        for document in names.iter().filter(|path| !sidecars.contains(path)) {
            let sidecar = sidecar_names(document)
                .into_iter()
                .find(|path| sidecars.contains(path));
            used.extend(sidecar.clone());
            if sidecar.is_some() || self.is_still(document, now) {
                items.push(Item {
                    document: document.clone(),
                    sidecar,
                });
            } else {
                waiting += 1;
            }
        }
        waiting += sidecars
            .iter()
            .filter(|path| !used.contains(**path))
            .count();
        Ok((items, waiting))
    }

    fn is_still(&self, document: &Path, now: SystemTime) -> bool {
        let changed = fs::symlink_metadata(document).and_then(|about| about.modified());
        changed.is_ok_and(|at| {
            now.duration_since(at)
                .is_ok_and(|age| age >= self.still_for)
        })
    }
}

struct Item {
    document: PathBuf,
    sidecar: Option<PathBuf>,
}

fn is_being_written(path: &Path) -> bool {
    let hidden = path
        .file_name()
        .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    hidden
        || BEING_WRITTEN
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
}

/// `letter.docx` may have `letter.docx.json` or `letter.json`.
fn sidecar_names(document: &Path) -> [PathBuf; 2] {
    let mut whole = document.as_os_str().to_owned();
    whole.push(".");
    whole.push(SIDECAR);
    [PathBuf::from(whole), document.with_extension(SIDECAR)]
}

fn folder(path: &Path, cause: io::Error) -> GatewayError {
    GatewayError::Folder {
        path: path.to_owned(),
        cause,
    }
}

impl<S: Store + 'static> Gateway<S> {
    /// Takes everything that is ready in a folder. A file that cannot be taken never keeps its
    /// neighbours.
    ///
    /// # Errors
    ///
    /// [`GatewayError::Folder`] when the folder cannot be read, [`GatewayError::Store`] when
    /// nothing can be made durable: all files stay where they are.
    pub async fn scan(&self, folder: &Folder) -> Result<Scanned, GatewayError> {
        let (items, waiting) = folder.ready(SystemTime::now())?;
        let mut scanned = Scanned {
            waiting,
            ..Scanned::default()
        };
        for item in items {
            match self.take_item(folder, &item).await {
                Ok(Some(receipts)) => count(&mut scanned, &receipts),
                Ok(None) => scanned.refused += 1,
                Err(GatewayError::Store(error @ StoreError::Unavailable(_))) => {
                    return Err(error.into());
                }
                Err(error) => {
                    tracing::error!(%error, source = folder.source, "a file could not be taken");
                    scanned.failed += 1;
                }
            }
        }
        Ok(scanned)
    }

    async fn take_item(
        &self,
        from: &Folder,
        item: &Item,
    ) -> Result<Option<Vec<Receipt>>, GatewayError> {
        let about = fs::symlink_metadata(&item.document).map_err(|e| folder(&from.inbox, e))?;
        if about.len() > from.bytes_max {
            return self
                .refuse(from, item, "it is larger than the limit")
                .await
                .map(|()| None);
        }
        let sidecar = match item.sidecar.as_deref().map(read_sidecar).transpose() {
            Ok(sidecar) => sidecar,
            Err(why) => return self.refuse(from, item, &why).await.map(|()| None),
        };
        let bytes = fs::read(&item.document).map_err(|cause| folder(&from.inbox, cause))?;
        let changed =
            fs::symlink_metadata(&item.document).is_ok_and(|now| now.len() != about.len());
        if changed {
            let cause = io::Error::other("a file is still growing");
            return Err(folder(&from.inbox, cause));
        }
        let receipts = self
            .take(&from.source, bytes, sidecar, OnReject::Hold)
            .await?;
        let unreadable = receipts
            .iter()
            .all(|r| r.disposition == Disposition::Reject);
        let to = if unreadable {
            &from.refused
        } else {
            &from.taken
        };
        move_item(item, to).map_err(|cause| folder(to, cause))?;
        Ok(Some(receipts))
    }

    /// Nothing of it can be kept as a letter: it is moved aside with the reason beside it, and the
    /// ledger says so.
    async fn refuse(&self, from: &Folder, item: &Item, why: &str) -> Result<(), GatewayError> {
        let data = audit_core::Data::new()
            .with("source", from.source.as_str())
            .with("reason", "file-refused");
        let commit = self.decide(|engine| engine.note(self.now(), "intake.refused", data));
        self.store.commit(commit).await?;
        let moved = move_item(item, &from.refused).map_err(|cause| folder(&from.refused, cause))?;
        let mut beside = moved.into_os_string();
        beside.push(".reason.txt");
        let text = format!("This file was not taken: {why}.\nMend it and hand it over again.\n");
        fs::write(&beside, text).map_err(|cause| folder(&from.refused, cause))
    }
}

fn read_sidecar(path: &Path) -> Result<Sidecar, String> {
    let bytes = fs::read(path).map_err(|error| format!("its sidecar cannot be read: {error}"))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!(
            "its sidecar is not what the contract says, at line {line} column {column}: {error}"
        )
    })
}

fn count(scanned: &mut Scanned, receipts: &[Receipt]) {
    for receipt in receipts {
        scanned.taken += 1;
        scanned.duplicates += usize::from(receipt.taken == Some(TakenAs::Duplicate));
        scanned.refused += usize::from(receipt.disposition == Disposition::Reject);
    }
}

/// Moves the document last: as long as it is there, the pair would be taken again.
fn move_item(item: &Item, to: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(to)?;
    let moved = move_to(&item.document, to)?;
    if let Some(sidecar) = &item.sidecar {
        move_to(sidecar, to)?;
    }
    Ok(moved)
}

/// Moves a file into a folder under its own name, with a number when that is taken.
fn move_to(file: &Path, folder: &Path) -> io::Result<PathBuf> {
    let name = file.file_name().unwrap_or_default();
    let mut target = folder.join(name);
    let mut number = 1_u32;
    while target.try_exists()? {
        let mut other = name.to_owned();
        other.push(format!(".{number}"));
        target = folder.join(other);
        number += 1;
    }
    match fs::rename(file, &target) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            fs::copy(file, &target)?;
            fs::remove_file(file)?;
        }
        other => other?,
    }
    Ok(target)
}
