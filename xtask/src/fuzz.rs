//! `fuzz`: each target of `fuzz/` for some seconds, from its seeds and all that was found before.
//!
//! The fuzzer needs the compiler's instrumentation, which `RUSTC_BOOTSTRAP=1` opens on the stable
//! toolchain. What it finds interesting is kept in the cache folder and used the next time.

use std::fs;
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::process;
use crate::say::say;
use crate::tools::FUZZ;
use crate::workspace::Workspace;

/// Inputs longer than this teach little and cost much.
const INPUT_BYTES_MAX: u32 = 65_536;

const SECONDS: u64 = 10;

/// How lines begin that tell the cause of a broken run.
const CAUSE_MARKS: &[&str] = &["ERROR:", "SUMMARY:", "cargo fuzz run", "error"];

/// Lines of a panic's own text that are shown.
const PANIC_LINES: usize = 3;

const LINES_WITHOUT_CAUSE: usize = 20;

/// How one target went.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) target: String,
    pub(crate) runs: u64,
    pub(crate) edges: u64,
    pub(crate) is_clean: bool,
}

pub(crate) fn command(workspace: &Workspace, arguments: &[&str]) -> Outcome {
    let (seconds, targets) = match arguments {
        ["--seconds", seconds, rest @ ..] => {
            let seconds = seconds.parse();
            (
                seconds.map_err(|_| Failure::new("--seconds takes a number"))?,
                rest,
            )
        }
        rest => (SECONDS, rest),
    };
    let targets: Vec<String> = targets.iter().map(|name| (*name).to_owned()).collect();
    if targets.is_empty() {
        return each(workspace, seconds);
    }
    verdict(&runs(workspace, &targets, seconds)?)
}

/// Fuzzes every target for so many seconds.
pub(crate) fn each(workspace: &Workspace, seconds: u64) -> Outcome {
    verdict(&runs(workspace, &targets(workspace)?, seconds)?)
}

/// The names of the targets.
pub(crate) fn targets(workspace: &Workspace) -> Outcome<Vec<String>> {
    let list = process::output(fuzzer(workspace)?.arg("list"))?;
    Ok(list.lines().map(str::to_owned).collect())
}

/// Builds the targets, fuzzes one after the other and tells how each went.
pub(crate) fn runs(workspace: &Workspace, targets: &[String], seconds: u64) -> Outcome<Vec<Run>> {
    process::run(fuzzer(workspace)?.arg("build"))?;
    let mut runs = Vec::new();
    for target in targets {
        let run = run(workspace, target, seconds)?;
        say(format_args!(
            "{:<24} {:>10} runs, {:>6} edges",
            run.target, run.runs, run.edges
        ));
        runs.push(run);
    }
    Ok(runs)
}

/// Fails with the names of the targets that were not clean.
pub(crate) fn verdict(runs: &[Run]) -> Outcome {
    let broken: Vec<&str> = runs
        .iter()
        .filter(|run| !run.is_clean)
        .map(|run| run.target.as_str())
        .collect();
    if broken.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "an input broke {}; it is kept in fuzz/artifacts",
        broken.join(", ")
    )))
}

fn run(workspace: &Workspace, target: &str, seconds: u64) -> Outcome<Run> {
    let corpus = workspace.cache().join("fuzz-corpus").join(target);
    fs::create_dir_all(&corpus)?;
    let mut command = fuzzer(workspace)?;
    command.args(["run", target]).arg(corpus);
    command
        .arg(workspace.path("fuzz/seeds").join(target))
        .arg("--");
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-max_len={INPUT_BYTES_MAX}"));
    command.args(["-timeout=10", "-rss_limit_mb=2048"]);
    let (status, text) = process::quiet(&mut command)?;
    let told = told(target, &text, status.success());
    if !told.is_clean {
        for line in causes(&text) {
            say(format_args!("  {line}"));
        }
    }
    Ok(told)
}

fn fuzzer(workspace: &Workspace) -> Outcome<Command> {
    let mut command = process::program(workspace, FUZZ.ensure(workspace)?);
    command.env("RUSTC_BOOTSTRAP", "1");
    Ok(command)
}

/// The lines that tell why and how to see it again; the fuzzer also prints the whole input.
fn causes(text: &str) -> Vec<&str> {
    let mut causes = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let is_panic = line.contains("panicked at");
        if is_panic
            || CAUSE_MARKS
                .iter()
                .any(|mark| line.trim_start().starts_with(mark))
        {
            causes.push(line.trim());
        }
        if is_panic {
            causes.extend(lines.by_ref().take(PANIC_LINES).map(str::trim));
        }
    }
    if causes.is_empty() {
        causes.extend(text.lines().rev().take(LINES_WITHOUT_CAUSE));
        causes.reverse();
    }
    causes
}

/// Reads libFuzzer's own lines: the last `cov:` and `Done N runs`.
fn told(target: &str, text: &str, is_clean: bool) -> Run {
    let number_after = |mark: &str| {
        let (_, rest) = text.rsplit_once(mark)?;
        rest.split_whitespace().next()?.parse().ok()
    };
    Run {
        target: target.to_owned(),
        runs: number_after("Done ").unwrap_or(0),
        edges: number_after(" cov: ").unwrap_or(0),
        is_clean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "#2 INITED cov: 12 ft: 13 corp: 1/1b exec/s: 0 rss: 38Mb\n\
                        #8 NEW    cov: 96 ft: 97 corp: 2/9b lim: 4 exec/s: 0\n\
                        Done 135024 runs in 5 second(s)\n";

    #[test]
    fn the_figures_of_the_fuzzer_are_read() {
        let run = told("mllp", TEXT, true);
        assert_eq!((run.runs, run.edges), (135_024, 96));
        assert!(verdict(&[run]).is_ok());
    }

    #[test]
    fn the_cause_is_shown_and_not_the_input() {
        let text = "INFO: seed corpus\nthread '<unnamed>' panicked at x.rs:1:5:\nleft: 1\nright: 2\n\
                    at stack\n60, 72, 99\nSUMMARY: libFuzzer: deadly signal\n\
                    \tcargo fuzz run mllp fuzz/artifacts/x\n";
        assert_eq!(
            causes(text),
            [
                "thread '<unnamed>' panicked at x.rs:1:5:",
                "left: 1",
                "right: 2",
                "at stack",
                "SUMMARY: libFuzzer: deadly signal",
                "cargo fuzz run mllp fuzz/artifacts/x",
            ]
        );
    }

    #[test]
    fn without_a_known_cause_the_last_lines_are_shown() {
        let text: String = (0..30).map(|number| format!("line {number}\n")).collect();
        let shown = causes(&text);
        assert_eq!(shown.len(), LINES_WITHOUT_CAUSE);
        assert_eq!(shown.last(), Some(&"line 29"));
    }

    #[test]
    fn a_broken_target_is_named() {
        let run = told("mllp", "panicked", false);
        assert_eq!(run.runs, 0);
        let failure = verdict(&[told("gzip", TEXT, true), run]).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "an input broke mllp; it is kept in fuzz/artifacts"
        );
    }
}
