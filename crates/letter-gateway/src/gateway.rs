//! The pipeline of one trust: its store, its engine, its mailbox.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use gp_routing::PracticeTable;
use letter_delivery::{ClockWatch, Engine, Store, StoreError};
use nhs_types::{MailboxId, OdsCode, WorkflowId};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::directory::Known;
use crate::folder::Watched;
use crate::mesh::Mesh;
use crate::shell::Clock;
use crate::space::SpaceWatch;
use crate::trust::Trust;

/// Carries the letters of one trust; a fault of one trust never touches another's.
///
/// It holds no state that a restart would need: everything is in the store.
pub struct Gateway<S> {
    pub(crate) trust: Trust,
    pub(crate) store: Arc<S>,
    pub(crate) mesh: Mesh,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) known: Mutex<BTreeMap<(OdsCode, WorkflowId), Known>>,
    pub(crate) watched: Mutex<Watched>,
    /// Work may have become due.
    pub(crate) woken: Notify,
    /// Until when what is begun may go on; once it is set nothing more is begun.
    stop_by: watch::Sender<Option<Instant>>,
    /// Held until a jump is durable: two who see the same one must not both move the timers.
    watch: tokio::sync::Mutex<ClockWatch>,
    pub(crate) space: SpaceWatch,
    /// What it last accepted: a jump that is not durable yet dates nothing.
    clock_seen: Mutex<ClockWatch>,
    /// Messages that were left alone, and were looked at again by this process.
    pub(crate) strangers: Mutex<BTreeSet<String>>,
    practices: RwLock<Arc<PracticeTable>>,
    engine: Mutex<Engine>,
}

/// Why the pipeline could not go on; letters stay where the next run finds them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// MESH could not be used.
    #[error("MESH cannot be used: {0}")]
    Mesh(#[from] mesh_client::Error),
    /// A folder could not be read or written.
    #[error(
        "cannot use {path}: {cause}; check that it exists and that this account may read and write it"
    )]
    Folder {
        /// The folder or file.
        path: std::path::PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Patient data would cross a network unencrypted.
    #[error("will not listen on {address} without TLS: give a certificate, or use 127.0.0.1")]
    Exposed {
        /// The address.
        address: std::net::SocketAddr,
    },
    /// The listener could not be opened.
    #[error("cannot listen on {address}: {cause}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// What the system said.
        cause: std::io::Error,
    },
}

impl<S: Store + 'static> Gateway<S> {
    /// Puts the parts together.
    pub fn new(
        trust: Trust,
        store: Arc<S>,
        engine: Engine,
        mesh: Mesh,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let known = Mutex::new(BTreeMap::new());
        Self {
            practices: RwLock::new(Arc::clone(&trust.practices)),
            trust,
            store,
            mesh,
            clock,
            known,
            watched: Mutex::new(Watched::new()),
            woken: Notify::new(),
            stop_by: watch::Sender::new(None),
            watch: tokio::sync::Mutex::new(ClockWatch::default()),
            space: SpaceWatch::default(),
            clock_seen: Mutex::new(ClockWatch::default()),
            strangers: Mutex::new(BTreeSet::new()),
            engine: Mutex::new(engine),
        }
    }

    /// The trust.
    pub const fn trust(&self) -> &Trust {
        &self.trust
    }

    /// The store.
    pub const fn store(&self) -> &Arc<S> {
        &self.store
    }

    /// Takes another practice table into use; decisions that have begun end with the old one.
    pub fn use_practices(&self, practices: impl Into<Arc<PracticeTable>>) {
        *self
            .practices
            .write()
            .unwrap_or_else(PoisonError::into_inner) = practices.into();
    }

    pub(crate) fn practices(&self) -> Arc<PracticeTable> {
        Arc::clone(
            &self
                .practices
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// The trust's mailbox.
    pub fn mailbox(&self) -> &MailboxId {
        self.mesh.client().mailbox()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stop_by.borrow().is_some()
    }

    /// From now on nothing more is begun, and what goes on has this long to end; `None` takes
    /// that back.
    pub(crate) fn stop_within(&self, time: Option<Duration>) {
        self.stop_by
            .send_replace(time.map(|time| Instant::now() + time));
    }

    /// Comes when a run stops.
    pub(crate) async fn stopped(&self) -> Instant {
        let mut stop_by = self.stop_by.subscribe();
        let stopped = stop_by.wait_for(Option::is_some).await;
        // The sender lives as long as this gateway.
        stopped.ok().and_then(|by| *by).unwrap_or_else(Instant::now)
    }

    /// Comes when the time for what goes on is over.
    pub(crate) async fn late(&self) {
        tokio::time::sleep_until(self.stopped().await).await;
    }

    /// Records when the wall clock was set, before anything is claimed by what it shows or made
    /// due by it: what is made due after a jump must not be moved with it (W-CLK;
    /// audit-and-delivery facts 3.2, rule d).
    pub(crate) async fn watch_clock(&self) -> Result<(), GatewayError> {
        let Some(monotonic) = self.clock.monotonic() else {
            return Ok(());
        };
        let mut watch = self.watch.lock().await;
        let now = self.clock.now();
        let Some(by) = watch.look(now, monotonic) else {
            *self.clock_seen() = *watch;
            return Ok(());
        };
        let seconds = by.num_seconds();
        tracing::error!(
            seconds,
            "W-CLK: the clock was set; timers are moved by as much"
        );
        let commit = self.decide(|engine| engine.clock_set(now, by));
        self.store.commit(commit).await?;
        self.decide(|engine| engine.clock_moved(now, by));
        watch.accept(now, monotonic);
        *self.clock_seen() = *watch;
        Ok(())
    }

    fn clock_seen(&self) -> MutexGuard<'_, ClockWatch> {
        self.clock_seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn shared(this: &Arc<Self>) -> Arc<Self> {
        Arc::clone(this)
    }

    /// The time to decide by: a clock that was set is believed once timers were moved with it.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let wall = self.clock.now();
        match self.clock.monotonic() {
            Some(monotonic) => self.clock_seen().time(wall, monotonic),
            None => wall,
        }
    }

    /// Lets the engine decide; it does no I/O, so the lock is held for microseconds.
    pub(crate) fn decide<T>(&self, decision: impl FnOnce(&mut Engine) -> T) -> T {
        decision(&mut self.engine.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S> std::fmt::Debug for Gateway<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway")
            .field("trust", &self.trust.code)
            .finish_non_exhaustive()
    }
}
