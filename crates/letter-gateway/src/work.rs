//! The engine's orders are carried out.

mod pool;

use chrono::{DateTime, Utc};
use letter_delivery::{
    AskResult, Claimed, Commit, Engine, Job, Order, Outbound, Prepared, SendResult, Store,
    StoreError, TrackResult, Transport,
};

use crate::{Gateway, GatewayError};

/// How often a result is tried to be written when the store is out of reach for the moment.
const WRITES_MAX: u32 = 5;

/// How often a result is decided on anew when its copy moved on meanwhile.
const CONFLICTS_MAX: usize = 5;

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
    /// Of these, without an answer that says whether MESH took them: MESH is asked later.
    pub uncertain: usize,
    /// Pieces of work that broke off; they are looked at anew when their lease has run out.
    pub broken: usize,
    /// Pieces of work that did not end in time when the run stopped; the next run finds them.
    pub given_back: usize,
}

impl Worked {
    fn add(&mut self, done: &Done) {
        self.attempts += usize::from(done.attempted);
        self.accepted += usize::from(done.accepted);
        self.uncertain += usize::from(done.uncertain);
    }
}

#[derive(Debug, Default)]
struct Done {
    attempted: bool,
    accepted: bool,
    uncertain: bool,
}

impl Done {
    const fn of(result: &SendResult) -> Self {
        Self {
            attempted: true,
            accepted: matches!(result, SendResult::Accepted { .. }),
            uncertain: matches!(result, SendResult::Unknown { .. }),
        }
    }
}

/// What came of a piece of work.
#[derive(Clone, Debug)]
enum Outcome {
    Prepared(Prepared),
    Sent(SendResult),
    Asked(AskResult),
    Tracked(TrackResult),
}

impl Outcome {
    fn decide(self, engine: &mut Engine, now: DateTime<Utc>, claimed: Claimed) -> Commit {
        match self {
            Self::Prepared(prepared) => engine.prepared(now, claimed, prepared),
            Self::Sent(result) => engine.sent(now, claimed, result),
            Self::Asked(result) => engine.asked(now, claimed, result),
            Self::Tracked(result) => engine.tracked(now, claimed, result),
        }
    }
}

/// Whether a change was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Yes,
    /// Somebody else does the work.
    Fenced,
    /// Something moved on since it was read.
    Conflict,
}

impl<S: Store + 'static> Gateway<S> {
    async fn carry_out(&self, claimed: Claimed) -> Result<Done, GatewayError> {
        let Some(order) = self.begin(claimed).await? else {
            return Ok(Done::default());
        };
        let Order { claimed, job, .. } = order;
        let (outcome, done) = self.execute(&claimed, job).await?;
        self.record(claimed, outcome).await?;
        Ok(done)
    }

    /// Begins a piece of work; again with the stops as they are now when one was set or lifted
    /// meanwhile. A copy that moved on is left to the next claim.
    async fn begin(&self, mut claimed: Claimed) -> Result<Option<Order>, GatewayError> {
        for _ in 0..CONFLICTS_MAX {
            let (now, work) = (self.now(), claimed.clone());
            let begun = self.decide(|engine| engine.begin(now, work));
            if begun.commit.is_empty() {
                return Ok(begun.order);
            }
            match self.write(begun.commit).await? {
                Written::Yes => return Ok(begun.order),
                Written::Fenced => return Ok(None),
                Written::Conflict => {}
            }
            let stops = self.store.stops().await?;
            if stops.version() == claimed.stops.version() {
                return Ok(None);
            }
            claimed.stops = stops;
        }
        Ok(None)
    }

    async fn execute(&self, claimed: &Claimed, job: Job) -> Result<(Outcome, Done), GatewayError> {
        Ok(match job {
            Job::Prepare => {
                let prepared = self.prepare(claimed).await?;
                (Outcome::Prepared(prepared), Done::default())
            }
            Job::Send { artefact } => {
                let bytes = self.store.payload(claimed.letter.key, artefact).await?;
                let result = self.attempt(claimed, bytes).await;
                let done = Done::of(&result);
                (Outcome::Sent(result), done)
            }
            Job::Ask { local_id } => {
                let result = self.mesh.ask(local_id).await;
                (Outcome::Asked(result), Done::default())
            }
            Job::Track { message_id } => {
                let result = self.mesh.track(message_id).await;
                (Outcome::Tracked(result), Done::default())
            }
        })
    }

    /// Writes what came of a piece of work. A copy that moved on meanwhile, as when its document
    /// was cancelled during the send, is read and decided on anew: MESH's answer is not lost.
    async fn record(&self, mut claimed: Claimed, outcome: Outcome) -> Result<(), GatewayError> {
        for _ in 0..CONFLICTS_MAX {
            let now = self.now();
            let (work, outcome) = (claimed.clone(), outcome.clone());
            let commit = self.decide(|engine| outcome.decide(engine, now, work));
            match self.write(commit).await? {
                Written::Yes | Written::Fenced => return Ok(()),
                Written::Conflict => {}
            }
            let Some(copy) = claimed.copy.take() else {
                return Ok(());
            };
            let found = self
                .store
                .copy_by_message(None, Some(copy.local_id))
                .await?;
            let Some(found) = found.filter(|found| found.key == copy.key) else {
                return Ok(());
            };
            claimed.copy = Some(found);
        }
        Ok(())
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

    /// Writes a change, if it is ours to write. What was sent is told to the store again and
    /// again: if it never hears of it, the open attempt is found and MESH is asked.
    async fn write(&self, commit: Commit) -> Result<Written, GatewayError> {
        let mut tries = 0;
        loop {
            match self.store.commit(commit.clone()).await {
                Ok(()) => return Ok(Written::Yes),
                Err(StoreError::Fenced) => {
                    tracing::warn!("a piece of work was taken over by another worker");
                    return Ok(Written::Fenced);
                }
                Err(StoreError::Conflict) => return Ok(Written::Conflict),
                Err(StoreError::Unavailable(_)) if tries < WRITES_MAX => {
                    tries += 1;
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}
