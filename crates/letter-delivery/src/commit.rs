//! One change of the store: the events, the state they lead to, and the work they cause.

use audit_core::{EventBody, StreamKey};
use chrono::{DateTime, Duration, Utc};
use nhs_types::MailboxId;
use serde::{Deserialize, Serialize};

use crate::answer::HandOverAnswer;
use crate::feed::FeedCursor;
use crate::inbound::InboundRecord;
use crate::keys::{DocumentKey, PayloadId, RefKind};
use crate::record::{CopyRecord, LetterRecord};
use crate::stop::Stop;

/// All of it becomes durable, or nothing.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Commit {
    /// Events, in order; each must be the next of its stream.
    pub events: Vec<EventBody>,
    /// Letters as they stand after the events.
    pub letters: Vec<LetterRecord>,
    /// Copies as they stand after the events.
    pub copies: Vec<CopyRecord>,
    /// Work that arises, changes or is done.
    pub work: Vec<WorkChange>,
    /// Contents to seal.
    pub payloads: Vec<NewPayload>,
    /// References to seal and index.
    pub references: Vec<NewReference>,
    /// The document's row, when a version arrives.
    pub document: Option<DocumentChange>,
    /// Inbound message ids that are dealt with.
    pub seen: Vec<SeenMessage>,
    /// Letters whose contents, references and key are destroyed. It is done when the commit
    /// answers, or once the store can: no later commit makes it undone.
    pub erase: Vec<Erasure>,
    /// A stop as it stands after this: set, or lifted. A lift frees the work that is parked.
    pub stop: Option<Stop>,
    /// The [`version`](crate::Stops::version) of the stops that this was decided with; a commit
    /// with another one is refused.
    pub stops_seen: Option<u64>,
    /// The wall clock was set by so much, forward or back: due times, leases and paces of all work
    /// are moved by it, so that each keeps the time that was left to it (audit-and-delivery facts
    /// 3.2, rule d).
    pub rebase: Option<Duration>,
    /// Answers to hand-overs, each under a key that was not used before.
    pub answers: Vec<HandOverAnswer>,
    /// Inbound messages as they stand after the events.
    pub inbound: Vec<InboundRecord>,
    /// How far feeds have come.
    pub cursors: Vec<FeedCursor>,
    /// The lease under which the work was done; a commit with an older one is refused.
    pub fence: Option<(StreamKey, LeaseToken)>,
}

impl Commit {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.letters.is_empty()
            && self.copies.is_empty()
            && self.work.is_empty()
            && self.seen.is_empty()
            && self.answers.is_empty()
            && self.cursors.is_empty()
            && self.inbound.is_empty()
            && self.payloads.is_empty()
            && self.references.is_empty()
            && self.document.is_none()
            && self.erase.is_empty()
            && self.stop.is_none()
            && self.rebase.is_none()
    }
}

/// A piece of work waiting for its time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Work {
    /// The letter or copy it is about; each has one piece of work at most.
    pub stream: StreamKey,
    /// What is to be done.
    pub kind: WorkKind,
    /// Whose turn it is when there is more work than hands.
    pub lane: Lane,
    /// The mailbox that it sends to, for work that does.
    pub destination: Option<MailboxId>,
    /// When it is due.
    pub due_at: DateTime<Utc>,
    /// When it may be pulled forward to by a run that does not wait for timers.
    pub earliest_at: DateTime<Utc>,
    /// How often it was put off.
    pub tries: u32,
}

impl Work {
    /// Work of today that waits for its time.
    pub const fn new(stream: StreamKey, kind: WorkKind, due_at: DateTime<Utc>) -> Self {
        Self {
            stream,
            kind,
            lane: Lane::Today,
            destination: None,
            due_at,
            earliest_at: due_at,
            tries: 0,
        }
    }
}

impl Work {
    /// The line it stands in: its destination's, or that of all work of its kind.
    pub fn line(&self) -> &str {
        match &self.destination {
            Some(destination) => destination.as_str(),
            None => self.kind.as_str(),
        }
    }
}

/// Whose turn it is: a backlog that is sent again never delays today's letters
/// (audit-and-delivery facts 4.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a store must order every lane")]
pub enum Lane {
    /// A letter on its ordinary way.
    #[default]
    Today,
    /// A letter of a backlog.
    Replay,
}

impl Lane {
    /// Every lane, in the order in which they are served.
    pub const ALL: &'static [Self] = &[Self::Today, Self::Replay];

    /// The name it is stored under.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Today => "today",
            Self::Replay => "replay",
        }
    }

    /// Reads a stored name.
    pub fn parse(stored: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|lane| lane.as_str() == stored)
    }
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the one who executes must meet every kind"
)]
pub enum WorkKind {
    /// Route a letter and shape its copies.
    Prepare,
    /// Route and shape one copy anew.
    Reroute,
    /// Send a copy.
    Send,
    /// Ask MESH about a doubtful send.
    Ask,
    /// Ask MESH whether a copy was collected.
    Track,
}

impl WorkKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Prepare,
        Self::Reroute,
        Self::Send,
        Self::Ask,
        Self::Track,
    ];

    /// The name it is stored under.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Reroute => "reroute",
            Self::Send => "send",
            Self::Ask => "ask",
            Self::Track => "track",
        }
    }

    /// Whether it cannot be done while the transport is out of reach.
    pub const fn needs_transport(self) -> bool {
        !matches!(self, Self::Prepare)
    }

    /// Reads a stored name.
    pub fn parse(stored: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.as_str() == stored)
    }
}

/// What becomes of a piece of work.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a store must meet every change")]
pub enum WorkChange {
    /// It is set anew, free of any lease.
    Set(Work),
    /// It is set anew, free of any lease, and waits for a stop to be lifted; its time is only
    /// there so that it is never forgotten.
    Park(Work),
    /// It is done.
    Done(StreamKey),
}

/// Proof that a piece of work was claimed: random, new for each claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseToken([u8; 16]);

impl LeaseToken {
    /// Takes 16 random bytes.
    pub const fn from_random(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// A letter whose contents, references and key are destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Erasure {
    /// The letter.
    pub letter: StreamKey,
    /// When that was decided.
    pub at: DateTime<Utc>,
}

impl Erasure {
    /// A letter to be destroyed.
    pub const fn new(letter: StreamKey, at: DateTime<Utc>) -> Self {
        Self { letter, at }
    }
}

/// A content to seal under the key of its letter.
#[derive(Clone)]
#[non_exhaustive]
pub struct NewPayload {
    /// Its random id.
    pub id: PayloadId,
    /// The letter whose key seals it.
    pub letter: StreamKey,
    /// What it is.
    pub kind: PayloadKind,
    /// The salt of its digest, kept with it.
    pub salt: [u8; 16],
    /// The content.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for NewPayload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewPayload")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

impl NewPayload {
    /// A content to seal.
    pub const fn new(
        id: PayloadId,
        letter: StreamKey,
        kind: PayloadKind,
        salt: [u8; 16],
        bytes: Vec<u8>,
    ) -> Self {
        Self {
            id,
            letter,
            kind,
            salt,
            bytes,
        }
    }
}

/// What a sealed content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadKind {
    /// The bytes the source handed over.
    Source,
    /// The neutral letter.
    Letter,
    /// The bytes to send.
    Artefact,
    /// What another organisation sent to the trust.
    Inbound,
}

impl PayloadKind {
    /// The name it is stored under.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Letter => "letter",
            Self::Artefact => "artefact",
            Self::Inbound => "inbound",
        }
    }
}

/// An identifier that people search by: sealed, and found again by its keyed index.
#[derive(Clone)]
#[non_exhaustive]
pub struct NewReference {
    /// What it is.
    pub kind: RefKind,
    /// The letter it leads to.
    pub letter: StreamKey,
    /// The keyed index.
    pub index: [u8; 32],
    /// The value, to be sealed.
    pub value: String,
}

impl NewReference {
    /// A reference to seal.
    pub const fn new(kind: RefKind, letter: StreamKey, index: [u8; 32], value: String) -> Self {
        Self {
            kind,
            letter,
            index,
            value,
        }
    }
}

impl std::fmt::Debug for NewReference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewReference")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// The change of a document's row, which orders its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DocumentChange {
    /// The document.
    pub key: DocumentKey,
    /// The version that was the latest when this commit was made; `None` for a new document.
    pub expected: Option<u32>,
    /// The highest version number given so far.
    pub latest: u32,
    /// The letter that stands: an older version that came late does not take its place.
    pub letter: StreamKey,
    /// The fingerprint of its content.
    pub content: [u8; 32],
}

/// An inbound message that is dealt with, so that it is known when it comes again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SeenMessage {
    /// The mailbox it lay in.
    pub mailbox: String,
    /// Its id.
    pub message_id: String,
    /// Whether it was ours; a stranger's is left alone and counted.
    pub ours: bool,
    /// When.
    pub at: DateTime<Utc>,
}

impl SeenMessage {
    /// A message that was met.
    pub fn new(
        mailbox: impl Into<String>,
        message_id: impl Into<String>,
        ours: bool,
        at: DateTime<Utc>,
    ) -> Self {
        Self {
            mailbox: mailbox.into(),
            message_id: message_id.into(),
            ours,
            at,
        }
    }
}
