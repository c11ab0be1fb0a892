use std::collections::{BTreeSet, VecDeque};
use std::fmt;

use chrono::{DateTime, Utc};

use crate::store::Store;
use crate::{Fault, LoggedRequest};

/// Everything that a request may change.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) shared_key: Vec<u8>,
    pub(crate) used_tokens: BTreeSet<String>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) log: VecDeque<LoggedRequest>,
    /// A clock that stands still, when a test has set one.
    pub(crate) fixed_time: Option<DateTime<Utc>>,
    pub(crate) checks_workflows: bool,
}

/// Without keys and tokens.
impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

/// The log keeps the last requests only.
const LOG_MAX: usize = 20_000;

impl State {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.fixed_time
            .unwrap_or_else(|| DateTime::from(std::time::SystemTime::now()))
    }

    pub(crate) fn note(&mut self, request: LoggedRequest) {
        if self.log.len() >= LOG_MAX {
            self.log.pop_front();
        }
        self.log.push_back(request);
    }
}
