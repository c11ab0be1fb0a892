use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Where systems put the library, below the folders for libraries.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";
const FOLDERS: [&str; 3] = ["/usr/lib", "/usr/lib64", "/usr/local/lib"];

/// A wall clock of the program's own, which can be moved while it runs; durations are measured
/// as ever. It is libfaketime's.
#[derive(Debug)]
pub struct FakeClock {
    library: PathBuf,
    folder: TempDir,
}

impl FakeClock {
    /// A clock that is right; none where the library is not.
    pub fn new() -> Option<Self> {
        let library = FOLDERS.iter().find_map(|folder| find(Path::new(folder)))?;
        let folder = TempDir::with_prefix("letterbox-clock-").unwrap();
        let clock = Self { library, folder };
        clock.set(0);
        Some(clock)
    }

    /// Puts it so many seconds before the right time, or behind it.
    pub fn set(&self, seconds: i64) {
        let file = self.file();
        let beside = file.with_extension("new");
        fs::write(&beside, format!("{seconds:+}\n")).unwrap();
        fs::rename(beside, file).unwrap();
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("offset")
    }

    /// Gives it to a command that is not yet started.
    #[must_use]
    pub fn on(&self, mut command: Command) -> Command {
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", self.file())
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            // Files keep the times that others gave them.
            .env("NO_FAKE_STAT", "1");
        command
    }
}

/// The library in a folder, or in the folder of an architecture in it.
fn find(folder: &Path) -> Option<PathBuf> {
    let plain = folder.join(LIBRARY);
    if plain.exists() {
        return Some(plain);
    }
    let entries = fs::read_dir(folder).ok()?;
    let mut found = entries.filter_map(|entry| Some(entry.ok()?.path().join(LIBRARY)));
    found.find(|path| path.exists())
}
