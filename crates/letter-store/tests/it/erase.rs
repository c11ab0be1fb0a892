//! A letter that was erased is nowhere any more, and every proof holds.

use std::fs;
use std::path::Path;

use audit_core::{PseudonymKey, StreamKey};
use letter_delivery::{EraseError, Erased, PayloadId, Reason, Store as _};
use letter_store::{BackupTo, KeyCopy, LetterView, SqliteStore};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::backup::{back_up, put_together};
use crate::support::{Desk, NUMBERS};

const TEXT: &str = "CANARY-TEXT of a letter that nobody may read again";
const DOCUMENT: &str = "CANARY-DOCUMENT";

/// A desk with a letter that ran its whole way, and others around it.
async fn desk_with_letters(seed: u64) -> (Desk, LetterView) {
    let mut desk = Desk::new(seed);
    for number in 0..30 {
        desk.take(&format!("BEFORE-{number}"), &format!("text {number}"))
            .await;
    }
    desk.take(DOCUMENT, TEXT).await;
    for number in 0..30 {
        desk.take(&format!("AFTER-{number}"), &format!("text {number}"))
            .await;
    }
    desk.work_off().await;
    desk.now += chrono::Duration::hours(2);
    desk.work_off().await;
    desk.sign().await.unwrap();
    let view = view_of(&desk).await;
    (desk, view)
}

async fn view_of(desk: &Desk) -> LetterView {
    let views = desk.store().letters(Default::default()).await.unwrap();
    let number = |view: &LetterView| view.document.as_ref().map(|number| number.expose().clone());
    let mut views = views.into_iter();
    views
        .find(|view| number(view).as_deref() == Some(DOCUMENT))
        .unwrap()
}

async fn view(desk: &Desk, letter: StreamKey) -> LetterView {
    let views = desk.store().letters(Default::default()).await.unwrap();
    let mut views = views.into_iter();
    views.find(|view| view.letter.key == letter).unwrap()
}

fn decide(desk: &mut Desk, view: LetterView, account: &str) -> Result<Erased, EraseError> {
    let by = desk.engine.keys().account(account);
    let reason = Reason::parse("wrong-patient").unwrap();
    desk.engine
        .erase(desk.now, &by, view.letter, view.copies, &reason)
}

async fn erase(desk: &mut Desk, letter: StreamKey) {
    for account in ["unix:1001", "unix:1002"] {
        let view = view(desk, letter).await;
        let erased = decide(desk, view, account).unwrap();
        desk.store().commit(erased.commit).await.unwrap();
    }
}

/// The wrapped key of a letter, as its row holds it, and the key itself.
fn keys_of(desk: &Desk, letter: StreamKey) -> (Vec<u8>, Vec<u8>) {
    let keys = rusqlite::Connection::open(desk.folder.path().join("rxx.keys.db")).unwrap();
    let sql = "SELECT wrapped FROM data_key WHERE letter = ?1";
    let wrapped: Vec<u8> = keys
        .query_row(sql, [letter.as_bytes()], |row| row.get(0))
        .unwrap();
    let master: Vec<u8> = (0..32).map(|_| 0x5A).collect();
    let master = PseudonymKey::new(master.try_into().unwrap());
    let wrapping = master.index(&["letterbox-key", "wrap"]);
    let wrapping = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &wrapping).unwrap());
    let (nonce, body) = wrapped.split_at(NONCE_LEN);
    let nonce = Nonce::try_assume_unique_for_key(nonce).unwrap();
    let mut key = body.to_vec();
    let about = Aad::from(letter.as_bytes());
    let length = wrapping
        .open_in_place(nonce, about, &mut key)
        .unwrap()
        .len();
    key.truncate(length);
    (wrapped, key)
}

/// Files below a folder that hold these bytes.
fn holding(folder: &Path, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, bytes));
        } else if fs::read(&path)
            .unwrap()
            .windows(bytes.len())
            .any(|held| held == bytes)
        {
            found.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    found
}

/// Issue "What must be shown" 6.
#[tokio::test]
async fn audit_8_1_after_an_erasure_no_file_holds_the_letter_or_its_key() {
    let (mut desk, canary) = desk_with_letters(1).await;
    let letter = canary.letter.key;
    let kept = tempfile::tempdir().unwrap();
    let before = back_up(&desk, kept.path());
    let (wrapped, key) = keys_of(&desk, letter);
    let here = desk.folder.path().to_owned();
    assert!(
        !holding(&here, &wrapped).is_empty(),
        "the test would show nothing"
    );
    assert!(!holding(kept.path(), &wrapped).is_empty());

    erase(&mut desk, letter).await;
    let copies = SqliteStore::carry_erasures(&desk.path(), &desk.key).unwrap();
    assert!(
        matches!(
            &copies[..],
            [KeyCopy {
                destroyed: 1,
                unreached: None,
                ..
            }]
        ),
        "{copies:?}"
    );
    // The store is still open: its log and its free pages are looked at as they are.
    for folder in [&here, kept.path()] {
        for bytes in [
            &wrapped[..],
            &key,
            &key[..16],
            TEXT.as_bytes(),
            DOCUMENT.as_bytes(),
        ] {
            assert_eq!(holding(folder, bytes), Vec::<String>::new());
        }
        for number in NUMBERS {
            assert_eq!(holding(folder, number.as_bytes()), Vec::<String>::new());
        }
    }

    // The older backup with the keys that are left: its ciphertext opens for nobody.
    let (_folder, path) = put_together(&before);
    let old = SqliteStore::open(&path, &desk.key).unwrap();
    let views = old.letters(Default::default()).await.unwrap();
    let old_view = views.iter().find(|view| view.letter.key == letter).unwrap();
    assert!(old_view.document.is_none());
    let content = old.payload(letter, canary.letter.content.unwrap()).await;
    assert!(content.unwrap_err().to_string().contains("key is gone"));
    let other = views.iter().find(|view| view.document.is_some()).unwrap();
    let other = old.payload(other.letter.key, other.letter.content.unwrap());
    assert!(other.await.is_ok(), "others open as before");
}

#[tokio::test]
async fn audit_8_1_every_proof_holds_after_an_erasure() {
    let (mut desk, canary) = desk_with_letters(2).await;
    let letter = canary.letter.key;
    let signed = desk.store().checkpoint().await.unwrap().unwrap();
    let history = desk.store().history(letter).await.unwrap();
    erase(&mut desk, letter).await;
    desk.sign().await.unwrap();
    let mut against = desk.against();
    against.checkpoints.push(signed);
    let found = desk.store().verify(against).await.unwrap();
    assert!(found.is_clean(), "{:?}", found.faults);
    let after = desk.store().history(letter).await.unwrap();
    assert_eq!(after[..history.len()], history);
    let added: Vec<_> = after[history.len()..]
        .iter()
        .map(|bytes| audit_core::Event::parse(bytes).unwrap().body)
        .collect();
    let kinds: Vec<_> = added.iter().map(|body| body.kind.as_str()).collect();
    assert_eq!(kinds, ["person.proposed", "payload.erased"]);
    let by = |account: &str| desk.engine.keys().account(account).to_string();
    assert_eq!(added[1].actor, by("unix:1002"));
    assert_eq!(added[1].data.text("proposed_by"), Some(&*by("unix:1001")));
    assert_eq!(added[1].data.text("reason"), Some("wrong-patient"));

    let erased = view(&desk, letter).await;
    assert!(erased.document.is_none() && erased.letter.content.is_none());
    assert_eq!(erased.letter.erased_at, Some(desk.now));
    desk.reopen();
    desk.assert_clean().await;
}

#[tokio::test]
async fn design_5_14_two_accounts_must_decide_it() {
    let (mut desk, canary) = desk_with_letters(3).await;
    let service = letter_delivery::Actor::SERVICE;
    let reason = Reason::parse("wrong-patient").unwrap();
    let (letter, copies) = (canary.letter.clone(), canary.copies.clone());
    let refused = desk
        .engine
        .erase(desk.now, &service, letter, copies, &reason);
    assert_eq!(refused.unwrap_err(), EraseError::NotAPerson);

    let first = decide(&mut desk, canary.clone(), "unix:1001").unwrap();
    assert!(!first.is_done);
    desk.store().commit(first.commit).await.unwrap();
    let waiting = view_of(&desk).await;
    let id = waiting.letter.content.unwrap();
    assert!(desk.store().payload(waiting.letter.key, id).await.is_ok());
    let again = decide(&mut desk, waiting, "unix:1001");
    assert_eq!(again.unwrap_err(), EraseError::SamePerson);
    desk.assert_clean().await;
}

#[tokio::test]
async fn what_is_still_on_its_way_is_not_erased() {
    let mut desk = Desk::new(4);
    desk.take(DOCUMENT, TEXT).await;
    let parsed = view_of(&desk).await;
    let refused = decide(&mut desk, parsed, "unix:1001").unwrap_err();
    assert_eq!(refused, EraseError::StillOpen { state: "PARSED" });
    desk.work_off().await;
    let accepted = view_of(&desk).await;
    let refused = decide(&mut desk, accepted, "unix:1001").unwrap_err();
    assert_eq!(refused, EraseError::StillOpen { state: "ACCEPTED" });
}

/// Somebody reads the key file the very moment: its log cannot be emptied.
#[tokio::test]
async fn an_erasure_that_broke_off_is_finished_by_the_next_opening() {
    let (mut desk, canary) = desk_with_letters(5).await;
    let letter = canary.letter.key;
    let (wrapped, _) = keys_of(&desk, letter);
    let reader = rusqlite::Connection::open(desk.folder.path().join("rxx.keys.db")).unwrap();
    let first = decide(&mut desk, canary, "unix:1001").unwrap();
    desk.store().commit(first.commit).await.unwrap();
    let waiting = view_of(&desk).await;
    let second = decide(&mut desk, waiting, "unix:1002").unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let count: i64 = reader
        .query_row("SELECT count(*) FROM data_key", [], |row| row.get(0))
        .unwrap();
    assert!(count > 50);
    let told = desk.store().commit(second.commit).await.unwrap_err();
    assert!(
        told.to_string().contains("when the store is next opened"),
        "{told}"
    );
    let faults = desk.verify().await.faults;
    let told: Vec<_> = faults.iter().map(|fault| fault.what.as_str()).collect();
    assert_eq!(
        told,
        [format!(
            "letter {letter} is erased, and its key is not destroyed yet"
        )]
    );
    drop(reader);
    assert!(!holding(desk.folder.path(), &wrapped).is_empty());
    desk.reopen();
    desk.assert_clean().await;
    assert_eq!(holding(desk.folder.path(), &wrapped), Vec::<String>::new());
}

#[tokio::test]
async fn a_key_that_comes_back_with_an_older_key_file_is_destroyed_again() {
    let (mut desk, canary) = desk_with_letters(11).await;
    let letter = canary.letter.key;
    let (wrapped, _) = keys_of(&desk, letter);
    let kept = tempfile::tempdir().unwrap();
    let backup = back_up(&desk, kept.path());
    erase(&mut desk, letter).await;
    desk.close();
    fs::copy(&backup.keys, desk.folder.path().join("rxx.keys.db")).unwrap();
    desk.reopen();
    let faults = desk.verify().await.faults;
    let told: Vec<_> = faults.iter().map(|fault| fault.what.as_str()).collect();
    assert_eq!(
        told,
        [format!("letter {letter} is erased, and its key came back")]
    );
    assert!(!holding(desk.folder.path(), &wrapped).is_empty());
    let lock = desk.store().lock_engine().await.unwrap();
    desk.assert_clean().await;
    assert_eq!(holding(desk.folder.path(), &wrapped), Vec::<String>::new());
    drop(lock);
}

#[tokio::test]
async fn a_copy_of_the_keys_that_is_out_of_reach_is_told_and_reached_later() {
    let (mut desk, canary) = desk_with_letters(6).await;
    let letter = canary.letter.key;
    let kept = tempfile::tempdir().unwrap();
    let backup = back_up(&desk, kept.path());
    let (wrapped, _) = keys_of(&desk, letter);
    let away = kept.path().join("away");
    fs::rename(&backup.keys, &away).unwrap();
    erase(&mut desk, letter).await;
    let copies = SqliteStore::carry_erasures(&desk.path(), &desk.key).unwrap();
    assert!(copies[0].unreached.as_ref().unwrap().contains("not there"));
    assert!(!holding(kept.path(), &wrapped).is_empty());
    fs::rename(&away, &backup.keys).unwrap();
    let copies = SqliteStore::carry_erasures(&desk.path(), &desk.key).unwrap();
    assert_eq!(copies[0].destroyed, 1);
    assert_eq!(holding(kept.path(), &wrapped), Vec::<String>::new());
    let again = SqliteStore::carry_erasures(&desk.path(), &desk.key).unwrap();
    assert_eq!(again[0].destroyed, 0);
}

#[tokio::test]
async fn the_next_backup_brings_no_erased_key_back() {
    let (mut desk, canary) = desk_with_letters(7).await;
    let kept = tempfile::tempdir().unwrap();
    let _ = back_up(&desk, kept.path());
    let (wrapped, _) = keys_of(&desk, canary.letter.key);
    erase(&mut desk, canary.letter.key).await;
    let to = BackupTo::new(kept.path(), desk.against().trusted);
    let after = SqliteStore::back_up(&desk.path(), &desk.key, &to, desk.now).unwrap();
    assert_eq!(after.faults, Vec::<String>::new());
    assert_eq!(
        holding(&kept.path().join("letter-keys"), &wrapped),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn an_erased_letter_is_known_when_its_source_hands_it_over_again() {
    let (mut desk, canary) = desk_with_letters(8).await;
    erase(&mut desk, canary.letter.key).await;
    let again = desk.take(DOCUMENT, TEXT).await;
    assert_eq!(again, letter_delivery::TakenAs::Duplicate);
    desk.assert_clean().await;
}

#[tokio::test]
async fn audit_6_v11_contents_are_missing_only_where_the_event_says_so() {
    let (mut desk, canary) = desk_with_letters(9).await;
    erase(&mut desk, canary.letter.key).await;
    let views = desk.store().letters(Default::default()).await.unwrap();
    let other = views.iter().find(|view| view.document.is_some()).unwrap();
    let key = other.letter.key.as_bytes().to_vec();
    let taken = desk
        .raw()
        .execute("DELETE FROM payload WHERE letter = ?1", [key])
        .unwrap();
    assert!(taken > 0);
    let faults = desk.verify().await.faults;
    let told = faults
        .iter()
        .filter(|fault| fault.rule == "V11" && fault.seq.is_some());
    assert_eq!(told.count(), taken, "{faults:?}");
    // And a row that says so without an event is found.
    let sql = "UPDATE letter SET record = replace(record, '\"erased_at\":null', \
               '\"erased_at\":\"2026-02-03T10:10:00Z\"') WHERE key = ?1";
    desk.raw()
        .execute(sql, [other.letter.key.as_bytes()])
        .unwrap();
    let faults = desk.verify().await.faults;
    assert!(
        faults
            .iter()
            .any(|fault| fault.what.contains("disagree on erasure"))
    );
}

#[tokio::test]
async fn an_expired_letter_is_erased_by_rule() {
    let (mut desk, canary) = desk_with_letters(10).await;
    let rule = Reason::parse("retention").unwrap();
    let (letter, copies) = (canary.letter.clone(), canary.copies);
    let expired = desk.engine.expire(desk.now, letter, copies, &rule);
    let expired = expired.unwrap();
    assert!(expired.is_done);
    assert_eq!(expired.commit.events[0].actor, "svc:letterbox");
    assert_eq!(
        expired.commit.events[0].data.text("reason"),
        Some("retention")
    );
    desk.store().commit(expired.commit).await.unwrap();
    desk.assert_clean().await;
    let id: PayloadId = canary.letter.content.unwrap();
    assert!(desk.store().payload(canary.letter.key, id).await.is_err());
}
