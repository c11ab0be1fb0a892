//! What the `Store` port promises.

use std::collections::BTreeSet;

use audit_core::{Data, Event, StreamKey};
use chrono::Duration;
use letter_delivery::{
    Commit, CopyState, Job, LeaseToken, LetterState, LocalId, PayloadId, SeenMessage, Store as _,
    StoreError, TakenAs, WorkChange, WorkKind,
};

use crate::support::{Desk, MAILBOX};

/// Everything in the database, as text.
fn rows(desk: &Desk) -> Vec<String> {
    crate::damage::dump(&desk.raw()).unwrap()
}

#[tokio::test]
async fn a_letter_goes_its_whole_way_and_every_event_has_its_place() {
    let mut desk = Desk::new(1);
    assert_eq!(
        desk.take("DOC-1", "first").await,
        TakenAs::Letter(LetterState::Parsed)
    );
    desk.work_off().await;
    desk.now += Duration::hours(2);
    desk.work_off().await;
    let views = desk.store().letters(Default::default()).await.unwrap();
    assert_eq!(views[0].letter.state, LetterState::Routed);
    assert_eq!(views[0].copies[0].state, CopyState::Collected);
    let history = desk.store().history(views[0].copies[0].key).await.unwrap();
    let lseqs: Vec<u64> = history
        .iter()
        .map(|bytes| Event::parse(bytes).unwrap().body.lseq)
        .collect();
    assert_eq!(lseqs, (0..6).collect::<Vec<_>>());
    let tree = desk.store().tree().await.unwrap();
    assert_eq!((tree.size, tree.signed_size), (9, None));
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_commit_with_an_error_in_its_middle_leaves_nothing() {
    let mut desk = Desk::new(2);
    let first = desk.new_letter();
    let payload = first.payloads[0].clone();
    desk.store().commit(first).await.unwrap();
    let before = rows(&desk);
    // Its events, rows and work are in order; the last of its contents has an id that is taken.
    let mut second = desk.new_letter();
    second.payloads.push(payload);
    let refused = desk.store().commit(second).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    assert_eq!(rows(&desk), before);
    desk.assert_clean().await;
}

#[tokio::test]
async fn an_empty_commit_writes_nothing() {
    let desk = Desk::new(3);
    let before = rows(&desk);
    desk.store().commit(Commit::default()).await.unwrap();
    assert_eq!(rows(&desk), before);
}

#[tokio::test]
async fn a_stream_that_moved_on_is_a_conflict() {
    let mut desk = Desk::new(4);
    let commit = desk.new_letter();
    desk.store().commit(commit.clone()).await.unwrap();
    let before = rows(&desk);
    // A repetition, one without its document's row, one that leaves a gap.
    let repeated = desk.store().commit(commit.clone()).await;
    assert!(matches!(repeated, Err(StoreError::Conflict)));
    let mut same_place = commit.clone();
    same_place.document = None;
    let same_place = desk.store().commit(same_place).await;
    assert!(matches!(same_place, Err(StoreError::Conflict)));
    let mut gap = Commit::default();
    gap.events = vec![commit.events[0].clone()];
    gap.events[0].lseq = 7;
    let gap = desk.store().commit(gap).await;
    assert!(matches!(gap, Err(StoreError::Conflict)));
    assert_eq!(rows(&desk), before);
}

#[tokio::test]
async fn a_record_made_from_an_old_one_is_a_conflict() {
    let mut desk = Desk::new(5);
    let commit = desk.new_letter();
    desk.store().commit(commit.clone()).await.unwrap();
    let mut stale = Commit::default();
    stale.letters = commit.letters.clone();
    desk.store().commit(stale.clone()).await.unwrap();
    for events in [0, 1, 3] {
        stale.letters[0].events = events;
        let refused = desk.store().commit(stale.clone()).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "{events}");
    }
    desk.assert_clean().await;
}

#[tokio::test]
async fn versions_of_a_document_cannot_overtake_each_other() {
    let mut desk = Desk::new(6);
    desk.take("DOC-1", "first").await;
    let key = desk.engine.keys().document("epr", "DOC-1");
    let known = desk.store().document(key).await.unwrap().unwrap();
    assert_eq!((known.latest, known.copies.len()), (1, 0));
    // Two readers of the same row each make a version of it.
    let mut commits = Vec::new();
    for text in ["second", "another"] {
        let intake = desk.intake("DOC-1", text);
        let known = Some(known.clone());
        commits.push(desk.engine.intake(desk.now, intake, known, None).commit);
    }
    let late = commits.pop().unwrap();
    desk.store().commit(commits.pop().unwrap()).await.unwrap();
    let refused = desk.store().commit(late).await;
    assert!(matches!(refused, Err(StoreError::Conflict)));
    let view = desk.store().document(key).await.unwrap().unwrap();
    assert_eq!((view.latest, view.letter.version), (2, 2));
    let unknown = desk.engine.keys().document("epr", "DOC-2");
    assert!(desk.store().document(unknown).await.unwrap().is_none());
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_document_shows_the_letter_that_stands_with_its_copies() {
    let mut desk = Desk::new(7);
    desk.take("DOC-1", "first").await;
    desk.work_off().await;
    let key = desk.engine.keys().document("epr", "DOC-1");
    let view = desk.store().document(key).await.unwrap().unwrap();
    assert_eq!(view.letter.state, LetterState::Routed);
    assert_eq!(view.copies.len(), 1);
    assert_eq!(view.copies[0].letter, view.letter.key);
}

#[tokio::test]
async fn nobody_gets_a_piece_of_work_twice() {
    let mut desk = Desk::new(8);
    for _ in 0..6 {
        let commit = desk.new_letter();
        desk.store().commit(commit).await.unwrap();
    }
    let first = desk.claim(4).await;
    let second = desk.claim(4).await;
    assert_eq!((first.len(), second.len()), (4, 2));
    let streams: BTreeSet<StreamKey> = first
        .iter()
        .chain(&second)
        .map(|claimed| claimed.work.stream)
        .collect();
    assert_eq!(streams.len(), 6);
    assert!(desk.claim(4).await.is_empty());
    assert!(first.iter().all(|claimed| claimed.latest_version == 1));
}

#[tokio::test]
async fn a_lease_ends_at_its_time_and_its_old_holder_is_fenced() {
    let mut desk = Desk::new(9);
    desk.take("DOC-1", "first").await;
    let old = desk.claim(1).await.remove(0);
    desk.now = desk.now + desk.engine.policy().lease - Duration::milliseconds(1);
    assert!(desk.claim(1).await.is_empty());
    desk.now += Duration::milliseconds(1);
    let new = desk.claim(1).await.remove(0);
    assert_eq!(new.work.stream, old.work.stream);
    let before = rows(&desk);
    let late = desk.outcome(old, Job::Prepare);
    let refused = desk.store().commit(late).await;
    assert!(matches!(refused, Err(StoreError::Fenced)));
    assert_eq!(rows(&desk), before);
    let good = desk.outcome(new.clone(), Job::Prepare);
    desk.store().commit(good).await.unwrap();
    // The work is done: its token opens nothing any more.
    let mut done = Commit::default();
    done.fence = Some((new.work.stream, new.token));
    done.work = vec![WorkChange::Done(new.work.stream)];
    let refused = desk.store().commit(done).await;
    assert!(matches!(refused, Err(StoreError::Fenced)));
    desk.assert_clean().await;
}

#[tokio::test]
async fn work_that_nobody_claimed_has_no_token_that_fits() {
    let mut desk = Desk::new(10);
    let commit = desk.new_letter();
    let stream = commit.letters[0].key;
    desk.store().commit(commit).await.unwrap();
    let mut forged = Commit::default();
    forged.fence = Some((stream, LeaseToken::from_random([0; 16])));
    forged.work = vec![WorkChange::Done(stream)];
    let refused = desk.store().commit(forged).await;
    assert!(matches!(refused, Err(StoreError::Fenced)));
}

#[tokio::test]
async fn work_is_due_at_its_time_and_may_be_pulled_forward() {
    let mut desk = Desk::new(11);
    desk.take("DOC-1", "first").await;
    assert_eq!(desk.store().next_due().await.unwrap(), Some(desk.now));
    desk.work_off().await;
    // What is left is to ask what became of it, first after an hour.
    let due = desk.store().next_due().await.unwrap().unwrap();
    assert_eq!(due, desk.now + Duration::hours(1));
    let at = desk.now;
    desk.now = due - Duration::milliseconds(1);
    assert!(desk.claim(1).await.is_empty());
    desk.now = at;
    let early = desk
        .request(1)
        .pulling_forward_to(at - Duration::seconds(1));
    assert!(desk.store().claim(early).await.unwrap().is_empty());
    let pulled = desk.request(1).pulling_forward_to(at);
    let claimed = desk.store().claim(pulled).await.unwrap();
    assert_eq!(claimed[0].work.kind, WorkKind::Track);
    assert!(claimed[0].copy.is_some());
    // Claimed work is next looked at when its lease ends, or at its time if that is later.
    assert_eq!(desk.store().next_due().await.unwrap(), Some(due));
}

#[tokio::test]
async fn no_work_is_never_due() {
    let desk = Desk::new(12);
    assert_eq!(desk.store().next_due().await.unwrap(), None);
}

#[tokio::test]
async fn messages_that_were_dealt_with_are_known() {
    let desk = Desk::new(13);
    let mut commit = Commit::default();
    commit.seen = vec![
        SeenMessage::new(MAILBOX, "M-1", true, desk.now),
        SeenMessage::new(MAILBOX, "M-2", false, desk.now),
    ];
    desk.store().commit(commit.clone()).await.unwrap();
    desk.store().commit(commit).await.unwrap();
    let ask = |mailbox: &str| {
        let ids = ["M-3", "M-2", "M-1"].map(str::to_owned).to_vec();
        desk.store().seen(mailbox.to_owned(), ids)
    };
    assert_eq!(ask(MAILBOX).await.unwrap(), [None, Some(false), Some(true)]);
    assert_eq!(ask("RYYOT001").await.unwrap(), [None, None, None]);
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_copy_is_found_by_its_message_first_and_by_local_id_then() {
    let mut desk = Desk::new(14);
    desk.take("DOC-1", "first").await;
    desk.take("DOC-2", "second").await;
    desk.work_off().await;
    let views = desk.store().letters(Default::default()).await.unwrap();
    let [one, two] = [&views[0].copies[0], &views[1].copies[0]];
    let message = one.message_id.clone();
    let other = Some(LocalId::of(StreamKey::from_bytes([1; 16]), 1, 1));
    let local = Some(two.local_id.clone());
    let store = desk.store();
    let found = |message, local| async move {
        let copy = store.copy_by_message(message, local).await.unwrap();
        copy.map(|copy| copy.key)
    };
    assert_eq!(found(message.clone(), None).await, Some(one.key));
    assert_eq!(found(message.clone(), local.clone()).await, Some(one.key));
    assert_eq!(found(None, local.clone()).await, Some(two.key));
    let unknown = Some("no such message".to_owned());
    assert_eq!(found(unknown.clone(), local).await, Some(two.key));
    assert_eq!(found(unknown, other).await, None);
    assert_eq!(found(None, None).await, None);
}

#[tokio::test]
async fn a_content_comes_back_byte_for_byte_and_to_its_letter_only() {
    let mut desk = Desk::new(15);
    let mut commit = desk.new_letter();
    let letter = commit.letters[0].key;
    let bytes = (0..=255_u8).collect::<Vec<_>>().repeat(5000);
    for (number, content) in (1_u8..).zip([Vec::new(), vec![0], bytes]) {
        let mut payload = commit.payloads[0].clone();
        payload.id = PayloadId::from_random([number; 16]);
        payload.bytes = content;
        commit.payloads.push(payload);
    }
    let held = commit.payloads.clone();
    desk.store().commit(commit).await.unwrap();
    for payload in held {
        let read = desk.store().payload(letter, payload.id).await.unwrap();
        assert_eq!(read, payload.bytes);
        let stranger = StreamKey::from_bytes([9; 16]);
        let refused = desk.store().payload(stranger, payload.id).await;
        assert!(matches!(refused, Err(StoreError::Corrupt(_))));
    }
    let unknown = PayloadId::from_random([0xEE; 16]);
    let refused = desk.store().payload(letter, unknown).await;
    assert!(matches!(refused, Err(StoreError::Corrupt(_))));
}

#[tokio::test]
async fn changes_at_the_same_time_are_all_durable() {
    let mut desk = Desk::new(16);
    let commits: Vec<Commit> = (0..64).map(|_| desk.new_letter()).collect();
    let refused = commits[7].clone();
    let store =
        std::sync::Arc::new(letter_store::SqliteStore::open(&desk.path(), &desk.key).unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    for commit in commits.into_iter().chain([refused]) {
        let store = std::sync::Arc::clone(&store);
        tasks.spawn(async move { store.commit(commit).await });
    }
    let results = tasks.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 64);
    drop(store);
    desk.reopen();
    assert_eq!(desk.store().tree().await.unwrap().size, 128);
    assert_eq!(desk.claim(100).await.len(), 64);
    desk.assert_clean().await;
}

#[tokio::test]
async fn notes_about_the_ledger_get_their_place_from_the_store() {
    let mut desk = Desk::new(17);
    for count in 0..3_i64 {
        let data = Data::new().with("practices", count);
        let note = desk.engine.note(desk.now, "ods.loaded", data);
        desk.store().commit(note).await.unwrap();
    }
    let history = desk.store().history(StreamKey::LEDGER).await.unwrap();
    let places: Vec<u64> = history
        .iter()
        .map(|bytes| Event::parse(bytes).unwrap().body.lseq)
        .collect();
    assert_eq!(places, [0, 1, 2]);
    desk.assert_clean().await;
}
