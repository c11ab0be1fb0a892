//! The sequencer: gives events their position and grows the tree.

use thiserror::Error;

use crate::{CompactRange, Event, EventBody, EventError, Hash, Subtree, leaf_hash};

/// Gives events `seq` and `prev`, and keeps the tree over them. A pure value: load it, sequence a
/// batch, and store the new range by compare-and-set on the size it had before.
///
/// ```
/// use audit_core::{Data, EventBody, EventId, Hash, Sequencer, StreamKey, Timestamp};
/// let body = EventBody {
///     id: EventId::from_bytes([7; 16]),
///     at: Timestamp::from_millis(0),
///     stream: StreamKey::from_bytes([1; 16]),
///     copy: None,
///     lseq: 0,
///     subject: None,
///     kind: "door.opened".to_owned(),
///     state: "OPEN".to_owned(),
///     actor: "svc:doors".to_owned(),
///     data: Data::new(),
/// };
/// let mut sequencer = Sequencer::new();
/// let event = sequencer.sequence(body, Hash::ZERO)?;
/// assert_eq!((event.seq, sequencer.next_seq()), (0, 1));
/// assert_eq!(sequencer.root(), event.leaf_hash()?);
/// # Ok::<(), audit_core::EventError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sequencer {
    range: CompactRange,
}

impl Sequencer {
    /// The sequencer of a ledger without events.
    pub const fn new() -> Self {
        Self {
            range: CompactRange::new(),
        }
    }

    /// The sequencer that goes on where a stored tree ended.
    ///
    /// # Errors
    /// [`ResumeError`] when the next event's `seq` is not the size of the tree.
    pub fn resume(range: CompactRange, next_seq: u64) -> Result<Self, ResumeError> {
        if range.size() == next_seq {
            Ok(Self { range })
        } else {
            Err(ResumeError {
                size: range.size(),
                next_seq,
            })
        }
    }

    /// Gives the body the next position and adds it to the tree.
    ///
    /// `prev_of_stream` is the leaf hash of the stream's event before, [`Hash::ZERO`] for its
    /// first. When this fails the tree is unchanged.
    ///
    /// # Errors
    /// [`EventError::PrevMismatch`] when `prev_of_stream` cannot be that of this `lseq`, and the
    /// errors of [`Event::to_canonical`].
    pub fn sequence(&mut self, body: EventBody, prev_of_stream: Hash) -> Result<Event, EventError> {
        self.append(body, prev_of_stream)
            .map(|sequenced| sequenced.event)
    }

    /// As [`Sequencer::sequence`], with the bytes and the leaf hash that storing needs.
    ///
    /// # Errors
    /// As [`Sequencer::sequence`].
    pub fn append(
        &mut self,
        body: EventBody,
        prev_of_stream: Hash,
    ) -> Result<Sequenced, EventError> {
        if (body.lseq == 0) != (prev_of_stream == Hash::ZERO) {
            return Err(EventError::PrevMismatch { lseq: body.lseq });
        }
        let event = body.sequenced(self.next_seq(), prev_of_stream);
        let canonical = event.to_canonical()?;
        let leaf = leaf_hash(&canonical);
        let mut subtrees = Vec::new();
        self.range.push_with(leaf, |subtree, hash| {
            if subtree.is_kept() {
                subtrees.push((subtree, hash));
            }
        });
        Ok(Sequenced {
            event,
            canonical,
            leaf,
            subtrees,
        })
    }

    /// The `seq` of the next event, which is the size of the tree.
    pub const fn next_seq(&self) -> u64 {
        self.range.size()
    }

    /// The root over all events so far.
    pub fn root(&self) -> Hash {
        self.range.root()
    }

    /// The tree so far, to be stored.
    pub const fn range(&self) -> &CompactRange {
        &self.range
    }
}

/// An event with its position, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sequenced {
    /// The event.
    pub event: Event,
    /// Its canonical bytes.
    pub canonical: Vec<u8>,
    /// Its leaf hash: `prev` of the stream's next event.
    pub leaf: Hash,
    /// The subtrees that it completes whose hashes are worth keeping: see [`Subtree::is_kept`].
    pub subtrees: Vec<(Subtree, Hash)>,
}

/// A stored tree and a next `seq` that do not belong together.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the tree has {size} leaves, but the next event would be {next_seq}")]
pub struct ResumeError {
    size: u64,
    next_seq: u64,
}
