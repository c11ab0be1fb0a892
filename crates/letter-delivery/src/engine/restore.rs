//! A store that was brought back from a backup: what was sent since, nobody here remembers.
//!
//! So nothing is sent before MESH was asked by local id, which is the same as before because it
//! comes from the letter itself; and nothing at all before a person says that the record system's
//! list and the ledger agree.

use audit_core::{Checkpoint, Data, Hash, ShardOpening, ShardStart};
use chrono::{DateTime, Duration, Utc};

use super::write::time_text;
use super::{Begun, Engine, StopError};
use crate::actor::Actor;
use crate::commit::{Commit, WorkKind};
use crate::copy::CopyEvent;
use crate::reason::Reason;
use crate::record::{CopyRecord, LetterRecord};
use crate::state::CopyState;
use crate::stop::{Scope, Stop, Stops};

/// The reason of the stop that a restore sets.
const RESTORED: &str = "store-restored";
/// What a person says when the lists agree.
const RECONCILED: &str = "reconciled";
/// How long what was signed before a restore is asked about: longer than MESH keeps a message,
/// and as long as lists are compared (audit-and-delivery facts 4.2, 9).
const ASKED_FOR: Duration = Duration::days(35);
/// How far a source's clock may be ahead of ours.
const CLOCKS_DIFFER: Duration = Duration::days(1);

/// What is known of a restore when it begins.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Restore {
    /// The ledger as far as it is held.
    pub held: Checkpoint,
    /// The ledger as far as it is known to have come: size and root of the newest checkpoint kept
    /// outside the store. Nothing when none is newer.
    pub lost: Option<(u64, Hash)>,
    /// When the last thing happened that the store remembers.
    pub remembers_to: Option<DateTime<Utc>>,
}

impl Restore {
    /// A restore to a ledger that is held so far.
    pub const fn new(held: Checkpoint) -> Self {
        Self {
            held,
            lost: None,
            remembers_to: None,
        }
    }

    /// How many events are known to be missing.
    pub fn events_lost(&self) -> u64 {
        let known = self.lost.as_ref().map_or(0, |(size, _)| *size);
        known.saturating_sub(self.held.size)
    }

    fn to_data(&self) -> Data {
        let mut data = ShardOpening::after(ShardStart::Restored, self.held.clone()).to_data();
        if let Some((size, root)) = &self.lost {
            data.insert("lost_size", size.to_string());
            data.insert("lost_root", root.to_string());
        }
        if let Some(at) = self.remembers_to {
            data.insert("remembers_to", time_text(at));
        }
        data
    }
}

impl Stops {
    /// The stop of the latest restore, standing or lifted.
    pub fn restore(&self) -> Option<&Stop> {
        let mut restores = self.all().iter().rev();
        restores.find(|stop| stop.reason.as_str() == RESTORED)
    }

    /// The first restore that nobody ended.
    pub fn open_restore(&self) -> Option<&Stop> {
        self.standing()
            .find(|stop| stop.reason.as_str() == RESTORED)
    }

    /// How often the store was restored.
    pub fn restores(&self) -> usize {
        let restores = self.all().iter();
        restores
            .filter(|stop| stop.reason.as_str() == RESTORED)
            .count()
    }
}

/// The restore that a copy must be asked about before it is sent first.
///
/// Once the lists agree, what was signed after the restore cannot have left before it.
pub(super) fn must_ask(
    now: DateTime<Utc>,
    stops: &Stops,
    letter: &LetterRecord,
    copy: &CopyRecord,
) -> Option<u32> {
    let stop = stops.restore()?;
    if copy.cleared == Some((stop.id, copy.series)) {
        return None;
    }
    let signed_before = |at: DateTime<Utc>| at <= stop.set_at + CLOCKS_DIFFER;
    let is_old = letter.signed_at.is_none_or(signed_before) && now - stop.set_at <= ASKED_FOR;
    (stop.stands() || is_old).then_some(stop.id)
}

impl Engine {
    /// The store was brought back: an event that says from where to where, and a stop of
    /// everything that only a person lifts. Intake goes on.
    ///
    /// # Errors
    ///
    /// [`StopError::NotAPerson`].
    pub fn restored(
        &mut self,
        now: DateTime<Utc>,
        by: &Actor,
        stops: &Stops,
        restore: &Restore,
    ) -> Result<Commit, StopError> {
        super::stop::require_person(by)?;
        let mut commit = self.note_by(now, by, ShardStart::Restored.as_str(), restore.to_data());
        let reason = Reason::of_ours(RESTORED);
        let stop = self.add_stop(now, by, stops, Scope::default(), reason);
        commit.events.extend(stop.events);
        (commit.stop, commit.stops_seen) = (stop.stop, stop.stops_seen);
        Ok(commit)
    }

    /// Puts copies into doubt that may have left before the store was restored: whatever is
    /// decided about them waits until MESH was asked.
    pub fn doubt_restored(
        &mut self,
        now: DateTime<Utc>,
        stops: &Stops,
        copies: Vec<CopyRecord>,
    ) -> Commit {
        let mut whole = Commit::default();
        let Some(stop) = stops.restore().map(|stop| stop.id) else {
            return whole;
        };
        for copy in copies {
            if matches!(copy.state, CopyState::Queued | CopyState::Sending) {
                let one = self.doubt(now, copy, stop).commit;
                whole.events.extend(one.events);
                whole.copies.extend(one.copies);
                whole.work.extend(one.work);
            }
        }
        whole
    }

    /// The record system's list and the ledger agree, and nothing is in doubt any more: what
    /// waited is sent. A store that was restored twice needs it twice.
    ///
    /// # Errors
    ///
    /// [`StopError::NotAPerson`], or [`StopError::NoneStands`] when no restore is open.
    pub fn reconciled(
        &mut self,
        now: DateTime<Utc>,
        by: &Actor,
        stops: &Stops,
    ) -> Result<Commit, StopError> {
        let id = stops.open_restore().map_or(0, |stop| stop.id);
        self.lift_stop(now, by, stops, id, Reason::of_ours(RECONCILED))
    }

    /// MESH is asked whether it has had this copy since before the restore.
    pub(super) fn doubt(&mut self, now: DateTime<Utc>, mut copy: CopyRecord, stop: u32) -> Begun {
        let ask_at = now + self.policy.ask_after;
        let mut writer = self.writer(now);
        let data = Data::new()
            .with("stop", i64::from(stop))
            .with("local_id", copy.local_id.as_str());
        writer.copy(&mut copy, CopyEvent::Restored, Some("restored"), data);
        copy.cleared = Some((stop, copy.series));
        copy.asked = 0;
        copy.doubt_since = Some(now);
        writer.work(copy.work(WorkKind::Ask, ask_at));
        writer.commit.copies.push(copy);
        Begun {
            commit: writer.commit,
            order: None,
        }
    }
}
