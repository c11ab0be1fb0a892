//! Killed backends and a killed server: what was answered is there, what was not is nowhere by
//! half (reliability facts 4, the acknowledged-set oracle).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use audit_core::StreamKey;
use letter_delivery::{Store as _, StoreError};
use letter_store::testkit::Cluster;
use letter_store::{PostgresStore, StatusFilter};

use crate::support::{Worker, assert_clean, open, raw, run, until};

/// Callers that commit letters until they are told to end, and remember what was answered.
struct Load {
    stop: Arc<AtomicBool>,
    callers: Vec<tokio::task::JoinHandle<Told>>,
}

#[derive(Default)]
struct Told {
    tried: BTreeSet<StreamKey>,
    acknowledged: BTreeSet<StreamKey>,
    failed: usize,
}

impl Load {
    fn start(store: &Arc<PostgresStore>, callers: u64, seed: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let callers = (0..callers).map(|caller| {
            let (store, stop) = (Arc::clone(store), Arc::clone(&stop));
            tokio::spawn(async move { submit(&store, &stop, seed + caller).await })
        });
        let callers = callers.collect();
        Self { stop, callers }
    }

    async fn end(self) -> Told {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Told::default();
        for caller in self.callers {
            let told = caller.await.unwrap();
            all.tried.extend(told.tried);
            all.acknowledged.extend(told.acknowledged);
            all.failed += told.failed;
        }
        all
    }
}

async fn submit(store: &PostgresStore, stop: &AtomicBool, seed: u64) -> Told {
    let mut worker = Worker::new(seed);
    let mut told = Told::default();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let commit = worker.letter(&format!("DOC-{seed}-{number}"));
        let letter = commit.letters[0].key;
        told.tried.insert(letter);
        match store.commit(commit).await {
            Ok(()) => drop(told.acknowledged.insert(letter)),
            Err(StoreError::Unavailable(_)) => told.failed += 1,
            Err(other) => panic!("{other}"),
        }
    }
    told
}

/// Every acknowledged letter is there with its events and its work; nothing that nobody handed in.
async fn judge(store: &PostgresStore, told: &Told) {
    let views = store.letters(StatusFilter::default()).await.unwrap();
    let held: BTreeSet<StreamKey> = views.iter().map(|view| view.letter.key).collect();
    let lost: Vec<_> = told.acknowledged.difference(&held).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let strange: Vec<_> = held.difference(&told.tried).collect();
    assert!(strange.is_empty(), "{strange:?}");
    store.sequence().await.unwrap();
    assert_eq!(
        store.tree().await.unwrap().size,
        2 * u64::try_from(held.len()).unwrap()
    );
    assert_clean(store).await;
}

#[test]
fn backends_killed_under_load_lose_nothing_that_was_answered() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    run(async {
        let store = Arc::new(open(&cluster).await);
        let _following = store.lock_engine().await.unwrap();
        let admin = raw(&cluster).await;
        let load = Load::start(&store, 8, 100);
        for _ in 0..25 {
            tokio::time::sleep(Duration::from_millis(40)).await;
            let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                       WHERE application_name = 'letterbox'";
            admin.query_one(sql, &[]).await.unwrap();
        }
        let told = load.end().await;
        assert!(told.acknowledged.len() > 20, "{}", told.acknowledged.len());
        assert!(
            told.failed > 0,
            "no connection was cut in the middle of a change"
        );
        judge(&store, &told).await;
    });
}

#[test]
fn a_server_killed_under_load_loses_nothing_that_was_answered() {
    let Some(cluster) = Cluster::start_durable() else {
        return;
    };
    run(async {
        let store = Arc::new(open(&cluster).await);
        let _following = store.lock_engine().await.unwrap();
        let mut all = Told::default();
        for round in 0..2 {
            let load = Load::start(&store, 8, 100 * (round + 1));
            tokio::time::sleep(Duration::from_millis(400 + 150 * round)).await;
            cluster.kill();
            let stop = Arc::clone(&load.stop);
            stop.store(true, Ordering::Relaxed);
            // Callers that do not know what became of their change wait for the answer.
            cluster.restart();
            let told = load.end().await;
            assert!(!told.acknowledged.is_empty());
            all.tried.extend(told.tried);
            all.acknowledged.extend(told.acknowledged);
            until("the store works again", || async {
                store.tree().await.is_ok()
            })
            .await;
        }
        judge(&store, &all).await;
        let anew = open(&cluster).await;
        judge(&anew, &all).await;
    });
}

/// The answer to a commit is lost, the commit is not: it is asked for, and told as it was.
#[test]
fn a_lost_answer_is_not_a_lost_commit() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    run(async {
        let admin = raw(&cluster).await;
        drop(open(&cluster).await);
        // A backend that ends itself once the change is written, before it answers.
        let sql = "CREATE FUNCTION public.die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$; \
             CREATE CONSTRAINT TRIGGER die AFTER INSERT ON document DEFERRABLE INITIALLY DEFERRED \
             FOR EACH ROW EXECUTE FUNCTION public.die()";
        admin.batch_execute(sql).await.unwrap();
        let store = open(&cluster).await;
        let refused = store.commit(Worker::new(1).letter("DOC-1")).await;
        assert!(
            matches!(refused, Err(StoreError::Unavailable(_))),
            "{refused:?}"
        );
        assert!(
            store
                .letters(StatusFilter::default())
                .await
                .unwrap()
                .is_empty()
        );
        admin
            .batch_execute("DROP TRIGGER die ON document")
            .await
            .unwrap();
        store.commit(Worker::new(1).letter("DOC-1")).await.unwrap();
        store.sequence().await.unwrap();
        assert_clean(&store).await;
    });
}
