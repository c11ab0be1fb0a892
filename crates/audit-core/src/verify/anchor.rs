//! The checkpoints that a ledger is held against.

use std::fmt;

use super::{Rule, VerifyOptions, report::FaultLog};
use crate::{Checkpoint, Origin, VerifierKey, checkpoint::read_unproven};

/// Where a checkpoint was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// With the ledger; counted from 1.
    Stored(usize),
    /// Elsewhere; counted from 1.
    External(usize),
}

impl Place {
    /// The rule that a root must obey which was kept here.
    pub(super) const fn rule(self) -> Rule {
        match self {
            Self::Stored(_) => Rule::V6,
            Self::External(_) => Rule::V9,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stored(number) => write!(f, "stored checkpoint {number}"),
            Self::External(number) => write!(f, "external checkpoint {number}"),
        }
    }
}

/// A checkpoint whose size and root the events must meet.
#[derive(Debug)]
pub(super) struct Anchor {
    pub(super) checkpoint: Checkpoint,
    pub(super) place: Place,
    /// Whether a trusted key signed it.
    pub(super) is_trusted: bool,
}

/// All checkpoints, read and checked by themselves (rules V7, V8).
#[derive(Debug, Default)]
pub(super) struct Anchors {
    /// Smallest first.
    pub(super) by_size: Vec<Anchor>,
    /// The largest trusted one that is stored with the ledger.
    pub(super) stored_size: Option<u64>,
    /// The size of the largest trusted one.
    pub(super) covered_to: u64,
}

impl Anchors {
    pub(super) fn read(options: &VerifyOptions, faults: &mut FaultLog) -> Self {
        let stored = options
            .stored_checkpoints
            .iter()
            .zip((1..).map(Place::Stored));
        let external = options
            .external_checkpoints
            .iter()
            .zip((1..).map(Place::External));
        let anchors: Vec<_> = stored
            .chain(external)
            .filter_map(|(text, place)| read(text, place, &options.trusted, faults))
            .collect();
        check_order(&anchors, &options.former_origins, faults);
        Self::of(anchors)
    }

    fn of(mut by_size: Vec<Anchor>) -> Self {
        by_size.sort_by_key(|anchor| anchor.checkpoint.size);
        let trusted = || by_size.iter().filter(|anchor| anchor.is_trusted);
        let size = |anchor: &Anchor| anchor.checkpoint.size;
        let stored_size = trusted()
            .filter(|anchor| anchor.place.rule() == Rule::V6)
            .map(size)
            .max();
        let covered_to = trusted().map(size).max().unwrap_or(0);
        Self {
            by_size,
            stored_size,
            covered_to,
        }
    }
}

/// Reads a checkpoint; its root is compared even when nothing vouches for it (rule V7).
fn read(
    text: &str,
    place: Place,
    trusted: &[VerifierKey],
    faults: &mut FaultLog,
) -> Option<Anchor> {
    let (checkpoint, note) = match read_unproven(text) {
        Ok(read) => read,
        Err(error) => {
            faults.add(Rule::V7, None, format!("{place}: {error}"));
            return None;
        }
    };
    let verified = note.verify(trusted);
    if let Err(error) = &verified {
        let what = format!("{place}, of {} events: {error}", checkpoint.size);
        faults.add(Rule::V7, None, what);
    }
    Some(Anchor {
        checkpoint,
        place,
        is_trusted: verified.is_ok(),
    })
}

/// Stored checkpoints follow each other; an external one is of the same ledger (rule V8).
fn check_order(anchors: &[Anchor], former: &[Origin], faults: &mut FaultLog) {
    for (earlier, later) in anchors.iter().zip(anchors.iter().skip(1)) {
        let mut before = earlier.checkpoint.clone();
        if former.contains(&before.origin) || former.contains(&later.checkpoint.origin) {
            before.origin = later.checkpoint.origin.clone();
        }
        let result = match later.place {
            Place::Stored(_) => later.checkpoint.follows(&before),
            Place::External(_) => later.checkpoint.require_origin(&before.origin),
        };
        if let Err(error) = result {
            let what = format!("{} after {}: {error}", later.place, earlier.place);
            faults.add(Rule::V8, None, what);
        }
    }
}
