//! The crash tests with the numbers that a soak is for, and what they tell.

use std::fs;

use crate::failure::{Failure, Outcome};
use crate::figures::Table;
use crate::process;
use crate::test::{self, Counts};
use crate::workspace::Workspace;

/// How often what is done, at most; the time may end it before.
const NUMBERS: &[(&str, &str)] = &[
    ("LETTERBOX_KILLS", "5000"),
    ("LETTERBOX_FAULTS", "every"),
    ("LETTERBOX_CUTS", "50"),
    ("LETTERBOX_DATABASE_KILLS", "30"),
    ("LETTERBOX_WORKER_KILLS", "60"),
];

/// What the tests of crashes did.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) counts: Counts,
    /// What, how often.
    lines: Vec<(String, String)>,
}

/// Runs the tests of crashes; each kind of attack has all the time, side by side.
pub(super) fn run(workspace: &Workspace, seconds: u64) -> Outcome<Findings> {
    let folder = workspace.path("target/soak-figures");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let mut command = process::cargo(workspace, ["nextest", "run", "--profile=soak"]);
    command.args(["--package=letterbox-tests", "--all-features", "crash::"]);
    command.envs(NUMBERS.iter().copied());
    command.env("LETTERBOX_CRASH_SECONDS", seconds.to_string());
    command.env("LETTERBOX_FIGURES", &folder);
    let counts = test::counted(test::with_peers(workspace, &mut command))?;
    let mut lines = Vec::new();
    let mut files: Vec<_> = fs::read_dir(&folder)?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    files.sort();
    for file in files {
        let name = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        lines.extend(read(&name, &fs::read_to_string(&file)?));
    }
    Ok(Findings { counts, lines })
}

/// The lines of one kind of attack: what, a tab, how often.
fn read(name: &str, text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter_map(|line| line.split_once('\t'));
    lines
        .map(|(what, count)| (format!("{name}: {what}"), count.to_owned()))
        .collect()
}

impl Findings {
    pub(super) fn to_markdown(&self) -> String {
        let mut table = Table::new(&["crash laboratory", "count"]);
        for (what, count) in &self.lines {
            table.row([what.clone(), count.clone()]);
        }
        table.to_markdown()
    }

    pub(super) fn verdict(&self) -> Outcome {
        if self.counts.failed == 0 {
            return Ok(());
        }
        Err(Failure::new("a crash test failed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_and_stand_in_a_table() {
        let findings = Findings {
            counts: Counts::default(),
            lines: read("cuts", "power cuts\t50\nlost\t0\nno figure\n"),
        };
        assert_eq!(
            findings.to_markdown(),
            "| crash laboratory | count |\n\
             | ---------------- | ----: |\n\
             | cuts: power cuts |    50 |\n\
             | cuts: lost       |     0 |\n"
        );
        assert!(findings.verdict().is_ok());
    }

    #[test]
    fn a_failed_crash_test_fails_the_soak() {
        let counts = Counts {
            failed: 1,
            ..Counts::default()
        };
        let findings = Findings {
            counts,
            lines: Vec::new(),
        };
        assert!(findings.verdict().is_err());
    }
}
