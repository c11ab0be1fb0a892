//! `race mesh`: our client and the Python client, as whole processes, against the same sandbox.
//!
//! Each sends the same letters; the runs alternate, so that what else the machine does falls on
//! both. Starting the interpreter, reading certificates and the TLS handshake are counted: that
//! is what a trust's machine pays.

mod cluster;
mod sandbox;
mod store;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::failure::{Failure, Outcome};
use crate::figures::{self, Table};
use crate::peers;
use crate::process;
use crate::say::say;
use crate::workspace::Workspace;
use sandbox::Sandbox;

const LETTERS: u64 = 500;
const LETTER_BYTES: u64 = 20_000;

/// Runs of each; the median counts.
const ROUNDS: usize = 9;

const MEASURE: &str = "benches/race/measure.py";
const THEIRS: &str = "benches/race/mesh.py";

/// What one process took.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cost {
    cpu_s: f64,
    wall_s: f64,
    peak_mb: f64,
}

pub(crate) fn command(workspace: &Workspace, arguments: &[&str]) -> Outcome {
    let save = match arguments {
        ["mesh"] => false,
        ["mesh", "--save"] => true,
        ["store"] => return store::race(workspace, false),
        ["store", "--save"] => return store::race(workspace, true),
        _ => return Err(Failure::new("usage: cargo xtask race mesh|store [--save]")),
    };
    if let Some(missing) = peers::prepare(workspace).first() {
        return Err(Failure::new(format!("not run: {missing}")));
    }
    let ours = build(workspace, "race-mesh")?;
    let sandbox = Sandbox::start(workspace)?;
    let letter = letter(sandbox.folder())?;
    let theirs = [
        peers::python_of_client(workspace).into_os_string(),
        workspace.path(THEIRS).into_os_string(),
    ];
    let mut costs = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let our = measured(
            workspace,
            &sandbox,
            &letter,
            &[ours.clone().into_os_string()],
        )?;
        let their = measured(workspace, &sandbox, &letter, &theirs)?;
        say(format_args!(
            "round {round}: ours {:.0} ms CPU, {:.1} MB; Python {:.0} ms CPU, {:.1} MB",
            our.cpu_s * 1e3,
            our.peak_mb,
            their.cpu_s * 1e3,
            their.peak_mb
        ));
        costs.0.push(our);
        costs.1.push(their);
    }
    let page = page(&costs.0, &costs.1);
    say(format_args!("\n{page}"));
    if save {
        figures::save(workspace, "race-mesh", "Race: sending over MESH", &page)?;
    }
    Ok(())
}

fn build(workspace: &Workspace, name: &str) -> Outcome<PathBuf> {
    let bin = format!("--bin={name}");
    let arguments = ["build", "--release", "--package=letterbox-benches", &bin];
    process::run(&mut process::cargo(workspace, arguments))?;
    Ok(workspace.path(&format!("target/release/{name}")))
}

fn letter(folder: &Path) -> Outcome<PathBuf> {
    let line = "<p>Seen in clinic, doing well, see again in six months.</p>\n";
    let bytes = usize::try_from(LETTER_BYTES).unwrap_or(usize::MAX);
    let letter: Vec<u8> = line.bytes().cycle().take(bytes).collect();
    let path = folder.join("letter.xml");
    fs::write(&path, letter)?;
    Ok(path)
}

fn measured(
    workspace: &Workspace,
    sandbox: &Sandbox,
    letter: &Path,
    program: &[OsString],
) -> Outcome<Cost> {
    let mut command = Command::new(peers::python_of_client(workspace));
    command.arg(workspace.path(MEASURE)).args(program);
    command.arg(letter).arg(LETTERS.to_string());
    command.envs(sandbox.settings());
    // These would win over the certificate authority that the client is told.
    command
        .env_remove("REQUESTS_CA_BUNDLE")
        .env_remove("CURL_CA_BUNDLE");
    let before = sandbox.stored_bytes()?;
    let cost = cost(&process::output(&mut command)?)?;
    let grown = sandbox.stored_bytes()?.saturating_sub(before);
    if grown < LETTERS * LETTER_BYTES {
        return Err(Failure::new(format!(
            "the sandbox stored only {grown} bytes of a run"
        )));
    }
    Ok(cost)
}

/// Reads the line of `measure.py`, and of the program's own line the peak of its memory.
fn cost(text: &str) -> Outcome<Cost> {
    let mut peak_kb = None;
    let mut used = Value::Null;
    for line in text.lines() {
        let line: Value = serde_json::from_str(line)?;
        if let Some(peak) = line.get("peak_kb").and_then(Value::as_f64) {
            peak_kb = Some(peak);
        } else {
            used = line;
        }
    }
    let number = |member: &str| used.get(member).and_then(Value::as_f64);
    match (number("cpu_s"), number("wall_s"), peak_kb) {
        (Some(cpu_s), Some(wall_s), Some(peak_kb)) => Ok(Cost {
            cpu_s,
            wall_s,
            peak_mb: peak_kb * 1024.0 / 1e6,
        }),
        _ => Err(Failure::new(format!("no figures in: {text}"))),
    }
}

/// The figure in the middle.
fn middle(figures: &[f64]) -> f64 {
    let mut figures = figures.to_vec();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

fn median(costs: &[Cost]) -> Cost {
    let middle = |figure: fn(&Cost) -> f64| middle(&costs.iter().map(figure).collect::<Vec<_>>());
    Cost {
        cpu_s: middle(|cost| cost.cpu_s),
        wall_s: middle(|cost| cost.wall_s),
        peak_mb: middle(|cost| cost.peak_mb),
    }
}

fn page(ours: &[Cost], theirs: &[Cost]) -> String {
    let heads = [
        "whole process",
        "CPU",
        "lowest",
        "highest",
        "wall",
        "peak memory",
    ];
    let mut table = Table::new(&heads);
    for (name, costs) in [("ours (mesh-client)", ours), ("Python mesh-client", theirs)] {
        let middle = median(costs);
        let cpu = costs.iter().map(|cost| cost.cpu_s);
        table.row([
            name.to_owned(),
            milliseconds(middle.cpu_s),
            milliseconds(cpu.clone().fold(f64::INFINITY, f64::min)),
            milliseconds(cpu.fold(0.0, f64::max)),
            format!("{:.1} s", middle.wall_s),
            format!("{:.1} MB", middle.peak_mb),
        ]);
    }
    let rounds = ours
        .iter()
        .zip(theirs)
        .map(|(our, their)| their.cpu_s / our.cpu_s);
    let (ours, theirs) = (median(ours), median(theirs));
    table.row([
        "ratio".to_owned(),
        ratio(theirs.cpu_s / ours.cpu_s),
        ratio(rounds.clone().fold(f64::INFINITY, f64::min)),
        ratio(rounds.fold(0.0, f64::max)),
        ratio(theirs.wall_s / ours.wall_s),
        ratio(theirs.peak_mb / ours.peak_mb),
    ]);
    format!(
        "{LETTERS} letters of {LETTER_BYTES} bytes, one after the other, over mutual TLS to the \
         official sandbox; median of {ROUNDS} runs of each, alternating. CPU is user and system \
         time; lowest and highest are single runs, and for the ratio single rounds. The wall time \
         is mostly the sandbox's own. What else the machine does moves our small figure more than \
         the large one: compare ratios made under the same load only.\n\n{}",
        table.to_markdown()
    )
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.0} ms", seconds * 1e3)
}

fn ratio(times: f64) -> String {
    format!("1 : {times:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = "{\"peak_kb\": 10000}\n{\"cpu_s\": 0.5, \"wall_s\": 8.0}\n";

    #[test]
    fn the_lines_of_a_run_are_read() {
        let cost = cost(LINES).unwrap();
        assert_eq!((cost.cpu_s, cost.wall_s, cost.peak_mb), (0.5, 8.0, 10.24));
    }

    #[test]
    fn a_run_that_did_not_tell_its_memory_is_refused() {
        assert!(cost("{\"cpu_s\": 0.5, \"wall_s\": 8.0}\n").is_err());
        assert!(cost("Traceback").is_err());
    }

    #[test]
    fn the_median_is_taken_for_each_figure() {
        let costs = [(1.0, 9.0), (3.0, 7.0), (2.0, 8.0)];
        let costs = costs.map(|(cpu_s, wall_s)| Cost {
            cpu_s,
            wall_s,
            peak_mb: 1.0,
        });
        let median = median(&costs);
        assert_eq!((median.cpu_s, median.wall_s), (2.0, 8.0));
    }

    #[test]
    fn the_page_tells_the_ratio_and_its_spread() {
        let cost = |cpu_s, wall_s, peak_mb| Cost {
            cpu_s,
            wall_s,
            peak_mb,
        };
        let ours = [0.4, 0.5, 1.0].map(|cpu_s| cost(cpu_s, 8.0, 10.0));
        let theirs = [6.0; 3].map(|cpu_s| cost(cpu_s, 16.0, 45.0));
        let page = page(&ours, &theirs);
        let last = page.lines().last().unwrap().replace(' ', "");
        assert_eq!(last, "|ratio|1:12.0|1:6.0|1:15.0|1:2.0|1:4.5|");
    }
}
