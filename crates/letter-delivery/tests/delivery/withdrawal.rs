//! The source cancels a document: before it left, after, and while nobody knows.

use audit_core::StreamKey;
use chrono::Duration;
use letter_delivery::{
    AskResult, CopyState, Disposition, LetterState, Report, SeenMessage, TakenAs, WorkKind,
};

use crate::world::{
    World, accepted, document, found, refused, retryable, signed, to_one, unknown, withdrawal,
};

#[test]
fn before_it_is_prepared() {
    let mut world = World::new();
    world.take(signed("D-1", "a letter"));
    assert_eq!(world.take(withdrawal("D-1")), TakenAs::Withdrawal);
    assert_eq!(world.letter("D-1", 1).state, LetterState::Withdrawn);
    assert_eq!(world.work_due(WorkKind::Prepare), None);
    assert_eq!(world.take(withdrawal("D-1")), TakenAs::Duplicate);
    world.check();
}

#[test]
fn before_it_is_sent() {
    let mut world = World::queued();
    world.take(withdrawal("D-1"));
    assert_eq!(world.copy("D-1", 1).state, CopyState::Withdrawn);
    assert_eq!(world.work_due(WorkKind::Send), None);
    world.check();
}

#[test]
fn with_the_words_of_the_letter_itself() {
    let mut world = World::queued();
    let same_words = document("D-1", "a letter", Disposition::Withdraw);
    assert_eq!(world.take(same_words), TakenAs::Withdrawal);
    assert_eq!(world.copy("D-1", 1).state, CopyState::Withdrawn);
    world.check();
}

#[test]
fn after_it_was_sent_the_practice_must_be_told() {
    let mut world = World::queued();
    world.send(accepted("M-1"));
    world.take(withdrawal("D-1"));
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::WithdrawalDue);
    assert!(copy.needs_person());
    world.check();

    world.track(letter_delivery::TrackResult::Collected);
    let copy = world.copy("D-1", 1);
    assert_eq!(
        copy.state,
        CopyState::WithdrawalDue,
        "collected meanwhile: still to be told"
    );
    assert_eq!(
        world.sent_events("D-1", 1).last().unwrap(),
        "transport.collected"
    );
    world.check();
}

#[test]
fn while_sending_it_is_carried_through_once_mesh_has_it() {
    let (mut world, order) = World::sending();
    world.take(withdrawal("D-1"));
    let copy = world.copy("D-1", 1);
    assert_eq!(
        (copy.state, copy.withdraw_pending),
        (CopyState::Sending, true)
    );
    let mut claimed = order.claimed;
    claimed.copy = Some(copy);
    let commit = world.engine.sent(world.now, claimed, accepted("M-1"));
    world.commit(commit).unwrap();
    let copy = world.copy("D-1", 1);
    assert_eq!(
        (copy.state, copy.withdraw_pending),
        (CopyState::WithdrawalDue, false)
    );
    assert_eq!(copy.message_id.as_deref(), Some("M-1"));
    world.check();
}

#[test]
fn while_sending_it_is_carried_through_once_mesh_refused_it() {
    for (result, last) in [(refused(), "send.refused"), (retryable(), "send.retryable")] {
        let (mut world, order) = World::sending();
        world.take(withdrawal("D-1"));
        let mut claimed = order.claimed;
        claimed.copy = Some(world.copy("D-1", 1));
        let commit = world.engine.sent(world.now, claimed, result);
        world.commit(commit).unwrap();
        world.check();
        if last == "send.retryable" {
            let order = world.begin_if_due(WorkKind::Send);
            assert!(order.is_none(), "nothing is sent any more");
        }
        assert_eq!(world.copy("D-1", 1).state, CopyState::Withdrawn, "{last}");
        world.check();
    }
}

#[test]
fn while_uncertain_it_is_carried_through_once_mesh_answered() {
    for answer in [found("M-1"), AskResult::Several, AskResult::NotFound] {
        let mut world = World::queued();
        world.send(unknown());
        world.take(withdrawal("D-1"));
        assert!(world.copy("D-1", 1).withdraw_pending);
        world.ask(answer.clone());
        if answer == AskResult::NotFound {
            world.ask(answer.clone());
            assert!(world.begin_if_due(WorkKind::Send).is_none());
        }
        let expected = match answer {
            AskResult::NotFound => CopyState::Withdrawn,
            _ => CopyState::WithdrawalDue,
        };
        assert_eq!(world.copy("D-1", 1).state, expected, "{answer:?}");
        world.check();
    }
}

#[test]
fn while_uncertain_it_is_never_sent_again_blindly() {
    let mut world = World::queued();
    world.send(unknown());
    world.take(withdrawal("D-1"));
    while world.work_due(WorkKind::Ask).is_some() {
        world.ask(AskResult::Unavailable);
    }
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Held);
    assert_eq!(copy.resume, Some(CopyState::Uncertain));
    assert!(copy.withdraw_pending, "whoever decides must know");
    world.check();
}

#[test]
fn of_a_held_doubt_it_waits_on() {
    let mut world = World::held_in_doubt();
    world.take(withdrawal("D-1"));
    let copy = world.copy("D-1", 1);
    assert_eq!((copy.state, copy.withdraw_pending), (CopyState::Held, true));
    world.check();
}

#[test]
fn a_report_that_it_came_back_carries_it_through() {
    let mut world = World::queued();
    world.send(unknown());
    world.take(withdrawal("D-1"));
    let message = SeenMessage::new("RZZOT001", "REP-1", true, world.now);
    let report = Report::new(message, "14", Some("M-1".to_owned()));
    let commit = world
        .engine
        .reported(world.now, world.copy("D-1", 1), report);
    world.commit(commit).unwrap();
    assert_eq!(world.copy("D-1", 1).state, CopyState::Withdrawn);
    world.check();
}

#[test]
fn of_a_draft_and_of_a_held_letter() {
    for disposition in [Disposition::Draft, Disposition::Hold] {
        let mut world = World::new();
        world.take(document("D-1", "words", disposition));
        world.take(withdrawal("D-1"));
        assert_eq!(world.letter("D-1", 1).state, LetterState::Withdrawn);
        world.check();
    }
}

#[test]
fn of_an_unknown_document_its_late_content_is_held() {
    let mut world = World::new();
    assert_eq!(world.take(withdrawal("D-1")), TakenAs::Withdrawal);
    assert_eq!(world.letter("D-1", 1).state, LetterState::Withdrawn);
    let late = world.take(signed("D-1", "late"));
    assert_eq!(late, TakenAs::Letter(LetterState::Held));
    assert_eq!(
        world.letter("D-1", 2).reason.as_deref(),
        Some("cancelled-before")
    );
    let next = world.take(signed("D-1", "later still"));
    assert_eq!(
        next,
        TakenAs::Letter(LetterState::Held),
        "until a person decided"
    );
    world.check();
}

#[test]
fn of_a_sent_letter_its_replay_is_held() {
    let mut world = World::queued();
    world.send(accepted("M-1"));
    world.take(withdrawal("D-1"));
    let replay = world.take(signed("D-1", "a letter"));
    assert_eq!(replay, TakenAs::Letter(LetterState::Held), "not sent again");
    assert_eq!(
        world.letter("D-1", 2).reason.as_deref(),
        Some("cancelled-before")
    );
    world.check();
}

#[test]
fn a_second_other_cancellation_is_recorded_with_its_content() {
    let mut world = World::new();
    world.take(signed("D-1", "a letter"));
    world.take(withdrawal("D-1"));
    let mut second = withdrawal("D-1");
    second.content = [9; 32];
    assert_eq!(world.take(second), TakenAs::Withdrawal);
    let key = world.letter("D-1", 1).key;
    let kinds = [
        "epr.signed_off",
        "parsed",
        "withdraw.received",
        "withdraw.received",
    ];
    assert_eq!(world.store.rows().kinds(key), kinds);
    world.check();
}

/// The practice has version 1; version 2 is cancelled before it goes: it must still be told.
#[test]
fn of_a_version_whose_earlier_one_had_left_a_person_is_told() {
    let mut world = World::queued();
    world.send(accepted("M-1"));
    world.take(signed("D-1", "corrected"));
    assert_eq!(world.letter("D-1", 2).alert, None);
    world.take(withdrawal("D-1"));
    let letter = world.letter("D-1", 2);
    assert_eq!(letter.state, LetterState::Withdrawn);
    assert!(letter.needs_person(), "{:?}", letter.alert);
    world.check();
}

#[test]
fn a_superseded_version_that_never_left_alerts_nobody() {
    let mut world = World::queued();
    world.take(signed("D-1", "corrected"));
    world.prepare(to_one());
    world.later(Duration::minutes(1));
    world.take(withdrawal("D-1"));
    assert_eq!(world.letter("D-1", 2).alert, None);
    assert_ne!(world.letter_key("D-1", 2), StreamKey::LEDGER);
    world.check();
}
