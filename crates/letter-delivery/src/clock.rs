//! A wall clock that is set while letters wait (audit-and-delivery facts 3.2, rule d).

use chrono::{DateTime, Duration, Utc};

/// How far the wall clock may be off before that is a jump: more than five minutes (W-CLK).
const JUMP_MIN: Duration = Duration::minutes(5);

/// Compares the wall clock with one that only ever goes on.
///
/// Every timer is a time of the wall clock, for it must outlive a restart. When that clock is set,
/// [`look`](Self::look) says by how much, [`Engine::clock_set`](crate::Engine::clock_set) what to
/// write, and once that is durable [`accept`](Self::accept) goes on from there.
///
/// ```
/// use chrono::{DateTime, Duration, Utc};
/// use letter_delivery::ClockWatch;
///
/// let start: DateTime<Utc> = "2026-03-29T00:59:00Z".parse()?;
/// let (mut watch, minute) = (ClockWatch::default(), Duration::minutes(1));
/// assert_eq!(watch.look(start, Duration::zero()), None);
/// assert_eq!(watch.look(start + minute, minute), None);
/// let set = start + minute + Duration::days(1);
/// assert_eq!(watch.look(set, minute), Some(Duration::days(1)));
/// watch.accept(set, minute);
/// assert_eq!(watch.look(set + minute, minute * 2), None);
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ClockWatch {
    /// Both clocks at the same moment.
    seen: Option<(DateTime<Utc>, Duration)>,
}

impl ClockWatch {
    /// By how much the wall clock was set since the last look, if it was. It is said again until
    /// it is accepted.
    pub fn look(&mut self, wall: DateTime<Utc>, monotonic: Duration) -> Option<Duration> {
        if let Some((before, at)) = self.seen {
            let by = wall.signed_duration_since(before) - (monotonic - at);
            if by.abs() > JUMP_MIN {
                return Some(by);
            }
        }
        self.accept(wall, monotonic);
        None
    }

    /// The time to decide by: the wall clock's, or, when that was set and it is not accepted yet,
    /// what it would show by now. So nothing is dated by a clock to which no timer was moved.
    pub fn time(&self, wall: DateTime<Utc>, monotonic: Duration) -> DateTime<Utc> {
        let Some((before, at)) = self.seen else {
            return wall;
        };
        let steady = before + (monotonic - at);
        let is_set = wall.signed_duration_since(steady).abs() > JUMP_MIN;
        if is_set { steady } else { wall }
    }

    /// Takes both clocks as they are now.
    pub const fn accept(&mut self, wall: DateTime<Utc>, monotonic: Duration) {
        self.seen = Some((wall, monotonic));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp(1_770_113_400, 0).unwrap()
    }

    /// What is said a minute later, when the wall clock was set by this.
    fn said(by: Duration) -> Option<Duration> {
        let minute = Duration::minutes(1);
        let mut watch = ClockWatch::default();
        assert_eq!(watch.look(start(), minute), None);
        watch.look(start() + minute + by, minute * 2)
    }

    #[test]
    fn audit_3_2_d_five_minutes_are_no_jump_and_more_is() {
        let (most, more) = (
            Duration::minutes(5),
            Duration::minutes(5) + Duration::milliseconds(1),
        );
        assert_eq!([said(most), said(-most)], [None, None]);
        assert_eq!([said(more), said(-more)], [Some(more), Some(-more)]);
    }

    #[test]
    fn audit_3_2_d_a_jump_is_said_until_it_is_accepted() {
        let mut watch = ClockWatch::default();
        let day = Duration::days(1);
        watch.look(start(), Duration::zero());
        assert_eq!(watch.look(start() - day, Duration::zero()), Some(-day));
        let second = Duration::seconds(1);
        assert_eq!(watch.look(start() - day + second, second), Some(-day));
        watch.accept(start() - day + second, second);
        assert_eq!(watch.look(start() - day + second * 2, second * 2), None);
    }

    #[test]
    fn audit_3_2_d_until_it_is_accepted_time_goes_on_as_before() {
        let mut watch = ClockWatch::default();
        let (hour, minute) = (Duration::hours(1), Duration::minutes(1));
        assert_eq!(
            watch.time(start(), minute),
            start(),
            "nothing to compare with"
        );
        watch.accept(start(), Duration::zero());
        for by in [hour, -hour] {
            assert_eq!(watch.time(start() + minute + by, minute), start() + minute);
        }
        let slewed = start() + minute * 2;
        assert_eq!(watch.time(slewed, minute), slewed);
        watch.accept(start() + hour, Duration::zero());
        assert_eq!(watch.time(start() + hour, Duration::zero()), start() + hour);
    }

    #[test]
    fn a_process_that_stood_still_saw_no_jump() {
        let mut watch = ClockWatch::default();
        let stopped = Duration::minutes(10);
        watch.look(start(), Duration::zero());
        assert_eq!(watch.look(start() + stopped, stopped), None);
    }

    #[test]
    fn a_clock_that_is_slewed_is_followed() {
        let mut watch = ClockWatch::default();
        for minutes in 0..60 {
            let wall = start() + Duration::minutes(minutes * 2);
            assert_eq!(watch.look(wall, Duration::minutes(minutes)), None);
        }
    }
}
