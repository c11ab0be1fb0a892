//! Which documents of a folder are ready.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use super::moves::{Print, was_being_moved};
use super::{Folder, cannot_use};
use crate::GatewayError;

const SIDECAR: &str = "json";
const BEING_WRITTEN: [&str; 3] = ["tmp", "part", "partial"];

/// A document that is ready, with its sidecar.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) document: PathBuf,
    pub(super) sidecar: Option<PathBuf>,
}

/// What a look into a folder shows.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) ready: Vec<Item>,
    /// Sidecars whose document was moved on before a crash, and where to.
    pub(super) left_behind: Vec<(PathBuf, PathBuf)>,
    pub(super) waiting: usize,
    pub(super) failed: usize,
    documents: BTreeSet<PathBuf>,
    /// By their name with the ending in lower case.
    sidecars: BTreeMap<PathBuf, PathBuf>,
}

/// Files whose time lies in the future: as they were first seen.
pub(crate) type Watched = BTreeMap<PathBuf, (Print, Instant)>;

impl Folder {
    pub(super) fn list(&self, watched: &mut Watched) -> Result<Listing, GatewayError> {
        let mut listing = Listing::default();
        let entries = fs::read_dir(&self.inbox).map_err(|cause| cannot_use(&self.inbox, cause))?;
        for entry in entries {
            match entry {
                Ok(entry) => listing.sort_in(&entry),
                Err(_) => listing.failed += 1,
            }
        }
        listing.set_left_behind_apart(self);
        listing.pair(|document| self.is_still(document, watched));
        watched.retain(|path, _| !path.starts_with(&self.inbox) || path.exists());
        Ok(listing)
    }

    /// Whether nobody has written to a file for a while, by its own time; a time in the future
    /// says nothing, so such a file is watched.
    pub(super) fn is_still(&self, file: &Path, watched: &mut Watched) -> bool {
        let Ok(print) = Print::of(file) else {
            return false;
        };
        match SystemTime::now().duration_since(print.changed) {
            Ok(age) => age >= self.still_for,
            Err(_) => {
                let first = watched.entry(file.to_owned());
                let first = first.or_insert_with(|| (print, Instant::now()));
                if first.0 != print {
                    *first = (print, Instant::now());
                }
                first.1.elapsed() >= self.still_for
            }
        }
    }
}

impl Listing {
    fn sort_in(&mut self, entry: &fs::DirEntry) {
        let path = entry.path();
        let kind = match entry.file_type() {
            Ok(kind) => kind,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(_) => {
                self.failed += 1;
                return;
            }
        };
        if kind.is_dir() || is_hidden(&path) {
            return;
        }
        if !kind.is_file() {
            // A link may point anywhere, a pipe may never end: neither is followed.
            self.failed += 1;
        } else if has_ending(&path, &BEING_WRITTEN) {
            self.waiting += 1;
        } else if has_ending(&path, &[SIDECAR]) {
            self.sidecars.insert(path.with_extension(SIDECAR), path);
        } else {
            self.documents.insert(path);
        }
    }

    fn set_left_behind_apart(&mut self, folder: &Folder) {
        let mut left_behind = Vec::new();
        for (name, sidecar) in &self.sidecars {
            let documents = self.documents.iter();
            let mut documents = documents.filter(|one| sidecar_names(one).contains(name));
            if let Some(to) = was_being_moved(sidecar, folder, &mut documents) {
                left_behind.push((name.clone(), to));
            }
        }
        for (name, to) in left_behind {
            let sidecar = self.sidecars.remove(&name);
            self.left_behind
                .extend(sidecar.map(|sidecar| (sidecar, to)));
        }
    }

    /// Two documents that would share a sidecar are both left: whose it is, nobody knows.
    fn pair(&mut self, mut is_still: impl FnMut(&Path) -> bool) {
        let mut users: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
        for document in &self.documents {
            let known = |name: &PathBuf| self.sidecars.contains_key(name);
            match sidecar_names(document).into_iter().find(known) {
                Some(name) => users.entry(name).or_default().push(document.clone()),
                None if is_still(document) => self.ready.push(Item {
                    document: document.clone(),
                    sidecar: None,
                }),
                None => self.waiting += 1,
            }
        }
        for (name, sidecar) in &self.sidecars {
            match users.get(name).map(Vec::as_slice) {
                Some([document]) => self.ready.push(Item {
                    document: document.clone(),
                    sidecar: Some(sidecar.clone()),
                }),
                Some(several) => {
                    tracing::error!(
                        "documents share a sidecar: name each sidecar after its whole document"
                    );
                    self.failed += several.len();
                }
                None => self.waiting += 1,
            }
        }
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    endings.iter().any(|one| ending.eq_ignore_ascii_case(one))
}

/// `letter.docx` may have `letter.docx.json`, or else `letter.json`.
fn sidecar_names(document: &Path) -> [PathBuf; 2] {
    let mut whole = document.as_os_str().to_owned();
    whole.push(".");
    whole.push(SIDECAR);
    [PathBuf::from(whole), document.with_extension(SIDECAR)]
}
