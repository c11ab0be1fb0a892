//! Stops are set and lifted.

use audit_core::Data;
use chrono::{DateTime, Utc};

use super::Engine;
use crate::actor::Actor;
use crate::commit::Commit;
use crate::reason::Reason;
use crate::stop::{Lift, Scope, Stop, Stops};

/// The `type` of the event that sets a stop.
pub(crate) const STOP_SET: &str = "stop.set";
/// The `type` of the event that lifts one.
pub(crate) const STOP_LIFTED: &str = "stop.lifted";

/// Why a stop cannot be set or lifted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StopError {
    /// Only a person can.
    #[error("a stop is a person's decision: run it under an account of the operating system")]
    NotAPerson,
    /// There is no such stop, or it was lifted.
    #[error("no stop {id} stands; `stop list` shows those that do")]
    NoneStands {
        /// The number that was asked for.
        id: u32,
    },
    /// The same is stopped already.
    #[error("stop {id} stands for the same: lift that one when it is over")]
    StandsAlready {
        /// The stop that stands.
        id: u32,
    },
}

impl Engine {
    /// Stops what shares the scope: no send begins once this is durable. Intake goes on.
    ///
    /// `stops` are those that the store holds; on
    /// [`StoreError::Conflict`](crate::StoreError::Conflict) read them again and call again.
    ///
    /// # Errors
    ///
    /// [`StopError::NotAPerson`], or [`StopError::StandsAlready`] when the same is stopped.
    pub fn set_stop(
        &mut self,
        now: DateTime<Utc>,
        by: &Actor,
        stops: &Stops,
        scope: Scope,
        reason: Reason,
    ) -> Result<Commit, StopError> {
        require_person(by)?;
        if let Some(same) = stops.standing().find(|stop| stop.scope == scope) {
            return Err(StopError::StandsAlready { id: same.id });
        }
        Ok(self.add_stop(now, by, stops, scope, reason))
    }

    pub(super) fn add_stop(
        &mut self,
        now: DateTime<Utc>,
        by: &Actor,
        stops: &Stops,
        scope: Scope,
        reason: Reason,
    ) -> Commit {
        let id = stops.all().iter().map(|stop| stop.id).max();
        let id = id.unwrap_or(0).saturating_add(1);
        let mut data = Data::new()
            .with("stop", i64::from(id))
            .with("reason", reason.as_str());
        for (name, value) in scope.parts() {
            data.insert(name, value);
        }
        let mut commit = self.note_by(now, by, STOP_SET, data);
        commit.stop = Some(Stop::new(id, scope, reason, by.clone(), now));
        commit.stops_seen = Some(stops.version());
        commit
    }

    /// Lifts a stop: what it held back goes on soon.
    ///
    /// # Errors
    ///
    /// [`StopError::NotAPerson`], or [`StopError::NoneStands`].
    pub fn lift_stop(
        &mut self,
        now: DateTime<Utc>,
        by: &Actor,
        stops: &Stops,
        id: u32,
        reason: Reason,
    ) -> Result<Commit, StopError> {
        require_person(by)?;
        let standing = stops.standing().find(|stop| stop.id == id);
        let mut stop = standing.cloned().ok_or(StopError::NoneStands { id })?;
        let data = Data::new()
            .with("stop", i64::from(id))
            .with("reason", reason.as_str());
        let mut commit = self.note_by(now, by, STOP_LIFTED, data);
        stop.lifted = Some(Lift::new(by.clone(), now, reason));
        commit.stop = Some(stop);
        commit.stops_seen = Some(stops.version());
        Ok(commit)
    }
}

pub(super) const fn require_person(by: &Actor) -> Result<(), StopError> {
    if by.is_person() {
        Ok(())
    } else {
        Err(StopError::NotAPerson)
    }
}
