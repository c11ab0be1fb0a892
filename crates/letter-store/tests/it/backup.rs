//! Backups of a store that is worked on.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::Duration;
use letter_delivery::Store as _;
use letter_store::{Backup, BackupTo, KeepError, MasterKey, SqliteStore, VerifyAgainst};

use crate::support::{Desk, engine};

pub(crate) fn back_up(desk: &Desk, to: &Path) -> Backup {
    let to = BackupTo::new(to, desk.against().trusted);
    SqliteStore::back_up(&desk.path(), &desk.key, &to, desk.now).unwrap()
}

/// Puts the files of a backup together, as they lie beside each other in use.
pub(crate) fn put_together(backup: &Backup) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["rxx.db", "rxx.checkpoints.txt"] {
        let _ = fs::copy(backup.folder.join(name), folder.path().join(name));
    }
    fs::copy(&backup.keys, folder.path().join("rxx.keys.db")).unwrap();
    let path = folder.path().join("rxx.db");
    (folder, path)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_backup_is_a_whole_store_of_one_moment() {
    let mut desk = Desk::new(1);
    let to = tempfile::tempdir().unwrap();
    for number in 0..5 {
        desk.take(&format!("D-{number}"), &format!("text {number}"))
            .await;
    }
    desk.work_off().await;
    desk.sign().await.unwrap();
    let tree = desk.store().tree().await.unwrap();
    let backup = back_up(&desk, to.path());
    desk.take("D-LATER", "after the backup").await;

    assert_eq!(backup.faults, Vec::<String>::new());
    let manifest = &backup.manifest;
    assert_eq!((manifest.events, manifest.clean), (tree.size, Some(true)));
    assert_eq!(manifest.root, tree.root.to_string());
    assert_eq!(manifest.store, "rxx");
    let files: Vec<_> = manifest
        .files
        .iter()
        .map(|file| file.name.as_str())
        .collect();
    assert_eq!(files, ["rxx.checkpoints.txt", "rxx.db"]);
    assert_eq!(
        names(&backup.folder),
        ["manifest.json", "rxx.checkpoints.txt", "rxx.db"],
        "no log beside the copy"
    );
    assert_eq!(backup.keys, to.path().join("letter-keys/rxx.keys.db"));

    let (_folder, path) = put_together(&backup);
    let store = SqliteStore::open(&path, &desk.key).unwrap();
    assert!(store.verify(desk.against()).await.unwrap().is_clean());
    let letters = store.letters(Default::default()).await.unwrap();
    assert_eq!(letters.len(), 5);
    let id = letters[0].letter.content.unwrap();
    let text = store.payload(letters[0].letter.key, id).await.unwrap();
    assert!(text.starts_with(b"neutral text"));
}

#[tokio::test]
async fn a_manifest_tells_nothing_of_a_patient() {
    let mut desk = Desk::new(2);
    let to = tempfile::tempdir().unwrap();
    desk.take("D-CANARY", "canary text").await;
    let backup = back_up(&desk, to.path());
    let text = fs::read_to_string(backup.folder.join("manifest.json")).unwrap();
    for canary in [
        "CANARY",
        "canary",
        crate::support::NUMBERS[0],
        crate::support::NUMBERS[1],
    ] {
        assert!(!text.contains(canary), "{text}");
    }
    let read: letter_store::Manifest = serde_json::from_str(&text).unwrap();
    assert_eq!(read, backup.manifest);
}

#[tokio::test]
async fn each_backup_has_its_own_folder_and_the_keys_one_place() {
    let mut desk = Desk::new(3);
    let to = tempfile::tempdir().unwrap();
    desk.take("D-1", "first").await;
    let first = back_up(&desk, to.path());
    let same_moment = back_up(&desk, to.path());
    desk.take("D-2", "second").await;
    desk.now += Duration::hours(1);
    let third = back_up(&desk, to.path());
    let folders = [&first, &same_moment, &third].map(|one| one.folder.clone());
    assert!(folders.iter().all(|folder| folder.is_dir()));
    assert!(folders[0] != folders[1] && folders[1] != folders[2]);
    assert_eq!(names(&to.path().join("letter-keys")), ["rxx.keys.db"]);
    // The newest keys open the oldest backup.
    let (_folder, path) = put_together(&first);
    let store = SqliteStore::open(&path, &desk.key).unwrap();
    let faults = store.verify(VerifyAgainst::default()).await.unwrap().faults;
    assert!(faults.iter().all(|fault| fault.rule == "V7"), "{faults:?}");
}

#[tokio::test]
async fn what_a_backup_that_broke_off_left_behind_is_no_backup_and_in_nobodys_way() {
    let mut desk = Desk::new(4);
    let to = tempfile::tempdir().unwrap();
    desk.take("D-1", "first").await;
    let partial = to.path().join("rxx/partial");
    fs::create_dir_all(&partial).unwrap();
    fs::write(partial.join("rxx.db"), b"half a file").unwrap();
    fs::create_dir_all(to.path().join("letter-keys")).unwrap();
    fs::write(to.path().join("letter-keys/rxx.keys.db.partial"), b"half").unwrap();
    let backup = back_up(&desk, to.path());
    assert!(backup.faults.is_empty());
    assert_eq!(names(&to.path().join("rxx")).len(), 1);
    assert_eq!(names(&to.path().join("letter-keys")), ["rxx.keys.db"]);
}

#[tokio::test]
async fn a_key_file_that_lost_keys_does_not_take_the_place_of_its_older_copy() {
    let mut desk = Desk::new(5);
    let to = tempfile::tempdir().unwrap();
    desk.take("D-1", "first").await;
    let whole = back_up(&desk, to.path());
    let kept = fs::read(&whole.keys).unwrap();
    let raw = rusqlite::Connection::open(desk.folder.path().join("rxx.keys.db")).unwrap();
    raw.execute("DELETE FROM data_key", []).unwrap();
    drop(raw);
    let backup = back_up(&desk, to.path());
    assert_eq!(backup.manifest.clean, Some(false));
    let told = backup.faults.join("; ");
    assert!(told.contains("1 keys that the key file lacks"), "{told}");
    assert!(told.contains("V11"), "{told}");
    let names = names(&to.path().join("letter-keys"));
    let before = names.iter().find(|name| name.contains(".before-")).unwrap();
    let before = fs::read(to.path().join("letter-keys").join(before)).unwrap();
    assert_eq!(before, kept);
}

#[tokio::test]
async fn a_damaged_store_is_kept_all_the_same_and_said_to_be_damaged() {
    let mut desk = Desk::new(6);
    let to = tempfile::tempdir().unwrap();
    desk.take("D-1", "first").await;
    desk.raw()
        .execute("UPDATE letter SET state = 'ROUTED'", [])
        .unwrap();
    let backup = back_up(&desk, to.path());
    assert_eq!(backup.manifest.clean, Some(false));
    assert!(backup.faults.iter().any(|fault| fault.starts_with("V1")));
    assert!(backup.folder.join("rxx.db").exists());
}

#[test]
fn where_nothing_is_or_nothing_can_be_written_it_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let key = MasterKey::generate().unwrap();
    let nothing = folder.path().join("rxx.db");
    let now = Desk::new(7).now;
    let to = BackupTo::new(folder.path().join("to"), Vec::new());
    let refused = SqliteStore::back_up(&nothing, &key, &to, now).unwrap_err();
    assert!(matches!(refused, KeepError::NoStore { .. }), "{refused}");
    assert!(!nothing.exists(), "a backup makes no store");
    assert!(refused.to_string().contains("nothing was run yet"));

    let desk = Desk::new(7);
    let file = folder.path().join("file");
    fs::write(&file, b"no folder").unwrap();
    let to = BackupTo::new(&file, Vec::new());
    let refused = SqliteStore::back_up(&desk.path(), &desk.key, &to, now).unwrap_err();
    assert!(
        matches!(refused, KeepError::Unavailable { .. }),
        "{refused}"
    );
}

/// Letters are taken while backups are made, one after the other: each is whole, and has every
/// key, for keys are copied last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_running_system_holds_every_letter_with_its_key() {
    let mut desk = Desk::new(8);
    let to = tempfile::tempdir().unwrap();
    desk.take("D-FIRST", "first").await;
    desk.sign().await.unwrap();
    let done = AtomicBool::new(false);
    let (path, key, against, now) = (desk.path(), desk.key.clone(), desk.against(), desk.now);
    let backups = std::thread::scope(|scope| {
        let backups = scope.spawn(|| {
            let to = BackupTo::new(to.path(), against.trusted.clone());
            let made = (0..6).map(|_| SqliteStore::back_up(&path, &key, &to, now).unwrap());
            let made: Vec<_> = made.collect();
            done.store(true, Ordering::Relaxed);
            made
        });
        scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap();
            let store = SqliteStore::open(&path, &key).unwrap();
            let signer = std::sync::Arc::new(desk.signer());
            desk.engine = engine(&key, 80);
            let mut number = 0;
            while !done.load(Ordering::Relaxed) {
                number += 1;
                let document = format!("D-{number}");
                let intake = desk.intake(&document, &format!("text {number}"));
                let commit = desk.engine.intake(now, intake, None, None).commit;
                runtime.block_on(store.commit(commit)).unwrap();
                runtime
                    .block_on(store.sign(std::sync::Arc::clone(&signer), now))
                    .unwrap();
            }
        });
        backups.join().unwrap()
    });
    for backup in &backups {
        assert_eq!(backup.faults, Vec::<String>::new());
        assert_eq!(backup.manifest.clean, Some(true));
    }
    let sizes: Vec<_> = backups
        .iter()
        .map(|backup| backup.manifest.events)
        .collect();
    assert!(
        sizes.is_sorted() && sizes.first() < sizes.last(),
        "{sizes:?}"
    );
}
