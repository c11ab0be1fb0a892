//! Signed checkpoints, in the store and beside it.

use audit_core::SignedCheckpoint;
use letter_store::{OpenError, VerifyAgainst};

use crate::support::{Desk, ORIGIN};

#[tokio::test]
async fn nothing_to_sign_is_nothing_signed() {
    let mut desk = Desk::new(1);
    assert_eq!(desk.sign().await, None);
    assert_eq!(desk.store().checkpoint().await.unwrap(), None);
    let commit = desk.new_letter();
    letter_delivery::Store::commit(desk.store(), commit)
        .await
        .unwrap();
    assert!(desk.sign().await.is_some());
    assert_eq!(desk.sign().await, None, "it did not grow");
}

#[tokio::test]
async fn a_note_proves_itself_and_stands_in_store_and_file() {
    let mut desk = Desk::new(2);
    let mut notes = Vec::new();
    for number in 0..3 {
        desk.take(&format!("D-{number}"), &format!("text {number}"))
            .await;
        notes.push(desk.sign().await.unwrap());
    }
    let trusted = [desk.signer().verifier_key()];
    let signed = SignedCheckpoint::parse(&notes[2], &trusted).unwrap();
    let tree = desk.store().tree().await.unwrap();
    assert_eq!(signed.checkpoint().size, tree.size);
    assert_eq!(signed.checkpoint().root, tree.root);
    assert_eq!(signed.checkpoint().origin.as_str(), ORIGIN);
    assert_eq!(tree.signed_size, Some(tree.size));
    let latest = desk.store().checkpoint().await.unwrap();
    assert_eq!(latest.as_ref(), notes.last());
    let outside = desk.folder.path().join("rxx.checkpoints.txt");
    let outside = std::fs::read_to_string(outside).unwrap();
    assert_eq!(outside, notes.join("\n") + "\n");
    let verification = desk.verify().await;
    assert!(verification.is_clean());
    assert_eq!(verification.provable_to, tree.size);
}

#[tokio::test]
async fn a_file_that_lost_its_end_is_passed_over_and_mended() {
    let mut desk = Desk::new(3);
    desk.take("D-1", "one").await;
    desk.sign().await.unwrap();
    desk.take("D-2", "two").await;
    let latest = desk.sign().await.unwrap();
    let outside = desk.folder.path().join("rxx.checkpoints.txt");
    let whole = std::fs::read_to_string(&outside).unwrap();
    std::fs::write(&outside, &whole.as_bytes()[..whole.len() - 9]).unwrap();
    drop(desk.store().lock_engine().await.unwrap());
    assert_eq!(desk.sign().await, None, "the store has it signed already");
    assert!(
        std::fs::read_to_string(&outside)
            .unwrap()
            .ends_with(&(latest + "\n"))
    );
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_checkpoint_that_is_in_the_file_only_is_told() {
    let mut desk = Desk::new(4);
    for number in 0..3 {
        desk.take(&format!("D-{number}"), &format!("text {number}"))
            .await;
        desk.sign().await.unwrap();
    }
    desk.raw()
        .execute("DELETE FROM checkpoint WHERE size = 4", [])
        .unwrap();
    let verification = desk.verify().await;
    let [fault] = &verification.faults[..] else {
        panic!("{:?}", verification.faults)
    };
    assert_eq!(fault.rule, "V8");
    assert!(fault.what.contains("over 4 events"));
}

/// Puts the files of an older moment back, as a restored backup would.
fn put_back(desk: &mut Desk, copy: &std::path::Path) {
    desk.close();
    for name in ["rxx.db-wal", "rxx.db-shm"] {
        let _ = std::fs::remove_file(desk.folder.path().join(name));
    }
    std::fs::copy(copy, desk.path()).unwrap();
    desk.reopen();
}

fn copy_of(desk: &mut Desk) -> std::path::PathBuf {
    desk.close();
    let copy = desk.folder.path().join("copy");
    std::fs::copy(desk.path(), &copy).unwrap();
    desk.reopen();
    copy
}

#[tokio::test]
async fn an_older_copy_of_the_store_may_not_work() {
    let mut desk = Desk::new(5);
    desk.take("D-1", "one").await;
    desk.sign().await.unwrap();
    let copy = copy_of(&mut desk);
    desk.take("D-2", "two").await;
    let signed = desk.sign().await.unwrap();
    put_back(&mut desk, &copy);
    let refused = desk.store().lock_engine().await.unwrap_err();
    assert!(matches!(
        refused,
        OpenError::RolledBack {
            size: 2,
            signed: 4,
            ..
        }
    ));
    assert!(refused.to_string().contains("put the newest copy back"));
    // Without the file beside it, only a checkpoint that was kept elsewhere tells.
    let verification = desk.verify().await;
    assert!(verification.faults.iter().any(|fault| fault.rule == "V9"));
    std::fs::remove_file(desk.folder.path().join("rxx.checkpoints.txt")).unwrap();
    desk.assert_clean().await;
    let mut against: VerifyAgainst = desk.against();
    against.checkpoints = vec![signed];
    let verification = desk.store().verify(against).await.unwrap();
    assert!(verification.faults.iter().any(|fault| fault.rule == "V9"));
}

#[tokio::test]
async fn a_copy_that_went_another_way_may_not_work() {
    let mut desk = Desk::new(6);
    desk.take("D-1", "one").await;
    let copy = copy_of(&mut desk);
    desk.take("D-2", "two").await;
    desk.sign().await.unwrap();
    put_back(&mut desk, &copy);
    desk.take("D-3", "three").await;
    desk.take("D-4", "four").await;
    let refused = desk.store().lock_engine().await.unwrap_err();
    assert!(matches!(
        refused,
        OpenError::RolledBack {
            size: 6,
            signed: 4,
            ..
        }
    ));
}
