use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Site;

/// System calls of the program that go wrong, as `strace` makes them.
///
/// `strace` counts the calls of each thread for itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Injection {
    /// Which calls, separated by commas.
    pub calls: String,
    /// What they do instead, such as `error=EIO:when=3`; nothing: they are only noted.
    pub instead: Option<String>,
    /// Only calls about these files; all files when there are none.
    pub files: Vec<PathBuf>,
    /// Where the calls are noted.
    pub log: PathBuf,
    /// The tracer goes out of the way: the process that is started is the program's own, so that
    /// signals reach it. The notes may then be whole only after it has ended.
    pub detached: bool,
}

impl Injection {
    /// Calls that are only noted, in a file that is not kept.
    pub fn new(calls: &str) -> Self {
        Self {
            calls: calls.to_owned(),
            instead: None,
            files: Vec::new(),
            log: PathBuf::from("/dev/null"),
            detached: false,
        }
    }

    /// Makes them do something else.
    #[must_use]
    pub fn instead(mut self, what: &str) -> Self {
        self.instead = Some(what.to_owned());
        self
    }

    /// The program under it, with arguments, not yet started; it ends as the program does.
    pub fn command(&self, site: &Site, arguments: &[&str]) -> Command {
        let plain = site.command(arguments);
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "--signal=none"]);
        // A signal is not delivered at the stop that the faster way makes.
        let signals = self.instead.as_deref().unwrap_or_default();
        if !signals.contains("signal=") {
            command.arg("--seccomp-bpf");
        }
        if self.detached {
            command.arg("-D");
        }
        command.arg("-e").arg(format!("trace={}", self.calls));
        if let Some(instead) = &self.instead {
            command
                .arg("-e")
                .arg(format!("inject={}:{instead}", self.calls));
        }
        for file in &self.files {
            command.arg("-P").arg(file);
        }
        command.arg("-o").arg(&self.log);
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

    /// How many calls the thread made that made most of them.
    pub fn calls_of_one_thread(&self) -> usize {
        let mut threads: BTreeMap<String, usize> = BTreeMap::new();
        for line in self.noted() {
            let thread = line.split_whitespace().next().unwrap_or_default();
            *threads.entry(thread.to_owned()).or_default() += 1;
        }
        threads.into_values().max().unwrap_or(0)
    }

    /// How many calls went wrong.
    pub fn count(&self) -> usize {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        log.lines()
            .filter(|line| line.contains("(INJECTED)"))
            .count()
    }

    fn noted(&self) -> Vec<String> {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines = log.lines().filter(|line| !line.contains(" resumed>"));
        lines.map(str::to_owned).collect()
    }
}

/// Whether `strace` is there and may trace.
pub fn can_inject() -> bool {
    let mut tried = Command::new("strace");
    tried
        .args(["-D", "-f", "-qq", "--seccomp-bpf"])
        .arg("-o")
        .arg(Path::new("/dev/null"));
    tried.args(["-e", "trace=fsync", "-e", "inject=fsync:retval=0", "true"]);
    let quiet = tried.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}
