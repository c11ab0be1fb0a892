//! MESH was asked about a doubtful send (audit-and-delivery facts 4.2).

use audit_core::Data;
use chrono::{DateTime, Utc};

use super::Engine;
use super::policy::{Ambiguous, SOONEST};
use crate::commit::{Commit, WorkChange, WorkKind};
use crate::copy::CopyEvent;
use crate::outcome::AskResult;
use crate::record::{CopyRecord, tell};
use crate::store::Claimed;

/// How often "not there" must be heard before it is believed.
const NOT_FOUND_BELIEVED: u32 = 2;
/// The reason of a failure after MESH never took what it was sent.
const NEVER_TAKEN: &str = "never-taken";
/// What a person must know when the policy had a copy sent again.
const DOUBLE_POSSIBLE: &str = "a double is possible: sent again without an answer";

impl Engine {
    /// Records what MESH said about a local id, and what follows from it.
    pub fn asked(&mut self, now: DateTime<Utc>, claimed: Claimed, result: AskResult) -> Commit {
        let fence = (claimed.work.stream, claimed.token);
        let tries = claimed.work.tries;
        let Some(copy) = claimed.copy else {
            return Commit::default();
        };
        self.note_answer(now, result == AskResult::Unreachable);
        let mut commit = match result {
            AskResult::Found { message_id } => {
                let is_late = copy.attempts == 0;
                let event = if is_late {
                    CopyEvent::SendFoundLate
                } else {
                    CopyEvent::SendFound
                };
                self.accepted(now, copy, event, message_id)
            }
            AskResult::Several => self.several(now, copy),
            AskResult::NotFound => self.not_found(now, copy),
            AskResult::Unreachable => self.ask_later(now, &copy, tries),
            AskResult::Unavailable => self.cannot_ask(now, copy, tries),
        };
        commit.fence = Some(fence);
        commit
    }

    /// W-DUP: the practice has it more than once; the ledger knows, and a person is told.
    fn several(&mut self, now: DateTime<Utc>, mut copy: CopyRecord) -> Commit {
        let first = self.policy.track_pause(0);
        let mut writer = self.writer(now);
        let data = Data::new().with("attempt", i64::from(copy.attempts));
        writer.copy(&mut copy, CopyEvent::SendMultiple, Some("W-DUP"), data);
        tell(&mut copy.alert, "W-DUP");
        writer.follow_up(&mut copy, None, first);
        writer.commit.copies.push(copy);
        writer.commit
    }

    fn not_found(&mut self, now: DateTime<Utc>, mut copy: CopyRecord) -> Commit {
        copy.asked = copy.asked.saturating_add(1);
        let again = now + self.policy.ask_again;
        let is_believed = copy.asked >= NOT_FOUND_BELIEVED;
        // What was asked about for a restore alone was no attempt.
        if is_believed && copy.attempts > 0 {
            copy.spent = copy.spent.saturating_add(1);
        }
        let exhausted = copy.spent >= self.policy.attempts_max;
        let mut writer = self.writer(now);
        if is_believed {
            let data = Data::new().with("asked", i64::from(copy.asked));
            writer.copy(&mut copy, CopyEvent::SendNotFound, None, data);
            copy.doubt_since = None;
            if exhausted {
                writer.give_up(&mut copy, NEVER_TAKEN);
            } else {
                writer.work(copy.work(WorkKind::Send, now));
            }
        } else {
            writer.work(copy.work(WorkKind::Ask, again));
        }
        writer.commit.copies.push(copy);
        writer.commit
    }

    /// MESH is down: it is asked when it is back, however long that takes; W-UNC tells people.
    fn ask_later(&mut self, now: DateTime<Utc>, copy: &CopyRecord, tries: u32) -> Commit {
        let tries = tries.saturating_add(1);
        let pause = self.policy.backoff(tries, &mut self.entropy);
        let mut work = copy.work(WorkKind::Ask, now + pause);
        work.tries = tries;
        work.earliest_at = now + SOONEST;
        Commit {
            work: vec![WorkChange::Set(work)],
            ..Commit::default()
        }
    }

    /// The doubt began by a clock that was ahead and has been set back: it would not grow old
    /// until that time comes again, so it is counted from now.
    fn doubt_from_now(&mut self, now: DateTime<Utc>, mut copy: CopyRecord, tries: u32) -> Commit {
        copy.doubt_since = Some(now);
        let mut commit = self.ask_later(now, &copy, tries);
        commit.copies.push(copy);
        commit
    }

    /// MESH answers, and does not tell of local ids: after a while the policy decides.
    fn cannot_ask(&mut self, now: DateTime<Utc>, mut copy: CopyRecord, tries: u32) -> Commit {
        let since = copy.doubt_since.unwrap_or(copy.entered_at);
        if since > now {
            return self.doubt_from_now(now, copy, tries);
        }
        if self.elapsed(now, since) < self.policy.ask_gives_up {
            return self.ask_later(now, &copy, tries);
        }
        copy.spent = copy.spent.saturating_add(1);
        let exhausted = copy.spent >= self.policy.attempts_max;
        // To send again what is cancelled or replaced, or for ever, helps nobody; and to end it
        // would say that MESH never had it: a person decides.
        let undone = copy.withdraw_pending || copy.supersede_pending || copy.pending.is_some();
        let decision = if undone || exhausted {
            Ambiguous::Hold
        } else {
            self.policy.ambiguous
        };
        let mut writer = self.writer(now);
        match decision {
            Ambiguous::Resend => {
                writer.copy(
                    &mut copy,
                    CopyEvent::SendUnresolvedResend,
                    None,
                    Data::new(),
                );
                tell(&mut copy.alert, DOUBLE_POSSIBLE);
                writer.work(copy.work(WorkKind::Send, now));
            }
            Ambiguous::Hold => {
                let reason = Some("send-unresolved");
                writer.copy(
                    &mut copy,
                    CopyEvent::SendUnresolvedHold,
                    reason,
                    Data::new(),
                );
                writer.done(copy.key);
            }
        }
        writer.commit.copies.push(copy);
        writer.commit
    }
}
