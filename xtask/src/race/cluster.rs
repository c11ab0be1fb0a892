//! A PostgreSQL that forces its writes to disk, for as long as the value lives.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::process;

pub(super) struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
}

impl Cluster {
    /// Makes and starts one in this folder, on a socket there and on no port.
    pub(super) fn start(folder: &Path) -> Outcome<Self> {
        let programs = programs().ok_or_else(|| {
            Failure::new("no PostgreSQL server programs: install the package `postgresql`")
        })?;
        fs::create_dir_all(folder)?;
        let cluster = Self {
            programs,
            folder: folder.to_owned(),
        };
        if is_root() {
            process::run(Command::new("chown").arg("nobody").arg(folder))?;
        }
        let data = folder.join("data");
        let mut make = cluster.server("initdb");
        make.arg("-D").arg(&data);
        make.args(["-U", "race", "-A", "trust", "-E", "UTF8", "--locale=C"]);
        process::output(&mut make)?;
        let settings = format!("-k {} -c listen_addresses=", folder.display());
        let mut start = cluster.server("pg_ctl");
        start.arg("-D").arg(&data).args(["-w", "-t", "30", "-l"]);
        start.arg(folder.join("log"));
        process::run(
            start
                .args(["-o", &settings, "start"])
                .stdout(std::process::Stdio::null()),
        )?;
        Ok(cluster)
    }

    /// Runs statements.
    pub(super) fn sql(&self, text: &str) -> Outcome {
        let mut client = self.client("psql");
        process::output(client.args(["-q", "-v", "ON_ERROR_STOP=1", "-c", text, "postgres"]))
            .map(drop)
    }

    /// Transactions a second of a script, with so many clients for so many seconds.
    pub(super) fn bench(&self, script: &str, clients: u32, seconds: u32) -> Outcome<f64> {
        let path = self.folder.join("script.sql");
        fs::write(&path, script)?;
        let (clients, seconds) = (clients.to_string(), seconds.to_string());
        let mut bench = self.client("pgbench");
        bench.args(["-n", "-M", "prepared", "-j", "2"]);
        bench.args(["-c", &clients, "-T", &seconds, "-f"]).arg(path);
        rate(&process::output(bench.arg("postgres"))?)
    }

    fn client(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.arg("-h").arg(&self.folder).args(["-U", "race"]);
        command
    }

    /// The server refuses to be run by root.
    fn server(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = if is_root() {
            let mut as_nobody = Command::new("setpriv");
            as_nobody.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]);
            as_nobody.arg(program);
            as_nobody
        } else {
            Command::new(program)
        };
        command.env("HOME", &self.folder).current_dir(&self.folder);
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut stop = self.server("pg_ctl");
        stop.arg("-D").arg(self.folder.join("data"));
        let _ = process::output(stop.args(["-m", "immediate", "stop"]));
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn rate(text: &str) -> Outcome<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix("tps = "));
    let figure = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    figure.ok_or_else(|| Failure::new(format!("no rate in: {text}")))
}

/// The newest server programs of this machine.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut installed: Vec<_> = installed
        .filter_map(|entry| entry.ok().map(|entry| entry.path().join("bin")))
        .collect();
    installed.sort();
    installed.reverse();
    folders.extend(installed);
    let whole = |folder: &PathBuf| {
        ["initdb", "pgbench"]
            .iter()
            .all(|name| folder.join(name).exists())
    };
    folders.into_iter().find(whole)
}

fn is_root() -> bool {
    process::output(Command::new("id").arg("-u")).is_ok_and(|text| text.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_read_from_the_last_lines() {
        let text = "latency average = 0.8 ms\ntps = 37521.26 (without initial connection time)\n";
        assert_eq!(rate(text).unwrap(), 37521.26);
        assert!(rate("FATAL").is_err());
    }
}
