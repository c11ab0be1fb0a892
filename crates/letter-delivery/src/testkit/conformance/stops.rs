//! Emergency stops, and what they hold back.

use chrono::Duration;

use super::desk::Desk;
use super::{Failure, Outcome, Place, conflict, equal, is_true, there};
use crate::actor::Actor;
use crate::commit::{Commit, WorkKind};
use crate::engine::Job;
use crate::reason::Reason;
use crate::stop::{Scope, Stops};
use crate::store::{Claimed, Store as _};

fn reason() -> Result<Reason, Failure> {
    Reason::parse("test").map_err(Failure::new)
}

fn person<P: Place>(desk: &Desk<P>) -> Actor {
    desk.engine.keys().account("unix:1001")
}

async fn stop<P: Place>(desk: &mut Desk<P>, scope: Scope) -> Result<Commit, Failure> {
    let stops = desk.store()?.stops().await?;
    let by = person(desk);
    desk.engine
        .set_stop(desk.now, &by, &stops, scope, reason()?)
        .map_err(Failure::new)
}

async fn lift<P: Place>(desk: &mut Desk<P>, id: u32) -> Outcome {
    let stops = desk.store()?.stops().await?;
    let by = person(desk);
    let commit = desk
        .engine
        .lift_stop(desk.now, &by, &stops, id, reason()?)
        .map_err(Failure::new)?;
    Ok(desk.store()?.commit(commit).await?)
}

/// A copy that waits to be sent, claimed.
async fn about_to_send<P: Place>(desk: &mut Desk<P>) -> Result<Claimed, Failure> {
    desk.take("DOC-1", "first").await?;
    desk.work(1).await?;
    let claimed = desk.claim_one().await?;
    equal("work", claimed.work.kind, WorkKind::Send)?;
    Ok(claimed)
}

/// Between the decision to send and its commit a stop was set: the send must not begin.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn a_stop_set_meanwhile_refuses_the_send(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 21).await?;
    let mut claimed = about_to_send(&mut desk).await?;
    let begun = desk.engine.begin(desk.now, claimed.clone());
    is_true("a send", begun.order.is_some())?;
    let set = stop(&mut desk, Scope::default()).await?;
    desk.store()?.commit(set).await?;
    let before = desk.rows().await?;
    conflict("the send", desk.store()?.commit(begun.commit).await)?;
    equal("rows", desk.rows().await?, before)?;
    claimed.stops = desk.store()?.stops().await?;
    let begun = desk.engine.begin(desk.now, claimed);
    is_true("nothing is sent", begun.order.is_none())?;
    desk.store()?.commit(begun.commit).await?;
    desk.verify().await
}

/// What a stop held back goes on at once when it is lifted; what was put off for another reason
/// keeps its time, and what was stopped when the stop was lifted is not parked for nothing.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn a_lift_frees_what_is_parked_and_nothing_else(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 22).await?;
    let set = stop(&mut desk, Scope::default()).await?;
    desk.store()?.commit(set).await?;
    let claimed = about_to_send(&mut desk).await?;
    let parking = desk.engine.begin(desk.now, claimed);
    is_true("no order", parking.order.is_none())?;
    desk.store()?.commit(parking.commit).await?;
    desk.now += Duration::minutes(1);
    is_true("it waits", desk.claim(4).await?.is_empty())?;
    lift(&mut desk, 1).await?;
    let claimed = desk.claim_one().await?;
    equal("freed", claimed.work.kind, WorkKind::Send)?;
    equal(
        "attempts",
        claimed.copy.as_ref().map(|copy| copy.attempts),
        Some(0),
    )?;
    // A stop that was lifted between the decision to park and its commit parks nothing.
    let mut stale = claimed.clone();
    let set = stop(&mut desk, Scope::default()).await?;
    desk.store()?.commit(set).await?;
    stale.stops = desk.store()?.stops().await?;
    let parking = desk.engine.begin(desk.now, stale);
    lift(&mut desk, 2).await?;
    conflict("parking", desk.store()?.commit(parking.commit).await)?;
    put_off(&mut desk, claimed).await?;
    lift_another(&mut desk).await?;
    is_true("its own time stays", desk.claim(4).await?.is_empty())?;
    desk.assert_clean().await
}

async fn put_off<P: Place>(desk: &mut Desk<P>, mut claimed: Claimed) -> Outcome {
    claimed.stops = desk.store()?.stops().await?;
    let begun = desk.engine.begin(desk.now, claimed);
    desk.store()?.commit(begun.commit).await?;
    let order = there("an order", begun.order)?;
    is_true("a send", matches!(order.job, Job::Send { .. }))?;
    let code = "connect".to_owned();
    let retry = crate::outcome::SendResult::Retry {
        after: Some(Duration::minutes(5)),
        code,
        unreachable: false,
    };
    let commit = desk.engine.sent(desk.now, order.claimed, retry);
    Ok(desk.store()?.commit(commit).await?)
}

async fn lift_another<P: Place>(desk: &mut Desk<P>) -> Outcome {
    let set = stop(desk, Scope::default()).await?;
    desk.store()?.commit(set).await?;
    lift(desk, 3).await
}

/// A stop survives a restart, and two that are set at the same time do not get one number.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn stops_are_there_after_an_end_and_have_their_own_numbers(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 23).await?;
    let first = stop(&mut desk, Scope::default()).await?;
    let scope = Scope {
        source: Some("epr".to_owned()),
        ..Scope::default()
    };
    let second = stop(&mut desk, scope.clone()).await?;
    desk.store()?.commit(first).await?;
    conflict("the same number", desk.store()?.commit(second).await)?;
    let again = stop(&mut desk, scope).await?;
    desk.store()?.commit(again).await?;
    lift(&mut desk, 1).await?;
    desk.reopen().await?;
    let stops = desk.store()?.stops().await?;
    let numbers = |stops: &Stops| stops.all().iter().map(|stop| stop.id).collect::<Vec<_>>();
    equal("numbers", numbers(&stops), vec![1, 2])?;
    equal(
        "standing",
        stops.standing().map(|stop| stop.id).collect(),
        vec![2_u32],
    )?;
    equal("version", stops.version(), 3)?;
    desk.assert_clean().await
}
