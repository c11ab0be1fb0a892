//! How long does it take until one letter is durable, and until a hundred are?
//!
//! A commit is what intake waits for before a source is told "taken". The store stands in the
//! target folder and not in the system's temporary one, which may be in memory.

#![expect(
    clippy::expect_used,
    reason = "a bench whose sample is bad has no figure to give"
)]

use std::time::{Duration, Instant};

use chrono::DateTime;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use letter_delivery::{Commit, Disposition, Engine, Entropy, Intake, Policy, Store as _};
use letter_store::{MasterKey, SqliteStore};
use nhs_types::{OdsCode, Sensitive};
use tokio::runtime::Runtime;

const BATCH: usize = 100;

/// Bytes of the source, and of the neutral letter beside it.
const LETTER_BYTES: usize = 6_000;

/// How long does one letter wait until it is on disk, alone and as one of a hundred at once?
fn committing(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime can be made");
    let mut desk = Desk::new();
    let mut group = criterion.benchmark_group("store");
    for (name, letters) in [
        ("commit 1 letter", 1),
        ("commit 100 letters at once", BATCH),
    ] {
        group.throughput(Throughput::Elements(letters as u64));
        group
            .sample_size(30)
            .measurement_time(Duration::from_secs(10));
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| {
                (0..rounds)
                    .map(|_| runtime.block_on(desk.timed(letters)))
                    .sum()
            });
        });
    }
    group.finish();
}

struct Desk {
    // Before the folder, so that the store is closed when the folder goes.
    store: SqliteStore,
    _folder: tempfile::TempDir,
    engine: Engine,
    taken: u64,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let key = MasterKey::from_hex(&"5a".repeat(32)).expect("a key");
        let store = SqliteStore::open(&folder.path().join("bench.db"), &key).expect("a store");
        let trust = OdsCode::parse("RXX").expect("a code");
        let keys = key.trust_keys(trust);
        let engine = Engine::new(keys, Policy::default(), Box::new(Counting(0)));
        Self {
            store,
            _folder: folder,
            engine,
            taken: 0,
        }
    }

    // Only the commits are timed, not the making of what is committed.
    async fn timed(&mut self, letters: usize) -> Duration {
        let commits: Vec<Commit> = (0..letters).map(|_| self.letter()).collect();
        let begin = Instant::now();
        let done = join_all(commits.into_iter().map(|commit| self.store.commit(commit))).await;
        let elapsed = begin.elapsed();
        assert!(done.iter().all(Result::is_ok), "a commit failed");
        elapsed
    }

    fn letter(&mut self) -> Commit {
        self.taken += 1;
        let document = format!("DOC-{}", self.taken);
        let mut content = [0; 32];
        for (to, from) in content.iter_mut().zip(self.taken.to_be_bytes()) {
            *to = from;
        }
        let bytes = vec![b'x'; LETTER_BYTES];
        let mut intake = Intake::new("epr", document, Disposition::Send, "ok", content, bytes);
        intake.letter = Some(Sensitive::new(vec![b'y'; LETTER_BYTES]));
        let now = DateTime::UNIX_EPOCH;
        self.engine.intake(now, intake, None, None).commit
    }
}

/// Never the same twice, which is all that a bench needs.
struct Counting(u64);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            self.0 += 1;
            for (to, from) in chunk.iter_mut().zip(self.0.to_be_bytes()) {
                *to = from;
            }
        }
    }
}

criterion_group!(benches, committing);
criterion_main!(benches);
