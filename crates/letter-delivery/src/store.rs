//! The port to a durable store, cut at the transaction.

use std::future::Future;

use audit_core::StreamKey;
use chrono::{DateTime, Utc};
use nhs_types::Sensitive;

use crate::answer::HandOverAnswer;
use crate::claim::ClaimRequest;
use crate::commit::{Commit, LeaseToken, Work};
use crate::feed::LedgerPage;
use crate::inbound::InboundRecord;
use crate::keys::{DocumentKey, LocalId, PayloadId};
use crate::record::{CopyRecord, LetterRecord};
use crate::stop::Stops;

/// A durable store of letters, copies, their events and the work they cause.
///
/// Every method returns only when what it says is true on disk: after [`commit`](Self::commit)
/// has answered, a power cut loses none of it.
pub trait Store: Send + Sync {
    /// Writes a change, all or nothing. One that lifts a stop makes all parked work due.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when a stream, a document or the stops moved on meanwhile: read again and
    /// decide again. That includes a record without an event of its own: one whose `events` is not
    /// the length of its stream after this commit is stale. [`StoreError::Fenced`] when the lease was lost. [`StoreError::Unavailable`]
    /// when nothing could be written.
    fn commit(&self, commit: Commit) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Claims due work, each piece under a lease of its own.
    ///
    /// Free is what has no lease, or one that has ended; due is what `due_at` says, or what
    /// `earliest_at` says when the request pulls forward. Free and due work stands in lines, one
    /// for each lane and [`Work::line`]. Of each line the store reads as many pieces, oldest
    /// first, as [`ClaimRequest::places`] says: of today's lane so many that became due before
    /// `fresh_since`, and so many since. What is in flight to a destination is the number of
    /// pieces to it under a lease that has not ended, whoever holds it; the last claim of a lane
    /// and destination is remembered by the store where the request has a pace for that lane.
    /// [`ClaimRequest::choose`] says which of these to claim. Two claims at the same time get no
    /// piece twice, and together respect the limits of a destination.
    ///
    /// A claim must not read what it cannot take: the number of its steps grows with the number
    /// of lines, not with the number of pieces that wait in them.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit).
    fn claim(
        &self,
        request: ClaimRequest,
    ) -> impl Future<Output = Result<Vec<Claimed>, StoreError>> + Send;

    /// All stops that were ever set.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    fn stops(&self) -> impl Future<Output = Result<Stops, StoreError>> + Send;

    /// Lets leases that are still held last until then; for each, whether it is still held.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    fn renew(
        &self,
        leases: Vec<(StreamKey, LeaseToken)>,
        until: DateTime<Utc>,
    ) -> impl Future<Output = Result<Vec<bool>, StoreError>> + Send;

    /// A document with its latest letter, and that letter's copies.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    fn document(
        &self,
        key: DocumentKey,
    ) -> impl Future<Output = Result<Option<DocumentView>, StoreError>> + Send;

    /// The copy that a message id, or else a local id, belongs to.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    fn copy_by_message(
        &self,
        message_id: Option<String>,
        local_id: Option<LocalId>,
    ) -> impl Future<Output = Result<Option<CopyRecord>, StoreError>> + Send;

    /// A sealed content, opened.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when it cannot be opened; [`StoreError::Unavailable`].
    fn payload(
        &self,
        letter: StreamKey,
        id: PayloadId,
    ) -> impl Future<Output = Result<Vec<u8>, StoreError>> + Send;

    /// A letter with its copies and its document's number; `None` when there is no such letter.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    fn letter(
        &self,
        key: StreamKey,
    ) -> impl Future<Output = Result<Option<LetterDetails>, StoreError>> + Send;

    /// The answer that was given to a hand-over with this key.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    fn answer(
        &self,
        key: [u8; 32],
    ) -> impl Future<Output = Result<Option<HandOverAnswer>, StoreError>> + Send;

    /// A stretch of the ledger from an event on: what is in it about letters and copies.
    ///
    /// Up to `limit` events are read, whatever they are about; only those that have their place
    /// in the ledger, in its order and without a gap.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    fn ledger_page(
        &self,
        from: u64,
        limit: usize,
    ) -> impl Future<Output = Result<LedgerPage, StoreError>> + Send;

    /// How far a feed has come; `None` for one that has told nothing yet.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    fn cursor(&self, feed: String) -> impl Future<Output = Result<Option<u64>, StoreError>> + Send;

    /// A message that another organisation sent to the trust; `None` when it was not taken in.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    fn inbound(
        &self,
        key: StreamKey,
    ) -> impl Future<Output = Result<Option<InboundRecord>, StoreError>> + Send;

    /// Messages for the trust that were not handed over: first those that are tried next, held
    /// ones last.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    fn inbound_open(
        &self,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<InboundRecord>, StoreError>> + Send;

    /// Which of these inbound messages were dealt with: for each whether it was ours, if known.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    fn seen(
        &self,
        mailbox: String,
        message_ids: Vec<String>,
    ) -> impl Future<Output = Result<Vec<Option<bool>>, StoreError>> + Send;
}

/// A claimed piece of work, with all that is needed to decide on it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Claimed {
    /// The work.
    pub work: Work,
    /// The lease.
    pub token: LeaseToken,
    /// The letter.
    pub letter: LetterRecord,
    /// The copy, for work about a copy.
    pub copy: Option<CopyRecord>,
    /// The latest version of the letter's document that counts: not one that is a draft,
    /// superseded or withdrawn.
    pub latest_version: u32,
    /// The stops, as they were when the work was claimed.
    pub stops: Stops,
}

impl Claimed {
    /// A claimed piece of work, with no stop set.
    pub fn new(
        work: Work,
        token: LeaseToken,
        letter: LetterRecord,
        copy: Option<CopyRecord>,
        latest_version: u32,
    ) -> Self {
        Self {
            work,
            token,
            letter,
            copy,
            latest_version,
            stops: Stops::default(),
        }
    }

    /// Under these stops.
    #[must_use]
    pub fn under(mut self, stops: Stops) -> Self {
        self.stops = stops;
        self
    }
}

/// A document's row with its latest letter.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DocumentView {
    /// The highest version number given so far.
    pub latest: u32,
    /// The fingerprint of the content that stands.
    pub content: [u8; 32],
    /// The letter that stands.
    pub letter: LetterRecord,
    /// Its copies.
    pub copies: Vec<CopyRecord>,
}

impl DocumentView {
    /// A document's row.
    pub const fn new(
        latest: u32,
        content: [u8; 32],
        letter: LetterRecord,
        copies: Vec<CopyRecord>,
    ) -> Self {
        Self {
            latest,
            content,
            letter,
            copies,
        }
    }
}

/// A letter, as its source may ask for it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LetterDetails {
    /// The letter.
    pub letter: LetterRecord,
    /// Its copies, by number.
    pub copies: Vec<CopyRecord>,
    /// The document's number in its source, opened; `None` once it was erased.
    pub document: Option<Sensitive<String>>,
}

impl LetterDetails {
    /// A letter with its copies.
    pub const fn new(
        letter: LetterRecord,
        copies: Vec<CopyRecord>,
        document: Option<Sensitive<String>>,
    ) -> Self {
        Self {
            letter,
            copies,
            document,
        }
    }
}

/// Why a store could not do what was asked, by what the caller can do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Something moved on since it was read: read again and decide again.
    #[error("a stream, a document or the stops moved on since they were read")]
    Conflict,
    /// The lease was lost: somebody else does the work.
    #[error("the lease of this work was lost")]
    Fenced,
    /// Nothing was written and nothing is lost: disk full, locked, no connection.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// Another store was taken into service in the place of this one: stop, and do not send.
    #[error(
        "another store goes on in the place of this one: checkpoints that this one does not know \
         stand beside it; stop, and use the other"
    )]
    TakenOver,
    /// What is stored cannot be read: stop, and verify.
    #[error("the store is damaged: {0}; run `audit verify`")]
    Corrupt(String),
}
