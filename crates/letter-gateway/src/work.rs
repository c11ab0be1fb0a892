//! The engine's orders are carried out.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use letter_delivery::{
    ClaimRequest, Claimed, Commit, Job, Order, Outbound, SendResult, Store, StoreError, Transport,
};
use tokio::task::JoinSet;

use crate::{Gateway, GatewayError};

/// How many pieces of work go on at the same time.
const AT_ONCE: usize = 16;
/// How often a result is tried to be written when the store is out of reach for the moment.
const WRITES_MAX: u32 = 5;

/// What a round of work did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Worked {
    /// Pieces of work that were claimed.
    pub claimed: usize,
    /// Attempts to send.
    pub attempts: usize,
    /// Of these, taken by MESH.
    pub accepted: usize,
}

#[derive(Debug, Default)]
struct Done {
    attempted: bool,
    accepted: bool,
}

impl<S: Store + 'static> Gateway<S> {
    /// Does all work that is due, until none is left.
    ///
    /// # Errors
    ///
    /// [`GatewayError::Store`] when the store is out of reach; everything stays where the next
    /// round finds it.
    pub async fn work(
        self: &Arc<Self>,
        pull_forward_to: Option<DateTime<Utc>>,
    ) -> Result<Worked, GatewayError> {
        let mut worked = Worked::default();
        loop {
            let claimed = self.claim(pull_forward_to).await?;
            if claimed.is_empty() {
                return Ok(worked);
            }
            worked.claimed += claimed.len();
            let mut tasks = JoinSet::new();
            for claimed in claimed {
                let gateway = Self::clone_arc(self);
                tasks.spawn(async move { gateway.carry_out(claimed).await });
            }
            let mut failed = None;
            while let Some(done) = tasks.join_next().await {
                match done {
                    Ok(Ok(done)) => {
                        worked.attempts += usize::from(done.attempted);
                        worked.accepted += usize::from(done.accepted);
                    }
                    Ok(Err(error)) => failed = Some(error),
                    // The lease of a task that broke runs out, and its work is looked at anew.
                    Err(error) => tracing::error!(%error, "a piece of work broke off"),
                }
            }
            if let Some(error) = failed {
                return Err(error);
            }
        }
    }

    fn clone_arc(this: &Arc<Self>) -> Arc<Self> {
        Arc::clone(this)
    }

    async fn claim(
        &self,
        pull_forward_to: Option<DateTime<Utc>>,
    ) -> Result<Vec<Claimed>, GatewayError> {
        let now = self.now();
        let (tokens, lease) =
            self.decide(|engine| (engine.lease_tokens(AT_ONCE), engine.policy().lease));
        let mut request = ClaimRequest::new(now, now + lease, tokens);
        if let Some(to) = pull_forward_to {
            request = request.pulling_forward_to(to);
        }
        Ok(self.store.claim(request).await?)
    }

    async fn carry_out(&self, claimed: Claimed) -> Result<Done, GatewayError> {
        let now = self.now();
        let begun = self.decide(|engine| engine.begin(now, claimed));
        if !begun.commit.is_empty() && !self.write(begun.commit).await? {
            return Ok(Done::default());
        }
        let Some(order) = begun.order else {
            return Ok(Done::default());
        };
        let (commit, done) = self.execute(order).await?;
        self.write(commit).await?;
        Ok(done)
    }

    async fn execute(&self, order: Order) -> Result<(Commit, Done), GatewayError> {
        let Order { claimed, job, .. } = order;
        match job {
            Job::Prepare => {
                let prepared = self.prepare(&claimed).await?;
                let now = self.now();
                let commit = self.decide(|engine| engine.prepared(now, claimed, prepared));
                Ok((commit, Done::default()))
            }
            Job::Send { artefact } => {
                let bytes = self.store.payload(claimed.letter.key, artefact).await?;
                let result = self.attempt(&claimed, bytes).await;
                let accepted = matches!(result, SendResult::Accepted { .. });
                let now = self.now();
                let commit = self.decide(|engine| engine.sent(now, claimed, result));
                Ok((
                    commit,
                    Done {
                        attempted: true,
                        accepted,
                    },
                ))
            }
            Job::Ask { local_id } => {
                let result = self.mesh.ask(local_id).await;
                let now = self.now();
                let commit = self.decide(|engine| engine.asked(now, claimed, result));
                Ok((commit, Done::default()))
            }
            Job::Track { message_id } => {
                let result = self.mesh.track(message_id).await;
                let now = self.now();
                let commit = self.decide(|engine| engine.tracked(now, claimed, result));
                Ok((commit, Done::default()))
            }
        }
    }

    async fn attempt(&self, claimed: &Claimed, bytes: Vec<u8>) -> SendResult {
        let Some(copy) = &claimed.copy else {
            return SendResult::Refused {
                code: "no-copy".to_owned(),
            };
        };
        let content_type = copy.content_type.clone();
        let content_type = content_type.unwrap_or_else(|| "application/octet-stream".to_owned());
        let outbound = Outbound::new(
            copy.address.clone(),
            copy.local_id.clone(),
            content_type,
            bytes,
        );
        self.mesh.send(outbound).await
    }

    /// Writes a change; says whether it was ours to write. What was sent is told to the store
    /// again and again: if it never hears of it, the open attempt is found and MESH is asked.
    async fn write(&self, commit: Commit) -> Result<bool, GatewayError> {
        let mut tries = 0;
        loop {
            match self.store.commit(commit.clone()).await {
                Ok(()) => return Ok(true),
                Err(StoreError::Fenced | StoreError::Conflict) => {
                    tracing::warn!("a piece of work was taken over by another worker");
                    return Ok(false);
                }
                Err(StoreError::Unavailable(_)) if tries < WRITES_MAX => {
                    tries += 1;
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}
