//! A document arrives: new, a draft, a double, a version, a replacement.

use letter_delivery::{
    CopyState, Disposition, LetterState, RefKind, StoreError, TakenAs, WorkKind,
};
use nhs_types::NhsNumber;

use crate::world::{World, accepted, document, signed, to_one, unknown};

fn version(number: &str, text: &str, version: u32) -> letter_delivery::Intake {
    let mut intake = signed(number, text);
    intake.version = Some(version);
    intake
}

#[test]
fn audit_3_2_a_new_letter_goes_the_whole_way() {
    let mut world = World::new();
    let taken = world.take(signed("D-1", "a letter"));
    assert_eq!(taken, TakenAs::Letter(LetterState::Parsed));
    world.prepare(to_one());
    assert_eq!(world.letter("D-1", 1).state, LetterState::Routed);
    world.send(accepted("M-1"));
    world.track(letter_delivery::TrackResult::Collected);

    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Collected);
    assert_eq!(copy.message_id.as_deref(), Some("M-1"));
    assert_eq!(copy.closed_at, Some(world.now));
    assert_eq!(
        world.sent_events("D-1", 1),
        ["send.started", "send.accepted", "transport.collected"]
    );
    world.check();
}

#[test]
fn a_draft_that_is_signed_goes_on_in_its_stream() {
    let mut world = World::new();
    let draft = document("D-1", "the same words", Disposition::Draft);
    assert_eq!(
        world.take(draft.clone()),
        TakenAs::Letter(LetterState::DraftSeen)
    );
    assert_eq!(world.take(draft), TakenAs::Duplicate);
    let more = document("D-1", "more words", Disposition::Draft);
    world.take(more);
    assert_eq!(world.letter("D-1", 1).events, 2);
    world.later(chrono::Duration::days(3));

    let mut same_words = signed("D-1", "more words");
    same_words.patient = Some(NhsNumber::parse("9999999484").unwrap());
    assert_eq!(world.take(same_words), TakenAs::Letter(LetterState::Parsed));
    let letter = world.letter("D-1", 1);
    let kinds = [
        "epr.draft_seen",
        "epr.draft_seen",
        "epr.signed_off",
        "parsed",
    ];
    assert_eq!(world.store.rows().kinds(letter.key), kinds);
    assert!(
        letter.subject.is_some(),
        "the patient is that of the signed letter"
    );
    assert_eq!(letter.taken_at, world.now);
    let is_number = |row: &&(String, _, _)| row.0 == RefKind::NhsNumber.as_str();
    assert_eq!(
        world
            .store
            .rows()
            .references
            .iter()
            .filter(is_number)
            .count(),
        1
    );
    world.check();
}

#[test]
fn a_draft_of_the_next_version_leaves_the_signed_one_alone() {
    let mut world = World::queued();
    let draft = document("D-1", "an addendum", Disposition::Draft);
    assert_eq!(world.take(draft), TakenAs::Letter(LetterState::Routed));
    world.send(accepted("M-1"));
    assert_eq!(world.copy("D-1", 1).state, CopyState::Accepted);

    world.take(signed("D-1", "an addendum"));
    assert_eq!(world.letter("D-1", 2).state, LetterState::Parsed);
    world.check();
}

#[test]
fn a_draft_that_cannot_be_read_once_signed_is_held() {
    let mut world = World::new();
    world.take(document("D-1", "draft", Disposition::Draft));
    world.take(document("D-1", "signed", Disposition::Hold));
    let letter = world.letter("D-1", 1);
    assert_eq!(
        (letter.state, letter.resume),
        (LetterState::Held, Some(LetterState::SignedOff))
    );
    assert_eq!(letter.reason.as_deref(), Some("reason"));
    world.check();
}

#[test]
fn audit_4_3_the_same_content_is_counted_only() {
    let mut world = World::new();
    world.take(signed("D-1", "a letter"));
    let taken = world.decide(signed("D-1", "a letter"));
    assert_eq!(taken.as_what, TakenAs::Duplicate);
    assert!(taken.commit.is_empty());
    let other = world.take(signed("D-2", "a letter"));
    assert_eq!(
        other,
        TakenAs::Letter(LetterState::Parsed),
        "another document is another letter"
    );
}

#[test]
fn audit_4_3_an_old_content_replayed_does_not_overtake() {
    let mut world = World::new();
    world.take(signed("D-1", "first"));
    world.take(signed("D-1", "second"));
    assert_eq!(world.take(signed("D-1", "first")), TakenAs::Duplicate);
    assert_eq!(world.letter("D-1", 2).state, LetterState::Parsed);

    let counted = version("D-2", "first", 1);
    world.take(counted);
    world.take(version("D-2", "second", 2));
    let back = world.take(version("D-2", "first", 3));
    assert_eq!(
        back,
        TakenAs::Letter(LetterState::Parsed),
        "a later number is a new version"
    );
    world.check();
}

/// The limit of remembered contents, and one past it.
#[test]
fn sixty_four_earlier_contents_are_remembered() {
    let mut world = World::new();
    for n in 0..66 {
        world.take(signed("D-1", &format!("content {n}")));
    }
    assert_eq!(world.letter("D-1", 66).earlier.len(), 64);
    assert_eq!(
        world.decide(signed("D-1", "content 1")).as_what,
        TakenAs::Duplicate
    );
    let forgotten = world.decide(signed("D-1", "content 0")).as_what;
    assert_eq!(forgotten, TakenAs::Letter(LetterState::Parsed));
}

#[test]
fn a_duplicate_of_nothing_is_held() {
    let mut world = World::new();
    world.take(document("D-1", "a letter", Disposition::Duplicate));
    assert_eq!(world.letter("D-1", 1).state, LetterState::Held);
    let again = document("D-1", "another", Disposition::Duplicate);
    assert_eq!(world.take(again), TakenAs::Duplicate);
    world.check();
}

#[test]
fn h9_a_new_version_takes_the_place_of_an_unsent_copy() {
    let mut world = World::queued();
    world.take(signed("D-1", "corrected"));
    let old = world.copy("D-1", 1);
    assert_eq!(old.state, CopyState::Superseded);
    assert_eq!(world.work_due(WorkKind::Send), None);
    let rows = world.store.rows();
    let noted = rows.of(old.key).last().unwrap().data.text("superseded_by");
    assert_eq!(noted, Some(world.letter_key("D-1", 2).to_string().as_str()));
    drop(rows);
    world.check();
}

#[test]
fn h9_a_new_version_is_noted_on_a_sent_copy() {
    let mut world = World::queued();
    world.send(accepted("M-1"));
    world.take(signed("D-1", "corrected"));
    assert_eq!(world.copy("D-1", 1).state, CopyState::Accepted);
    let kinds = ["send.started", "send.accepted", "superseded"];
    assert_eq!(world.sent_events("D-1", 1), kinds);
    world.check();
}

#[test]
fn h9_a_new_version_waits_for_what_is_in_flight() {
    let (mut world, order) = World::sending();
    world.take(signed("D-1", "corrected"));
    let stale = world.engine.sent(world.now, order.claimed, unknown());
    assert!(matches!(world.commit(stale), Err(StoreError::Conflict)));

    world.later(chrono::Duration::minutes(3));
    assert!(world.begin_if_due(WorkKind::Send).is_none());
    assert_eq!(world.copy("D-1", 1).state, CopyState::Uncertain);
    world.ask(letter_delivery::AskResult::NotFound);
    world.ask(letter_delivery::AskResult::NotFound);
    let copy = world.copy("D-1", 1);
    assert_eq!(
        (copy.state, copy.supersede_pending),
        (CopyState::Queued, true)
    );
    assert!(world.begin_if_due(WorkKind::Send).is_none());
    assert_eq!(
        world.copy("D-1", 1).state,
        CopyState::Superseded,
        "the old one gives way"
    );
}

#[test]
fn a_letter_that_is_held_takes_the_place_of_an_unsent_version() {
    let mut world = World::queued();
    world.take(document("D-1", "unclear", Disposition::Hold));
    assert_eq!(world.copy("D-1", 1).state, CopyState::Superseded);
    assert_eq!(world.letter("D-1", 2).state, LetterState::Held);
    world.check();
}

#[test]
fn a_letter_in_preparation_is_superseded_and_its_result_refused() {
    let mut world = World::new();
    world.take(signed("D-1", "first"));
    let order = world.begin_next(WorkKind::Prepare);
    world.take(signed("D-1", "second"));
    assert_eq!(world.letter("D-1", 1).state, LetterState::Superseded);
    let late = world.engine.prepared(world.now, order.claimed, to_one());
    assert!(matches!(world.commit(late), Err(StoreError::Fenced)));
    world.check();
}

#[test]
fn a_document_replaces_its_parent() {
    let mut world = World::queued();
    let mut addendum = signed("D-2", "replaces the first");
    addendum.replaces = Some("D-1".to_owned());
    world.take(addendum);
    assert_eq!(world.copy("D-1", 1).state, CopyState::Superseded);
    assert_eq!(world.letter("D-2", 1).state, LetterState::Parsed);

    let mut itself = signed("D-2", "says that it replaces itself");
    itself.replaces = Some("D-2".to_owned());
    world.take(itself);
    assert_eq!(world.letter("D-2", 1).state, LetterState::Superseded);
    world.check();
}

#[test]
fn a_replaced_parent_that_failed_in_flight_is_superseded() {
    let (mut world, order) = World::sending();
    let mut addendum = signed("D-2", "replaces the first");
    addendum.replaces = Some("D-1".to_owned());
    world.take(addendum);
    let mut claimed = order.claimed;
    claimed.copy = Some(world.copy("D-1", 1));
    let commit = world
        .engine
        .sent(world.now, claimed, crate::world::refused());
    world.commit(commit).unwrap();
    assert_eq!(world.copy("D-1", 1).state, CopyState::Superseded);
    world.check();
}

#[test]
fn a_replaced_parent_that_was_to_be_tried_again_gives_way() {
    let (mut world, order) = World::sending();
    let mut addendum = signed("D-2", "replaces the first");
    addendum.replaces = Some("D-1".to_owned());
    world.take(addendum);
    let mut claimed = order.claimed;
    claimed.copy = Some(world.copy("D-1", 1));
    let again = crate::world::retryable();
    let commit = world.engine.sent(world.now, claimed, again);
    world.commit(commit).unwrap();
    assert_eq!(world.copy("D-1", 1).state, CopyState::Queued);
    assert!(world.begin_if_due(WorkKind::Send).is_none());
    assert_eq!(world.copy("D-1", 1).state, CopyState::Superseded);
    world.check();
}

#[test]
fn audit_4_3_other_content_under_the_same_version_is_held() {
    let mut world = World::new();
    world.take(version("D-1", "first", 7));
    let taken = world.take(version("D-1", "changed", 7));
    assert_eq!(taken, TakenAs::Letter(LetterState::Held));
    let reason = world.letter("D-1", 2).reason;
    assert_eq!(reason.as_deref(), Some("content-changed-same-version"));
    world.check();
}

#[test]
fn h9_an_older_version_is_superseded_on_arrival() {
    let mut world = World::new();
    world.take(version("D-1", "newer", 8));
    let older = world.take(version("D-1", "older", 7));
    assert_eq!(older, TakenAs::Letter(LetterState::Superseded));
    assert_eq!(
        world.letter("D-1", 2).reason.as_deref(),
        Some("older-than-known")
    );
    assert_eq!(
        world.letter("D-1", 1).state,
        LetterState::Parsed,
        "the newer one stands"
    );
    assert_eq!(world.take(version("D-1", "older", 7)), TakenAs::Duplicate);

    world.prepare(to_one());
    world.send(accepted("M-1"));
    assert_eq!(world.copy("D-1", 1).state, CopyState::Accepted);
    world.take(version("D-1", "newest", 9));
    assert_eq!(world.letter("D-1", 3).state, LetterState::Parsed);
    world.check();
}

#[test]
fn an_older_version_signed_after_a_newer_draft_still_goes() {
    let mut world = World::new();
    let mut draft = document("D-1", "second, in draft", Disposition::Draft);
    draft.version = Some(2);
    world.take(draft);
    let taken = world.take(version("D-1", "first", 1));
    assert_eq!(taken, TakenAs::Letter(LetterState::Parsed));
    world.check();
}

#[test]
fn a_rule_withholds_and_what_it_rests_on_is_recorded() {
    let mut world = World::queued();
    let taken = world.take(document("D-1", "not for the GP", Disposition::Suppress));
    assert_eq!(taken, TakenAs::Letter(LetterState::Withheld));
    assert_eq!(world.letter("D-1", 2).reason.as_deref(), Some("reason"));
    assert_eq!(world.copy("D-1", 1).state, CopyState::Superseded);
    world.check();
}

#[test]
fn what_is_withheld_after_an_earlier_version_left_alerts_a_person() {
    let mut world = World::queued();
    world.send(accepted("M-1"));
    world.take(document("D-1", "not for the GP", Disposition::Suppress));
    let letter = world.letter("D-1", 2);
    assert_eq!(letter.state, LetterState::Withheld);
    assert!(letter.needs_person(), "{:?}", letter.alert);
    world.check();
}

#[test]
fn two_intakes_at_once_cannot_both_become_the_next_version() {
    let mut world = World::new();
    world.take(signed("D-1", "first"));
    let one = world.decide(signed("D-1", "second"));
    let other = world.decide(signed("D-1", "third"));
    world.commit(one.commit).unwrap();
    assert!(matches!(
        world.commit(other.commit),
        Err(StoreError::Conflict)
    ));
    world.take(signed("D-1", "third"));
    assert_eq!(world.letter("D-1", 2).state, LetterState::Superseded);
    world.check();
}
