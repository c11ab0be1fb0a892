//! One trust's letters in one schema of a PostgreSQL database.

mod checkpoint;
mod claim;
mod commit;
mod connect;
mod erase;
mod fault;
mod feed;
mod keys;
mod ledger;
mod lists;
mod load;
mod row;
mod schema;
mod sequencer;
mod settings;
mod steps;
mod stops;
mod verify;
mod work;

use std::path::PathBuf;
use std::sync::Arc;

use audit_core::StreamKey;
use deadpool_postgres::Pool;
use letter_delivery::{
    ClaimRequest, Claimed, Commit, CopyRecord, DocumentKey, DocumentView, HandOverAnswer,
    InboundRecord, LeaseToken, LedgerPage, LetterDetails, LocalId, PayloadId, RefKind, Stops,
    Store, StoreError,
};
use tokio::sync::Notify;

use crate::cipher::Cipher;
use crate::row_mac::RowKey;
use crate::views::{LetterView, StatusFilter, Tree};
use crate::{EngineLock, Load, MasterKey, OpenError, StoreVerification, VerifyAgainst, notes};
use keys::Keys;
use schema::Opening;
use settings::Place;

pub use settings::PostgresSettings;

/// A trust's letters, their events and their contents, in one schema of a PostgreSQL database.
///
/// Several processes may work on it at the same time, on several machines: work is claimed under
/// leases, changes of one letter go one after the other, and one process at a time gives events
/// their place in the ledger. Methods must be called within a tokio runtime.
pub struct PostgresStore {
    inner: Arc<Inner>,
}

/// What every part of the store works with.
struct Inner {
    pool: Pool,
    keys: Keys,
    rows: RowKey,
    place: Place,
    /// Where it is, as messages say it.
    shown: String,
    notes: Option<PathBuf>,
    /// Tells the sequencer of this process that there is something to do.
    wake: Notify,
}

impl PostgresStore {
    /// Opens a store, or makes a new one; the database must exist.
    ///
    /// # Errors
    ///
    /// [`OpenError::NotDurable`] for a server that may lose what it confirmed; else by what is
    /// wrong with place, schema or key.
    pub async fn open(settings: PostgresSettings, key: &MasterKey) -> Result<Self, OpenError> {
        let (place, rows) = (settings.main.clone(), RowKey::new(key));
        let shown = place.shown();
        let pool = connect::pool(&settings, &place)?;
        let opening = Opening {
            place: &place,
            rows: &rows,
        };
        opening.store(&pool).await?;
        let cipher = Cipher::new(key).map_err(|error| OpenError::Unreachable {
            path: shown.clone().into(),
            cause: error.to_string(),
        })?;
        opening.check_key(&pool, &cipher).await?;
        let keys = connect::pool(&settings, &settings.keys)?;
        let place_of_keys = Opening {
            place: &settings.keys,
            rows: &rows,
        };
        place_of_keys.keys(&keys, &pool).await?;
        let inner = Inner {
            keys: Keys::new(cipher, keys),
            pool,
            rows,
            place,
            shown,
            notes: settings.notes,
            wake: Notify::new(),
        };
        // What was erased and not yet destroyed when a process ended. Verification tells what is
        // left, and the next opening tries again.
        let _ = erase::complete(&inner).await;
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Joins those that work on the store; there may be several, also on other machines.
    ///
    /// As long as the lock is held this process follows the commits as sequencer, or stands by to
    /// take over. Leases of a process that died run out by themselves.
    ///
    /// # Errors
    ///
    /// [`OpenError::RolledBack`] when the store is older than its own checkpoints;
    /// [`OpenError::Unreachable`].
    pub async fn lock_engine(&self) -> Result<EngineLock, OpenError> {
        if let Some(file) = &self.inner.notes {
            checkpoint::refuse_rollback(&self.inner, file).await?;
        }
        erase::again(&self.inner).await.map_err(|error| {
            let path = self.inner.shown.clone().into();
            let cause = error.to_string();
            OpenError::Unreachable { path, cause }
        })?;
        let inner = Arc::clone(&self.inner);
        let following = tokio::spawn(async move { sequencer::keep(&inner).await });
        Ok(EngineLock::following(following))
    }

    /// Gives every event that waits its place in the ledger; how many there were.
    ///
    /// Processes that hold [`lock_engine`](Self::lock_engine) do so by themselves.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn sequence(&self) -> Result<u64, StoreError> {
        sequencer::sequence(&self.inner).await
    }

    /// How far the ledger has come: the events that have their place.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn tree(&self) -> Result<Tree, StoreError> {
        checkpoint::tree(&self.inner).await
    }

    /// Gives what waits its place, and signs the ledger as far as it has come, if it grew since it
    /// was last signed.
    ///
    /// The signed note is durable in the store, and appended to the file outside it, before it is
    /// given out.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn sign(
        &self,
        signer: impl Into<Arc<audit_core::Signer>>,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Result<Option<String>, StoreError> {
        let signer = signer.into();
        self.sequence().await?;
        let note = checkpoint::sign(&self.inner, &signer, now).await?;
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
        self.sequence().await?;
        checkpoint::to_sign(&self.inner, origin).await
    }

    /// Keeps what such a signer signed, in the store and in the file that is kept apart.
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
        checkpoint::keep(&self.inner, size, &note, now).await?;
        self.append_latest().await
    }

    async fn append_latest(&self) -> Result<(), StoreError> {
        if let (Some(file), Some(latest)) = (&self.inner.notes, self.checkpoint().await?) {
            notes::append(file, &latest)?;
        }
        Ok(())
    }

    /// The latest signed checkpoint.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn checkpoint(&self) -> Result<Option<String>, StoreError> {
        checkpoint::latest(&self.inner).await
    }

    /// Letters with their copies, as a list or a screen shows them.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn letters(&self, filter: StatusFilter) -> Result<Vec<LetterView>, StoreError> {
        lists::letters(&self.inner, &filter).await
    }

    /// The letters that an identifier leads to, by its keyed index.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn find(&self, kind: RefKind, index: [u8; 32]) -> Result<Vec<StreamKey>, StoreError> {
        lists::find(&self.inner, kind, index).await
    }

    /// The events of one stream that have their place, in their canonical bytes, oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn history(&self, stream: StreamKey) -> Result<Vec<Vec<u8>>, StoreError> {
        lists::history(&self.inner, stream).await
    }

    /// When work is next due; `None` when there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn next_due(&self) -> Result<Option<chrono::DateTime<chrono::Utc>>, StoreError> {
        claim::next_due(&self.inner).await
    }

    /// How much waits, for gauges and alarms.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn load(&self) -> Result<Load, StoreError> {
        load::load(&self.inner).await
    }

    /// Checks the ledger, the rows and the contents against each other, by every rule.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when nothing could be read; damage is a finding, not an error.
    pub async fn verify(&self, against: VerifyAgainst) -> Result<StoreVerification, StoreError> {
        // Read first: a note that is signed meanwhile is in the store before it is outside.
        let outside = match &self.inner.notes {
            Some(file) => notes::read(file)?,
            None => Vec::new(),
        };
        verify::verify(&self.inner, against, &outside).await
    }
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PostgresStore")
            .field(&self.inner.shown)
            .finish()
    }
}

impl Store for PostgresStore {
    async fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        if commit.is_empty() {
            return Ok(());
        }
        Box::pin(commit::write(&self.inner, &commit)).await
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claimed>, StoreError> {
        Box::pin(claim::claim(&self.inner, &request)).await
    }

    async fn stops(&self) -> Result<Stops, StoreError> {
        let client = connect::one(&self.inner.pool).await?;
        stops::all(&client).await
    }

    async fn renew(
        &self,
        leases: Vec<(StreamKey, LeaseToken)>,
        until: chrono::DateTime<chrono::Utc>,
    ) -> Result<Vec<bool>, StoreError> {
        Box::pin(claim::renew(&self.inner, &leases, until)).await
    }

    async fn document(&self, key: DocumentKey) -> Result<Option<DocumentView>, StoreError> {
        Box::pin(lists::document(&self.inner, key)).await
    }

    async fn copy_by_message(
        &self,
        message_id: Option<String>,
        local_id: Option<LocalId>,
    ) -> Result<Option<CopyRecord>, StoreError> {
        lists::copy_by_message(&self.inner, message_id.as_deref(), local_id.as_ref()).await
    }

    async fn payload(&self, letter: StreamKey, id: PayloadId) -> Result<Vec<u8>, StoreError> {
        lists::payload(&self.inner, letter, id).await
    }

    async fn letter(&self, key: StreamKey) -> Result<Option<LetterDetails>, StoreError> {
        Box::pin(lists::details(&self.inner, key)).await
    }

    async fn answer(&self, key: [u8; 32]) -> Result<Option<HandOverAnswer>, StoreError> {
        lists::answer(&self.inner, key).await
    }

    async fn ledger_page(&self, from: u64, limit: usize) -> Result<LedgerPage, StoreError> {
        feed::entries(&self.inner, from, limit).await
    }

    async fn inbound(&self, key: StreamKey) -> Result<Option<InboundRecord>, StoreError> {
        feed::inbound(&self.inner, key).await
    }

    async fn inbound_open(&self, limit: usize) -> Result<Vec<InboundRecord>, StoreError> {
        feed::inbound_open(&self.inner, limit).await
    }

    async fn cursor(&self, feed: String) -> Result<Option<u64>, StoreError> {
        feed::cursor(&self.inner, &feed).await
    }

    async fn seen(
        &self,
        mailbox: String,
        message_ids: Vec<String>,
    ) -> Result<Vec<Option<bool>>, StoreError> {
        lists::seen(&self.inner, &mailbox, &message_ids).await
    }
}
