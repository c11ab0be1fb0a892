//! `bench`: runs the criterion benches and prints one table of them.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::failure::{Failure, Outcome};
use crate::figures::{self, Table};
use crate::process;
use crate::say::say;
use crate::workspace::Workspace;

const RESULTS: &str = "target/criterion";

/// One bench: nanoseconds for a round of it, and its throughput's unit and count.
#[derive(Debug, PartialEq)]
struct Figure {
    name: String,
    median_ns: f64,
    low_ns: f64,
    high_ns: f64,
    throughput: Option<(String, f64)>,
}

pub(crate) fn command(workspace: &Workspace, arguments: &[&str]) -> Outcome {
    let save = match arguments {
        [] => false,
        ["--save"] => true,
        _ => return Err(Failure::new("usage: cargo xtask bench [--save]")),
    };
    let results = workspace.path(RESULTS);
    if results.exists() {
        // Benches that are gone would stay in the table.
        fs::remove_dir_all(&results)?;
    }
    process::run(&mut process::cargo(
        workspace,
        ["bench", "--package", "letterbox-benches"],
    ))?;
    let mut figures = Vec::new();
    collect(&results, &mut figures)?;
    figures.sort_by(|one, other| one.name.cmp(&other.name));
    let table = table(&figures).to_markdown();
    say(&table);
    if save {
        figures::save(workspace, "bench", "Benches", &table)?;
    }
    Ok(())
}

/// Runs each bench once, without measuring.
pub(crate) fn check(workspace: &Workspace) -> Outcome {
    let arguments = [
        "bench",
        "--quiet",
        "--package",
        "letterbox-benches",
        "--",
        "--test",
    ];
    process::run(&mut process::cargo(workspace, arguments))
}

// Criterion keeps a folder `new` for each bench, any number of folders deep.
fn collect(folder: &Path, figures: &mut Vec<Figure>) -> Outcome {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if !path.is_dir() {
            continue;
        }
        if path.ends_with("new") {
            let bench = fs::read_to_string(path.join("benchmark.json"))?;
            let estimates = fs::read_to_string(path.join("estimates.json"))?;
            figures.extend(figure(&bench, &estimates)?);
        } else {
            collect(&path, figures)?;
        }
    }
    Ok(())
}

fn figure(bench: &str, estimates: &str) -> Outcome<Option<Figure>> {
    let bench: Value = serde_json::from_str(bench)?;
    let estimates: Value = serde_json::from_str(estimates)?;
    let number = |pointer: &str| estimates.pointer(pointer).and_then(Value::as_f64);
    let name = bench.get("full_id").and_then(Value::as_str);
    let (Some(name), Some(median_ns)) = (name, number("/median/point_estimate")) else {
        return Ok(None);
    };
    let throughput = bench.get("throughput").and_then(Value::as_object);
    let throughput = throughput.and_then(|map| {
        let (unit, count) = map.iter().next()?;
        Some((unit.clone(), count.as_f64()?))
    });
    Ok(Some(Figure {
        name: name.to_owned(),
        median_ns,
        low_ns: number("/median/confidence_interval/lower_bound").unwrap_or(median_ns),
        high_ns: number("/median/confidence_interval/upper_bound").unwrap_or(median_ns),
        throughput,
    }))
}

fn table(figures: &[Figure]) -> Table {
    let mut table = Table::new(&["bench", "median", "95% from", "to", "throughput"]);
    for figure in figures {
        let throughput = figure.throughput.as_ref();
        table.row([
            figure.name.clone(),
            time(figure.median_ns),
            time(figure.low_ns),
            time(figure.high_ns),
            throughput.map_or_else(String::new, |(unit, count)| {
                rate(unit, count / figure.median_ns * 1e9)
            }),
        ]);
    }
    table
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.2} µs", ns / 1e3),
        ns if ns < 1e9 => format!("{:.2} ms", ns / 1e6),
        ns => format!("{:.2} s", ns / 1e9),
    }
}

fn rate(unit: &str, each_second: f64) -> String {
    if unit.starts_with("Bytes") {
        return format!("{:.1} MB/s", each_second / 1e6);
    }
    format!("{each_second:.0} /s")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ESTIMATES: &str = r#"{"median":{"point_estimate":2500.0,
        "confidence_interval":{"lower_bound":2400.0,"upper_bound":2600.0}}}"#;

    #[test]
    fn a_result_of_criterion_is_read() {
        let bench = r#"{"full_id":"letter/build","throughput":{"Bytes":1000}}"#;
        let figure = figure(bench, ESTIMATES).unwrap().unwrap();
        assert_eq!(figure.median_ns, 2500.0);
        let text = table(&[figure]).to_markdown();
        assert!(
            text.contains("| letter/build | 2.50 µs |  2.40 µs | 2.60 µs | 400.0 MB/s |"),
            "{text}"
        );
    }

    #[test]
    fn a_bench_without_throughput_has_an_empty_cell() {
        let bench = r#"{"full_id":"x","throughput":null}"#;
        assert_eq!(figure(bench, ESTIMATES).unwrap().unwrap().throughput, None);
        assert_eq!(figure("{}", ESTIMATES).unwrap(), None);
    }

    #[test]
    fn times_and_rates_have_units_that_fit() {
        assert_eq!(time(999.0), "999 ns");
        assert_eq!(time(1_000.0), "1.00 µs");
        assert_eq!(time(1_500_000.0), "1.50 ms");
        assert_eq!(time(2e9), "2.00 s");
        assert_eq!(rate("Elements", 100_000.4), "100000 /s");
    }
}
