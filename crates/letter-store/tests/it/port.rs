//! What the `Store` port promises: the suite that every store runs, and what is ours beside it.

use audit_core::StreamKey;
use chrono::Duration;
use letter_delivery::testkit::conformance::{Failure, Place};
use letter_delivery::{ClaimRequest, LeaseToken, Store as _};
use letter_store::{MasterKey, SqliteStore, VerifyAgainst};
use tempfile::TempDir;

use crate::support::Desk;

/// A folder with a database of its own.
struct Folder {
    folder: TempDir,
    key: MasterKey,
}

impl Folder {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            key: MasterKey::from_hex(&"5a".repeat(32)).unwrap(),
        }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("rxx.db")
    }
}

impl Place for Folder {
    type Store = SqliteStore;

    async fn open(&mut self) -> Result<SqliteStore, Failure> {
        SqliteStore::open(&self.path(), &self.key).map_err(Failure::new)
    }

    async fn rows(&self, _: &SqliteStore) -> Result<Vec<String>, Failure> {
        let db = rusqlite::Connection::open(self.path()).map_err(Failure::new)?;
        crate::damage::dump(&db).map_err(Failure::new)
    }

    async fn history(
        &self,
        store: &SqliteStore,
        stream: StreamKey,
    ) -> Result<Vec<Vec<u8>>, Failure> {
        Ok(store.history(stream).await?)
    }

    async fn verify(&self, store: &SqliteStore) -> Result<(), Failure> {
        let verification = store.verify(VerifyAgainst::default()).await?;
        if verification.is_clean() {
            Ok(())
        } else {
            Err(Failure::new(format!("{:?}", verification.faults)))
        }
    }
}

fn run<F: Future>(case: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(case)
}

mod conformance {
    letter_delivery::store_conformance!(Some(super::Folder::new()), super::run);
}

#[tokio::test]
async fn the_tree_grows_with_every_event() {
    let mut desk = Desk::new(1);
    desk.take("DOC-1", "first").await;
    desk.work_off().await;
    desk.now += Duration::hours(2);
    desk.work_off().await;
    let tree = desk.store().tree().await.unwrap();
    assert_eq!((tree.size, tree.signed_size), (9, None));
    desk.assert_clean().await;
}

#[tokio::test]
async fn changes_of_many_tasks_are_all_durable() {
    let mut desk = Desk::new(16);
    let commits: Vec<_> = (0..64).map(|_| desk.new_letter()).collect();
    let refused = commits[7].clone();
    let store = std::sync::Arc::new(SqliteStore::open(&desk.path(), &desk.key).unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    for commit in commits.into_iter().chain([refused]) {
        let store = std::sync::Arc::clone(&store);
        tasks.spawn(async move { store.commit(commit).await });
    }
    let results = tasks.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 64);
    drop(store);
    desk.reopen();
    assert_eq!(desk.store().tree().await.unwrap().size, 128);
    desk.assert_clean().await;
}

#[tokio::test]
async fn the_store_tells_when_work_is_due_next() {
    let mut desk = Desk::new(11);
    assert_eq!(desk.store().next_due().await.unwrap(), None);
    desk.take("DOC-1", "first").await;
    assert_eq!(desk.store().next_due().await.unwrap(), Some(desk.now));
    desk.work_off().await;
    // What is left is to ask what became of it, first after an hour.
    let due = desk.store().next_due().await.unwrap().unwrap();
    assert_eq!(due, desk.now + Duration::hours(1));
    let token = LeaseToken::from_random([1; 16]);
    let until = desk.now + Duration::minutes(3);
    let pulled = ClaimRequest::new(desk.now, until, vec![token]).pulling_forward_to(desk.now);
    assert_eq!(desk.store().claim(pulled).await.unwrap().len(), 1);
    // Claimed work is next looked at when its lease ends, or at its time if that is later.
    assert_eq!(desk.store().next_due().await.unwrap(), Some(due));
}
