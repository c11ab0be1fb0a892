//! Where a copy stands in the balance: every letter taken is in exactly one place.

use std::collections::BTreeMap;
use std::fmt;

use crate::record::{CopyRecord, LetterRecord};
use crate::state::{CopyState, LetterState};

macro_rules! standings {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// Where a letter or copy stands, by the balance of audit-and-delivery facts 9: taken =
        /// the sum of all of these. The first are those that ask for somebody most.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(clippy::exhaustive_enums, reason = "a balance must meet every place")]
        pub enum Standing {
            $($(#[$doc])* $variant,)*
        }

        impl Standing {
            /// Every place.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name it has in reports.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

standings! {
    /// Stopped for a person.
    Held = "held";
    /// Refused by the recipient.
    Rejected = "rejected";
    /// Came back.
    Returned = "returned";
    /// Not sent.
    Failed = "failed";
    /// Taken back after it had left: the practice must be told.
    WithdrawalDue = "withdrawal_due";
    /// It is not known whether MESH has it.
    Uncertain = "uncertain";
    /// Taken, and not with MESH yet.
    InFlight = "in_flight";
    /// With the one who prints.
    PaperOpen = "paper_open";
    /// With MESH, not collected.
    AcceptedWaiting = "accepted_waiting";
    /// Collected, and nothing more is known.
    CollectedOnly = "collected_only";
    /// Posted.
    PaperConfirmed = "paper_confirmed";
    /// Acknowledged or filed.
    FiledOrAcked = "filed_or_acked";
    /// Not sent, by a rule.
    Withheld = "withheld";
    /// Not sent, by a person.
    Suppressed = "suppressed";
    /// A later version took its place.
    Superseded = "superseded";
    /// Taken back.
    Withdrawn = "withdrawn";
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl CopyState {
    /// Where a copy in this state stands.
    pub const fn standing(self) -> Standing {
        match self {
            Self::Routed | Self::Rendered | Self::Queued | Self::Sending => Standing::InFlight,
            Self::Uncertain => Standing::Uncertain,
            Self::Accepted => Standing::AcceptedWaiting,
            Self::Collected => Standing::CollectedOnly,
            Self::Acked | Self::Filed => Standing::FiledOrAcked,
            Self::Held => Standing::Held,
            Self::Rejected => Standing::Rejected,
            Self::Returned => Standing::Returned,
            Self::Failed => Standing::Failed,
            Self::WithdrawalDue => Standing::WithdrawalDue,
            Self::PaperQueued | Self::PaperSent => Standing::PaperOpen,
            Self::PaperConfirmed => Standing::PaperConfirmed,
            Self::Suppressed => Standing::Suppressed,
            Self::Superseded => Standing::Superseded,
            Self::Withdrawn => Standing::Withdrawn,
        }
    }
}

impl LetterRecord {
    /// Where the letter stands: where that of its copies stands that asks for somebody most.
    /// `None` for a draft, which nobody signed.
    pub fn standing(&self, copies: &[CopyRecord]) -> Option<Standing> {
        let own = match self.state {
            LetterState::DraftSeen => return None,
            LetterState::SignedOff | LetterState::Parsed => Standing::InFlight,
            LetterState::Routed => {
                let of_copies = copies.iter().map(|copy| copy.state.standing()).min();
                // A letter is routed to somebody, or held: one without copies is not done.
                of_copies.unwrap_or(Standing::InFlight)
            }
            LetterState::Held => Standing::Held,
            LetterState::Withheld => Standing::Withheld,
            LetterState::Suppressed => Standing::Suppressed,
            LetterState::Superseded => Standing::Superseded,
            LetterState::Withdrawn => Standing::Withdrawn,
        };
        Some(own)
    }
}

/// How many letters stand where.
///
/// ```
/// use letter_delivery::{Balance, Standing};
/// let mut balance = Balance::default();
/// balance.add(Some(Standing::Held));
/// balance.add(Some(Standing::FiledOrAcked));
/// assert_eq!((balance.total(), balance.of(Standing::Held)), (2, 1));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balance(BTreeMap<Standing, u64>);

impl Balance {
    /// Counts one letter; a draft counts nowhere.
    pub fn add(&mut self, standing: Option<Standing>) {
        if let Some(standing) = standing {
            *self.0.entry(standing).or_default() += 1;
        }
    }

    /// How many stand there.
    pub fn of(&self, standing: Standing) -> u64 {
        self.0.get(&standing).copied().unwrap_or(0)
    }

    /// All of them: it must be the number of letters that were taken.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Places that somebody stands at, with how many.
    pub fn iter(&self) -> impl Iterator<Item = (Standing, u64)> {
        self.0.iter().map(|(standing, count)| (*standing, *count))
    }
}
