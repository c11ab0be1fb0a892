//! `soak`: the crash tests with large numbers, all tests again and again with a large budget, then
//! the fuzzer.
//!
//! A third of the time is for the crash tests, a third for rounds of all tests, each with other
//! random cases, and a third is shared by the fuzz targets.

mod laboratory;

use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome};
use crate::figures::{self, Table};
use crate::fuzz::{self, Run};
use crate::peers;
use crate::process;
use crate::say::say;
use crate::test::{self, Counts};
use crate::workspace::Workspace;

use laboratory::Findings;

/// Random cases for each property that leaves their number to the environment.
const PROPERTY_CASES: u64 = 4_096;

const CRASH_ROUNDS_A_MINUTE: u64 = 20;

/// Copies of a store that are tampered with in each round.
const TAMPER_ROUNDS: u64 = 10_000;

/// Seeds of the simulation in each round, for each minute of the whole; every round plays others.
const SEEDS_A_MINUTE: u64 = 500;

pub(crate) fn command(workspace: &Workspace, arguments: &[&str]) -> Outcome {
    let ["--minutes", minutes] = arguments else {
        return Err(Failure::new("usage: cargo xtask soak --minutes N"));
    };
    let minutes: u64 = minutes
        .parse()
        .ok()
        .filter(|minutes| *minutes > 0)
        .ok_or_else(|| Failure::new("--minutes takes a number above 0"))?;
    for missing in peers::prepare(workspace) {
        say(format_args!("not run: {missing}"));
    }
    let crashes = laboratory::run(workspace, seconds_of_a_third(minutes))?;
    let rounds = rounds(workspace, minutes)?;
    let targets = fuzz::targets(workspace)?;
    let fuzzed = fuzz::runs(workspace, &targets, seconds_each(minutes, targets.len()))?;
    let page = page(minutes, &crashes, &rounds, &fuzzed);
    say(&page);
    figures::save(workspace, "soak", "Soak", &page)?;
    crashes.verdict()?;
    if rounds.iter().any(|round| round.failed > 0) {
        return Err(Failure::new("a round of the tests failed"));
    }
    fuzz::verdict(&fuzzed)
}

fn rounds(workspace: &Workspace, minutes: u64) -> Outcome<Vec<Counts>> {
    let begin = Instant::now();
    let budget = Duration::from_secs(seconds_of_a_third(minutes));
    let mut rounds = Vec::new();
    while rounds.is_empty() || begin.elapsed() < budget {
        let mut command = process::cargo(workspace, ["nextest", "run", "--profile=soak"]);
        command.args(["--workspace", "--all-features"]);
        command.env("PROPTEST_CASES", PROPERTY_CASES.to_string());
        command.env("LETTERBOX_CRASH_ROUNDS", crash_rounds(minutes).to_string());
        command.env("LETTERBOX_TAMPER_ROUNDS", TAMPER_ROUNDS.to_string());
        let seeds = seeds(minutes);
        let played = u64::try_from(rounds.len()).unwrap_or(0) * seeds;
        command.env("LETTERBOX_SIMULATION_SEEDS", seeds.to_string());
        command.env("LETTERBOX_SIMULATION_FIRST", played.to_string());
        let round = test::counted(test::with_peers(workspace, &mut command))?;
        say(format_args!("round {}: {round}", rounds.len() + 1));
        rounds.push(round);
    }
    Ok(rounds)
}

fn crash_rounds(minutes: u64) -> u64 {
    minutes * CRASH_ROUNDS_A_MINUTE
}

fn seeds(minutes: u64) -> u64 {
    minutes * SEEDS_A_MINUTE
}

const fn seconds_of_a_third(minutes: u64) -> u64 {
    minutes * 20
}

fn seconds_each(minutes: u64, targets: usize) -> u64 {
    let targets = u64::try_from(targets).unwrap_or(u64::MAX).max(1);
    (seconds_of_a_third(minutes) / targets).max(1)
}

fn page(minutes: u64, crashes: &Findings, rounds: &[Counts], fuzzed: &[Run]) -> String {
    let sum = rounds.iter().copied().fold(Counts::default(), Counts::and);
    let seconds = seconds_each(minutes, fuzzed.len());
    let mut table = Table::new(&["fuzz target", "runs", "edges", "clean"]);
    for run in fuzzed {
        let clean = if run.is_clean { "yes" } else { "NO" };
        let figures = [
            run.runs.to_string(),
            run.edges.to_string(),
            clean.to_owned(),
        ];
        table.row([run.target.clone()].into_iter().chain(figures));
    }
    format!(
        "{minutes} minutes: {} s for each kind of crash ({}); {} rounds of all tests ({sum}), with {PROPERTY_CASES} cases for each \
         property that does not fix its own number, LETTERBOX_CRASH_ROUNDS={} and {} seeds of the \
         simulation; then {seconds} s for each fuzz target.\n\n{}\n{}",
        seconds_of_a_third(minutes),
        crashes.counts,
        rounds.len(),
        crash_rounds(minutes),
        seeds(minutes),
        crashes.to_markdown(),
        table.to_markdown()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fuzzers_share_a_third_of_the_time() {
        assert_eq!(seconds_each(60, 15), 80);
        assert_eq!(seconds_each(1, 100), 1);
        assert_eq!(seconds_each(1, 0), 20);
    }

    #[test]
    fn a_broken_target_is_seen_in_the_page() {
        let round = Counts {
            passed: 7,
            failed: 0,
            skipped: 1,
        };
        let run = Run {
            target: "gzip".to_owned(),
            runs: 12,
            edges: 3,
            is_clean: false,
        };
        let page = page(2, &Findings::default(), &[round, round], &[run]);
        assert!(
            page.contains("2 rounds of all tests (14 passed, 0 failed, 2 skipped)"),
            "{page}"
        );
        assert!(
            page.contains("| gzip        |   12 |     3 |    NO |"),
            "{page}"
        );
        assert!(page.contains("40 s for each"), "{page}");
    }
}
