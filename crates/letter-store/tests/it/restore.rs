//! A backup becomes the store again.

use std::fs;
use std::path::{Path, PathBuf};

use audit_core::{Origin, Signer};
use letter_delivery::{CopyState, Store as _};
use letter_store::{KeepError, OpenError, RestoreFrom, Restoring, SqliteStore, VerifyAgainst};

use crate::backup::back_up;
use crate::support::{Desk, ORIGIN};

fn origin() -> Origin {
    Origin::parse(ORIGIN).unwrap()
}

fn restore(desk: &Desk, from: &RestoreFrom) -> Result<Restoring, KeepError> {
    SqliteStore::restore(&desk.path(), &desk.key, from, origin(), &[])
}

/// What the program does with it: the event, the stop, the doubts.
async fn begin(desk: &mut Desk, restoring: &Restoring) {
    let store = restoring.store();
    let by = desk.engine.keys().account("unix:1001");
    let stops = store.stops().await.unwrap();
    let commit = desk
        .engine
        .restored(desk.now, &by, &stops, restoring.facts());
    store.commit(commit.unwrap()).await.unwrap();
    let stops = store.stops().await.unwrap();
    let views = store.letters(Default::default()).await.unwrap();
    let copies = views.into_iter().flat_map(|view| view.copies).collect();
    let commit = desk.engine.doubt_restored(desk.now, &stops, copies);
    store.commit(commit).await.unwrap();
}

/// A desk with letters, a backup of it, and more letters since.
async fn desk_that_went_on(seed: u64, kept: &Path) -> (Desk, u64, u64) {
    let mut desk = Desk::new(seed);
    for number in 0..5 {
        desk.take(&format!("D-{number}"), &format!("text {number}"))
            .await;
    }
    desk.work_off().await;
    desk.take("D-QUEUED", "parsed when it was kept").await;
    desk.sign().await.unwrap();
    let size = desk.store().tree().await.unwrap().size;
    let _ = back_up(&desk, kept);
    for number in 0..5 {
        desk.take(&format!("D-LATER-{number}"), &format!("later {number}"))
            .await;
    }
    desk.work_off().await;
    desk.sign().await.unwrap();
    let later = desk.store().tree().await.unwrap().size;
    (desk, size, later)
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
async fn design_2_a_store_goes_on_from_its_backup_and_says_what_was_lost() {
    let kept = tempfile::tempdir().unwrap();
    let (mut desk, size, later) = desk_that_went_on(1, kept.path()).await;
    desk.close();
    let from = RestoreFrom::new(kept.path()).replacing();
    let restoring = restore(&desk, &from).unwrap();
    let facts = restoring.facts();
    assert_eq!(facts.held.size, size);
    assert_eq!(facts.lost.map(|(size, _)| size), Some(later));
    assert_eq!(facts.events_lost(), later - size);
    assert_eq!(facts.remembers_to, Some(desk.now));
    begin(&mut desk, &restoring).await;
    let apart = restoring.finish(desk.now).unwrap().unwrap();
    assert!(apart.to_string_lossy().contains("replaced-"));

    desk.reopen();
    let _lock = desk.store().lock_engine().await.unwrap();
    desk.sign().await.unwrap();
    let found = desk.verify().await;
    assert!(found.is_clean(), "{:?}", found.faults);
    let mut against = desk.against();
    against.checkpoints.push(lost_note(&desk));
    let found = desk.store().verify(against).await.unwrap();
    assert!(
        found.faults.iter().any(|fault| fault.rule == "V9"),
        "who holds a newer checkpoint still learns of the loss: {:?}",
        found.faults
    );

    // Letters are taken in; nothing is sent before it was asked for, nor before a person says so.
    desk.take("D-LATER-0", "later 0").await;
    desk.is_lucky = true;
    for _ in 0..20 {
        desk.now += chrono::Duration::minutes(10);
        desk.work_off().await;
    }
    let views = desk.store().letters(Default::default()).await.unwrap();
    let copies: Vec<_> = views.iter().flat_map(|view| &view.copies).collect();
    assert_eq!(copies.len(), 7);
    for copy in copies {
        let history = desk.store().history(copy.key).await.unwrap();
        let kinds: Vec<_> = history
            .iter()
            .map(|bytes| audit_core::Event::parse(bytes).unwrap().body.kind)
            .collect();
        let started = kinds.iter().filter(|kind| *kind == "send.started").count();
        let is_before = kinds.iter().all(|kind| kind != "restored");
        assert_eq!(started, usize::from(is_before), "{kinds:?}");
        assert!(
            copy.state != CopyState::Queued,
            "the desk's MESH has everything"
        );
    }
    desk.assert_clean().await;

    // What was replaced is whole, and its keys are those in use.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rxx.db");
    fs::copy(apart, &path).unwrap();
    fs::copy(
        desk.folder.path().join("rxx.keys.db"),
        folder.path().join("rxx.keys.db"),
    )
    .unwrap();
    let old = SqliteStore::open(&path, &desk.key).unwrap();
    assert_eq!(old.tree().await.unwrap().size, later);
    let faults = old.verify(VerifyAgainst::default()).await.unwrap().faults;
    assert!(faults.iter().all(|fault| fault.rule == "V7"), "{faults:?}");
}

fn lost_note(desk: &Desk) -> String {
    let path = desk.folder.path().join("rxx.checkpoints.lost.txt");
    fs::read_to_string(path).unwrap().trim_end().to_owned() + "\n"
}

/// What was signed before and lost stands under the old origin: the new one never contradicts it.
#[tokio::test]
async fn audit_6_v8_a_restored_ledger_goes_on_under_another_origin() {
    let kept = tempfile::tempdir().unwrap();
    let (mut desk, ..) = desk_that_went_on(9, kept.path()).await;
    desk.close();
    let from = RestoreFrom::new(kept.path()).replacing();
    let restoring = restore(&desk, &from).unwrap();
    begin(&mut desk, &restoring).await;
    restoring.finish(desk.now).unwrap();
    let stops = desk.reopen().stops().await.unwrap();
    assert_eq!(stops.restores(), 1);
    assert_eq!(stops.open_restore().unwrap().set_at, desk.now);
    let next = Signer::from_seed(&format!("{ORIGIN}/restored-1"), desk.key.signer_seed()).unwrap();
    let mut against = desk.against();
    against.trusted.push(next.verifier_key());
    desk.store().sign(next, desk.now).await.unwrap();
    let found = desk.store().verify(against.clone()).await.unwrap();
    assert!(found.is_clean(), "{:?}", found.faults);
    // An origin that no event explains is told.
    desk.take("D-NEXT", "next").await;
    let stranger = Signer::from_seed("ledger.example/other", desk.key.signer_seed()).unwrap();
    against.trusted.push(stranger.verifier_key());
    desk.store().sign(stranger, desk.now).await.unwrap();
    let found = desk.store().verify(against).await.unwrap();
    assert!(found.faults.iter().any(|fault| fault.rule == "V8"));
}

#[tokio::test]
async fn a_living_store_gives_way_only_when_someone_says_so_and_nothing_works_on_it() {
    let kept = tempfile::tempdir().unwrap();
    let (mut desk, _, later) = desk_that_went_on(2, kept.path()).await;
    let from = RestoreFrom::new(kept.path());
    let refused = restore(&desk, &from).unwrap_err();
    assert!(matches!(refused, KeepError::InTheWay { .. }), "{refused}");
    let from = from.replacing();
    let running = desk.store().lock_engine().await.unwrap();
    let refused = restore(&desk, &from).unwrap_err();
    assert!(
        matches!(refused, KeepError::Open(OpenError::Locked { .. })),
        "{refused}"
    );
    drop(running);
    // Somebody still has it open: its log is not torn away from it.
    let restoring = restore(&desk, &from).unwrap();
    let refused = restoring.finish(desk.now).unwrap_err();
    assert!(refused.to_string().contains("locked"), "{refused}");
    desk.reopen();
    assert_eq!(desk.store().tree().await.unwrap().size, later);
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_backup_that_was_changed_is_refused() {
    let kept = tempfile::tempdir().unwrap();
    let (mut desk, ..) = desk_that_went_on(3, kept.path()).await;
    desk.close();
    let backup = fs::read_dir(kept.path().join("rxx"))
        .unwrap()
        .next()
        .unwrap();
    let file = backup.unwrap().path().join("rxx.db");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let from = RestoreFrom::new(kept.path()).replacing();
    let refused = restore(&desk, &from).unwrap_err();
    assert!(matches!(refused, KeepError::Damaged { .. }), "{refused}");
    let nothing = RestoreFrom::new(desk.folder.path()).replacing();
    let refused = restore(&desk, &nothing).unwrap_err();
    assert!(matches!(refused, KeepError::NoBackup { .. }), "{refused}");
    desk.reopen();
    desk.assert_clean().await;
}

#[tokio::test]
async fn on_an_empty_machine_everything_comes_from_the_backup() {
    let kept = tempfile::tempdir().unwrap();
    let (mut desk, size, _) = desk_that_went_on(4, kept.path()).await;
    desk.close();
    let empty = tempfile::tempdir().unwrap();
    let path = empty.path().join("data").join("rxx.db");
    let from = RestoreFrom::new(kept.path().join("rxx"));
    let restoring = SqliteStore::restore(&path, &desk.key, &from, origin(), &[]).unwrap();
    assert_eq!(restoring.facts().lost, None, "nothing newer is known here");
    begin(&mut desk, &restoring).await;
    assert_eq!(restoring.finish(desk.now).unwrap(), None);
    assert_eq!(
        names(&empty.path().join("data")),
        ["rxx.checkpoints.txt", "rxx.db", "rxx.keys.db", "rxx.lock"]
    );
    let store = SqliteStore::open(&path, &desk.key).unwrap();
    let _lock = store.lock_engine().await.unwrap();
    assert!(store.tree().await.unwrap().size > size);
    assert!(store.verify(desk.against()).await.unwrap().is_clean());

    // A checkpoint that was kept elsewhere tells what is missing.
    let other = empty.path().join("other").join("rxx.db");
    let note = fs::read_to_string(desk.folder.path().join("rxx.checkpoints.txt")).unwrap();
    let note = note.split_inclusive("\n\n").skip(2).collect::<String>();
    let note = note.trim_end().to_owned() + "\n";
    let restoring = SqliteStore::restore(&other, &desk.key, &from, origin(), &[note]).unwrap();
    assert!(restoring.facts().events_lost() > 20);
}

#[tokio::test]
async fn without_the_letters_keys_nothing_is_restored() {
    let kept = tempfile::tempdir().unwrap();
    let (mut desk, ..) = desk_that_went_on(5, kept.path()).await;
    desk.close();
    let keys = kept.path().join("letter-keys");
    let away = kept.path().join("kept apart");
    fs::rename(&keys, &away).unwrap();
    let empty = tempfile::tempdir().unwrap();
    let path = empty.path().join("rxx.db");
    let from = RestoreFrom::new(kept.path());
    let refused = SqliteStore::restore(&path, &desk.key, &from, origin(), &[]).unwrap_err();
    assert!(matches!(refused, KeepError::NoKeys { .. }), "{refused}");
    let from = from.with_keys(away);
    let _ = SqliteStore::restore(&path, &desk.key, &from, origin(), &[]).unwrap();
}

/// A file that somebody copied back by hand.
#[tokio::test]
async fn design_2_an_older_copy_in_its_place_goes_on_when_a_person_says_so() {
    let mut desk = Desk::new(6);
    desk.take("D-1", "first").await;
    desk.sign().await.unwrap();
    desk.close();
    let old = fs::read(desk.path()).unwrap();
    desk.reopen();
    desk.take("D-2", "second").await;
    desk.sign().await.unwrap();
    desk.close();
    fs::write(desk.path(), old).unwrap();
    let store = SqliteStore::open(&desk.path(), &desk.key).unwrap();
    let refused = store.lock_engine().await.unwrap_err();
    assert!(matches!(refused, OpenError::RolledBack { .. }), "{refused}");
    assert!(
        refused.to_string().contains("store restore --as-is"),
        "{refused}"
    );
    drop(store);
    let restoring = SqliteStore::restore_as_it_is(&desk.path(), &desk.key, origin(), &[]).unwrap();
    assert_eq!(restoring.facts().events_lost(), 2);
    begin(&mut desk, &restoring).await;
    restoring.finish(desk.now).unwrap();
    desk.reopen();
    let _lock = desk.store().lock_engine().await.unwrap();
    desk.sign().await.unwrap();
    desk.assert_clean().await;
}

#[tokio::test]
async fn what_a_restore_that_broke_off_left_behind_is_in_nobodys_way() {
    let kept = tempfile::tempdir().unwrap();
    let (mut desk, _, later) = desk_that_went_on(7, kept.path()).await;
    desk.close();
    let from = RestoreFrom::new(kept.path()).replacing();
    let restoring = restore(&desk, &from).unwrap();
    begin(&mut desk, &restoring).await;
    drop(restoring);
    desk.reopen();
    assert_eq!(desk.store().tree().await.unwrap().size, later, "as it was");
    desk.close();
    let restoring = restore(&desk, &from).unwrap();
    begin(&mut desk, &restoring).await;
    restoring.finish(desk.now).unwrap();
    let names: Vec<PathBuf> = names(desk.folder.path())
        .into_iter()
        .map(Into::into)
        .collect();
    let left = names
        .iter()
        .filter(|name| name.to_string_lossy().contains("restoring"));
    assert_eq!(left.count(), 0, "{names:?}");
}

/// The store that is there is damaged: that is why it is restored.
#[tokio::test]
async fn a_damaged_store_gives_way_with_its_log() {
    let kept = tempfile::tempdir().unwrap();
    let (mut desk, ..) = desk_that_went_on(8, kept.path()).await;
    desk.close();
    fs::write(desk.path(), b"half of a file").unwrap();
    fs::write(
        desk.folder.path().join("rxx.db-wal"),
        b"a log of another file",
    )
    .unwrap();
    let from = RestoreFrom::new(kept.path()).replacing();
    let restoring = restore(&desk, &from).unwrap();
    begin(&mut desk, &restoring).await;
    let apart = restoring.finish(desk.now).unwrap().unwrap();
    assert_eq!(fs::read(apart).unwrap(), b"half of a file");
    desk.reopen();
    let _lock = desk.store().lock_engine().await.unwrap();
    desk.sign().await.unwrap();
    desk.assert_clean().await;
}

/// Two machines that share the checkpoint file, as on a network drive: the standby is taken into
/// service from the last backup, and the old primary comes back.
#[cfg(unix)]
#[tokio::test]
async fn a_standby_is_taken_into_service_and_the_old_primary_is_refused() {
    let kept = tempfile::tempdir().unwrap();
    let (mut desk, ..) = desk_that_went_on(10, kept.path()).await;
    let shared = kept.path().join("shared.checkpoints.txt");
    let own = desk.folder.path().join("rxx.checkpoints.txt");
    fs::rename(&own, &shared).unwrap();
    std::os::unix::fs::symlink(&shared, &own).unwrap();
    let _still_running = desk.store().lock_engine().await.unwrap();

    let standby = tempfile::tempdir().unwrap();
    let path = standby.path().join("rxx.db");
    std::os::unix::fs::symlink(&shared, standby.path().join("rxx.checkpoints.txt")).unwrap();
    let from = RestoreFrom::new(kept.path());
    let restoring = SqliteStore::restore(&path, &desk.key, &from, origin(), &[]).unwrap();
    assert!(
        restoring.facts().events_lost() > 20,
        "the shared file tells"
    );
    begin(&mut desk, &restoring).await;
    restoring.finish(desk.now).unwrap();
    let store = SqliteStore::open(&path, &desk.key).unwrap();
    let _lock = store.lock_engine().await.unwrap();
    let next = Signer::from_seed(&format!("{ORIGIN}/restored-1"), desk.key.signer_seed()).unwrap();
    assert!(store.sign(next, desk.now).await.unwrap().is_some());

    // The primary that still runs learns of it when it signs next, and so does one that starts.
    desk.take("D-TOO-LATE", "taken by the old primary").await;
    let refused = desk
        .store()
        .sign(desk.signer(), desk.now)
        .await
        .unwrap_err();
    assert!(
        matches!(refused, letter_delivery::StoreError::TakenOver),
        "{refused}"
    );
    drop(_still_running);
    desk.reopen();
    let refused = desk.store().lock_engine().await.unwrap_err();
    assert!(matches!(refused, OpenError::RolledBack { .. }), "{refused}");
    // And it did not spoil the file for the one in service.
    let next = Signer::from_seed(&format!("{ORIGIN}/restored-1"), desk.key.signer_seed()).unwrap();
    store.sign(next, desk.now).await.unwrap();
}
