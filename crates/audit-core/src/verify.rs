//! Checking a whole ledger in one pass (audit-and-delivery 6, rules V2 to V4 and V6 to V10).

mod anchor;
mod report;

use std::{collections::BTreeMap, iter::Peekable, vec};

use anchor::{Anchor, Anchors};
use report::FaultLog;
pub use report::{FAULTS_PER_RULE_MAX, Fault, Rule, Verification};

use crate::{
    Checkpoint, CompactRange, Event, Hash, Origin, SHARD_CLOSED, ShardOpening, ShardStart,
    StreamKey, Subtree, Timestamp, VerifierKey,
    canonical::{self, Form, Scanned, Skip},
    leaf_hash,
};

/// How old an event may be that no checkpoint covers, when nothing else is asked for: 2 hours.
pub const UNSIGNED_AGE_MS: u64 = 7_200_000;

/// What a ledger is checked against.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// The keys whose signatures count.
    pub trusted: Vec<VerifierKey>,
    /// The checkpoints that are kept with the ledger, as note texts, in the order of their making.
    pub stored_checkpoints: Vec<String>,
    /// Checkpoints that were kept elsewhere, as note texts: each must be a prefix of the ledger.
    pub external_checkpoints: Vec<String>,
    /// Origins that this ledger had before it was restored from a backup, as its own events of
    /// the type `ledger.restored` tell: its checkpoints may change from one of these to another.
    pub former_origins: Vec<Origin>,
    /// What time it is; without it rule V10 is not checked.
    pub now: Option<Timestamp>,
    /// How old an event may be that no checkpoint covers, in milliseconds.
    pub max_unsigned_age_ms: u64,
}

impl Default for VerifyOptions {
    /// No keys, no checkpoints, no clock; [`UNSIGNED_AGE_MS`].
    fn default() -> Self {
        Self {
            trusted: Vec::new(),
            stored_checkpoints: Vec::new(),
            external_checkpoints: Vec::new(),
            former_origins: Vec::new(),
            now: None,
            max_unsigned_age_ms: UNSIGNED_AGE_MS,
        }
    }
}

/// Checks a ledger as its events are read, one after the other, in the order of `seq`.
///
/// It keeps a hash per stream and the compact range, never the events.
///
/// ```
/// use audit_core::{Rule, Verifier, VerifyOptions};
/// let mut verifier = Verifier::new(VerifyOptions::default());
/// verifier.event(b"not an event");
/// let verification = verifier.finish();
/// assert_eq!(verification.faults[0].rule, Rule::V2);
/// ```
#[derive(Debug)]
pub struct Verifier {
    tree: CompactRange,
    next_seq: u64,
    streams: BTreeMap<StreamKey, Tail>,
    anchors: Peekable<vec::IntoIter<Anchor>>,
    /// The largest size at which a trusted checkpoint's root was met.
    provable_to: u64,
    checkpoint_size: Option<u64>,
    unsigned: Unsigned,
    seam: Seam,
    last: Hash,
    subtrees: Vec<(Subtree, Hash)>,
    faults: FaultLog,
}

impl Verifier {
    /// Reads and checks the checkpoints; the events come next.
    pub fn new(options: VerifyOptions) -> Self {
        let mut faults = FaultLog::default();
        let anchors = Anchors::read(&options, &mut faults);
        let oldest = options
            .now
            .map(|now| oldest_unsigned(now, options.max_unsigned_age_ms));
        let mut verifier = Self {
            tree: CompactRange::new(),
            next_seq: 0,
            streams: BTreeMap::new(),
            checkpoint_size: anchors.stored_size,
            unsigned: Unsigned {
                from: anchors.covered_to,
                oldest,
                first: None,
                count: 0,
            },
            anchors: anchors.by_size.into_iter().peekable(),
            provable_to: 0,
            seam: Seam::default(),
            last: Hash::ZERO,
            subtrees: Vec::new(),
            faults,
        };
        verifier.check_anchors();
        verifier
    }

    /// Checks the next event of the ledger.
    pub fn event(&mut self, canonical: &[u8]) {
        let leaf = leaf_hash(canonical);
        if let Some(before) = self.seam.before.take() {
            self.check_opening(&before, canonical);
        }
        match canonical::scan::<Skip>(canonical, Form::Sequenced) {
            Ok(event) => {
                self.check_seq(event.seq);
                self.check_stream(&event, leaf);
                self.unsigned.look_at(self.tree.size(), event.seq, event.at);
                self.seam.ends_closed =
                    event.stream == StreamKey::LEDGER && event.kind == SHARD_CLOSED;
            }
            Err(error) => {
                self.faults
                    .add(Rule::V2, Some(self.next_seq), error.to_string());
                self.next_seq = self.next_seq.saturating_add(1);
            }
        }
        let Self { tree, subtrees, .. } = self;
        subtrees.clear();
        tree.push_with(leaf, |subtree, hash| {
            if subtree.is_kept() {
                subtrees.push((subtree, hash));
            }
        });
        self.last = leaf;
        self.check_anchors();
    }

    /// The leaf hash of the event that was checked last.
    pub const fn last_leaf(&self) -> Hash {
        self.last
    }

    /// The subtrees that the event completed that was checked last, of those that
    /// [`Subtree::is_kept`] names.
    pub fn last_subtrees(&self) -> &[(Subtree, Hash)] {
        &self.subtrees
    }

    /// Says what was found, once all events were read.
    pub fn finish(mut self) -> Verification {
        let events = self.tree.size();
        for anchor in self.anchors {
            let what = format!(
                "{} covers {} events, but the ledger holds {events}",
                anchor.place, anchor.checkpoint.size
            );
            self.faults.add(anchor.place.rule(), Some(events), what);
        }
        self.unsigned.report(&mut self.faults);
        if self.seam.before.is_some() {
            let what = "the shard has no events: it must begin with an opening";
            self.faults.add(Rule::V9, Some(0), what.to_owned());
        }
        let root = self.tree.root();
        let (faults, faults_left_out) = self.faults.into_parts();
        Verification {
            events,
            root,
            checkpoint_size: self.checkpoint_size,
            faults,
            faults_left_out,
            provable_to: self.provable_to,
        }
    }

    /// Says what was found, and goes on with the shard that follows: its first event must hold the
    /// last checkpoint of this one, and its streams go on where they stand here.
    ///
    /// `origin` is that of the shard that ends here.
    ///
    /// ```
    /// use audit_core::{Origin, Verifier, VerifyOptions};
    /// let year_2026 = Verifier::new(VerifyOptions::default());
    /// let origin = Origin::parse("ledger.example/doors/2026")?;
    /// let (found, year_2027) = year_2026.next_shard(origin, VerifyOptions::default());
    /// assert!(found.is_clean());
    /// assert!(!year_2027.finish().is_clean(), "the next shard has no opening");
    /// # Ok::<(), audit_core::ParseError>(())
    /// ```
    pub fn next_shard(mut self, origin: Origin, options: VerifyOptions) -> (Verification, Self) {
        let before = Before {
            last: Checkpoint {
                origin,
                size: self.tree.size(),
                root: self.tree.root(),
            },
            was_closed: self.seam.ends_closed,
        };
        let mut next = Self::new(options);
        next.streams = std::mem::take(&mut self.streams);
        next.seam.before = Some(before);
        (self.finish(), next)
    }

    /// V9 across shards: the opening is a checkpoint of the shard before, kept in this one.
    fn check_opening(&mut self, before: &Before, canonical: &[u8]) {
        let event = Event::parse(canonical).ok();
        let what = match event.as_ref().and_then(ShardOpening::of) {
            None => "the shard does not begin with an opening",
            Some(opening) if opening.previous.as_ref() != Some(&before.last) => {
                "the shard's opening does not hold the last checkpoint of the shard before"
            }
            Some(opening) if opening.start == ShardStart::Opened && !before.was_closed => {
                "the shard before was not closed"
            }
            Some(_) => return,
        };
        self.faults.add(Rule::V9, Some(0), what.to_owned());
    }

    fn check_seq(&mut self, seq: u64) {
        if seq != self.next_seq {
            let what = format!("seq {seq} stands where {} was due", self.next_seq);
            self.faults.add(Rule::V3, Some(seq), what);
        }
        self.next_seq = seq.saturating_add(1);
    }

    fn check_stream<M>(&mut self, event: &Scanned<'_, M>, leaf: Hash) {
        let tail = Tail {
            lseq: event.lseq,
            seq: event.seq,
            leaf,
        };
        let before = self.streams.insert(event.stream, tail);
        let lseq_due = before
            .as_ref()
            .map_or(0, |tail| tail.lseq.saturating_add(1));
        let prev_due = before.as_ref().map_or(Hash::ZERO, |tail| tail.leaf);
        if event.lseq != lseq_due {
            let what = format!(
                "stream {}: lseq {} stands where {lseq_due} was due",
                event.stream, event.lseq
            );
            self.faults.add(Rule::V4, Some(event.seq), what);
        } else if event.prev != prev_due {
            let what = match before {
                Some(tail) => format!(
                    "stream {}: prev is not the leaf hash of event {}, the one before it; one of \
                     the two was changed",
                    event.stream, tail.seq
                ),
                None => format!(
                    "stream {}: prev of the first event is not zeros",
                    event.stream
                ),
            };
            self.faults.add(Rule::V4, Some(event.seq), what);
        }
    }

    fn check_anchors(&mut self) {
        let size = self.tree.size();
        while let Some(anchor) = self
            .anchors
            .next_if(|anchor| anchor.checkpoint.size == size)
        {
            if anchor.checkpoint.root != self.tree.root() {
                let what = format!(
                    "the root over the first {size} events is not that of {}; only the first {} \
                     are proven",
                    anchor.place, self.provable_to
                );
                self.faults
                    .add(anchor.place.rule(), Some(self.provable_to), what);
            } else if anchor.is_trusted {
                self.provable_to = size;
            }
        }
    }
}

/// Where one shard ends and the next begins.
#[derive(Debug, Default)]
struct Seam {
    /// The shard before, until the first event of this one was looked at.
    before: Option<Before>,
    /// Whether the last event closes the shard.
    ends_closed: bool,
}

/// A shard that ended.
#[derive(Debug)]
struct Before {
    last: Checkpoint,
    was_closed: bool,
}

/// The last event of a stream.
#[derive(Debug)]
struct Tail {
    lseq: u64,
    seq: u64,
    leaf: Hash,
}

/// Events that no checkpoint covers although they are old enough (rule V10).
#[derive(Debug)]
struct Unsigned {
    /// The index of the first event that no checkpoint covers.
    from: u64,
    /// Events before this time must be covered.
    oldest: Option<Timestamp>,
    first: Option<u64>,
    count: u64,
}

impl Unsigned {
    fn look_at(&mut self, index: u64, seq: u64, at: Timestamp) {
        if index >= self.from && self.oldest.is_some_and(|oldest| at < oldest) {
            self.first.get_or_insert(seq);
            self.count = self.count.saturating_add(1);
        }
    }

    fn report(&self, faults: &mut FaultLog) {
        if self.first.is_some() {
            let what = format!(
                "{} events after the last checkpoint are older than an unsigned event may be",
                self.count
            );
            faults.add(Rule::V10, self.first, what);
        }
    }
}

fn oldest_unsigned(now: Timestamp, max_age_ms: u64) -> Timestamp {
    let max_age_ms = i64::try_from(max_age_ms).unwrap_or(i64::MAX);
    Timestamp::from_millis(now.as_millis().saturating_sub(max_age_ms))
}
