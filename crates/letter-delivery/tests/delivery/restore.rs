//! A store that was brought back from a backup (design section 2, Restore).

use audit_core::{Checkpoint, Hash, Origin};
use chrono::Duration;
use letter_delivery::{
    Actor, AskResult, Commit, CopyState, LetterState, Policy, Restore, SendResult, StopError,
    Store as _, TakenAs, WorkKind,
};

use crate::world::{World, accepted, found, ready, retryable, signed, to_one, withdrawal};

fn facts() -> Restore {
    let origin = Origin::parse("ledger.example/rzz").unwrap();
    let root = Hash::from_bytes([7; 32]);
    let size = 40;
    let mut restore = Restore::new(Checkpoint { origin, size, root });
    restore.lost = Some((61, Hash::from_bytes([9; 32])));
    restore
}

fn person(world: &World) -> Actor {
    world.engine.keys().account("unix:1001")
}

/// The store is brought back, as a person's command does it.
fn restore(world: &mut World) {
    let stops = ready(world.store.stops()).unwrap();
    let by = person(world);
    let commit = world.engine.restored(world.now, &by, &stops, &facts());
    world.commit(commit.unwrap()).unwrap();
    let stops = ready(world.store.stops()).unwrap();
    let copies = world.store.rows().copies.values().cloned().collect();
    let commit = world.engine.doubt_restored(world.now, &stops, copies);
    world.commit(commit).unwrap();
}

fn reconcile(world: &mut World) -> Result<Commit, StopError> {
    let stops = ready(world.store.stops()).unwrap();
    let by = person(world);
    world.engine.reconciled(world.now, &by, &stops)
}

/// Nothing may be sent, however long it takes.
fn is_parked(world: &mut World) -> bool {
    for _ in 0..3 {
        if world.begin_if_due(WorkKind::Send).is_some() {
            return false;
        }
    }
    true
}

#[test]
fn design_2_what_was_queued_is_asked_about_first_and_found() {
    let mut world = World::queued();
    restore(&mut world);
    assert_eq!(world.copy("D-1", 1).state, CopyState::Uncertain);
    assert_eq!(world.work_due(WorkKind::Send), None);
    world.ask(found("M-BEFORE"));
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Accepted);
    assert_eq!(copy.message_id.as_deref(), Some("M-BEFORE"));
    // Facts 9, R6: the transport has what the ledger does not know.
    assert_eq!(world.sent_events("D-1", 1), ["restored", "send.found_late"]);
    world.check();
}

#[test]
fn design_2_what_mesh_does_not_have_waits_until_a_person_says_so() {
    let mut world = World::queued();
    restore(&mut world);
    world.ask(AskResult::NotFound);
    assert_eq!(world.copy("D-1", 1).state, CopyState::Uncertain);
    world.ask(AskResult::NotFound);
    let copy = world.copy("D-1", 1);
    assert_eq!((copy.state, copy.spent), (CopyState::Queued, 0));
    assert!(is_parked(&mut world), "everything is stopped");
    world.check();
    let commit = reconcile(&mut world).unwrap();
    assert_eq!(commit.events[0].actor, person(&world).to_string());
    world.commit(commit).unwrap();
    world.send(accepted("M-1"));
    assert_eq!(
        world.sent_events("D-1", 1),
        [
            "restored",
            "send.not_found",
            "send.started",
            "send.accepted"
        ]
    );
    world.check();
    assert!(matches!(
        reconcile(&mut world),
        Err(StopError::NoneStands { .. })
    ));
}

#[test]
fn design_2_an_attempt_that_was_open_in_the_backup_is_in_doubt_too() {
    let (mut world, _) = World::sending();
    restore(&mut world);
    world.ask(found("M-BEFORE"));
    assert_eq!(
        world.sent_events("D-1", 1),
        ["send.started", "restored", "send.found"]
    );
    world.check();
}

#[test]
fn design_2_a_letter_taken_after_the_restore_is_asked_about_before_its_first_send() {
    let mut world = World::new();
    world.take(signed("D-0", "makes a ledger"));
    world.prepare(to_one());
    world.send(accepted("M-0"));
    restore(&mut world);
    world.take(signed("D-1", "handed over again"));
    world.prepare(to_one());
    assert_eq!(world.copy("D-1", 1).state, CopyState::Queued);
    assert!(world.begin_if_due(WorkKind::Send).is_none());
    assert_eq!(world.copy("D-1", 1).state, CopyState::Uncertain);
    world.ask(found("M-BEFORE"));
    assert_eq!(world.copy("D-1", 1).state, CopyState::Accepted);
    world.check();
}

/// Once the lists agree, only what was signed before the restore can have left before it.
#[test]
fn design_2_what_was_signed_later_is_sent_as_ever_once_the_lists_agree() {
    let mut world = World::queued();
    restore(&mut world);
    world.ask(AskResult::NotFound);
    world.ask(AskResult::NotFound);
    let commit = reconcile(&mut world).unwrap();
    world.commit(commit).unwrap();
    world.send(accepted("M-1"));

    let restored = world.now;
    let mut take = |number: &str, signed_at| {
        let mut intake = signed(number, number);
        intake.signed_at = signed_at;
        world.take(intake);
        world.prepare(to_one());
        let is_sent = world.begin_if_due(WorkKind::Send).is_some();
        let state = world.copy(number, 1).state;
        assert_eq!(state == CopyState::Sending, is_sent);
        if !is_sent {
            world.ask(found(number));
        }
        is_sent
    };
    assert!(!take("D-OLD", Some(restored - Duration::days(3))));
    assert!(!take("D-UNKNOWN", None));
    assert!(!take("D-CLOCK", Some(restored + Duration::hours(23))));
    assert!(take("D-NEW", Some(restored + Duration::hours(30))));
}

#[test]
fn design_2_nothing_is_asked_for_ever() {
    let mut world = World::queued();
    restore(&mut world);
    world.ask(found("M-0"));
    let commit = reconcile(&mut world).unwrap();
    world.commit(commit).unwrap();
    let restored = world.now;
    world.now = restored + Duration::days(34);
    world.take(signed("D-2", "soon enough"));
    world.prepare(to_one());
    assert!(world.begin_if_due(WorkKind::Send).is_none(), "asked first");
    world.ask(found("M-2"));
    world.now = restored + Duration::days(36);
    world.take(signed("D-3", "MESH keeps nothing as long"));
    world.prepare(to_one());
    world.send(accepted("M-3"));
    world.check();
}

/// What the practice may have is not said to have been withdrawn in time.
#[test]
fn design_2_a_cancellation_waits_for_the_answer_or_tells_a_person() {
    let mut world = World::queued();
    restore(&mut world);
    assert_eq!(world.take(withdrawal("D-1")), TakenAs::Withdrawal);
    assert_eq!(world.copy("D-1", 1).state, CopyState::Uncertain);
    world.ask(found("M-BEFORE"));
    assert_eq!(world.copy("D-1", 1).state, CopyState::WithdrawalDue);
    world.check();

    let mut policy = Policy::default();
    policy.restored_at = Some(world.now);
    let mut world = World::with(policy, 3);
    world.take(signed("D-2", "handed over again"));
    world.take(withdrawal("D-2"));
    let letter = world.letter("D-2", 1);
    assert_eq!(letter.state, LetterState::Withdrawn);
    assert!(letter.alert.unwrap().contains("ask the practice"));
}

#[test]
fn design_2_a_send_that_is_tried_again_is_not_asked_about_anew() {
    let mut world = World::queued();
    restore(&mut world);
    world.ask(AskResult::NotFound);
    world.ask(AskResult::NotFound);
    let commit = reconcile(&mut world).unwrap();
    world.commit(commit).unwrap();
    world.send(retryable());
    world.send(SendResult::Accepted {
        message_id: "M-1".to_owned(),
    });
    assert_eq!(world.copy("D-1", 1).state, CopyState::Accepted);
    world.check();
}

#[test]
fn design_2_the_event_says_from_where_to_where() {
    let mut world = World::queued();
    restore(&mut world);
    let rows = world.store.rows();
    let ledger: Vec<_> = rows.of(audit_core::StreamKey::LEDGER).collect();
    assert_eq!(ledger[0].kind, "ledger.restored");
    assert_eq!(ledger[1].kind, "stop.set");
    let data = &ledger[0].data;
    assert_eq!(data.text("previous_size"), Some("40"));
    assert_eq!(data.text("lost_size"), Some("61"));
    assert_eq!(facts().events_lost(), 21);
    assert_eq!(ledger[0].actor, person(&world).to_string());
}

#[test]
fn design_5_14_only_a_person_restores() {
    let mut world = World::queued();
    let stops = ready(world.store.stops()).unwrap();
    let refused = world
        .engine
        .restored(world.now, &Actor::SERVICE, &stops, &facts());
    assert_eq!(refused.unwrap_err(), StopError::NotAPerson);
}

/// Brought back twice: what was asked about the first time is asked about again.
#[test]
fn design_2_a_second_restore_asks_again() {
    let mut world = World::queued();
    restore(&mut world);
    world.ask(AskResult::NotFound);
    world.ask(AskResult::NotFound);
    restore(&mut world);
    assert_eq!(world.copy("D-1", 1).state, CopyState::Uncertain);
    let stops = ready(world.store.stops()).unwrap();
    assert_eq!(stops.restores(), 2);
    world.ask(found("M-BEFORE"));
    for _ in 0..2 {
        let commit = reconcile(&mut world).unwrap();
        world.commit(commit).unwrap();
    }
    let stops = ready(world.store.stops()).unwrap();
    assert!(stops.open_restore().is_none());
    world.check();
}
