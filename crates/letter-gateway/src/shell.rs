//! The clock and the randomness of the operating system, for the engine that has neither.

use std::sync::LazyLock;
use std::time::Instant;

use chrono::{DateTime, Duration, Utc};
use letter_delivery::Entropy;
use ring::rand::{SecureRandom as _, SystemRandom};

/// What time it is.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> DateTime<Utc>;

    /// The time of a clock that only ever goes on, from any moment; with it a clock that is set
    /// is noticed. A clock that has none is believed.
    fn monotonic(&self) -> Option<Duration> {
        None
    }
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from(std::time::SystemTime::now())
    }

    fn monotonic(&self) -> Option<Duration> {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        Duration::from_std(START.elapsed()).ok()
    }
}

/// The operating system's randomness.
#[derive(Debug, Default)]
pub struct SystemEntropy {
    random: Option<SystemRandom>,
}

impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        let random = self.random.get_or_insert_with(SystemRandom::new);
        // The system's generator fails only before it is seeded at boot: wait for it.
        while random.fill(bytes).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}
