//! Attempts without an answer (audit-and-delivery facts 4.2).

use chrono::Duration;
use letter_delivery::{AskResult, CopyState, Policy, WorkKind};

use crate::world::{World, found, signed, to_one, unknown};

fn uncertain(change: impl FnOnce(&mut Policy)) -> World {
    let mut policy = Policy::default();
    change(&mut policy);
    let mut world = World::with(policy, 1);
    world.take(signed("D-1", "a letter"));
    world.prepare(to_one());
    world.send(unknown());
    world
}

/// Asks until MESH could not be asked for the whole of `ask_gives_up`.
fn give_up(world: &mut World) {
    while world.work_due(WorkKind::Ask).is_some() {
        world.ask(AskResult::Unavailable);
    }
}

#[test]
fn audit_4_2_mesh_is_asked_after_a_minute() {
    let mut world = uncertain(|_| {});
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Uncertain);
    assert_eq!(copy.reason.as_deref(), Some("timeout"));
    assert_eq!(
        world.work_due(WorkKind::Ask),
        Some(world.now + Duration::seconds(60))
    );
    assert_eq!(
        world.work_due(WorkKind::Send),
        None,
        "nothing is sent meanwhile"
    );
    world.ask(found("M-1"));
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Accepted);
    assert_eq!(copy.message_id.as_deref(), Some("M-1"));
    assert_eq!(copy.doubt_since, None);
    world.check();
}

#[test]
fn audit_4_2_not_found_is_believed_the_second_time() {
    let mut world = uncertain(|_| {});
    world.ask(AskResult::NotFound);
    assert_eq!(world.copy("D-1", 1).state, CopyState::Uncertain);
    assert_eq!(
        world.work_due(WorkKind::Ask),
        Some(world.now + Duration::minutes(5))
    );
    world.check();
    world.ask(AskResult::NotFound);
    let copy = world.copy("D-1", 1);
    assert_eq!((copy.state, copy.spent), (CopyState::Queued, 1));
    assert_eq!(world.work_due(WorkKind::Send), Some(world.now));
    world.send(crate::world::accepted("M-1"));
    let kinds = [
        "send.started",
        "send.unknown",
        "send.not_found",
        "send.started",
        "send.accepted",
    ];
    assert_eq!(world.sent_events("D-1", 1), kinds);
    world.check();
}

#[test]
fn design_5_rule_2_while_mesh_is_down_nothing_is_decided_and_it_is_asked_when_it_is_back() {
    // The breaker would spare MESH most of the questions; here each of them is asked.
    let mut world = uncertain(|policy| policy.breaker_failures = u32::MAX);
    let began = world.now;
    while world.now - began < Duration::hours(20) {
        world.ask(AskResult::Unreachable);
        assert_eq!(world.copy("D-1", 1).state, CopyState::Uncertain);
        assert_eq!(world.work_due(WorkKind::Send), None);
    }
    world.ask(found("M-1"));
    assert_eq!(world.copy("D-1", 1).state, CopyState::Accepted);
    world.check();
}

#[test]
fn audit_4_2_a_late_acceptance_is_found_the_second_time() {
    let mut world = uncertain(|_| {});
    world.ask(AskResult::NotFound);
    world.ask(found("M-1"));
    assert_eq!(world.copy("D-1", 1).state, CopyState::Accepted);
    world.check();
}

#[test]
fn each_doubt_is_asked_about_twice() {
    let mut world = uncertain(|_| {});
    world.ask(AskResult::NotFound);
    world.ask(AskResult::NotFound);
    world.send(unknown());
    world.ask(AskResult::NotFound);
    assert_eq!(world.copy("D-1", 1).state, CopyState::Uncertain);
    world.check();
}

/// A letter that MESH answers with a fault for ever must not go round for ever.
#[test]
fn audit_4_4_attempts_that_were_never_taken_count() {
    let mut world = uncertain(|policy| policy.attempts_max = 2);
    world.ask(AskResult::NotFound);
    world.ask(AskResult::NotFound);
    world.send(unknown());
    world.ask(AskResult::NotFound);
    world.ask(AskResult::NotFound);
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Failed);
    assert_eq!(copy.reason.as_deref(), Some("never-taken"));
    world.check();
}

#[test]
fn w_dup_several_are_accepted_and_a_person_is_told() {
    let mut world = uncertain(|_| {});
    world.ask(AskResult::Several);
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Accepted);
    assert_eq!(copy.alert.as_deref(), Some("W-DUP"));
    assert!(copy.needs_person());
    world.check();
}

#[test]
fn audit_4_2_who_cannot_be_asked_is_asked_again_for_a_while() {
    let mut world = uncertain(|_| {});
    let doubt = world.now;
    world.ask(AskResult::Unavailable);
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Uncertain);
    assert_eq!(copy.events, 5, "no event for a question without an answer");
    let order = world.begin_next(WorkKind::Ask);
    let almost = doubt + Duration::minutes(15) - Duration::milliseconds(1);
    let unavailable = || AskResult::Unavailable;
    let commit = world
        .engine
        .asked(almost, order.claimed.clone(), unavailable());
    assert!(commit.events.is_empty());
    let at = doubt + Duration::minutes(15);
    let commit = world.engine.asked(at, order.claimed, unavailable());
    assert_eq!(commit.events[0].kind, "send.unresolved_resend");
}

#[test]
fn audit_4_2_the_policy_sends_again_and_a_person_is_told() {
    let mut world = uncertain(|_| {});
    give_up(&mut world);
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Queued);
    assert!(copy.alert.unwrap().contains("double"));
    world.check();
    world.send(crate::world::accepted("M-2"));
    let events = world.sent_events("D-1", 1);
    assert!(
        events.contains(&"send.unresolved_resend".to_owned()),
        "the decision is an event"
    );
    world.check();
}

/// Found by the simulation: the doubt of an old version ended as "superseded before it was
/// accepted", which nobody knows.
#[test]
fn a_doubt_about_an_old_version_is_held_and_not_ended() {
    let mut world = uncertain(|_| {});
    world.take(signed("D-1", "a second version"));
    give_up(&mut world);
    let copy = world.copy("D-1", 1);
    assert_eq!(
        (copy.state, copy.resume),
        (CopyState::Held, Some(CopyState::Uncertain))
    );
    world.check();
}

/// Found by the simulation: a doubt that began while the clock was two days ahead was asked about
/// for two days.
#[test]
fn audit_3_2_d_a_doubt_of_a_clock_that_was_ahead_grows_old_as_any() {
    let mut world = uncertain(|_| {});
    let began = world.now;
    world.now -= Duration::hours(48);
    let mut rows = world.store.rows();
    rows.work
        .values_mut()
        .for_each(|row| row.work.due_at -= Duration::hours(48));
    drop(rows);
    give_up(&mut world);
    assert_eq!(world.copy("D-1", 1).state, CopyState::Queued);
    assert!(world.now < began - Duration::hours(46), "{}", world.now);
    world.check();
}

#[test]
fn audit_4_2_the_policy_holds() {
    let world = World::held_in_doubt();
    let copy = world.copy("D-1", 1);
    assert_eq!(
        (copy.state, copy.resume),
        (CopyState::Held, Some(CopyState::Uncertain))
    );
    assert_eq!(copy.reason.as_deref(), Some("send-unresolved"));
    world.check();
}

#[test]
fn it_is_not_sent_again_blindly_for_ever() {
    let mut world = uncertain(|policy| policy.attempts_max = 3);
    for _ in 0..2 {
        give_up(&mut world);
        assert_eq!(world.copy("D-1", 1).state, CopyState::Queued);
        world.send(unknown());
    }
    give_up(&mut world);
    assert_eq!(world.copy("D-1", 1).state, CopyState::Held);
    world.check();
}

#[test]
fn a_question_that_no_longer_matters_is_settled() {
    let mut world = uncertain(|_| {});
    world.now = world.work_due(WorkKind::Ask).unwrap();
    let mut claimed = world.claim().remove(0);
    let mut copy = world.copy("D-1", 1);
    copy.state = CopyState::Acked;
    claimed.copy = Some(copy);
    let begun = world.engine.begin(world.now, claimed);
    assert!(begun.order.is_none());
    world.commit(begun.commit).unwrap();
    assert_eq!(world.work_due(WorkKind::Ask), None);
}
