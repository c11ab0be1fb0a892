//! Everything the store holds, checked against everything else it holds.

mod contents;
mod events;
mod file;
mod records;

use std::collections::{BTreeMap, BTreeSet};

use audit_core::{Hash, Verifier, VerifierKey, VerifyOptions};
use chrono::{DateTime, Utc};
use letter_delivery::{LedgerAudit, PayloadId};
use rusqlite::Connection;

use super::lists::rows;
use super::seal::Seal;

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
struct Check {
    ledger: LedgerAudit,
    faults: Vec<StoreFault>,
    /// Digests that events recorded and no content was met for yet, with the event.
    recorded: BTreeMap<String, u64>,
    /// Reports that events tell of, with the event.
    reports: BTreeMap<String, u64>,
    /// Contents that rows of letters and copies lead to.
    needed: BTreeSet<PayloadId>,
}

pub(super) fn verify(
    db: &Connection,
    seal: &Seal,
    against: VerifyAgainst,
    outside: &[String],
) -> StoreVerification {
    let mut check = Check::default();
    check.file(db, seal);
    let sql = "SELECT note FROM checkpoint ORDER BY size";
    let stored: Vec<String> = check.read(db, sql, |row| row.get(0));
    let lost = check.lost_checkpoints(&stored, outside);
    let mut verifier = Verifier::new(VerifyOptions {
        trusted: against.trusted,
        stored_checkpoints: stored,
        external_checkpoints: against.checkpoints.into_iter().chain(lost).collect(),
        now: against
            .now
            .map(|at| audit_core::Timestamp::from_millis(at.timestamp_millis())),
        ..VerifyOptions::default()
    });
    check.events(db, &mut verifier);
    check.records(db);
    check.contents(db, seal);
    let verification = verifier.finish();
    check.tree(db, verification.events, &verification.root);
    let told = verification.faults.iter().map(|fault| StoreFault {
        rule: fault.rule.as_str().to_owned(),
        seq: fault.seq,
        what: fault.what.clone(),
    });
    check.faults.extend(told);
    StoreVerification {
        events: verification.events,
        root: verification.root,
        checkpoint_size: verification.checkpoint_size,
        faults: check.finish(),
        provable_to: verification.provable_to,
    }
}

impl Check {
    fn fault(&mut self, rule: &str, seq: Option<u64>, what: impl Into<String>) {
        self.faults.push(StoreFault {
            rule: rule.to_owned(),
            seq,
            what: what.into(),
        });
    }

    /// Rows of a query; when the file itself is damaged that is a fault, with what could be read.
    fn read<T>(
        &mut self,
        db: &Connection,
        sql: &str,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Vec<T> {
        rows(db, sql, [], read).unwrap_or_else(|error| {
            self.fault("V1", None, error.to_string());
            Vec::new()
        })
    }

    /// All faults, those of an event in the order of the ledger.
    fn finish(mut self) -> Vec<StoreFault> {
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
