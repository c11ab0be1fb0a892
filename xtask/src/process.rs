//! Running other programs.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use crate::failure::{Failure, Outcome};
use crate::workspace::Workspace;

/// Cargo with these arguments, at the root of the workspace.
pub(crate) fn cargo<S: AsRef<OsStr>>(
    workspace: &Workspace,
    arguments: impl IntoIterator<Item = S>,
) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = program(workspace, cargo);
    command.args(arguments);
    command
}

/// A program at the root of the workspace; the tools of the cache folder are found last.
pub(crate) fn program(workspace: &Workspace, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(workspace.root());
    without_own_package(&mut command);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([workspace.cache().join("tools/bin")]);
    if let Ok(path) = std::env::join_paths(folders) {
        command.env("PATH", path);
    }
    command
}

// Cargo tells this program about its own package. A build script that looks at such a variable
// (ring's does) would be built again for each change between this and a plain `cargo`.
fn without_own_package(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
}

/// Runs with the terminal's own input and output.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let status = command
        .status()
        .map_err(|error| not_started(command, &error))?;
    check(command, status)
}

/// Runs quietly and gives what it wrote to standard output; its messages are shown on failure.
pub(crate) fn output(command: &mut Command) -> Outcome<String> {
    let output = command
        .output()
        .map_err(|error| not_started(command, &error))?;
    if !output.status.success() {
        let messages = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Failure::new(format!(
            "{} ended with {}\n{}",
            shown(command),
            output.status,
            messages.trim_end()
        )));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| Failure::new(format!("{} wrote no UTF-8", shown(command))))
}

/// Whether the program can be run and ends well; writes nothing.
pub(crate) fn works(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs, shows both outputs as they come, and gives them back.
pub(crate) fn tee(command: &mut Command) -> Outcome<(ExitStatus, String)> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| not_started(command, &error))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let kept = thread::scope(|scope| {
        let first = scope.spawn(|| pass_on(out, std::io::stdout()));
        let second = scope.spawn(|| pass_on(err, std::io::stderr()));
        let mut kept = first.join().unwrap_or_default();
        kept.push_str(&second.join().unwrap_or_default());
        kept
    });
    Ok((child.wait()?, kept))
}

/// Runs and gives back both outputs, one after the other; shows nothing.
pub(crate) fn quiet(command: &mut Command) -> Outcome<(ExitStatus, String)> {
    let output = command
        .output()
        .map_err(|error| not_started(command, &error))?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Ok((output.status, text))
}

fn pass_on(from: Option<impl Read>, mut to: impl Write) -> String {
    let mut kept = String::new();
    let Some(from) = from else { return kept };
    let mut lines = BufReader::new(from);
    let mut line = Vec::new();
    while lines
        .read_until(b'\n', &mut line)
        .is_ok_and(|count| count > 0)
    {
        drop(to.write_all(&line).and_then(|()| to.flush()));
        kept.push_str(&String::from_utf8_lossy(&line));
        line.clear();
    }
    kept
}

fn check(command: &Command, status: ExitStatus) -> Outcome {
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{} ended with {status}",
        shown(command)
    )))
}

fn not_started(command: &Command, error: &std::io::Error) -> Failure {
    Failure::new(format!("{} could not be started: {error}", shown(command)))
}

fn shown(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let name = program.rsplit('/').next().unwrap_or(&program).to_owned();
    let words = command
        .get_args()
        .take(6)
        .map(|word| word.to_string_lossy().into_owned());
    std::iter::once(name)
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let failure = run(&mut Command::new("no-such-program-here")).unwrap_err();
        assert!(
            failure
                .to_string()
                .starts_with("no-such-program-here could not be started")
        );
    }

    #[test]
    fn both_outputs_are_kept() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo out; echo err >&2; exit 3"]);
        let (status, kept) = tee(&mut shell).unwrap();
        assert_eq!(status.code(), Some(3));
        assert_eq!(kept, "out\nerr\n");
    }

    #[test]
    fn the_messages_of_a_failure_are_told() {
        let failure = output(Command::new("sh").args(["-c", "echo why >&2; exit 1"])).unwrap_err();
        assert!(failure.to_string().ends_with("\nwhy"), "{failure}");
    }
}
