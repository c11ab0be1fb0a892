//! Sources are told what became of their letters.

mod body;
mod folder;
pub(crate) mod line;
mod webhook;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use audit_core::Data;
use letter_delivery::{Commit, FeedCursor, Outcome, Store, StoreError};

use crate::Gateway;

pub(crate) use body::OutcomeBody;
pub(crate) use folder::write_whole;
pub use line::OutcomeLine;
pub use webhook::{Webhook, WebhookError};
pub(crate) use webhook::{address, client as http_client};

/// A feed of outcomes to one receiver.
///
/// Every outcome of the ledger is told at least once, in the ledger's order, so in order for each
/// letter. How far a feed has come is durable: after a restart it goes on there, and what was told
/// just before the end may come again; its number says so. A receiver that is down is tried again
/// with growing pauses; it keeps back neither letters nor other feeds.
///
/// What a receiver says it will never take is noted in the ledger as `outcome.refused`, and the
/// feed goes on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Feed {
    /// Its name, under which the store knows how far it has come.
    pub name: String,
    /// Who is told.
    pub to: Receiver,
    /// Only letters of these sources; all when there are none.
    pub sources: Vec<String>,
    /// Where a new feed begins.
    pub begin: Begin,
    /// How often the ledger is looked at when all was told.
    pub look_every: Duration,
    /// Longest pause before a receiver that is down is tried again.
    pub pause_max: Duration,
}

/// Who is told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Receiver {
    /// A folder: one JSON file for each outcome, there under its name only when it is whole and
    /// durable.
    Folder(PathBuf),
    /// An HL7 v2 listener.
    Mllp(OutcomeLine),
    /// An HTTP address.
    Webhook(Webhook),
}

impl Receiver {
    /// What kind of receiver it is, as a word.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Folder(_) => "folder",
            Self::Mllp(_) => "mllp",
            Self::Webhook(_) => "webhook",
        }
    }
}

/// Where a new feed begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a choice of two")]
pub enum Begin {
    /// With the first event of the ledger.
    #[default]
    First,
    /// With what happens from now on.
    Now,
}

const LOOK_EVERY: Duration = Duration::from_secs(1);
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_mins(5);
/// How many events are read at once; so many outcomes at most are told again after a crash.
const PAGE: usize = 100;

impl Feed {
    /// A feed of all sources from the first event on.
    pub fn new(name: impl Into<String>, to: Receiver) -> Self {
        Self {
            name: name.into(),
            to,
            sources: Vec::new(),
            begin: Begin::First,
            look_every: LOOK_EVERY,
            pause_max: PAUSE_MAX,
        }
    }

    fn wants(&self, outcome: &Outcome) -> bool {
        self.sources.is_empty() || self.sources.contains(&outcome.letter.source)
    }
}

/// Why a feed stands still.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The receiver did not take an outcome; it is told again.
    #[error("the receiver did not take an outcome: {0}")]
    Receiver(String),
}

/// Why one outcome was not taken.
#[derive(Debug)]
pub(crate) enum NotTaken {
    /// It is told again.
    Now(String),
    /// It would be refused for ever.
    Ever(String),
}

/// How far one look came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Told {
    /// Outcomes that the receiver took.
    pub outcomes: usize,
    /// Outcomes that it refused for good.
    pub refused: usize,
}

impl<S: Store + 'static> Gateway<S> {
    /// Tells a feed's receiver all there is.
    ///
    /// # Errors
    ///
    /// [`FeedError`]; what was taken before that is not told again.
    pub async fn tell(&self, feed: &Feed) -> Result<Told, FeedError> {
        let mut told = Told::default();
        while self.tell_page(feed, &mut told).await? {}
        Ok(told)
    }

    pub(crate) async fn tell_for_ever(self: Arc<Self>, feed: Feed) {
        let mut pause = PAUSE_MIN;
        loop {
            match self.tell(&feed).await {
                Ok(_) => {
                    pause = PAUSE_MIN;
                    tokio::time::sleep(feed.look_every).await;
                }
                Err(error) => {
                    tracing::warn!(%error, feed = feed.name, "outcomes wait for their receiver");
                    tokio::time::sleep(pause).await;
                    pause = pause.saturating_mul(2).min(feed.pause_max);
                }
            }
        }
    }

    /// Whether there may be more.
    async fn tell_page(&self, feed: &Feed, told: &mut Told) -> Result<bool, FeedError> {
        let Some(from) = self.store.cursor(feed.name.clone()).await? else {
            return self.begin_feed(feed).await;
        };
        let page = self.store.ledger_page(from, PAGE).await?;
        let mut next = from;
        let mut session = Session::default();
        for entry in page.entries {
            let seq = entry.event.seq;
            if let Some(outcome) = Outcome::of(entry).filter(|outcome| feed.wants(outcome)) {
                match self.deliver(feed, &mut session, &outcome).await {
                    Ok(()) => told.outcomes += 1,
                    Err(NotTaken::Now(why)) => {
                        self.advance(feed, from, next).await?;
                        return Err(FeedError::Receiver(why));
                    }
                    Err(NotTaken::Ever(why)) => {
                        self.note_refused(feed, &outcome, &why).await?;
                        told.refused += 1;
                    }
                }
            }
            next = seq.saturating_add(1);
        }
        self.advance(feed, from, page.next).await?;
        Ok(page.next < page.end)
    }

    async fn begin_feed(&self, feed: &Feed) -> Result<bool, FeedError> {
        let next = match feed.begin {
            Begin::First => 0,
            Begin::Now => self.store.ledger_page(0, 0).await?.end,
        };
        let mut commit = Commit::default();
        commit.cursors.push(FeedCursor::new(&*feed.name, next));
        self.store.commit(commit).await?;
        Ok(true)
    }

    async fn advance(&self, feed: &Feed, from: u64, next: u64) -> Result<(), StoreError> {
        if next == from {
            return Ok(());
        }
        let mut commit = Commit::default();
        commit.cursors.push(FeedCursor::new(&*feed.name, next));
        self.store.commit(commit).await
    }

    async fn note_refused(
        &self,
        feed: &Feed,
        outcome: &Outcome,
        why: &str,
    ) -> Result<(), StoreError> {
        tracing::error!(
            feed = feed.name,
            why,
            "a receiver refused an outcome for good"
        );
        let data = Data::new()
            .with("feed", &*feed.name)
            .with("seq", i64::try_from(outcome.seq).unwrap_or(i64::MAX))
            .with("reason", why);
        let commit = self.decide(|engine| engine.note(self.now(), "outcome.refused", data));
        self.store.commit(commit).await
    }

    async fn deliver(
        &self,
        feed: &Feed,
        session: &mut Session,
        outcome: &Outcome,
    ) -> Result<(), NotTaken> {
        let body = OutcomeBody::of(self.trust.code.as_str(), outcome);
        match &feed.to {
            Receiver::Folder(folder) => folder::put(folder, &body).await,
            Receiver::Mllp(line) => {
                let message = line::message(&body, self.now(), self.trust.live);
                line.tell(session, &message, &line::control_id(&body)).await
            }
            Receiver::Webhook(webhook) => {
                let text = serde_json::to_vec(&body);
                let text = text.map_err(|error| NotTaken::Ever(error.to_string()))?;
                let headers = [("content-type", "application/json".to_owned())];
                webhook.post(&headers, text, self.now()).await
            }
        }
    }
}

/// What is kept open while a page is told.
#[derive(Debug, Default)]
pub(crate) struct Session {
    line: Option<tokio::net::TcpStream>,
}

#[cfg(test)]
mod tests;
