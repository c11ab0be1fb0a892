//! Whatever happens, in whatever order, with whatever answers and crashes: nothing is lost, and
//! nothing is sent twice unknown.

use std::collections::BTreeMap;

use chrono::Duration;
use letter_delivery::{
    Ambiguous, AskResult, CopyState, Disposition, Job, LocalId, Order, Policy, Prepared, Report,
    Route, SeenMessage, SendResult, Store as _, StoreError, TrackResult,
};
use proptest::prelude::*;

use crate::world::{
    World, accepted, document, found, ready, refused, retryable, to_one, unknown, unreachable,
};

/// One thing that happens.
#[derive(Clone, Debug)]
enum Happening {
    Arrives {
        number: u8,
        text: u8,
        disposition: usize,
        version: Option<u32>,
        replaces: Option<u8>,
    },
    /// The pieces of work that are due are done; the dice choose the answers.
    Works {
        answer: u8,
        dies: Dies,
    },
    /// A result that was kept back arrives after all.
    ComesLate(usize),
    /// A report about some message that MESH took.
    Reported(usize),
    Later(u16),
}

/// Where the process dies, if it does.
#[derive(Clone, Copy, Debug)]
enum Dies {
    Not,
    AfterClaim,
    BeforeBeginning,
    AfterBeginning,
    AfterTheEffect,
    /// It does not die, but its result comes late.
    Stalls,
}

/// A MESH that tells the truth when it is asked, however it answered before.
#[derive(Default)]
struct Mesh {
    taken: BTreeMap<LocalId, Vec<String>>,
    count: u32,
}

impl Mesh {
    fn send(&mut self, local_id: LocalId, answer: u8) -> SendResult {
        let mut take = || {
            self.count += 1;
            let id = format!("M-{}", self.count);
            self.taken
                .entry(local_id.clone())
                .or_default()
                .push(id.clone());
            id
        };
        match answer % 8 {
            0..=2 => accepted(&take()),
            3 => {
                take();
                unknown()
            }
            4 => unknown(),
            5 => refused(),
            6 => retryable(),
            _ => unreachable(),
        }
    }

    fn ask(&self, local_id: &LocalId, answer: u8) -> AskResult {
        if answer.is_multiple_of(5) {
            return AskResult::Unavailable;
        }
        match self.taken.get(local_id).map(Vec::as_slice) {
            None | Some([]) => AskResult::NotFound,
            Some([id]) => found(id),
            Some(_) => AskResult::Several,
        }
    }
}

fn track(answer: u8) -> TrackResult {
    match answer % 6 {
        0 | 1 => TrackResult::Waiting,
        2 | 3 => TrackResult::Collected,
        4 => TrackResult::Undelivered {
            code: "14".to_owned(),
        },
        _ => TrackResult::Unknown,
    }
}

fn prepared(answer: u8) -> Prepared {
    match answer % 8 {
        0 => Prepared::Later {
            reason: "lookup-failed".to_owned(),
            after: Duration::minutes(5),
        },
        1 => Prepared::Stopped {
            route: Route::ALL[usize::from(answer / 8) % Route::ALL.len()],
            reason: "reason".to_owned(),
            evidence: audit_core::Data::new(),
        },
        2 => {
            let (Prepared::Copies(mut copies), Prepared::Copies(more)) = (to_one(), to_one())
            else {
                unreachable!("copies")
            };
            copies.extend(more);
            Prepared::Copies(copies)
        }
        _ => to_one(),
    }
}

/// A world, a MESH, and results that are still under way.
struct Run {
    world: World,
    mesh: Mesh,
    late: Vec<letter_delivery::Commit>,
    taken_in: usize,
}

impl Run {
    fn new(policy: Policy, seed: u64) -> Self {
        Self {
            world: World::with(policy, seed),
            mesh: Mesh::default(),
            late: Vec::new(),
            taken_in: 0,
        }
    }

    fn happens(&mut self, happening: &Happening) {
        match happening {
            Happening::Arrives {
                number,
                text,
                disposition,
                version,
                replaces,
            } => {
                let disposition = Disposition::ALL[disposition % Disposition::ALL.len()];
                let text = format!("text {text}");
                let mut intake = document(&format!("D-{number}"), &text, disposition);
                intake.version = *version;
                intake.replaces = replaces.map(|number| format!("D-{number}"));
                self.world.take(intake);
                self.taken_in += 1;
            }
            Happening::Works { answer, dies } => self.works(*answer, *dies),
            Happening::ComesLate(index) => {
                if !self.late.is_empty() {
                    let commit = self.late.remove(index % self.late.len());
                    let result = self.world.commit(commit);
                    assert!(matches!(
                        result,
                        Ok(()) | Err(StoreError::Fenced | StoreError::Conflict)
                    ));
                }
            }
            Happening::Reported(index) => self.reported(*index),
            Happening::Later(minutes) => self.world.later(Duration::minutes((*minutes).into())),
        }
    }

    fn works(&mut self, answer: u8, dies: Dies) {
        let claimed = self.world.claim();
        if matches!(dies, Dies::AfterClaim) {
            self.world.restart();
            return;
        }
        for (shift, claimed) in (0_u8..).zip(claimed) {
            let answer = answer.wrapping_add(shift.wrapping_mul(31));
            let begun = self.world.engine.begin(self.world.now, claimed);
            if matches!(dies, Dies::BeforeBeginning) {
                self.world.restart();
                return;
            }
            self.world.commit(begun.commit).expect("a fresh claim");
            let Some(order) = begun.order else { continue };
            if matches!(dies, Dies::AfterBeginning) {
                self.world.restart();
                return;
            }
            let commit = self.carry_out(order, answer);
            match dies {
                Dies::AfterTheEffect => {
                    self.world.restart();
                    return;
                }
                Dies::Stalls => self.late.push(commit),
                _ => self.world.commit(commit).expect("a fresh result"),
            }
        }
    }

    fn carry_out(&mut self, order: Order, answer: u8) -> letter_delivery::Commit {
        let now = self.world.now;
        let engine = &mut self.world.engine;
        match order.job {
            Job::Prepare => engine.prepared(now, order.claimed, prepared(answer)),
            Job::Send { .. } => {
                let copy = order.claimed.copy.as_ref().unwrap();
                let result = self.mesh.send(copy.local_id.clone(), answer);
                engine.sent(now, order.claimed, result)
            }
            Job::Ask { local_id } => {
                let result = self.mesh.ask(&local_id, answer);
                engine.asked(now, order.claimed, result)
            }
            Job::Track { .. } => engine.tracked(now, order.claimed, track(answer)),
        }
    }

    fn reported(&mut self, index: usize) {
        let messages: Vec<_> = self
            .mesh
            .taken
            .iter()
            .flat_map(|(local_id, ids)| ids.iter().map(move |id| (local_id.clone(), id.clone())))
            .collect();
        if messages.is_empty() {
            return;
        }
        let (local_id, id) = messages[index % messages.len()].clone();
        let find = self
            .world
            .store
            .copy_by_message(Some(id.clone()), Some(local_id));
        let copy = ready(find)
            .unwrap()
            .expect("every message is of a copy we know");
        let message = SeenMessage::new("RZZOT001", format!("REP-{id}"), true, self.world.now);
        let report = Report::new(message, "14", Some(id));
        let commit = self.world.engine.reported(self.world.now, copy, report);
        self.world.commit(commit).unwrap();
    }

    /// Every double is known: MESH has a second one only where a recorded decision allowed it.
    fn doubles_are_known(&self) {
        let rows = self.world.store.rows();
        for (local_id, ids) in self.mesh.taken.iter().filter(|(_, ids)| ids.len() > 1) {
            let copy = rows.copies.values().find(|copy| copy.local_id == *local_id);
            let kinds = rows.kinds(copy.unwrap().key);
            let decided = kinds
                .iter()
                .filter(|kind| **kind == "send.unresolved_resend");
            assert!(decided.count() + 1 >= ids.len(), "{ids:?}: {kinds:?}");
        }
    }

    /// With a MESH that works again, everything the service owns comes to an end.
    fn drain(&mut self) {
        for _ in 0..200 {
            self.works(3 * 8, Dies::Not);
            self.world.later(Duration::minutes(10));
            let rows = self.world.store.rows();
            let owned = |state| {
                use CopyState::{Queued, Rendered, Routed, Sending, Uncertain};
                matches!(state, Routed | Rendered | Queued | Sending | Uncertain)
            };
            if !rows.copies.values().any(|copy| owned(copy.state)) {
                break;
            }
        }
        let rows = self.world.store.rows();
        let states: Vec<_> = rows.copies.values().map(|copy| copy.state).collect();
        let waits = |state: &CopyState| matches!(state, CopyState::Queued | CopyState::Uncertain);
        assert!(!states.iter().any(waits), "{states:?}");
    }
}

fn happening() -> impl Strategy<Value = Happening> {
    let dies = prop_oneof![
        6 => Just(Dies::Not),
        1 => Just(Dies::AfterClaim),
        1 => Just(Dies::BeforeBeginning),
        1 => Just(Dies::AfterBeginning),
        2 => Just(Dies::AfterTheEffect),
        1 => Just(Dies::Stalls),
    ];
    let arrives = (
        0..4_u8,
        0..4_u8,
        prop_oneof![4 => Just(0_usize), 3 => 0..Disposition::ALL.len()],
        proptest::option::weighted(0.3, 1..4_u32),
        proptest::option::weighted(0.1, 0..4_u8),
    )
        .prop_map(
            |(number, text, disposition, version, replaces)| Happening::Arrives {
                number,
                text,
                disposition,
                version,
                replaces,
            },
        );
    prop_oneof![
        3 => arrives,
        8 => (any::<u8>(), dies).prop_map(|(answer, dies)| Happening::Works { answer, dies }),
        1 => any::<usize>().prop_map(Happening::ComesLate),
        1 => any::<usize>().prop_map(Happening::Reported),
        4 => (0..12_u16).prop_map(Happening::Later),
        1 => (60..1500_u16).prop_map(Happening::Later),
    ]
}

fn policy(ambiguous: bool, attempts_max: u32) -> Policy {
    let mut policy = Policy::default();
    policy.attempts_max = attempts_max;
    policy.ambiguous = if ambiguous {
        Ambiguous::Resend
    } else {
        Ambiguous::Hold
    };
    policy
}

proptest! {
    #[test]
    fn nothing_is_lost_and_every_double_is_known(
        happenings in proptest::collection::vec(happening(), 1..60),
        ambiguous in any::<bool>(),
        attempts_max in 1..6_u32,
        seed in any::<u64>(),
    ) {
        let mut run = Run::new(policy(ambiguous, attempts_max), seed);
        for happening in &happenings {
            run.happens(happening);
            crate::invariants::check(&run.world.store.rows());
        }
        run.world.check();
        run.doubles_are_known();
        run.drain();
        run.world.check();
        run.doubles_are_known();
        prop_assert!(run.world.store.rows().letters.len() <= run.taken_in);
    }

    /// Rule 13 of the house: a seed replays a run, to the byte.
    #[test]
    fn design_5_rule_13_the_same_seed_gives_the_same_bytes(
        happenings in proptest::collection::vec(happening(), 1..30),
        seed in any::<u64>(),
    ) {
        let run = |seed| {
            let mut run = Run::new(policy(true, 3), seed);
            for happening in &happenings {
                run.happens(happening);
            }
            let rows = run.world.store.rows();
            let bytes: Vec<_> = rows.events.iter().map(|event| event.canonical.clone()).collect();
            (bytes, format!("{rows:?}"))
        };
        let first = run(seed);
        prop_assert_eq!(&first, &run(seed));
        if !first.0.is_empty() {
            prop_assert_ne!(first.0, run(seed.wrapping_add(1)).0);
        }
    }

    /// Where a person decides instead of the policy, MESH never has a second one.
    #[test]
    fn design_5_rule_2_with_hold_mesh_never_has_two(
        happenings in proptest::collection::vec(happening(), 1..60),
        seed in any::<u64>(),
    ) {
        let mut run = Run::new(policy(false, 50), seed);
        for happening in &happenings {
            run.happens(happening);
        }
        prop_assert!(run.mesh.taken.values().all(|ids| ids.len() == 1), "{:?}", run.mesh.taken);
    }
}
