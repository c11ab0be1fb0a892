//! Whether there is space to take documents in (W-DISK, audit-and-delivery facts 11).

use std::sync::{Mutex, PoisonError};

use letter_delivery::{Store, StoreError};

use crate::{Gateway, GatewayError};

/// Shares of the disk that are free, in percent, below which something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpaceLimits {
    /// Below this it is worth a word.
    pub warn: u64,
    /// Below this a person must make space.
    pub critical: u64,
    /// Below this no document is taken in; what was taken goes on.
    pub refuse: u64,
}

impl Default for SpaceLimits {
    fn default() -> Self {
        Self {
            warn: 20,
            critical: 10,
            refuse: 5,
        }
    }
}

/// How much space there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Space {
    /// Enough, or not known.
    Enough,
    /// It is worth a word.
    Short,
    /// A person must make space.
    Critical,
    /// No document is taken in until there is more.
    Refusing,
}

impl SpaceLimits {
    /// What so much free space means.
    ///
    /// ```
    /// use letter_gateway::{Space, SpaceLimits};
    /// let limits = SpaceLimits::default();
    /// assert_eq!(limits.of(Some(12)), Space::Short);
    /// assert_eq!(limits.of(None), Space::Enough);
    /// ```
    pub const fn of(&self, free_percent: Option<u64>) -> Space {
        match free_percent {
            Some(free) if free < self.refuse => Space::Refusing,
            Some(free) if free < self.critical => Space::Critical,
            Some(free) if free < self.warn => Space::Short,
            _ => Space::Enough,
        }
    }
}

type Gauge = Box<dyn Fn() -> Option<u64> + Send + Sync>;

/// Where free space is read, and what was said of it last.
pub(crate) struct SpaceWatch {
    limits: SpaceLimits,
    gauge: Gauge,
    told: Mutex<Space>,
}

impl Default for SpaceWatch {
    fn default() -> Self {
        Self::new(SpaceLimits::default(), Box::new(|| None))
    }
}

impl SpaceWatch {
    fn new(limits: SpaceLimits, gauge: Gauge) -> Self {
        Self {
            limits,
            gauge,
            told: Mutex::new(Space::Enough),
        }
    }

    fn look(&self) -> (Space, Option<u64>) {
        let free = (self.gauge)();
        let space = self.limits.of(free);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if *told != space {
            tell(space, free.unwrap_or_default());
            *told = space;
        }
        (space, free)
    }
}

fn tell(space: Space, free: u64) {
    match space {
        Space::Enough => tracing::info!(free, "the disk has enough space again"),
        Space::Short => tracing::warn!(free, "W-DISK: the disk is getting full"),
        Space::Critical => tracing::error!(free, "W-DISK: the disk is nearly full: make space"),
        Space::Refusing => tracing::error!(
            free,
            "W-DISK: the disk is full: no document is taken in until there is space; what was \
             taken is sent"
        ),
    }
}

impl<S> Gateway<S> {
    /// Takes documents in only while the disk has space: `free_percent` says how much of it, if
    /// that is known. It is asked before each hand-over, so it must be quick.
    #[must_use]
    pub fn with_space(
        mut self,
        limits: SpaceLimits,
        free_percent: impl Fn() -> Option<u64> + Send + Sync + 'static,
    ) -> Self {
        self.space = SpaceWatch::new(limits, Box::new(free_percent));
        self
    }

    /// How much space there is now.
    pub fn space(&self) -> Space {
        self.space.look().0
    }
}

impl<S: Store + 'static> Gateway<S> {
    /// Whether a document can be taken in now. Every door asks this before it reads one, so that
    /// nothing is written by halves: a folder leaves its files where they are, MLLP answers AE,
    /// HTTP 503.
    ///
    /// # Errors
    ///
    /// [`GatewayError::Store`] with [`StoreError::Unavailable`]: the source keeps the document and
    /// hands it over again later.
    pub fn may_take(&self) -> Result<(), GatewayError> {
        match self.space.look() {
            (Space::Refusing, free) => {
                let (free, refuse) = (free.unwrap_or_default(), self.space.limits.refuse);
                let what = format!(
                    "{free} % of the disk is free, and documents are taken in from {refuse} % on; \
                     make space and it goes on"
                );
                Err(StoreError::Unavailable(what).into())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w_disk_20_10_and_5_percent_are_the_limits() {
        let of = |free| SpaceLimits::default().of(Some(free));
        assert_eq!([of(100), of(20)], [Space::Enough; 2]);
        assert_eq!([of(19), of(10)], [Space::Short; 2]);
        assert_eq!([of(9), of(5)], [Space::Critical; 2]);
        assert_eq!([of(4), of(0)], [Space::Refusing; 2]);
        assert_eq!(SpaceLimits::default().of(None), Space::Enough);
    }

    #[test]
    fn a_limit_of_nothing_never_refuses() {
        let limits = SpaceLimits {
            refuse: 0,
            ..SpaceLimits::default()
        };
        assert_eq!(limits.of(Some(0)), Space::Critical);
    }
}
