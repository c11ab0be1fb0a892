//! `race store`: events that become durable, ours against PostgreSQL and against a plain file.
//!
//! PostgreSQL is measured at its best: one statement appends one row of the same size, and nothing
//! is hashed, chained or projected. Ours is the commit that the engine makes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self as this, Command};

use serde_json::Value;

use super::cluster::Cluster;
use super::{build, middle};
use crate::failure::{Failure, Outcome};
use crate::figures::{self, Table};
use crate::process;
use crate::say::say;
use crate::workspace::Workspace;

/// Rounds of each; the median counts.
const ROUNDS: usize = 5;
const CALLERS: u32 = 64;
const CLIENTS: u32 = 32;
const EVENTS: u32 = 64_000;
const SINGLE: u32 = 2_000;
const SECONDS: u32 = 4;

const TABLES: &str = "CREATE TABLE event (stream bytea, lseq bigint, bytes bytea NOT NULL, \
     PRIMARY KEY (stream, lseq)); CREATE SEQUENCE place;";

const APPEND: &str = "\\set c :client_id\n\
     INSERT INTO event VALUES (decode(lpad(:c::text, 32, '0'), 'hex'), nextval('place'), \
     decode(repeat('78', 420), 'hex'));\n";

pub(super) fn race(workspace: &Workspace, save: bool) -> Outcome {
    let ours = build(workspace, "race-store")?;
    let folder = Folder::new()?;
    let cluster = Cluster::start(&folder.0.join("pg"))?;
    cluster.sql(TABLES)?;
    let mut rates = (Vec::new(), Vec::new());
    let mut single = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let events = folder.run(&ours, &["events"], &[CALLERS, EVENTS])?;
        let our = number(&events, "events")? / number(&events, "seconds")?;
        let their = cluster.bench(APPEND, CLIENTS, SECONDS)?;
        let one = folder.run(&ours, &["single"], &[SINGLE])?;
        let (commit, plain) = (number(&one, "commit_s")?, number(&one, "plain_s")?);
        say(format_args!(
            "round {round}: {our:.0} and {their:.0} events a second; one commit {:.0} µs, write and \
             sync {:.0} µs",
            commit * 1e6,
            plain * 1e6
        ));
        rates.0.push(our);
        rates.1.push(their);
        single.0.push(commit);
        single.1.push(plain);
    }
    let page = page(&rates, &single);
    say(format_args!("\n{page}"));
    if save {
        figures::save(workspace, "race-store", "Race: durable events", &page)?;
    }
    Ok(())
}

/// Both sides stand on the same file system.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Outcome<Self> {
        let folder = std::env::temp_dir().join(format!("lb-race-{}", this::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    /// Runs our side on a store of its own.
    fn run(&self, program: &Path, mode: &[&str], figures: &[u32]) -> Outcome<Value> {
        let folder = self.0.join("ours");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        let mut command = Command::new(program);
        command.args(mode).arg(&folder);
        command.args(figures.iter().map(ToString::to_string));
        Ok(serde_json::from_str(&process::output(&mut command)?)?)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn number(line: &Value, member: &str) -> Outcome<f64> {
    let figure = line.get(member).and_then(Value::as_f64);
    figure.ok_or_else(|| Failure::new(format!("no {member} in {line}")))
}

type Pair = (Vec<f64>, Vec<f64>);

fn page(rates: &Pair, single: &Pair) -> String {
    let mut table = Table::new(&["", "ours", "peer", "ratio", "lowest", "highest"]);
    let ratios = |pair: &Pair| -> Vec<f64> {
        pair.0
            .iter()
            .zip(&pair.1)
            .map(|(our, peer)| our / peer)
            .collect()
    };
    for (name, pair, unit) in [
        ("events a second", rates, 1.0),
        ("one commit, µs", single, 1e6),
    ] {
        let ratio = ratios(pair);
        table.row([
            name.to_owned(),
            format!("{:.0}", middle(&pair.0) * unit),
            format!("{:.0}", middle(&pair.1) * unit),
            format!("{:.2}", middle(&ratio)),
            format!("{:.2}", ratio.iter().copied().fold(f64::INFINITY, f64::min)),
            format!("{:.2}", ratio.iter().copied().fold(0.0, f64::max)),
        ]);
    }
    format!(
        "Events a second: ours with {CALLERS} callers, each event with its place in the ledger, its \
         stream's chain and the tree; the peer is PostgreSQL with fsync on and {CLIENTS} clients of \
         pgbench, each appending one row of the same size and nothing else. One commit: ours \
         against write and fdatasync of the same bytes at the end of a plain file, one after the \
         other. Median of {ROUNDS} alternating rounds on one file system; the ratio is ours to the \
         peer's, lowest and highest are single rounds.\n\n{}",
        table.to_markdown()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_tells_ratios_and_their_spread() {
        let rates = (vec![40.0, 60.0, 50.0], vec![10.0, 10.0, 10.0]);
        let single = (vec![3e-6, 3e-6, 6e-6], vec![2e-6, 3e-6, 3e-6]);
        let page = page(&rates, &single);
        let lines: Vec<String> = page
            .lines()
            .rev()
            .take(2)
            .map(|l| l.replace(' ', ""))
            .collect();
        assert_eq!(lines[1], "|eventsasecond|50|10|5.00|4.00|6.00|");
        assert_eq!(lines[0], "|onecommit,µs|3|3|1.50|1.00|2.00|");
    }

    #[test]
    fn a_line_without_its_figure_is_refused() {
        assert!(number(&serde_json::json!({"events": 1}), "seconds").is_err());
    }
}
