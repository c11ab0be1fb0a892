//! One trust's letters in one SQLite file.

mod checkpoint;
mod claim;
mod commit;
mod erase;
mod feed;
mod keeping;
mod ledger;
mod lists;
mod load;
mod lock;
mod migrate;
mod rebuild;
mod row_mac;
mod schema;
mod seal;
mod search;
mod stops;
mod verify;
mod worker;

use std::path::{Path, PathBuf};

use audit_core::StreamKey;
use letter_delivery::{
    ClaimRequest, Claimed, Commit, CopyRecord, DocumentKey, DocumentView, HandOverAnswer,
    InboundRecord, LeaseToken, LedgerPage, LetterDetails, LocalId, PayloadId, RefKind, Stops,
    Store, StoreError,
};

use crate::views::{LetterView, StatusFilter, Tree};
use crate::{EngineLock, Load, MasterKey, OpenError, StoreVerification, VerifyAgainst, notes};
use worker::{Reader, Writer};

pub use keeping::{
    Backup, BackupTo, KeepError, KeptFile, KeyCopy, Manifest, RestoreFrom, Restoring,
};
pub use migrate::Versions;
pub use rebuild::Rebuilt;

/// A trust's letters, their events and their contents, in one database file.
///
/// Writes go through one thread that commits what waits together (group commit); reads go through
/// another. Both end when the store is dropped.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    writer: Writer,
    reader: Reader,
}

impl SqliteStore {
    /// Opens a store, or makes a new one; the folder must exist.
    ///
    /// A store of an older version is taken to this one, in one transaction: what an older
    /// version wrote stays, and tables are only added. The older version then refuses it.
    ///
    /// # Errors
    ///
    /// [`OpenError`], by what is wrong with file or key.
    pub fn open(path: &Path, key: &MasterKey) -> Result<Self, OpenError> {
        let writer = Writer::start(path, key)?;
        let reader = Reader::start(path, key)?;
        Ok(Self {
            path: path.to_owned(),
            writer,
            reader,
        })
    }

    /// Letters that were erased after the backup which this store was brought back from: they are
    /// here, and their key is gone.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn erased_since(&self) -> Result<Vec<StreamKey>, StoreError> {
        self.reader.run(erase::erased_since).await
    }

    /// The version of a store's tables, and what opening it would add to them; changes nothing,
    /// but tries the way there.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn versions(path: &Path, key: &MasterKey) -> Result<Versions, OpenError> {
        migrate::versions(path, key)
    }

    /// Makes a backup of a store, whoever works on it meanwhile.
    ///
    /// When this returns the copy was verified and is on disk; until then it has no name that a
    /// restore would find, and no older backup is touched.
    ///
    /// # Errors
    ///
    /// [`KeepError`]; what is found wrong in the copy is no error but in [`Backup::faults`].
    pub fn back_up(
        path: &Path,
        key: &MasterKey,
        to: &BackupTo,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Result<Backup, KeepError> {
        keeping::back_up(path, key, to, now)
    }

    /// Destroys in every copy of the key file that a backup made what was erased since: an older
    /// backup then opens it no more. Copies that were made by other means are not known here.
    ///
    /// # Errors
    ///
    /// [`KeepError`] when the key file itself cannot be read; a copy that is out of reach is told
    /// in its [`KeyCopy`].
    pub fn carry_erasures(path: &Path, key: &MasterKey) -> Result<Vec<KeyCopy>, KeepError> {
        keeping::carry(path, key)
    }

    /// Puts a backup together beside a store, to be looked at and then put in its place. Nothing
    /// may work on the store meanwhile.
    ///
    /// `origin` is the ledger's; `outside` are checkpoints that were kept elsewhere, which tell
    /// how far it came.
    ///
    /// # Errors
    ///
    /// [`KeepError`], by what is in the way or missing; nothing was changed.
    pub fn restore(
        path: &Path,
        key: &MasterKey,
        from: &RestoreFrom,
        origin: audit_core::Origin,
        outside: &[String],
    ) -> Result<Restoring, KeepError> {
        keeping::restore(path, key, from, origin, outside)
    }

    /// The store in its place is an older copy ([`OpenError::RolledBack`]): it goes on as one that
    /// was restored.
    ///
    /// # Errors
    ///
    /// [`KeepError`].
    pub fn restore_as_it_is(
        path: &Path,
        key: &MasterKey,
        origin: audit_core::Origin,
        outside: &[String],
    ) -> Result<Restoring, KeepError> {
        keeping::as_it_is(path, key, origin, outside)
    }

    /// Takes the engine's lock: only one `run` works on a store at a time.
    ///
    /// Leases that a dead process left behind are released.
    ///
    /// # Errors
    ///
    /// [`OpenError::Locked`] when another process holds it; [`OpenError::RolledBack`] when the
    /// store is older than its own checkpoints; [`OpenError::Unavailable`].
    pub async fn lock_engine(&self) -> Result<EngineLock, OpenError> {
        let lock = lock::lock(&self.path)?;
        checkpoint::refuse_rollback(&self.path, &self.reader).await?;
        let released = self.writer.run(claim::release_all).await;
        released.map_err(|error| self.unavailable(&error))?;
        let returned = self.writer.run_erasing(erase::again).await;
        returned.map_err(|error| self.unavailable(&error))?;
        Ok(lock)
    }

    /// How far the ledger has come.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn tree(&self) -> Result<Tree, StoreError> {
        self.reader.run(|db, _| checkpoint::tree(db)).await
    }

    /// Signs the ledger as far as it has come, if it grew since it was last signed.
    ///
    /// The signed note is durable in the store, and appended to a file beside it, before it is
    /// given out; that file is what tells a store that was rolled back.
    ///
    /// # Errors
    ///
    /// [`StoreError::TakenOver`] when the latest note of that file is not of this store;
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn sign(
        &self,
        signer: impl Into<std::sync::Arc<audit_core::Signer>>,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Result<Option<String>, StoreError> {
        let (signer, path) = (signer.into(), self.path.clone());
        let outside = notes::latest(&checkpoint::outside(&self.path))?;
        let note = self
            .writer
            .run(move |db, _| {
                checkpoint::require_latest(db, outside)?;
                checkpoint::sign(db, &signer, now, &path)
            })
            .await?;
        self.append_latest().await?;
        Ok(note)
    }

    /// The checkpoint that is to be signed under this origin, by a signer that is elsewhere;
    /// nothing when all is signed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when more was signed before than is held; [`StoreError::Unavailable`].
    pub async fn to_sign(
        &self,
        origin: audit_core::Origin,
    ) -> Result<Option<audit_core::Checkpoint>, StoreError> {
        let path = self.path.clone();
        let outside = notes::latest(&checkpoint::outside(&self.path))?;
        self.reader
            .run(move |db, _| {
                checkpoint::require_latest(db, outside)?;
                checkpoint::to_sign(db, origin, &path)
            })
            .await
    }

    /// Keeps what such a signer signed, in the store and in the file beside it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn keep_signed(
        &self,
        signed: &audit_core::SignedCheckpoint,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Result<(), StoreError> {
        let (size, note) = (signed.checkpoint().size, signed.to_text());
        self.writer
            .run(move |db, _| checkpoint::keep(db, size, &note, now))
            .await?;
        self.append_latest().await
    }

    async fn append_latest(&self) -> Result<(), StoreError> {
        match self.checkpoint().await? {
            Some(latest) => notes::append(&checkpoint::outside(&self.path), &latest),
            None => Ok(()),
        }
    }

    /// The latest signed checkpoint.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn checkpoint(&self) -> Result<Option<String>, StoreError> {
        self.reader.run(|db, _| checkpoint::latest(db)).await
    }

    /// Letters with their copies, as a list or a screen shows them.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn letters(&self, filter: StatusFilter) -> Result<Vec<LetterView>, StoreError> {
        self.reader
            .run(move |db, seal| search::letters(db, seal, &filter))
            .await
    }

    /// The letters that an identifier leads to, by its keyed index.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn find(&self, kind: RefKind, index: [u8; 32]) -> Result<Vec<StreamKey>, StoreError> {
        self.reader
            .run(move |db, _| lists::find(db, kind, index))
            .await
    }

    /// The events of one stream in their canonical bytes, oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn history(&self, stream: StreamKey) -> Result<Vec<Vec<u8>>, StoreError> {
        self.reader
            .run(move |db, _| lists::history(db, stream))
            .await
    }

    /// When work is next due; `None` when there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn next_due(&self) -> Result<Option<chrono::DateTime<chrono::Utc>>, StoreError> {
        self.reader.run(|db, _| claim::next_due(db)).await
    }

    /// How much waits, for gauges and alarms.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn load(&self) -> Result<Load, StoreError> {
        self.reader.run(|db, _| load::load(db)).await
    }

    /// Checks the ledger, the rows and the contents against each other, by every rule.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when nothing could be read; damage is a finding, not an error.
    pub async fn verify(&self, against: VerifyAgainst) -> Result<StoreVerification, StoreError> {
        // Read first: a note that is signed meanwhile is in the store before it is outside.
        let outside = notes::read(&checkpoint::outside(&self.path))?;
        self.reader
            .run(move |db, seal| Ok(verify::verify(db, seal, against, &outside)))
            .await
    }

    fn unavailable(&self, error: &StoreError) -> OpenError {
        OpenError::Unavailable {
            path: self.path.clone(),
            cause: error.to_string(),
        }
    }
}

impl Store for SqliteStore {
    async fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        if commit.is_empty() {
            return Ok(());
        }
        let erases = !commit.erase.is_empty();
        let change = move |db: &_, seal: &_| commit::write(db, seal, commit);
        if erases {
            self.writer.run_erasing(change).await
        } else {
            self.writer.run(change).await
        }
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claimed>, StoreError> {
        self.writer
            .run(move |db, _| claim::claim(db, &request))
            .await
    }

    async fn stops(&self) -> Result<Stops, StoreError> {
        self.reader.run(|db, _| stops::all(db)).await
    }

    async fn renew(
        &self,
        leases: Vec<(StreamKey, LeaseToken)>,
        until: chrono::DateTime<chrono::Utc>,
    ) -> Result<Vec<bool>, StoreError> {
        self.writer
            .run(move |db, _| claim::renew(db, &leases, until))
            .await
    }

    async fn document(&self, key: DocumentKey) -> Result<Option<DocumentView>, StoreError> {
        self.reader.run(move |db, _| lists::document(db, key)).await
    }

    async fn copy_by_message(
        &self,
        message_id: Option<String>,
        local_id: Option<LocalId>,
    ) -> Result<Option<CopyRecord>, StoreError> {
        self.reader
            .run(move |db, _| lists::copy_by_message(db, message_id.as_deref(), local_id.as_ref()))
            .await
    }

    async fn payload(&self, letter: StreamKey, id: PayloadId) -> Result<Vec<u8>, StoreError> {
        self.reader
            .run(move |db, seal| lists::payload(db, seal, letter, id))
            .await
    }

    async fn letter(&self, key: StreamKey) -> Result<Option<LetterDetails>, StoreError> {
        self.reader
            .run(move |db, seal| lists::details(db, seal, key))
            .await
    }

    async fn answer(&self, key: [u8; 32]) -> Result<Option<HandOverAnswer>, StoreError> {
        self.reader.run(move |db, _| lists::answer(db, key)).await
    }

    async fn ledger_page(&self, from: u64, limit: usize) -> Result<LedgerPage, StoreError> {
        self.reader
            .run(move |db, seal| feed::entries(db, seal, from, limit))
            .await
    }

    async fn inbound(&self, key: StreamKey) -> Result<Option<InboundRecord>, StoreError> {
        self.reader.run(move |db, _| feed::inbound(db, key)).await
    }

    async fn inbound_open(&self, limit: usize) -> Result<Vec<InboundRecord>, StoreError> {
        self.reader
            .run(move |db, _| feed::inbound_open(db, limit))
            .await
    }

    async fn cursor(&self, feed: String) -> Result<Option<u64>, StoreError> {
        self.reader.run(move |db, _| feed::cursor(db, &feed)).await
    }

    async fn seen(
        &self,
        mailbox: String,
        message_ids: Vec<String>,
    ) -> Result<Vec<Option<bool>>, StoreError> {
        self.reader
            .run(move |db, _| lists::seen(db, &mailbox, &message_ids))
            .await
    }
}
