//! Work and its leases.

use std::collections::BTreeSet;

use audit_core::StreamKey;
use chrono::Duration;

use super::desk::Desk;
use super::{Outcome, Place, equal, fenced, is_true, there};
use crate::commit::{Commit, Lane, LeaseToken, WorkChange, WorkKind};
use crate::engine::Job;
use crate::outcome::Disposition;
use crate::state::LetterState;
use crate::store::{Claimed, Store as _};

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

/// What is fresh goes before what waited long, and both before a backlog.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn audit_4_6_lanes_take_turns(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 21).await?;
    let start = desk.now;
    let mut streams = Vec::new();
    for (minute, lane) in [(1, Lane::Replay), (2, Lane::Today), (20, Lane::Today)] {
        desk.now = start + Duration::minutes(minute);
        let mut intake = desk.intake(&format!("DOC-{minute}"), "text");
        intake.lane = lane;
        let commit = desk.engine.intake(desk.now, intake, None, None).commit;
        streams.extend(commit.letters.first().map(|letter| letter.key));
        desk.store()?.commit(commit).await?;
    }
    let order = |claimed: &[Claimed]| -> Vec<Option<usize>> {
        let places = claimed
            .iter()
            .map(|one| streams.iter().position(|known| *known == one.work.stream));
        places.collect()
    };
    let mut request = desk.request(3);
    request.fresh_since = start + Duration::minutes(15);
    request.waited = 1;
    let claimed = desk.store()?.claim(request.clone()).await?;
    equal(
        "with one hand for what waited",
        order(&claimed),
        vec![Some(2), Some(1)],
    )?;
    request.tokens = desk.engine.lease_tokens(3);
    let claimed = desk.store()?.claim(request.clone()).await?;
    equal("what is left", order(&claimed), vec![Some(0)])?;
    let lane = claimed.first().map(|one| one.work.lane);
    equal("its lane", lane, Some(Lane::Replay))?;
    desk.verify().await
}

/// A destination has so many in flight, whoever holds them, and the others go on.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn audit_4_6_a_destination_has_so_many_in_flight(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 22).await?;
    queue_sends(&mut desk, 5).await?;
    desk.take("DOC-X", "to be prepared").await?;
    let mut request = desk.request(9);
    request.per_destination = 2;
    let first = desk.store()?.claim(request.clone()).await?;
    let mut kinds: Vec<WorkKind> = first.iter().map(|one| one.work.kind).collect();
    kinds.sort();
    let expected = vec![WorkKind::Prepare, WorkKind::Send, WorkKind::Send];
    equal("two sends, and what has no destination", kinds, expected)?;
    request.tokens = desk.engine.lease_tokens(9);
    let more = desk.store()?.claim(request.clone()).await?;
    equal("while they go on", more.len(), 0)?;
    let mut sends = first
        .into_iter()
        .filter(|one| one.work.destination.is_some());
    let first = there("a send", sends.next())?;
    let (stream, token) = (first.work.stream, first.token);
    desk.store()?.commit(done(stream, token)).await?;
    request.tokens = desk.engine.lease_tokens(9);
    let more = desk.store()?.claim(request).await?;
    equal("one has ended", more.len(), 1)
}

/// A pace is kept by the store, so that a restart does not begin it anew.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn audit_4_6_a_pace_outlives_an_end(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 23).await?;
    queue_sends(&mut desk, 3).await?;
    let mut counts = Vec::new();
    for seconds in [0, 0, 59, 1, 30, 30] {
        desk.now += Duration::seconds(seconds);
        desk.reopen().await?;
        let mut request = desk.request(9);
        request.today_apart = Some(Duration::minutes(1));
        request.lease_until = desk.now + Duration::hours(1);
        counts.push(desk.store()?.claim(request).await?.len());
    }
    equal("claimed", counts, vec![1, 0, 0, 1, 0, 1])?;
    desk.verify().await
}

/// Puts so many copies for one mailbox into the queue.
async fn queue_sends<P: Place>(desk: &mut Desk<P>, count: usize) -> Outcome {
    for _ in 0..count {
        let commit = desk.new_letter();
        desk.store()?.commit(commit).await?;
        let mut request = desk.request(1);
        request.transport = 0;
        let claimed = desk.store()?.claim(request).await?;
        let prepare = there("to be prepared", claimed.into_iter().next())?;
        equal("kind", prepare.work.kind, WorkKind::Prepare)?;
        let commit = desk.outcome(prepare, &Job::Prepare);
        desk.store()?.commit(commit).await?;
    }
    Ok(())
}

/// A lease that is renewed lasts; one that was lost is not had back.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn a_lease_lasts_as_long_as_it_is_renewed(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 24).await?;
    desk.take("DOC-1", "first").await?;
    let old = desk.claim_one().await?;
    let lease = desk.engine.policy().lease;
    let held = (old.work.stream, old.token);
    let forged = (old.work.stream, LeaseToken::from_random([9; 16]));
    let until = desk.now + lease * 2;
    let renewed = desk.store()?.renew(vec![held, forged], until).await?;
    equal("renewed", renewed, vec![true, false])?;
    desk.now += lease;
    is_true("it is still held", desk.claim(1).await?.is_empty())?;
    desk.now += lease;
    let new = desk.claim_one().await?;
    equal("claimed when it ended", new.work.stream, old.work.stream)?;
    let renewed = desk.store()?.renew(vec![held], desk.now + lease).await?;
    equal("the old holder", renewed, vec![false])?;
    let commit = desk.outcome(new, &Job::Prepare);
    desk.store()?.commit(commit).await?;
    desk.verify().await
}

/// When the clock is set, timers, leases and paces keep the time that was left to them.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn audit_3_2_d_timers_keep_their_time_when_the_clock_is_set(
    place: impl Place,
) -> Outcome {
    let mut desk = Desk::new(place, 25).await?;
    for days in [1, -1, -1] {
        queue_sends(&mut desk, 2).await?;
        let mut request = desk.request(1);
        request.today_apart = Some(Duration::minutes(1));
        let send = desk.store()?.claim(request.clone()).await?;
        equal("one goes", send.len(), 1)?;
        let from = desk.now + Duration::seconds(30);
        let to = from + Duration::days(days);
        let commit = Commit {
            rebase: Some(to - from),
            ..Commit::default()
        };
        desk.store()?.commit(commit).await?;
        let mut paced = async |at| {
            request.now = at;
            request.lease_until = at + Duration::minutes(3);
            request.tokens = desk.engine.lease_tokens(1);
            let claimed = desk.store()?.claim(request.clone()).await?;
            Ok::<usize, super::Failure>(claimed.len())
        };
        equal("the pace", paced(to + Duration::seconds(29)).await?, 0)?;
        equal("its time", paced(to + Duration::seconds(30)).await?, 1)?;
        desk.now = to + desk.engine.policy().lease + Duration::minutes(1);
        desk.verify().await?;
        desk.work_off().await?;
    }
    // What is left is to be asked about in an hour by the new time.
    is_true("not yet due", desk.claim(9).await?.is_empty())?;
    desk.now += Duration::days(2);
    is_true("due", !desk.claim(9).await?.is_empty())
}
