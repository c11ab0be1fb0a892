//! What readers, routing, MESH and recipients can say, and the event each saying becomes.
//!
//! Together with the `step` of both machines and the duty of each state this is the table of the
//! house: disposition, decision or MESH result → event → state → owner → timer. A snapshot of the
//! joined table is kept with the tests.

use chrono::Duration;

use crate::copy::CopyEvent;
use crate::letter::LetterEvent;

/// What reading decided about a document, by the codes of source-documents facts 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "every disposition must be joined to an event"
)]
pub enum Disposition {
    /// May go.
    Send,
    /// Nobody signed it yet.
    Draft,
    /// A person decides.
    Hold,
    /// A rule says that it must not go.
    Suppress,
    /// Its source cancels a document.
    Withdraw,
    /// It is here already.
    Duplicate,
    /// It is no document that can be read.
    Reject,
}

impl Disposition {
    /// Every disposition.
    pub const ALL: &'static [Self] = &[
        Self::Send,
        Self::Draft,
        Self::Hold,
        Self::Suppress,
        Self::Withdraw,
        Self::Duplicate,
        Self::Reject,
    ];

    /// The events it becomes, in order; none for what is counted only, or meets another letter.
    pub const fn events(self) -> &'static [LetterEvent] {
        use LetterEvent::{DraftSeen, ParseFailed, Parsed, SignedOff, Withheld};
        match self {
            Self::Send => &[SignedOff, Parsed],
            Self::Draft => &[DraftSeen],
            Self::Hold | Self::Reject => &[SignedOff, ParseFailed],
            Self::Suppress => &[SignedOff, Withheld],
            Self::Withdraw | Self::Duplicate => &[],
        }
    }
}

/// What routing decided, by the outcomes of gp-routing facts 12.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "every decision must be joined to an event"
)]
pub enum Route {
    /// To one mailbox.
    Send,
    /// A person decides.
    Hold,
    /// More than one possible destination: a person decides.
    Ambiguous,
    /// Not by MESH: until another road is configured, a person decides.
    OtherRoad,
    /// A rule says that it must not go.
    Withhold,
}

impl Route {
    /// Every decision.
    pub const ALL: &'static [Self] = &[
        Self::Send,
        Self::Hold,
        Self::Ambiguous,
        Self::OtherRoad,
        Self::Withhold,
    ];

    /// The event it becomes.
    pub const fn event(self) -> LetterEvent {
        match self {
            Self::Send => LetterEvent::Routed,
            Self::Hold | Self::OtherRoad => LetterEvent::RouteNone,
            Self::Ambiguous => LetterEvent::RouteAmbiguous,
            Self::Withhold => LetterEvent::Withheld,
        }
    }
}

/// How an attempt to send ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "every result must be joined to an event"
)]
pub enum SendResult {
    /// Taken, under this id.
    Accepted {
        /// The id that the transport gave.
        message_id: String,
    },
    /// Refused for good.
    Refused {
        /// The transport's code, or a word of ours.
        code: String,
    },
    /// Nothing was taken; it may be tried again.
    Retry {
        /// When the transport asked to be left alone until then.
        after: Option<Duration>,
        /// Why, as a code.
        code: String,
        /// Whether the transport itself could not be reached: that is no fault of the letter.
        unreachable: bool,
    },
    /// Our own settings are wrong: nothing was taken, and no letter is to blame.
    Blocked {
        /// Why, as a code.
        code: String,
    },
    /// It may have been taken.
    Unknown {
        /// Why, as a code.
        code: String,
    },
}

impl SendResult {
    /// The event it becomes.
    pub const fn event(&self) -> CopyEvent {
        match self {
            Self::Accepted { .. } => CopyEvent::SendAccepted,
            Self::Refused { .. } => CopyEvent::SendRefused,
            Self::Retry { .. } | Self::Blocked { .. } => CopyEvent::SendRetryable,
            Self::Unknown { .. } => CopyEvent::SendUnknown,
        }
    }
}

/// What the transport says when it is asked for a local id.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "every answer must be joined to an event"
)]
pub enum AskResult {
    /// It has one.
    Found {
        /// Its id.
        message_id: String,
    },
    /// It has none now.
    NotFound,
    /// It has several.
    Several,
    /// It cannot be reached for the moment: it is asked again.
    Unreachable,
    /// It does not answer such questions, now or later: a policy decides.
    Unavailable,
}

/// What the transport says of a message it took.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "every answer must be joined to an event"
)]
pub enum TrackResult {
    /// Not collected yet.
    Waiting,
    /// The recipient's system took it.
    Collected,
    /// It could not be delivered.
    Undelivered {
        /// The transport's code.
        code: String,
    },
    /// It does not know the id.
    Unknown,
    /// It could not be asked.
    Unavailable,
}

impl TrackResult {
    /// The event it becomes, if it says anything.
    pub const fn event(&self) -> Option<CopyEvent> {
        match self {
            Self::Collected => Some(CopyEvent::TransportCollected),
            Self::Undelivered { .. } => Some(CopyEvent::TransportUndelivered),
            Self::Unknown => Some(CopyEvent::TransportUnknown),
            Self::Waiting | Self::Unavailable => None,
        }
    }
}
