//! What a seed decides before anything happens: how many letters, which faults how often.

use chrono::Duration;
use letter_delivery::testkit::SeededDice;
use letter_delivery::{Ambiguous, Policy};

use crate::bug::Bug;

pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;

/// How many letters a run has.
pub(crate) const LETTERS: usize = 200;
/// The time in which documents arrive, and after which nothing goes wrong any more.
pub(crate) const ARRIVALS: i64 = 90 * MINUTE;
pub(crate) const CALM: i64 = 150 * MINUTE;
/// By then every copy has reached an end or a person.
pub(crate) const END: i64 = CALM + 40 * HOUR;

/// Everything that is drawn once for a run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) letters: usize,
    pub(crate) bug: Option<Bug>,
    pub(crate) rates: Rates,
    pub(crate) policy: Policy,
    /// Workers that share the store. A single one is alone, and its clock may be set.
    pub(crate) workers: usize,
    /// Whether MESH can be asked by local id in this run.
    pub(crate) asking: bool,
}

/// How often something goes wrong, in a thousand. Each run has faults of its own, some not at all:
/// what always happens hides what rarely does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    pub(crate) crash_before: u32,
    pub(crate) crash_after: u32,
    pub(crate) store_unavailable: u32,
    pub(crate) slow: u32,
    pub(crate) freezes: u32,
    pub(crate) request_lost: u32,
    pub(crate) answer_lost: u32,
    pub(crate) unreachable: u32,
    pub(crate) throttled: u32,
    pub(crate) server_error: u32,
    pub(crate) refused: u32,
    pub(crate) blocked: u32,
    pub(crate) answered_twice: u32,
    pub(crate) appears_late: u32,
    pub(crate) ask_unreachable: u32,
    pub(crate) ask_unavailable: u32,
    pub(crate) track_unavailable: u32,
    pub(crate) track_unknown: u32,
    pub(crate) never_collected: u32,
    pub(crate) reported_twice: u32,
    pub(crate) acknowledged: u32,
    pub(crate) acknowledged_wrongly: u32,
    pub(crate) inbox_fails: u32,
    pub(crate) outages: u32,
    pub(crate) jumps: u32,
    pub(crate) operator: u32,
}

impl Plan {
    pub(crate) fn new(seed: u64, letters: usize, bug: Option<Bug>) -> Self {
        let mut dice = SeededDice::new(seed).split("plan");
        let rates = Rates::draw(&mut dice);
        let mut policy = Policy::default();
        policy.attempts_max = dice.between(4, 12);
        policy.ambiguous = if dice.chance(500) {
            Ambiguous::Resend
        } else {
            Ambiguous::Hold
        };
        policy.lookup_gives_up = Duration::hours(2);
        let workers = if dice.chance(400) { 1 } else { 2 };
        policy.alone = workers == 1;
        if dice.chance(500) {
            policy.two_persons = vec!["outpatient-letter".to_owned()];
        }
        Self {
            seed,
            letters,
            bug,
            rates,
            policy,
            workers,
            asking: dice.chance(900),
        }
    }
}

impl Rates {
    fn draw(dice: &mut SeededDice) -> Self {
        let mut rate = |often: u32| match dice.below(4) {
            0 => 0,
            1 => often.div_ceil(8),
            2 => often.div_ceil(2),
            _ => often,
        };
        Self {
            crash_before: rate(8),
            crash_after: rate(8),
            store_unavailable: rate(20),
            slow: rate(30),
            freezes: rate(1000),
            request_lost: rate(120),
            answer_lost: rate(120),
            unreachable: rate(200),
            throttled: rate(120),
            server_error: rate(80),
            refused: rate(60),
            blocked: rate(5),
            answered_twice: rate(100),
            appears_late: rate(500),
            ask_unreachable: rate(150),
            ask_unavailable: rate(60),
            track_unavailable: rate(150),
            track_unknown: rate(40),
            never_collected: rate(150),
            reported_twice: rate(300),
            acknowledged: rate(700),
            acknowledged_wrongly: rate(80),
            inbox_fails: rate(200),
            outages: rate(1000),
            jumps: rate(1000),
            operator: rate(600),
        }
    }
}
