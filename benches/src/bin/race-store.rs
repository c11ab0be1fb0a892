//! Our side of `cargo xtask race store`: how many events a second become durable, and what one costs.
//!
//! `race-store events FOLDER CALLERS COUNT` commits COUNT events, CALLERS at a time.
//! `race-store single FOLDER COUNT` commits one event after the other, and between them writes and
//! syncs the same bytes at the end of a plain file.

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use audit_core::{Data, EventBody, EventId, StreamKey, Timestamp};
use letter_delivery::{Commit, Store as _};
use letter_store::{MasterKey, SqliteStore};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()?;
    let line = match arguments[..] {
        ["events", folder, callers, count] => {
            let store = open(Path::new(folder))?;
            runtime.block_on(many(store, callers.parse()?, count.parse()?))?
        }
        ["single", folder, count] => {
            let store = open(Path::new(folder))?;
            runtime.block_on(one_by_one(&store, Path::new(folder), count.parse()?))?
        }
        _ => {
            return Err(
                "usage: race-store events FOLDER CALLERS COUNT | single FOLDER COUNT".into(),
            );
        }
    };
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

fn open(folder: &Path) -> Result<Arc<SqliteStore>, Box<dyn Error>> {
    let key = MasterKey::from_hex(&"5a".repeat(32))?;
    Ok(Arc::new(SqliteStore::open(&folder.join("race.db"), &key)?))
}

async fn many(store: Arc<SqliteStore>, callers: u64, count: u64) -> Result<String, Box<dyn Error>> {
    let each = count / callers;
    let begin = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for lseq in 0..each {
                    store.commit(event(caller, lseq)).await?;
                }
                Ok::<_, letter_delivery::StoreError>(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    let seconds = begin.elapsed().as_secs_f64();
    let held = store.tree().await?.size;
    if held != each * callers {
        return Err(format!("{held} events for {}", each * callers).into());
    }
    Ok(format!("{{\"events\": {held}, \"seconds\": {seconds}}}"))
}

/// The two alternate, so that what else the disk does falls on both.
async fn one_by_one(
    store: &SqliteStore,
    folder: &Path,
    count: u64,
) -> Result<String, Box<dyn Error>> {
    let mut file = File::create(folder.join("plain"))?;
    let bytes = [b'x'; EVENT_BYTES];
    let (mut ours, mut plain) = (Vec::new(), Vec::new());
    for lseq in 0..count {
        let begin = Instant::now();
        store.commit(event(0, lseq)).await?;
        ours.push(begin.elapsed());
        let begin = Instant::now();
        file.write_all(&bytes)?;
        file.sync_data()?;
        plain.push(begin.elapsed());
    }
    let (ours, plain) = (median(ours).as_secs_f64(), median(plain).as_secs_f64());
    Ok(format!("{{\"commit_s\": {ours}, \"plain_s\": {plain}}}"))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// About as long as an event of a letter is.
const EVENT_BYTES: usize = 420;

fn event(caller: u64, lseq: u64) -> Commit {
    let mut id = [0; 16];
    let numbers = caller.to_be_bytes().into_iter().chain(lseq.to_be_bytes());
    for (to, from) in id.iter_mut().zip(numbers) {
        *to = from;
    }
    let mut stream = [1; 16];
    for (to, from) in stream.iter_mut().zip(caller.to_be_bytes()) {
        *to = from;
    }
    let body = EventBody {
        id: EventId::from_bytes(id),
        at: Timestamp::from_millis(1_770_113_400_000),
        stream: StreamKey::from_bytes(stream),
        copy: Some(1),
        lseq,
        subject: None,
        kind: "send.accepted".to_owned(),
        state: "ACCEPTED".to_owned(),
        actor: "svc:letterbox".to_owned(),
        data: Data::new()
            .with("attempt", 1)
            .with("message_id", "20260203101000000000_000001"),
    };
    let mut commit = Commit::default();
    commit.events.push(body);
    commit
}
