use std::path::Path;
use std::process::{Command, Stdio};

use crate::Site;

/// The program under `strace`, with system calls that go wrong as told.
///
/// The tracer detaches itself from our sight: the process that is started is the program's own,
/// so that signals and the exit code are its own too. What it did goes to `log`.
pub fn injected(
    site: &Site,
    arguments: &[&str],
    calls: &str,
    injections: &[&str],
    log: &Path,
) -> Command {
    let plain = site.command(arguments);
    let mut command = Command::new("strace");
    command.args(["-D", "-f", "-qq", "--seccomp-bpf", "--signal=none"]);
    command.arg("-e").arg(format!("trace={calls}"));
    for injection in injections {
        command.arg("-e").arg(format!("inject={injection}"));
    }
    command.arg("-o").arg(log);
    command.arg(plain.get_program()).args(plain.get_args());
    command.current_dir(site.folder());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// Whether `strace` is there and may trace.
pub fn can_inject() -> bool {
    let mut tried = Command::new("strace");
    tried.args(["-D", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null"]);
    tried.args(["-e", "trace=fsync", "-e", "inject=fsync:retval=0", "true"]);
    let quiet = tried.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}
