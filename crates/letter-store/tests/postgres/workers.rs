//! Several processes on one store: each has connections of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, Duration, Utc};
use letter_delivery::{Store as _, StoreError};
use letter_store::testkit::Cluster;

use crate::support::{Mesh, Worker, accepted, assert_clean, open, run, start};

const LETTERS: usize = 40;

async fn take_letters(cluster: &Cluster) {
    let store = open(cluster).await;
    let mut desk = Worker::new(1);
    for number in 0..LETTERS {
        let commit = desk.letter(&format!("DOC-{number:03}"));
        store.commit(commit).await.unwrap();
    }
}

/// Works until nothing is due; the count of what was carried out grows with each piece.
async fn work_off(
    cluster: &Cluster,
    seed: u64,
    mesh: &Mesh,
    now: DateTime<Utc>,
    done: &AtomicUsize,
) -> Result<(), StoreError> {
    let store = open(cluster).await;
    let mut worker = Worker::new(seed);
    loop {
        match worker.work(&store, mesh, now).await? {
            0 => return Ok(()),
            count => done.fetch_add(count, Ordering::Relaxed),
        };
    }
}

fn workers_do_each_piece_once(workers: u64) {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    run(async {
        take_letters(&cluster).await;
        let (mesh, done) = (Mesh::default(), AtomicUsize::new(0));
        let each = (0..workers).map(|seed| work_off(&cluster, 10 + seed, &mesh, start(), &done));
        for ended in futures_util::future::join_all(each).await {
            ended.unwrap();
        }
        // One to prepare it, one to send it; none was claimed by two.
        assert_eq!(done.load(Ordering::Relaxed), 2 * LETTERS);
        assert_eq!(mesh.counts(), vec![1; LETTERS]);
        let store = open(&cluster).await;
        assert_eq!(accepted(&store).await, (LETTERS, LETTERS));
        assert_clean(&store).await;
    });
}

#[test]
fn two_workers_do_each_piece_of_work_once() {
    workers_do_each_piece_once(2);
}

#[test]
fn three_workers_do_each_piece_of_work_once() {
    workers_do_each_piece_once(3);
}

/// Audit 4.1: what a dead worker held comes back when its lease ends, is asked about, and is not
/// sent twice.
#[test]
fn audit_4_1_two_of_three_workers_killed_change_nothing_in_the_result() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    run(async {
        take_letters(&cluster).await;
        let cluster = Arc::new(cluster);
        let (mesh, done) = (Arc::new(Mesh::default()), Arc::new(AtomicUsize::new(0)));
        let mut workers = Vec::new();
        for seed in [21, 22, 23] {
            let (cluster, mesh) = (Arc::clone(&cluster), Arc::clone(&mesh));
            let done = Arc::clone(&done);
            workers.push(tokio::spawn(async move {
                work_off(&cluster, seed, &mesh, start(), &done).await
            }));
        }
        for (worker, after) in workers.iter().zip([LETTERS / 2, LETTERS]) {
            while done.load(Ordering::Relaxed) < after {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
            worker.abort();
        }
        workers.pop().unwrap().await.unwrap().unwrap();
        // The leases of the dead end, doubts are resolved by asking, step by step.
        let mut now = start();
        for _ in 0..4 {
            now += Duration::minutes(10);
            work_off(&cluster, 30, &mesh, now, &done).await.unwrap();
        }
        let store = open(&cluster).await;
        assert_eq!(accepted(&store).await, (LETTERS, LETTERS));
        assert_eq!(mesh.counts(), vec![1; LETTERS], "nothing was sent twice");
        store.sequence().await.unwrap();
        assert_clean(&store).await;
    });
}

#[test]
fn a_claim_leaves_alone_what_a_change_holds_and_does_not_wait_for_it() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    run(async {
        let store = open(&cluster).await;
        let mut worker = Worker::new(5);
        for document in ["DOC-1", "DOC-2"] {
            store.commit(worker.letter(document)).await.unwrap();
        }
        let mut other = crate::support::raw(&cluster).await;
        let held = other.transaction().await.unwrap();
        let sql = "SELECT 1 FROM work ORDER BY stream LIMIT 1 FOR UPDATE";
        held.execute(sql, &[]).await.unwrap();
        let request = worker.request(start(), 9);
        let claim = tokio::time::timeout(std::time::Duration::from_secs(5), store.claim(request));
        assert_eq!(claim.await.unwrap().unwrap().len(), 1);
        held.rollback().await.unwrap();
        let request = worker.request(start(), 9);
        assert_eq!(store.claim(request).await.unwrap().len(), 1);
    });
}
