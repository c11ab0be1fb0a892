//! Everything a store holds, checked against everything else it holds: what does not depend on
//! the database it is read from.

mod contents;
mod events;
mod records;

use std::collections::{BTreeMap, BTreeSet};

use audit_core::{
    CompactRange, Event, Hash, Origin, ShardOpening, ShardStart, Subtree, Verifier, VerifierKey,
    VerifyOptions,
};
use chrono::{DateTime, Utc};
use letter_delivery::{LedgerAudit, PayloadId, StoreError};

pub(crate) use events::EventRow;
pub(crate) use records::{Queue, RecordRow, References, STRAYS};
#[cfg(feature = "sqlite")]
pub(crate) use records::{driver_of_copy, driver_of_letter};

/// What the ledger is checked against besides itself.
#[derive(Clone, Debug, Default)]
pub struct VerifyAgainst {
    /// The keys whose signatures count.
    pub trusted: Vec<VerifierKey>,
    /// Checkpoints that were kept outside the store.
    pub checkpoints: Vec<String>,
    /// The time, for rules about age.
    pub now: Option<DateTime<Utc>>,
}

/// What a verification found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoreVerification {
    /// How many events there are.
    pub events: u64,
    /// The root over all of them.
    pub root: Hash,
    /// The largest size that was signed.
    pub checkpoint_size: Option<u64>,
    /// What is wrong; nothing when it is clean.
    pub faults: Vec<StoreFault>,
    /// Up to which size the ledger is still proven by a signed checkpoint.
    pub provable_to: u64,
    /// Events that are durable and wait for their place in the ledger; no checkpoint covers them.
    pub unsequenced: u64,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreFault {
    /// The rule, `V1` to `V12` (audit-and-delivery facts 6).
    pub rule: String,
    /// The event, where there is one.
    pub seq: Option<u64>,
    /// What is wrong, in words.
    pub what: String,
}

impl StoreVerification {
    /// Whether nothing is wrong.
    pub const fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }
}

/// What is gathered while everything is read once.
#[derive(Default)]
pub(crate) struct Check {
    ledger: LedgerAudit,
    faults: Vec<StoreFault>,
    /// Digests that events recorded and no content was met for yet, with the event.
    recorded: BTreeMap<String, u64>,
    /// Reports that events tell of, with the event.
    reports: BTreeMap<String, u64>,
    /// Origins that the ledger had before it was restored.
    former_origins: Vec<Origin>,
    /// Contents that rows of letters and copies lead to.
    needed: BTreeSet<PayloadId>,
    /// Hashes of subtrees as their rows hold them, until the events were read that complete them.
    subtrees: BTreeMap<Subtree, Vec<u8>>,
}

impl Check {
    pub(crate) fn fault(&mut self, rule: &str, seq: Option<u64>, what: impl Into<String>) {
        self.faults.push(StoreFault {
            rule: rule.to_owned(),
            seq,
            what: what.into(),
        });
    }

    /// The value, or else a fault that says why there is none.
    pub(crate) fn or_fault<T: Default>(&mut self, read: Result<T, StoreError>) -> T {
        read.unwrap_or_else(|error| {
            self.fault("V1", None, error.to_string());
            T::default()
        })
    }

    /// The verifier of the ledger, with the notes that were signed, in the store and outside.
    pub(crate) fn verifier(
        &mut self,
        against: VerifyAgainst,
        stored: Vec<String>,
        outside: &[String],
    ) -> Verifier {
        let lost = self.lost_checkpoints(&stored, outside);
        Verifier::new(VerifyOptions {
            trusted: against.trusted,
            stored_checkpoints: stored,
            external_checkpoints: against.checkpoints.into_iter().chain(lost).collect(),
            former_origins: std::mem::take(&mut self.former_origins),
            now: against
                .now
                .map(|at| audit_core::Timestamp::from_millis(at.timestamp_millis())),
            ..VerifyOptions::default()
        })
    }

    /// The events of the ledger's own stream, before all others: they tell of restores.
    pub(crate) fn restores(&mut self, ledger: &[Vec<u8>]) {
        let events = ledger.iter().filter_map(|bytes| Event::parse(bytes).ok());
        let openings = events.filter_map(|event| ShardOpening::of(&event));
        let restored = openings.filter(|opening| opening.start == ShardStart::Restored);
        let before = restored.filter_map(|opening| opening.previous);
        self.former_origins
            .extend(before.map(|checkpoint| checkpoint.origin));
    }

    /// V8: what was signed once is still in the store; gives back the notes that are not.
    fn lost_checkpoints(&mut self, stored: &[String], outside: &[String]) -> Vec<String> {
        let lost: Vec<String> = outside
            .iter()
            .filter(|note| !stored.contains(note))
            .cloned()
            .collect();
        for note in &lost {
            let size = note.lines().nth(1).unwrap_or_default();
            let what = format!(
                "the checkpoint over {size} events stands in the file beside the store only"
            );
            self.fault("V8", None, what);
        }
        lost
    }

    /// The rows of subtrees' hashes, before the events are read.
    pub(crate) fn subtrees(&mut self, rows: impl IntoIterator<Item = (Subtree, Vec<u8>)>) {
        self.subtrees.extend(rows);
    }

    /// V6: a kept hash is the one over the events; one that is missing is made from them.
    fn subtree(&mut self, subtree: Subtree, hash: &Hash) {
        let held = self.subtrees.remove(&subtree);
        if held.is_some_and(|held| held != hash.as_bytes()) {
            self.wrong_subtree(subtree);
        }
    }

    fn wrong_subtree(&mut self, subtree: Subtree) {
        let first = subtree.index.checked_shl(subtree.level);
        let what = "the hash kept for a subtree is not the one over its events";
        self.fault("V6", first, what);
    }

    /// V6: the tree's own row is the tree over the events.
    fn tree(&mut self, tree: Result<CompactRange, StoreError>, events: u64, root: &Hash) {
        match tree {
            Ok(range) if range.size() == events && range.root() == *root => {}
            Ok(range) => {
                let what = format!(
                    "the tree's row says {} events, {events} were read, or its root differs",
                    range.size()
                );
                self.fault("V6", None, what);
            }
            Err(error) => self.fault("V6", None, error.to_string()),
        }
    }

    /// Ends after everything was read, with the tree as the store keeps it.
    pub(crate) fn finish(
        mut self,
        verifier: Verifier,
        tree: Result<CompactRange, StoreError>,
    ) -> StoreVerification {
        for subtree in std::mem::take(&mut self.subtrees).into_keys() {
            self.wrong_subtree(subtree);
        }
        let verification = verifier.finish();
        self.tree(tree, verification.events, &verification.root);
        let told = verification.faults.iter().map(|fault| StoreFault {
            rule: fault.rule.as_str().to_owned(),
            seq: fault.seq,
            what: fault.what.clone(),
        });
        self.faults.extend(told);
        StoreVerification {
            events: verification.events,
            root: verification.root,
            checkpoint_size: verification.checkpoint_size,
            faults: self.sorted(),
            provable_to: verification.provable_to,
            unsequenced: 0,
        }
    }

    /// All faults, those of an event in the order of the ledger.
    fn sorted(mut self) -> Vec<StoreFault> {
        let told = self.ledger.finish().into_iter().map(|fault| StoreFault {
            rule: fault.rule.to_owned(),
            seq: fault.seq,
            what: fault.what,
        });
        self.faults.extend(told);
        self.faults
            .sort_by_key(|fault| fault.seq.unwrap_or(u64::MAX));
        self.faults
    }
}
