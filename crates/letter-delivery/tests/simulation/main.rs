//! The real engine over a store whose processes may die at any commit, on a network that loses
//! what it likes, against a MESH that answers what it likes. One thread and one seed: what a seed
//! does once it does again.
//!
//! `LETTERBOX_SIMULATION_SEED=7 cargo test -p letter-delivery --test simulation replays -- --nocapture`
//! plays one seed and tells every step; `LETTERBOX_SIMULATION_SEEDS=100000` plays so many, from
//! `LETTERBOX_SIMULATION_FIRST` on.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests, outside of test functions"
)]

mod bug;
mod bugs;
mod check;
mod ending;
mod mesh;
mod net;
mod operator;
mod plan;
mod planted;
mod source;
mod worker;
mod world;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use bug::Bug;
use check::Violation;
use plan::{LETTERS, Plan};
use world::World;

/// Seeds of one run of the tests.
const SEEDS: u64 = 1_000;

type Counts = BTreeMap<&'static str, u64>;

fn play(seed: u64, letters: usize, bug: Option<Bug>) -> (Result<(), Violation>, Counts) {
    let mut world = World::new(Plan::new(seed, letters, bug));
    let held = world.run();
    (held, world.counts)
}

#[expect(clippy::disallowed_methods, reason = "a budget of the tests")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn replay(seed: u64) -> String {
    format!(
        "LETTERBOX_SIMULATION_SEED={seed} \
         cargo test -p letter-delivery --test simulation replays -- --nocapture"
    )
}

/// Plays seeds on all cores, until one fails or all are played.
fn play_all(seeds: std::ops::Range<u64>, letters: usize) -> Counts {
    let next = AtomicU64::new(seeds.start);
    let play_on = || {
        let mut counts = Counts::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return counts;
            }
            let (held, of_seed) = play(seed, letters, None);
            if let Err(violation) = held {
                panic!("{violation}\nreplay: {}", replay(seed));
            }
            for (what, count) in of_seed {
                *counts.entry(what).or_default() += count;
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(play_on)).collect();
        let mut all = Counts::new();
        for thread in threads {
            match thread.join() {
                Ok(counts) => {
                    for (what, count) in counts {
                        *all.entry(what).or_default() += count;
                    }
                }
                Err(failed) => std::panic::resume_unwind(failed),
            }
        }
        all
    })
}

#[test]
fn a_thousand_seeds_of_two_hundred_letters() {
    let seeds = number("LETTERBOX_SIMULATION_SEEDS").unwrap_or(SEEDS);
    let first = number("LETTERBOX_SIMULATION_FIRST").unwrap_or(0);
    let counts = play_all(first..first + seeds, LETTERS);
    eprintln!("{seeds} seeds: {counts:?}");
}

/// Plays the seed of the environment, or the first, and tells every step.
#[test]
fn replays() {
    let seed = number("LETTERBOX_SIMULATION_SEED");
    let mut world = World::new(Plan::new(seed.unwrap_or(0), LETTERS, None));
    world.tells = seed.is_some();
    if let Err(violation) = world.run() {
        panic!("{violation}\nreplay: {}", replay(world.plan.seed));
    }
}
