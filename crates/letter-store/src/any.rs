//! One of the stores, as a configuration names it.

use std::sync::Arc;

use audit_core::{Checkpoint, EventProofs, Hash, Origin, SignedCheckpoint, Signer, StreamKey};
use chrono::{DateTime, Utc};
use letter_delivery::{
    ClaimRequest, Claimed, Commit, CopyRecord, DocumentKey, DocumentView, HandOverAnswer,
    InboundRecord, LeaseToken, LedgerPage, LetterDetails, LocalId, PayloadId, RefKind, Stops,
    Store, StoreError,
};

use crate::{
    EngineLock, LetterView, Load, OpenError, PostgresStore, SqliteStore, StatusFilter,
    StoreVerification, Tree, VerifyAgainst,
};

/// One of the stores, for a program that works with whichever its configuration names.
///
/// Every method does what the one of the same name of the store itself does.
#[derive(Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "whoever has it may want the store itself"
)]
pub enum AnyStore {
    /// The embedded store.
    Sqlite(SqliteStore),
    /// The store for several processes.
    Postgres(PostgresStore),
}

/// The same call on the store that it is.
macro_rules! on {
    ($any:expr, $store:ident => $call:expr) => {
        match $any {
            AnyStore::Sqlite($store) => $call,
            AnyStore::Postgres($store) => $call,
        }
    };
}

impl AnyStore {
    /// Joins those that work on the store, or is refused; see the stores' own.
    ///
    /// # Errors
    ///
    /// [`OpenError`], by why not.
    pub async fn lock_engine(&self) -> Result<EngineLock, OpenError> {
        on!(self, store => store.lock_engine().await)
    }

    /// How far the ledger has come.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn tree(&self) -> Result<Tree, StoreError> {
        on!(self, store => store.tree().await)
    }

    /// Signs the ledger as far as it has come, if it grew since it was last signed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn sign(
        &self,
        signer: impl Into<Arc<Signer>>,
        now: DateTime<Utc>,
    ) -> Result<Option<String>, StoreError> {
        on!(self, store => store.sign(signer, now).await)
    }

    /// The checkpoint that is to be signed by a signer that is elsewhere.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn to_sign(&self, origin: Origin) -> Result<Option<Checkpoint>, StoreError> {
        on!(self, store => store.to_sign(origin).await)
    }

    /// Keeps what such a signer signed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn keep_signed(
        &self,
        signed: &SignedCheckpoint,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        on!(self, store => store.keep_signed(signed, now).await)
    }

    /// The latest signed checkpoint.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn checkpoint(&self) -> Result<Option<String>, StoreError> {
        on!(self, store => store.checkpoint().await)
    }

    /// Letters with their copies, as a list or a screen shows them.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn letters(&self, filter: StatusFilter) -> Result<Vec<LetterView>, StoreError> {
        on!(self, store => store.letters(filter).await)
    }

    /// The letters that an identifier leads to, by its keyed index.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn find(&self, kind: RefKind, index: [u8; 32]) -> Result<Vec<StreamKey>, StoreError> {
        on!(self, store => store.find(kind, index).await)
    }

    /// The events of one stream in their canonical bytes, oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn history(&self, stream: StreamKey) -> Result<Vec<Vec<u8>>, StoreError> {
        on!(self, store => store.history(stream).await)
    }

    /// When work is next due; `None` when there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn next_due(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        on!(self, store => store.next_due().await)
    }

    /// How much waits, for gauges and alarms.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn load(&self) -> Result<Load, StoreError> {
        on!(self, store => store.load().await)
    }

    /// At most `count` events in their canonical bytes, from event `from` on.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn entries(&self, from: u64, count: u32) -> Result<Vec<Vec<u8>>, StoreError> {
        on!(self, store => store.entries(from, count).await)
    }

    /// Every signed checkpoint, oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn checkpoints(&self) -> Result<Vec<String>, StoreError> {
        on!(self, store => store.checkpoints().await)
    }

    /// The proofs of all events of these streams that a checkpoint covers.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn proofs(
        &self,
        streams: Vec<StreamKey>,
        checkpoint: SignedCheckpoint,
    ) -> Result<EventProofs, StoreError> {
        on!(self, store => store.proofs(streams, checkpoint).await)
    }

    /// The hashes that prove the ledger's first `first` events to be the beginning of its first
    /// `second`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn consistency(&self, first: u64, second: u64) -> Result<Vec<Hash>, StoreError> {
        on!(self, store => store.consistency(first, second).await)
    }

    /// Checks the ledger, the rows and the contents against each other, by every rule.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when nothing could be read; damage is a finding, not an error.
    pub async fn verify(&self, against: VerifyAgainst) -> Result<StoreVerification, StoreError> {
        on!(self, store => store.verify(against).await)
    }
}

impl From<SqliteStore> for AnyStore {
    fn from(store: SqliteStore) -> Self {
        Self::Sqlite(store)
    }
}

impl From<PostgresStore> for AnyStore {
    fn from(store: PostgresStore) -> Self {
        Self::Postgres(store)
    }
}

impl Store for AnyStore {
    async fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        on!(self, store => store.commit(commit).await)
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claimed>, StoreError> {
        on!(self, store => store.claim(request).await)
    }

    async fn stops(&self) -> Result<Stops, StoreError> {
        on!(self, store => store.stops().await)
    }

    async fn renew(
        &self,
        leases: Vec<(StreamKey, LeaseToken)>,
        until: DateTime<Utc>,
    ) -> Result<Vec<bool>, StoreError> {
        on!(self, store => store.renew(leases, until).await)
    }

    async fn document(&self, key: DocumentKey) -> Result<Option<DocumentView>, StoreError> {
        on!(self, store => store.document(key).await)
    }

    async fn copy_by_message(
        &self,
        message_id: Option<String>,
        local_id: Option<LocalId>,
    ) -> Result<Option<CopyRecord>, StoreError> {
        on!(self, store => store.copy_by_message(message_id, local_id).await)
    }

    async fn payload(&self, letter: StreamKey, id: PayloadId) -> Result<Vec<u8>, StoreError> {
        on!(self, store => store.payload(letter, id).await)
    }

    async fn letter(&self, key: StreamKey) -> Result<Option<LetterDetails>, StoreError> {
        on!(self, store => Store::letter(store, key).await)
    }

    async fn answer(&self, key: [u8; 32]) -> Result<Option<HandOverAnswer>, StoreError> {
        on!(self, store => store.answer(key).await)
    }

    async fn ledger_page(&self, from: u64, limit: usize) -> Result<LedgerPage, StoreError> {
        on!(self, store => store.ledger_page(from, limit).await)
    }

    async fn inbound(&self, key: StreamKey) -> Result<Option<InboundRecord>, StoreError> {
        on!(self, store => store.inbound(key).await)
    }

    async fn inbound_open(&self, limit: usize) -> Result<Vec<InboundRecord>, StoreError> {
        on!(self, store => store.inbound_open(limit).await)
    }

    async fn cursor(&self, feed: String) -> Result<Option<u64>, StoreError> {
        on!(self, store => store.cursor(feed).await)
    }

    async fn seen(
        &self,
        mailbox: String,
        message_ids: Vec<String>,
    ) -> Result<Vec<Option<bool>>, StoreError> {
        on!(self, store => store.seen(mailbox, message_ids).await)
    }
}
