//! The life of a letter, until its copies carry it.

use crate::state::LetterState::{self, *};
use crate::step::{Position, Step};

macro_rules! events {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $stored:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[expect(clippy::exhaustive_enums, reason = "a life cycle: callers must meet every event")]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
        }

        impl $name {
            /// Every event.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The `type` the event has in the ledger.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $stored,)*
                }
            }

            /// Reads a `type` of the ledger.
            pub fn parse(stored: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|event| event.as_str() == stored)
            }
        }
    };
}
pub(crate) use events;

events! {
    /// What can happen to a letter (audit-and-delivery facts 3.2).
    LetterEvent {
        /// The source shows an unsigned document. Once a version is signed, a draft of the next
        /// one never moves it.
        DraftSeen = "epr.draft_seen";
        /// The source handed over a signed document.
        SignedOff = "epr.signed_off";
        /// It was read, and may go.
        Parsed = "parsed";
        /// It could not be read surely, or must not go before a person looked.
        ParseFailed = "parse.failed";
        /// Recipients and roads are chosen, copies made.
        Routed = "routed";
        /// No recipient, or a doubt about one.
        RouteNone = "route.none";
        /// More than one possible destination.
        RouteAmbiguous = "route.ambiguous";
        /// A rule says that it must not go.
        Withheld = "withheld";
        /// The hold was lifted.
        Resumed = "hold.resumed";
        /// A person named the practice of a letter that routing could not place.
        PersonReroute = "person.reroute";
        /// A person decided that it must not go.
        PersonSuppressed = "person.suppressed";
        /// A person takes it back: it was signed in error, or shares a fault.
        PersonWithdrawn = "person.withdrawn";
        /// A person decided what needs a second one, who did not speak yet.
        PersonProposed = "person.proposed";
        /// Its contents and identifiers were destroyed with their key.
        PayloadErased = "payload.erased";
        /// A person looked into what they were told about it.
        PersonResolved = "person.resolved";
        /// A later version arrived.
        Superseded = "superseded";
        /// The source cancelled it.
        WithdrawReceived = "withdraw.received";
    }
}

impl LetterEvent {
    /// What this event does to a letter; `None` is a letter not seen before.
    ///
    /// ```
    /// use letter_delivery::{LetterEvent, LetterState, Position, Step};
    /// let held = Position { state: LetterState::Held, resume: Some(LetterState::Parsed) };
    /// assert_eq!(
    ///     LetterEvent::Resumed.step(Some(held)),
    ///     Step::Moved(Position::at(LetterState::Parsed)),
    /// );
    /// ```
    pub fn step(self, from: Option<Position<LetterState>>) -> Step<LetterState> {
        let Some(from) = from else {
            return self.first();
        };
        if self == Self::PersonResolved {
            return Step::Kept;
        }
        match from.state {
            DraftSeen => self.when_draft(),
            SignedOff => self.when_signed_off(),
            Parsed => self.when_parsed(),
            Routed => self.when_routed(),
            Held => self.when_held(from.resume),
            Withheld | Suppressed | Superseded | Withdrawn => self.when_ended(from.state),
        }
    }

    const fn first(self) -> Step<LetterState> {
        match self {
            Self::DraftSeen => moved(DraftSeen),
            Self::SignedOff => moved(SignedOff),
            Self::WithdrawReceived => moved(Withdrawn),
            _ => Step::NotAllowed,
        }
    }

    const fn when_draft(self) -> Step<LetterState> {
        match self {
            Self::DraftSeen => Step::Kept,
            Self::SignedOff => moved(SignedOff),
            Self::WithdrawReceived | Self::PersonWithdrawn => moved(Withdrawn),
            Self::PersonSuppressed => moved(Suppressed),
            Self::PersonProposed => Step::Kept,
            _ => Step::NotAllowed,
        }
    }

    const fn when_signed_off(self) -> Step<LetterState> {
        match self {
            Self::DraftSeen => Step::Kept,
            Self::Parsed => moved(Parsed),
            Self::ParseFailed => held(SignedOff),
            Self::Withheld => moved(Withheld),
            Self::Superseded => moved(Superseded),
            Self::WithdrawReceived | Self::PersonWithdrawn => moved(Withdrawn),
            Self::PersonSuppressed => moved(Suppressed),
            Self::PersonProposed => Step::Kept,
            _ => Step::NotAllowed,
        }
    }

    const fn when_parsed(self) -> Step<LetterState> {
        match self {
            Self::DraftSeen => Step::Kept,
            Self::Routed => moved(Routed),
            Self::RouteNone | Self::RouteAmbiguous => held(Parsed),
            Self::Withheld => moved(Withheld),
            Self::Superseded => moved(Superseded),
            Self::WithdrawReceived | Self::PersonWithdrawn => moved(Withdrawn),
            Self::PersonSuppressed => moved(Suppressed),
            Self::PersonProposed => Step::Kept,
            _ => Step::NotAllowed,
        }
    }

    const fn when_routed(self) -> Step<LetterState> {
        match self {
            Self::DraftSeen
            | Self::Superseded
            | Self::WithdrawReceived
            | Self::PersonWithdrawn
            | Self::PersonProposed
            | Self::PayloadErased
            | Self::PersonSuppressed => Step::Kept,
            _ => Step::NotAllowed,
        }
    }

    fn when_held(self, resume: Option<LetterState>) -> Step<LetterState> {
        match self {
            Self::Resumed => moved(resume.unwrap_or(SignedOff)),
            Self::PersonReroute if resume == Some(Parsed) => moved(Parsed),
            Self::DraftSeen | Self::ParseFailed | Self::RouteNone | Self::RouteAmbiguous => {
                Step::Kept
            }
            Self::Superseded => moved(Superseded),
            Self::WithdrawReceived | Self::PersonWithdrawn => moved(Withdrawn),
            Self::PersonSuppressed => moved(Suppressed),
            Self::PersonProposed => Step::Kept,
            _ => Step::NotAllowed,
        }
    }

    fn when_ended(self, state: LetterState) -> Step<LetterState> {
        match (self, state) {
            (Self::Superseded, Superseded) => Step::Repeated,
            (Self::PersonWithdrawn, Withdrawn) => Step::Repeated,
            (
                Self::DraftSeen
                | Self::Superseded
                | Self::WithdrawReceived
                | Self::PersonWithdrawn
                | Self::PersonProposed
                | Self::PayloadErased,
                _,
            ) => Step::Kept,
            _ => Step::NotAllowed,
        }
    }
}

const fn moved(state: LetterState) -> Step<LetterState> {
    Step::Moved(Position::at(state))
}

const fn held(resume: LetterState) -> Step<LetterState> {
    Step::Moved(Position::held(Held, resume))
}
