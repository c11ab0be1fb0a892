//! The stores of [`letter_delivery`] on SQLite and PostgreSQL.
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
//! | `sqlite` | [`SqliteStore`], its schema, group commit |
//! | `postgres` | [`PostgresStore`], its schema, pipelined commits, the sequencer |
//!
//! Not here: any rule about letters. The store persists what the engine decided.
//!
//! # Features
//!
//! - `sqlite` (on by default): the embedded store
//! - `postgres`: the store for several processes and machines
//!
//! - `testkit`: a throw-away PostgreSQL server, for tests
//!
//! With both, [`AnyStore`] is the one that a configuration names.

#[cfg(all(feature = "sqlite", feature = "postgres"))]
mod any;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod carried;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod cipher;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod engine_lock;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod line;
mod load;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod master_key;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod notes;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod open_error;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod row_mac;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod search;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(all(unix, feature = "testkit"))]
pub mod testkit;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod verify;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod views;

#[cfg(all(feature = "sqlite", feature = "postgres"))]
pub use any::AnyStore;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use engine_lock::EngineLock;
pub use load::{Load, Waiting};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use master_key::{KeyError, MasterKey};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use open_error::OpenError;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresSettings, PostgresStore};
#[cfg(feature = "sqlite")]
pub use sqlite::{
    Backup, BackupTo, KeepError, KeptFile, KeyCopy, Manifest, Rebuilt, RestoreFrom, Restoring,
    SqliteStore, Versions,
};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use verify::{StoreFault, StoreVerification, VerifyAgainst};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use views::{LetterView, StatusFilter, Tree};
