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
const INPUT_BYTES_MAX: u32 = 16_384;

const SECONDS: u64 = 10;

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
        say(&text);
    }
    Ok(told)
}

fn fuzzer(workspace: &Workspace) -> Outcome<Command> {
    let mut command = process::program(workspace, FUZZ.ensure(workspace)?);
    command.env("RUSTC_BOOTSTRAP", "1");
    Ok(command)
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
