//! The contributor's commands; `cargo xtask help` lists them.
//!
//! Each command is a file of its own. What can be wrong without a process being run (the floors,
//! the counting of test results, the sets of features) stands in pure functions with tests.

mod api;
mod bench;
mod ci;
mod demo;
mod deny;
mod failure;
mod features;
mod figures;
mod floors;
mod fuzz;
mod lints;
mod peers;
mod process;
mod race;
mod say;
mod soak;
mod steps;
mod system;
mod test;
mod tools;
mod workspace;

use std::process::ExitCode;

use failure::{Failure, Outcome};
use say::say;
use workspace::Workspace;

struct Command {
    name: &'static str,
    arguments: &'static str,
    does: &'static str,
    run: fn(&Workspace, &[&str]) -> Outcome,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "test",
        arguments: "",
        does: "all tests, against the real counterparts too",
        run: test::command,
    },
    Command {
        name: "ci",
        arguments: "",
        does: "every check: format, lints, docs, floors, api, tests, features, licences, demo, fuzz",
        run: ci::command,
    },
    Command {
        name: "soak",
        arguments: "--minutes N",
        does: "crashes by the thousand, the same tests and fuzz targets for a long time",
        run: soak::command,
    },
    Command {
        name: "floors",
        arguments: "",
        does: "fails on an arrow between crates that does not run down",
        run: floors::command,
    },
    Command {
        name: "api",
        arguments: "[--bless]",
        does: "fails when a crate's public API differs from its listing in xtask/api",
        run: api::command,
    },
    Command {
        name: "fuzz",
        arguments: "[--seconds N] [TARGET]...",
        does: "fuzzes each target for some seconds",
        run: fuzz::command,
    },
    Command {
        name: "bench",
        arguments: "[--save]",
        does: "runs the benches and prints a table",
        run: bench::command,
    },
    Command {
        name: "race",
        arguments: "mesh|store [--save]",
        does: "our program against another, as whole processes",
        run: race::command,
    },
    Command {
        name: "help",
        arguments: "",
        does: "this list",
        run: help,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(format_args!("xtask: {failure}"));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[&str]) -> Outcome {
    let (name, rest) = arguments.split_first().unwrap_or((&"help", &[]));
    let Some(command) = COMMANDS.iter().find(|command| command.name == *name) else {
        return Err(Failure::new(format!(
            "there is no command {name}; see `cargo xtask help`"
        )));
    };
    (command.run)(&Workspace::find()?, rest)
}

fn help(_: &Workspace, _: &[&str]) -> Outcome {
    for command in COMMANDS {
        let call = format!("{} {}", command.name, command.arguments);
        say(format_args!("cargo xtask {call:<32} {}", command.does));
    }
    Ok(())
}
