//! The pipeline of one trust: its store, its engine, its mailbox.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use gp_routing::PracticeTable;
use letter_delivery::{Engine, Store, StoreError};
use nhs_types::{MailboxId, OdsCode, WorkflowId};

use crate::directory::Known;
use crate::folder::Watched;
use crate::mesh::Mesh;
use crate::shell::Clock;
use crate::trust::Trust;

/// Carries the letters of one trust; a fault of one trust never touches another's.
///
/// It holds no state that a restart would need: everything is in the store.
pub struct Gateway<S> {
    pub(crate) trust: Trust,
    pub(crate) store: Arc<S>,
    pub(crate) mesh: Mesh,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) known: Mutex<BTreeMap<(OdsCode, WorkflowId), Known>>,
    pub(crate) watched: Mutex<Watched>,
    /// What is begun is finished; nothing more is begun.
    pub(crate) stopping: AtomicBool,
    practices: RwLock<Arc<PracticeTable>>,
    engine: Mutex<Engine>,
}

/// Why the pipeline could not go on; letters stay where the next run finds them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// MESH could not be used.
    #[error("MESH cannot be used: {0}")]
    Mesh(#[from] mesh_client::Error),
    /// A folder could not be read or written.
    #[error(
        "cannot use {path}: {cause}; check that it exists and that this account may read and write it"
    )]
    Folder {
        /// The folder or file.
        path: std::path::PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Patient data would cross a network unencrypted.
    #[error("will not listen on {address} without TLS: give a certificate, or use 127.0.0.1")]
    Exposed {
        /// The address.
        address: std::net::SocketAddr,
    },
    /// The listener could not be opened.
    #[error("cannot listen on {address}: {cause}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// What the system said.
        cause: std::io::Error,
    },
}

impl<S: Store + 'static> Gateway<S> {
    /// Puts the parts together.
    pub fn new(
        trust: Trust,
        store: Arc<S>,
        engine: Engine,
        mesh: Mesh,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let known = Mutex::new(BTreeMap::new());
        Self {
            practices: RwLock::new(Arc::clone(&trust.practices)),
            trust,
            store,
            mesh,
            clock,
            known,
            watched: Mutex::new(Watched::new()),
            stopping: AtomicBool::new(false),
            engine: Mutex::new(engine),
        }
    }

    /// The trust.
    pub const fn trust(&self) -> &Trust {
        &self.trust
    }

    /// The store.
    pub const fn store(&self) -> &Arc<S> {
        &self.store
    }

    /// Takes another practice table into use; decisions that have begun end with the old one.
    pub fn use_practices(&self, practices: impl Into<Arc<PracticeTable>>) {
        *self
            .practices
            .write()
            .unwrap_or_else(PoisonError::into_inner) = practices.into();
    }

    pub(crate) fn practices(&self) -> Arc<PracticeTable> {
        Arc::clone(
            &self
                .practices
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// The trust's mailbox.
    pub fn mailbox(&self) -> &MailboxId {
        self.mesh.client().mailbox()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Lets the engine decide; it does no I/O, so the lock is held for microseconds.
    pub(crate) fn decide<T>(&self, decision: impl FnOnce(&mut Engine) -> T) -> T {
        decision(&mut self.engine.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S> std::fmt::Debug for Gateway<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway")
            .field("trust", &self.trust.code)
            .finish_non_exhaustive()
    }
}
