//! The life of letters and their copies: state machines, a synchronous engine, ports for store and
//! transport.
//!
//! A letter is open until someone proved that it arrived, or a named person decided otherwise.
//! This crate holds the rules for that: what can happen to a letter and to each of its copies
//! ([`LetterEvent`], [`CopyEvent`]), what state that leads to, who must act next and by when
//! ([`Duty`]), and what to do about it ([`Engine`]).
//!
//! ```
//! use letter_delivery::{CopyEvent, CopyState, Owner, Position, Step};
//!
//! // An attempt ended without an answer: MESH is asked before anything is sent again.
//! let sending = Some(Position::at(CopyState::Sending));
//! let Step::Moved(now) = CopyEvent::SendUnknown.step(sending) else { panic!() };
//! assert_eq!(now.state, CopyState::Uncertain);
//! assert_eq!(now.state.duty().owner, Owner::Service);
//! assert_eq!(now.state.duty().next_action, "ask MESH whether it has it");
//! ```
//!
//! # Scope
//!
//! | module | holds |
//! | --- | --- |
//! | `state`, `step`, `standing` | [`LetterState`], [`CopyState`], [`Step`], [`Balance`] |
//! | `letter`, `copy` | [`LetterEvent`], [`CopyEvent`]: one enum and one `step` each |
//! | `stop`, `reason` | [`Stop`], [`Scope`]: what must not be sent for now; [`Reason`] |
//! | `outcome` | what readers, routing and MESH say, and the event each becomes |
//! | `decision` | [`Decision`]: what a person can decide, and where |
//! | `duty` | owner, timer and alarm of each state |
//! | `engine` | [`Engine`]: from the time and what is known to a [`Commit`] and an [`Order`] |
//! | `commit`, `record`, `answer` | what one change of the store holds |
//! | `inbound` | what others send to the trust: [`InboundEvent`], [`InboundRecord`] |
//! | `feed` | what sources are told: [`Outcome`] |
//! | `claim` | lanes, pace and places: which work is begun first |
//! | `clock` | [`ClockWatch`]: a wall clock that is set |
//! | `store`, `transport` | the ports [`Store`] and [`Transport`] |
//! | `keys`, `actor` | pseudonyms: [`TrustKeys`], [`LocalId`], [`Actor`] |
//! | `audit` | [`LedgerAudit`]: verification rules V5, V11 and V12 |
//! | `testkit` | a model store, dice, a clock, the cases every store must pass; a feature |
//!
//! Not here: XML, HTTP, SQL, a runtime, a clock. Bytes are carried, not understood, so any
//! outbound message can use the same engine.

mod actor;
mod answer;
mod audit;
mod claim;
mod clock;
mod commit;
mod copy;
mod decision;
mod duty;
mod engine;
mod feed;
mod inbound;
mod keys;
mod letter;
mod outcome;
mod reason;
mod record;
mod standing;
mod state;
mod step;
mod stop;
mod store;
mod transport;

#[cfg(feature = "testkit")]
pub mod testkit;

pub use actor::Actor;
pub use answer::HandOverAnswer;
pub use audit::{LedgerAudit, LedgerFault};
pub use claim::{ClaimRequest, Line, Turn};
pub use clock::ClockWatch;
pub use commit::{
    Commit, DocumentChange, Erasure, Lane, LeaseToken, NewPayload, NewReference, PayloadKind,
    SeenMessage, Work, WorkChange, WorkKind,
};
pub use copy::CopyEvent;
pub use decision::{Decision, DecisionError, DecisionKind, Heard, Verdict};
pub use duty::{Duty, Owner};
pub use engine::{
    Acknowledgement, Ambiguous, Arrival, Begun, BreakerState, Decided, Engine, Entropy, EraseError,
    Erased, Intake, Job, Order, Policy, Prepared, PreparedCopy, Report, Restore, Running, Saying,
    ShapedCopy, StopError, Taken, TakenAs,
};
pub use feed::{FeedCursor, LedgerEntry, LedgerPage, Outcome, OutcomeKind};
pub use inbound::{InboundEvent, InboundRecord};
pub use keys::{DocumentKey, LocalId, PayloadId, RefKind, TrustKeys};
pub use letter::LetterEvent;
pub use outcome::{AskResult, Disposition, Route, SendResult, TrackResult};
pub use reason::{ParseReasonError, REASON_CHARS_MAX, Reason};
pub use record::{Address, ClosesOn, CopyRecord, LetterRecord, Pending, Reroute, Vote};
pub use standing::{Balance, Standing};
pub use state::{CopyState, InboundState, LetterState, StateKind};
pub use step::{Position, Step};
pub use stop::{Lift, Scope, Stop, Stops};
pub use store::{Claimed, DocumentView, LetterDetails, Store, StoreError};
pub use transport::{Outbound, Transport};
