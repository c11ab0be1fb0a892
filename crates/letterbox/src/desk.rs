//! A person at work on a trust's store, beside a `run` that may be going on.

use audit_core::{Data, StreamKey};
use letter_delivery::{
    Actor, Decided, DecisionError, Engine, InboundRecord, Stops, Store as _, StoreError, Verdict,
};
use letter_gateway::SystemEntropy;
use letter_store::{AnyStore, LetterView, StatusFilter};

use crate::commands::now;
use crate::config::{Config, TrustSection};
use crate::exit::Exit;
use crate::{open, platform};

/// How often a decision is taken anew when the run was faster.
const CONFLICTS_MAX: usize = 10;

/// A trust's store, with the engine that decides and the person who runs the command.
pub(crate) struct Desk<'a> {
    pub(crate) trust: &'a TrustSection,
    pub(crate) store: AnyStore,
    pub(crate) engine: Engine,
    pub(crate) by: Actor,
}

impl<'a> Desk<'a> {
    pub(crate) async fn open(config: &Config, trust: &'a TrustSection) -> Result<Self, Exit> {
        let key = open::master_key(trust)?;
        let store = open::store(config, trust, &key).await?;
        let keys = key.trust_keys(trust.code.clone());
        let by = keys.account(&platform::account());
        let entropy = Box::new(SystemEntropy::default());
        let engine = Engine::new(keys, trust.delivery.policy(), entropy);
        Ok(Self {
            trust,
            store,
            engine,
            by,
        })
    }

    /// The trust whose letter this is.
    pub(crate) async fn of_letter(
        config: &'a Config,
        named: Option<&str>,
        id: &str,
    ) -> Result<(Self, StreamKey), Exit> {
        let letter = letter_id(id)?;
        for trust in config.trusts(named)? {
            let desk = Self::open(config, trust).await?;
            if desk.view(letter).await?.is_some() {
                return Ok((desk, letter));
            }
        }
        Err(Exit::Configuration(format!(
            "there is no letter {id}; `letterbox status --document NUMBER` finds one by its number"
        )))
    }

    /// The trust that got this message, if it is one that others sent.
    pub(crate) async fn of_inbound(
        config: &'a Config,
        named: Option<&str>,
        id: &str,
    ) -> Result<Option<(Self, InboundRecord)>, Exit> {
        let key = letter_id(id)?;
        for trust in config.trusts(named)? {
            let desk = Self::open(config, trust).await?;
            if let Some(record) = desk.store.inbound(key).await? {
                return Ok(Some((desk, record)));
            }
        }
        Ok(None)
    }

    pub(crate) async fn view(&self, letter: StreamKey) -> Result<Option<LetterView>, Exit> {
        let filter = StatusFilter {
            letter: Some(letter),
            ..StatusFilter::default()
        };
        Ok(self.store.letters(filter).await?.pop())
    }

    /// Decides; again when the run changed the letter meanwhile.
    pub(crate) async fn decide(
        &mut self,
        letter: StreamKey,
        verdict: &Verdict,
    ) -> Result<Decided, Exit> {
        for _ in 0..CONFLICTS_MAX {
            let view = self.view(letter).await?;
            let view = view.ok_or_else(|| Exit::Unavailable("the letter is gone".to_owned()))?;
            let decided = self
                .engine
                .decide(now(), verdict, view.letter, view.copies)?;
            match self.store.commit(decided.commit.clone()).await {
                Ok(()) => return Ok(decided),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// Sets or lifts a stop; again when another was faster.
    pub(crate) async fn change_stops<E>(
        &mut self,
        mut change: impl FnMut(&mut Engine, &Actor, &Stops) -> Result<letter_delivery::Commit, E>,
    ) -> Result<Result<letter_delivery::Stop, E>, Exit> {
        for _ in 0..CONFLICTS_MAX {
            let stops = self.store.stops().await?;
            let commit = match change(&mut self.engine, &self.by, &stops) {
                Ok(commit) => commit,
                Err(error) => return Ok(Err(error)),
            };
            let stop = commit.stop.clone();
            match self.store.commit(commit).await {
                Ok(()) => {
                    let stop = stop.ok_or_else(|| Exit::Unavailable("no stop".to_owned()))?;
                    return Ok(Ok(stop));
                }
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// Records that somebody looked, searched or exported (design section 5, rule 14).
    pub(crate) async fn note(&mut self, kind: &str, data: Data) -> Result<(), Exit> {
        let commit = self.engine.note_by(now(), &self.by, kind, data);
        Ok(self.store.commit(commit).await?)
    }
}

/// Reads a letter's id.
pub(crate) fn letter_id(id: &str) -> Result<StreamKey, Exit> {
    StreamKey::parse(id).map_err(|_| {
        Exit::Configuration(format!(
            "{id} is no letter's id (32 hex digits); to find one by its number: status --document \
             NUMBER"
        ))
    })
}

impl From<DecisionError> for Exit {
    fn from(error: DecisionError) -> Self {
        match error {
            DecisionError::SamePerson { .. } => Self::Person(error.to_string()),
            DecisionError::NoSuchCopy { .. } => Self::Configuration(error.to_string()),
            _ => Self::Wanting(error.to_string()),
        }
    }
}
