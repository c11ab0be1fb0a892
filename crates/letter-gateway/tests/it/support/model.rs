//! A store in memory that keeps every promise of the `Store` port, for tests and simulations.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use audit_core::{EventBody, Hash, Sequenced, Sequencer, StreamKey, Verifier, VerifyOptions};
use audit_core::{Verification, salted_digest};
use chrono::{DateTime, Utc};
use letter_delivery::{
    ClaimRequest, Claimed, Commit, CopyRecord, DocumentChange, DocumentKey, DocumentView,
    LeaseToken, LedgerAudit, LedgerFault, LetterRecord, LetterState, LocalId, NewPayload,
    PayloadId, Store, StoreError, Work, WorkChange, WorkKind,
};

/// The store: its rows behind a lock, changed all or nothing.
#[derive(Debug, Default)]
pub(crate) struct Model {
    rows: Mutex<Rows>,
    trouble: Mutex<Trouble>,
}

/// What goes wrong with the store.
#[derive(Debug, Default)]
pub(crate) enum Trouble {
    #[default]
    None,
    /// The process dies when so many more commits were made: nothing is written after.
    DiesAfter(usize),
    /// The disk is full.
    Unavailable,
    /// The next so many commits meet another writer.
    Conflicts(usize),
    /// Whoever asks for a content breaks.
    Breaks,
}

impl Trouble {
    fn meet(&mut self) -> Result<(), StoreError> {
        match self {
            Self::DiesAfter(0) => Err(StoreError::Unavailable("the process is dead".to_owned())),
            Self::Unavailable => Err(StoreError::Unavailable("the disk is full".to_owned())),
            Self::Conflicts(left) if *left > 0 => {
                *left -= 1;
                Err(StoreError::Conflict)
            }
            Self::DiesAfter(left) => {
                *left -= 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Everything that is durable.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    pub(crate) events: Vec<Sequenced>,
    pub(crate) letters: BTreeMap<StreamKey, LetterRecord>,
    pub(crate) copies: BTreeMap<StreamKey, CopyRecord>,
    pub(crate) work: BTreeMap<StreamKey, WorkRow>,
    pub(crate) payloads: BTreeMap<PayloadId, NewPayload>,
    pub(crate) references: Vec<(String, [u8; 32], StreamKey)>,
    seen: BTreeMap<(String, String), bool>,
    documents: BTreeMap<DocumentKey, DocumentRow>,
    tails: BTreeMap<StreamKey, (u64, Hash)>,
    sequencer: Sequencer,
}

#[derive(Clone, Debug)]
pub(crate) struct WorkRow {
    pub(crate) work: Work,
    lease: Option<(LeaseToken, DateTime<Utc>)>,
}

#[derive(Clone, Copy, Debug)]
struct DocumentRow {
    latest: u32,
    letter: StreamKey,
    content: [u8; 32],
}

impl Model {
    pub(crate) fn set(&self, trouble: Trouble) {
        *self.trouble.lock().unwrap() = trouble;
    }

    /// What is durable now.
    pub(crate) fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap()
    }

    /// Checks the ledger by itself: rules V2 to V4.
    pub(crate) fn verify(&self) -> Verification {
        let mut verifier = Verifier::new(VerifyOptions::default());
        for event in &self.rows().events {
            verifier.event(&event.canonical);
        }
        verifier.finish()
    }

    /// Checks what the ledger says about letters: rules V5, V11 and V12.
    pub(crate) fn audit(&self) -> Vec<LedgerFault> {
        self.rows().audit()
    }
}

impl Rows {
    pub(crate) fn audit(&self) -> Vec<LedgerFault> {
        let mut audit = LedgerAudit::new();
        self.events
            .iter()
            .for_each(|event| audit.event(&event.event));
        self.letters.values().for_each(|row| audit.letter(row));
        self.copies.values().for_each(|row| audit.copy(row));
        for payload in self.payloads.values() {
            let digest = salted_digest(&payload.salt, &payload.bytes).to_string();
            audit.payload(payload.letter, &digest);
        }
        audit.finish()
    }

    /// The copies of a letter, by number.
    pub(crate) fn copies_of(&self, letter: StreamKey) -> Vec<CopyRecord> {
        let mut copies: Vec<_> = self
            .copies
            .values()
            .filter(|copy| copy.letter == letter)
            .cloned()
            .collect();
        copies.sort_by_key(|copy| copy.number);
        copies
    }

    fn apply(&mut self, commit: Commit) -> Result<(), StoreError> {
        if let Some((stream, token)) = commit.fence {
            self.require_lease(stream, token)?;
        }
        if let Some(change) = &commit.document {
            self.move_document(change)?;
        }
        for body in commit.events {
            self.append(body)?;
        }
        for letter in commit.letters {
            self.require_fresh(letter.key, letter.events)?;
            self.letters.insert(letter.key, letter);
        }
        for copy in commit.copies {
            self.require_fresh(copy.key, copy.events)?;
            self.copies.insert(copy.key, copy);
        }
        for change in commit.work {
            self.change_work(change);
        }
        for payload in commit.payloads {
            assert!(
                self.payloads.insert(payload.id, payload).is_none(),
                "an id is given once"
            );
        }
        for new in commit.references {
            let row = (new.kind.as_str().to_owned(), new.index, new.letter);
            self.references.push(row);
        }
        for message in commit.seen {
            self.seen
                .insert((message.mailbox, message.message_id), message.ours);
        }
        Ok(())
    }

    fn require_lease(&self, stream: StreamKey, token: LeaseToken) -> Result<(), StoreError> {
        let lease = self.work.get(&stream).and_then(|row| row.lease);
        match lease {
            Some((held, _)) if held == token => Ok(()),
            _ => Err(StoreError::Fenced),
        }
    }

    /// A row that somebody else changed since it was read must not be written over.
    fn require_fresh(&self, stream: StreamKey, events: u64) -> Result<(), StoreError> {
        let length = self.tails.get(&stream).map_or(0, |tail| tail.0);
        if events == length {
            Ok(())
        } else {
            Err(StoreError::Conflict)
        }
    }

    fn move_document(&mut self, change: &DocumentChange) -> Result<(), StoreError> {
        let latest = self.documents.get(&change.key).map(|row| row.latest);
        if latest != change.expected {
            return Err(StoreError::Conflict);
        }
        let row = DocumentRow {
            latest: change.latest,
            letter: change.letter,
            content: change.content,
        };
        self.documents.insert(change.key, row);
        Ok(())
    }

    fn append(&mut self, mut body: EventBody) -> Result<(), StoreError> {
        let stream = body.stream;
        let (next, prev) = self.tails.get(&stream).copied().unwrap_or((0, Hash::ZERO));
        if stream == StreamKey::LEDGER {
            body.lseq = next;
        }
        if body.lseq != next {
            return Err(StoreError::Conflict);
        }
        let placed = self
            .sequencer
            .append(body, prev)
            .map_err(|error| StoreError::Corrupt(error.to_string()))?;
        self.tails.insert(stream, (next + 1, placed.leaf));
        self.events.push(placed);
        Ok(())
    }

    fn change_work(&mut self, change: WorkChange) {
        match change {
            WorkChange::Set(work) => {
                let row = WorkRow { work, lease: None };
                self.work.insert(row.work.stream, row);
            }
            WorkChange::Done(stream) => {
                self.work.remove(&stream);
            }
        }
    }

    fn claim(&mut self, request: &ClaimRequest) -> Result<Vec<Claimed>, StoreError> {
        let is_due = |row: &WorkRow| {
            let pulled = |to| row.work.earliest_at <= to;
            let is_free = row.lease.is_none_or(|(_, until)| until <= request.now);
            is_free
                && (row.work.due_at <= request.now || request.pull_forward_to.is_some_and(pulled))
        };
        let mut due: Vec<_> = self.work.values().filter(|row| is_due(row)).collect();
        due.sort_by_key(|row| (row.work.due_at, row.work.stream));
        let due: Vec<Work> = due.into_iter().map(|row| row.work.clone()).collect();
        let mut claimed = Vec::new();
        for (work, token) in due.into_iter().zip(&request.tokens) {
            if let Some(row) = self.work.get_mut(&work.stream) {
                row.lease = Some((*token, request.lease_until));
            }
            claimed.push(self.with_records(work, *token)?);
        }
        Ok(claimed)
    }

    fn with_records(&self, work: Work, token: LeaseToken) -> Result<Claimed, StoreError> {
        let missing = || StoreError::Corrupt("work without its record".to_owned());
        let copy = match work.kind {
            WorkKind::Prepare => None,
            _ => Some(self.copies.get(&work.stream).ok_or_else(missing)?.clone()),
        };
        let key = copy.as_ref().map_or(work.stream, |copy| copy.letter);
        let letter = self.letters.get(&key).ok_or_else(missing)?.clone();
        let latest = self.latest_version(letter.document);
        Ok(Claimed::new(work, token, letter, copy, latest))
    }

    fn latest_version(&self, document: DocumentKey) -> u32 {
        let counts = |letter: &&LetterRecord| {
            use LetterState::{DraftSeen, Superseded, Withdrawn};
            letter.document == document
                && !matches!(letter.state, DraftSeen | Superseded | Withdrawn)
        };
        let versions = self.letters.values().filter(counts);
        versions.map(|letter| letter.version).max().unwrap_or(0)
    }
}

impl Store for Model {
    async fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        self.trouble.lock().unwrap().meet()?;
        let mut rows = self.rows();
        let mut changed = rows.clone();
        changed.apply(commit)?;
        *rows = changed;
        Ok(())
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claimed>, StoreError> {
        self.rows().claim(&request)
    }

    async fn document(&self, key: DocumentKey) -> Result<Option<DocumentView>, StoreError> {
        let rows = self.rows();
        let Some(row) = rows.documents.get(&key) else {
            return Ok(None);
        };
        let letter = rows.letters.get(&row.letter).cloned();
        let letter = letter.ok_or_else(|| StoreError::Corrupt("no letter".to_owned()))?;
        let copies = rows.copies_of(row.letter);
        Ok(Some(DocumentView::new(
            row.latest,
            row.content,
            letter,
            copies,
        )))
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
        let breaks = matches!(*self.trouble.lock().unwrap(), Trouble::Breaks);
        assert!(!breaks, "of a test");
        let rows = self.rows();
        let found = rows.payloads.get(&id).filter(|row| row.letter == letter);
        found
            .map(|row| row.bytes.clone())
            .ok_or_else(|| StoreError::Corrupt("no such content".to_owned()))
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
