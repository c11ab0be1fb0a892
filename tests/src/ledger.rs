use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use audit_core::Event;
use letter_delivery::{CopyState, Store as _, StoreError};
use letter_store::{
    AnyStore, LetterView, MasterKey, PostgresSettings, PostgresStore, SqliteStore, StatusFilter,
};

/// A site's store, read through its own API.
#[derive(Debug)]
pub struct Ledger {
    store: AnyStore,
}

/// One letter, where it stands, and the events that led there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Way {
    /// The document's number.
    pub document: String,
    /// The letter and its copies.
    pub view: LetterView,
    /// Kinds of its events and of its copies' events, in the ledger's order.
    pub kinds: Vec<String>,
}

impl Way {
    /// State of its first copy, or of the letter when it has none.
    pub fn state(&self) -> &'static str {
        let letter = self.view.letter.state.as_str();
        self.view
            .copies
            .first()
            .map_or(letter, |copy| copy.state.as_str())
    }

    /// Whether its first copy is with MESH, or further.
    pub fn is_accepted(&self) -> bool {
        self.view
            .copies
            .first()
            .is_some_and(|copy| matches!(copy.state, CopyState::Accepted | CopyState::Collected))
    }

    /// Whether its first copy waits for nobody but MESH, its practice or a person.
    pub fn is_at_rest(&self) -> bool {
        let copy = self.view.copies.first();
        self.is_accepted() || copy.is_some_and(|copy| copy.state == CopyState::Returned)
    }

    /// How often an event is on its way.
    pub fn count(&self, kind: &str) -> usize {
        self.kinds.iter().filter(|known| *known == kind).count()
    }
}

impl Ledger {
    pub(crate) fn open(path: &Path, key: &Path) -> Self {
        Self::try_open(path, key).unwrap()
    }

    /// The ledger, unless a crash left something that is none.
    pub(crate) fn try_open(path: &Path, key: &Path) -> Result<Self, String> {
        let store = SqliteStore::open(path, &master_key(key)).map_err(|error| error.to_string())?;
        let store = store.into();
        Ok(Self { store })
    }

    /// The ledger in a database; events that wait for their place are given it.
    pub(crate) async fn try_connect(at: PostgresSettings, key: &Path) -> Result<Self, String> {
        let store = PostgresStore::open(at, &master_key(key)).await;
        let store = store.map_err(|error| error.to_string())?;
        store.sequence().await.map_err(|error| error.to_string())?;
        let store = store.into();
        Ok(Self { store })
    }

    /// The store.
    pub const fn store(&self) -> &AnyStore {
        &self.store
    }

    /// Every letter.
    pub async fn ways(&self) -> Vec<Way> {
        self.try_ways().await.unwrap()
    }

    pub(crate) async fn try_ways(&self) -> Result<Vec<Way>, String> {
        self.read_ways().await.map_err(|error| error.to_string())
    }

    async fn read_ways(&self) -> Result<Vec<Way>, StoreError> {
        let views = self.store.letters(StatusFilter::default()).await?;
        let mut ways = Vec::new();
        for view in views {
            let mut canonical = self.store.history(view.letter.key).await?;
            for copy in &view.copies {
                canonical.extend(self.store.history(copy.key).await?);
            }
            let mut events: Vec<Event> = canonical
                .iter()
                .map(|bytes| Event::parse(bytes).unwrap())
                .collect();
            events.sort_by_key(|event| event.seq);
            let kinds = events
                .iter()
                .map(|event| event.body.kind.as_str().to_owned());
            let document = view.document.as_ref().map(|number| number.expose().clone());
            ways.push(Way {
                document: document.unwrap_or_default(),
                kinds: kinds.collect(),
                view,
            });
        }
        Ok(ways)
    }

    /// The letter with a document number; of several versions the last.
    pub async fn way(&self, document: &str) -> Way {
        let ways = self.ways().await;
        let versions = ways.into_iter().filter(|way| way.document == document);
        let last = versions.max_by_key(|way| way.view.letter.version);
        last.unwrap_or_else(|| panic!("no letter {document}"))
    }

    /// States of all letters by document number; a number with several versions has several.
    pub async fn states(&self) -> BTreeMap<String, Vec<&'static str>> {
        let mut states: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
        for way in self.ways().await {
            states
                .entry(way.document.clone())
                .or_default()
                .push(way.state());
        }
        states
    }

    /// The bytes that were rendered for a letter's first copy.
    pub async fn artefact(&self, way: &Way) -> Vec<u8> {
        let copy = way.view.copies.first().expect("a copy");
        let id = copy.artefact.expect("an artefact");
        self.store.payload(way.view.letter.key, id).await.unwrap()
    }
}

fn master_key(file: &Path) -> MasterKey {
    MasterKey::from_hex(&fs::read_to_string(file).unwrap()).unwrap()
}
