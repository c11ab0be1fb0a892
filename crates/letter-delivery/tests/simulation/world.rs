//! The run: one thread, one queue of what happens next, one clock.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use audit_core::StreamKey;
use chrono::{DateTime, Duration, Utc};
use letter_delivery::testkit::{ModelStore, SeededDice, ready};
use letter_delivery::{
    Claimed, Commit, CopyRecord, DocumentView, Engine, LeaseToken, LetterRecord, Store as _,
    StoreError, Verdict, WorkChange,
};

use crate::bug::Bug;
use crate::check::{Checker, Held, Violation};
use crate::mesh::Mesh;
use crate::plan::{ARRIVALS, CALM, END, HOUR, MINUTE, Plan, SECOND};
use crate::source::{self, Submission};
use crate::worker::{Outcome, Worker};

/// 3 February 2026, 10:00.
const START: i64 = 1_770_112_800_000;

/// What happens next.
pub(crate) enum Event {
    /// The source hands a document over.
    Submits(usize),
    /// The document was read, and so was what is known of it.
    TakesIn {
        at: Process,
        submission: usize,
        known: Known,
        tries: usize,
    },
    Round(Process),
    Begins(Process, Box<Claimed>),
    /// The first byte leaves.
    Leaves(Process, Box<Claimed>, Vec<u8>),
    /// The request is at MESH, whether its sender still lives or not.
    Arrives {
        id: String,
        local_id: String,
        late: i64,
    },
    Answered(Process, Box<Claimed>, Outcome, usize),
    LooksIntoInbox(Process),
    Meets(Process, String),
    Records {
        at: Process,
        id: String,
        copy: Option<Box<CopyRecord>>,
    },
    Acknowledges(Process, String),
    /// A running process looks at the clock every second; only after a jump there is news.
    WatchesClock(Process),
    /// Leases of work that goes on are renewed.
    Renews(Process),
    Starts(usize),
    /// A process stands still for minutes, as when its machine is short of memory.
    Freezes(usize),
    /// A process is told to stop, and does so in good order.
    Retires(usize),
    /// A person has read a letter, and decides.
    Decides(Box<Case>),
    Practice(usize),
    Uncollected(usize),
    Stranger,
    Misdirected,
    Operator,
    Jumps,
    Settles,
}

/// A letter with its copies, as a person read them, and what was decided.
pub(crate) struct Case {
    pub(crate) letter: LetterRecord,
    pub(crate) copies: Vec<CopyRecord>,
    pub(crate) verdict: Verdict,
    pub(crate) tries: usize,
}

/// What is known of a document, and of the one that it replaces.
pub(crate) type Known = Box<(Option<DocumentView>, Option<DocumentView>)>;

/// One life of a worker: what it set in motion ends with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) worker: usize,
    pub(crate) life: u32,
}

/// Whether a change was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    Yes,
    Fenced,
    Conflict,
    Unavailable,
    /// The process died before or after; it does not know.
    Died,
}

struct Entry {
    at: i64,
    order: u64,
    event: Event,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) dice: SeededDice,
    /// Milliseconds since the run began: true time.
    pub(crate) now: i64,
    /// How far the wall clock is off.
    pub(crate) wall_off: i64,
    /// Until then no process dies.
    pub(crate) spared_until: i64,
    pub(crate) store: ModelStore,
    pub(crate) check: Checker,
    pub(crate) mesh: Mesh,
    pub(crate) source: Vec<Submission>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) counts: BTreeMap<&'static str, u64>,
    pub(crate) tells: bool,
    queue: BinaryHeap<Reverse<Entry>>,
    order: u64,
}

impl World {
    pub(crate) fn new(plan: Plan) -> Self {
        let dice = SeededDice::new(plan.seed);
        let mut world = Self {
            source: source::submissions(&mut dice.split("source"), plan.letters),
            workers: (0..plan.workers)
                .map(|index| Worker::new(&plan, index, 0))
                .collect(),
            mesh: Mesh::default(),
            dice: dice.split("world"),
            now: 0,
            wall_off: 0,
            spared_until: 0,
            store: ModelStore::default(),
            check: Checker::default(),
            counts: BTreeMap::new(),
            tells: false,
            queue: BinaryHeap::new(),
            order: 0,
            plan,
        };
        world.check.attempts_max = world.plan.policy.attempts_max;
        world.begin();
        world
    }

    fn begin(&mut self) {
        for index in 0..self.source.len() {
            let at = self.source[index].at;
            self.at(at, Event::Submits(index));
        }
        for worker in 0..self.plan.workers {
            self.starts(worker);
        }
        if self.dice.chance(self.plan.rates.freezes) {
            for _ in 0..self.dice.below(8) {
                let worker = self.dice.below(self.plan.workers);
                let at = self.between(0, CALM - 10 * MINUTE);
                self.at(at, Event::Freezes(worker));
                let at = self.between(0, CALM);
                self.at(at, Event::Retires(worker));
            }
        }
        if self.plan.rates.outages > 0 {
            self.draw_outages();
        }
        if self.plan.workers == 1 && self.dice.chance(self.plan.rates.jumps) {
            for _ in 0..=self.dice.below(4) {
                let at = self.between(10 * MINUTE, CALM - HOUR);
                self.at(at, Event::Jumps);
            }
        }
        for _ in 0..3 {
            let at = self.between(0, CALM);
            self.at(at, Event::Stranger);
            let at = self.between(0, ARRIVALS);
            self.at(at, Event::Misdirected);
        }
        if self.plan.rates.operator > 0 {
            self.at(MINUTE, Event::Operator);
        }
    }

    /// Short ones, and a long one.
    fn draw_outages(&mut self) {
        for _ in 0..self.dice.below(4) {
            let from = self.between(0, CALM - 20 * MINUTE);
            let to = from + self.between(20 * SECOND, 15 * MINUTE);
            self.mesh.outages.push((from, to));
        }
        if self.dice.chance(400) {
            let from = self.between(0, HOUR);
            self.mesh.outages.push((from, from + 45 * MINUTE));
        }
    }

    /// Runs to the end. What must never be so ends it with a violation.
    pub(crate) fn run(&mut self) -> Held {
        while let Some(Reverse(entry)) = self.queue.pop() {
            if entry.at > END {
                break;
            }
            self.now = entry.at;
            self.happens(entry.event)?;
        }
        self.now = END;
        self.ends()
    }

    /// Who acts; nobody when it happens to MESH, the source or a person, or on the wire.
    const fn actor(event: &Event) -> Option<Process> {
        match event {
            Event::TakesIn { at, .. }
            | Event::Round(at)
            | Event::Begins(at, _)
            | Event::Answered(at, ..)
            | Event::LooksIntoInbox(at)
            | Event::Meets(at, _)
            | Event::Records { at, .. }
            | Event::Acknowledges(at, _)
            | Event::Renews(at)
            | Event::WatchesClock(at) => Some(*at),
            _ => None,
        }
    }

    fn happens(&mut self, event: Event) -> Held {
        let Some(process) = Self::actor(&event) else {
            return self.happens_around(event);
        };
        if !self.lives(process) {
            return Ok(());
        }
        let thaws = self.workers[process.worker].frozen_until;
        if thaws > self.now {
            let pause = self.between(0, 50);
            self.at(thaws + pause, event);
            return Ok(());
        }
        self.acts(process, event)
    }

    /// What a process does.
    fn acts(&mut self, at: Process, event: Event) -> Held {
        match event {
            Event::TakesIn {
                submission,
                known,
                tries,
                ..
            } => self.takes_in(at, submission, known, tries),
            Event::Round(_) => self.round(at),
            Event::Begins(_, claimed) => self.begins(at, *claimed),
            Event::Answered(_, claimed, outcome, tries) => {
                self.answered(at, *claimed, outcome, tries)
            }
            Event::LooksIntoInbox(_) => self.looks_into_inbox(at),
            Event::Meets(_, id) => self.meets(at, id),
            Event::Records { id, copy, .. } => self.records(at, id, copy),
            Event::Acknowledges(_, id) => self.acknowledges(at, &id),
            Event::WatchesClock(_) => {
                if !self.watches_clock(at)? {
                    self.after(SECOND, Event::WatchesClock(at));
                }
                Ok(())
            }
            _ => {
                self.renews(at);
                Ok(())
            }
        }
    }

    /// What the source, MESH, people and machines do.
    fn happens_around(&mut self, event: Event) -> Held {
        match event {
            Event::Submits(index) => return self.submits(index),
            Event::Leaves(at, claimed, bytes) if self.lives(at) => {
                return self.leaves(at, *claimed, &bytes);
            }
            Event::Arrives { id, local_id, late } => return self.arrives(id, local_id, late),
            Event::Retires(worker) => return self.retires(worker),
            Event::Operator => return self.operates(),
            Event::Decides(case) => return self.decides_case(*case),
            Event::Starts(worker) => self.starts(worker),
            Event::Practice(index) => self.practice(index),
            Event::Uncollected(index) => self.uncollected(index),
            Event::Stranger => self.mesh.deliver(None),
            Event::Misdirected => self.misdirected(),
            Event::Jumps => self.jumps(),
            Event::Settles => self.settles(),
            Event::Freezes(worker) => {
                self.count("freezes");
                let pause = self.between(MINUTE, 6 * MINUTE);
                self.workers[worker].frozen_until = self.now + pause;
            }
            // Of a process that died before the first byte left.
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn at(&mut self, at: i64, event: Event) {
        self.order += 1;
        let order = self.order;
        self.queue.push(Reverse(Entry { at, order, event }));
    }

    pub(crate) fn after(&mut self, pause: i64, event: Event) {
        self.at(self.now + pause, event);
    }

    pub(crate) fn between(&mut self, from: i64, to: i64) -> i64 {
        let span = u32::try_from(to - from).unwrap();
        from + i64::from(self.dice.between(0, span))
    }

    /// Whether something goes wrong now: only until the calm.
    pub(crate) fn fault(&mut self, per_mille: u32) -> bool {
        self.now < CALM && self.dice.chance(per_mille)
    }

    pub(crate) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    pub(crate) fn has(&self, bug: Bug) -> bool {
        self.plan.bug == Some(bug)
    }

    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        if self.tells {
            eprintln!("{:>10} {}", self.now, what());
        }
    }

    /// What the clock on the wall shows.
    pub(crate) fn wall(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(START + self.now + self.wall_off).unwrap()
    }

    /// A clock that only ever goes on.
    pub(crate) const fn monotonic(&self) -> Duration {
        Duration::milliseconds(self.now)
    }

    /// The time by which a worker decides.
    pub(crate) fn time(&self, process: Process) -> DateTime<Utc> {
        let wall = self.wall();
        match self.workers.get(process.worker) {
            Some(worker) if !self.has(Bug::TimerByWallClock) => {
                worker.watch.time(wall, self.monotonic())
            }
            // A command has nothing to compare the wall clock with.
            _ => wall,
        }
    }

    pub(crate) fn lives(&self, process: Process) -> bool {
        let worker = &self.workers[process.worker];
        worker.is_up && worker.life == process.life
    }

    fn starts(&mut self, worker: usize) {
        let process = Process {
            worker,
            life: self.workers[worker].life,
        };
        self.workers[worker].is_up = true;
        self.tell(|| format!("worker {worker} starts, life {}", process.life));
        self.after(0, Event::Round(process));
        self.after(MINUTE, Event::Renews(process));
        self.after(10 * SECOND, Event::LooksIntoInbox(process));
    }

    /// A worker's process ends here and now: its engine, its tasks, and all it knew are gone.
    pub(crate) fn dies(&mut self, worker: usize) -> Held {
        self.count("ends of processes");
        self.tell(|| format!("worker {worker} dies"));
        let life = self.workers[worker].life + 1;
        self.workers[worker] = Worker::new(&self.plan, worker, life);
        self.workers[worker].is_up = false;
        let pause = self.between(SECOND, 4 * MINUTE);
        self.after(pause, Event::Starts(worker));
        self.check.whole(&self.store.rows())
    }

    /// Writes a change as a process does that may die before it or after it.
    pub(crate) fn write(
        &mut self,
        process: Process,
        lease: Option<(StreamKey, LeaseToken)>,
        mut commit: Commit,
    ) -> Result<Written, Violation> {
        let is_spared = self.now < self.spared_until;
        let is_worker = process.worker < self.workers.len() && !is_spared;
        if is_worker && self.fault(self.plan.rates.crash_before) {
            self.dies(process.worker)?;
            return Ok(Written::Died);
        }
        if self.fault(self.plan.rates.store_unavailable) {
            return Ok(Written::Unavailable);
        }
        crate::bugs::plant(self, &mut commit);
        let unfenced = self.check.before(&self.store.rows(), &commit, lease);
        let result = ready(self.store.commit(commit.clone()));
        let written = match result {
            Ok(()) => Written::Yes,
            Err(StoreError::Fenced) => Written::Fenced,
            Err(StoreError::Conflict) => Written::Conflict,
            Err(error) => panic!("the model store: {error}"),
        };
        self.tell(|| told(process, written, &commit));
        if written == Written::Yes {
            if let Some(violation) = unfenced {
                return Err(violation);
            }
            self.count("commits");
            self.check.after(&self.store.rows(), &commit, self.now)?;
            if is_worker && self.fault(self.plan.rates.crash_after) {
                self.dies(process.worker)?;
                return Ok(Written::Died);
            }
        }
        Ok(written)
    }

    pub(crate) fn engine(&mut self, process: Process) -> &mut Engine {
        &mut self.workers[process.worker].engine
    }

    /// When work that nobody holds is due next.
    pub(crate) fn next_due(&self) -> Option<i64> {
        let rows = self.store.rows();
        let due = rows.work.values().map(|row| {
            let held = row.lease.map(|(_, until)| until);
            held.map_or(row.work.due_at, |until| until.max(row.work.due_at))
        });
        due.min().map(|at| self.millis(at))
    }

    fn millis(&self, at: DateTime<Utc>) -> i64 {
        self.now + (at - self.wall()).num_milliseconds()
    }
}

fn told(process: Process, written: Written, commit: &Commit) -> String {
    let events = commit.events.iter();
    let events = events.map(|body| format!("{} {}", short(body.stream), body.kind));
    let work = commit.work.iter().map(|change| match change {
        WorkChange::Set(work) => format!("{} {:?}", short(work.stream), work.kind),
        WorkChange::Park(work) => format!("{} parked", short(work.stream)),
        WorkChange::Done(stream) => format!("{} done", short(*stream)),
    });
    let (events, work): (Vec<_>, Vec<_>) = (events.collect(), work.collect());
    format!("worker {} {written:?} {events:?} {work:?}", process.worker)
}

fn short(stream: StreamKey) -> String {
    stream.to_string().chars().take(6).collect()
}
