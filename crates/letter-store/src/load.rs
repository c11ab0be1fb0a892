use chrono::{DateTime, Utc};
use letter_delivery::WorkKind;

/// How much waits in a store, for gauges and alarms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Load {
    /// Work that waits, by kind; a kind without any is not listed.
    pub waiting: Vec<Waiting>,
    /// Letters and copies on the work list.
    pub needs_person: u64,
    /// When the oldest of them asked for someone to act.
    pub oldest_duty: Option<DateTime<Utc>>,
    /// Events in the ledger.
    pub events: u64,
    /// Of these, covered by a signed checkpoint.
    pub signed: u64,
}

/// How much work of one kind waits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// The kind.
    pub kind: WorkKind,
    /// How many pieces.
    pub pieces: u64,
    /// When the oldest was, or will be, due.
    pub oldest_due: DateTime<Utc>,
}

impl Waiting {
    /// Work of one kind.
    pub const fn new(kind: WorkKind, pieces: u64, oldest_due: DateTime<Utc>) -> Self {
        Self {
            kind,
            pieces,
            oldest_due,
        }
    }
}
