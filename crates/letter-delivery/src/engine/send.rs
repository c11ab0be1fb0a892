//! An attempt ended.

use audit_core::Data;
use chrono::{DateTime, Duration, Utc};

use super::policy::SOONEST;
use super::{Engine, Writer};
use crate::commit::{Commit, WorkChange, WorkKind};
use crate::copy::CopyEvent;
use crate::outcome::SendResult;
use crate::record::CopyRecord;
use crate::store::Claimed;

impl Engine {
    /// Records how an attempt ended, and what follows from it.
    pub fn sent(&mut self, now: DateTime<Utc>, claimed: Claimed, result: SendResult) -> Commit {
        let fence = (claimed.work.stream, claimed.token);
        let Some(copy) = claimed.copy else {
            return Commit::default();
        };
        self.note_reach(now, &result);
        let event = result.event();
        let mut commit = match result {
            SendResult::Accepted { message_id } => self.accepted(now, copy, event, message_id),
            SendResult::Refused { code } => self.refused(now, copy, &code),
            SendResult::Retry {
                after,
                code,
                unreachable,
            } => self.retry(now, copy, after, &code, unreachable),
            SendResult::Blocked { code } => {
                let pause = self.policy.blocked_pause;
                self.retry(now, copy, Some(pause), &code, true)
            }
            SendResult::Unknown { code } => self.unknown(now, copy, &code),
        };
        commit.fence = Some(fence);
        commit
    }

    fn note_reach(&mut self, now: DateTime<Utc>, result: &SendResult) {
        let Self {
            breaker, policy, ..
        } = self;
        match result {
            SendResult::Accepted { .. }
            | SendResult::Refused { .. }
            | SendResult::Retry {
                after: None,
                unreachable: false,
                ..
            } => breaker.reached(now),
            // It asked to be left alone: by all letters, not by this one only.
            SendResult::Retry {
                after: Some(after),
                unreachable: false,
                ..
            } => {
                breaker.leave_alone(now, now + (*after).min(policy.backoff_max));
            }
            SendResult::Retry { .. } | SendResult::Unknown { .. } => {
                breaker.send_failed(now, policy.breaker_failures, policy.breaker_pause);
            }
            SendResult::Blocked { .. } => breaker.open(now, policy.blocked_pause),
        }
    }

    /// A question was answered, or MESH could not be reached for it.
    pub(super) fn note_answer(&mut self, now: DateTime<Utc>, unreachable: bool) {
        let Self {
            breaker, policy, ..
        } = self;
        if unreachable {
            breaker.question_failed(now, policy.breaker_failures, policy.breaker_pause);
        } else {
            breaker.answered(now, policy.breaker_failures);
        }
    }

    /// MESH has it: it is followed up, and a withdrawal that waited for this is carried through.
    pub(super) fn accepted(
        &mut self,
        now: DateTime<Utc>,
        mut copy: CopyRecord,
        event: CopyEvent,
        message_id: String,
    ) -> Commit {
        let first = self.policy.track_pause(0);
        let mut writer = self.writer(now);
        let data = Data::new()
            .with("attempt", i64::from(copy.attempts))
            .with("message_id", message_id.as_str());
        writer.copy(&mut copy, event, None, data);
        writer.follow_up(&mut copy, Some(message_id), first);
        writer.commit.copies.push(copy);
        writer.commit
    }

    fn refused(&mut self, now: DateTime<Utc>, mut copy: CopyRecord, code: &str) -> Commit {
        let mut writer = self.writer(now);
        let data = Data::new().with("attempt", i64::from(copy.attempts));
        writer.copy(&mut copy, CopyEvent::SendRefused, Some(code), data);
        writer.carry_through(&mut copy);
        writer.done(copy.key);
        writer.commit.copies.push(copy);
        writer.commit
    }

    /// Nothing was taken. What the transport's own absence caused spends none of the budget.
    fn retry(
        &mut self,
        now: DateTime<Utc>,
        mut copy: CopyRecord,
        after: Option<Duration>,
        code: &str,
        unreachable: bool,
    ) -> Commit {
        // Whoever is asked to wait, or finds nobody, has not been refused.
        let is_spent = !unreachable && after.is_none();
        if is_spent {
            copy.spent = copy.spent.saturating_add(1);
        } else if copy.spent == 0 {
            copy.first_attempt_at = None;
        }
        let failures = if is_spent { copy.spent } else { 1 };
        let pause = self.policy.backoff(failures, &mut self.entropy);
        let pause = after.map_or(pause, |after| after.max(pause).min(self.policy.series_max));
        let exhausted = is_spent && self.is_exhausted(now, &copy);
        let mut writer = self.writer(now);
        let data = Data::new().with("attempt", i64::from(copy.attempts));
        writer.copy(&mut copy, CopyEvent::SendRetryable, Some(code), data);
        if exhausted {
            writer.give_up(&mut copy, code);
        } else {
            let mut work = copy.work(WorkKind::Send, now + pause);
            work.tries = copy.attempts;
            if unreachable && after.is_none() {
                work.earliest_at = now + SOONEST;
            }
            writer.commit.work.push(WorkChange::Set(work));
        }
        writer.commit.copies.push(copy);
        writer.commit
    }

    /// Whether the budget of this series is used up (audit-and-delivery facts 4.4).
    fn is_exhausted(&self, now: DateTime<Utc>, copy: &CopyRecord) -> bool {
        let spent = copy.spent >= self.policy.attempts_max;
        let since = copy.first_attempt_at.unwrap_or(now);
        spent || (copy.spent > 0 && self.elapsed(now, since) >= self.policy.series_max)
    }

    fn unknown(&mut self, now: DateTime<Utc>, mut copy: CopyRecord, code: &str) -> Commit {
        let ask_at = now + self.policy.ask_after;
        let mut writer = self.writer(now);
        let data = Data::new().with("attempt", i64::from(copy.attempts));
        writer.copy(&mut copy, CopyEvent::SendUnknown, Some(code), data);
        copy.asked = 0;
        copy.doubt_since = Some(now);
        writer.work(copy.work(WorkKind::Ask, ask_at));
        writer.commit.copies.push(copy);
        writer.commit
    }
}

impl Writer<'_> {
    /// The tries are used up: a person must look.
    pub(super) fn give_up(&mut self, copy: &mut CopyRecord, code: &str) {
        self.copy(copy, CopyEvent::SendExhausted, Some(code), Data::new());
        self.carry_through(copy);
        self.done(copy.key);
    }

    /// Sets what is known of an accepted copy, and when it is asked about.
    pub(super) fn follow_up(
        &mut self,
        copy: &mut CopyRecord,
        message_id: Option<String>,
        first: Duration,
    ) {
        copy.accepted_at = copy.accepted_at.or(Some(self.now));
        copy.message_id = message_id.or_else(|| copy.message_id.take());
        copy.doubt_since = None;
        copy.tracked = 0;
        self.carry_through(copy);
        if copy.message_id.is_some() {
            let mut work = copy.work(WorkKind::Track, self.now + first);
            work.earliest_at = self.now;
            self.commit.work.push(WorkChange::Set(work));
        } else {
            self.done(copy.key);
        }
    }
}
