//! Every n-th system call of a kind fails, or is the last one.
//!
//! `strace` counts the calls of each thread for itself. The store has one thread that writes and
//! one that reads, and an opened store makes neither write from another thread, so for what is
//! written n is exact; a store that is made anew is written by the thread that opens it first, and
//! gets a round of its own. Where two threads make the same call, the n-th of each goes wrong.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use letterbox_tests::{Budget, Dice, Injection, Mesh, Running, Siege, Site, Verdict, can_inject};
use tokio::runtime::Handle;

/// How many of each kind are tried, where `LETTERBOX_FAULTS` does not say.
const FAULTS: usize = 2;
/// Always the same ones, so that a change is not blamed for another's luck.
const SEED: u64 = 20_251_121;
/// Most of the time of a fault is spent waiting for a second try.
const AT_ONCE: usize = 4;
const LETTERS_A_RUN: u32 = 10;
const PANICKED: i32 = 101;
/// The exit code of a run that left something to a person: the letter that came back.
const PERSON: i32 = 3;

/// A kind of fault.
#[derive(Clone, Copy, Debug)]
struct Kind {
    calls: &'static str,
    /// What happens instead, in the words of `strace`.
    instead: &'static str,
    /// Not only the n-th, but all from then on.
    lasting: bool,
    /// Only calls about the files that letters come and stay in.
    on_data: bool,
    /// The store is made in this very run.
    fresh: bool,
}

/// What a program must take in its stride.
const INTERRUPTED: &str = "error=EINTR";

const SYNC: &str = "fsync,fdatasync";
const WRITE: &str = "write,pwrite64,pwritev,writev";
const READ: &str = "read,pread64";
const RENAME: &str = "rename,renameat,renameat2";
const UNLINK: &str = "unlink,unlinkat";

const fn once(calls: &'static str, instead: &'static str) -> Kind {
    Kind {
        calls,
        instead,
        lasting: false,
        on_data: true,
        fresh: false,
    }
}

const fn lasting(calls: &'static str, instead: &'static str) -> Kind {
    Kind {
        lasting: true,
        ..once(calls, instead)
    }
}

impl Kind {
    const fn anywhere(mut self) -> Self {
        self.on_data = false;
        self
    }

    const fn fresh(mut self) -> Self {
        self.fresh = true;
        self
    }

    fn name(&self) -> String {
        let call = self.calls.split(',').next().unwrap_or_default();
        let lasting = if self.lasting { " from then on" } else { "" };
        let fresh = if self.fresh { " (new store)" } else { "" };
        format!("{call} {}{lasting}{fresh}", self.instead)
    }
}

/// A short write is one of nothing: `strace` cannot let a part of a call be done.
const KINDS: &[Kind] = &[
    once(SYNC, "error=EIO"),
    lasting(SYNC, "error=EIO"),
    once(SYNC, "signal=KILL"),
    once(SYNC, "error=EIO").fresh(),
    once(SYNC, "signal=KILL").fresh(),
    once(WRITE, "error=EIO"),
    once(WRITE, "error=ENOSPC"),
    lasting(WRITE, "error=ENOSPC"),
    once(WRITE, INTERRUPTED),
    once(WRITE, "retval=0"),
    once(WRITE, "signal=KILL"),
    once(WRITE, "error=ENOSPC").fresh(),
    once(WRITE, "signal=KILL").fresh(),
    once(READ, "error=EIO"),
    once(READ, INTERRUPTED),
    once(RENAME, "error=EACCES"),
    lasting(RENAME, "error=ENOSPC"),
    once(RENAME, "signal=KILL"),
    once("openat", "error=EMFILE").anywhere(),
    once("openat", "error=EACCES"),
    lasting("openat", "error=EMFILE"),
    once("openat", "error=EMFILE").fresh(),
    once("openat", "signal=KILL"),
    once("ftruncate", "error=EIO"),
    once("ftruncate", "error=ENOSPC").fresh(),
    once("ftruncate", "signal=KILL"),
    once(UNLINK, "error=EACCES"),
    once(UNLINK, "error=EIO"),
    once(UNLINK, "signal=KILL"),
];

/// What all workers share.
struct Laboratory {
    budget: Budget,
    waiting: Mutex<VecDeque<Kind>>,
    sites: AtomicU32,
    figures: Mutex<Figures>,
}

#[derive(Default)]
struct Figures {
    runs: usize,
    /// Calls that went wrong, by kind.
    faults: BTreeMap<String, usize>,
    /// Kinds of which every n was tried.
    exhausted: usize,
    verdict: Verdict,
}

impl Laboratory {
    fn work(&self) {
        let mesh = Handle::current().block_on(Mesh::start());
        loop {
            let kind = self.waiting.lock().unwrap().pop_front();
            let Some(kind) = kind else { return };
            if self.budget.pieces() == usize::MAX {
                self.every(&mesh, kind);
            } else {
                self.sample(&mesh, kind);
            }
        }
    }

    /// The first, the second … until a run in which nothing went wrong.
    fn every(&self, mesh: &Mesh, kind: Kind) {
        for n in 1.. {
            if self.budget.is_over() {
                println!("{}: the time was over at n = {n}", kind.name());
                return;
            }
            if !self.one(mesh, kind, n) {
                self.figures.lock().unwrap().exhausted += 1;
                return;
            }
        }
    }

    /// Some, spread over all that there are.
    fn sample(&self, mesh: &Mesh, kind: Kind) {
        let all = Self::calls(mesh, kind, self.next_site());
        let pieces = self.budget.pieces().min(all);
        let mut dice = Dice::seeded(SEED);
        for piece in 0..pieces {
            let (from, to) = (all * piece / pieces, all * (piece + 1) / pieces);
            let (from, to) = (u64::try_from(from).unwrap(), u64::try_from(to).unwrap());
            let n = usize::try_from(dice.between(from, to)).unwrap() + 1;
            let _ = self.one(mesh, kind, n);
        }
    }

    /// How many such calls one thread makes in a run.
    fn calls(mesh: &Mesh, kind: Kind, first: u32) -> usize {
        let siege = Handle::current().block_on(prepared(mesh, kind, first));
        let injection = injection(&siege, kind, None);
        let mut command = injection.command(&siege.site, &["run", "--once"]);
        let ended = Running::start(&mut command).wait();
        assert!(matches!(ended.code, Some(0 | 3)), "{ended:#?}");
        let calls = injection.calls_of_one_thread();
        siege.leave(mesh);
        calls
    }

    /// One run with the n-th call of a kind gone wrong, judged as it was left and when it is at
    /// rest. Gives whether anything went wrong.
    fn one(&self, mesh: &Mesh, kind: Kind, n: usize) -> bool {
        let when = format!("{}, n = {n}", kind.name());
        let runtime = Handle::current();
        let mut siege = runtime.block_on(prepared(mesh, kind, self.next_site()));
        let injection = injection(&siege, kind, Some(n));
        let mut command = injection.command(&siege.site, &["run", "--once"]);
        let ended = Running::start(&mut command).wait();
        assert_ne!(ended.code, Some(PANICKED), "{when}: {ended:#?}");
        if kind.instead == INTERRUPTED {
            assert_eq!(ended.code, Some(PERSON), "{when}: {ended:#?}");
        }
        let faults = injection.count() + usize::from(ended.code.is_none());
        runtime.block_on(siege.judge(mesh));
        let verdict = runtime.block_on(siege.settle(mesh));
        verdict.assert_clean(&format!("{when}, after {ended:#?}"));
        let mut figures = self.figures.lock().unwrap();
        figures.verdict.add(verdict);
        figures.runs += 1;
        *figures.faults.entry(kind.name()).or_default() += faults;
        faults > 0
    }

    fn next_site(&self) -> u32 {
        self.sites.fetch_add(1, Ordering::Relaxed) * LETTERS_A_RUN
    }
}

/// A site with letters to take, a letter that came back, and, unless it is fresh, a store.
async fn prepared(mesh: &Mesh, kind: Kind, first: u32) -> Siege {
    let mut siege = Siege::new(mesh, first);
    if !kind.fresh {
        siege.source.put(&siege.site);
        siege.source.put(&siege.site);
        let _ = siege.site.run_once().exits(0);
        siege.return_one(mesh);
    }
    siege.source.put(&siege.site);
    siege.source.put(&siege.site);
    siege
}

fn injection(siege: &Siege, kind: Kind, n: Option<usize>) -> Injection {
    let mut injection = Injection::new(kind.calls);
    injection.log = siege.site.path("strace.txt");
    if let Some(n) = n {
        let on = if kind.lasting { "+" } else { "" };
        injection = injection.instead(&format!("{}:when={n}{on}", kind.instead));
    }
    if kind.on_data {
        injection.files = data_files(&siege.site);
    }
    injection
}

/// The files of store and folders, under the names that the program may know them by.
fn data_files(site: &Site) -> Vec<PathBuf> {
    let stores = ["rt9.db", "rt9.keys.db"].into_iter();
    let ends = ["", "-wal", "-shm", "-journal"];
    let store = stores.flat_map(|name| ends.map(|end| format!("data/{name}{end}")));
    let beside = ["data", "data/rt9.lock", "data/rt9.checkpoints.txt"].map(str::to_owned);
    let folders = ["in", "taken", "refused"].map(|folder| format!("rt9/{folder}"));
    let waiting = site.names("in");
    let documents = folders
        .iter()
        .flat_map(|folder| waiting.iter().map(move |name| format!("{folder}/{name}")));
    let names: Vec<String> = store
        .chain(beside)
        .chain(documents)
        .chain(folders.clone())
        .collect();
    let whole = names.iter().map(|name| site.path(name));
    whole.chain(names.iter().map(PathBuf::from)).collect()
}

/// Issue "What must be shown" 3. `LETTERBOX_FAULTS=every` tries every n of every kind.
#[tokio::test(flavor = "multi_thread")]
async fn reliability_4_2_every_nth_call_may_fail_and_nothing_is_lost() {
    if !can_inject() {
        println!("skipped: failing system calls (strace is not present, or may not trace)");
        return;
    }
    let only = std::env::var("LETTERBOX_FAULT_KIND").unwrap_or_default();
    let kinds = KINDS.iter().filter(|kind| kind.name().contains(&only));
    let waiting: VecDeque<Kind> = kinds.copied().collect();
    let kinds = waiting.len();
    let laboratory = Laboratory {
        budget: Budget::new("faults", FAULTS),
        waiting: Mutex::new(waiting),
        sites: AtomicU32::new(0),
        figures: Mutex::new(Figures::default()),
    };
    let laboratory = std::sync::Arc::new(laboratory);
    let workers = (0..AT_ONCE).map(|_| {
        let laboratory = std::sync::Arc::clone(&laboratory);
        tokio::task::spawn_blocking(move || laboratory.work())
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    let figures = laboratory.figures.lock().unwrap();
    let faults: usize = figures.faults.values().sum();
    let mut told: Vec<(&str, usize)> = vec![
        ("failed system calls", faults),
        ("runs", figures.runs),
        ("kinds", kinds),
        ("kinds with every n", figures.exhausted),
        ("letters", figures.verdict.letters),
        ("doubles, all reported", figures.verdict.doubles),
        ("lost", figures.verdict.wrong.len()),
    ];
    let by_kind = figures.faults.iter();
    told.extend(by_kind.map(|(kind, count)| (kind.as_str(), *count)));
    laboratory.budget.tell(&told);
    let hit = figures.faults.values().filter(|n| **n > 0).count();
    assert!(
        hit * 4 > kinds * 3,
        "most kinds must have met a call: {:#?}",
        figures.faults
    );
}
