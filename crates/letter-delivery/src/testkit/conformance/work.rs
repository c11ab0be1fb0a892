//! Work and its leases.

use std::collections::BTreeSet;

use audit_core::StreamKey;
use chrono::Duration;

use super::desk::Desk;
use super::{Outcome, Place, equal, fenced, is_true, there};
use crate::commit::{Commit, LeaseToken, WorkChange, WorkKind};
use crate::engine::Job;
use crate::outcome::Disposition;
use crate::state::LetterState;
use crate::store::Store as _;

/// What is under a lease is claimed by nobody else.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn nobody_gets_a_piece_of_work_twice(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 8).await?;
    for _ in 0..6 {
        let commit = desk.new_letter();
        desk.store()?.commit(commit).await?;
    }
    let first = desk.claim(4).await?;
    let second = desk.claim(4).await?;
    equal("pieces", (first.len(), second.len()), (4, 2))?;
    let claimed = first.iter().chain(&second);
    let streams: BTreeSet<StreamKey> = claimed.map(|one| one.work.stream).collect();
    equal("different pieces", streams.len(), 6)?;
    is_true("nothing is left", desk.claim(4).await?.is_empty())?;
    let latest = first.iter().map(|claimed| claimed.latest_version).max();
    equal("latest version", latest, Some(1))
}

/// A worker that was too slow writes nothing any more.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn a_lease_ends_at_its_time_and_its_old_holder_is_fenced(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 9).await?;
    desk.take("DOC-1", "first").await?;
    let old = desk.claim_one().await?;
    desk.now = desk.now + desk.engine.policy().lease - Duration::milliseconds(1);
    is_true("the lease holds", desk.claim(1).await?.is_empty())?;
    desk.now += Duration::milliseconds(1);
    let new = desk.claim_one().await?;
    equal("the same work", new.work.stream, old.work.stream)?;
    let before = desk.rows().await?;
    let late = desk.outcome(old, &Job::Prepare);
    fenced("the old holder", desk.store()?.commit(late).await)?;
    equal("rows", desk.rows().await?, before)?;
    let good = desk.outcome(new.clone(), &Job::Prepare);
    desk.store()?.commit(good).await?;
    // The work is done: its token opens nothing any more.
    let done = done(new.work.stream, new.token);
    fenced("after the work", desk.store()?.commit(done).await)?;
    desk.verify().await
}

fn done(stream: StreamKey, token: LeaseToken) -> Commit {
    Commit {
        fence: Some((stream, token)),
        work: vec![WorkChange::Done(stream)],
        ..Commit::default()
    }
}

/// Everything a fenced commit holds is refused with it, also what needs no lease.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn a_refused_lease_writes_nothing(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 18).await?;
    desk.take("DOC-1", "first").await?;
    let claimed = desk.claim_one().await?;
    let before = desk.rows().await?;
    let mut other = desk.new_letter();
    other.fence = Some((claimed.work.stream, LeaseToken::from_random([7; 16])));
    fenced("a forged token", desk.store()?.commit(other).await)?;
    equal("rows", desk.rows().await?, before)
}

/// Work that is free is under no lease, so no token is the right one.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn work_that_nobody_claimed_has_no_token_that_fits(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 10).await?;
    let commit = desk.new_letter();
    let stream = there("a letter", commit.letters.first())?.key;
    desk.store()?.commit(commit).await?;
    let forged = done(stream, LeaseToken::from_random([0; 16]));
    fenced("a forged token", desk.store()?.commit(forged).await)
}

/// Not a millisecond early, unless it may be pulled forward.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn work_is_due_at_its_time_and_may_be_pulled_forward(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 11).await?;
    desk.take("DOC-1", "first").await?;
    desk.work_off().await?;
    // What is left is to ask what became of it, first after an hour.
    let at = desk.now;
    desk.now = at + Duration::hours(1) - Duration::milliseconds(1);
    is_true("it is not due", desk.claim(1).await?.is_empty())?;
    desk.now = at;
    let early = desk
        .request(1)
        .pulling_forward_to(at - Duration::seconds(1));
    let early = desk.store()?.claim(early).await?;
    is_true("it is not pulled so far", early.is_empty())?;
    let pulled = desk.request(1).pulling_forward_to(at);
    let claimed = desk.store()?.claim(pulled).await?;
    let claimed = there("what may be pulled forward", claimed.first())?;
    equal("kind", claimed.work.kind, WorkKind::Track)?;
    is_true("its copy is with it", claimed.copy.is_some())
}

/// When not all can be claimed, what is due longest is.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn work_that_waited_longest_comes_first(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 19).await?;
    let mut streams = Vec::new();
    let start = desk.now;
    for minute in [3, 1, 2] {
        desk.now = start + Duration::minutes(minute);
        let commit = desk.new_letter();
        streams.extend(commit.letters.first().map(|letter| letter.key));
        desk.store()?.commit(commit).await?;
    }
    desk.now = start + Duration::minutes(10);
    let mut order = Vec::new();
    for _ in 0..3 {
        let stream = desk.claim_one().await?.work.stream;
        order.extend(streams.iter().position(|known| *known == stream));
    }
    equal("order", order, vec![1, 2, 0])
}

/// A cancelled version holds no older one back, a newer one does.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn the_latest_version_is_the_latest_that_counts(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 20).await?;
    desk.take("DOC-1", "first").await?;
    let prepare = desk.claim_one().await?;
    let commit = desk.outcome(prepare, &Job::Prepare);
    desk.store()?.commit(commit).await?;
    let send = desk.claim_one().await?;
    equal("alone", send.latest_version, 1)?;
    // The attempt is open when the next version comes: the copy stays.
    let begun = desk.engine.begin(desk.now, send);
    desk.store()?.commit(begun.commit).await?;
    desk.take("DOC-1", "second").await?;
    desk.now += desk.engine.policy().lease;
    let claimed = desk.claim(2).await?;
    let latest: Vec<u32> = claimed.iter().map(|one| one.latest_version).collect();
    equal("with a second", latest, vec![2, 2])?;
    let mut cancelled = desk.intake("DOC-1", "cancelled");
    cancelled.disposition = Disposition::Withdraw;
    desk.take_in(cancelled).await?;
    let view = desk.known("DOC-1").await?;
    equal("the second", view.letter.state, LetterState::Withdrawn)?;
    desk.now += desk.engine.policy().lease;
    let send = desk.claim_one().await?;
    equal("the second does not count", send.latest_version, 1)
}
