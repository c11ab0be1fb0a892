//! 50,000 letters after a three-hour outage, in simulated time over a SQLite store: what memory it
//! takes, and what fresh letters feel of it.
//!
//! `backlog [LETTERS [FOLDER]]`. It ends with 1 when something that is promised does not hold.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures are for people"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use letter_store::{MasterKey, SqliteStore, VerifyAgainst};
use letterbox_benches::{Plan, Seen, play};

/// What the process may use, in megabytes (issue, "must be shown" 7).
const MEMORY_MB_MAX: u64 = 256;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mut plan = Plan::whole();
    if let Some(letters) = arguments.next().and_then(|text| text.parse().ok()) {
        plan.letters = letters;
    }
    let folder = arguments
        .next()
        .map_or_else(std::env::temp_dir, PathBuf::from);
    match measure(&plan, &folder) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("it could not be played: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(plan: &Plan, folder: &Path) -> Result<bool, Box<dyn std::error::Error>> {
    let path = folder.join(format!("backlog-{}.db", std::process::id()));
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let began = Instant::now();
    let (seen, clean) = runtime.block_on(played(plan, &path))?;
    println!("{seen}");
    println!("played in                {} s", began.elapsed().as_secs());
    println!(
        "memory at most           {} MB",
        memory_mb().unwrap_or_default()
    );
    println!(
        "store and ledger         {}",
        if clean { "clean" } else { "NOT CLEAN" }
    );
    let mut broken = seen.broken();
    if memory_mb().is_some_and(|mb| mb >= MEMORY_MB_MAX) {
        broken.push(format!("more than {MEMORY_MB_MAX} MB of memory"));
    }
    for one in &broken {
        println!("BROKEN: {one}");
    }
    for name in [
        "db",
        "db-wal",
        "db-shm",
        "keys.db",
        "keys.db-wal",
        "keys.db-shm",
    ] {
        let _ = std::fs::remove_file(path.with_extension(name));
    }
    Ok(broken.is_empty() && clean)
}

async fn played(plan: &Plan, path: &Path) -> Result<(Seen, bool), Box<dyn std::error::Error>> {
    let store = SqliteStore::open(path, &MasterKey::generate()?)?;
    let seen = play(&store, plan).await?;
    let verified = store.verify(VerifyAgainst::default()).await?;
    for fault in &verified.faults {
        println!("FAULT: {fault:?}");
    }
    Ok((seen, verified.is_clean()))
}

/// The most memory this process ever had, where the system says.
fn memory_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1024)
}
