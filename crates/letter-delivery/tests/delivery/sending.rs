//! Attempts: accepted, refused, tried again, blocked; budgets and the breaker.

use audit_core::StreamKey;
use chrono::Duration;
use letter_delivery::{
    BreakerState, CopyState, Job, Policy, Running, SendResult, Store as _, StoreError, WorkKind,
};

use crate::world::{
    World, accepted, ready, refused, retryable, signed, to_one, unknown, unreachable,
};

fn policy(change: impl FnOnce(&mut Policy)) -> World {
    let mut policy = Policy::default();
    change(&mut policy);
    let mut world = World::with(policy, 1);
    world.take(signed("D-1", "a letter"));
    world.prepare(to_one());
    world
}

#[test]
fn design_5_rule_1_the_attempt_is_durable_before_the_order_is_given() {
    let mut world = World::queued();
    let claimed = world.claim().remove(0);
    let begun = world.engine.begin(world.now, claimed);
    let event = &begun.commit.events[0];
    assert_eq!(
        (event.kind.as_str(), event.state.as_str()),
        ("send.started", "SENDING")
    );
    assert_eq!(event.data.int("attempt"), Some(1));
    assert_eq!(event.data.int("series"), Some(1));
    let order = begun.order.unwrap();
    let copy = order.claimed.copy.unwrap();
    assert_eq!(event.data.text("local_id"), Some(copy.local_id.as_str()));
    let Job::Send { artefact } = order.job else {
        panic!("{:?}", order.job)
    };
    let bytes = ready(world.store.payload(copy.letter, artefact)).unwrap();
    assert_eq!(bytes, b"<letter/>");
}

#[test]
fn accepted_is_followed_up() {
    let mut world = World::queued();
    world.send(accepted("M-1"));
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Accepted);
    assert_eq!(copy.accepted_at, Some(world.now));
    assert_eq!(copy.closed_at, None, "taken by MESH is not received");
    let due = world.work_due(WorkKind::Track);
    assert_eq!(due, Some(world.now + Duration::hours(1)));
    let found = ready(world.store.copy_by_message(Some("M-1".to_owned()), None)).unwrap();
    assert_eq!(found.unwrap().key, copy.key);
    let found = ready(world.store.copy_by_message(None, Some(copy.local_id))).unwrap();
    assert_eq!(found.unwrap().key, copy.key);
    world.check();
}

#[test]
fn audit_3_2_refused_needs_a_person() {
    let mut world = World::queued();
    world.send(refused());
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Failed);
    assert_eq!(copy.reason.as_deref(), Some("EPL-153"));
    assert!(copy.needs_person());
    world.check();
}

#[test]
fn audit_4_4_what_a_letter_was_refused_for_a_while_is_tried_again() {
    let mut world = World::queued();
    world.send(retryable());
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Queued);
    assert_eq!((copy.attempts, copy.spent), (1, 1));
    let pause = world.work_due(WorkKind::Send).unwrap() - world.now;
    assert!(
        pause >= Duration::seconds(1) && pause <= Duration::seconds(30),
        "{pause}"
    );
    world.send(accepted("M-1"));
    let kinds = [
        "send.started",
        "send.retryable",
        "send.started",
        "send.accepted",
    ];
    assert_eq!(world.sent_events("D-1", 1), kinds);
    world.check();
}

#[test]
fn audit_4_4_retry_after_is_honoured_within_the_budget() {
    for (asked, given) in [(Duration::minutes(7), 7), (Duration::days(9), 24 * 60)] {
        let mut world = World::queued();
        world.send(SendResult::Retry {
            after: Some(asked),
            code: "http-429".to_owned(),
            unreachable: false,
        });
        let pause = world.work_due(WorkKind::Send).unwrap() - world.now;
        assert_eq!(pause, Duration::minutes(given));
    }
}

/// Facts 4.4: whoever is asked to wait has not been refused, and neither has any other letter.
#[test]
fn audit_4_4_retry_after_spends_nothing_and_holds_for_all() {
    let mut world = World::queued();
    for _ in 0..60 {
        world.send(SendResult::Retry {
            after: Some(Duration::minutes(2)),
            code: "http-429".to_owned(),
            unreachable: false,
        });
        let idle = Running::default();
        let request = world.engine.next_claim(world.now, &idle).unwrap();
        assert_eq!(request.transport, 0, "MESH is left alone");
        let later = world.now + Duration::minutes(2);
        let request = world.engine.next_claim(later, &idle).unwrap();
        assert_eq!(request.transport, 1, "one goes as a probe");
    }
    let copy = world.copy("D-1", 1);
    assert_eq!((copy.state, copy.spent), (CopyState::Queued, 0));
    world.send(accepted("M-1"));
    let idle = world.engine.next_claim(world.now, &Running::default());
    assert_eq!(idle.unwrap().transport, usize::MAX);
    world.check();
}

/// Facts 3.2 d: a clock that is set by a day makes no storm of timers, and lets none sleep.
#[test]
fn audit_3_2_d_a_jump_of_a_day_is_recorded_and_moves_every_timer() {
    for by in [Duration::days(1), Duration::days(-1)] {
        let mut world = World::queued();
        world.send(retryable());
        let pause = world.work_due(WorkKind::Send).unwrap() - world.now;
        world.later(by);
        let commit = world.engine.clock_set(world.now, by);
        let event = &commit.events[0];
        assert_eq!(
            (event.kind.as_str(), event.stream),
            ("clock.jump", StreamKey::LEDGER)
        );
        world.commit(commit).unwrap();
        assert!(world.claim().is_empty(), "no timer ran short");
        assert_eq!(world.work_due(WorkKind::Send).unwrap() - world.now, pause);
        world.send(accepted("M-1"));
        world.check();
    }
}

#[test]
fn audit_3_2_d_a_clock_set_forward_uses_up_no_budget() {
    let mut world = World::queued();
    world.send(retryable());
    for _ in 0..3 {
        let by = Duration::days(1);
        world.later(by);
        // The first time the store was out of reach: it is said again, and counts once.
        world.engine.clock_set(world.now, by);
        let commit = world.engine.clock_set(world.now, by);
        world.commit(commit).unwrap();
        world.engine.clock_moved(world.now, by);
        world.send(retryable());
        assert_eq!(world.copy("D-1", 1).state, CopyState::Queued);
    }
    // The day itself is a budget all the same.
    world.later(Duration::days(1));
    world.send(retryable());
    assert_eq!(world.copy("D-1", 1).state, CopyState::Failed);
    world.check();
}

#[test]
fn where_a_store_is_shared_one_clock_moves_no_timer() {
    let mut world = policy(|policy| policy.alone = false);
    let commit = world.engine.clock_set(world.now, Duration::days(1));
    assert_eq!((commit.events.len(), commit.rebase), (1, None));
}

/// The budget of 50 attempts: the last that is tried again, and one past it.
#[test]
fn audit_4_4_fifty_attempts_are_the_budget() {
    let mut world = policy(|policy| policy.series_max = Duration::days(365));
    for _ in 0..49 {
        world.send(retryable());
    }
    assert_eq!(world.copy("D-1", 1).state, CopyState::Queued);
    world.send(retryable());
    let copy = world.copy("D-1", 1);
    assert_eq!((copy.state, copy.spent), (CopyState::Failed, 50));
    assert_eq!(copy.reason.as_deref(), Some("http-429"));
    assert_eq!(
        world.sent_events("D-1", 1).last().unwrap(),
        "send.exhausted"
    );
    world.check();
}

/// The budget of 24 hours: just before, and at its end.
#[test]
fn audit_4_4_a_day_is_the_budget() {
    for (tried_for, state) in [
        (
            Duration::hours(24) - Duration::milliseconds(1),
            CopyState::Queued,
        ),
        (Duration::hours(24), CopyState::Failed),
    ] {
        let mut world = World::queued();
        let start = world.now;
        world.send(retryable());
        world.now = start + tried_for;
        world.send(retryable());
        assert_eq!(world.copy("D-1", 1).state, state, "{tried_for}");
        world.check();
    }
}

#[test]
fn audit_4_4_an_outage_spends_nothing() {
    let mut world = policy(|policy| policy.attempts_max = 2);
    for _ in 0..20 {
        world.send(unreachable());
        world.later(Duration::hours(3));
    }
    let copy = world.copy("D-1", 1);
    assert_eq!(
        (copy.state, copy.attempts, copy.spent),
        (CopyState::Queued, 20, 0)
    );
    world.send(retryable());
    let copy = world.copy("D-1", 1);
    assert_eq!(
        copy.state,
        CopyState::Queued,
        "throttled after the outage is no failure"
    );
    assert_eq!(world.engine.breaker(), BreakerState::Closed, "it answered");
    world.send(accepted("M-1"));
    world.check();
}

#[test]
fn audit_4_4_an_outage_after_a_failure_uses_up_nothing_either() {
    let mut world = World::queued();
    world.send(retryable());
    world.later(Duration::hours(30));
    world.send(unreachable());
    assert_eq!(world.copy("D-1", 1).state, CopyState::Queued);
    world.check();
}

#[test]
fn audit_4_4_an_open_breaker_keeps_letters_back_unspent() {
    let mut world = World::queued();
    for _ in 0..5 {
        world.send(unreachable());
    }
    let attempts = world.copy("D-1", 1).attempts;
    let BreakerState::Open { until } = world.engine.breaker() else {
        panic!("the breaker is open");
    };
    world.take(signed("D-2", "another"));
    world.prepare(to_one());
    assert!(world.now < until);
    assert!(world.begin_if_due(WorkKind::Send).is_none(), "put off");
    assert_eq!(world.copy("D-2", 1).state, CopyState::Queued);
    assert_eq!(world.copy("D-2", 1).attempts, 0);
    assert_eq!(world.copy("D-1", 1).attempts, attempts);
    world.check();

    world.now = until;
    world.send(accepted("M-1"));
    assert_eq!(world.engine.breaker(), BreakerState::Closed);
    world.send(accepted("M-2"));
    world.check();
}

#[test]
fn our_own_wrong_settings_blame_no_letter() {
    let mut world = World::queued();
    world.send(SendResult::Blocked {
        code: "auth".to_owned(),
    });
    let copy = world.copy("D-1", 1);
    assert_eq!((copy.state, copy.spent), (CopyState::Queued, 0));
    let until = world.now + Duration::minutes(5);
    assert_eq!(world.engine.breaker(), BreakerState::Open { until });
    assert_eq!(world.work_due(WorkKind::Send), Some(until));
    world.check();
}

#[test]
fn a_restart_forgets_the_breaker_and_nothing_else() {
    let mut world = World::queued();
    for _ in 0..5 {
        world.send(unreachable());
    }
    world.restart();
    assert_eq!(world.engine.breaker(), BreakerState::Closed);
    world.send(accepted("M-1"));
    assert_eq!(world.copy("D-1", 1).attempts, 6);
    world.check();
}

/// Design section 5, rule 2: a restart never sends again without asking.
#[test]
fn design_5_rule_2_an_attempt_found_open_is_asked_about() {
    let (mut world, order) = World::sending();
    world.restart();
    assert!(
        world.claim().is_empty(),
        "the lease of the dead process still holds"
    );
    world.later(Duration::minutes(3));
    assert!(world.begin_if_due(WorkKind::Send).is_none());
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Uncertain);
    assert_eq!(copy.reason.as_deref(), Some("restart"));
    assert_eq!(
        world.work_due(WorkKind::Ask),
        Some(world.now + Duration::seconds(60))
    );

    let late = world.engine.sent(world.now, order.claimed, accepted("M-1"));
    let error = world.commit(late).unwrap_err();
    assert!(
        matches!(error, StoreError::Fenced),
        "the dead process comes back: {error}"
    );
    world.ask(crate::world::found("M-1"));
    assert_eq!(world.copy("D-1", 1).state, CopyState::Accepted);
    assert_eq!(
        world.sent_events("D-1", 1),
        ["send.started", "send.unknown", "send.found"]
    );
    world.check();
}

#[test]
fn a_row_that_moved_on_is_not_written_over() {
    let mut world = World::queued();
    world.send(accepted("M-1"));
    let order = world.begin_next(WorkKind::Track);
    world.take(crate::world::withdrawal("D-1"));
    let waiting = letter_delivery::TrackResult::Waiting;
    let stale = world.engine.tracked(world.now, order.claimed, waiting);
    assert!(stale.events.is_empty());
    assert!(matches!(world.commit(stale), Err(StoreError::Conflict)));
    assert_eq!(world.copy("D-1", 1).state, CopyState::WithdrawalDue);
    world.check();
}

#[test]
fn what_a_transport_says_never_makes_an_event_that_cannot_be_written() {
    let mut world = World::queued();
    let code = format!("a\u{0}b\n{}", "é".repeat(600));
    world.send(SendResult::Unknown { code });
    let key = world.copy("D-1", 1).key;
    let rows = world.store.rows();
    let reason = rows.of(key).last().unwrap().data.text("reason").unwrap();
    assert!(reason.starts_with("abé"));
    assert_eq!(reason.chars().count(), 500);
    drop(rows);
    world.check();
}

#[test]
fn the_local_id_is_the_same_for_every_attempt_of_a_series() {
    let mut world = World::queued();
    let id = world.copy("D-1", 1).local_id;
    world.send(retryable());
    world.send(unknown());
    world.ask(letter_delivery::AskResult::NotFound);
    world.ask(letter_delivery::AskResult::NotFound);
    world.send(accepted("M-1"));
    let copy = world.copy("D-1", 1);
    assert_eq!((copy.local_id, copy.series, copy.attempts), (id, 1, 3));
    world.check();
}
