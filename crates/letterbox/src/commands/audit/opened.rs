//! A trust's ledger, opened for one of the commands.

use audit_core::{Data, SignedCheckpoint, VerifierKey};
use letter_delivery::{Actor, Engine, Policy, Store as _};
use letter_gateway::SystemEntropy;
use letter_store::AnyStore;

use crate::commands::run::now;
use crate::config::{Config, TrustSection};
use crate::exit::Exit;
use crate::ledger::Ledger;
use crate::{open, platform};

/// A store with the key that signs its ledger.
pub(super) struct Opened {
    pub(super) store: AnyStore,
    pub(super) ledger: Ledger,
    trusted: Vec<VerifierKey>,
    engine: Engine,
    actor: Actor,
}

impl Opened {
    pub(super) async fn open(config: &Config, trust: &TrustSection) -> Result<Self, Exit> {
        let path = config.store_path(trust);
        if config.store.is_none() && !path.exists() {
            return Err(Exit::Configuration(format!(
                "there is no store {}: nothing was run yet",
                path.display()
            )));
        }
        let key = open::master_key(trust)?;
        let keys = key.trust_keys(trust.code.clone());
        let actor = keys.account(&platform::account());
        let store = open::store(config, trust, &key).await?;
        let ledger = open::ledger(trust, &key, store.stops().await?.restores())?;
        Ok(Self {
            store,
            ledger,
            trusted: open::trusted(trust, &key)?,
            engine: Engine::new(keys, Policy::default(), Box::new(SystemEntropy::default())),
            actor,
        })
    }

    /// Looking and exporting are events too (design section 5, rule 14).
    pub(super) async fn note(&mut self, kind: &str, data: Data) -> Result<(), Exit> {
        let note = self.engine.note_by(now(), &self.actor, kind, data);
        Ok(self.store.commit(note).await?)
    }

    /// The checkpoint over all that is there now.
    pub(super) async fn newest_checkpoint(&self) -> Result<SignedCheckpoint, Exit> {
        self.ledger.sign(&self.store, now()).await?;
        let note = self.store.checkpoint().await?;
        let note = note.ok_or_else(|| {
            Exit::Wanting("the ledger holds no event yet: nothing is signed".to_owned())
        })?;
        SignedCheckpoint::parse(&note, &self.trusted)
            .map_err(|error| Exit::Wanting(format!("the newest checkpoint: {error}")))
    }
}
