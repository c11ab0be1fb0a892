//! Routing and shaping: copies, holds, passing faults.

use audit_core::Data;
use chrono::Duration;
use letter_delivery::{
    CopyState, LetterState, Owner, Policy, Prepared, PreparedCopy, Route, WorkKind,
};

use crate::world::{World, address, shaped, signed, to_one};

fn taken() -> World {
    let mut world = World::new();
    world.take(signed("D-1", "a letter"));
    world
}

fn later() -> Prepared {
    Prepared::Later {
        reason: "lookup-failed".to_owned(),
        after: Duration::minutes(10),
    }
}

fn stopped(route: Route) -> Prepared {
    Prepared::Stopped {
        route,
        reason: "no-mailbox".to_owned(),
        evidence: Data::new().with("rule", "R12b"),
    }
}

#[test]
fn each_recipient_and_road_has_a_copy_of_its_own() {
    let mut world = taken();
    let copy = |text| PreparedCopy::new(address(), Data::new(), Ok(shaped(text)));
    world.prepare(Prepared::Copies(vec![copy("one"), copy("two")]));
    let letter = world.letter("D-1", 1);
    let copies = world.store.rows().copies_of(letter.key);
    assert_eq!(letter.copies, 2);
    assert_eq!(copies.len(), 2);
    assert_ne!(copies[0].key, copies[1].key);
    assert_ne!(copies[0].local_id, copies[1].local_id);
    assert!(copies.iter().all(|copy| copy.state == CopyState::Queued));
    world.check();
}

/// Design section 5, rule 5: a passing fault is retried within the due time, and then held.
#[test]
fn design_5_rule_5_a_lookup_that_fails_is_tried_until_the_due_time() {
    let mut world = World::new();
    let mut intake = signed("D-1", "a letter");
    let due = world.now + Duration::hours(2);
    intake.due_at = Some(due);
    world.take(intake);
    let mut tries = 0;
    while world.letter("D-1", 1).state == LetterState::Parsed {
        tries += 1;
        world.prepare(later());
        world.check();
    }
    assert_eq!(tries, 13, "every ten minutes until the due time");
    assert_eq!(world.now, due);
    let letter = world.letter("D-1", 1);
    assert_eq!(letter.state, LetterState::Held);
    assert_eq!(letter.reason.as_deref(), Some("lookup-failed"));
    assert_eq!(letter.events, 3, "tries are no events");
}

#[test]
fn a_lookup_is_tried_a_while_also_when_the_letter_came_late() {
    let mut world = World::new();
    let mut intake = signed("D-1", "a letter");
    intake.due_at = Some(world.now - Duration::days(1));
    world.take(intake);
    world.prepare(later());
    assert_eq!(world.letter("D-1", 1).state, LetterState::Parsed);
    world.prepare(later());
    assert_eq!(
        world.letter("D-1", 1).state,
        LetterState::Parsed,
        "10 minutes"
    );
    world.prepare(later());
    assert_eq!(
        world.letter("D-1", 1).state,
        LetterState::Held,
        "20 minutes"
    );
}

#[test]
fn a_lookup_without_a_due_time_is_given_up_after_a_day() {
    let mut world = taken();
    let start = world.now;
    let order = world.begin_next(WorkKind::Prepare);
    let day = Policy::default().lookup_gives_up;
    let almost = start + day - Duration::milliseconds(1);
    let commit = world
        .engine
        .prepared(almost, order.claimed.clone(), later());
    assert!(commit.letters.is_empty());
    let commit = world.engine.prepared(start + day, order.claimed, later());
    assert_eq!(commit.letters[0].state, LetterState::Held);
}

#[test]
fn gp_routing_12_what_cannot_be_routed_is_held_with_its_reason() {
    for route in [Route::Hold, Route::Ambiguous, Route::OtherRoad, Route::Send] {
        let mut world = taken();
        world.prepare(stopped(route));
        let letter = world.letter("D-1", 1);
        assert_eq!(letter.state, LetterState::Held, "{route:?}");
        assert_eq!(letter.resume, Some(LetterState::Parsed));
        assert_eq!(letter.reason.as_deref(), Some("no-mailbox"));
        assert_eq!(letter.state.duty().owner, Owner::ServiceDesk);
        let rows = world.store.rows();
        assert_eq!(
            rows.of(letter.key).last().unwrap().data.text("rule"),
            Some("R12b")
        );
        drop(rows);
        world.check();
    }
}

#[test]
fn a_route_that_withholds_ends_the_letter() {
    let mut world = taken();
    world.prepare(stopped(Route::Withhold));
    assert_eq!(world.letter("D-1", 1).state, LetterState::Withheld);
    world.check();
}

#[test]
fn a_letter_for_nobody_is_held() {
    let mut world = taken();
    world.prepare(Prepared::Copies(Vec::new()));
    let letter = world.letter("D-1", 1);
    assert_eq!(letter.state, LetterState::Held);
    assert_eq!(letter.reason.as_deref(), Some("no-recipient"));
    world.check();
}

/// Design section 5, rule 6: what does not say what was signed never goes.
#[test]
fn design_5_rule_6_a_copy_that_cannot_be_shaped_is_held() {
    let mut world = taken();
    let lost = PreparedCopy::new(address(), Data::new(), Err("words-lost".to_owned()));
    let good = PreparedCopy::new(address(), Data::new(), Ok(shaped("good")));
    world.prepare(Prepared::Copies(vec![lost, good]));
    let letter = world.letter("D-1", 1).key;
    let copies = world.store.rows().copies_of(letter);
    assert_eq!(copies[0].state, CopyState::Held);
    assert_eq!(copies[0].resume, Some(CopyState::Routed));
    assert_eq!(copies[0].reason.as_deref(), Some("words-lost"));
    assert_eq!(copies[1].state, CopyState::Queued, "the other one goes");
    world.check();
}

#[test]
fn work_for_a_letter_that_moved_on_is_settled() {
    let mut world = taken();
    let mut claimed = world.claim().remove(0);
    claimed.letter.state = LetterState::Held;
    let begun = world.engine.begin(world.now, claimed);
    assert!(begun.order.is_none());
    world.commit(begun.commit).unwrap();
    assert_eq!(world.work_due(WorkKind::Prepare), None);
}

#[test]
fn a_result_under_an_older_lease_is_refused() {
    let mut world = taken();
    let first = world.begin_next(WorkKind::Prepare);
    world.later(Duration::minutes(3));
    let second = world.begin_next(WorkKind::Prepare);
    let late = world.engine.prepared(world.now, first.claimed, to_one());
    let error = world.commit(late).unwrap_err();
    assert!(
        matches!(error, letter_delivery::StoreError::Fenced),
        "{error}"
    );
    let commit = world.engine.prepared(world.now, second.claimed, to_one());
    world.commit(commit).unwrap();
    world.check();
}
