//! How much work is begun, and whose turn it is.

use chrono::{DateTime, Duration, Utc};

use super::{Engine, Policy};
use crate::claim::{ClaimRequest, Turn};
use crate::commit::Work;

/// How many pieces of work go on, by the turn they were begun in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Running {
    fresh: usize,
    late: usize,
    replay: usize,
}

impl Running {
    /// One more goes on.
    pub const fn begins(&mut self, turn: Turn) {
        let count = self.of(turn);
        *count = count.saturating_add(1);
    }

    /// One has ended.
    pub const fn ends(&mut self, turn: Turn) {
        let count = self.of(turn);
        *count = count.saturating_sub(1);
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.fresh + self.late + self.replay
    }

    const fn of(&mut self, turn: Turn) -> &mut usize {
        match turn {
            Turn::Fresh => &mut self.fresh,
            Turn::Late => &mut self.late,
            Turn::Replay => &mut self.replay,
        }
    }
}

impl Engine {
    /// What to claim next beside what goes on; nothing while every place is taken.
    ///
    /// While the breaker is open nothing is claimed that needs the transport, so that nothing is
    /// fetched to be put off: a letter's attempts, and the store, are left alone.
    pub fn next_claim(&mut self, now: DateTime<Utc>, running: &Running) -> Option<ClaimRequest> {
        let free = self.policy.at_once.saturating_sub(running.count());
        if free == 0 {
            return None;
        }
        let tokens = self.lease_tokens(free);
        let fresh_since = self.fresh_since(now);
        let policy = &self.policy;
        let mut request = ClaimRequest::new(now, now + policy.lease, tokens);
        request.transport = self.breaker.places(now);
        request.fresh_since = fresh_since;
        request.waited = policy.places_for_waited(running);
        request.replay = policy.places_for_replay(running);
        request.per_destination = policy.per_destination;
        request.today_apart = policy.today_an_hour.map(apart);
        request.replay_apart = policy.replay_an_hour.map(apart);
        Some(request)
    }

    /// Whose turn a piece of work had that is claimed now.
    pub fn turn(&self, now: DateTime<Utc>, work: &Work) -> Turn {
        Turn::of(work.lane, work.due_at, self.fresh_since(now))
    }

    /// What an outage left behind is not fresh, however short the outage was.
    fn fresh_since(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let since = now - self.policy.fresh_for;
        self.breaker.back_at().map_or(since, |back| back.max(since))
    }
}

impl Policy {
    /// One place is left to what waits even where few are configured.
    fn places_for_waited(&self, running: &Running) -> usize {
        let all = self.at_once.saturating_sub(self.kept_for_fresh).max(1);
        all.saturating_sub(running.late)
            .saturating_sub(running.replay)
    }

    fn places_for_replay(&self, running: &Running) -> usize {
        let share = self.at_once.saturating_mul(self.replay_percent.min(100)) / 100;
        share.max(1).saturating_sub(running.replay)
    }
}

/// The time between two messages when there may be so many in an hour.
fn apart(an_hour: u32) -> Duration {
    Duration::milliseconds(3_600_000 / i64::from(an_hour.max(1)))
}

#[cfg(test)]
mod tests {
    use audit_core::PseudonymKey;
    use nhs_types::OdsCode;

    use super::*;
    use crate::commit::{Lane, WorkKind};
    use crate::engine::Entropy;
    use crate::keys::TrustKeys;
    use audit_core::StreamKey;

    struct Fixed;

    impl Entropy for Fixed {
        fn fill(&mut self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    fn engine(policy: Policy) -> Engine {
        let key = |byte| PseudonymKey::new([byte; 32]);
        let trust = OdsCode::parse("RZZ").unwrap();
        let keys = TrustKeys::new(trust, key(1), key(2), key(3));
        Engine::new(keys, policy, Box::new(Fixed))
    }

    fn running(fresh: usize, late: usize, replay: usize) -> Running {
        Running {
            fresh,
            late,
            replay,
        }
    }

    /// Places for all, for what waited, for the replay lane.
    fn places(policy: &Policy, running: &Running) -> Option<(usize, usize, usize)> {
        let request = engine(policy.clone()).next_claim(DateTime::UNIX_EPOCH, running)?;
        Some((request.tokens.len(), request.waited, request.replay))
    }

    #[test]
    fn audit_4_6_the_defaults_of_the_facts() {
        let policy = Policy::default();
        let now = DateTime::UNIX_EPOCH;
        let request = engine(policy).next_claim(now, &Running::default()).unwrap();
        assert_eq!((request.tokens.len(), request.replay), (16, 8));
        assert_eq!(request.per_destination, 4);
        assert_eq!(request.replay_apart, Some(Duration::minutes(1)));
        assert_eq!(request.today_apart, None);
        assert_eq!(request.lease_until, now + Duration::minutes(3));
        assert_eq!(request.fresh_since, now - Duration::minutes(5));
    }

    #[test]
    fn audit_4_6_places_are_what_goes_on_leaves() {
        let policy = Policy::default();
        assert_eq!(places(&policy, &running(0, 0, 0)), Some((16, 12, 8)));
        assert_eq!(places(&policy, &running(3, 5, 2)), Some((6, 5, 6)));
        assert_eq!(places(&policy, &running(0, 12, 0)), Some((4, 0, 8)));
        assert_eq!(places(&policy, &running(0, 4, 8)), Some((4, 0, 0)));
        assert_eq!(places(&policy, &running(15, 0, 0)), Some((1, 12, 8)));
        assert_eq!(places(&policy, &running(16, 0, 0)), None);
        assert_eq!(places(&policy, &running(4, 12, 1)), None);
    }

    #[test]
    fn with_one_place_everything_still_goes_on() {
        let policy = Policy {
            at_once: 1,
            ..Policy::default()
        };
        assert_eq!(places(&policy, &running(0, 0, 0)), Some((1, 1, 1)));
    }

    #[test]
    fn what_begins_and_ends_is_counted_by_its_turn() {
        let mut running = Running::default();
        let engine = engine(Policy::default());
        let now = DateTime::UNIX_EPOCH + Duration::hours(1);
        let mut work = Work::new(StreamKey::from_bytes([1; 16]), WorkKind::Send, now);
        let turns = [(0, Turn::Fresh), (300, Turn::Fresh), (301, Turn::Late)];
        for (seconds, turn) in turns {
            work.due_at = now - Duration::seconds(seconds);
            assert_eq!(engine.turn(now, &work), turn);
            running.begins(turn);
        }
        work.lane = Lane::Replay;
        running.begins(engine.turn(now, &work));
        assert_eq!(running, self::running(2, 1, 1));
        assert_eq!(running.count(), 4);
        running.ends(Turn::Late);
        running.ends(Turn::Late);
        assert_eq!(running, self::running(2, 0, 1));
    }

    #[test]
    fn audit_4_4_while_the_breaker_is_open_nothing_is_claimed_that_needs_mesh() {
        let mut engine = engine(Policy::default());
        let now = DateTime::UNIX_EPOCH;
        let transport = |engine: &mut Engine, at| {
            let request = engine.next_claim(at, &Running::default());
            request.unwrap().transport
        };
        assert_eq!(transport(&mut engine, now), usize::MAX);
        engine.breaker.open(now, Duration::seconds(30));
        assert_eq!(transport(&mut engine, now + Duration::seconds(29)), 0);
        assert_eq!(transport(&mut engine, now + Duration::seconds(30)), 1);
    }

    #[test]
    fn what_an_outage_left_behind_is_late_at_once() {
        let mut engine = engine(Policy::default());
        let now = DateTime::UNIX_EPOCH + Duration::hours(1);
        let back = now - Duration::seconds(10);
        engine
            .breaker
            .open(now - Duration::minutes(2), Duration::seconds(30));
        engine.breaker.reached(back);
        let work = |due_at| Work::new(StreamKey::from_bytes([1; 16]), WorkKind::Send, due_at);
        let before = work(back - Duration::milliseconds(1));
        assert_eq!(engine.turn(now, &before), Turn::Late);
        assert_eq!(engine.turn(now, &work(back)), Turn::Fresh);
        engine.breaker.reached(now);
        assert_eq!(
            engine.turn(now, &work(back)),
            Turn::Fresh,
            "it was not away since"
        );
    }

    #[test]
    fn an_hour_is_shared_evenly() {
        let seconds = [60, 3600, 1, 0].map(|an_hour| apart(an_hour).num_seconds());
        assert_eq!(seconds, [60, 1, 3600, 3600]);
    }
}
