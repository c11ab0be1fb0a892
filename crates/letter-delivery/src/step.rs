//! What an event does to a state: the answer type of both machines.

/// A state, and where a held one goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position<S> {
    /// The state.
    pub state: S,
    /// For a held letter or copy: the state it goes back to when the hold is lifted.
    pub resume: Option<S>,
}

impl<S> Position<S> {
    /// A position that is not held.
    pub const fn at(state: S) -> Self {
        Self {
            state,
            resume: None,
        }
    }

    pub(crate) const fn held(held: S, resume: S) -> Self {
        Self {
            state: held,
            resume: Some(resume),
        }
    }
}

/// What an event does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "callers must meet every answer of a life cycle"
)]
pub enum Step<S> {
    /// The state changes.
    Moved(Position<S>),
    /// The event is recorded and the state stays.
    Kept,
    /// The event says what is known already: it is counted, not recorded (facts 3.2 rule a).
    Repeated,
    /// A late event contradicts a good end: recorded, state kept, a person is told.
    Conflict,
    /// No such event is possible here: recorded as an anomaly, never dropped (facts 3.2 rule b).
    NotAllowed,
}
