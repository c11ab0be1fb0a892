//! `test`: everything a contributor must run.

mod counts;

use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::peers::{self, Missing};
use crate::process;
use crate::say::say;
use crate::workspace::Workspace;

pub(crate) use counts::Counts;

const ALL: [&str; 2] = ["--workspace", "--all-features"];

pub(crate) fn command(workspace: &Workspace, _: &[&str]) -> Outcome {
    let is_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    run(workspace, is_ci)
}

/// Prepares the counterparts, then runs doc tests and tests. With `is_ci` a counterpart that
/// cannot be had is a failure.
pub(crate) fn run(workspace: &Workspace, is_ci: bool) -> Outcome {
    let missing = peers::prepare(workspace);
    let doc_tests = doc_tests(workspace);
    let tests = tests(workspace);
    let mut counts = Counts::default();
    let mut wrong = Vec::new();
    say("");
    for part in [doc_tests, tests] {
        let (part_counts, verdict) = part?;
        counts = counts.and(part_counts);
        wrong.extend(verdict.err().map(|failure| failure.to_string()));
    }
    wrong.extend(said(&missing).filter(|_| is_ci));
    for line in &wrong {
        say(format_args!("failed: {line}"));
    }
    say(counts);
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Failure::new("the tests did not all pass"))
}

fn said(missing: &[Missing]) -> impl Iterator<Item = String> {
    missing.iter().map(|one| {
        let line = format!("not run: {one}");
        say(&line);
        line
    })
}

type Part = Outcome<(Counts, Outcome)>;

// The doc tests come first and are told in a line, so that the closing lines of the test runner
// stay on the screen.
fn doc_tests(workspace: &Workspace) -> Part {
    say("doc tests");
    let mut command = process::cargo(workspace, ["test", "--doc", "--quiet"]);
    let (status, text) = process::quiet(with_peers(workspace, command.args(ALL)))?;
    let counts = counts::of_libtest(&text);
    say(format_args!("doc tests: {counts}"));
    if status.success() {
        return Ok((counts, Ok(())));
    }
    say(&text);
    Ok((
        counts,
        Err(Failure::new(format!("doc tests ended with {status}"))),
    ))
}

fn tests(workspace: &Workspace) -> Part {
    if has_nextest(workspace) {
        let mut command = process::cargo(workspace, ["nextest", "run"]);
        let (status, text) = process::tee(with_peers(workspace, command.args(ALL)))?;
        return Ok(judged(status, counts::of_nextest(&text), "cargo nextest"));
    }
    say("cargo-nextest is not installed: the tests run with cargo test, one process for each file");
    let mut command = process::cargo(workspace, ["test", "--no-fail-fast"]);
    command.args(["--lib", "--bins", "--tests"]);
    let (status, text) = process::tee(with_peers(workspace, command.args(ALL)))?;
    let counts = Some(counts::of_libtest(&text)).filter(|counts| *counts != Counts::default());
    Ok(judged(status, counts, "cargo test"))
}

/// Runs nextest and counts; without a summary nothing was tested, which is a failure.
pub(crate) fn counted(nextest: &mut Command) -> Outcome<Counts> {
    let (status, text) = process::tee(nextest)?;
    let counts = counts::of_nextest(&text);
    counts.ok_or_else(|| Failure::new(format!("cargo nextest ended with {status}, no result")))
}

fn judged(
    status: std::process::ExitStatus,
    counts: Option<Counts>,
    runner: &str,
) -> (Counts, Outcome) {
    let verdict = match (status.success(), counts) {
        (true, Some(_)) => Ok(()),
        (_, None) => Err(Failure::new(format!(
            "{runner} ended with {status} and told no result"
        ))),
        (false, _) => Err(Failure::new(format!("{runner} ended with {status}"))),
    };
    (counts.unwrap_or_default(), verdict)
}

/// Whether `cargo nextest` can be run; it may stand in the cache's tools.
pub(crate) fn has_nextest(workspace: &Workspace) -> bool {
    process::works(&mut process::cargo(workspace, ["nextest", "--version"]))
}

/// The environment by which tests find the counterparts.
pub(crate) fn with_peers<'a>(workspace: &Workspace, command: &'a mut Command) -> &'a mut Command {
    command
        .env("LETTERBOX_CACHE", workspace.cache())
        .env("MESH_PEER_CACHE", peers::sandbox_cache(workspace))
}
