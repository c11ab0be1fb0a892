use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How much a test of crashes does: little by itself, what the environment says in a soak.
///
/// `LETTERBOX_<NAME>` is a number of pieces, or `every`; `LETTERBOX_CRASH_SECONDS` ends it early.
/// What was done is printed, and written into the folder `LETTERBOX_FIGURES` when that is set.
#[derive(Debug)]
pub struct Budget {
    name: &'static str,
    pieces: usize,
    ends_at: Option<Instant>,
}

impl Budget {
    /// So many pieces where the environment says nothing.
    pub fn new(name: &'static str, pieces: usize) -> Self {
        let variable = format!("LETTERBOX_{}", name.to_uppercase().replace(' ', "_"));
        let pieces = match std::env::var(variable) {
            Ok(text) if text == "every" => usize::MAX,
            Ok(text) => text.parse().unwrap(),
            Err(_) => pieces,
        };
        let seconds = std::env::var("LETTERBOX_CRASH_SECONDS");
        let seconds = seconds.ok().map(|text| text.parse().unwrap());
        Self {
            name,
            pieces,
            ends_at: seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds)),
        }
    }

    /// How many pieces are wanted.
    pub const fn pieces(&self) -> usize {
        self.pieces
    }

    /// Whether another piece is to be done.
    pub fn goes_on(&self, done: usize) -> bool {
        done < self.pieces && !self.is_over()
    }

    /// Whether its time is over.
    pub fn is_over(&self) -> bool {
        self.ends_at.is_some_and(|at| Instant::now() >= at)
    }

    /// Tells what was done.
    pub fn tell(&self, figures: &[(&str, usize)]) {
        let line: Vec<String> = figures
            .iter()
            .map(|(what, n)| format!("{n} {what}"))
            .collect();
        println!("{}: {}", self.name, line.join(", "));
        let Some(folder) = std::env::var_os("LETTERBOX_FIGURES") else {
            return;
        };
        let lines = figures.iter().map(|(what, n)| format!("{what}\t{n}\n"));
        let file = PathBuf::from(folder).join(format!("{}.txt", self.name));
        fs::write(file, lines.collect::<String>()).unwrap();
    }
}
