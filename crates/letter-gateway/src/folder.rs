//! Documents are handed over in a folder.

mod listing;
mod moves;

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::time::Duration;

use clinical_letter::{Disposition, Sidecar};
use letter_delivery::{Lane, Store, StoreError, TakenAs};
use serde_json::error::Category;

use crate::take::{HandOver, OnReject, Receipt};
use crate::{Gateway, GatewayError};
use listing::Item;
use moves::{Print, finish_move, move_item};

pub(crate) use listing::Watched;

/// A folder that a source hands documents over in.
///
/// A document is ready when it has been still for a while, or, with a sidecar `<name>.json`, as
/// soon as the sidecar has its final name: put the document there first. `letter.docx` may have
/// `letter.docx.json`, or `letter.json` where no other document has that stem. Names that begin
/// with a dot or end in `.tmp`, `.part` or `.partial` are being written, and left alone; links
/// and folders are never followed. What was taken is moved on only when it is durable.
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
    /// Whose turn its letters have: a backlog goes into a folder of the replay lane.
    pub lane: Lane,
}

/// What a look into a folder did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scanned {
    /// Documents taken.
    pub taken: usize,
    /// Of these, known already.
    pub duplicates: usize,
    /// Files that are no document that can be read, and files that were not kept.
    pub refused: usize,
    /// Documents held for a person.
    pub held: usize,
    /// Files that are still being written, or wait for their other half.
    pub waiting: usize,
    /// Files that could not be read or moved, that are no plain files, or that share a sidecar
    /// with another: they stay, and a person looks.
    pub failed: usize,
}

/// Default of [`Folder::still_for`].
const STILL_FOR: Duration = Duration::from_secs(2);
/// Default of [`Folder::bytes_max`] (source-documents facts 9).
const BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Largest sidecar that is read.
pub(crate) const SIDECAR_BYTES_MAX: u64 = 1024 * 1024;
const TOO_LARGE: &str = "it is larger than the limit";

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
            lane: Lane::Today,
        }
    }

    fn goes_to(&self, receipts: &[Receipt]) -> &Path {
        let is_unreadable = |receipt: &Receipt| receipt.disposition == Disposition::Reject;
        if receipts.iter().all(is_unreadable) {
            &self.refused
        } else {
            &self.taken
        }
    }

    /// What was taken would be taken again and again if it were moved to where it came from.
    fn check(&self) -> Result<(), GatewayError> {
        if self.taken != self.inbox && self.refused != self.inbox {
            return Ok(());
        }
        let what = "documents would be moved to the folder they come from";
        Err(cannot_use(&self.inbox, io::Error::other(what)))
    }

    /// Whether it can be looked into at all.
    pub(crate) fn can_be_read(&self) -> Result<(), GatewayError> {
        self.check()?;
        let listed = fs::read_dir(&self.inbox);
        listed
            .map(drop)
            .map_err(|error| cannot_use(&self.inbox, error))
    }
}

fn cannot_use(path: &Path, cause: io::Error) -> GatewayError {
    GatewayError::Folder {
        path: path.to_owned(),
        cause,
    }
}

/// What became of a file.
enum Fate {
    Taken(Vec<Receipt>),
    /// Moved aside with the reason beside it.
    Refused,
    /// Still being written.
    Waits,
    /// Not there any more: somebody else took it away.
    Gone,
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
        folder.check()?;
        let listing = {
            let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
            folder.list(&mut watched)?
        };
        let mut scanned = Scanned {
            waiting: listing.waiting,
            failed: listing.failed,
            ..Scanned::default()
        };
        for (sidecar, to) in &listing.left_behind {
            scanned.failed += usize::from(finish_move(sidecar, to).is_err());
        }
        for item in &listing.ready {
            if self.is_stopping() {
                break;
            }
            match self.take_item(folder, item).await {
                Ok(fate) => scanned.add(&fate),
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

    async fn take_item(&self, from: &Folder, item: &Item) -> Result<Fate, GatewayError> {
        let print = match Print::of(&item.document) {
            Ok(print) => print,
            Err(error) => return gone_or(from, error),
        };
        if print.bytes > from.bytes_max {
            return self.refuse(from, item, "too-large", TOO_LARGE).await;
        }
        let sidecar = match item.sidecar.as_deref().map(read_sidecar).transpose() {
            Ok(sidecar) => sidecar,
            Err(Unread::Gone) => return Ok(Fate::Gone),
            Err(_) if !self.is_old(from, item.sidecar.as_deref()) => return Ok(Fate::Waits),
            Err(Unread::Wrong(why)) => return self.refuse(from, item, "sidecar-wrong", &why).await,
        };
        let bytes = match read_up_to(&item.document, from.bytes_max) {
            Ok(bytes) => bytes,
            Err(error) => return gone_or(from, error),
        };
        if Print::of(&item.document).ok() != Some(print) {
            return Ok(Fate::Waits);
        }
        let receipts = self.take_file(from, item, print, bytes, sidecar).await?;
        // What was written to meanwhile stays: the next look takes what it has become.
        if Print::of(&item.document).ok() == Some(print) {
            let to = from.goes_to(&receipts);
            match move_item(item, to) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(cannot_use(to, error));
                }
                // Moved, or taken away by somebody else.
                _ => {}
            }
        }
        Ok(Fate::Taken(receipts))
    }

    async fn take_file(
        &self,
        from: &Folder,
        item: &Item,
        print: Print,
        bytes: Vec<u8>,
        sidecar: Option<Sidecar>,
    ) -> Result<Vec<Receipt>, GatewayError> {
        let name = item.document.file_name().unwrap_or_default();
        let origin = format!("{} {}", name.to_string_lossy(), print.text());
        let mut hand_over = HandOver::new(&from.source, OnReject::Hold);
        hand_over.lane = from.lane;
        hand_over.origin = &origin;
        self.take_from(hand_over, bytes, sidecar).await
    }

    /// A sidecar that cannot be read may be one that is written in place, against the contract.
    fn is_old(&self, from: &Folder, sidecar: Option<&Path>) -> bool {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        sidecar.is_none_or(|sidecar| from.is_still(sidecar, &mut watched))
    }

    /// It cannot be taken as it is: it is held for a person, and moved aside with the reason
    /// beside it. A document within the limit is kept with its hold.
    async fn refuse(
        &self,
        from: &Folder,
        item: &Item,
        reason: &'static str,
        why: &str,
    ) -> Result<Fate, GatewayError> {
        let print = match Print::of(&item.document) {
            Ok(print) => print,
            Err(error) => return gone_or(from, error),
        };
        let raw = if print.bytes > from.bytes_max {
            Vec::new()
        } else {
            read_up_to(&item.document, from.bytes_max).map_err(|e| cannot_use(&from.inbox, e))?
        };
        let name = item.document.file_name().unwrap_or_default();
        let origin = format!("{} {}", name.to_string_lossy(), print.text());
        let mut hand_over = HandOver::new(&from.source, OnReject::Hold);
        hand_over.lane = from.lane;
        hand_over.origin = &origin;
        self.hold_file(hand_over, reason, raw).await?;
        tracing::warn!(
            source = from.source,
            reason,
            "a file was moved aside; a person must look"
        );
        let told = move_item(item, &from.refused).and_then(|moved| {
            let mut beside = moved.into_os_string();
            beside.push(".reason.txt");
            let text =
                format!("This file was not taken: {why}.\nMend it and hand it over again.\n");
            fs::write(&beside, text)
        });
        told.map_err(|cause| cannot_use(&from.refused, cause))?;
        Ok(Fate::Refused)
    }
}

impl Scanned {
    pub(crate) const fn add_all(&mut self, other: &Self) {
        self.taken += other.taken;
        self.duplicates += other.duplicates;
        self.refused += other.refused;
        self.held += other.held;
        self.waiting += other.waiting;
        self.failed += other.failed;
    }

    fn add(&mut self, fate: &Fate) {
        match fate {
            Fate::Taken(receipts) => receipts.iter().for_each(|one| self.add_receipt(one)),
            Fate::Refused => self.refused += 1,
            Fate::Waits => self.waiting += 1,
            Fate::Gone => {}
        }
    }

    fn add_receipt(&mut self, receipt: &Receipt) {
        self.taken += 1;
        self.duplicates += usize::from(receipt.taken == Some(TakenAs::Duplicate));
        self.refused += usize::from(receipt.disposition == Disposition::Reject);
        self.held += usize::from(receipt.needs_person());
    }
}

fn gone_or(from: &Folder, error: io::Error) -> Result<Fate, GatewayError> {
    match error.kind() {
        io::ErrorKind::NotFound => Ok(Fate::Gone),
        _ => Err(cannot_use(&from.inbox, error)),
    }
}

/// One byte more than the limit is enough to see that a file grew past it.
fn read_up_to(file: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = fs::File::open(file)?;
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Why a sidecar says nothing.
#[derive(Debug)]
enum Unread {
    Gone,
    Wrong(String),
}

fn read_sidecar(path: &Path) -> Result<Sidecar, Unread> {
    let bytes = read_up_to(path, SIDECAR_BYTES_MAX).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Unread::Gone,
        _ => Unread::Wrong(format!("its sidecar cannot be read: {error}")),
    })?;
    if u64::try_from(bytes.len()).is_ok_and(|bytes| bytes > SIDECAR_BYTES_MAX) {
        let why = format!("its sidecar has more than {SIDECAR_BYTES_MAX} bytes");
        return Err(Unread::Wrong(why));
    }
    serde_json::from_slice(&bytes).map_err(|error| {
        let why = told(&error);
        Unread::Wrong(format!("its sidecar is not what the contract says: {why}"))
    })
}

/// What is wrong with a JSON document of the contract, and where. A value that it holds is never repeated.
pub(crate) fn told(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let unknown = text
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split('`').next());
    let what = match (error.classify(), unknown) {
        (Category::Data, Some(name)) => format!("it has no member {name:?}"),
        (Category::Data, None) => "a value is not of the kind that belongs there".to_owned(),
        (Category::Eof, _) => "it ends too early".to_owned(),
        _ => "it is no JSON".to_owned(),
    };
    format!("{what} (line {line}, column {column})")
}

#[cfg(test)]
mod tests;
