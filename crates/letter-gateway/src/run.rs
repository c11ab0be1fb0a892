//! The pipeline, once or for ever.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{DateTime, Utc};
use letter_delivery::{BreakerState, Store};

use crate::folder::{Folder, Scanned};
use crate::http::Http;
use crate::mllp::Mllp;
use crate::{Gateway, GatewayError};

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
    /// How often folders and due work are looked at.
    pub look_every: Duration,
    /// How often the mailbox is looked into; MESH asks for five minutes or more.
    pub poll_every: Duration,
    /// How often MESH is greeted; it asks for once a day at least.
    pub greet_every: Duration,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            folders: Vec::new(),
            listeners: Vec::new(),
            doors: Vec::new(),
            look_every: Duration::from_secs(2),
            poll_every: Duration::from_mins(5),
            greet_every: Duration::from_hours(12),
        }
    }
}

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
    /// Reports about our sends.
    pub reports: usize,
    /// Messages in the mailbox that are not ours, at the last look.
    pub left_alone: usize,
    /// Messages in the mailbox that could not be dealt with at the last look.
    pub inbox_failed: usize,
    /// Why MESH could not be used, if it could not.
    pub mesh_fault: Option<String>,
    /// Whether that is for our own settings: certificate, mailbox, password, shared key. Waiting
    /// does not mend it.
    pub settings_refused: bool,
}

impl Summary {
    const fn add(&mut self, scanned: &Scanned) {
        self.taken += scanned.taken;
        self.duplicates += scanned.duplicates;
        self.refused += scanned.refused;
        self.held += scanned.held;
        self.waiting += scanned.waiting;
        self.failed += scanned.failed;
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
        let started = self.now();
        let mut summary = Summary::default();
        self.greet(&mut summary).await;
        let mut looked = self.look(run, Some(started), &mut summary).await;
        if looked.is_ok() && summary.waiting > 0 && still_for(run) <= STILL_WAIT_MAX {
            // Files that were put there a moment ago are still after a moment.
            tokio::time::sleep(still_for(run)).await;
            looked = self.look(run, Some(started), &mut summary).await;
        }
        unless_store(&mut looked)?;
        if summary.mesh_fault.is_none() {
            self.poll_into(&mut summary).await?;
            looked = self.look(run, Some(started), &mut summary).await;
        }
        looked.map(|()| summary)
    }

    /// Goes on until `stop` is done; what was begun is finished first.
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
        let mut stop = std::pin::pin!(stop);
        let mut summary = Summary::default();
        let mut due = Due::default();
        let mut first = true;
        loop {
            let stopped = {
                let mut look = std::pin::pin!(self.one_look(run, &mut due, &mut summary));
                let (looked, stopped) = tokio::select! {
                    looked = &mut look => (looked, false),
                    () = &mut stop => {
                        self.stopping.store(true, Ordering::Relaxed);
                        (look.await, true)
                    }
                };
                match looked {
                    Err(error @ GatewayError::Folder { .. }) if first => return Err(error),
                    Err(error) => tracing::error!(%error, "this look did not succeed"),
                    Ok(()) => {}
                }
                stopped
            };
            first = false;
            if stopped {
                break;
            }
            tokio::select! {
                () = &mut stop => break,
                () = tokio::time::sleep(run.look_every) => {}
            }
        }
        self.stopping.store(false, Ordering::Relaxed);
        listeners.shutdown().await;
        Ok(summary)
    }

    fn shared(this: &Arc<Self>) -> Arc<Self> {
        Arc::clone(this)
    }

    async fn one_look(
        self: &Arc<Self>,
        run: &Run,
        due: &mut Due,
        summary: &mut Summary,
    ) -> Result<(), GatewayError> {
        let now = self.now();
        if due.greet.is_none_or(|at| now >= at) {
            self.greet(summary).await;
            due.greet = later(now, run.greet_every);
        }
        let mut looked = self.look(run, None, summary).await;
        unless_store(&mut looked)?;
        if summary.mesh_fault.is_none() && due.poll.is_none_or(|at| now >= at) {
            self.poll_into(summary).await?;
            due.poll = later(now, run.poll_every);
        }
        if summary.mesh_fault.is_some() {
            // Nothing is sent until a greeting succeeds: it must not wait for its ordinary time.
            let soon = later(now, run.look_every.saturating_mul(GREET_AGAIN));
            due.greet = soon.min(due.greet).or(soon);
        }
        looked
    }

    /// Proves connection, certificate and password before any letter's attempt is spent on them.
    async fn greet(&self, summary: &mut Summary) {
        (summary.mesh_fault, summary.settings_refused) = (None, false);
        if let Err(error) = self.mesh.client().handshake().await {
            tracing::error!(%error, "MESH cannot be used for now; letters wait");
            summary.fault(&error);
        }
    }

    async fn look(
        self: &Arc<Self>,
        run: &Run,
        pull_forward_to: Option<DateTime<Utc>>,
        summary: &mut Summary,
    ) -> Result<(), GatewayError> {
        (summary.waiting, summary.failed) = (0, 0);
        let mut looked = Ok(());
        for folder in &run.folders {
            match self.scan(folder).await {
                Ok(scanned) => summary.add(&scanned),
                Err(error @ GatewayError::Store(_)) => return Err(error),
                // One folder that cannot be read stops neither the others nor the sending.
                Err(error) => looked = looked.and(Err(error)),
            }
        }
        if summary.mesh_fault.is_some() {
            return looked;
        }
        let worked = self.work(pull_forward_to).await?;
        summary.attempts += worked.attempts;
        summary.accepted += worked.accepted;
        summary.uncertain += worked.uncertain;
        summary.broken += worked.broken;
        if let BreakerState::Open { .. } = self.decide(|engine| engine.breaker()) {
            summary.mesh_fault = Some("MESH does not answer; letters wait for it".to_owned());
        }
        looked
    }

    async fn poll_into(&self, summary: &mut Summary) -> Result<(), GatewayError> {
        match self.poll().await {
            Ok(polled) => {
                summary.reports += polled.reports;
                summary.left_alone = polled.left_alone;
                summary.inbox_failed = polled.failed;
                Ok(())
            }
            Err(GatewayError::Mesh(error)) => {
                tracing::error!(%error, "the mailbox could not be looked into");
                summary.fault(&error);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

#[derive(Debug, Default)]
struct Due {
    greet: Option<DateTime<Utc>>,
    poll: Option<DateTime<Utc>>,
}

/// Without the store nothing can go on; any other fault of a look is told at its end.
fn unless_store(looked: &mut Result<(), GatewayError>) -> Result<(), GatewayError> {
    match looked {
        Err(GatewayError::Store(_)) => std::mem::replace(looked, Ok(())),
        _ => Ok(()),
    }
}

fn later(now: DateTime<Utc>, pause: Duration) -> Option<DateTime<Utc>> {
    chrono::Duration::from_std(pause)
        .ok()
        .and_then(|pause| now.checked_add_signed(pause))
}

fn still_for(run: &Run) -> Duration {
    run.folders
        .iter()
        .map(|folder| folder.still_for)
        .max()
        .unwrap_or_default()
}
