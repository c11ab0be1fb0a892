//! A full disk and a disk that must not be written, on real file systems.

use std::path::Path;
use std::process::Command;

use letter_delivery::{Store as _, StoreError};
use letter_store::{MasterKey, OpenError, SqliteStore};

use crate::support::Desk;

/// A small file system, gone when dropped; none where this user may not make one.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={size}");
        mount(&["-t", "tmpfs", "-o", &options, "tmpfs"], folder.path()).then_some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).output();
    }
}

fn mount(arguments: &[&str], at: &Path) -> bool {
    let done = Command::new("mount").args(arguments).arg(at).output();
    done.is_ok_and(|done| done.status.success())
}

#[tokio::test]
async fn h3_a_full_disk_refuses_whole_letters_and_goes_on_when_there_is_space() {
    let Some(disk) = Disk::new("4m") else {
        println!("skipped: a small file system (it takes an administrator to make one)");
        return;
    };
    let mut desk = Desk::new(1);
    let path = disk.path().join("rxx.db");
    let ballast = disk.path().join("ballast");
    let store = SqliteStore::open(&path, &desk.key).unwrap();
    std::fs::write(&ballast, vec![0; 2 << 20]).unwrap();
    let mut taken = 0;
    let refused = loop {
        let mut commit = desk.new_letter();
        let payload = &mut commit.payloads[0];
        payload.bytes = vec![7; 50_000];
        let digest = audit_core::salted_digest(&payload.salt, &payload.bytes).to_string();
        commit.events[0].data.insert("payload_digest", digest);
        match store.commit(commit.clone()).await {
            Ok(()) => taken += 1,
            Err(StoreError::Unavailable(why)) => break (commit, why),
            Err(other) => panic!("{other}"),
        }
        assert!(taken < 200, "the disk never filled");
    };
    assert!(
        taken > 3 && refused.1.contains("free space"),
        "{}",
        refused.1
    );
    assert_eq!(store.tree().await.unwrap().size, taken * 2);
    std::fs::remove_file(&ballast).unwrap();
    store.commit(refused.0).await.unwrap();
    assert_eq!(store.tree().await.unwrap().size, taken * 2 + 2);
    let verification = store.verify(Default::default()).await.unwrap();
    assert!(verification.is_clean(), "{:?}", verification.faults);
}

#[test]
fn a_store_that_cannot_be_written_is_not_opened() {
    let Some(disk) = Disk::new("4m") else {
        println!("skipped: a read-only file system (it takes an administrator to make one)");
        return;
    };
    let key = MasterKey::generate().unwrap();
    let path = disk.path().join("rxx.db");
    drop(SqliteStore::open(&path, &key).unwrap());
    assert!(mount(&["-o", "remount,ro"], disk.path()));
    let refused = SqliteStore::open(&path, &key).unwrap_err();
    assert!(
        matches!(refused, OpenError::Unavailable { .. }),
        "{refused}"
    );
    assert!(refused.to_string().contains("writable"), "{refused}");
}
