//! What is kept comes back.

use audit_core::StreamKey;
use chrono::Duration;

use super::desk::{Desk, MAILBOX};
use super::{Failure, Outcome, Place, equal, is_true, there};
use crate::commit::{Commit, SeenMessage};
use crate::keys::{LocalId, PayloadId};
use crate::reason::Reason;
use crate::record::CopyRecord;
use crate::store::{Store as _, StoreError};

/// The seen-set: ours, a stranger's, never met; by mailbox.
///
/// # Errors
///
/// [`Failure`].
pub async fn messages_that_were_dealt_with_are_known(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 13).await?;
    let commit = Commit {
        seen: vec![
            SeenMessage::new(MAILBOX, "M-1", true, desk.now),
            SeenMessage::new(MAILBOX, "M-2", false, desk.now),
        ],
        ..Commit::default()
    };
    desk.store()?.commit(commit.clone()).await?;
    desk.store()?.commit(commit).await?;
    desk.reopen().await?;
    let ids = || ["M-3", "M-2", "M-1"].map(str::to_owned).to_vec();
    let known = desk.store()?.seen(MAILBOX.to_owned(), ids()).await?;
    equal("here", known, vec![None, Some(false), Some(true)])?;
    let other = desk.store()?.seen("RYYOT001".to_owned(), ids()).await?;
    equal("in another mailbox", other, vec![None, None, None])?;
    desk.assert_clean().await
}

/// The message's id decides; the local id helps where MESH names none that is known.
///
/// # Errors
///
/// [`Failure`].
pub async fn a_copy_is_found_by_its_message_first_and_by_local_id_then(
    place: impl Place,
) -> Outcome {
    let mut desk = Desk::new(place, 14).await?;
    desk.take("DOC-1", "first").await?;
    desk.take("DOC-2", "second").await?;
    desk.work_off().await?;
    let one = only_copy(&desk, "DOC-1").await?;
    let two = only_copy(&desk, "DOC-2").await?;
    let stranger = LocalId::of(StreamKey::from_bytes([1; 16]), 1, 1);
    let (message, local) = (one.message_id.as_deref(), Some(&two.local_id));
    equal(
        "by message",
        found(&desk, message, None).await?,
        Some(one.key),
    )?;
    equal(
        "by both",
        found(&desk, message, local).await?,
        Some(one.key),
    )?;
    equal(
        "by local id",
        found(&desk, None, local).await?,
        Some(two.key),
    )?;
    let unknown = Some("no such message");
    let by_local = found(&desk, unknown, local).await?;
    equal("by local id then", by_local, Some(two.key))?;
    let by_neither = found(&desk, unknown, Some(&stranger)).await?;
    equal("by neither", by_neither, None)?;
    equal("by nothing", found(&desk, None, None).await?, None)
}

async fn only_copy<P: Place>(desk: &Desk<P>, document: &str) -> Result<CopyRecord, Failure> {
    let view = desk.known(document).await?;
    there("its copy", view.copies.into_iter().next())
}

async fn found<P: Place>(
    desk: &Desk<P>,
    message: Option<&str>,
    local: Option<&LocalId>,
) -> Result<Option<StreamKey>, Failure> {
    let message = message.map(str::to_owned);
    let copy = desk
        .store()?
        .copy_by_message(message, local.cloned())
        .await?;
    Ok(copy.map(|copy| copy.key))
}

/// Empty ones, small ones, a large one; a content is opened for its own letter only.
///
/// # Errors
///
/// [`Failure`].
pub async fn a_content_comes_back_byte_for_byte_and_to_its_letter_only(
    place: impl Place,
) -> Outcome {
    let mut desk = Desk::new(place, 15).await?;
    let mut commit = desk.new_letter();
    let letter = there("a letter", commit.letters.first())?.key;
    let pattern = there("a content", commit.payloads.first().cloned())?;
    let large = (0..=255_u8).collect::<Vec<_>>().repeat(5000);
    for (number, content) in (1_u8..).zip([Vec::new(), vec![0], large]) {
        let mut payload = pattern.clone();
        payload.id = PayloadId::from_random([number; 16]);
        payload.bytes = content;
        commit.payloads.push(payload);
    }
    let held = commit.payloads.clone();
    desk.store()?.commit(commit).await?;
    desk.reopen().await?;
    let stranger = StreamKey::from_bytes([9; 16]);
    for payload in held {
        let read = desk.store()?.payload(letter, payload.id).await?;
        is_true("it is what was kept", read == payload.bytes)?;
        let refused = desk.store()?.payload(stranger, payload.id).await;
        corrupt("for another letter", &refused)?;
    }
    let unknown = PayloadId::from_random([0xEE; 16]);
    corrupt("unknown", &desk.store()?.payload(letter, unknown).await)
}

fn corrupt(what: &str, result: &Result<Vec<u8>, StoreError>) -> Outcome {
    is_true(what, matches!(result, Err(StoreError::Corrupt(_))))
}

/// Records, work and leases outlive the process.
///
/// # Errors
///
/// [`Failure`].
pub async fn what_is_durable_is_there_after_an_end(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 21).await?;
    desk.take("DOC-1", "first").await?;
    desk.take("DOC-2", "second").await?;
    let claimed = desk.claim_one().await?;
    let before = desk.known("DOC-1").await?;
    desk.reopen().await?;
    let after = desk.known("DOC-1").await?;
    equal("letter", after.letter, before.letter)?;
    equal("work that is free", desk.claim(9).await?.len(), 1)?;
    desk.now += desk.engine.policy().lease;
    let again = desk.claim(9).await?;
    let is_there = again.iter().any(|one| one.work == claimed.work);
    is_true("work whose holder died comes again", is_there)
}

/// Contents and references go with their letter's key; events stay, and so do others' contents.
///
/// # Errors
///
/// [`Failure`].
pub async fn what_was_erased_is_gone_and_its_events_stay(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 21).await?;
    desk.take("DOC-1", "erased").await?;
    desk.take("DOC-2", "kept").await?;
    desk.work_off().await?;
    desk.now += Duration::hours(2);
    desk.work_off().await?;
    let view = desk.known("DOC-1").await?;
    let letter = view.letter.key;
    let contents = view.letter.content.into_iter();
    let contents = contents.chain(view.copies.iter().filter_map(|copy| copy.artefact));
    let contents: Vec<PayloadId> = contents.collect();
    equal("contents", contents.len(), 2)?;
    let events = desk.places(letter).await?.len();
    let rule = Reason::of_ours("retention");
    let expired = desk
        .engine
        .expire(desk.now, view.letter, view.copies, &rule);
    let expired = expired.map_err(Failure::new)?;
    desk.store()?.commit(expired.commit).await?;
    for _ in 0..2 {
        for id in &contents {
            let gone = desk.store()?.payload(letter, *id).await;
            let gone = matches!(gone, Err(StoreError::Corrupt(_)));
            is_true("an erased content does not open", gone)?;
        }
        equal("events", desk.places(letter).await?.len(), events + 1)?;
        let erased = desk.known("DOC-1").await?.letter;
        equal("erased at", erased.erased_at, Some(desk.now))?;
        let kept = desk.known("DOC-2").await?.letter;
        let id = there("the other's content", kept.content)?;
        let text = desk.store()?.payload(kept.key, id).await?;
        equal("the other's content", text, b"neutral kept".to_vec())?;
        desk.verify().await?;
        desk.reopen().await?;
    }
    Ok(())
}
