//! For tests of what works on PostgreSQL: a throw-away server. The feature `testkit`; nothing here
//! belongs into a program.
#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::missing_panics_doc,
    reason = "help for tests, which fail where they cannot go on"
)]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::PostgresSettings;

/// The folder of the programs, where it is not found by itself.
const BIN: &str = "LETTERBOX_POSTGRES_BIN";

/// An account that owns nothing: PostgreSQL does not run as root.
const NOBODY: u32 = 65_534;

/// What a server does without that need not outlive its machine.
const FAST: &str = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off";

/// A PostgreSQL server of our own, listening on a socket in its folder only; ended and removed when
/// it is dropped.
///
/// ```no_run
/// # async fn example() -> Result<(), letter_store::OpenError> {
/// use letter_store::testkit::Cluster;
/// use letter_store::{MasterKey, PostgresStore};
/// let Some(cluster) = Cluster::start() else { return Ok(()) };
/// let key = MasterKey::from_hex(&"5a".repeat(32)).unwrap();
/// let store = PostgresStore::open(cluster.settings("rxx"), &key).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    bin: PathBuf,
    options: String,
    is_durable: bool,
    port: u16,
}

impl Cluster {
    /// A server that is quick, and would lose commits with its machine.
    ///
    /// `None`, with a word on stderr, where PostgreSQL is not installed; with `CI=true` in the
    /// environment that is a failure.
    pub fn start() -> Option<Self> {
        Self::begin(FAST, false)
    }

    /// A server that syncs what it confirms.
    ///
    /// `None` as for [`start`](Self::start).
    pub fn start_durable() -> Option<Self> {
        Self::begin("", true)
    }

    /// A quick server that also listens on a free port of the loopback, with TLS by this
    /// certificate and its key, as PEM; the port is in [`url_over_tls`](Self::url_over_tls).
    ///
    /// `None` as for [`start`](Self::start).
    pub fn start_with_tls(certificate: &str, key: &str) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let mut cluster = Self::begin(FAST, false)?;
        cluster.stop();
        for (name, content) in [("server.crt", certificate), ("server.key", key)] {
            let file = cluster.data().join(name);
            fs::write(&file, content).expect("the data folder may be written");
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("it is ours");
            if is_root(&cluster.folder) {
                chown(&file, Some(NOBODY), Some(NOBODY)).expect("root may give a file away");
            }
        }
        cluster.options = format!(
            "-k {} -c listen_addresses=127.0.0.1 -c port={port} -c ssl=on {FAST}",
            cluster.folder.display()
        );
        cluster.port = port;
        cluster.restart();
        Some(cluster)
    }

    /// A connection string over TLS, for a server that speaks it.
    pub fn url_over_tls(&self) -> String {
        let port = self.port;
        format!(
            "host=localhost hostaddr=127.0.0.1 port={port} user=test dbname=postgres sslmode=require"
        )
    }

    fn begin(options: &str, is_durable: bool) -> Option<Self> {
        let Some(bin) = programs() else {
            assert!(
                !std::env::var("CI").is_ok_and(|value| value == "true"),
                "PostgreSQL is not installed"
            );
            eprintln!("skipped: PostgreSQL (not present)");
            return None;
        };
        let folder = new_folder();
        let cluster = Self {
            options: format!("-k {} -c listen_addresses='' {options}", folder.display()),
            folder,
            bin,
            is_durable,
            port: 5432,
        };
        let data = cluster.data();
        let made = cluster
            .command("initdb")
            .arg("-D")
            .arg(&data)
            .args(["-U", "test", "-A", "trust", "--no-sync", "-E", "UTF8"])
            .arg("--locale=C")
            .output()
            .expect("initdb runs");
        assert!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        cluster.restart();
        Some(cluster)
    }

    /// Starts the server, which must not run.
    pub fn restart(&self) {
        let status = self
            .command("pg_ctl")
            .args(["-w", "-t", "60", "-s", "-D"])
            .arg(self.data())
            .arg("-l")
            .arg(self.folder.join("log"))
            .arg("-o")
            .arg(&self.options)
            .arg("start")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("pg_ctl runs");
        let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        assert!(status.success(), "the server does not start:\n{}", log());
    }

    /// Ends the server at once, without a checkpoint: it recovers when it is started again.
    pub fn stop(&self) {
        let mut stop = self.command("pg_ctl");
        stop.args(["-s", "-m", "immediate", "-D"]).arg(self.data());
        let _ = stop.arg("stop").status();
    }

    /// Kills the server and each of its processes, as the kernel would for want of memory.
    pub fn kill(&self) {
        let pid = self.pid().expect("the server runs");
        let children = children(pid);
        let mut kill = Command::new("kill");
        kill.arg("-9").arg(pid.to_string());
        kill.args(children.iter().map(u32::to_string));
        let _ = kill.stderr(Stdio::null()).status();
        let gone = |pid: &u32| !Path::new(&format!("/proc/{pid}/stat")).exists();
        while !children.iter().all(gone) {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// A connection string of its one database, for the account that may do everything.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// A connection string of another database.
    pub fn url_of(&self, database: &str) -> String {
        let folder = self.folder.display();
        match self.port {
            5432 => format!("host={folder} user=test dbname={database}"),
            port => format!("host={folder} port={port} user=test dbname={database}"),
        }
    }

    /// A store in a schema of its database.
    pub fn settings(&self, schema: &str) -> PostgresSettings {
        self.settings_of("postgres", schema)
    }

    /// A store in a schema of another database.
    pub fn settings_of(&self, database: &str, schema: &str) -> PostgresSettings {
        let settings = PostgresSettings::new(self.url_of(database), schema);
        if self.is_durable {
            settings
        } else {
            settings.allow_losing_commits()
        }
    }

    /// The folder with the server's files; tests may put theirs beside them.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn pid(&self) -> Option<u32> {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        text.lines().next()?.trim().parse().ok()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.current_dir(&self.folder).env("HOME", &self.folder);
        command.env_remove("PGDATA").env_remove("PGHOST");
        if is_root(&self.folder) {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A short path: the name of a socket has room for 107 bytes.
fn new_folder() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = PathBuf::from(format!("/tmp/lbpg.{}.{count}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).expect("a folder under /tmp");
    if fs::metadata(&folder).is_ok_and(|about| about.uid() == 0) {
        chown(&folder, Some(NOBODY), Some(NOBODY)).expect("root may give a folder away");
    }
    folder
}

/// Root gives the folder away, and nobody else can.
fn is_root(folder: &Path) -> bool {
    let mine = fs::metadata("/proc/self").or_else(|_| fs::metadata(folder));
    mine.is_ok_and(|about| about.uid() == 0)
}

fn children(pid: u32) -> Vec<u32> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|child| parent(*child) == Some(pid)).collect()
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

/// The folder with `initdb` and `pg_ctl`: named, on the path, or where systems put it.
fn programs() -> Option<PathBuf> {
    let named = std::env::var_os(BIN).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).collect::<Vec<_>>();
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut installed: Vec<(u32, PathBuf)> = installed
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    installed.sort();
    let installed = installed.into_iter().rev().map(|(_, bin)| bin);
    let mut all = named.into_iter().chain(on_path).chain(installed);
    all.find(|bin| bin.join("initdb").exists() && bin.join("pg_ctl").exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_knows_its_children() {
        let mut child = Command::new("sleep").arg("30").spawn().unwrap();
        assert!(children(std::process::id()).contains(&child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
