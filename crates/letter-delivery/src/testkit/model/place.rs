use audit_core::StreamKey;

use super::ModelStore;
use crate::testkit::conformance::{Failure, Place};

/// The [`ModelStore`] as a [`Place`], to hold the conformance suite against the model.
#[derive(Debug, Default)]
pub struct ModelPlace(ModelStore);

impl Place for ModelPlace {
    type Store = ModelStore;

    async fn open(&mut self) -> Result<ModelStore, Failure> {
        Ok(self.0.clone())
    }

    async fn rows(&self, store: &ModelStore) -> Result<Vec<String>, Failure> {
        Ok(vec![format!("{:?}", store.rows())])
    }

    async fn history(
        &self,
        store: &ModelStore,
        stream: StreamKey,
    ) -> Result<Vec<Vec<u8>>, Failure> {
        let rows = store.rows();
        let events = rows.events.iter();
        let of_stream = events.filter(|event| event.event.body.stream == stream);
        Ok(of_stream.map(|event| event.canonical.clone()).collect())
    }

    async fn verify(&self, store: &ModelStore) -> Result<(), Failure> {
        let (ledger, rows) = (store.verify().faults, store.audit());
        if ledger.is_empty() && rows.is_empty() {
            Ok(())
        } else {
            Err(Failure::new(format!("{ledger:?} {rows:?}")))
        }
    }
}
