use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Duration, Utc};

/// A clock that stands still until it is turned.
///
/// ```
/// use chrono::{DateTime, Duration};
/// use letter_delivery::testkit::TurnedClock;
/// let clock = TurnedClock::new(DateTime::UNIX_EPOCH);
/// clock.turn(Duration::hours(-1));
/// assert_eq!(clock.now(), DateTime::UNIX_EPOCH - Duration::hours(1));
/// ```
#[derive(Debug)]
pub struct TurnedClock(Mutex<DateTime<Utc>>);

impl TurnedClock {
    /// A clock that shows this.
    pub const fn new(at: DateTime<Utc>) -> Self {
        Self(Mutex::new(at))
    }

    /// What it shows.
    pub fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Turns it, forward or back.
    pub fn turn(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }

    /// Sets it.
    pub fn set(&self, to: DateTime<Utc>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }
}
