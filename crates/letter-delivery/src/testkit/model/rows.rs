use std::collections::BTreeMap;

use audit_core::{EventBody, Hash, Sequenced, Sequencer, StreamKey, salted_digest};
use chrono::{DateTime, Duration, Utc};
use nhs_types::MailboxId;
use nhs_types::Sensitive;

use crate::answer::HandOverAnswer;
use crate::audit::{LedgerAudit, LedgerFault};
use crate::claim::{ClaimRequest, Line};
use crate::commit::{
    Commit, DocumentChange, Lane, LeaseToken, NewPayload, Work, WorkChange, WorkKind,
};
use crate::feed::{LedgerEntry, LedgerPage};
use crate::inbound::InboundRecord;
use crate::keys::{DocumentKey, PayloadId, RefKind};
use crate::record::{CopyRecord, LetterRecord};
use crate::state::{InboundState, LetterState};
use crate::stop::{Stop, Stops};
use crate::store::{Claimed, DocumentView, StoreError};

/// Everything that is durable in a [`ModelStore`](super::ModelStore).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ModelRows {
    /// The ledger.
    pub events: Vec<Sequenced>,
    /// Letters by their stream.
    pub letters: BTreeMap<StreamKey, LetterRecord>,
    /// Copies by their stream.
    pub copies: BTreeMap<StreamKey, CopyRecord>,
    /// Work by the stream it is about.
    pub work: BTreeMap<StreamKey, ModelWork>,
    /// Contents, unsealed: this is a model.
    pub payloads: BTreeMap<PayloadId, NewPayload>,
    /// References: kind, index, letter.
    pub references: Vec<(String, [u8; 32], StreamKey)>,
    /// Inbound messages that are dealt with, by mailbox and id, and whether they were ours.
    pub seen: BTreeMap<(String, String), bool>,
    /// Answers to hand-overs by their key.
    pub answers: BTreeMap<[u8; 32], HandOverAnswer>,
    /// Inbound messages by their stream.
    pub inbound: BTreeMap<StreamKey, InboundRecord>,
    /// How far each feed has come.
    pub cursors: BTreeMap<String, u64>,
    /// Stops by their number.
    pub stops: BTreeMap<u32, Stop>,
    /// When a lane's work to a destination was last claimed, where the lane has a pace.
    claimed: BTreeMap<(Lane, MailboxId), DateTime<Utc>>,
    numbers: BTreeMap<StreamKey, Sensitive<String>>,
    documents: BTreeMap<DocumentKey, DocumentRow>,
    versions: BTreeMap<DocumentKey, Vec<StreamKey>>,
    copies_by_letter: BTreeMap<StreamKey, Vec<StreamKey>>,
    tails: BTreeMap<StreamKey, Tail>,
    sequencer: Sequencer,
}

/// A piece of work, and the lease it is under.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ModelWork {
    /// The work.
    pub work: Work,
    /// The lease's token, and until when it holds.
    pub lease: Option<(LeaseToken, DateTime<Utc>)>,
    /// Whether it waits for a stop to be lifted.
    pub parked: bool,
}

#[derive(Clone, Copy, Debug)]
struct DocumentRow {
    latest: u32,
    letter: StreamKey,
    content: [u8; 32],
}

/// Where a stream ends, and where its events stand.
#[derive(Clone, Debug)]
struct Tail {
    last: Hash,
    places: Vec<usize>,
}

/// Events with their place, not yet written.
struct Staged {
    events: Vec<Sequenced>,
    /// The new length of each stream that grows, and its last leaf.
    ends: BTreeMap<StreamKey, (u64, Hash)>,
    sequencer: Sequencer,
}

impl ModelWork {
    fn is_free(&self, now: DateTime<Utc>) -> bool {
        self.lease.is_none_or(|(_, until)| until <= now)
    }
}

impl ModelRows {
    /// Checks what the ledger says about letters: rules V5, V11 and V12.
    pub fn audit(&self) -> Vec<LedgerFault> {
        let mut audit = LedgerAudit::new();
        self.events
            .iter()
            .for_each(|event| audit.event(&event.event));
        self.letters.values().for_each(|row| audit.letter(row));
        self.copies.values().for_each(|row| audit.copy(row));
        self.inbound.values().for_each(|row| audit.inbound(row));
        self.stops.values().for_each(|row| audit.stop(row));
        for payload in self.payloads.values() {
            let digest = salted_digest(&payload.salt, &payload.bytes).to_string();
            audit.payload(payload.letter, &digest);
        }
        audit.finish()
    }

    /// The `type`s of a stream's events.
    pub fn kinds(&self, stream: StreamKey) -> Vec<&str> {
        self.of(stream).map(|body| body.kind.as_str()).collect()
    }

    /// A stream's events.
    pub fn of(&self, stream: StreamKey) -> impl Iterator<Item = &EventBody> {
        let places = self.tails.get(&stream).map(|tail| tail.places.as_slice());
        let events = places.unwrap_or_default().iter();
        events
            .filter_map(|place| self.events.get(*place))
            .map(|placed| &placed.event.body)
    }

    /// The letter that stands for a document, if the document is known.
    pub fn standing(&self, document: DocumentKey) -> Option<&LetterRecord> {
        let row = self.documents.get(&document)?;
        self.letters.get(&row.letter)
    }

    /// The copies of a letter, by number.
    pub fn copies_of(&self, letter: StreamKey) -> Vec<CopyRecord> {
        let keys = self.copies_by_letter.get(&letter);
        let copies = keys.into_iter().flatten();
        let mut copies: Vec<_> = copies
            .filter_map(|key| self.copies.get(key))
            .cloned()
            .collect();
        copies.sort_by_key(|copy| copy.number);
        copies
    }

    /// Looks at all that may be refused first, so that nothing is left half done.
    pub(super) fn apply(&mut self, commit: Commit) -> Result<(), StoreError> {
        if let Some((stream, token)) = commit.fence {
            self.require_lease(stream, token)?;
        }
        if commit
            .stops_seen
            .is_some_and(|seen| seen != self.stops().version())
        {
            return Err(StoreError::Conflict);
        }
        if let Some(change) = &commit.document {
            self.require_version(change)?;
        }
        let staged = self.stage(commit.events)?;
        let letters = commit.letters.iter().map(|row| (row.key, row.events));
        let copies = commit.copies.iter().map(|row| (row.key, row.events));
        let inbound = commit.inbound.iter().map(|row| (row.key, row.events));
        for (stream, events) in letters.chain(copies).chain(inbound) {
            self.require_fresh(stream, events, &staged)?;
        }
        self.require_new(&commit.payloads)?;
        self.require_unused(&commit.answers)?;

        self.place(staged);
        if let Some(change) = commit.document {
            self.move_document(&change);
        }
        commit
            .letters
            .into_iter()
            .for_each(|row| self.put_letter(row));
        commit.copies.into_iter().for_each(|row| self.put_copy(row));
        commit
            .work
            .into_iter()
            .for_each(|row| self.change_work(row));
        if let Some(stop) = commit.stop {
            self.put_stop(stop);
        }
        if let Some(by) = commit.rebase {
            self.rebase(by);
        }
        commit
            .erase
            .iter()
            .for_each(|erasure| self.erase(erasure.letter));
        for payload in commit.payloads {
            self.payloads.insert(payload.id, payload);
        }
        for new in commit.references {
            if new.kind == RefKind::Document {
                self.numbers.insert(new.letter, Sensitive::new(new.value));
            }
            let row = (new.kind.as_str().to_owned(), new.index, new.letter);
            self.references.push(row);
        }
        for message in commit.seen {
            self.seen
                .insert((message.mailbox, message.message_id), message.ours);
        }
        for row in commit.inbound {
            self.inbound.insert(row.key, row);
        }
        for cursor in commit.cursors {
            self.cursors.insert(cursor.feed, cursor.next);
        }
        for answer in commit.answers {
            self.answers.insert(answer.key, answer);
        }
        Ok(())
    }

    fn erase(&mut self, letter: StreamKey) {
        self.numbers.remove(&letter);
        self.payloads.retain(|_, held| held.letter != letter);
        self.references.retain(|(_, _, of)| *of != letter);
    }

    fn require_lease(&self, stream: StreamKey, token: LeaseToken) -> Result<(), StoreError> {
        let lease = self.work.get(&stream).and_then(|row| row.lease);
        match lease {
            Some((held, _)) if held == token => Ok(()),
            _ => Err(StoreError::Fenced),
        }
    }

    fn require_version(&self, change: &DocumentChange) -> Result<(), StoreError> {
        let latest = self.documents.get(&change.key).map(|row| row.latest);
        if latest == change.expected {
            Ok(())
        } else {
            Err(StoreError::Conflict)
        }
    }

    /// A row that somebody else changed since it was read must not be written over.
    fn require_fresh(
        &self,
        stream: StreamKey,
        events: u64,
        staged: &Staged,
    ) -> Result<(), StoreError> {
        if self.end(stream, staged).0 == events {
            Ok(())
        } else {
            Err(StoreError::Conflict)
        }
    }

    /// An id is given once.
    fn require_new(&self, payloads: &[NewPayload]) -> Result<(), StoreError> {
        let mut met = std::collections::BTreeSet::new();
        let is_new = |payload: &NewPayload| {
            !self.payloads.contains_key(&payload.id) && met.insert(payload.id)
        };
        if payloads.iter().all(is_new) {
            Ok(())
        } else {
            Err(StoreError::Conflict)
        }
    }

    /// What was not handed over, held messages last.
    pub(super) fn inbound_open(&self, limit: usize) -> Vec<InboundRecord> {
        let rows = self.inbound.values();
        let is_open = |row: &&InboundRecord| row.state != InboundState::HandedOver;
        let mut open: Vec<_> = rows.filter(is_open).cloned().collect();
        open.sort_by_key(|row| (row.state == InboundState::Held, row.next_at, row.key));
        open.truncate(limit);
        open
    }

    /// A stretch of the ledger.
    pub(super) fn entries(&self, from: u64, limit: usize) -> Result<LedgerPage, StoreError> {
        let start = usize::try_from(from).unwrap_or(usize::MAX);
        let end = start.saturating_add(limit).min(self.events.len());
        let stretch = self.events.get(start..end).unwrap_or_default();
        let entries = stretch.iter().filter_map(|placed| self.entry(placed));
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        Ok(LedgerPage::new(
            entries.collect(),
            from.saturating_add(count(stretch.len())),
            count(self.events.len()),
        ))
    }

    fn entry(&self, placed: &Sequenced) -> Option<LedgerEntry> {
        let body = &placed.event.body;
        let copy = self.copies.get(&body.stream).cloned();
        let key = copy.as_ref().map_or(body.stream, |copy| copy.letter);
        let letter = self.letters.get(&key)?.clone();
        let earlier = self.of(body.stream).take_while(|one| one.lseq < body.lseq);
        let before = earlier.last().map(|one| one.state.clone());
        Some(LedgerEntry::new(
            placed.event.clone(),
            before,
            letter,
            copy,
            self.number(key),
        ))
    }

    /// A document's number in its source.
    pub(super) fn number(&self, letter: StreamKey) -> Option<Sensitive<String>> {
        self.numbers.get(&letter).cloned()
    }

    /// A key is used once.
    fn require_unused(&self, answers: &[HandOverAnswer]) -> Result<(), StoreError> {
        let mut met = std::collections::BTreeSet::new();
        let is_unused = |answer: &HandOverAnswer| {
            !self.answers.contains_key(&answer.key) && met.insert(answer.key)
        };
        if answers.iter().all(is_unused) {
            Ok(())
        } else {
            Err(StoreError::Conflict)
        }
    }

    fn end(&self, stream: StreamKey, staged: &Staged) -> (u64, Hash) {
        let written = || {
            let tail = self.tails.get(&stream);
            tail.map_or((0, Hash::ZERO), |tail| {
                (
                    u64::try_from(tail.places.len()).unwrap_or(u64::MAX),
                    tail.last,
                )
            })
        };
        staged.ends.get(&stream).copied().unwrap_or_else(written)
    }

    fn stage(&self, bodies: Vec<EventBody>) -> Result<Staged, StoreError> {
        let mut staged = Staged {
            events: Vec::with_capacity(bodies.len()),
            ends: BTreeMap::new(),
            sequencer: self.sequencer.clone(),
        };
        for mut body in bodies {
            let stream = body.stream;
            let (next, prev) = self.end(stream, &staged);
            if stream == StreamKey::LEDGER {
                body.lseq = next;
            }
            if body.lseq != next {
                return Err(StoreError::Conflict);
            }
            let placed = staged
                .sequencer
                .append(body, prev)
                .map_err(|error| StoreError::Corrupt(error.to_string()))?;
            staged.ends.insert(stream, (next + 1, placed.leaf));
            staged.events.push(placed);
        }
        Ok(staged)
    }

    fn place(&mut self, staged: Staged) {
        self.sequencer = staged.sequencer;
        for placed in staged.events {
            let tail = self.tails.entry(placed.event.body.stream);
            let tail = tail.or_insert_with(|| Tail {
                last: Hash::ZERO,
                places: Vec::new(),
            });
            tail.last = placed.leaf;
            tail.places.push(self.events.len());
            self.events.push(placed);
        }
    }

    fn move_document(&mut self, change: &DocumentChange) {
        let row = DocumentRow {
            latest: change.latest,
            letter: change.letter,
            content: change.content,
        };
        self.documents.insert(change.key, row);
    }

    fn put_letter(&mut self, row: LetterRecord) {
        let (key, document) = (row.key, row.document);
        if self.letters.insert(key, row).is_none() {
            self.versions.entry(document).or_default().push(key);
        }
    }

    fn put_copy(&mut self, row: CopyRecord) {
        let (key, letter) = (row.key, row.letter);
        if self.copies.insert(key, row).is_none() {
            self.copies_by_letter.entry(letter).or_default().push(key);
        }
    }

    fn change_work(&mut self, change: WorkChange) {
        match change {
            WorkChange::Set(work) => self.set_work(work, false),
            WorkChange::Park(work) => self.set_work(work, true),
            WorkChange::Done(stream) => {
                self.work.remove(&stream);
            }
        }
    }

    fn set_work(&mut self, work: Work, parked: bool) {
        let row = ModelWork {
            work,
            lease: None,
            parked,
        };
        self.work.insert(row.work.stream, row);
    }

    pub(super) fn stops(&self) -> Stops {
        Stops::new(self.stops.values().cloned().collect())
    }

    fn put_stop(&mut self, stop: Stop) {
        if let Some(lift) = &stop.lifted {
            for row in self.work.values_mut().filter(|row| row.parked) {
                row.parked = false;
                row.work.due_at = lift.at;
                row.work.earliest_at = lift.at;
            }
        }
        self.stops.insert(stop.id, stop);
    }

    pub(super) fn claim(&mut self, request: &ClaimRequest) -> Result<Vec<Claimed>, StoreError> {
        let in_flight = self.in_flight(request.now);
        let lines = self.lines(request, &in_flight);
        let chosen = request.choose(&lines, &in_flight);
        let mut claimed = Vec::new();
        for (stream, token) in chosen.into_iter().zip(&request.tokens) {
            let Some(row) = self.work.get_mut(&stream) else {
                continue;
            };
            row.lease = Some((*token, request.lease_until));
            let work = row.work.clone();
            if let (Some(to), Some(_)) = (&work.destination, request.apart(work.lane)) {
                self.claimed.insert((work.lane, to.clone()), request.now);
            }
            claimed.push(self.with_records(work, *token)?);
        }
        Ok(claimed)
    }

    fn in_flight(&self, now: DateTime<Utc>) -> BTreeMap<MailboxId, usize> {
        let mut in_flight = BTreeMap::new();
        for row in self.work.values().filter(|row| !row.is_free(now)) {
            if let Some(to) = &row.work.destination {
                *in_flight.entry(to.clone()).or_default() += 1;
            }
        }
        in_flight
    }

    fn lines(&self, request: &ClaimRequest, in_flight: &BTreeMap<MailboxId, usize>) -> Vec<Line> {
        let is_due = |row: &&ModelWork| {
            let pulled = |to| row.work.earliest_at <= to;
            row.is_free(request.now)
                && (row.work.due_at <= request.now || request.pull_forward_to.is_some_and(pulled))
        };
        let mut due: Vec<&ModelWork> = self.work.values().filter(is_due).collect();
        due.sort_by_key(|row| (row.work.due_at, row.work.stream));
        let mut lines: BTreeMap<(Lane, &str), Line> = BTreeMap::new();
        for ModelWork { work, .. } in due {
            let line = lines.entry((work.lane, work.line())).or_insert_with(|| {
                Line::new(work.lane, work.kind, work.destination.clone(), Vec::new())
            });
            line.first.push((work.stream, work.due_at));
        }
        lines.retain(|_, line| {
            let to = line.destination.as_ref();
            let busy = to.and_then(|to| in_flight.get(to)).copied().unwrap_or(0);
            let last = to.and_then(|to| self.claimed.get(&(line.lane, to.clone())));
            request.places(line.lane, to, busy, last.copied()) > 0
        });
        lines.into_values().collect()
    }

    pub(super) fn renew(
        &mut self,
        (stream, token): (StreamKey, LeaseToken),
        until: DateTime<Utc>,
    ) -> bool {
        let is_held = self.require_lease(stream, token).is_ok();
        if let Some(row) = self.work.get_mut(&stream).filter(|_| is_held) {
            row.lease = Some((token, until));
        }
        is_held
    }

    fn rebase(&mut self, by: Duration) {
        for row in self.work.values_mut() {
            row.work.due_at += by;
            row.work.earliest_at += by;
            if let Some((_, until)) = &mut row.lease {
                *until += by;
            }
        }
        for at in self.claimed.values_mut() {
            *at += by;
        }
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
        let latest = latest.unwrap_or(letter.version);
        Ok(Claimed::new(work, token, letter, copy, latest).under(self.stops()))
    }

    /// The latest version that counts: drafts, cancelled ones and late arrivals of old ones do not.
    fn latest_version(&self, document: DocumentKey) -> Option<u32> {
        use LetterState::{DraftSeen, Superseded, Withdrawn};
        let keys = self.versions.get(&document);
        let letters = keys.into_iter().flatten();
        letters
            .filter_map(|key| self.letters.get(key))
            .filter(|letter| !matches!(letter.state, DraftSeen | Superseded | Withdrawn))
            .map(|letter| letter.version)
            .max()
    }

    pub(super) fn document(&self, key: DocumentKey) -> Result<Option<DocumentView>, StoreError> {
        let Some(row) = self.documents.get(&key) else {
            return Ok(None);
        };
        let letter = self.letters.get(&row.letter).cloned();
        let letter = letter.ok_or_else(|| StoreError::Corrupt("no letter".to_owned()))?;
        let copies = self.copies_of(row.letter);
        Ok(Some(DocumentView::new(
            row.latest,
            row.content,
            letter,
            copies,
        )))
    }
}
