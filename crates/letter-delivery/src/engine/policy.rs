use chrono::{DateTime, Duration, Utc};

use super::Dice;

/// How soon a run that does not wait for timers may take up what was put off: never in the run
/// that put it off.
pub(super) const SOONEST: Duration = Duration::seconds(1);

/// Timers, budgets and choices; the defaults are those of the facts, marked there as judgement.
///
/// Source: audit-and-delivery facts 4.2, 4.4, 4.6; design section 9 (tracking sweeps).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Policy {
    /// How long a claimed piece of work belongs to the one who claimed it.
    pub lease: Duration,
    /// First pause after a failed attempt; it doubles with each, drawn at random below that.
    pub backoff_base: Duration,
    /// Longest pause between attempts.
    pub backoff_max: Duration,
    /// Attempts of a series that were really answered with a failure.
    pub attempts_max: u32,
    /// How long a series may try.
    pub series_max: Duration,
    /// How long to wait before MESH is asked about a doubtful send: it may appear late.
    pub ask_after: Duration,
    /// How long to wait before "not there" is believed: it is asked twice.
    pub ask_again: Duration,
    /// How long MESH may be unable to answer before `ambiguous` decides.
    pub ask_gives_up: Duration,
    /// What to do when MESH cannot be asked.
    pub ambiguous: Ambiguous,
    /// When a sent copy is first asked about, and then, and then; the last pause repeats.
    pub track_after: Vec<Duration>,
    /// Shortest time between two questions about one copy.
    pub track_apart: Duration,
    /// Failures to connect, in a row, that open the breaker.
    pub breaker_failures: u32,
    /// How long an open breaker keeps everything back before one try.
    pub breaker_pause: Duration,
    /// How long to wait after our own settings were found wrong.
    pub blocked_pause: Duration,
    /// Classes of letters that only two persons can suppress.
    pub two_persons: Vec<String>,
    /// How long a copy whose suppression waits for a second person is kept back at a time.
    pub vote_pause: Duration,
    /// How long work that a stop holds back waits at most before it is looked at again; a lift
    /// frees it at once.
    pub parked_for: Duration,
    /// Whether this process alone works on its store: then timers follow when its clock is set.
    pub alone: bool,
    /// How many pieces of work go on at the same time.
    pub at_once: usize,
    /// How many of these places are kept for work that is fresh, so that it finds one free while a
    /// backlog drains.
    pub kept_for_fresh: usize,
    /// How long today's work is fresh: what has been due for longer waits behind it.
    pub fresh_for: Duration,
    /// The share of the places, in percent, that the replay lane gets at most.
    pub replay_percent: usize,
    /// How many messages may be on their way to one mailbox at the same time.
    pub per_destination: usize,
    /// How many of today's messages go to one mailbox in an hour at most.
    pub today_an_hour: Option<u32>,
    /// How many messages of the replay lane go to one mailbox in an hour at most.
    pub replay_an_hour: Option<u32>,
    /// When the store was restored, as long as what was lost is not reconciled: what is cancelled
    /// then may have left before, and a person is told.
    pub restored_at: Option<DateTime<Utc>>,
    /// How long a lookup that fails for the moment is tried when the letter has no due time.
    pub lookup_gives_up: Duration,
}

/// What to do about a doubtful send when MESH cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a choice of two in the facts")]
pub enum Ambiguous {
    /// Send again: a double is a nuisance, a loss a harm.
    Resend,
    /// A person decides.
    Hold,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            lease: Duration::minutes(3),
            backoff_base: Duration::seconds(30),
            backoff_max: Duration::minutes(15),
            attempts_max: 50,
            series_max: Duration::hours(24),
            ask_after: Duration::seconds(60),
            ask_again: Duration::minutes(5),
            ask_gives_up: Duration::minutes(15),
            ambiguous: Ambiguous::Resend,
            track_after: vec![
                Duration::hours(1),
                Duration::hours(3),
                Duration::hours(20),
                Duration::hours(24),
            ],
            track_apart: Duration::minutes(1),
            breaker_failures: 5,
            breaker_pause: Duration::seconds(30),
            blocked_pause: Duration::minutes(5),
            two_persons: vec!["discharge-summary".to_owned()],
            vote_pause: Duration::minutes(1),
            parked_for: Duration::hours(1),
            alone: true,
            at_once: 16,
            kept_for_fresh: 4,
            fresh_for: Duration::minutes(5),
            replay_percent: 50,
            per_destination: 4,
            today_an_hour: None,
            replay_an_hour: Some(60),
            restored_at: None,
            lookup_gives_up: Duration::hours(24),
        }
    }
}

impl Policy {
    /// The pause before the next attempt: doubling, with full jitter, at least a second.
    pub(super) fn backoff(&self, failures: u32, dice: &mut Dice) -> Duration {
        let doublings = failures.saturating_sub(1).min(20);
        let ceiling = self.backoff_base * 2_i32.saturating_pow(doublings);
        let ceiling = ceiling.min(self.backoff_max).num_milliseconds();
        let ceiling = u32::try_from(ceiling).unwrap_or(u32::MAX);
        let drawn = (f64::from(ceiling) * dice.fraction()).floor();
        let drawn = std::time::Duration::from_secs_f64(drawn / 1000.0);
        Duration::from_std(drawn)
            .unwrap_or(self.backoff_max)
            .max(Duration::seconds(1))
    }

    /// The pause before a sent copy is asked about for the `asked`-th time, from 0.
    pub(super) fn track_pause(&self, asked: u32) -> Duration {
        let index = usize::try_from(asked).unwrap_or(usize::MAX);
        let pause = self
            .track_after
            .get(index)
            .or_else(|| self.track_after.last());
        pause.copied().unwrap_or_else(|| Duration::hours(24))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Entropy;

    struct Fixed(u8);

    impl Entropy for Fixed {
        fn fill(&mut self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn audit_4_4_backoff_doubles_up_to_its_cap() {
        let policy = Policy::default();
        let mut most = Dice(Box::new(Fixed(0xFF)));
        let pauses: Vec<i64> = [1, 2, 3, 5, 6, 7, 60]
            .map(|n| policy.backoff(n, &mut most).num_seconds())
            .into();
        assert_eq!(pauses, [29, 59, 119, 479, 899, 899, 899]);
        let mut least = Dice(Box::new(Fixed(0)));
        assert_eq!(policy.backoff(9, &mut least), Duration::seconds(1));
    }

    #[test]
    fn design_9_tracking_after_1_4_and_24_hours_then_daily() {
        let policy = Policy::default();
        let mut at = Duration::zero();
        let times: Vec<i64> = (0..6)
            .map(|asked| {
                at += policy.track_pause(asked);
                at.num_hours()
            })
            .collect();
        assert_eq!(times, [1, 4, 24, 48, 72, 96]);
    }
}
