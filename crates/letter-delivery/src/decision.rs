//! What a person can decide about a letter or a copy, and where each decision is allowed.

use std::fmt;

use crate::actor::Actor;
use crate::copy::CopyEvent;
use crate::letter::LetterEvent;
use crate::reason::Reason;
use crate::record::{CopyRecord, LetterRecord, Reroute, Vote};
use crate::state::{CopyState, LetterState};
use crate::step::Step;

/// What a person can decide.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// It may go on: a hold is lifted, or a second person agrees to what the first decided.
    Approve,
    /// Sent anew to the same mailbox, in a series of its own.
    Resend,
    /// Routed anew, to this practice.
    Reroute(Reroute),
    /// It must not go. For some classes two persons decide that.
    Suppress,
    /// It is taken back; who has it must be told.
    Withdraw,
    /// The practice refused it, as a person there said.
    Rejected {
        /// Because it does not know the patient.
        not_our_patient: bool,
    },
    /// Somebody spoke with the practice.
    Telephoned(Heard),
    /// What a person was told about it was looked into.
    Resolve,
}

/// What the practice said when it was telephoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "each is joined to an event")]
pub enum Heard {
    /// It has the letter.
    Received,
    /// It filed the letter.
    Filed,
    /// It knows now that the letter is withdrawn.
    Told,
}

/// The name of a decision: that of its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "each is a command")]
pub enum DecisionKind {
    /// `approve`
    Approve,
    /// `resend`
    Resend,
    /// `reroute`
    Reroute,
    /// `suppress`
    Suppress,
    /// `withdraw`
    Withdraw,
    /// `rejected`
    Rejected,
    /// `telephoned`
    Telephoned,
    /// `resolve`
    Resolve,
}

impl DecisionKind {
    /// Every decision, those that send first.
    pub const ALL: &'static [Self] = &[
        Self::Approve,
        Self::Resend,
        Self::Reroute,
        Self::Telephoned,
        Self::Rejected,
        Self::Resolve,
        Self::Withdraw,
        Self::Suppress,
    ];

    /// The name: that of the command.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Resend => "resend",
            Self::Reroute => "reroute",
            Self::Suppress => "suppress",
            Self::Withdraw => "withdraw",
            Self::Rejected => "rejected",
            Self::Telephoned => "telephoned",
            Self::Resolve => "resolve",
        }
    }
}

impl fmt::Display for DecisionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Decision {
    /// Its name.
    pub const fn kind(&self) -> DecisionKind {
        match self {
            Self::Approve => DecisionKind::Approve,
            Self::Resend => DecisionKind::Resend,
            Self::Reroute(_) => DecisionKind::Reroute,
            Self::Suppress => DecisionKind::Suppress,
            Self::Withdraw => DecisionKind::Withdraw,
            Self::Rejected { .. } => DecisionKind::Rejected,
            Self::Telephoned(_) => DecisionKind::Telephoned,
            Self::Resolve => DecisionKind::Resolve,
        }
    }

    pub(crate) const fn letter_event(&self) -> Option<LetterEvent> {
        match self {
            Self::Approve => Some(LetterEvent::Resumed),
            Self::Reroute(_) => Some(LetterEvent::PersonReroute),
            Self::Suppress => Some(LetterEvent::PersonSuppressed),
            Self::Withdraw => Some(LetterEvent::PersonWithdrawn),
            Self::Resolve => Some(LetterEvent::PersonResolved),
            Self::Resend | Self::Rejected { .. } | Self::Telephoned(_) => None,
        }
    }

    pub(crate) const fn copy_event(&self, state: CopyState) -> CopyEvent {
        match self {
            Self::Approve => CopyEvent::Resumed,
            Self::Resend => CopyEvent::PersonResend,
            Self::Reroute(_) => CopyEvent::PersonReroute,
            Self::Suppress => CopyEvent::PersonSuppressed,
            Self::Withdraw => CopyEvent::PersonWithdrawn,
            // Once its system acknowledged it, only what people there say is news.
            Self::Rejected {
                not_our_patient: true,
            } if !matches!(state, CopyState::Acked | CopyState::Filed) => {
                CopyEvent::AckNotOurPatient
            }
            Self::Rejected { .. } => CopyEvent::GpRejected,
            Self::Telephoned(Heard::Received) => CopyEvent::AckPositive,
            Self::Telephoned(Heard::Filed) => CopyEvent::GpFiled,
            Self::Telephoned(Heard::Told) => CopyEvent::PersonToldPractice,
            Self::Resolve => CopyEvent::PersonResolved,
        }
    }

    /// One of each kind, and of what the practice may have said.
    const fn some_of(kind: DecisionKind) -> &'static [Self] {
        match kind {
            DecisionKind::Approve => &[Self::Approve],
            DecisionKind::Resend => &[Self::Resend],
            DecisionKind::Suppress => &[Self::Suppress],
            DecisionKind::Withdraw => &[Self::Withdraw],
            DecisionKind::Rejected => &[Self::Rejected {
                not_our_patient: false,
            }],
            DecisionKind::Telephoned => &[
                Self::Telephoned(Heard::Received),
                Self::Telephoned(Heard::Filed),
                Self::Telephoned(Heard::Told),
            ],
            DecisionKind::Resolve => &[Self::Resolve],
            DecisionKind::Reroute => &[],
        }
    }
}

/// A decision with all that is recorded of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// What was decided.
    pub decision: Decision,
    /// Who decided.
    pub by: Actor,
    /// Why.
    pub reason: Reason,
    /// The copy it is about; all copies that it is possible for when there is none.
    pub copy: Option<u32>,
}

impl Verdict {
    /// A decision about a letter, and all its copies that it is possible for.
    pub const fn new(decision: Decision, by: Actor, reason: Reason) -> Self {
        Self {
            decision,
            by,
            reason,
            copy: None,
        }
    }

    /// About one copy only.
    #[must_use]
    pub const fn about(mut self, copy: Option<u32>) -> Self {
        self.copy = copy;
        self
    }
}

/// Why a decision cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecisionError {
    /// Only a person decides.
    #[error("a decision is a person's: run it under an account of the operating system")]
    NotAPerson,
    /// The state does not allow it.
    #[error(
        "{decision} is not possible while it is {state}; {}",
        possible(allowed)
    )]
    NotAllowed {
        /// What was to be decided.
        decision: DecisionKind,
        /// The state that does not allow it.
        state: &'static str,
        /// What it allows.
        allowed: Vec<DecisionKind>,
    },
    /// It was not read surely enough to be sent as it is.
    #[error(
        "it could not be read, so there is nothing to send: have it corrected and handed over \
         again; {}",
        possible(allowed)
    )]
    NothingToSend {
        /// What is possible.
        allowed: Vec<DecisionKind>,
    },
    /// The second person is the first.
    #[error(
        "{decision} needs a second person, and this account decided it already: let a colleague \
         run it under an account of their own"
    )]
    SamePerson {
        /// What was decided.
        decision: DecisionKind,
    },
    /// The letter has no such copy.
    #[error("there is no copy {copy}; the letter has {copies}")]
    NoSuchCopy {
        /// The number that was asked for.
        copy: u32,
        /// How many there are.
        copies: u32,
    },
}

fn possible(allowed: &[DecisionKind]) -> String {
    if allowed.is_empty() {
        return "nothing is left to decide".to_owned();
    }
    let names: Vec<&str> = allowed.iter().map(|kind| kind.as_str()).collect();
    format!("possible: {}", names.join(", "))
}

impl LetterRecord {
    /// What a person can decide about the letter itself; about its copies, ask them.
    ///
    /// ```
    /// # use letter_delivery::{DecisionKind, LetterRecord};
    /// fn commands(letter: &LetterRecord) -> Vec<String> {
    ///     let allowed = letter.decisions().into_iter();
    ///     allowed.map(|kind| format!("letter {kind} {} --reason R", letter.key)).collect()
    /// }
    /// ```
    pub fn decisions(&self) -> Vec<DecisionKind> {
        let kinds = DecisionKind::ALL.iter().copied();
        kinds.filter(|kind| self.allows(*kind)).collect()
    }

    pub(crate) fn allows(&self, kind: DecisionKind) -> bool {
        let reroutable = self.state == LetterState::Held
            && self.resume == Some(LetterState::Parsed)
            && self.content.is_some();
        match kind {
            DecisionKind::Approve if self.vote.as_ref().is_some_and(Vote::is_to_suppress) => true,
            DecisionKind::Approve => self.state == LetterState::Held && self.content.is_some(),
            DecisionKind::Reroute => reroutable,
            DecisionKind::Resolve => self.alert.is_some() || self.vote.is_some(),
            other => Decision::some_of(other)
                .iter()
                .filter_map(Decision::letter_event)
                .any(|event| matches!(event.step(Some(self.position())), Step::Moved(_))),
        }
    }
}

impl CopyRecord {
    /// What a person can decide about this copy.
    pub fn decisions(&self) -> Vec<DecisionKind> {
        let kinds = DecisionKind::ALL.iter().copied();
        kinds.filter(|kind| self.allows_kind(*kind)).collect()
    }

    fn allows_kind(&self, kind: DecisionKind) -> bool {
        if kind == DecisionKind::Reroute {
            let event = CopyEvent::PersonReroute.step(Some(self.position()));
            return matches!(event, Step::Moved(_));
        }
        Decision::some_of(kind).iter().any(|one| self.allows(one))
    }

    pub(crate) fn allows(&self, decision: &Decision) -> bool {
        let step = decision.copy_event(self.state).step(Some(self.position()));
        match (decision, step) {
            (Decision::Resolve, _) => self.alert.is_some(),
            // An attempt is open: its own answer comes first.
            (Decision::Rejected { .. } | Decision::Telephoned(_), _)
                if self.state == CopyState::Sending =>
            {
                false
            }
            (_, Step::Moved(_)) => true,
            (Decision::Rejected { .. }, Step::Conflict) => self.state == CopyState::Filed,
            // MESH's answer is waited for, and the decision carried through then.
            (Decision::Suppress | Decision::Withdraw, Step::Kept) => self.is_in_doubt(),
            _ => false,
        }
    }
}
