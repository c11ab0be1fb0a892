//! What is refused when a store is opened, and what is said.

use letter_delivery::Store as _;
use letter_store::testkit::Cluster;
use letter_store::{OpenError, PostgresSettings, PostgresStore};

use crate::support::{SCHEMA, Worker, assert_clean, dump, key, open, raw, run, signer, start};

async fn refused(settings: PostgresSettings) -> OpenError {
    PostgresStore::open(settings, &key()).await.unwrap_err()
}

#[test]
fn a_server_that_may_lose_commits_is_refused() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    run(async {
        let refused = refused(PostgresSettings::new(cluster.url(), SCHEMA)).await;
        let OpenError::NotDurable { setting, .. } = &refused else {
            panic!("{refused}");
        };
        assert_eq!(setting, "fsync = off");
        assert!(refused.to_string().contains("turn it on"), "{refused}");
    });
}

#[test]
fn each_setting_that_may_lose_commits_is_refused() {
    let Some(cluster) = Cluster::start_durable() else {
        return;
    };
    run(async {
        let store = open(&cluster).await;
        let admin = raw(&cluster).await;
        for setting in ["full_page_writes", "synchronous_commit"] {
            for (value, is_refused) in [("off", true), ("on", false)] {
                let sql = format!("ALTER SYSTEM SET {setting} = {value}");
                admin.batch_execute(&sql).await.unwrap();
                admin
                    .batch_execute("SELECT pg_reload_conf()")
                    .await
                    .unwrap();
                let expected = (setting, value);
                crate::support::until("the server took it", || async {
                    let sql = format!("SHOW {setting}");
                    let client = raw(&cluster).await;
                    let row = client.query_one(&sql, &[]).await.unwrap();
                    row.get::<_, String>(0) == value
                })
                .await;
                let opened = PostgresStore::open(cluster.settings(SCHEMA), &key()).await;
                let told = matches!(&opened, Err(OpenError::NotDurable { setting: told, .. })
                    if *told == format!("{setting} = {value}"));
                assert_eq!(told, is_refused, "{expected:?}: {opened:?}");
            }
        }
        // Its own connections were made before; each new one is looked at again.
        store.commit(Worker::new(1).letter("DOC-1")).await.unwrap();
    });
}

#[test]
fn another_key_a_stranger_and_a_newer_version_are_refused_and_nothing_is_changed() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    run(async {
        let store = open(&cluster).await;
        store.commit(Worker::new(1).letter("DOC-1")).await.unwrap();
        let admin = raw(&cluster).await;
        let before = dump(&admin).await;
        let other = letter_store::MasterKey::from_hex(&"6b".repeat(32)).unwrap();
        let wrong = PostgresStore::open(cluster.settings(SCHEMA), &other).await;
        assert!(
            matches!(wrong, Err(OpenError::WrongKey { .. })),
            "{wrong:?}"
        );
        let sql = "CREATE SCHEMA stranger; CREATE TABLE stranger.t (id bigint)";
        admin.batch_execute(sql).await.unwrap();
        let stranger = refused(cluster.settings("stranger")).await;
        assert!(
            matches!(stranger, OpenError::NotAStore { .. }),
            "{stranger}"
        );
        assert_eq!(dump(&admin).await, before);
        // A version that this one may work beside, and one that it may not.
        for (works_with, is_refused) in [(1, false), (2, true)] {
            let sql = format!("UPDATE store_version SET version = 2, works_with = {works_with}");
            admin.batch_execute(&sql).await.unwrap();
            let opened = PostgresStore::open(cluster.settings(SCHEMA), &key()).await;
            let told = matches!(
                opened,
                Err(OpenError::TooNew {
                    found: 2,
                    known: 1,
                    ..
                })
            );
            assert_eq!(told, is_refused, "{opened:?}");
        }
    });
}

#[test]
fn many_may_make_one_store_at_the_same_time() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    run(async {
        let opening = (0..8).map(|_| open(&cluster));
        let stores = futures_util::future::join_all(opening).await;
        for (store, seed) in stores.iter().zip(1..) {
            let commit = Worker::new(seed).letter(&format!("DOC-{seed}"));
            store.commit(commit).await.unwrap();
        }
        assert_eq!(stores[0].sequence().await.unwrap(), 16);
        assert_clean(&stores[7]).await;
    });
}

#[test]
fn keys_may_lie_in_a_database_of_their_own_and_must_be_there() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    run(async {
        let admin = raw(&cluster).await;
        admin.batch_execute("CREATE DATABASE vault").await.unwrap();
        let settings = || cluster.settings(SCHEMA).keys(cluster.url_of("vault"), None);
        let store = PostgresStore::open(settings(), &key()).await.unwrap();
        let commit = Worker::new(1).letter("DOC-1");
        let (letter, payload) = (commit.letters[0].key, commit.payloads[0].clone());
        store.commit(commit).await.unwrap();
        let read = store.payload(letter, payload.id).await.unwrap();
        assert_eq!(read, payload.bytes);
        let beside = "SELECT to_regnamespace('rxx_keys') IS NULL";
        assert!(
            admin
                .query_one(beside, &[])
                .await
                .unwrap()
                .get::<_, bool>(0)
        );
        drop(store);
        // Without them the letters stay shut, and no empty table takes their place.
        let lost = refused(cluster.settings(SCHEMA)).await;
        assert!(
            lost.to_string().contains("keys of the letters are missing"),
            "{lost}"
        );
        let store = PostgresStore::open(settings(), &key()).await.unwrap();
        assert_clean(&store).await;
    });
}

#[test]
fn an_older_copy_of_the_store_may_not_work() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    run(async {
        let notes = tempfile::tempdir().unwrap();
        let settings = |database: &str| {
            let settings = cluster.settings_of(database, SCHEMA);
            settings.checkpoints(notes.path().join("rxx.checkpoints.txt"))
        };
        let store = PostgresStore::open(settings("postgres"), &key())
            .await
            .unwrap();
        let mut worker = Worker::new(1);
        store.commit(worker.letter("DOC-1")).await.unwrap();
        store.sign(signer(), start()).await.unwrap().unwrap();
        drop(store);
        let admin = crate::support::raw_at(&cluster.url_of("template1")).await;
        crate::support::until("an older copy", || async {
            let copy = "CREATE DATABASE older TEMPLATE postgres";
            admin.batch_execute(copy).await.is_ok()
        })
        .await;
        let store = PostgresStore::open(settings("postgres"), &key())
            .await
            .unwrap();
        store.commit(worker.letter("DOC-2")).await.unwrap();
        store.sign(signer(), start()).await.unwrap().unwrap();
        drop(store.lock_engine().await.unwrap());
        let older = PostgresStore::open(settings("older"), &key())
            .await
            .unwrap();
        let refused = older.lock_engine().await.unwrap_err();
        let OpenError::RolledBack { size, signed, .. } = refused else {
            panic!("{refused}");
        };
        assert_eq!((size, signed), (2, 4));
        let found = older.verify(crate::support::against()).await.unwrap();
        assert!(
            found.faults.iter().any(|fault| fault.rule == "V8"),
            "{:?}",
            found.faults
        );
    });
}

#[test]
fn a_server_that_is_not_there_is_told_without_secrets() {
    run(async {
        let nowhere = tempfile::tempdir().unwrap();
        let url = format!("host={} user=test dbname=letters", nowhere.path().display());
        let settings = PostgresSettings::new(url, SCHEMA).password("geheim");
        let told = refused(settings).await;
        assert!(matches!(told, OpenError::Unreachable { .. }), "{told}");
        let text = told.to_string();
        assert!(text.contains("database letters, schema rxx"), "{text}");
        assert!(!text.contains("geheim"), "{text}");
    });
}
