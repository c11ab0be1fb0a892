use chrono::{DateTime, Duration, Utc};

/// Whether the transport is thought to be reachable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "two states, shown as they are")]
pub enum BreakerState {
    /// It is used.
    Closed,
    /// It is left alone until then; letters keep their attempts meanwhile.
    Open {
        /// When one try is made again.
        until: DateTime<Utc>,
    },
}

#[derive(Debug)]
pub(super) struct Breaker {
    failures: u32,
    state: BreakerState,
    /// When the transport was last found again.
    back_at: Option<DateTime<Utc>>,
}

impl Breaker {
    pub(super) const fn new() -> Self {
        Self {
            failures: 0,
            state: BreakerState::Closed,
            back_at: None,
        }
    }

    /// What was due before then has waited for the transport.
    pub(super) const fn back_at(&self) -> Option<DateTime<Utc>> {
        self.back_at
    }

    pub(super) const fn state(&self) -> BreakerState {
        self.state
    }

    /// Until when work must wait; after that time one piece goes as a probe, the rest wait on.
    pub(super) fn wait_until(
        &mut self,
        now: DateTime<Utc>,
        pause: Duration,
    ) -> Option<DateTime<Utc>> {
        match self.state {
            BreakerState::Closed => None,
            BreakerState::Open { until } if now < until => Some(until),
            BreakerState::Open { .. } => {
                self.open(now, pause);
                None
            }
        }
    }

    /// How many pieces of work that need the transport may be claimed now: all, none, or one as
    /// the probe.
    pub(super) fn places(&self, now: DateTime<Utc>) -> usize {
        match self.state {
            BreakerState::Closed => usize::MAX,
            BreakerState::Open { until } if now < until => 0,
            BreakerState::Open { .. } => 1,
        }
    }

    /// Keeps it open until then at least, as the transport asked.
    pub(super) fn leave_alone(&mut self, until: DateTime<Utc>) {
        let until = match self.state {
            BreakerState::Open { until: longer } => until.max(longer),
            BreakerState::Closed => until,
        };
        self.state = BreakerState::Open { until };
    }

    /// The clock was set: it stays open as long as it would have.
    pub(super) fn rebase(&mut self, by: Duration) {
        if let BreakerState::Open { until } = &mut self.state {
            *until += by;
        }
        if let Some(back_at) = &mut self.back_at {
            *back_at += by;
        }
    }

    pub(super) const fn reached(&mut self, now: DateTime<Utc>) {
        if let BreakerState::Open { .. } = self.state {
            self.back_at = Some(now);
        }
        self.failures = 0;
        self.state = BreakerState::Closed;
    }

    pub(super) fn unreachable(&mut self, now: DateTime<Utc>, limit: u32, pause: Duration) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= limit {
            self.open(now, pause);
        }
    }

    pub(super) fn open(&mut self, now: DateTime<Utc>, pause: Duration) {
        self.state = BreakerState::Open { until: now + pause };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audit_4_4_opens_after_five_failures_and_lets_one_probe_through() {
        let pause = Duration::seconds(30);
        let start = DateTime::<Utc>::UNIX_EPOCH;
        let mut breaker = Breaker::new();
        for _ in 0..4 {
            breaker.unreachable(start, 5, pause);
        }
        assert_eq!(breaker.wait_until(start, pause), None);
        breaker.unreachable(start, 5, pause);
        assert_eq!(breaker.wait_until(start, pause), Some(start + pause));

        let later = start + pause;
        assert_eq!(breaker.wait_until(later, pause), None, "the probe");
        assert_eq!(
            breaker.wait_until(later, pause),
            Some(later + pause),
            "all others wait"
        );
        breaker.reached(later);
        assert_eq!(breaker.wait_until(later, pause), None);
    }
}
