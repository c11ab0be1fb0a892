//! What a verification found.

use std::fmt;

use crate::Hash;

/// The most faults that are told of each rule; the others are counted.
pub const FAULTS_PER_RULE_MAX: usize = 100;

/// What was found in a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verification {
    /// How many events were read.
    pub events: u64,
    /// The root over all of them, recomputed.
    pub root: Hash,
    /// The size of the largest checkpoint kept with the ledger that a trusted key signed.
    pub checkpoint_size: Option<u64>,
    /// What is wrong, in the order it was found.
    pub faults: Vec<Fault>,
    /// How many faults more there are of rules with [`FAULTS_PER_RULE_MAX`] already told.
    pub faults_left_out: u64,
    /// The size of the largest trusted checkpoint whose root is that of the events: so many
    /// events are still as they were signed.
    pub provable_to: u64,
}

impl Verification {
    /// Whether nothing is wrong.
    pub const fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// The rule that it breaks.
    pub rule: Rule,
    /// The event where it shows, by `seq`; for a wrong root the first that nothing proves.
    pub seq: Option<u64>,
    /// What is wrong, in plain words, without content of events.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.rule)?;
        if let Some(seq) = self.seq {
            write!(f, " at event {seq}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// The rules of a verification (audit-and-delivery 6) that need nothing but the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Every file is there and whole: only where a ledger is read from files.
    V1,
    /// Every event is in canonical form.
    V2,
    /// `seq` counts from 0 without gaps.
    V3,
    /// In each stream `lseq` counts from 0 without gaps, and `prev` is the leaf hash before.
    V4,
    /// The recomputed root is that of each stored checkpoint.
    V6,
    /// Each checkpoint is signed by a trusted key.
    V7,
    /// Checkpoints never shrink, fork or change their ledger.
    V8,
    /// Each checkpoint that was kept elsewhere is a prefix of the ledger.
    V9,
    /// No old event is without a checkpoint that covers it.
    V10,
}

impl Rule {
    /// The rule's id.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "V1",
            Self::V2 => "V2",
            Self::V3 => "V3",
            Self::V4 => "V4",
            Self::V6 => "V6",
            Self::V7 => "V7",
            Self::V8 => "V8",
            Self::V9 => "V9",
            Self::V10 => "V10",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Collects faults up to the limit of each rule.
#[derive(Debug, Default)]
pub(super) struct FaultLog {
    faults: Vec<Fault>,
    left_out: u64,
}

impl FaultLog {
    pub(super) fn add(&mut self, rule: Rule, seq: Option<u64>, what: String) {
        let told = self
            .faults
            .iter()
            .filter(|fault| fault.rule == rule)
            .count();
        if told < FAULTS_PER_RULE_MAX {
            self.faults.push(Fault { rule, seq, what });
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    pub(super) fn into_parts(self) -> (Vec<Fault>, u64) {
        (self.faults, self.left_out)
    }
}
