//! The stores of [`letter_delivery`] on SQLite.
//!
//! A [`SqliteStore`] is one database file for one trust, with a second one beside it that holds
//! the key of each letter. A commit writes events, the state they lead to, and the work they
//! cause in one transaction, gives each event its place in the ledger, and answers when all of
//! it is on disk. Contents are sealed: whoever steals the database without its keys reads codes,
//! digests and times, and no letter.
//!
//! ```
//! use letter_delivery::{ClaimRequest, Store as _};
//! use letter_store::{MasterKey, SqliteStore};
//! use nhs_types::OdsCode;
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//! let folder = tempfile::tempdir()?;
//! let key = MasterKey::generate()?;
//! let store = SqliteStore::open(&folder.path().join("rxx.db"), &key)?;
//! assert!(store.tree().await?.size == 0);
//! assert!(store.verify(Default::default()).await?.is_clean());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Scope
//!
//! | module | holds |
//! | --- | --- |
//! | `master_key` | [`MasterKey`]: the one secret of a trust, and the keys derived from it |
//! | `cipher` | contents sealed under a key of their letter, which the trust's key wraps |
//! | `row_mac` | a keyed digest over every row, so that no change goes unseen |
//! | `notes` | signed checkpoints in a file outside the store |
//! | `verify` | [`StoreVerification`]: every rule over ledger, rows and contents |
//! | `load` | [`Load`]: how much waits, for gauges |
//! | `views` | what lists and screens read: [`LetterView`] |
//! | `sqlite` | [`SqliteStore`], its schema, group commit, [`EngineLock`] |
//!
//! Not here: any rule about letters. The store persists what the engine decided.
//!
//! # Features
//!
//! `sqlite` (on by default): the embedded store. PostgreSQL comes later, as a feature of its own.

#[cfg(feature = "sqlite")]
mod cipher;
mod load;
#[cfg(feature = "sqlite")]
mod master_key;
#[cfg(feature = "sqlite")]
mod notes;
#[cfg(feature = "sqlite")]
mod row_mac;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
mod verify;
#[cfg(feature = "sqlite")]
mod views;

pub use load::{Load, Waiting};
#[cfg(feature = "sqlite")]
pub use master_key::{KeyError, MasterKey};
#[cfg(feature = "sqlite")]
pub use sqlite::{
    Backup, BackupTo, EngineLock, KeepError, KeptFile, KeyCopy, Manifest, OpenError, SqliteStore,
    Versions,
};
#[cfg(feature = "sqlite")]
pub use verify::{StoreFault, StoreVerification, VerifyAgainst};
#[cfg(feature = "sqlite")]
pub use views::{LetterView, StatusFilter, Tree};
