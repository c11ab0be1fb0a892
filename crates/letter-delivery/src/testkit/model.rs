//! A store in memory that keeps every promise of the port.

mod place;
mod rows;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use audit_core::{StreamKey, Verification, Verifier, VerifyOptions};
use chrono::{DateTime, Utc};

use super::Trouble;
use crate::answer::HandOverAnswer;
use crate::audit::LedgerFault;
use crate::claim::ClaimRequest;
use crate::commit::{Commit, LeaseToken};
use crate::feed::LedgerPage;
use crate::inbound::InboundRecord;
use crate::keys::{DocumentKey, LocalId, PayloadId};
use crate::record::CopyRecord;
use crate::stop::Stops;
use crate::store::{Claimed, DocumentView, LetterDetails, Store, StoreError};

pub use place::ModelPlace;
pub use rows::{ModelRows, ModelWork};

/// A [`Store`] in memory, changed all or nothing, with all its rows to look at and its
/// [`Trouble`] to choose. What it holds lives as long as the value: drop everything else, and
/// it is what the next process finds after a crash.
///
/// A clone is another handle of the same rows.
#[derive(Clone, Debug, Default)]
pub struct ModelStore(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    rows: Mutex<ModelRows>,
    trouble: Mutex<Trouble>,
}

impl ModelStore {
    /// What is durable now. Let it go before the store is used again.
    pub fn rows(&self) -> MutexGuard<'_, ModelRows> {
        self.0.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on this goes wrong.
    pub fn set(&self, trouble: Trouble) {
        *self.trouble() = trouble;
    }

    /// Checks the ledger by itself: rules V2 to V4.
    pub fn verify(&self) -> Verification {
        let mut verifier = Verifier::new(VerifyOptions::default());
        for event in &self.rows().events {
            verifier.event(&event.canonical);
        }
        verifier.finish()
    }

    /// Checks what the ledger says about letters: rules V5, V11 and V12.
    pub fn audit(&self) -> Vec<LedgerFault> {
        self.rows().audit()
    }

    fn trouble(&self) -> MutexGuard<'_, Trouble> {
        let trouble = &self.0.trouble;
        trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for ModelStore {
    async fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        self.trouble().meet()?;
        self.rows().apply(commit)
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claimed>, StoreError> {
        self.rows().claim(&request)
    }

    async fn stops(&self) -> Result<Stops, StoreError> {
        Ok(self.rows().stops())
    }

    async fn renew(
        &self,
        leases: Vec<(StreamKey, LeaseToken)>,
        until: DateTime<Utc>,
    ) -> Result<Vec<bool>, StoreError> {
        self.trouble().meet()?;
        let mut rows = self.rows();
        let renew = |lease| rows.renew(lease, until);
        Ok(leases.into_iter().map(renew).collect())
    }

    async fn document(&self, key: DocumentKey) -> Result<Option<DocumentView>, StoreError> {
        self.rows().document(key)
    }

    async fn copy_by_message(
        &self,
        message_id: Option<String>,
        local_id: Option<LocalId>,
    ) -> Result<Option<CopyRecord>, StoreError> {
        let rows = self.rows();
        let by_message = |copy: &&CopyRecord| message_id.is_some() && copy.message_id == message_id;
        let by_local = |copy: &&CopyRecord| Some(&copy.local_id) == local_id.as_ref();
        let found = rows.copies.values().find(by_message);
        Ok(found
            .or_else(|| rows.copies.values().find(by_local))
            .cloned())
    }

    async fn payload(&self, letter: StreamKey, id: PayloadId) -> Result<Vec<u8>, StoreError> {
        let breaks = self.trouble().breaks();
        assert!(!breaks, "of a test");
        let rows = self.rows();
        let found = rows.payloads.get(&id).filter(|row| row.letter == letter);
        found
            .map(|row| row.bytes.clone())
            .ok_or_else(|| StoreError::Corrupt("no such content".to_owned()))
    }

    async fn letter(&self, key: StreamKey) -> Result<Option<LetterDetails>, StoreError> {
        let rows = self.rows();
        let letter = rows.letters.get(&key).cloned();
        let details = |letter| LetterDetails::new(letter, rows.copies_of(key), rows.number(key));
        Ok(letter.map(details))
    }

    async fn answer(&self, key: [u8; 32]) -> Result<Option<HandOverAnswer>, StoreError> {
        Ok(self.rows().answers.get(&key).cloned())
    }

    async fn ledger_page(&self, from: u64, limit: usize) -> Result<LedgerPage, StoreError> {
        self.rows().entries(from, limit)
    }

    async fn cursor(&self, feed: String) -> Result<Option<u64>, StoreError> {
        Ok(self.rows().cursors.get(&feed).copied())
    }

    async fn inbound(&self, key: StreamKey) -> Result<Option<InboundRecord>, StoreError> {
        Ok(self.rows().inbound.get(&key).cloned())
    }

    async fn inbound_open(&self, limit: usize) -> Result<Vec<InboundRecord>, StoreError> {
        Ok(self.rows().inbound_open(limit))
    }

    async fn seen(
        &self,
        mailbox: String,
        message_ids: Vec<String>,
    ) -> Result<Vec<Option<bool>>, StoreError> {
        let rows = self.rows();
        let known = |id| rows.seen.get(&(mailbox.clone(), id)).copied();
        Ok(message_ids.into_iter().map(known).collect())
    }
}
