//! Events: what a writer hands in, and what stands in the ledger.

use thiserror::Error;

use crate::{
    Data, EventId, Hash, StreamKey, SubjectKey, Timestamp,
    canonical::{self, Form, Tree},
    leaf_hash,
};

/// The longest event in canonical bytes (audit-and-delivery 5.1).
pub const EVENT_BYTES_MAX: usize = 16_384;

// The length of an entry in a C2SP entry bundle is a 16-bit number.
const _: () = assert!(EVENT_BYTES_MAX <= 65_535);

/// The longest body: an event of [`EVENT_BYTES_MAX`] less what its position may take, so that a
/// body that was accepted can always be sequenced.
pub const BODY_BYTES_MAX: usize = EVENT_BYTES_MAX - canonical::POSITION_BYTES_MAX;

/// The deepest nesting of `data`, itself counted as 1.
pub const DATA_DEPTH_MAX: usize = 8;

/// What a writer hands in: everything but the position, which the sequencer gives.
///
/// ```
/// use audit_core::{Data, EventBody, EventId, StreamKey, Timestamp};
///
/// let body = EventBody {
///     id: EventId::from_bytes([7; 16]),
///     at: Timestamp::parse("2026-02-03T10:10:00.000Z")?,
///     stream: StreamKey::from_bytes([1; 16]),
///     copy: None,
///     lseq: 0,
///     subject: None,
///     kind: "door.opened".to_owned(),
///     state: "OPEN".to_owned(),
///     actor: "svc:doors".to_owned(),
///     data: Data::new().with("door", 3),
/// };
/// assert_eq!(EventBody::parse_body(&body.to_canonical()?)?, body);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventBody {
    /// `id`: the key under which a writer may try again.
    pub id: EventId,
    /// `at`: when it happened by the writer's clock. Order is never taken from it.
    pub at: Timestamp,
    /// `letter`: the stream that the event belongs to.
    pub stream: StreamKey,
    /// `copy`: which copy of the stream's matter, from 1; absent means 1.
    pub copy: Option<u32>,
    /// `lseq`: the index within the stream, from 0, without gaps.
    pub lseq: u64,
    /// `patient`: whom the stream is about.
    pub subject: Option<SubjectKey>,
    /// `type`: what happened.
    pub kind: String,
    /// `state`: the stream's state after the event.
    pub state: String,
    /// `actor`: who did it, `svc:<name>` or `user:<pseudonym>`.
    pub actor: String,
    /// `data`: codes, ids, digests and counts that belong to the type.
    pub data: Data,
}

impl EventBody {
    /// The canonical bytes without `seq` and `prev`: what a store keeps until the event is
    /// sequenced.
    ///
    /// # Errors
    /// [`EventError::Unwritable`] when a member cannot stand in an event,
    /// [`EventError::TooLong`] past [`BODY_BYTES_MAX`].
    pub fn to_canonical(&self) -> Result<Vec<u8>, EventError> {
        canonical::write(self, None)
    }

    /// Reads what [`EventBody::to_canonical`] writes, and nothing else.
    ///
    /// # Errors
    /// [`EventError::NotCanonical`] with the place, or [`EventError::TooLong`].
    pub fn parse_body(bytes: &[u8]) -> Result<Self, EventError> {
        let body = canonical::scan::<Tree>(bytes, Form::Body)?.into_body();
        require_same(bytes, &body.to_canonical()?)?;
        Ok(body)
    }

    /// Gives the body its position in the ledger.
    ///
    /// `prev` is the leaf hash of the stream's event before, [`Hash::ZERO`] for its first.
    pub fn sequenced(self, seq: u64, prev: Hash) -> Event {
        Event {
            seq,
            prev,
            body: self,
        }
    }
}

/// An event with its position: a leaf of the ledger's tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `seq`: the index in the ledger from 0, without gaps; the leaf's index in the tree.
    pub seq: u64,
    /// `prev`: the leaf hash of the stream's event before; zeros for the first.
    pub prev: Hash,
    /// What the writer handed in.
    pub body: EventBody,
}

impl Event {
    /// The canonical bytes (audit-and-delivery 5.1).
    ///
    /// # Errors
    /// [`EventError::Unwritable`] when a member cannot stand in an event,
    /// [`EventError::TooLong`] past [`EVENT_BYTES_MAX`].
    pub fn to_canonical(&self) -> Result<Vec<u8>, EventError> {
        canonical::write(&self.body, Some((self.seq, &self.prev)))
    }

    /// Reads canonical bytes, and accepts no others: what was read is written again and must be
    /// the same (rule V2).
    ///
    /// # Errors
    /// [`EventError::NotCanonical`] with the place, or [`EventError::TooLong`].
    pub fn parse(bytes: &[u8]) -> Result<Self, EventError> {
        let scanned = canonical::scan::<Tree>(bytes, Form::Sequenced)?;
        let (seq, prev) = (scanned.seq, scanned.prev);
        let event = scanned.into_body().sequenced(seq, prev);
        require_same(bytes, &event.to_canonical()?)?;
        Ok(event)
    }

    /// The hash of the canonical bytes as a leaf of the tree.
    ///
    /// # Errors
    /// As [`Event::to_canonical`].
    pub fn leaf_hash(&self) -> Result<Hash, EventError> {
        Ok(leaf_hash(&self.to_canonical()?))
    }
}

/// Why an event cannot be written, read or sequenced. Never holds any of its content.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EventError {
    /// The bytes are not the canonical form of an event.
    #[error("not a canonical event: expected {expected} at byte {at}")]
    NotCanonical {
        /// The offset of the first byte that is not as it must be.
        at: usize,
        /// What stands there in a canonical event.
        expected: &'static str,
    },
    /// `lseq` and `prev` contradict each other: 0 goes with zeros, and only it.
    #[error("event {lseq} of its stream: `prev` must be zeros for event 0, and for no other")]
    PrevMismatch {
        /// The index of the event in its stream.
        lseq: u64,
    },
    /// More bytes than an event may have.
    #[error("event of {bytes} bytes: at most {max} are allowed")]
    TooLong {
        /// How many there are.
        bytes: usize,
        /// How many are allowed.
        max: usize,
    },
    /// A member holds what no event can hold.
    #[error("`{member}` cannot stand in an event: {why}")]
    Unwritable {
        /// The member's name in the canonical bytes.
        member: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
}

fn require_same(read: &[u8], written: &[u8]) -> Result<(), EventError> {
    if read == written {
        return Ok(());
    }
    let at = read
        .iter()
        .zip(written)
        .take_while(|(left, right)| left == right)
        .count();
    Err(EventError::NotCanonical {
        at,
        expected: "the bytes that writing it again gives",
    })
}

#[cfg(test)]
mod tests;
