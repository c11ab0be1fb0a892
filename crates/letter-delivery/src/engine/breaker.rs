use chrono::{DateTime, Duration, Utc};

/// Whether the transport is thought to be reachable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "three states, shown as they are")]
pub enum BreakerState {
    /// It is used.
    Closed,
    /// It is left alone until then; letters keep their attempts meanwhile.
    Open {
        /// When one try is made again.
        until: DateTime<Utc>,
    },
    /// It answers, and asked to be left alone until then.
    Paused {
        /// When one try is made again.
        until: DateTime<Utc>,
    },
}

impl BreakerState {
    /// Until when the transport is left alone.
    const fn until(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Closed => None,
            Self::Open { until } | Self::Paused { until } => Some(until),
        }
    }
}

#[derive(Debug)]
pub(super) struct Breaker {
    /// Sends, and questions, that failed in a row. They are apart: a service may answer questions
    /// and take nothing.
    sends: u32,
    questions: u32,
    state: BreakerState,
    /// When the transport was last found again.
    back_at: Option<DateTime<Utc>>,
}

impl Breaker {
    pub(super) const fn new() -> Self {
        Self {
            sends: 0,
            questions: 0,
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
        let until = self.state.until()?;
        if now >= until {
            self.open(now, pause);
            return None;
        }
        Some(until)
    }

    /// How many pieces of work that need the transport may be claimed now: all, none, or one as
    /// the probe.
    pub(super) fn places(&self, now: DateTime<Utc>) -> usize {
        match self.state.until() {
            None => usize::MAX,
            Some(until) if now < until => 0,
            Some(_) => 1,
        }
    }

    /// The transport answers, and asked to be left alone until then at least.
    pub(super) fn leave_alone(&mut self, now: DateTime<Utc>, until: DateTime<Utc>) {
        let longer = match self.state {
            BreakerState::Paused { until: longer } => until.max(longer),
            _ => until,
        };
        self.reached(now);
        self.state = BreakerState::Paused { until: longer };
    }

    /// The clock was set: it stays open as long as it would have.
    pub(super) fn rebase(&mut self, by: Duration) {
        if let BreakerState::Open { until } | BreakerState::Paused { until } = &mut self.state {
            *until += by;
        }
        if let Some(back_at) = &mut self.back_at {
            *back_at += by;
        }
    }

    /// A send was answered for good or ill.
    pub(super) const fn reached(&mut self, now: DateTime<Utc>) {
        if let BreakerState::Open { .. } = self.state {
            self.back_at = Some(now);
        }
        (self.sends, self.questions) = (0, 0);
        self.state = BreakerState::Closed;
    }

    /// A question was answered. That says nothing of sends: the next piece of work may find out.
    pub(super) const fn answered(&mut self, now: DateTime<Utc>, limit: u32) {
        self.questions = 0;
        if self.sends < limit {
            return self.reached_by_question(now);
        }
        self.state = BreakerState::Open { until: now };
    }

    /// Sends that failed stay counted, so that answers between them do not hide them.
    const fn reached_by_question(&mut self, now: DateTime<Utc>) {
        match self.state {
            BreakerState::Open { .. } => {
                self.back_at = Some(now);
                self.state = BreakerState::Closed;
            }
            BreakerState::Closed | BreakerState::Paused { .. } => {}
        }
    }

    /// A send ended without an answer that can be trusted.
    pub(super) fn send_failed(&mut self, now: DateTime<Utc>, limit: u32, pause: Duration) {
        self.sends = self.sends.saturating_add(1);
        if self.sends >= limit {
            self.open(now, pause);
        }
    }

    /// A question had no answer.
    pub(super) fn question_failed(&mut self, now: DateTime<Utc>, limit: u32, pause: Duration) {
        self.questions = self.questions.saturating_add(1);
        if self.questions >= limit {
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
            breaker.send_failed(start, 5, pause);
        }
        assert_eq!(breaker.wait_until(start, pause), None);
        breaker.send_failed(start, 5, pause);
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

    #[test]
    fn audit_4_4_answers_to_questions_do_not_hide_that_nothing_is_taken() {
        let pause = Duration::seconds(30);
        let start = DateTime::<Utc>::UNIX_EPOCH;
        let mut breaker = Breaker::new();
        for _ in 0..4 {
            breaker.send_failed(start, 5, pause);
            breaker.answered(start, 5);
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
        breaker.send_failed(start, 5, pause);
        let until = start + pause;
        assert_eq!(breaker.state(), BreakerState::Open { until });

        breaker.answered(until, 5);
        assert_eq!(
            breaker.places(until),
            1,
            "a send may be the next to find out"
        );
        breaker.reached(until);
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn audit_4_4_a_pause_that_was_asked_for_is_no_outage() {
        let start = DateTime::<Utc>::UNIX_EPOCH;
        let until = start + Duration::seconds(90);
        let mut breaker = Breaker::new();
        breaker.leave_alone(start, until);
        breaker.leave_alone(start, start + Duration::seconds(1));
        assert_eq!(breaker.state(), BreakerState::Paused { until });
        assert_eq!((breaker.places(start), breaker.places(until)), (0, 1));
        breaker.answered(start, 5);
        assert_eq!(breaker.state(), BreakerState::Paused { until });
        assert_eq!(breaker.back_at(), None, "it was never away");
    }
}
