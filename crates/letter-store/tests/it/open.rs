//! Opening, locking and opening again.

use std::path::Path;

use letter_delivery::Store as _;
use letter_store::{MasterKey, OpenError, SqliteStore};

use crate::support::Desk;

fn refusal(path: &Path, key: &MasterKey) -> OpenError {
    SqliteStore::open(path, key).unwrap_err()
}

#[tokio::test]
async fn everything_is_there_after_the_store_was_closed() {
    let mut desk = Desk::new(1);
    desk.take("DOC-1", "first").await;
    desk.work_off().await;
    let before = desk.store().letters(Default::default()).await.unwrap();
    let tree = desk.store().tree().await.unwrap();
    desk.reopen();
    let after = desk.store().letters(Default::default()).await.unwrap();
    assert_eq!(after[0].letter, before[0].letter);
    assert_eq!(after[0].copies, before[0].copies);
    assert_eq!(desk.store().tree().await.unwrap(), tree);
    let copy = &after[0].copies[0];
    let artefact = desk.store().payload(copy.letter, copy.artefact.unwrap());
    assert_eq!(artefact.await.unwrap(), b"artefact for A81001");
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_second_store_on_the_file_writes_short_transactions() {
    let mut desk = Desk::new(2);
    let second = SqliteStore::open(&desk.path(), &desk.key).unwrap();
    let _running = desk.store().lock_engine().await.unwrap();
    for _ in 0..10 {
        let (one, two) = (desk.new_letter(), desk.new_letter());
        let (one, two) = tokio::join!(desk.store().commit(one), second.commit(two));
        one.unwrap();
        two.unwrap();
    }
    assert_eq!(second.tree().await.unwrap().size, 40);
    desk.assert_clean().await;
}

#[tokio::test]
async fn one_engine_at_a_time_and_the_next_begins_without_old_leases() {
    let mut desk = Desk::new(3);
    desk.take("DOC-1", "first").await;
    let second = SqliteStore::open(&desk.path(), &desk.key).unwrap();
    let lock = desk.store().lock_engine().await.unwrap();
    assert_eq!(desk.claim(1).await.len(), 1);
    let refused = second.lock_engine().await.unwrap_err();
    assert!(matches!(refused, OpenError::Locked { .. }));
    assert!(refused.to_string().contains("stop it first, or wait"));
    assert!(desk.claim(1).await.is_empty(), "the lease still holds");
    drop(lock);
    let _lock = second.lock_engine().await.unwrap();
    assert_eq!(desk.claim(1).await.len(), 1);
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_lock_is_not_kept_when_leases_cannot_be_released() {
    let mut desk = Desk::new(4);
    desk.take("DOC-1", "first").await;
    desk.raw().execute_batch("DROP TABLE work").unwrap();
    let refused = desk.store().lock_engine().await.unwrap_err();
    assert!(matches!(refused, OpenError::Unavailable { .. }));
    let second = SqliteStore::open(&desk.path(), &desk.key).unwrap();
    let again = second.lock_engine().await.unwrap_err();
    assert!(!matches!(again, OpenError::Locked { .. }));
}

#[tokio::test]
async fn another_key_opens_nothing() {
    let mut desk = Desk::new(5);
    desk.take("DOC-1", "first").await;
    desk.close();
    let other = MasterKey::from_hex(&"6b".repeat(32)).unwrap();
    let refused = refusal(&desk.path(), &other);
    assert!(matches!(refused, OpenError::WrongKey { .. }));
    assert!(refused.to_string().contains("restore the key file"));
    assert!(!refused.to_string().contains("6b6b"));
    desk.reopen();
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_store_that_lost_the_proof_of_its_key_learns_no_other() {
    let mut desk = Desk::new(6);
    desk.take("DOC-1", "first").await;
    desk.raw().execute("DELETE FROM key_check", []).unwrap();
    let faults = desk.verify().await.faults;
    assert!(
        faults
            .iter()
            .any(|f| f.rule == "V1" && f.what.contains("key"))
    );
    desk.close();
    let other = MasterKey::from_hex(&"6b".repeat(32)).unwrap();
    let refused = refusal(&desk.path(), &other);
    assert!(matches!(refused, OpenError::NotAStore { .. }), "{refused}");
}

#[tokio::test]
async fn letters_whose_keys_are_missing_are_not_worked_on() {
    let mut desk = Desk::new(7);
    desk.take("DOC-1", "first").await;
    desk.close();
    std::fs::remove_file(desk.folder.path().join("rxx.keys.db")).unwrap();
    let refused = refusal(&desk.path(), &desk.key);
    assert!(matches!(refused, OpenError::Unavailable { .. }));
    assert!(refused.to_string().contains("put them back"), "{refused}");
}

#[test]
fn what_is_no_store_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let key = MasterKey::generate().unwrap();
    let text = folder.path().join("letter.txt");
    std::fs::write(&text, "Dear colleague, ".repeat(400)).unwrap();
    let other = folder.path().join("other.db");
    let db = rusqlite::Connection::open(&other).unwrap();
    db.execute_batch("CREATE TABLE appointment (id); PRAGMA user_version = 3;")
        .unwrap();
    drop(db);
    for path in [text, other] {
        let before = std::fs::read(&path).unwrap();
        let refused = refusal(&path, &key);
        assert!(matches!(refused, OpenError::NotAStore { .. }), "{refused}");
        assert!(refused.to_string().contains("name the right file"));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_store_of_a_newer_version_is_left_to_it() {
    let desk = Desk::new(8);
    desk.raw().pragma_update(None, "user_version", 99).unwrap();
    let refused = refusal(&desk.path(), &desk.key);
    assert!(matches!(
        refused,
        OpenError::TooNew {
            found: 99,
            known: 2,
            ..
        }
    ));
    assert!(refused.to_string().contains("use that version"));
}

#[test]
fn a_file_out_of_reach_says_what_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    let key = MasterKey::generate().unwrap();
    let missing = folder.path().join("no such folder").join("rxx.db");
    let is_folder = folder.path().join("folder.db");
    std::fs::create_dir(&is_folder).unwrap();
    for path in [missing, is_folder] {
        let refused = refusal(&path, &key);
        assert!(
            matches!(refused, OpenError::Unavailable { .. }),
            "{refused}"
        );
        assert!(
            refused
                .to_string()
                .contains("folder must exist, be writable")
        );
    }
}

#[tokio::test]
async fn a_damaged_store_or_key_file_says_so() {
    let mut desk = Desk::new(9);
    desk.take("DOC-1", "first").await;
    desk.close();
    for name in ["rxx.db", "rxx.keys.db"] {
        let path = desk.folder.path().join(name);
        let whole = std::fs::read(&path).unwrap();
        let mut damaged = whole.clone();
        damaged[40..].fill(0xAA);
        std::fs::write(&path, &damaged).unwrap();
        let refused = refusal(&desk.path(), &desk.key);
        assert!(matches!(refused, OpenError::NotAStore { .. }), "{refused}");
        assert!(refused.to_string().contains(name));
        assert!(refused.to_string().contains("newest backup"));
        std::fs::write(&path, &whole).unwrap();
    }
    desk.reopen();
    desk.assert_clean().await;
}

#[test]
fn two_may_make_the_same_store_at_once() {
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let key = MasterKey::generate().unwrap();
        let path = folder.path().join("rxx.db");
        let opened: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| SqliteStore::open(&path, &key).map(drop)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        for result in opened {
            result.unwrap();
        }
    }
}
