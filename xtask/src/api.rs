//! `api`: the public API of each library crate, listed in `xtask/api/CRATE.txt`.
//!
//! A listing that differs fails until someone has read the difference and blessed it. The
//! listings stand together here and not in the crates, so that a reviewer finds every promise in
//! one folder and no crate ships a file that its users have no need of.
//!
//! rustdoc's JSON is an unstable form, had from the stable compiler with `RUSTC_BOOTSTRAP=1`, in a
//! target folder of its own; `cargo-public-api` only makes the listing of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::process;
use crate::say::say;
use crate::tools::PUBLIC_API;
use crate::workspace::Workspace;

const LISTINGS: &str = "xtask/api";
const TARGET: &str = "target/api";

pub(crate) fn command(workspace: &Workspace, arguments: &[&str]) -> Outcome {
    let bless = match arguments {
        [] => false,
        ["--bless"] => true,
        _ => return Err(Failure::new("usage: cargo xtask api [--bless]")),
    };
    let tool = PUBLIC_API.ensure(workspace)?;
    let mut names = Vec::new();
    let mut different = Vec::new();
    for package in workspace.libraries()? {
        let listed = listing(workspace, &tool, &package.name);
        let kept = listed.and_then(|now| is_as_kept(workspace, &package.name, &now, bless));
        match kept {
            Ok(true) => {}
            Ok(false) => different.push(package.name.clone()),
            Err(failure) => {
                say(failure.during(&package.name));
                different.push(format!("{} (cannot be listed)", package.name));
            }
        }
        names.push(package.name);
    }
    different.extend(without_crate(workspace, &names, bless)?);
    if different.is_empty() {
        say(format_args!("{} listings in {LISTINGS} hold", names.len()));
        return Ok(());
    }
    Err(Failure::new(format!(
        "the public API differs: {}; when that is meant: cargo xtask api --bless",
        different.join(", ")
    )))
}

fn listing(workspace: &Workspace, tool: &Path, name: &str) -> Outcome<String> {
    let arguments = [
        "rustdoc",
        "--quiet",
        "--lib",
        "--all-features",
        "--package",
        name,
    ];
    let mut rustdoc = process::cargo(workspace, arguments);
    rustdoc.args([
        "--",
        "-Zunstable-options",
        "--output-format=json",
        "--cap-lints=allow",
    ]);
    rustdoc
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", workspace.path(TARGET));
    process::output(&mut rustdoc)?;
    let json = format!("{TARGET}/doc/{}.json", name.replace('-', "_"));
    let mut list = Command::new(tool);
    list.args([
        "public-api",
        "--color=never",
        "--omit=blanket-impls,auto-trait-impls",
    ]);
    process::output(list.arg("--rustdoc-json").arg(workspace.path(&json)))
}

fn is_as_kept(workspace: &Workspace, name: &str, now: &str, bless: bool) -> Outcome<bool> {
    let file = workspace.path(LISTINGS).join(format!("{name}.txt"));
    let kept = fs::read_to_string(&file).unwrap_or_default();
    let lines = difference(&kept, now);
    if lines.is_empty() && file.exists() {
        return Ok(true);
    }
    say(format_args!("{name}: {} lines differ", lines.len()));
    if bless {
        fs::write(file, now)?;
        return Ok(true);
    }
    for line in lines {
        say(format_args!("  {line}"));
    }
    Ok(false)
}

// A listing whose crate is gone would be a promise that nobody keeps.
fn without_crate(workspace: &Workspace, names: &[String], bless: bool) -> Outcome<Vec<String>> {
    let mut gone = Vec::new();
    for entry in fs::read_dir(workspace.path(LISTINGS))? {
        let path = entry?.path();
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if names.contains(&name) {
            continue;
        }
        if bless {
            fs::remove_file(path)?;
        } else {
            gone.push(format!("{name} (no such library)"));
        }
    }
    Ok(gone)
}

/// Lines that only one of them has: `-` the kept one, `+` the new one. Their order is no promise.
fn difference(kept: &str, now: &str) -> Vec<String> {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for line in now.lines() {
        *counts.entry(line).or_default() += 1;
    }
    for line in kept.lines() {
        *counts.entry(line).or_default() -= 1;
    }
    let changed = counts.into_iter().filter(|(_, count)| *count != 0);
    changed
        .map(|(line, count)| format!("{} {line}", if count > 0 { '+' } else { '-' }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_and_what_came_is_told() {
        let lines = difference("pub fn a()\npub fn b()\n", "pub fn b()\npub fn c()\n");
        assert_eq!(lines, ["- pub fn a()", "+ pub fn c()"]);
    }

    #[test]
    fn one_of_two_equal_lines_is_a_difference() {
        assert_eq!(difference("impl A\nimpl A\n", "impl A\n"), ["- impl A"]);
    }

    #[test]
    fn the_order_is_no_difference() {
        assert!(difference("a\nb\n", "b\na\n").is_empty());
    }
}
