//! What the `Store` port promises: the suite that every store runs.

use audit_core::StreamKey;
use letter_delivery::testkit::conformance::{Failure, Place};
use letter_store::testkit::Cluster;
use letter_store::{PostgresStore, VerifyAgainst};

use crate::support::{dump, open, raw};

/// A schema in a server of its own.
struct Schema(Cluster);

impl Place for Schema {
    type Store = PostgresStore;

    async fn open(&mut self) -> Result<PostgresStore, Failure> {
        Ok(open(&self.0).await)
    }

    async fn rows(&self, _: &PostgresStore) -> Result<Vec<String>, Failure> {
        Ok(dump(&raw(&self.0).await).await)
    }

    async fn history(
        &self,
        store: &PostgresStore,
        stream: StreamKey,
    ) -> Result<Vec<Vec<u8>>, Failure> {
        store.sequence().await?;
        Ok(store.history(stream).await?)
    }

    /// Before and after the sequencer followed.
    async fn verify(&self, store: &PostgresStore) -> Result<(), Failure> {
        for _ in 0..2 {
            let verification = store.verify(VerifyAgainst::default()).await?;
            if !verification.is_clean() {
                return Err(Failure::new(format!("{:?}", verification.faults)));
            }
            store.sequence().await?;
        }
        Ok(())
    }
}

mod conformance {
    use letter_store::testkit::Cluster;

    letter_delivery::store_conformance!(Cluster::start().map(super::Schema), crate::support::run);
}
