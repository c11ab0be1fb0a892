use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

/// A run that takes longer is ended, and its test fails.
const TIMEOUT: Duration = Duration::from_secs(90);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How the program ended, and what it said.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Its answer.
    pub stdout: String,
    /// Everything else it said.
    pub stderr: String,
}

impl Outcome {
    /// What a command did that a test ran by its own means.
    pub fn of(output: &std::process::Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// The lines of its answer as JSON documents.
    pub fn json(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{self:?}"));
        self.stdout.lines().map(parse).collect()
    }

    /// Fails the test when the exit code is another.
    #[must_use]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Everything it said.
    pub fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// The program as a process that goes on; dropping it ends it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<String>>,
}

impl Running {
    /// Starts a command.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().map(gather);
        let stderr = child.stderr.take().map(gather);
        Self {
            child,
            stdout,
            stderr,
        }
    }

    /// Kills it at once, as a power cut would: SIGKILL where there are signals.
    pub fn kill(mut self) -> Outcome {
        let _ = self.child.kill();
        self.wait()
    }

    /// Asks it to end, as a service manager does: SIGTERM.
    pub fn terminate(self) -> Outcome {
        assert!(self.signal("-TERM"));
        self.wait()
    }

    /// Sends it a signal by its name, such as `-STOP`; false when it has ended.
    pub fn signal(&self, name: &str) -> bool {
        let pid = self.child.id().to_string();
        let mut kill = Command::new("kill");
        kill.args([name, &pid]).stderr(Stdio::null());
        kill.status().unwrap().success()
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until it ends.
    pub fn wait(mut self) -> Outcome {
        let begin = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if begin.elapsed() > TIMEOUT {
                let _ = self.child.kill();
                let _ = self.child.wait();
                panic!(
                    "the program went on for {TIMEOUT:?}: {:#?}",
                    self.gathered(None)
                );
            }
            thread::sleep(LOOK_EVERY);
        };
        self.gathered(status.code())
    }

    fn gathered(&mut self, code: Option<i32>) -> Outcome {
        let text = |thread: &mut Option<JoinHandle<String>>| thread.take().unwrap().join().unwrap();
        Outcome {
            code,
            stdout: text(&mut self.stdout),
            stderr: text(&mut self.stderr),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn gather(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The program with arguments, in a folder, not yet started. It sees nothing of our environment
/// that would change what it does.
pub fn letterbox(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command
        .current_dir(folder)
        .args(arguments)
        .env_remove("LETTERBOX_CONFIG")
        .env_remove("LETTERBOX_LOG");
    command
}

fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(program) = std::env::var_os("LETTERBOX_PROGRAM") {
            return PathBuf::from(program);
        }
        let test = std::env::current_exe().unwrap();
        let folder = test.ancestors().nth(2).unwrap();
        let program = folder.join(format!("letterbox{}", std::env::consts::EXE_SUFFIX));
        if !is_fresh(&program) {
            build(folder);
        }
        program
    })
}

/// Whether the program is there and no source that it was built from has changed since; Cargo
/// notes the sources beside it.
fn is_fresh(program: &Path) -> bool {
    let changed = |path: &Path| -> Option<SystemTime> { fs::metadata(path).ok()?.modified().ok() };
    let Some(built) = changed(program) else {
        return false;
    };
    let notes = fs::read_to_string(program.with_extension("d")).unwrap_or_default();
    let sources = notes.split_once(':').map_or("", |(_, sources)| sources);
    let mut sources = sources.split_whitespace().map(Path::new).peekable();
    sources.peek().is_some() && sources.all(|path| changed(path).is_some_and(|at| at <= built))
}

/// Several tests may find it missing at the same time: one builds, the others wait.
fn build(folder: &Path) {
    let lock = File::create(folder.join(".letterbox-for-tests.lock")).unwrap();
    lock.lock().unwrap();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", "letterbox"]);
    if folder.ends_with("release") {
        command.arg("--release");
    }
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    let status = command.status().unwrap();
    assert!(status.success(), "letterbox cannot be built");
}
