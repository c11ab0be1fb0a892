//! What a source is told of its letters, read from the ledger in its order.

use audit_core::{Event, StreamKey, Timestamp};
use nhs_types::Sensitive;

use crate::record::{CopyRecord, LetterRecord};
use crate::state::{CopyState, LetterState};

/// An event of the ledger about a letter or a copy, with what is known of it now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LedgerEntry {
    /// The event.
    pub event: Event,
    /// The state before it, as the ledger has it; `None` for the first of its stream.
    pub before: Option<String>,
    /// The letter.
    pub letter: LetterRecord,
    /// The copy, for an event of a copy.
    pub copy: Option<CopyRecord>,
    /// The document's number in its source; `None` once it was erased.
    pub document: Option<Sensitive<String>>,
}

impl LedgerEntry {
    /// An event with its letter.
    pub const fn new(
        event: Event,
        before: Option<String>,
        letter: LetterRecord,
        copy: Option<CopyRecord>,
        document: Option<Sensitive<String>>,
    ) -> Self {
        Self {
            event,
            before,
            letter,
            copy,
            document,
        }
    }
}

/// A stretch of the ledger.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct LedgerPage {
    /// Its events about letters and copies.
    pub entries: Vec<LedgerEntry>,
    /// Where the next stretch begins.
    pub next: u64,
    /// How many events the ledger has.
    pub end: u64,
}

impl LedgerPage {
    /// A stretch of the ledger.
    pub const fn new(entries: Vec<LedgerEntry>, next: u64, end: u64) -> Self {
        Self { entries, next, end }
    }
}

/// How far a feed has come: everything before `next` was told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeedCursor {
    /// The feed's name.
    pub feed: String,
    /// The first event that was not told yet.
    pub next: u64,
}

impl FeedCursor {
    /// How far a feed has come.
    pub fn new(feed: impl Into<String>, next: u64) -> Self {
        Self {
            feed: feed.into(),
            next,
        }
    }
}

macro_rules! outcomes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $says:literal;)*) => {
        /// What became of a letter or a copy, as its source is told.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum OutcomeKind {
            $($(#[$doc])* $variant,)*
        }

        impl OutcomeKind {
            /// Every outcome.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in messages.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The same for people.
            pub const fn says(self) -> &'static str {
                match self {
                    $(Self::$variant => $says,)*
                }
            }
        }
    };
}

outcomes! {
    /// MESH took it for the practice.
    Accepted = "accepted", "MESH took it for the practice";
    /// The practice's system took it from MESH; that proves nothing more (design rule 7).
    Collected = "collected", "collected, filing unproven";
    /// Acknowledged or filed: receipt is proven.
    Received = "received", "received by the practice";
    /// Stopped for a person, with the reason.
    Held = "held", "held for a person";
    /// The practice refused it.
    Rejected = "rejected", "refused by the practice";
    /// Undelivered, or not the practice's patient.
    Returned = "returned", "returned, not delivered";
    /// It could not be sent.
    Failed = "failed", "could not be sent";
    /// It was printed and posted.
    PaperSent = "paper_sent", "sent on paper";
    /// The print provider confirmed that.
    PaperConfirmed = "paper_confirmed", "dispatch on paper confirmed";
    /// Cancelled after it had left: the practice must be told.
    WithdrawalDue = "withdrawal_due", "cancelled after it left, the practice must be told";
    /// Cancelled, and nobody has it who was not told.
    Withdrawn = "withdrawn", "withdrawn";
    /// A later version took its place.
    Superseded = "superseded", "replaced by a later version";
    /// A rule says that it must not go.
    Withheld = "withheld", "withheld by a rule";
    /// A person decided that it must not go.
    Suppressed = "suppressed", "suppressed by a person";
}

impl OutcomeKind {
    /// What a letter that comes to this state means to its source, if it is news.
    pub const fn of_letter(state: LetterState) -> Option<Self> {
        match state {
            LetterState::DraftSeen
            | LetterState::SignedOff
            | LetterState::Parsed
            | LetterState::Routed => None,
            LetterState::Held => Some(Self::Held),
            LetterState::Withheld => Some(Self::Withheld),
            LetterState::Suppressed => Some(Self::Suppressed),
            LetterState::Superseded => Some(Self::Superseded),
            LetterState::Withdrawn => Some(Self::Withdrawn),
        }
    }

    /// What a copy that comes to this state means to its source, if it is news.
    pub const fn of_copy(state: CopyState) -> Option<Self> {
        match state {
            CopyState::Routed
            | CopyState::Rendered
            | CopyState::Queued
            | CopyState::Sending
            | CopyState::Uncertain
            | CopyState::PaperQueued => None,
            CopyState::Accepted => Some(Self::Accepted),
            CopyState::Collected => Some(Self::Collected),
            CopyState::Acked | CopyState::Filed => Some(Self::Received),
            CopyState::Held => Some(Self::Held),
            CopyState::Rejected => Some(Self::Rejected),
            CopyState::Returned => Some(Self::Returned),
            CopyState::Failed => Some(Self::Failed),
            CopyState::WithdrawalDue => Some(Self::WithdrawalDue),
            CopyState::PaperSent => Some(Self::PaperSent),
            CopyState::PaperConfirmed => Some(Self::PaperConfirmed),
            CopyState::Suppressed => Some(Self::Suppressed),
            CopyState::Superseded => Some(Self::Superseded),
            CopyState::Withdrawn => Some(Self::Withdrawn),
        }
    }
}

/// One thing that a source is told. It names the document as its source does, and says nothing
/// about the patient.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The event's place in the ledger: a source that was told it before knows it by that.
    pub seq: u64,
    /// What became of it.
    pub kind: OutcomeKind,
    /// When.
    pub at: Timestamp,
    /// The reason, as a code.
    pub reason: Option<String>,
    /// The state that the event led to.
    pub state: String,
    /// The letter as it is now.
    pub letter: LetterRecord,
    /// The copy as it is now, for an outcome of a copy.
    pub copy: Option<CopyRecord>,
    /// The document's number in its source.
    pub document: Option<Sensitive<String>>,
}

impl Outcome {
    /// What an event means to the letter's source; nothing when the state stayed, or is no news.
    ///
    /// The same event always gives the same outcome: a feed may be told anew from any place.
    pub fn of(entry: LedgerEntry) -> Option<Self> {
        let body = &entry.event.body;
        if entry.before.as_deref() == Some(body.state.as_str()) {
            return None;
        }
        let kind = match body.copy {
            Some(_) => CopyState::parse(&body.state).and_then(OutcomeKind::of_copy),
            None => LetterState::parse(&body.state).and_then(OutcomeKind::of_letter),
        }?;
        Some(Self {
            seq: entry.event.seq,
            kind,
            at: body.at,
            reason: body.data.text("reason").map(str::to_owned),
            state: body.state.clone(),
            letter: entry.letter,
            copy: entry.copy,
            document: entry.document,
        })
    }

    /// The stream of the letter.
    pub const fn stream(&self) -> StreamKey {
        self.letter.key
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::StateKind;

    #[test]
    fn audit_4_3_whatever_ends_or_needs_a_person_is_told() {
        let told = |kind: StateKind, outcome: Option<OutcomeKind>, state: &str| {
            let must = kind != StateKind::Open && state != "ROUTED";
            assert!(!must || outcome.is_some(), "{state}");
        };
        for state in LetterState::ALL {
            told(state.kind(), OutcomeKind::of_letter(*state), state.as_str());
        }
        for state in CopyState::ALL {
            told(state.kind(), OutcomeKind::of_copy(*state), state.as_str());
        }
    }

    #[test]
    fn design_5_rule_7_collected_is_not_received() {
        let collected = OutcomeKind::of_copy(CopyState::Collected);
        assert_eq!(collected, Some(OutcomeKind::Collected));
        assert!(OutcomeKind::Collected.says().contains("unproven"));
        for proven in [CopyState::Acked, CopyState::Filed] {
            assert_eq!(OutcomeKind::of_copy(proven), Some(OutcomeKind::Received));
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = OutcomeKind::ALL.iter().map(|kind| kind.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), OutcomeKind::ALL.len());
    }
}
