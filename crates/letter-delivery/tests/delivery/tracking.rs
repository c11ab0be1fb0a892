//! What became of a message: sweeps, reports, contradictions.

use chrono::Duration;
use letter_delivery::{
    Acknowledgement, Commit, CopyRecord, CopyState, Policy, Report, Saying, SeenMessage,
    Store as _, TrackResult, WorkKind,
};

use crate::world::{World, accepted, ready, retryable, unknown};

fn sent() -> World {
    let mut world = World::queued();
    world.send(accepted("M-1"));
    world
}

fn undelivered() -> TrackResult {
    TrackResult::Undelivered {
        code: "14".to_owned(),
    }
}

/// The report `REP-1` about this copy.
fn report(world: &mut World, copy: CopyRecord) -> Commit {
    let message = SeenMessage::new("RZZOT001", "REP-1", true, world.now);
    let report = Report::new(message, "14", Some("M-1".to_owned()));
    world.engine.reported(world.now, copy, report)
}

fn take_report(world: &mut World) {
    let copy = world.copy("D-1", 1);
    let commit = report(world, copy);
    world.commit(commit).unwrap();
}

/// Design section 9: per message at 1, 4 and 24 hours, then daily.
#[test]
fn design_9_a_sent_copy_is_asked_about_after_1_4_24_hours_then_daily() {
    let mut world = sent();
    let start = world.now;
    let mut hours = Vec::new();
    for _ in 0..5 {
        world.track(TrackResult::Waiting);
        hours.push((world.now - start).num_hours());
        world.check();
    }
    assert_eq!(hours, [1, 4, 24, 48, 72]);
    let copy = world.copy("D-1", 1);
    assert_eq!(
        (copy.state, copy.events),
        (CopyState::Accepted, 5),
        "waiting is no event"
    );
}

#[test]
fn an_answer_that_could_not_be_had_is_no_sweep() {
    let mut world = sent();
    let start = world.now;
    world.track(TrackResult::Unavailable);
    assert_eq!(world.copy("D-1", 1).tracked, 0);
    let pause = world.work_due(WorkKind::Track).unwrap() - world.now;
    let least = Policy::default().track_apart;
    assert!(pause >= least && pause <= Duration::minutes(15), "{pause}");
    world.track(TrackResult::Waiting);
    assert!(world.work_due(WorkKind::Track).unwrap() - start < Duration::hours(5));
    world.check();
}

/// Rule 7 of the house: collected is not received.
#[test]
fn design_5_rule_7_collected_closes_and_says_what_it_is() {
    let mut world = sent();
    world.track(TrackResult::Collected);
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Collected);
    assert_eq!(copy.closed_at, Some(world.now));
    assert_eq!(copy.duty().next_action, "none: collected, filing unproven");
    world.check();
}

#[test]
fn w_ack_a_collected_copy_stays_open_where_an_acknowledgement_is_promised() {
    let mut world = sent();
    world.track(TrackResult::Collected);
    let mut copy = world.copy("D-1", 1);
    copy.address.closes_on = letter_delivery::ClosesOn::Acknowledged;
    assert_eq!(copy.duty().alarm, "W-ACK");
    assert_eq!(copy.act_by(), Some(copy.entered_at + Duration::hours(24)));
}

#[test]
fn audit_3_2_undelivered_comes_back_to_a_person() {
    let mut world = sent();
    world.track(undelivered());
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Returned);
    assert_eq!(copy.reason.as_deref(), Some("14"));
    assert!(copy.needs_person());
    world.check();
}

#[test]
fn r5_a_message_that_mesh_forgot_is_told_once() {
    let mut world = sent();
    for _ in 0..3 {
        world.track(TrackResult::Unknown);
        world.check();
    }
    let copy = world.copy("D-1", 1);
    assert_eq!(
        (copy.state, copy.alert.as_deref()),
        (CopyState::Accepted, Some("R5"))
    );
    let told = world.sent_events("D-1", 1);
    assert_eq!(told, ["send.started", "send.accepted", "transport.unknown"]);
    world.track(TrackResult::Collected);
    assert_eq!(
        world.copy("D-1", 1).state,
        CopyState::Collected,
        "found again"
    );
}

#[test]
fn r5_is_told_beside_what_was_told_before() {
    let mut world = sent();
    let mut claimed = world.begin_next(WorkKind::Track).claimed;
    let mut copy = world.copy("D-1", 1);
    copy.alert = Some("W-DUP".to_owned());
    claimed.copy = Some(copy);
    let commit = world
        .engine
        .tracked(world.now, claimed, TrackResult::Unknown);
    assert_eq!(commit.copies[0].alert.as_deref(), Some("W-DUP; R5"));
    assert_eq!(commit.events[0].kind, "transport.unknown");
}

#[test]
fn a_report_about_an_accepted_copy() {
    let mut world = sent();
    take_report(&mut world);
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Returned);
    assert_eq!(world.work_due(WorkKind::Track), None);
    let ids = vec!["REP-1".to_owned(), "REP-2".to_owned()];
    let seen = ready(world.store.seen("RZZOT001".to_owned(), ids)).unwrap();
    assert_eq!(seen, [Some(true), None]);
    let rows = world.store.rows();
    let data = &rows.of(copy.key).last().unwrap().data;
    assert_eq!(data.text("report"), Some("REP-1"));
    assert_eq!(data.text("message_id"), Some("M-1"));
    drop(rows);
    world.check();
}

#[test]
fn the_same_report_twice_is_counted_only() {
    let mut world = sent();
    take_report(&mut world);
    let events = world.copy("D-1", 1).events;
    take_report(&mut world);
    let copy = world.copy("D-1", 1);
    assert_eq!((copy.state, copy.events), (CopyState::Returned, events));
    world.check();
}

/// Facts 3.2 rule a: what repeats the state is recorded, marked, when it says something else.
#[test]
fn audit_3_2_rule_a_a_second_report_with_another_code_is_recorded_as_dup() {
    let mut world = sent();
    take_report(&mut world);
    let copy = world.copy("D-1", 1);
    let message = SeenMessage::new("RZZOT001", "REP-2", true, world.now);
    let report = Report::new(message, "16", Some("M-1".to_owned()));
    let commit = world.engine.reported(world.now, copy.clone(), report);
    world.commit(commit).unwrap();
    let now = world.copy("D-1", 1);
    assert_eq!((now.state, now.events), (copy.state, copy.events + 1));
    let rows = world.store.rows();
    let last = rows.of(now.key).last().unwrap();
    assert_eq!(last.kind, "transport.undelivered");
    assert_eq!(
        last.data.get("dup"),
        Some(&audit_core::DataValue::Bool(true))
    );
    drop(rows);
    world.check();
}

fn acknowledge(world: &mut World, says: Saying, about: &str) {
    let copy = world.copy("D-1", 1);
    let message = SeenMessage::new("RZZOT001", format!("ACK-{}", copy.events), true, world.now);
    let said = Acknowledgement::new(message, says, None, Some(about.to_owned()));
    let commit = world.engine.acknowledged(world.now, copy, said);
    world.commit(commit).unwrap();
    world.check();
}

/// Facts 3.2: each saying of a recipient, and one that overtakes "collected".
#[test]
fn audit_3_2_business_acknowledgements_move_a_sent_copy() {
    let leads_to = [
        (Saying::Positive, CopyState::Acked),
        (Saying::Negative, CopyState::Rejected),
        (Saying::NotOurPatient, CopyState::Returned),
        (Saying::Filed, CopyState::Filed),
        (Saying::NotFiled, CopyState::Rejected),
    ];
    assert_eq!(leads_to.len(), Saying::ALL.len());
    for (says, state) in leads_to {
        let mut world = sent();
        acknowledge(&mut world, says, "M-1");
        assert_eq!(world.copy("D-1", 1).state, state);
        assert_eq!(
            world.work_due(WorkKind::Track),
            None,
            "nothing is left to ask"
        );
    }
}

/// Facts 3.2: a late contradiction after a good end is flagged, and the state stays.
#[test]
fn audit_3_2_a_negative_acknowledgement_after_filing_is_a_conflict() {
    let mut world = sent();
    acknowledge(&mut world, Saying::Filed, "M-1");
    acknowledge(&mut world, Saying::Negative, "M-1");
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Filed);
    assert_eq!(copy.alert.as_deref(), Some("contradiction: ack.negative"));
    assert!(copy.needs_person());
}

/// H19: an acknowledgement that names another message moves nothing.
#[test]
fn h19_swapped_acknowledgements_move_nothing_and_a_person_is_told() {
    let mut world = sent();
    acknowledge(&mut world, Saying::Positive, "M-OF-ANOTHER");
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Accepted);
    assert!(
        copy.alert
            .is_some_and(|alert| alert.contains("another message"))
    );
    assert_eq!(world.sent_events("D-1", 1).last().unwrap(), "anomaly");
}

#[test]
fn a_report_about_an_uncertain_copy_proves_that_mesh_had_it() {
    let mut world = World::queued();
    world.send(unknown());
    take_report(&mut world);
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Returned);
    assert_eq!(copy.message_id.as_deref(), Some("M-1"));
    assert_eq!(copy.accepted_at, Some(world.now));
    assert_eq!(world.work_due(WorkKind::Ask), None);
    world.check();
}

#[test]
fn a_report_about_a_collected_copy_reopens_it_for_a_person() {
    let mut world = sent();
    world.track(TrackResult::Collected);
    take_report(&mut world);
    let copy = world.copy("D-1", 1);
    assert_eq!((copy.state, copy.closed_at), (CopyState::Returned, None));
    world.check();
}

/// Facts 3.2 rule b: an event that is not allowed is kept, a person is told, nothing is dropped.
#[test]
fn audit_3_2_rule_b_a_report_about_a_copy_that_never_left_is_an_anomaly() {
    let mut world = World::queued();
    world.send(retryable());
    take_report(&mut world);
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Queued);
    assert_eq!(
        copy.alert.as_deref(),
        Some("unexpected: transport.undelivered")
    );
    assert_eq!(copy.accepted_at, None);
    assert!(copy.needs_person());
    assert!(world.work_due(WorkKind::Send).is_some(), "it still goes");
    let rows = world.store.rows();
    let last = rows.of(copy.key).last().unwrap();
    assert_eq!(last.kind, "anomaly");
    assert_eq!(last.data.text("event"), Some("transport.undelivered"));
    assert_eq!(last.data.text("reason"), Some("14"));
    drop(rows);
    world.check();
    world.send(accepted("M-2"));
    world.check();
}

/// A good end is kept; the contradiction is recorded and told.
#[test]
fn audit_3_2_a_late_contradiction_keeps_the_state_and_tells_a_person() {
    let mut world = World::queued();
    world.take(crate::world::signed("D-1", "corrected"));
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Superseded);
    take_report_of(&mut world, copy);
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Superseded);
    assert_eq!(
        copy.alert.as_deref(),
        Some("contradiction: transport.undelivered")
    );
    let rows = world.store.rows();
    let last = rows.of(copy.key).last().unwrap();
    assert_eq!(last.data.flag("conflict"), Some(true));
    drop(rows);
    world.check();
}

fn take_report_of(world: &mut World, copy: CopyRecord) {
    let commit = report(world, copy);
    world.commit(commit).unwrap();
}

#[test]
fn a_cancellation_opens_again_what_was_closed() {
    let mut world = sent();
    world.track(TrackResult::Collected);
    assert!(world.copy("D-1", 1).closed_at.is_some());
    world.take(crate::world::withdrawal("D-1"));
    let copy = world.copy("D-1", 1);
    assert_eq!(
        (copy.state, copy.closed_at),
        (CopyState::WithdrawalDue, None)
    );
    world.check();
}
