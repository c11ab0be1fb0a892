//! What people decide, and what comes of it.

use std::fmt::Write as _;

use audit_core::Data;
use letter_delivery::{
    Actor, AskResult, CopyState, Decision, DecisionError, DecisionKind, Disposition, Heard, Job,
    LetterState, Prepared, PreparedCopy, Reason, Reroute, Route, Store as _, TrackResult, Verdict,
    WorkKind,
};
use nhs_types::{MailboxId, OdsCode};

use crate::world::{
    World, accepted, address, document, ready, refused, retryable, shaped, signed, to_one, unknown,
};

fn elsewhere() -> Reroute {
    Reroute::to(OdsCode::parse("A81002").unwrap())
}

fn failed() -> World {
    let mut world = World::queued();
    world.send(refused());
    world
}

fn collected() -> World {
    let mut world = World::queued();
    world.send(accepted("M-1"));
    world.track(TrackResult::Collected);
    world
}

/// A letter that routing could not place.
fn held() -> World {
    let mut world = World::new();
    world.take(signed("D-1", "a letter"));
    world.prepare(Prepared::Stopped {
        route: Route::Hold,
        reason: "NO_GP".to_owned(),
        evidence: Data::new(),
    });
    world
}

/// A discharge summary that waits to be sent.
fn discharge() -> World {
    let mut world = World::new();
    let mut intake = signed("D-1", "a summary");
    intake.class = "discharge-summary".to_owned();
    world.take(intake);
    world.prepare(to_one());
    world
}

#[test]
fn a_failed_copy_is_sent_anew_in_a_series_of_its_own() {
    let mut world = failed();
    let before = world.copy("D-1", 1);
    let decided = world.decides("unix:1", Decision::Resend).unwrap();
    assert_eq!((decided.waits, decided.copies), (false, vec![1]));
    let copy = world.copy("D-1", 1);
    assert_eq!(
        (copy.state, copy.series, copy.attempts),
        (CopyState::Queued, 2, 0)
    );
    assert_ne!(
        copy.local_id, before.local_id,
        "a series has its own local id"
    );
    assert_eq!(copy.artefact, before.artefact, "the bytes are the same");
    world.send(accepted("M-2"));
    let events = world.sent_events("D-1", 1);
    assert_eq!(
        events[2..],
        [
            "person.resend",
            "rendered",
            "queued",
            "send.started",
            "send.accepted"
        ]
    );
    world.check();
}

/// Design section 5, rule 14: who decided stands in the ledger, and what software did after it.
#[test]
fn design_5_rule_14_the_actor_of_a_decision_is_the_account() {
    let mut world = failed();
    world.decides("unix:1001", Decision::Resend).unwrap();
    let person = world.engine.keys().account("unix:1001").to_string();
    let copy = world.copy("D-1", 1).key;
    let rows = world.store.rows();
    let actor = |kind: &str| {
        let body = rows.of(copy).filter(|body| body.kind == kind).last();
        body.unwrap().actor.clone()
    };
    assert_eq!(actor("person.resend"), person);
    assert!(person.starts_with("user:") && !person.contains("1001"));
    assert_eq!(actor("queued"), "svc:letterbox");
}

#[test]
fn nobody_but_a_person_decides() {
    let mut world = failed();
    let reason = Reason::parse("because").unwrap();
    let verdict = Verdict::new(Decision::Resend, Actor::SERVICE, reason);
    let key = world.letter_key("D-1", 1);
    assert_eq!(
        world.verdict(key, &verdict).unwrap_err(),
        DecisionError::NotAPerson
    );
}

#[test]
fn a_returned_copy_is_routed_and_shaped_anew_for_the_practice_a_person_names() {
    let mut world = World::queued();
    world.send(accepted("M-1"));
    world.track(TrackResult::Undelivered {
        code: "14".to_owned(),
    });
    let to = elsewhere().by(MailboxId::parse("A81002OT001").unwrap());
    world
        .decides("unix:1", Decision::Reroute(to.clone()))
        .unwrap();
    let copy = world.copy("D-1", 1);
    assert_eq!((copy.state, copy.series), (CopyState::Routed, 2));
    world.check();
    let order = world.begin_next(WorkKind::Reroute);
    assert_eq!(order.job, Job::Prepare);
    assert_eq!(order.claimed.copy.as_ref().unwrap().reroute, Some(to));
    let mut address = address();
    address.practice = OdsCode::parse("A81002").unwrap();
    let prepared = PreparedCopy::new(address, Data::new(), Ok(shaped("<other/>")));
    let commit = world
        .engine
        .prepared(world.now, order.claimed, Prepared::Copies(vec![prepared]));
    world.commit(commit).unwrap();
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Queued);
    assert_eq!(copy.address.practice.as_str(), "A81002");
    world.check();
    world.send(accepted("M-2"));
    world.check();
}

#[test]
fn what_cannot_be_routed_anew_is_held_and_may_be_tried_again() {
    let mut world = failed();
    world
        .decides("unix:1", Decision::Reroute(elsewhere()))
        .unwrap();
    let order = world.begin_next(WorkKind::Reroute);
    let stopped = Prepared::Stopped {
        route: Route::Ambiguous,
        reason: "TWO_MAILBOXES".to_owned(),
        evidence: Data::new(),
    };
    let commit = world.engine.prepared(world.now, order.claimed, stopped);
    world.commit(commit).unwrap();
    let copy = world.copy("D-1", 1);
    assert_eq!(
        (copy.state, copy.reason.as_deref()),
        (CopyState::Held, Some("TWO_MAILBOXES"))
    );
    world.check();
    world.decides("unix:1", Decision::Approve).unwrap();
    assert_eq!(world.copy("D-1", 1).state, CopyState::Routed);
    world.check();
}

#[test]
fn a_lookup_that_fails_while_routing_anew_is_tried_for_a_day_and_then_held() {
    let mut world = failed();
    world
        .decides("unix:1", Decision::Reroute(elsewhere()))
        .unwrap();
    let later = || Prepared::Later {
        reason: "MESH_LOOKUP_FAILED".to_owned(),
        after: chrono::Duration::minutes(1),
    };
    let order = world.begin_next(WorkKind::Reroute);
    let commit = world.engine.prepared(world.now, order.claimed, later());
    world.commit(commit).unwrap();
    assert_eq!(world.copy("D-1", 1).state, CopyState::Routed);
    world.check();
    world.later(chrono::Duration::hours(24));
    let order = world.begin_next(WorkKind::Reroute);
    let commit = world.engine.prepared(world.now, order.claimed, later());
    world.commit(commit).unwrap();
    assert_eq!(world.copy("D-1", 1).state, CopyState::Held);
    world.check();
}

#[test]
fn a_waiting_letter_is_suppressed_and_never_sent() {
    let mut world = World::queued();
    world.decides("unix:1", Decision::Suppress).unwrap();
    assert_eq!(world.copy("D-1", 1).state, CopyState::Suppressed);
    assert_eq!(world.work_due(WorkKind::Send), None);
    world.check();
}

/// H18: suppressed between two attempts, it is looked at again at the last moment.
#[test]
fn h18_suppressed_while_sending_it_is_not_sent_again() {
    let (mut world, order) = World::sending();
    world.decides("unix:1", Decision::Suppress).unwrap();
    assert_eq!(world.copy("D-1", 1).state, CopyState::Sending);
    let mut claimed = order.claimed;
    claimed.copy = Some(world.copy("D-1", 1));
    let commit = world.engine.sent(world.now, claimed, retryable());
    world.commit(commit).unwrap();
    assert!(world.begin_if_due(WorkKind::Send).is_none());
    assert_eq!(world.copy("D-1", 1).state, CopyState::Suppressed);
    world.check();
}

/// H18: it left all the same, and the practice must be told.
#[test]
fn h18_suppressed_while_sending_and_accepted_the_practice_must_be_told() {
    let (mut world, order) = World::sending();
    world.decides("unix:1", Decision::Suppress).unwrap();
    let mut claimed = order.claimed;
    claimed.copy = Some(world.copy("D-1", 1));
    let commit = world.engine.sent(world.now, claimed, accepted("M-1"));
    world.commit(commit).unwrap();
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::WithdrawalDue);
    assert_eq!(copy.reason.as_deref(), Some("suppressed-too-late"));
    world.check();
}

#[test]
fn a_persons_withdrawal_waits_for_the_answer_of_mesh() {
    let (mut world, order) = World::sending();
    world.decides("unix:1", Decision::Withdraw).unwrap();
    let mut claimed = order.claimed;
    claimed.copy = Some(world.copy("D-1", 1));
    let commit = world.engine.sent(world.now, claimed, accepted("M-1"));
    world.commit(commit).unwrap();
    assert_eq!(world.copy("D-1", 1).state, CopyState::WithdrawalDue);
    let events = world.sent_events("D-1", 1);
    let withdrawn = events.iter().filter(|kind| *kind == "person.withdrawn");
    assert_eq!(
        withdrawn.count(),
        2,
        "decided, and carried through: {events:?}"
    );
    world.check();
}

/// Facts 3.2: a second person if the class is a discharge summary.
#[test]
fn audit_3_2_two_persons_suppress_a_discharge_summary() {
    let mut world = discharge();
    let first = world.decides("unix:1", Decision::Suppress).unwrap();
    assert!(first.waits);
    assert_eq!(world.copy("D-1", 1).state, CopyState::Queued);
    assert!(
        world.letter("D-1", 1).needs_person(),
        "it waits on the work list"
    );
    assert!(
        world.begin_if_due(WorkKind::Send).is_none(),
        "and does not leave meanwhile"
    );
    assert_eq!(world.copy("D-1", 1).attempts, 0);
    world.check();

    for again in [Decision::Suppress, Decision::Approve] {
        assert_eq!(
            world.decides("unix:1", again).unwrap_err(),
            DecisionError::SamePerson {
                decision: DecisionKind::Suppress
            }
        );
    }
    let second = world.decides("unix:2", Decision::Approve).unwrap();
    assert!(!second.waits);
    assert_eq!(world.copy("D-1", 1).state, CopyState::Suppressed);
    assert!(!world.letter("D-1", 1).needs_person());
    let rows = world.store.rows();
    let last = rows.of(world.copy_key(&rows)).last().unwrap();
    let keys = world.engine.keys();
    assert_eq!(last.actor, keys.account("unix:2").to_string());
    let by_first = keys.account("unix:1").to_string();
    assert_eq!(last.data.text("first"), Some(by_first.as_str()));
    drop(rows);
    world.check();
}

/// A discharge summary for two recipients, of which one person wants this suppressed.
fn voted_on(copy: Option<u32>) -> World {
    let mut world = World::new();
    let mut intake = signed("D-1", "a summary");
    intake.class = "discharge-summary".to_owned();
    world.take(intake);
    let copy_for = || PreparedCopy::new(address(), Data::new(), Ok(shaped("<letter/>")));
    world.prepare(Prepared::Copies(vec![copy_for(), copy_for()]));
    let first = world
        .decides_about("unix:1", Decision::Suppress, copy)
        .unwrap();
    assert!(first.waits);
    world
}

fn copy_states(world: &World) -> Vec<CopyState> {
    let rows = world.store.rows();
    let copies = rows.copies_of(world.letter_key("D-1", 1));
    copies.iter().map(|copy| copy.state).collect()
}

/// Found by the simulation: the letter was marked as suppressed, and its other copy went.
#[test]
fn audit_3_2_the_second_of_two_agrees_to_what_the_first_said_and_to_no_more() {
    let mut world = voted_on(Some(1));
    let second = world.decides("unix:2", Decision::Approve).unwrap();
    assert_eq!(second.copies, [1]);
    let states = copy_states(&world);
    assert_eq!(states, [CopyState::Suppressed, CopyState::Queued]);
    let rows = world.store.rows();
    let of_letter = rows.kinds(world.letter_key("D-1", 1));
    assert!(!of_letter.contains(&"person.suppressed"), "{of_letter:?}");
    drop(rows);
    world.send(accepted("M-1"));
    world.check();
}

#[test]
fn audit_3_2_who_agrees_about_one_copy_does_not_agree_about_all() {
    let mut world = voted_on(None);
    let other = world.decides_about("unix:2", Decision::Approve, Some(2));
    assert!(
        matches!(other, Err(DecisionError::NotAllowed { .. })),
        "{other:?}"
    );
    assert_eq!(copy_states(&world), [CopyState::Queued; 2]);
    let second = world.decides("unix:2", Decision::Suppress).unwrap();
    assert_eq!(second.copies, [1, 2]);
    assert_eq!(copy_states(&world), [CopyState::Suppressed; 2]);
    world.check();
}

#[test]
fn a_vote_that_nobody_seconds_is_dropped_and_the_letter_goes() {
    let mut world = discharge();
    world.decides("unix:1", Decision::Suppress).unwrap();
    world.decides("unix:1", Decision::Resolve).unwrap();
    assert_eq!(world.letter("D-1", 1).vote, None);
    world.send(accepted("M-1"));
    world.check();
}

#[test]
fn a_letter_that_reading_was_not_sure_of_is_released_by_a_person() {
    let mut world = World::new();
    world.take(document("D-1", "a letter", Disposition::Hold));
    assert_eq!(world.letter("D-1", 1).state, LetterState::Held);
    world.decides("unix:1", Decision::Approve).unwrap();
    let letter = world.letter("D-1", 1);
    assert_eq!(letter.state, LetterState::Parsed);
    let rows = world.store.rows();
    assert_eq!(rows.kinds(letter.key)[2..], ["hold.resumed", "parsed"]);
    drop(rows);
    world.prepare(to_one());
    world.send(accepted("M-1"));
    world.check();
}

#[test]
fn what_was_not_read_at_all_cannot_be_released() {
    let mut world = World::new();
    let mut intake = document("D-1", "garbled", Disposition::Hold);
    intake.letter = None;
    world.take(intake);
    let refused = world.decides("unix:1", Decision::Approve).unwrap_err();
    let allowed = vec![DecisionKind::Suppress, DecisionKind::Withdraw];
    assert_eq!(refused, DecisionError::NothingToSend { allowed });
}

#[test]
fn a_letter_that_routing_could_not_place_goes_where_a_person_says() {
    let mut world = held();
    world
        .decides("unix:1", Decision::Reroute(elsewhere()))
        .unwrap();
    let letter = world.letter("D-1", 1);
    assert_eq!(
        (letter.state, letter.reroute),
        (LetterState::Parsed, Some(elsewhere()))
    );
    world.check();
    world.prepare(to_one());
    world.send(accepted("M-1"));
    world.check();
}

#[test]
fn a_held_letter_is_withdrawn_or_suppressed_as_a_whole() {
    for (decision, state) in [
        (Decision::Withdraw, LetterState::Withdrawn),
        (Decision::Suppress, LetterState::Suppressed),
    ] {
        let mut world = held();
        world.decides("unix:1", decision).unwrap();
        assert_eq!(world.letter("D-1", 1).state, state);
        assert!(!world.letter("D-1", 1).needs_person());
        world.check();
    }
}

#[test]
fn a_doubt_that_was_held_is_asked_about_again() {
    let mut world = World::held_in_doubt();
    world.decides("unix:1", Decision::Approve).unwrap();
    assert_eq!(world.copy("D-1", 1).state, CopyState::Uncertain);
    world.check();
    world.ask(AskResult::NotFound);
    world.ask(AskResult::NotFound);
    assert_eq!(world.copy("D-1", 1).state, CopyState::Queued);
    world.check();
}

#[test]
fn what_left_is_withdrawn_once_the_practice_was_told() {
    let mut world = collected();
    world.decides("unix:1", Decision::Withdraw).unwrap();
    let copy = world.copy("D-1", 1);
    assert_eq!(
        (copy.state, copy.closed_at),
        (CopyState::WithdrawalDue, None)
    );
    world.check();
    let told = Decision::Telephoned(Heard::Told);
    world.decides("unix:1", told).unwrap();
    assert_eq!(world.copy("D-1", 1).state, CopyState::Withdrawn);
    world.check();
}

#[test]
fn what_the_practice_says_on_the_telephone_is_recorded() {
    let said = [
        (Decision::Telephoned(Heard::Received), CopyState::Acked),
        (Decision::Telephoned(Heard::Filed), CopyState::Filed),
        (rejected(false), CopyState::Rejected),
        (rejected(true), CopyState::Returned),
    ];
    for (decision, state) in said {
        let mut world = collected();
        world.decides("unix:1", decision).unwrap();
        assert_eq!(world.copy("D-1", 1).state, state);
        world.check();
    }
}

const fn rejected(not_our_patient: bool) -> Decision {
    Decision::Rejected { not_our_patient }
}

/// Facts 3.2: a contradiction after filing keeps the state; a person is told until they resolve it.
#[test]
fn audit_3_2_a_refusal_after_filing_is_a_conflict_that_a_person_resolves() {
    let mut world = collected();
    world
        .decides("unix:1", Decision::Telephoned(Heard::Filed))
        .unwrap();
    world.decides("unix:1", rejected(true)).unwrap();
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Filed);
    assert!(copy.needs_person());
    world.decides("unix:1", Decision::Resolve).unwrap();
    let copy = world.copy("D-1", 1);
    assert_eq!((copy.state, copy.alert), (CopyState::Filed, None));
    assert_eq!(
        world.sent_events("D-1", 1).last().unwrap(),
        "person.resolved"
    );
    world.check();
}

#[test]
fn resolving_never_ends_what_is_open() {
    let mut world = failed();
    let refused = world.decides("unix:1", Decision::Resolve).unwrap_err();
    assert!(matches!(refused, DecisionError::NotAllowed { .. }));
    assert!(world.copy("D-1", 1).needs_person());
}

#[test]
fn a_suppressed_version_whose_earlier_one_gave_way_alerts() {
    let mut world = World::queued();
    let mut second = document("D-1", "corrected", Disposition::Hold);
    second.version = Some(2);
    world.take(second);
    let by = world.engine.keys().account("unix:1");
    let verdict = Verdict::new(Decision::Suppress, by, Reason::parse("because").unwrap());
    let key = world.letter_key("D-1", 2);
    world.verdict(key, &verdict).unwrap();
    let letter = world.letter("D-1", 2);
    assert_eq!(letter.state, LetterState::Suppressed);
    assert!(letter.needs_person(), "nothing of the document goes");
    world.check();
}

#[test]
fn a_copy_that_is_not_there() {
    let mut world = failed();
    let by = world.engine.keys().account("unix:1");
    let reason = Reason::parse("because").unwrap();
    let verdict = Verdict::new(Decision::Resend, by, reason).about(Some(2));
    let key = world.letter_key("D-1", 1);
    assert_eq!(
        world.verdict(key, &verdict).unwrap_err(),
        DecisionError::NoSuchCopy { copy: 2, copies: 1 }
    );
}

/// What was sent in an earlier series is not forgotten when the copy is taken back unsent.
#[test]
fn withdrawing_a_copy_that_was_sent_before_tells_a_person() {
    let mut world = collected();
    world.decides("unix:1", rejected(false)).unwrap();
    world.decides("unix:1", Decision::Resend).unwrap();
    world.decides("unix:1", Decision::Withdraw).unwrap();
    let copy = world.copy("D-1", 1);
    assert_eq!(copy.state, CopyState::Withdrawn);
    assert!(copy.alert.unwrap().contains("another series"));
    world.check();
}

/// Every decision, from every state that the worlds above reach: refused with what is possible.
#[test]
fn what_is_possible_where() {
    let mut worlds = vec![
        ("queued", World::queued()),
        ("sending", World::sending().0),
        ("failed", failed()),
        ("collected", collected()),
        ("letter held", held()),
        ("held in doubt", World::held_in_doubt()),
        ("summary voted on", {
            let mut world = discharge();
            world.decides("unix:1", Decision::Suppress).unwrap();
            world
        }),
    ];
    let mut uncertain = World::queued();
    uncertain.send(unknown());
    worlds.push(("uncertain", uncertain));
    for (decision, name) in [
        (rejected(true), "returned"),
        (rejected(false), "rejected"),
        (Decision::Telephoned(Heard::Filed), "filed"),
        (Decision::Withdraw, "withdrawal due"),
    ] {
        let mut world = collected();
        world.decides("unix:1", decision).unwrap();
        worlds.push((name, world));
    }
    let mut table = String::new();
    for (name, world) in &worlds {
        let letter = world.letter("D-1", 1);
        let copies = ready(world.store.document(letter.document))
            .unwrap()
            .unwrap()
            .copies;
        let mut possible = letter.decisions();
        possible.extend(
            copies
                .iter()
                .flat_map(letter_delivery::CopyRecord::decisions),
        );
        possible.sort();
        possible.dedup();
        let names: Vec<_> = possible.iter().map(|kind| kind.as_str()).collect();
        writeln!(table, "{name:<18}{}", names.join(", ")).unwrap();
    }
    insta::assert_snapshot!(table);
}
