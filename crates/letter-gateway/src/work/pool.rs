//! Work goes on side by side, and a place that becomes free is filled at once.

use std::sync::Arc;
use std::time::Duration;

use audit_core::StreamKey;
use chrono::{DateTime, Utc};
use letter_delivery::{
    Claimed, Commit, LeaseToken, Running, Store, StoreError, Turn, Work, WorkChange,
};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use super::{Done, Worked};
use crate::{Gateway, GatewayError};

/// How often work that has become due is looked for while other work goes on.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// A lease is renewed when this part of it is over.
const RENEWED_AFTER: u32 = 3;

/// What goes on: a bounded number of pieces, each with its content for as long as it takes.
struct Pool<S> {
    gateway: Arc<Gateway<S>>,
    tasks: JoinSet<Result<Done, GatewayError>>,
    pieces: Vec<Piece>,
    running: Running,
    worked: Worked,
    failed: Option<GatewayError>,
    renew_at: Instant,
    renew_every: Duration,
}

/// A piece of work that goes on, under its lease.
struct Piece {
    task: Id,
    turn: Turn,
    work: Work,
    token: LeaseToken,
}

type Ended = Result<(Id, Result<Done, GatewayError>), JoinError>;

/// Why the pool has another look.
enum Event {
    Ended(Ended),
    Woken,
    Renew,
    /// The time for what was begun is over.
    Late,
}

impl<S: Store + 'static> Gateway<S> {
    /// Does all work that is due, until none is left and none goes on.
    ///
    /// As many pieces as [`Policy::at_once`](letter_delivery::Policy::at_once) go on side by side;
    /// the place of one that has ended is filled at once, so that a slow one delays no other. Once
    /// the run stops nothing more is begun; what goes on has
    /// [`Run::stop_within`](crate::Run::stop_within) to end, and gives its leases back if it has
    /// not.
    ///
    /// # Errors
    ///
    /// [`GatewayError::Store`] when the store is out of reach; everything stays where the next
    /// round finds it.
    pub async fn work(
        self: &Arc<Self>,
        pull_forward_to: Option<DateTime<Utc>>,
    ) -> Result<Worked, GatewayError> {
        let mut pool = Pool::new(Self::shared(self));
        loop {
            pool.fill(pull_forward_to).await;
            if pool.tasks.is_empty() {
                break;
            }
            match pool.event().await {
                Event::Ended(ended) => pool.settle(ended),
                Event::Woken => {}
                Event::Renew => pool.renew().await,
                Event::Late => pool.break_off().await,
            }
        }
        match pool.failed {
            Some(error) => Err(error),
            None => Ok(pool.worked),
        }
    }

    /// Claims what may be begun beside what goes on.
    async fn claim(
        &self,
        running: &Running,
        pull_forward_to: Option<DateTime<Utc>>,
    ) -> Result<Vec<(Turn, Claimed)>, GatewayError> {
        self.watch_clock().await?;
        let now = self.now();
        let Some(mut request) = self.decide(|engine| engine.next_claim(now, running)) else {
            return Ok(Vec::new());
        };
        if let Some(to) = pull_forward_to {
            request = request.pulling_forward_to(to);
        }
        let claimed = self.store.claim(request).await?;
        let turn = |claimed: Claimed| {
            let turn = self.decide(|engine| engine.turn(now, &claimed.work));
            (turn, claimed)
        };
        Ok(claimed.into_iter().map(turn).collect())
    }
}

impl<S: Store + 'static> Pool<S> {
    fn new(gateway: Arc<Gateway<S>>) -> Self {
        let lease = gateway.decide(|engine| engine.policy().lease);
        let renew_every = lease.to_std().unwrap_or_default() / RENEWED_AFTER;
        Self {
            gateway,
            tasks: JoinSet::new(),
            pieces: Vec::new(),
            running: Running::default(),
            worked: Worked::default(),
            failed: None,
            renew_at: Instant::now() + renew_every,
            renew_every,
        }
    }

    /// Fills the free places, unless the run stops or the store is out of reach.
    async fn fill(&mut self, pull_forward_to: Option<DateTime<Utc>>) {
        if self.failed.is_some() || self.gateway.is_stopping() {
            return;
        }
        match self.gateway.claim(&self.running, pull_forward_to).await {
            Ok(claimed) => claimed
                .into_iter()
                .for_each(|(turn, claimed)| self.begin(turn, claimed)),
            Err(error) => self.failed = Some(error),
        }
    }

    fn begin(&mut self, turn: Turn, claimed: Claimed) {
        let (token, work) = (claimed.token, claimed.work.clone());
        let gateway = Arc::clone(&self.gateway);
        let task = self
            .tasks
            .spawn(async move { gateway.carry_out(claimed).await });
        self.running.begins(turn);
        self.worked.claimed += 1;
        self.pieces.push(Piece {
            task: task.id(),
            turn,
            work,
            token,
        });
    }

    async fn event(&mut self) -> Event {
        tokio::select! {
            Some(ended) = self.tasks.join_next_with_id() => Event::Ended(ended),
            () = self.gateway.late() => Event::Late,
            () = tokio::time::sleep_until(self.renew_at) => Event::Renew,
            () = self.gateway.woken.notified() => Event::Woken,
            () = tokio::time::sleep(LOOK_AGAIN) => Event::Woken,
        }
    }

    /// Counts what has ended, and whatever else has by now: their places are filled together.
    fn settle(&mut self, ended: Ended) {
        self.count(ended);
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.count(ended);
        }
    }

    fn count(&mut self, ended: Ended) {
        let (task, done) = match ended {
            Ok((task, done)) => (task, Some(done)),
            Err(error) => (error.id(), None),
        };
        if let Some(place) = self.pieces.iter().position(|piece| piece.task == task) {
            self.running.ends(self.pieces.swap_remove(place).turn);
        }
        match done {
            Some(Ok(done)) => self.worked.add(&done),
            // One damaged row or content keeps no other letter.
            Some(Err(GatewayError::Store(error @ StoreError::Corrupt(_)))) => {
                self.worked.broken += 1;
                tracing::error!(%error, "a piece of work cannot be done");
            }
            Some(Err(error)) => self.failed = Some(error),
            // The lease of a task that broke runs out, and its work is looked at anew. What a
            // panic says may hold parts of a letter: it is not repeated.
            None => {
                self.worked.broken += 1;
                tracing::error!("a piece of work broke off");
            }
        }
    }

    /// Long work keeps its leases. One that was lost is not had back: what comes of its work is
    /// refused by the store, and whoever holds it now finds the open attempt.
    async fn renew(&mut self) {
        self.renew_at = Instant::now() + self.renew_every;
        let lease = self.gateway.decide(|engine| engine.policy().lease);
        let until = self.gateway.now() + lease;
        match self.gateway.store.renew(self.leases(), until).await {
            Ok(renewed) if renewed.iter().all(|held| *held) => {}
            Ok(_) => tracing::warn!("a lease was lost to another worker"),
            Err(error) => tracing::warn!(%error, "the leases could not be renewed"),
        }
    }

    fn leases(&self) -> Vec<(StreamKey, LeaseToken)> {
        let lease = |piece: &Piece| (piece.work.stream, piece.token);
        self.pieces.iter().map(lease).collect()
    }

    /// What has not ended in time is broken off, and free for the next run: an attempt that was
    /// open is found then, and MESH is asked.
    async fn break_off(&mut self) {
        self.tasks.shutdown().await;
        for Piece { work, token, .. } in std::mem::take(&mut self.pieces) {
            let mut commit = Commit::default();
            commit.fence = Some((work.stream, token));
            commit.work = vec![WorkChange::Set(work)];
            match self.gateway.store.commit(commit).await {
                Ok(()) => self.worked.given_back += 1,
                // It had ended after all.
                Err(StoreError::Fenced) => {}
                Err(error) => tracing::warn!(%error, "a lease could not be given back"),
            }
        }
        tracing::warn!(
            count = self.worked.given_back,
            "work did not end in the time given, and was broken off"
        );
    }
}
