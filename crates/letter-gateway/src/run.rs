//! The pipeline, once or for ever.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use letter_delivery::{BreakerState, Store};

use tokio::time::Instant;

use crate::feed::Feed;
use crate::folder::{Folder, Scanned};
use crate::http::Http;
use crate::mllp::Mllp;
use crate::{Gateway, GatewayError, Worked};

/// What a run looks after, and how often.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Run {
    /// Folders that documents arrive in.
    pub folders: Vec<Folder>,
    /// Listeners for HL7 v2 over MLLP; only a run that goes on has them.
    pub listeners: Vec<Mllp>,
    /// Doors for hand-over and questions over HTTP; only a run that goes on has them.
    pub doors: Vec<Http>,
    /// Who is told what became of letters.
    pub feeds: Vec<Feed>,
    /// How often folders and due work are looked at.
    pub look_every: Duration,
    /// How often the mailbox is looked into; MESH asks for five minutes or more.
    pub poll_every: Duration,
    /// How often MESH is greeted; it asks for once a day at least.
    pub greet_every: Duration,
    /// How long what was begun may go on when the run stops; then it is broken off, and the next
    /// run finds it.
    pub stop_within: Duration,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            folders: Vec::new(),
            listeners: Vec::new(),
            doors: Vec::new(),
            feeds: Vec::new(),
            look_every: Duration::from_secs(2),
            poll_every: Duration::from_mins(5),
            greet_every: Duration::from_hours(12),
            stop_within: Duration::from_secs(30),
        }
    }
}

/// Up to how many open messages for the trust are counted.
const INBOUND_COUNTED: usize = 10_000;

/// After how many looks MESH is greeted again when it could not be used.
const GREET_AGAIN: u32 = 15;

/// Longest time that a single run waits for files to be still; others are for the next run.
const STILL_WAIT_MAX: Duration = Duration::from_secs(10);

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Documents taken.
    pub taken: usize,
    /// Of these, known already.
    pub duplicates: usize,
    /// Files that are no document that can be read.
    pub refused: usize,
    /// Of these, held for a person.
    pub held: usize,
    /// Files that are still being written, or wait for their other half, at the last look.
    pub waiting: usize,
    /// Files that could not be read or moved, at the last look.
    pub failed: usize,
    /// Attempts to send.
    pub attempts: usize,
    /// Letters that MESH took.
    pub accepted: usize,
    /// Attempts without an answer that says whether MESH took the letter: MESH is asked later.
    pub uncertain: usize,
    /// Pieces of work that broke off, to be looked at anew.
    pub broken: usize,
    /// Pieces of work that did not end in time when the run stopped, to be found by the next.
    pub given_back: usize,
    /// Reports about our sends.
    pub reports: usize,
    /// Messages in the mailbox that are not ours, at the last look.
    pub left_alone: usize,
    /// Messages in the mailbox that could not be dealt with at the last look.
    pub inbox_failed: usize,
    /// Messages for the trust that were taken in.
    pub received: usize,
    /// Messages for the trust that its own systems took.
    pub handed_over: usize,
    /// Messages for the trust that wait for its own systems, at the last look of a single run.
    pub inbound_waiting: usize,
    /// Messages for the trust that its own systems refused: a person must look.
    pub inbound_held: usize,
    /// Outcomes that sources were told by a single run.
    pub told: usize,
    /// Feeds whose receiver did not take all there was.
    pub feeds_waiting: usize,
    /// Why MESH could not be used, if it could not.
    pub mesh_fault: Option<String>,
    /// Whether that is for our own settings: certificate, mailbox, password, shared key. Waiting
    /// does not mend it.
    pub settings_refused: bool,
}

impl Summary {
    /// What one look into all folders found.
    const fn add(&mut self, scanned: &Scanned) {
        self.taken += scanned.taken;
        self.duplicates += scanned.duplicates;
        self.refused += scanned.refused;
        self.held += scanned.held;
        (self.waiting, self.failed) = (scanned.waiting, scanned.failed);
    }

    const fn add_work(&mut self, worked: &Worked) {
        self.attempts += worked.attempts;
        self.accepted += worked.accepted;
        self.uncertain += worked.uncertain;
        self.broken += worked.broken;
        self.given_back += worked.given_back;
    }

    fn fault(&mut self, error: &mesh_client::Error) {
        self.mesh_fault = Some(error.to_string());
        self.settings_refused = error.is_configuration();
    }
}

impl<S: Store + 'static> Gateway<S> {
    /// Does all that can be done now, without waiting for timers, and ends.
    ///
    /// A sent copy that was not asked about lately is asked about, whatever its timer says: a
    /// single run is meant to show how things stand.
    ///
    /// # Errors
    ///
    /// [`GatewayError::Folder`] when a folder cannot be read, after all else was done;
    /// [`GatewayError::Store`] when the store is out of reach. When MESH is out of reach documents are taken all the same, and
    /// [`Summary::mesh_fault`] says why nothing was sent.
    pub async fn run_once(self: &Arc<Self>, run: &Run) -> Result<Summary, GatewayError> {
        let started = Some(self.now());
        let log = Log::default();
        self.greet(&log).await;
        let mut looked = self.look(run, started, &log).await;
        let waiting = log.write(|summary| summary.waiting);
        if looked.is_ok() && waiting > 0 && still_for(run) <= STILL_WAIT_MAX {
            // Files that were put there a moment ago are still after a moment.
            tokio::time::sleep(still_for(run)).await;
            looked = self.look(run, started, &log).await;
        }
        unless_store(&mut looked)?;
        if log.mesh_is_usable() {
            self.poll_into(&log).await?;
            looked = self.look(run, started, &log).await;
        }
        self.hand_over_into(&log).await?;
        self.count_inbound(&log).await?;
        self.tell_all(run, &log).await;
        looked.map(|()| log.summary())
    }

    async fn hand_over_into(&self, log: &Log) -> Result<(), GatewayError> {
        let handed = self.hand_over_inbound().await?;
        log.write(|summary| {
            summary.handed_over += handed.handed_over;
            summary.inbox_failed += handed.failed;
        });
        Ok(())
    }

    async fn count_inbound(&self, log: &Log) -> Result<(), GatewayError> {
        if !self.takes_inbound() {
            return Ok(());
        }
        let open = self.store.inbound_open(INBOUND_COUNTED).await?;
        let held = open.iter().filter(|one| one.needs_person()).count();
        log.write(|summary| {
            summary.inbound_held = held;
            summary.inbound_waiting = open.len().saturating_sub(held);
        });
        Ok(())
    }

    /// A receiver that is down is told by the next run; no other feed waits for it.
    async fn tell_all(&self, run: &Run, log: &Log) {
        for feed in &run.feeds {
            match self.tell(feed).await {
                Ok(told) => log.write(|summary| summary.told += told.outcomes),
                Err(error) => {
                    tracing::warn!(%error, feed = feed.name, "outcomes wait for their receiver");
                    log.write(|summary| summary.feeds_waiting += 1);
                }
            }
        }
    }

    /// Goes on until `stop` is done. What was begun has [`Run::stop_within`] to end; nothing more
    /// is begun.
    ///
    /// Taking documents in, sending and looking into the mailbox go on side by side: a backlog of
    /// one keeps no other waiting.
    ///
    /// # Errors
    ///
    /// [`GatewayError::Listen`] when a listener cannot be opened, [`GatewayError::Folder`] when
    /// a folder cannot be read at the start. Later faults are logged, and tried again.
    pub async fn run_until(
        self: &Arc<Self>,
        run: &Run,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<Summary, GatewayError> {
        run.folders.iter().try_for_each(Folder::can_be_read)?;
        let mut listeners = tokio::task::JoinSet::new();
        for mllp in &run.listeners {
            let listener = mllp.open().await?;
            let (gateway, mllp) = (Self::shared(self), mllp.clone());
            listeners.spawn(async move { gateway.serve(listener, mllp).await });
        }
        for http in &run.doors {
            let listener = http.open().await?;
            let (gateway, http) = (Self::shared(self), http.clone());
            listeners.spawn(async move { gateway.serve_http(listener, http).await });
        }
        for feed in &run.feeds {
            listeners.spawn(Self::shared(self).tell_for_ever(feed.clone()));
        }
        let log = Log::default();
        let mut loops = Box::pin(async {
            // Proven first, so that no letter's attempt is spent on settings that are wrong.
            let mut due = Due::default();
            self.touch(run, &mut due, &log).await;
            tokio::join!(
                self.keep_taking(run, &log),
                self.keep_working(run, &log),
                self.keep_in_touch(run, due, &log),
            )
        });
        let mut stop = std::pin::pin!(stop);
        tokio::select! {
            _ = &mut loops => {}
            () = &mut stop => {
                self.stop_within(Some(run.stop_within));
                loops.await;
            }
        }
        self.stop_within(None);
        listeners.shutdown().await;
        Ok(log.summary())
    }

    async fn keep_taking(&self, run: &Run, log: &Log) {
        while !self.is_stopping() {
            let (scanned, looked) = self.scan_all(run).await;
            log.write(|summary| summary.add(&scanned));
            tell(looked);
            self.pause(run.look_every).await;
        }
    }

    async fn keep_working(self: &Arc<Self>, run: &Run, log: &Log) {
        while !self.is_stopping() {
            if log.mesh_is_usable() {
                let worked = self.work_into(None, log).await;
                tell(worked);
            }
            tokio::select! {
                () = self.pause(run.look_every) => {}
                () = self.woken.notified() => {}
            }
        }
    }

    async fn keep_in_touch(&self, run: &Run, mut due: Due, log: &Log) {
        while !self.is_stopping() {
            self.touch(run, &mut due, log).await;
            tell(self.hand_over_into(log).await);
            self.pause(run.look_every).await;
        }
    }

    /// Greets MESH and looks into the mailbox when it is time for that.
    async fn touch(&self, run: &Run, due: &mut Due, log: &Log) {
        // While MESH cannot be used nothing is claimed, and the clock may be why.
        tell(self.watch_clock().await);
        let now = Instant::now();
        if due.greet.is_none_or(|at| now >= at) {
            self.greet(log).await;
            due.greet = Some(now + run.greet_every);
            self.woken.notify_one();
        }
        if log.mesh_is_usable() && due.poll.is_none_or(|at| now >= at) {
            tell(self.poll_into(log).await);
            due.poll = Some(now + run.poll_every);
        }
        if !log.mesh_is_usable() {
            // Nothing is sent until a greeting succeeds: it must not wait for its ordinary time.
            let soon = now + run.look_every.saturating_mul(GREET_AGAIN);
            due.greet = due.greet.map_or(Some(soon), |at| Some(at.min(soon)));
        }
    }

    /// A moment, or less when the run stops.
    async fn pause(&self, time: Duration) {
        tokio::select! {
            _ = self.stopped() => {}
            () = tokio::time::sleep(time) => {}
        }
    }

    /// Proves connection, certificate and password before any letter's attempt is spent on them.
    async fn greet(&self, log: &Log) {
        let greeted = self.mesh.client().handshake().await;
        log.write(|summary| match &greeted {
            Ok(()) => (summary.mesh_fault, summary.settings_refused) = (None, false),
            Err(error) => {
                tracing::error!(%error, "MESH cannot be used for now; letters wait");
                summary.fault(error);
            }
        });
    }

    async fn look(
        self: &Arc<Self>,
        run: &Run,
        pull_forward_to: Option<DateTime<Utc>>,
        log: &Log,
    ) -> Result<(), GatewayError> {
        let (scanned, looked) = self.scan_all(run).await;
        log.write(|summary| summary.add(&scanned));
        if let Err(error @ GatewayError::Store(_)) = looked {
            return Err(error);
        }
        if log.mesh_is_usable() {
            self.work_into(pull_forward_to, log).await?;
        }
        looked
    }

    /// One look into all folders; one that cannot be read keeps no other.
    async fn scan_all(&self, run: &Run) -> (Scanned, Result<(), GatewayError>) {
        let mut all = Scanned::default();
        let mut looked = Ok(());
        for folder in &run.folders {
            match self.scan(folder).await {
                Ok(scanned) => all.add_all(&scanned),
                Err(error @ GatewayError::Store(_)) => return (all, Err(error)),
                Err(error) => looked = looked.and(Err(error)),
            }
        }
        (all, looked)
    }

    async fn work_into(
        self: &Arc<Self>,
        pull_forward_to: Option<DateTime<Utc>>,
        log: &Log,
    ) -> Result<(), GatewayError> {
        let worked = self.work(pull_forward_to).await?;
        log.write(|summary| summary.add_work(&worked));
        if let BreakerState::Open { .. } = self.decide(|engine| engine.breaker()) {
            let fault = "MESH does not answer; letters wait for it".to_owned();
            log.write(|summary| summary.mesh_fault = Some(fault));
        }
        Ok(())
    }

    async fn poll_into(&self, log: &Log) -> Result<(), GatewayError> {
        match self.poll().await {
            Ok(polled) => {
                log.write(|summary| {
                    summary.reports += polled.reports;
                    summary.left_alone = polled.left_alone;
                    summary.inbox_failed = polled.failed;
                    summary.received += polled.received;
                });
                Ok(())
            }
            Err(GatewayError::Mesh(error)) => {
                tracing::error!(%error, "the mailbox could not be looked into");
                log.write(|summary| summary.fault(&error));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// The summary that the loops of a run write side by side.
#[derive(Debug, Default)]
struct Log(Mutex<Summary>);

impl Log {
    fn write<T>(&self, change: impl FnOnce(&mut Summary) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn mesh_is_usable(&self) -> bool {
        self.write(|summary| summary.mesh_fault.is_none())
    }

    fn summary(&self) -> Summary {
        self.write(|summary| summary.clone())
    }
}

/// When MESH is greeted, and the mailbox looked into, by a clock that only goes on.
#[derive(Debug, Default)]
struct Due {
    greet: Option<Instant>,
    poll: Option<Instant>,
}

/// A fault of one look is told; the next look tries again.
fn tell(looked: Result<(), GatewayError>) {
    if let Err(error) = looked {
        tracing::error!(%error, "this look did not succeed");
    }
}

/// Without the store nothing can go on; any other fault of a look is told at its end.
fn unless_store(looked: &mut Result<(), GatewayError>) -> Result<(), GatewayError> {
    match looked {
        Err(GatewayError::Store(_)) => std::mem::replace(looked, Ok(())),
        _ => Ok(()),
    }
}

fn still_for(run: &Run) -> Duration {
    run.folders
        .iter()
        .map(|folder| folder.still_for)
        .max()
        .unwrap_or_default()
}
