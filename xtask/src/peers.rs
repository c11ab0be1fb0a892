//! The counterparts that tests run against: NHS England's MESH sandbox, a MESH client in Python
//! that has nothing to do with ours, and what the system has for crashes.
//!
//! The first two stand in the cache folder, each in a venv of its own; when they are there, no network is
//! needed.

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::process;
use crate::system;
use crate::workspace::Workspace;

const PEER: &str = "tests/peers/mesh-sandbox";
const PYTHON_CLIENT_VERSION: &str = "5.0.2";

/// A counterpart that cannot be had, and why.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    counterpart: &'static str,
    why: String,
}

impl Missing {
    pub(crate) fn new(counterpart: &'static str, why: &Failure) -> Self {
        Self {
            counterpart,
            why: why.to_string(),
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.counterpart, self.why)
    }
}

/// Makes what is not there yet, and tells what cannot be had.
pub(crate) fn prepare(workspace: &Workspace) -> Vec<Missing> {
    let missing = |counterpart, failure: Failure| Missing::new(counterpart, &failure);
    let sandbox = sandbox(workspace).map_err(|why| missing("MESH sandbox", why));
    let client = python_client(workspace).map_err(|why| missing("Python mesh-client", why));
    [sandbox.err(), client.err()]
        .into_iter()
        .flatten()
        .chain(system::prepare())
        .collect()
}

/// The folder that the sandbox's start script takes as `MESH_PEER_CACHE`.
pub(crate) fn sandbox_cache(workspace: &Workspace) -> PathBuf {
    workspace.cache().join("mesh-sandbox")
}

/// The interpreter that has the Python client.
pub(crate) fn python_of_client(workspace: &Workspace) -> PathBuf {
    client_venv(workspace).join("bin/python")
}

fn client_venv(workspace: &Workspace) -> PathBuf {
    let name = format!("venv-{PYTHON_CLIENT_VERSION}");
    workspace.cache().join("python-client").join(name)
}

// The same folder, lock and mark as in the start script, which makes the venv too when it is run
// without us.
fn sandbox(workspace: &Workspace) -> Outcome {
    let peer = workspace.path(PEER);
    let script = fs::read_to_string(peer.join("start"))
        .map_err(|_| Failure::new(format!("{PEER}/start is not in this checkout")))?;
    let version = script_version(&script)
        .ok_or_else(|| Failure::new(format!("{PEER}/start names no version")))?;
    for program in ["bash", "openssl", "flock"] {
        found(program)?;
    }
    let cache = sandbox_cache(workspace);
    let constraints = peer.join("constraints.txt").to_string_lossy().into_owned();
    let package = format!("mesh-sandbox=={version}");
    let venv = cache.join(format!("venv-{version}"));
    install(&cache, &venv, &[&package, "-r", &constraints])
}

fn python_client(workspace: &Workspace) -> Outcome {
    let venv = client_venv(workspace);
    let cache = workspace.cache().join("python-client");
    let package = format!("mesh-client=={PYTHON_CLIENT_VERSION}");
    install(&cache, &venv, &[&package])
}

fn install(cache: &Path, venv: &Path, packages: &[&str]) -> Outcome {
    fs::create_dir_all(cache)?;
    let lock = File::create(cache.join("lock"))?;
    lock.lock()?;
    let ready = venv.join(".ready");
    if ready.exists() {
        return Ok(());
    }
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    found(&python)?;
    if venv.exists() {
        fs::remove_dir_all(venv)?;
    }
    process::output(Command::new(python).args(["-m", "venv"]).arg(venv)).map_err(last_line)?;
    let mut pip = Command::new(venv.join("bin/python"));
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    process::output(pip.args(packages)).map_err(last_line)?;
    File::create(ready)?;
    Ok(())
}

fn found(program: &str) -> Outcome {
    if process::works(Command::new(program).arg("--version"))
        || process::works(Command::new(program).arg("version"))
    {
        return Ok(());
    }
    Err(Failure::new(format!("{program} not found")))
}

// pip tells the cause in its last line, and much before it.
fn last_line(failure: Failure) -> Failure {
    let text = failure.to_string();
    Failure::new(text.lines().last().unwrap_or("it cannot be installed"))
}

fn script_version(script: &str) -> Option<&str> {
    let (_, rest) = script.split_once("{MESH_SANDBOX_VERSION:-")?;
    rest.split_once('}').map(|(version, _)| version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_stands_in_the_start_script() {
        let script = "set -e\nVERSION=\"${MESH_SANDBOX_VERSION:-1.0.137}\"\nPYTHON=x\n";
        assert_eq!(script_version(script), Some("1.0.137"));
        assert_eq!(script_version("VERSION=1"), None);
    }

    #[test]
    fn a_missing_program_is_named() {
        let failure = found("no-such-python").unwrap_err();
        let missing = Missing {
            counterpart: "MESH sandbox",
            why: failure.to_string(),
        };
        assert_eq!(
            missing.to_string(),
            "MESH sandbox: no-such-python not found"
        );
    }

    #[test]
    fn the_last_line_tells_the_cause() {
        let failure = Failure::new("pip ended with 1\nLooking\nERROR: no matching distribution");
        assert_eq!(
            last_line(failure).to_string(),
            "ERROR: no matching distribution"
        );
    }
}
