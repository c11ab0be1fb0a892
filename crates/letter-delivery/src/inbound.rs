//! The life of a message that another organisation sends to the trust.

use audit_core::StreamKey;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::duty::Duty;
use crate::keys::PayloadId;
use crate::letter::events;
use crate::record::act_by;
use crate::state::InboundState::{self, HandedOver, Held, Received};
use crate::state::StateKind;
use crate::step::{Position, Step};

events! {
    /// What can happen to an inbound message.
    InboundEvent {
        /// It is here, durable, with its content.
        Received = "inbound.received";
        /// The trust's own system took it.
        HandedOver = "inbound.handed_over";
        /// The trust's own system will never take it.
        Refused = "inbound.refused";
        /// A person has it handed over again.
        Resumed = "inbound.resumed";
    }
}

impl InboundEvent {
    /// What this event does to a message; `None` is one not met before.
    ///
    /// ```
    /// use letter_delivery::{InboundEvent, InboundState, Position, Step};
    /// let received = Some(Position::at(InboundState::Received));
    /// let over = Step::Moved(Position::at(InboundState::HandedOver));
    /// assert_eq!(InboundEvent::HandedOver.step(received), over);
    /// ```
    pub const fn step(self, from: Option<Position<InboundState>>) -> Step<InboundState> {
        let Some(from) = from else {
            return match self {
                Self::Received => moved(Received),
                Self::HandedOver | Self::Refused | Self::Resumed => Step::NotAllowed,
            };
        };
        match (from.state, self) {
            (_, Self::Received) | (HandedOver, Self::HandedOver) => Step::Repeated,
            // An answer that came late proves it as well as one in time.
            (Received | Held, Self::HandedOver) => moved(HandedOver),
            (Received, Self::Refused) => Step::Moved(Position {
                state: Held,
                resume: Some(Received),
            }),
            (Held, Self::Refused) => Step::Kept,
            (Held, Self::Resumed) => moved(Received),
            (HandedOver, Self::Refused) => Step::Conflict,
            (Received | HandedOver, Self::Resumed) => Step::NotAllowed,
        }
    }
}

const fn moved(state: InboundState) -> Step<InboundState> {
    Step::Moved(Position {
        state,
        resume: None,
    })
}

/// Where one inbound message stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InboundRecord {
    /// Its stream in the ledger.
    #[serde(with = "crate::keys::stream_hex")]
    pub key: StreamKey,
    /// The mailbox it lay in.
    pub mailbox: String,
    /// Its id.
    pub message_id: String,
    /// What kind of content it carries.
    pub workflow: String,
    /// The mailbox that sent it.
    pub from: Option<String>,
    /// The state.
    pub state: InboundState,
    /// For a held message: where it goes on.
    pub resume: Option<InboundState>,
    /// The reason of a hold, as a code.
    pub reason: Option<String>,
    /// Something a person must know although the state goes on.
    pub alert: Option<String>,
    /// Its content, sealed.
    pub content: PayloadId,
    /// How many bytes that is.
    pub bytes: u64,
    /// How often it was tried to hand it over.
    pub tries: u32,
    /// When it is tried next.
    pub next_at: DateTime<Utc>,
    /// When it was received.
    pub received_at: DateTime<Utc>,
    /// When it entered its state.
    pub entered_at: DateTime<Utc>,
    /// The number of its events.
    pub events: u64,
}

impl InboundRecord {
    /// Its place in the life cycle.
    pub const fn position(&self) -> Position<InboundState> {
        Position {
            state: self.state,
            resume: self.resume,
        }
    }

    /// Who must act, and within what time.
    pub const fn duty(&self) -> Duty {
        self.state.duty()
    }

    /// When someone must act.
    pub fn act_by(&self) -> Option<DateTime<Utc>> {
        act_by(self.entered_at, &self.duty())
    }

    /// Whether a person must act.
    pub fn needs_person(&self) -> bool {
        self.state.kind() == StateKind::NeedsPerson || self.alert.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every state × event, the first row before the message was met.
    #[test]
    fn every_state_meets_every_event() {
        let held = Position {
            state: Held,
            resume: Some(Received),
        };
        let states = [
            None,
            Some(Position::at(Received)),
            Some(held),
            Some(Position::at(HandedOver)),
        ];
        assert_eq!(states.len(), InboundState::ALL.len() + 1);
        let to = |state| Step::Moved(Position::at(state));
        use Step::{Conflict, Kept, NotAllowed, Repeated};
        // Received, HandedOver, Refused, Resumed
        let expected = [
            [to(Received), NotAllowed, NotAllowed, NotAllowed],
            [Repeated, to(HandedOver), Step::Moved(held), NotAllowed],
            [Repeated, to(HandedOver), Kept, to(Received)],
            [Repeated, Repeated, Conflict, NotAllowed],
        ];
        for (from, row) in states.into_iter().zip(expected) {
            let met: Vec<_> = InboundEvent::ALL
                .iter()
                .map(|event| event.step(from))
                .collect();
            assert_eq!(met, row, "{from:?}");
        }
    }

    #[test]
    fn what_is_open_has_an_owner_and_a_time() {
        for state in InboundState::ALL {
            let is_open = *state != HandedOver;
            assert_eq!(state.duty().within.is_some(), is_open, "{state}");
        }
        assert_eq!(InboundState::parse("HELD"), Some(Held));
        for event in InboundEvent::ALL {
            assert!(
                event.as_str().starts_with("inbound."),
                "the audit tells them by that"
            );
        }
    }
}
