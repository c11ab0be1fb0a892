//! Both machines and the joined table of the house, as snapshots to be read.

use std::fmt::Write as _;

use audit_core::Data;
use chrono::Duration;
use letter_delivery::{
    Acknowledgement, AskResult, ClosesOn, Commit, CopyEvent, CopyState, Decision, Disposition,
    Duty, Heard, LetterEvent, LetterState, Order, Position, Prepared, Reason, Reroute, Route,
    Saying, SeenMessage, SendResult, Step, TrackResult, Verdict, WorkKind,
};

use crate::world::{
    World, accepted, document, found, refused, retryable, signed, to_one, unknown, unreachable,
    withdrawal,
};

/// One line for each pair that is not `NotAllowed`; those are counted. A state that is reached
/// stands with its owner and timer.
fn machine<S, E>(
    froms: &[(String, Option<Position<S>>)],
    events: &[E],
    name: impl Fn(&E) -> &'static str,
    step: impl Fn(&E, Option<Position<S>>) -> Step<S>,
    duty: impl Fn(S) -> Duty,
) -> String
where
    S: Copy + std::fmt::Display,
{
    let mut table = String::new();
    for (from, position) in froms {
        let mut not_allowed = 0;
        writeln!(table, "{from}").unwrap();
        for event in events {
            let to = match step(event, *position) {
                Step::Moved(to) => {
                    let resume = to.resume.map(|to| format!(" (goes on at {to})"));
                    let state = format!("{}{}", to.state, resume.unwrap_or_default());
                    format!("{state:<30}| {}", timer(&duty(to.state)))
                }
                Step::Kept => "kept".to_owned(),
                Step::Repeated => "repeated: counted only".to_owned(),
                Step::Conflict => "kept, conflict: a person is told".to_owned(),
                Step::NotAllowed => {
                    not_allowed += 1;
                    continue;
                }
            };
            writeln!(table, "    {:<26}{to}", name(event)).unwrap();
        }
        writeln!(
            table,
            "    {not_allowed} others           anomaly: a person is told"
        )
        .unwrap();
    }
    table
}

fn froms<S: Copy + std::fmt::Display + PartialEq>(
    all: &[S],
    held: S,
    resumes: &[S],
) -> Vec<(String, Option<Position<S>>)> {
    let mut froms = vec![("not seen yet".to_owned(), None)];
    for state in all.iter().filter(|state| **state != held) {
        froms.push((state.to_string(), Some(Position::at(*state))));
    }
    for resume in resumes {
        let position = Position {
            state: held,
            resume: Some(*resume),
        };
        froms.push((format!("{held}, goes on at {resume}"), Some(position)));
    }
    froms
}

#[test]
fn audit_3_2_every_event_in_every_state_of_a_letter() {
    use LetterState::{Held, Parsed, SignedOff};
    let froms = froms(LetterState::ALL, Held, &[SignedOff, Parsed]);
    let table = machine(
        &froms,
        LetterEvent::ALL,
        |e| e.as_str(),
        |e, from| e.step(from),
        LetterState::duty,
    );
    insta::assert_snapshot!(table);
}

#[test]
fn audit_3_2_every_event_in_every_state_of_a_copy() {
    use CopyState::{Held, Routed, Uncertain};
    let froms = froms(CopyState::ALL, Held, &[Routed, Uncertain]);
    let table = machine(
        &froms,
        CopyEvent::ALL,
        |e| e.as_str(),
        |e, from| e.step(from),
        CopyState::duty,
    );
    insta::assert_snapshot!(table);
}

#[test]
fn stored_event_names_go_round() {
    for event in LetterEvent::ALL {
        assert_eq!(LetterEvent::parse(event.as_str()), Some(*event));
    }
    for event in CopyEvent::ALL {
        assert_eq!(CopyEvent::parse(event.as_str()), Some(*event));
    }
    assert_eq!(
        CopyEvent::parse("anomaly"),
        None,
        "an anomaly is not an event of a machine"
    );
}

/// The rows of the joined table, made by the engine itself.
struct Joined(String);

impl Joined {
    fn row(&mut self, said: &str, commit: &Commit, duty: Option<Duty>) {
        let events: Vec<String> = commit
            .events
            .iter()
            .map(|body| format!("{} > {}", body.kind, body.state))
            .collect();
        let events = if events.is_empty() {
            "-".to_owned()
        } else {
            events.join(", ")
        };
        let work = commit.work.iter().find_map(|change| match change {
            letter_delivery::WorkChange::Set(work) | letter_delivery::WorkChange::Park(work) => {
                Some(work.kind.as_str())
            }
            letter_delivery::WorkChange::Done(_) => None,
        });
        let duty = duty.map_or_else(|| "-".to_owned(), |duty| words(&duty));
        writeln!(
            self.0,
            "{said:<34}| {events:<72}| {:<8}| {duty}",
            work.unwrap_or("-")
        )
        .unwrap();
    }

    fn after_letter(&mut self, said: &str, commit: &Commit) {
        let duty = commit.letters.last().map(|letter| letter.state.duty());
        self.row(said, commit, duty);
    }

    fn after_copy(&mut self, said: &str, commit: &Commit) {
        let copy = commit.copies.last();
        self.row(said, commit, copy.map(letter_delivery::CopyRecord::duty));
        if let Some(alert) = copy.and_then(|copy| copy.alert.as_ref()) {
            writeln!(self.0, "{:<34}| a person is told: {alert}", "").unwrap();
        }
    }
}

fn words(duty: &Duty) -> String {
    format!("{}: {}", timer(duty), duty.next_action)
}

fn timer(duty: &Duty) -> String {
    let within = duty.within.map_or_else(
        || "ended".to_owned(),
        |within| match within.num_minutes() {
            0 => "at once".to_owned(),
            minutes => format!("{minutes} min"),
        },
    );
    format!("{}, {within}, {}", duty.owner.as_str(), duty.alarm)
}

/// No event leads out of an end but what a person does about it, and that keeps the state.
#[test]
fn audit_3_1_what_has_ended_stays_ended() {
    use letter_delivery::StateKind;
    let stays = |moves: bool, what: String| assert!(!moves, "{what} leads out of an end");
    for state in LetterState::ALL {
        for event in LetterEvent::ALL {
            let ended = state.kind() == StateKind::Ended;
            let step = event.step(Some(Position::at(*state)));
            let moves = ended && matches!(step, Step::Moved(_));
            stays(moves, format!("{state}: {}", event.as_str()));
        }
    }
    for state in CopyState::ALL {
        for event in CopyEvent::ALL {
            let ended = state.kind() == StateKind::Ended;
            let step = event.step(Some(Position::at(*state)));
            let moves = ended && matches!(step, Step::Moved(_));
            stays(moves, format!("{state}: {}", event.as_str()));
        }
    }
}

/// Facts 3.1: there is no terminal failure, and "acknowledged" never becomes "collected" again.
#[test]
fn audit_3_2_nothing_goes_backwards() {
    let rank = |state| match state {
        CopyState::Accepted => Some(0),
        CopyState::Collected => Some(1),
        CopyState::Acked => Some(2),
        CopyState::Filed => Some(3),
        _ => None,
    };
    for from in CopyState::ALL {
        for event in CopyEvent::ALL {
            let Step::Moved(to) = event.step(Some(Position::at(*from))) else {
                continue;
            };
            if let (Some(from), Some(to)) = (rank(*from), rank(to.state)) {
                assert!(from < to, "{} goes backwards", event.as_str());
            }
        }
    }
}

/// Design section 9: paper is a copy of its own, and the electronic one stays as it is.
#[test]
fn design_9_paper_is_a_copy_of_its_own() {
    let mut position = None;
    let road = [
        (CopyEvent::Routed, CopyState::Routed),
        (CopyEvent::Rendered, CopyState::Rendered),
        (CopyEvent::AutoPaper, CopyState::PaperQueued),
        (CopyEvent::PaperSent, CopyState::PaperSent),
        (CopyEvent::PaperConfirmed, CopyState::PaperConfirmed),
    ];
    for (event, state) in road {
        assert_eq!(event.step(position), Step::Moved(Position::at(state)));
        position = Some(Position::at(state));
    }
    assert_eq!(CopyEvent::PaperReturned.step(position), Step::Conflict);
    for state in [CopyState::Queued, CopyState::Accepted, CopyState::Returned] {
        let beside = CopyEvent::PersonPaper.step(Some(Position::at(state)));
        assert_eq!(beside, Step::Kept, "{state}: a paper copy goes beside it");
    }
}

fn uncertain() -> (World, Order) {
    let mut world = World::queued();
    world.send(unknown());
    let order = world.begin_next(WorkKind::Ask);
    (world, order)
}

fn sent() -> (World, Order) {
    let mut world = World::queued();
    world.send(accepted("M-1"));
    let order = world.begin_next(WorkKind::Track);
    (world, order)
}

/// Design section 4: disposition, decision or MESH result → event → state → owner → timer.
#[test]
fn the_table_of_the_house() {
    let mut table = Joined(String::new());
    for disposition in Disposition::ALL {
        let mut world = World::new();
        let intake = match disposition {
            Disposition::Withdraw => withdrawal("D-1"),
            other => document("D-1", "a letter", *other),
        };
        let taken = world.decide(intake);
        table.after_letter(&format!("reading: {disposition:?}"), &taken.commit);
    }
    for route in Route::ALL {
        let prepared = match route {
            Route::Send => to_one(),
            route => Prepared::Stopped {
                route: *route,
                reason: "reason".to_owned(),
                evidence: Data::new(),
            },
        };
        prepared_row(&mut table, &format!("routing: {route:?}"), prepared);
    }
    let later = Prepared::Later {
        reason: "lookup-failed".to_owned(),
        after: Duration::minutes(1),
    };
    prepared_row(&mut table, "routing: Later", later);
    prepared_row(&mut table, "routing: nobody", Prepared::Copies(Vec::new()));
    send_rows(&mut table);
    ask_rows(&mut table);
    track_rows(&mut table);
    said_rows(&mut table);
    decision_rows(&mut table);
    insta::assert_snapshot!(table.0);
}

fn prepared_row(table: &mut Joined, said: &str, prepared: Prepared) {
    let mut world = World::new();
    world.take(signed("D-1", "a letter"));
    let order = world.begin_next(WorkKind::Prepare);
    let commit = world.engine.prepared(world.now, order.claimed, prepared);
    if commit.copies.is_empty() {
        table.after_letter(said, &commit);
    } else {
        table.after_copy(said, &commit);
    }
}

fn send_rows(table: &mut Joined) {
    let blocked = SendResult::Blocked {
        code: "auth".to_owned(),
    };
    let results = [
        ("send: accepted", accepted("M-1")),
        ("send: refused", refused()),
        ("send: retry", retryable()),
        ("send: retry, not reached", unreachable()),
        ("send: blocked", blocked),
        ("send: unknown", unknown()),
    ];
    for (said, result) in results {
        let (mut world, order) = World::sending();
        let commit = world.engine.sent(world.now, order.claimed, result);
        table.after_copy(said, &commit);
    }
    let (mut world, _) = World::sending();
    world.later(Duration::minutes(3));
    world.restart();
    let claimed = world.claim().remove(0);
    let begun = world.engine.begin(world.now, claimed);
    table.after_copy("restart: an attempt is open", &begun.commit);
}

fn ask_rows(table: &mut Joined) {
    let results = [
        ("ask: found", found("M-1")),
        ("ask: not found, once", AskResult::NotFound),
        ("ask: several", AskResult::Several),
        ("ask: not reachable", AskResult::Unreachable),
        ("ask: not available", AskResult::Unavailable),
    ];
    for (said, result) in results {
        let (mut world, order) = uncertain();
        let commit = world.engine.asked(world.now, order.claimed, result);
        table.after_copy(said, &commit);
    }
    let (mut world, order) = uncertain();
    let commit = world
        .engine
        .asked(world.now, order.claimed, AskResult::NotFound);
    world.commit(commit).unwrap();
    let order = world.begin_next(WorkKind::Ask);
    let commit = world
        .engine
        .asked(world.now, order.claimed, AskResult::NotFound);
    table.after_copy("ask: not found, twice", &commit);
    let (mut world, order) = uncertain();
    let late = world.now + Duration::minutes(15);
    let commit = world
        .engine
        .asked(late, order.claimed, AskResult::Unavailable);
    table.after_copy("ask: not available for 15 min", &commit);
}

fn track_rows(table: &mut Joined) {
    let undelivered = TrackResult::Undelivered {
        code: "14".to_owned(),
    };
    let results = [
        ("track: waiting", TrackResult::Waiting),
        ("track: collected", TrackResult::Collected),
        ("track: undelivered", undelivered),
        ("track: unknown", TrackResult::Unknown),
        ("track: not available", TrackResult::Unavailable),
    ];
    for (said, result) in results {
        let (mut world, order) = sent();
        let commit = world.engine.tracked(world.now, order.claimed, result);
        table.after_copy(said, &commit);
    }
}

/// What the recipient's system says of a collected copy.
fn said_rows(table: &mut Joined) {
    for says in Saying::ALL {
        let mut world = World::queued();
        world.send(accepted("M-1"));
        world.track(TrackResult::Collected);
        let message = SeenMessage::new("RZZOT001", "ACK-1", true, world.now);
        let said = Acknowledgement::new(message, *says, None, Some("M-1".to_owned()));
        let copy = world.copy("D-1", 1);
        let commit = world.engine.acknowledged(world.now, copy, said);
        table.after_copy(&format!("practice: {says:?}"), &commit);
    }
}

/// What a person decides about a copy that MESH refused, and one that was collected.
fn decision_rows(table: &mut Joined) {
    let to = Reroute::to(nhs_types::OdsCode::parse("A81002").unwrap());
    let of_failed = [
        Decision::Resend,
        Decision::Reroute(to),
        Decision::Suppress,
        Decision::Withdraw,
    ];
    let of_collected = [
        Decision::Withdraw,
        Decision::Rejected {
            not_our_patient: true,
        },
        Decision::Telephoned(Heard::Filed),
    ];
    for decision in of_failed {
        let mut world = World::queued();
        world.send(refused());
        decision_row(table, world, &decision);
    }
    for decision in of_collected {
        let mut world = World::queued();
        world.send(accepted("M-1"));
        world.track(TrackResult::Collected);
        decision_row(table, world, &decision);
    }
}

fn decision_row(table: &mut Joined, mut world: World, decision: &Decision) {
    let state = world.copy("D-1", 1).state;
    let by = world.engine.keys().account("unix:1");
    let verdict = Verdict::new(decision.clone(), by, Reason::parse("because").unwrap());
    let (letter, copy) = (world.letter("D-1", 1), world.copy("D-1", 1));
    let decided = world.engine.decide(world.now, &verdict, letter, vec![copy]);
    let said = format!("person: {} it, {state}", decision.kind());
    table.after_copy(&said, &decided.unwrap().commit);
}

/// W-ACK, W-FILE: what a profile promises has an owner and a timer until it came.
#[test]
fn audit_11_a_promise_is_owed_until_it_is_kept() {
    use ClosesOn::{Acknowledged, Collected, Filed};
    let mut table = String::new();
    for closes_on in [Collected, Acknowledged, Filed] {
        for state in [CopyState::Collected, CopyState::Acked, CopyState::Filed] {
            let closed = closes_on.closed_by(state);
            assert_eq!(closed, closes_on.duty(state).within.is_none());
            let duty = words(&closes_on.duty(state));
            writeln!(table, "{closes_on:?} promised, {state}: {duty}").unwrap();
        }
    }
    insta::assert_snapshot!(table);
}
