//! Both machines under any order of events, with duplicates, and under a clock that jumps.

use std::collections::BTreeMap;

use chrono::Duration;
use letter_delivery::testkit::ModelRows;
use letter_delivery::{
    CopyEvent, CopyState, LetterEvent, LetterState, Position, StateKind, Step, WorkKind,
};
use proptest::prelude::*;

use crate::world::{World, accepted, found, retryable, signed, to_one, unknown, unreachable};

fn letter_events() -> impl Strategy<Value = Vec<LetterEvent>> {
    prop::collection::vec(prop::sample::select(LetterEvent::ALL), 0..60)
}

fn copy_events() -> impl Strategy<Value = Vec<CopyEvent>> {
    prop::collection::vec(prop::sample::select(CopyEvent::ALL), 0..60)
}

/// Follows events; each of them twice, as a source or MESH may say everything twice.
fn follow<S: Copy + PartialEq + std::fmt::Debug, E: Copy>(
    events: &[E],
    step: impl Fn(E, Option<Position<S>>) -> Step<S>,
    mut look: impl FnMut(Option<Position<S>>, E, Position<S>),
) {
    let mut position = None;
    for event in events.iter().flat_map(|event| [*event, *event]) {
        if let Step::Moved(to) = step(event, position) {
            look(position, event, to);
            position = Some(to);
        }
    }
}

/// Nothing sends it any more but a person, or a rule that routes it anew.
const SENDS_ANEW: [CopyEvent; 3] = [
    CopyEvent::PersonResend,
    CopyEvent::PersonReroute,
    CopyEvent::AutoReroute,
];

const fn waits_to_be_sent(state: CopyState) -> bool {
    matches!(
        state,
        CopyState::Routed | CopyState::Rendered | CopyState::Queued | CopyState::Sending
    )
}

proptest! {
    #[test]
    fn audit_3_1_terminal_letters_stay_terminal(events in letter_events()) {
        follow(&events, LetterEvent::step, |from: Option<Position<LetterState>>, event, to| {
            let from = from.map(|from| from.state);
            let ended = from.is_some_and(|from| from.kind() == StateKind::Ended);
            assert!(!ended, "{from:?} moved to {to:?} by {event:?}");
            assert_eq!(to.resume.is_some(), to.state == LetterState::Held);
        });
    }

    #[test]
    fn audit_3_1_terminal_copies_stay_terminal(events in copy_events()) {
        follow(&events, CopyEvent::step, |from: Option<Position<CopyState>>, event, to| {
            let from = from.map(|from| from.state);
            let ended = from.is_some_and(|from| from.kind() == StateKind::Ended);
            assert!(!ended, "{from:?} moved to {to:?} by {event:?}");
            assert_eq!(to.resume.is_some(), to.state == CopyState::Held);
        });
    }

    /// Design rule 2, in the machine: what MESH has, or may have, is sent again by a decision only.
    #[test]
    fn design_5_rule_2_no_order_of_events_sends_again_what_left(events in copy_events()) {
        let mut left = false;
        follow(&events, CopyEvent::step, |_, event, to: Position<CopyState>| {
            let believed = matches!(
                event,
                CopyEvent::SendRetryable | CopyEvent::SendNotFound
                    | CopyEvent::SendUnresolvedResend
            );
            if believed || SENDS_ANEW.contains(&event) {
                left = false;
            }
            assert!(!left || !waits_to_be_sent(to.state), "{event:?} leads to {to:?}");
            left |= matches!(to.state, CopyState::Uncertain | CopyState::Accepted)
                || to.state.kind() == StateKind::Good;
        });
    }
}

/// One thing that happens while the clock is not to be trusted.
#[derive(Clone, Copy, Debug)]
enum Act {
    Arrives(u8),
    Works(u8),
    Jumps(i32),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        2 => (0..6_u8).prop_map(Act::Arrives),
        5 => any::<u8>().prop_map(Act::Works),
        3 => (-2_000_000..2_000_000_i32).prop_map(Act::Jumps),
    ];
    prop::collection::vec(act, 1..50)
}

fn work(world: &mut World, answer: u8) {
    for claimed in world.claim() {
        let begun = world.engine.begin(world.now, claimed);
        world.commit(begun.commit).unwrap();
        let Some(order) = begun.order else { continue };
        let (now, claimed) = (world.now, order.claimed);
        let id = format!("M-{}", world.store.rows().events.len());
        let engine = &mut world.engine;
        let commit = match (order.job, answer % 4) {
            (letter_delivery::Job::Prepare, _) => engine.prepared(now, claimed, to_one()),
            (letter_delivery::Job::Send { .. }, 0) => engine.sent(now, claimed, accepted(&id)),
            (letter_delivery::Job::Send { .. }, 1) => engine.sent(now, claimed, unknown()),
            (letter_delivery::Job::Send { .. }, 2) => engine.sent(now, claimed, retryable()),
            (letter_delivery::Job::Send { .. }, _) => engine.sent(now, claimed, unreachable()),
            (letter_delivery::Job::Ask { .. }, 0 | 1) => engine.asked(now, claimed, found(&id)),
            (letter_delivery::Job::Ask { .. }, _) => {
                engine.asked(now, claimed, letter_delivery::AskResult::NotFound)
            }
            (letter_delivery::Job::Track { .. }, 0) => {
                engine.tracked(now, claimed, letter_delivery::TrackResult::Collected)
            }
            (letter_delivery::Job::Track { .. }, _) => {
                engine.tracked(now, claimed, letter_delivery::TrackResult::Waiting)
            }
        };
        world.commit(commit).unwrap();
    }
}

/// The sets of the balance identity (audit-and-delivery facts 9), a letter before its copies in
/// one of them as well.
fn balance(rows: &ModelRows) -> BTreeMap<&'static str, usize> {
    let mut sets = BTreeMap::new();
    let letters = rows
        .letters
        .values()
        .filter(|row| row.state != LetterState::Routed);
    for letter in letters {
        let set = match letter.state {
            LetterState::DraftSeen => continue,
            LetterState::Held => "held",
            LetterState::Suppressed | LetterState::Withheld => "suppressed",
            LetterState::Superseded => "superseded",
            LetterState::Withdrawn => "withdrawn",
            _ => "in flight",
        };
        *sets.entry(set).or_default() += 1;
    }
    for copy in rows.copies.values() {
        *sets.entry(set_of(copy.state)).or_default() += 1;
    }
    sets
}

const fn set_of(state: CopyState) -> &'static str {
    match state {
        CopyState::Filed | CopyState::Acked => "filed or acknowledged",
        CopyState::Collected => "collected only",
        CopyState::Accepted => "accepted, waiting",
        CopyState::Routed | CopyState::Rendered | CopyState::Queued | CopyState::Sending => {
            "in flight"
        }
        CopyState::Uncertain => "uncertain",
        CopyState::Held => "held",
        CopyState::Rejected => "rejected",
        CopyState::Returned => "returned",
        CopyState::Failed => "failed",
        CopyState::PaperQueued | CopyState::PaperSent => "paper open",
        CopyState::PaperConfirmed => "paper confirmed",
        CopyState::Suppressed => "suppressed",
        CopyState::Superseded => "superseded",
        CopyState::Withdrawn | CopyState::WithdrawalDue => "withdrawn",
    }
}

proptest! {
    /// Each letter has one copy here, so the signed letters are the sum of the sets.
    #[test]
    fn audit_9_the_balance_identity_holds_under_clock_jumps(acts in acts()) {
        let mut world = World::new();
        let mut versions = BTreeMap::<u8, usize>::new();
        for act in acts {
            match act {
                Act::Arrives(number) => {
                    let version = versions.entry(number).or_default();
                    *version += 1;
                    let text = format!("text {version}");
                    world.take(signed(&format!("D-{number}"), &text));
                }
                Act::Works(answer) => work(&mut world, answer),
                Act::Jumps(seconds) => world.later(Duration::seconds(seconds.into())),
            }
            let rows = world.store.rows();
            let signed: usize = versions.values().sum();
            prop_assert_eq!(balance(&rows).values().sum::<usize>(), signed);
        }
        world.check();
    }

    /// Whatever the clock did, once it goes on everything that waits is done in the end.
    #[test]
    fn a_clock_that_jumped_leaves_nothing_waiting_for_ever(acts in acts()) {
        let mut world = World::new();
        for act in acts {
            match act {
                Act::Arrives(number) => drop(world.take(signed(&format!("D-{number}"), "text"))),
                Act::Works(answer) => work(&mut world, answer),
                Act::Jumps(seconds) => world.later(Duration::seconds(seconds.into())),
            }
        }
        // At most so far were all jumps together.
        world.later(Duration::seconds(50 * 2_000_000));
        for _ in 0..100 {
            work(&mut world, 0);
            world.later(Duration::hours(1));
        }
        let rows = world.store.rows();
        let kinds: Vec<WorkKind> = rows.work.values().map(|row| row.work.kind).collect();
        prop_assert!(kinds.is_empty(), "{:?}", kinds);
    }
}
