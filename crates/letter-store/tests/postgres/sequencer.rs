//! The sequencer follows, hands over, and is fenced (design section 2).

use audit_core::{Event, SignedCheckpoint, StreamKey, leaf_hash, root_of, verify_consistency};
use letter_delivery::Store as _;
use letter_store::testkit::Cluster;
use letter_store::{MasterKey, OpenError, PostgresStore};

use crate::support::{Worker, against, assert_clean, key, open, raw, run, signer, start, until};

async fn size(store: &PostgresStore) -> u64 {
    store.tree().await.unwrap().size
}

#[test]
fn what_is_durable_counts_before_it_has_its_place() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    run(async {
        let store = open(&cluster).await;
        let mut worker = Worker::new(1);
        let commit = worker.letter("DOC-1");
        let stream = commit.letters[0].key;
        store.commit(commit).await.unwrap();
        assert_eq!(size(&store).await, 0);
        assert_eq!(store.load().await.unwrap().events, 2);
        assert!(store.history(stream).await.unwrap().is_empty());
        let found = store.verify(against()).await.unwrap();
        assert!(found.is_clean(), "{:?}", found.faults);
        assert_eq!((found.events, found.unsequenced), (0, 2));
        // Its work may begin at once: effects wait for the body, not for its place.
        let request = worker.request(start(), 1);
        assert_eq!(store.claim(request).await.unwrap().len(), 1);
        assert_eq!(store.sequence().await.unwrap(), 2);
        assert_eq!(store.sequence().await.unwrap(), 0);
        assert_eq!(
            (
                size(&store).await,
                store.history(stream).await.unwrap().len()
            ),
            (2, 2)
        );
        let found = store.verify(against()).await.unwrap();
        assert_eq!(
            (found.is_clean(), found.events, found.unsequenced),
            (true, 2, 0)
        );
    });
}

#[test]
fn one_follows_and_another_takes_over_when_it_dies() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    run(async {
        let (first, second) = (open(&cluster).await, open(&cluster).await);
        let leading = first.lock_engine().await.unwrap();
        let standing_by = second.lock_engine().await.unwrap();
        let mut worker = Worker::new(1);
        for number in 1..=6_u64 {
            let commit = worker.letter(&format!("DOC-{number}"));
            // The one that commits is not the one that leads, half of the time.
            let by = if number % 2 == 0 { &first } else { &second };
            by.commit(commit).await.unwrap();
        }
        until("six letters have their places", || async {
            size(&first).await == 12
        })
        .await;
        // Its connections die with it.
        drop(leading);
        drop(first);
        second.commit(worker.letter("DOC-7")).await.unwrap();
        until("the other took over", || async {
            size(&second).await == 14
        })
        .await;
        drop(standing_by);
        assert_clean(&second).await;
    });
}

#[test]
fn a_sequencer_that_lost_its_connection_begins_anew() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    run(async {
        let store = open(&cluster).await;
        let _leading = store.lock_engine().await.unwrap();
        let admin = raw(&cluster).await;
        let mut worker = Worker::new(1);
        for round in 1..=5_u64 {
            let commit = worker.letter(&format!("DOC-{round}"));
            store.commit(commit).await.unwrap();
            let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                       WHERE application_name = 'letterbox'";
            admin.query_one(sql, &[]).await.unwrap();
            until("its place", || async {
                store.tree().await.is_ok_and(|tree| tree.size == 2 * round)
            })
            .await;
        }
        assert_clean(&store).await;
    });
}

#[test]
fn many_sequencers_at_once_give_each_event_one_place() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    run(async {
        let store = open(&cluster).await;
        let others = [open(&cluster).await, open(&cluster).await];
        let mut worker = Worker::new(1);
        let commits: Vec<_> = (0..300).map(|n| worker.letter(&format!("D-{n}"))).collect();
        let writing = async {
            for commit in commits {
                store.commit(commit).await.unwrap();
            }
        };
        let sequencing = |store| async move {
            for _ in 0..60 {
                PostgresStore::sequence(store).await.unwrap();
            }
        };
        tokio::join!(writing, sequencing(&others[0]), sequencing(&others[1]));
        store.sequence().await.unwrap();
        assert_eq!(size(&store).await, 600);
        assert_clean(&store).await;
    });
}

#[test]
fn design_2_an_event_that_waits_long_while_a_sequencer_runs_is_a_fault() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    run(async {
        let store = open(&cluster).await;
        let mut worker = Worker::new(1);
        store.commit(worker.letter("DOC-1")).await.unwrap();
        let admin = raw(&cluster).await;
        let wait = |seconds: u32| {
            let sql =
                format!("UPDATE event SET since = clock_timestamp() - interval '{seconds} s'");
            let admin = &admin;
            async move { admin.batch_execute(&sql).await.unwrap() }
        };
        wait(600).await;
        let found = store.verify(against()).await.unwrap();
        assert!(found.is_clean(), "nobody follows: {:?}", found.faults);
        // Somebody holds the lock and does nothing.
        let lock = "SELECT pg_advisory_lock(x'4C544258'::int4, \
                    current_schema()::regnamespace::oid::int4)";
        admin.execute(lock, &[]).await.unwrap();
        let found = store.verify(against()).await.unwrap();
        assert_eq!((found.faults.len(), found.unsequenced), (1, 2));
        assert!(found.faults[0].what.contains("600 s"), "{:?}", found.faults);
        wait(5).await;
        assert!(store.verify(against()).await.unwrap().is_clean());
        wait(11).await;
        assert!(!store.verify(against()).await.unwrap().is_clean());
    });
}

#[test]
fn a_body_that_was_changed_gets_no_place_and_holds_no_other_back() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    run(async {
        let store = open(&cluster).await;
        let mut worker = Worker::new(1);
        let commit = worker.letter("DOC-1");
        let stream = commit.letters[0].key;
        store.commit(commit).await.unwrap();
        store.commit(worker.letter("DOC-2")).await.unwrap();
        let admin = raw(&cluster).await;
        // Still the canonical form of an event, of the next day.
        let sql = "UPDATE event SET bytes = \
                   replace(convert_from(bytes, 'UTF8'), '2026-02-03T', '2026-02-04T')::bytea \
                   WHERE stream = $1 AND lseq = 0 AND convert_from(bytes, 'UTF8') LIKE '%2026-02-03T%'";
        let changed = admin.execute(sql, &[&stream.as_bytes().as_slice()]).await;
        assert_eq!(changed.unwrap(), 1);
        assert_eq!(
            store.sequence().await.unwrap(),
            2,
            "those of the other letter"
        );
        assert!(store.history(stream).await.unwrap().is_empty());
        let found = store.verify(against()).await.unwrap();
        assert!(
            found.faults.iter().any(|fault| fault.rule == "V1"),
            "{:?}",
            found.faults
        );
    });
}

#[test]
fn proofs_of_events_hold_against_the_signed_root() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    run(async {
        let store = open(&cluster).await;
        let mut worker = Worker::new(1);
        let mut streams = Vec::new();
        for number in 0..150 {
            let commit = worker.letter(&format!("DOC-{number}"));
            streams.push(commit.letters[0].key);
            store.commit(commit).await.unwrap();
        }
        let note = store.sign(signer(), start()).await.unwrap().unwrap();
        assert_eq!(store.checkpoint().await.unwrap().as_ref(), Some(&note));
        assert_eq!(store.checkpoints().await.unwrap().first(), Some(&note));
        assert!(store.sign(signer(), start()).await.unwrap().is_none());
        let signed = SignedCheckpoint::parse(&note, &[signer().verifier_key()]);
        let signed = signed.unwrap();
        // Making a proof checks it.
        let of_three = vec![streams[0], streams[77], streams[149]];
        let proofs = store.proofs(of_three, signed.clone()).await.unwrap();
        assert_eq!(proofs.proofs().len(), 6);
        let path = store.consistency(200, 300).await.unwrap();
        let entries = store.entries(0, 300).await.unwrap();
        let leaves: Vec<_> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        let (before, after) = (root_of(&leaves[..200]), root_of(&leaves));
        assert_eq!(after, signed.checkpoint().root);
        verify_consistency(200, 300, &before, &after, &path).unwrap();
    });
}

#[test]
fn notes_about_the_ledger_keep_their_order_from_many_processes() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    run(async {
        let stores = [open(&cluster).await, open(&cluster).await];
        let note = |store, seed| async move {
            let mut worker = Worker::new(seed);
            for count in 0..20_i64 {
                let data = audit_core::Data::new().with("practices", count);
                let note = worker.engine.note(start(), "ods.loaded", data);
                PostgresStore::commit(store, note).await.unwrap();
            }
        };
        tokio::join!(note(&stores[0], 1), note(&stores[1], 2));
        assert_eq!(stores[0].sequence().await.unwrap(), 40);
        let history = stores[0].history(StreamKey::LEDGER).await.unwrap();
        let places = history
            .iter()
            .map(|bytes| Event::parse(bytes).unwrap().body.lseq);
        assert_eq!(places.collect::<Vec<_>>(), (0..40).collect::<Vec<_>>());
        assert_clean(&stores[1]).await;
    });
}

#[test]
fn two_trusts_in_one_database_know_nothing_of_each_other() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    run(async {
        let other = MasterKey::from_hex(&"6b".repeat(32)).unwrap();
        let second = PostgresStore::open(cluster.settings("ryy"), &other).await;
        let second = second.unwrap();
        let first = open(&cluster).await;
        first.commit(Worker::new(1).letter("DOC-1")).await.unwrap();
        second.commit(Worker::new(1).letter("DOC-1")).await.unwrap();
        second.commit(Worker::new(2).letter("DOC-2")).await.unwrap();
        // Each has its own sequencer at the same time.
        let _one = first.lock_engine().await.unwrap();
        let _two = second.lock_engine().await.unwrap();
        until("both follow", || async {
            (size(&first).await, size(&second).await) == (2, 4)
        })
        .await;
        assert_clean(&first).await;
        assert!(second.verify(Default::default()).await.unwrap().is_clean());
        let request = Worker::new(3).request(start(), 9);
        assert_eq!(first.claim(request.clone()).await.unwrap().len(), 1);
        assert_eq!(second.claim(request).await.unwrap().len(), 2);
        let wrong = PostgresStore::open(cluster.settings("ryy"), &key()).await;
        assert!(matches!(wrong, Err(OpenError::WrongKey { .. })));
    });
}
