//! The states of a letter and of a copy, with the names they are stored under.

use std::fmt;

/// How a state is treated in lists: does it go on by itself, wait for a person, or stand still?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "callers decide on each kind")]
pub enum StateKind {
    /// The software or the recipient moves it on.
    Open,
    /// Only a person moves it on.
    NeedsPerson,
    /// Ended well.
    Good,
    /// Ended by a rule or a person, with the reason recorded.
    Ended,
}

macro_rules! states {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $stored:literal, $kind:ident;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(clippy::exhaustive_enums, reason = "a life cycle: callers must meet every state")]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
        }

        impl $name {
            /// Every state, in the order of the life cycle.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name the state has in events, in the store and on screens.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $stored,)*
                }
            }

            /// How the state is treated in lists.
            pub const fn kind(self) -> StateKind {
                match self {
                    $(Self::$variant => StateKind::$kind,)*
                }
            }

            /// Reads a stored name.
            pub fn parse(stored: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|state| state.as_str() == stored)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let stored = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(&stored).ok_or_else(|| serde::de::Error::custom("no such state"))
            }
        }
    };
}

states! {
    /// Where a letter stands until its copies carry it (audit-and-delivery facts 3.1).
    LetterState {
        /// Seen, but nobody signed it: it ages on a list of its own.
        DraftSeen = "DRAFT_SEEN", Open;
        /// Taken from the source, durable here.
        SignedOff = "SIGNED_OFF", Open;
        /// Read; identity, sign-off and release were checked.
        Parsed = "PARSED", Open;
        /// Handed to its copies, one for each recipient and road; theirs are the states to watch.
        Routed = "ROUTED", Good;
        /// Stopped for a person, for the reason recorded; it remembers where it goes on.
        Held = "HELD", NeedsPerson;
        /// Not to be sent, by a rule whose evidence is recorded.
        Withheld = "WITHHELD", Ended;
        /// Not to be sent, by a named person's decision.
        Suppressed = "SUPPRESSED", Ended;
        /// A later version took its place before it left.
        Superseded = "SUPERSEDED", Ended;
        /// Cancelled by its source before it left.
        Withdrawn = "WITHDRAWN", Ended;
    }
}

states! {
    /// Where one copy of a letter stands: one recipient, one road (audit-and-delivery facts 3.1).
    CopyState {
        /// Its recipient, mailbox, workflow and profile are chosen.
        Routed = "ROUTED", Open;
        /// The bytes to send are fixed and proven to say what was signed.
        Rendered = "RENDERED", Open;
        /// Waits in the send queue.
        Queued = "QUEUED", Open;
        /// An attempt is open: that was durable before its first byte left.
        Sending = "SENDING", Open;
        /// An attempt ended without an answer that can be trusted; MESH is asked before anything else.
        Uncertain = "UNCERTAIN", Open;
        /// MESH took it and gave it an id.
        Accepted = "ACCEPTED", Open;
        /// The recipient's system took it from MESH. That is no proof that anyone saw it.
        Collected = "COLLECTED", Good;
        /// The recipient's system acknowledged it.
        Acked = "ACKED", Good;
        /// The recipient filed it to the record.
        Filed = "FILED", Good;
        /// Stopped for a person, for the reason recorded; it remembers where it goes on.
        Held = "HELD", NeedsPerson;
        /// The recipient refused it.
        Rejected = "REJECTED", NeedsPerson;
        /// MESH could not deliver it, or the practice does not know the patient.
        Returned = "RETURNED", NeedsPerson;
        /// MESH refused it, or the tries are used up.
        Failed = "FAILED", NeedsPerson;
        /// Cancelled after it had left: the practice must be told.
        WithdrawalDue = "WITHDRAWAL_DUE", NeedsPerson;
        /// Waits for the one who prints and posts: only a copy whose road is paper.
        PaperQueued = "PAPER_QUEUED", Open;
        /// Handed to the one who prints and posts.
        PaperSent = "PAPER_SENT", Open;
        /// Whoever prints confirmed that it was posted.
        PaperConfirmed = "PAPER_CONFIRMED", Good;
        /// Not to be sent, by a named person's decision.
        Suppressed = "SUPPRESSED", Ended;
        /// A later version took its place before it was accepted.
        Superseded = "SUPERSEDED", Ended;
        /// Cancelled before it left, or the practice was told.
        Withdrawn = "WITHDRAWN", Ended;
    }
}

states! {
    /// Where a message that another organisation sends to the trust stands.
    InboundState {
        /// Durable here, and not yet with the trust's own system.
        Received = "RECEIVED", Open;
        /// Its own system refused it for good; it remembers where it goes on.
        Held = "HELD", NeedsPerson;
        /// Its own system took it.
        HandedOver = "HANDED_OVER", Good;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_names_go_round() {
        for state in LetterState::ALL {
            assert_eq!(LetterState::parse(state.as_str()), Some(*state));
        }
        for state in CopyState::ALL {
            assert_eq!(CopyState::parse(state.as_str()), Some(*state));
        }
        assert_eq!(CopyState::parse("LOST"), None);
    }

    #[test]
    fn no_state_of_failure_is_an_end() {
        for state in [
            CopyState::Held,
            CopyState::Rejected,
            CopyState::Returned,
            CopyState::Failed,
        ] {
            assert_eq!(state.kind(), StateKind::NeedsPerson, "{state}");
        }
    }
}
