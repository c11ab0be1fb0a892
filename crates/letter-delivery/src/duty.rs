//! Who must act on a state, by when, and which alarm watches it (audit-and-delivery facts 11).

use chrono::Duration;

use crate::state::{CopyState, InboundState, LetterState};

/// Who owns the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_enums,
    reason = "every owner must be shown and reached"
)]
pub enum Owner {
    /// The clinician or specialty that wrote the document.
    Author,
    /// This software.
    Service,
    /// The trust's service desk.
    ServiceDesk,
    /// The recipient practice.
    Practice,
    /// Whoever prints and posts.
    PrintProvider,
    /// Nobody: it has ended.
    Nobody,
}

impl Owner {
    /// The name used in lists and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Service => "service",
            Self::ServiceDesk => "service desk",
            Self::Practice => "practice",
            Self::PrintProvider => "print provider",
            Self::Nobody => "nobody",
        }
    }
}

/// What a state asks for: an owner, the time within which they must act, and the alarm's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Duty {
    /// Who owns the next step.
    pub owner: Owner,
    /// How long the state may last before someone must act; `None` when it has ended.
    pub within: Option<Duration>,
    /// The alarm rule that watches it.
    pub alarm: &'static str,
    /// The next step, in words for a work list.
    pub next_action: &'static str,
}

impl Duty {
    /// A receiver that promises acknowledgements owes one (W-ACK).
    pub(crate) const ACKNOWLEDGE: Self = duty(
        Owner::Practice,
        DAY,
        "W-ACK",
        "the practice's system acknowledges it",
    );

    /// A receiver that promises filing owes it: five working days are seven by the calendar
    /// (W-FILE).
    pub(crate) const FILE: Self = duty(Owner::Practice, 7 * DAY, "W-FILE", "the practice files it");
}

const fn duty(owner: Owner, minutes: i64, alarm: &'static str, next_action: &'static str) -> Duty {
    Duty {
        owner,
        within: Some(Duration::minutes(minutes)),
        alarm,
        next_action,
    }
}

const fn ended(next_action: &'static str) -> Duty {
    Duty {
        owner: Owner::Nobody,
        within: None,
        alarm: "-",
        next_action,
    }
}

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

impl LetterState {
    /// What this state asks for.
    pub const fn duty(self) -> Duty {
        use Owner::{Author, Service, ServiceDesk};
        match self {
            Self::DraftSeen => duty(Author, DAY, "R9", "sign the document in the EPR"),
            Self::SignedOff => duty(Service, 15, "W-INT", "read it"),
            Self::Parsed => duty(Service, 15, "W-PIPE", "choose recipient and mailbox"),
            Self::Routed => ended("see its copies"),
            Self::Held => duty(
                ServiceDesk,
                4 * HOUR,
                "W-HELD",
                "look at the reason and decide",
            ),
            Self::Withheld => ended("none: a rule withholds it"),
            Self::Suppressed => ended("none: a person decided"),
            Self::Superseded => ended("none: a later version goes"),
            Self::Withdrawn => ended("none: it was taken back"),
        }
    }
}

impl CopyState {
    /// What this state asks for.
    pub const fn duty(self) -> Duty {
        use Owner::{Practice, PrintProvider, Service, ServiceDesk};
        match self {
            Self::Routed => duty(Service, 15, "W-PIPE", "shape it for the GP system"),
            Self::Rendered => duty(Service, 15, "W-PIPE", "queue it"),
            Self::Queued => duty(Service, 30, "W-SEND", "send it"),
            Self::Sending => duty(Service, 30, "W-SEND", "wait for the answer of MESH"),
            Self::Uncertain => duty(Service, 15, "W-UNC", "ask MESH whether it has it"),
            Self::Accepted => duty(Practice, 4 * HOUR, "W-COL", "the practice collects it"),
            Self::Collected => ended("none: collected, filing unproven"),
            Self::Acked => ended("none: acknowledged"),
            Self::Filed => ended("none: filed"),
            Self::Held => duty(
                ServiceDesk,
                4 * HOUR,
                "W-HELD",
                "look at the reason and decide",
            ),
            Self::Rejected => duty(
                ServiceDesk,
                0,
                "W-REJ",
                "the practice refused it: find out why",
            ),
            Self::Returned => duty(
                ServiceDesk,
                0,
                "W-REJ",
                "undelivered: find the right practice",
            ),
            Self::Failed => duty(
                ServiceDesk,
                0,
                "W-REJ",
                "not sent: mend the cause, send again",
            ),
            Self::WithdrawalDue => duty(
                ServiceDesk,
                0,
                "W-REJ",
                "tell the practice that it is withdrawn",
            ),
            Self::PaperQueued => duty(PrintProvider, DAY, "W-SEND", "print and post it"),
            Self::PaperSent => duty(
                PrintProvider,
                3 * DAY,
                "W-COL",
                "confirm that it was posted",
            ),
            Self::PaperConfirmed => ended("none: posted"),
            Self::Suppressed => ended("none: a person decided"),
            Self::Superseded => ended("none: a later version goes"),
            Self::Withdrawn => ended("none: it was taken back"),
        }
    }
}

impl InboundState {
    /// What this state asks for.
    pub const fn duty(self) -> Duty {
        use Owner::{Service, ServiceDesk};
        match self {
            Self::Received => duty(
                Service,
                30,
                "W-INB",
                "hand it to the record system: is that there?",
            ),
            Self::Held => duty(
                ServiceDesk,
                4 * HOUR,
                "W-HELD",
                "the record system refused it: look why, then hand it over again",
            ),
            Self::HandedOver => ended("none: the record system has it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::StateKind;

    #[test]
    fn every_state_that_can_move_has_an_owner_and_a_time() {
        let letters = LetterState::ALL
            .iter()
            .map(|s| (s.as_str(), s.kind(), s.duty()));
        let copies = CopyState::ALL
            .iter()
            .map(|s| (s.as_str(), s.kind(), s.duty()));
        for (name, kind, duty) in letters.chain(copies) {
            let open = matches!(kind, StateKind::Open | StateKind::NeedsPerson);
            assert_eq!(duty.within.is_some(), open, "{name}");
            assert_eq!(duty.owner != Owner::Nobody, open, "{name}");
        }
    }
}
