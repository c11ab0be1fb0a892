//! What a commit promises.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use audit_core::{Data, StreamKey};
use chrono::Duration;

use super::desk::Desk;
use super::{Outcome, Place, conflict, equal, is_true, there};
use crate::commit::Commit;
use crate::engine::TakenAs;
use crate::state::{CopyState, LetterState};
use crate::store::{Store, StoreError};

/// Taken, routed, sent, collected: every event has the next place of its stream.
///
/// # Errors
///
/// [`Failure`](super::Failure) says what the store did instead; so it is with every case.
pub async fn a_letter_goes_its_whole_way_and_every_event_has_its_place(
    place: impl Place,
) -> Outcome {
    let mut desk = Desk::new(place, 1).await?;
    let taken = desk.take("DOC-1", "first").await?;
    equal("taken as", taken, TakenAs::Letter(LetterState::Parsed))?;
    desk.work_off().await?;
    desk.now += Duration::hours(2);
    desk.work_off().await?;
    let view = desk.known("DOC-1").await?;
    equal("letter", view.letter.state, LetterState::Routed)?;
    let copy = there("its copy", view.copies.first())?;
    equal("copy", copy.state, CopyState::Collected)?;
    equal(
        "events of the copy",
        desk.places(copy.key).await?,
        vec![0, 1, 2, 3, 4, 5],
    )?;
    equal(
        "events of the letter",
        desk.places(view.letter.key).await?,
        vec![0, 1, 2],
    )?;
    desk.assert_clean().await
}

/// All or nothing, also when what is refused comes last.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn a_commit_with_an_error_in_its_middle_leaves_nothing(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 2).await?;
    let first = desk.new_letter();
    let payload = there("a content", first.payloads.first().cloned())?;
    desk.store()?.commit(first).await?;
    let before = desk.rows().await?;
    // Its events, rows and work are in order; the last of its contents has an id that is taken.
    let mut second = desk.new_letter();
    second.payloads.push(payload);
    conflict("an id given twice", desk.store()?.commit(second).await)?;
    equal("rows", desk.rows().await?, before)?;
    desk.assert_clean().await
}

/// Nothing is nothing.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn an_empty_commit_writes_nothing(place: impl Place) -> Outcome {
    let desk = Desk::new(place, 3).await?;
    let before = desk.rows().await?;
    desk.store()?.commit(Commit::default()).await?;
    equal("rows", desk.rows().await?, before)
}

/// A repetition, one without its document's row, one that leaves a gap.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn a_stream_that_moved_on_is_a_conflict(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 4).await?;
    let commit = desk.new_letter();
    desk.store()?.commit(commit.clone()).await?;
    let before = desk.rows().await?;
    conflict("a repetition", desk.store()?.commit(commit.clone()).await)?;
    let mut same_place = commit.clone();
    same_place.document = None;
    conflict(
        "a place given twice",
        desk.store()?.commit(same_place).await,
    )?;
    let mut gap = Commit {
        events: commit.events.into_iter().take(1).collect(),
        ..Commit::default()
    };
    gap.events.iter_mut().for_each(|event| event.lseq = 7);
    conflict("a gap", desk.store()?.commit(gap).await)?;
    equal("rows", desk.rows().await?, before)
}

/// A record without an event of its own must know how long its stream is.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn a_record_made_from_an_old_one_is_a_conflict(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 5).await?;
    let commit = desk.new_letter();
    desk.store()?.commit(commit.clone()).await?;
    let mut stale = Commit {
        letters: commit.letters,
        ..Commit::default()
    };
    desk.store()?.commit(stale.clone()).await?;
    for events in [0, 1, 3] {
        stale
            .letters
            .iter_mut()
            .for_each(|letter| letter.events = events);
        let refused = desk.store()?.commit(stale.clone()).await;
        conflict(&format!("made at {events} events"), refused)?;
    }
    desk.assert_clean().await
}

/// Two readers of one document's row cannot both make a version of it.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn versions_of_a_document_cannot_overtake_each_other(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 6).await?;
    desk.take("DOC-1", "first").await?;
    let known = desk.known("DOC-1").await?;
    equal("before", (known.latest, known.copies.len()), (1, 0))?;
    let mut version = |text: &str| {
        let intake = desk.intake("DOC-1", text);
        let known = Some(known.clone());
        desk.engine.intake(desk.now, intake, known, None).commit
    };
    let (first, late) = (version("second"), version("another"));
    let mut row = there("its document", first.document.clone())?;
    desk.store()?.commit(first).await?;
    conflict("the later of two", desk.store()?.commit(late).await)?;
    // The row by itself, whatever else would be refused.
    for expected in [None, Some(1), Some(3)] {
        row.expected = expected;
        let change = Commit {
            document: Some(row.clone()),
            ..Commit::default()
        };
        let refused = desk.store()?.commit(change).await;
        conflict(&format!("a row expected at {expected:?}"), refused)?;
    }
    let view = desk.known("DOC-1").await?;
    equal("versions", (view.latest, view.letter.version), (2, 2))?;
    let unknown = desk.document("DOC-2").await?;
    is_true("an unknown document is not there", unknown.is_none())?;
    desk.assert_clean().await
}

/// A document's row leads to its letter with all of its copies.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn a_document_shows_the_letter_that_stands(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 7).await?;
    desk.take("DOC-1", "first").await?;
    desk.work_off().await?;
    let view = desk.known("DOC-1").await?;
    equal("letter", view.letter.state, LetterState::Routed)?;
    equal("copies", view.copies.len(), 1)?;
    let copy = there("its copy", view.copies.first())?;
    equal("its letter", copy.letter, view.letter.key)?;
    desk.take("DOC-1", "second").await?;
    let view = desk.known("DOC-1").await?;
    equal("version", view.letter.version, 2)?;
    equal("copies of the new version", view.copies.len(), 0)
}

/// Many callers at once: each is told the truth about its own change.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn changes_at_the_same_time_are_all_durable(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 16).await?;
    let mut commits: Vec<Commit> = (0..64).map(|_| desk.new_letter()).collect();
    commits.extend(commits.get(7).cloned());
    let results = all_at_once(desk.store()?, commits).await;
    let written = results.iter().filter(|result| result.is_ok()).count();
    equal("written", written, 64)?;
    let refused = |result: &&Result<_, _>| matches!(result, Err(StoreError::Conflict));
    equal("refused", results.iter().filter(refused).count(), 1)?;
    desk.reopen().await?;
    equal("work", desk.claim(100).await?.len(), 64)?;
    desk.verify().await
}

async fn all_at_once<S: Store>(store: &S, commits: Vec<Commit>) -> Vec<Result<(), StoreError>> {
    type Running<'a> = Pin<Box<dyn Future<Output = Result<(), StoreError>> + 'a>>;
    let start = |commit| -> Running<'_> { Box::pin(store.commit(commit)) };
    let mut running: Vec<Running<'_>> = commits.into_iter().map(start).collect();
    let mut results = Vec::new();
    poll_fn(|context| {
        running.retain_mut(|commit| match commit.as_mut().poll(context) {
            Poll::Ready(result) => {
                results.push(result);
                false
            }
            Poll::Pending => true,
        });
        if running.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    results
}

/// Events about the ledger as a whole need no reader of its stream.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn notes_about_the_ledger_get_their_place_from_the_store(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 17).await?;
    for count in 0..3_i64 {
        let data = Data::new().with("practices", count);
        let note = desk.engine.note(desk.now, "ods.loaded", data);
        desk.store()?.commit(note).await?;
    }
    let places = desk.places(StreamKey::LEDGER).await?;
    equal("places", places, vec![0, 1, 2])?;
    desk.assert_clean().await
}
