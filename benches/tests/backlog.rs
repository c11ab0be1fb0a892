//! A small backlog, as `backlog` plays it at full size.

use std::time::Duration;

use letter_delivery::testkit::{ModelStore, ready};
use letter_store::{MasterKey, SqliteStore, VerifyAgainst};
use letterbox_benches::{Plan, play};

/// Issue, "must be shown" 7: no letter failed by the outage, fresh letters within a tenth of an
/// ordinary day, totals balance, a stop holds within one send.
#[test]
fn a_backlog_drains_and_fresh_letters_do_not_feel_it() {
    for seed in 1..=8 {
        let store = ModelStore::default();
        let plan = Plan {
            seed,
            ..Plan::small()
        };
        let seen = ready(play(&store, &plan)).unwrap();
        assert_eq!(seen.broken(), Vec::<String>::new(), "seed {seed}:\n{seen}");
        assert!(seen.measured.1 > 0, "something was measured: {seen}");
        assert!(seen.open_at_stop > 0, "something was on its way: {seen}");
        // Every place once until the first five are known to have failed, then a probe every 30 s.
        let limit = 16 + 5 + 130 / 30;
        assert!(
            seen.attempts_in_outage <= limit,
            "the breaker holds: {seen}"
        );
        assert!(store.verify().is_clean());
        assert_eq!(store.audit(), []);
    }
}

#[test]
fn a_backlog_on_sqlite_comes_to_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rxx.db");
    let plan = Plan {
        letters: 60,
        outage: chrono::Duration::seconds(13),
        before: chrono::Duration::seconds(20),
        ..Plan::small()
    };
    let model = ready(play(&ModelStore::default(), &plan)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let seen = runtime.block_on(async {
        let store = SqliteStore::open(&path, &MasterKey::generate().unwrap()).unwrap();
        let played = tokio::time::timeout(Duration::from_secs(300), play(&store, &plan));
        let seen = played.await.unwrap().unwrap();
        let verified = store.verify(VerifyAgainst::default()).await.unwrap();
        assert!(verified.is_clean(), "{:?}", verified.faults);
        seen
    });
    assert_eq!(seen.broken(), Vec::<String>::new(), "{seen}");
    assert_eq!(
        seen.to_string(),
        model.to_string(),
        "what is claimed when is the same"
    );
}
