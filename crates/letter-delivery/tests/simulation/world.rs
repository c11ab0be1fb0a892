//! The run: one thread, one queue of what happens next, one clock.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use audit_core::StreamKey;
use chrono::{DateTime, Utc};
use letter_delivery::testkit::{ModelStore, SeededDice, ready};
use letter_delivery::{
    Claimed, Commit, CopyRecord, DocumentView, Engine, LeaseToken, Store as _, StoreError,
    WorkChange,
};

use crate::bug::Bug;
use crate::check::{Checker, Held, Violation};
use crate::mesh::Mesh;
use crate::plan::{ARRIVALS, CALM, END, HOUR, MINUTE, Plan, SECOND};
use crate::source::{self, Submission};
use crate::worker::{Outcome, Worker};

pub(crate) const WORKERS: usize = 2;
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
    Starts(usize),
    Practice(usize),
    Uncollected(usize),
    Stranger,
    Misdirected,
    Operator,
    Jumps,
    Settles,
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
            workers: (0..WORKERS)
                .map(|index| Worker::new(&plan, index, 0))
                .collect(),
            mesh: Mesh::default(),
            dice: dice.split("world"),
            now: 0,
            wall_off: 0,
            store: ModelStore::default(),
            check: Checker::default(),
            counts: BTreeMap::new(),
            tells: false,
            queue: BinaryHeap::new(),
            order: 0,
            plan,
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        for index in 0..self.source.len() {
            let at = self.source[index].at;
            self.at(at, Event::Submits(index));
        }
        for worker in 0..WORKERS {
            let process = Process { worker, life: 0 };
            self.after(0, Event::Round(process));
            self.after(MINUTE, Event::LooksIntoInbox(process));
        }
        if self.plan.rates.outages > 0 {
            self.draw_outages();
        }
        if self.dice.chance(self.plan.rates.jumps) {
            let at = self.between(10 * MINUTE, CALM - HOUR);
            self.at(at, Event::Jumps);
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
            self.mesh.outages.push((from, from + HOUR));
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

    fn happens(&mut self, event: Event) -> Held {
        match event {
            Event::Submits(index) => self.submits(index),
            Event::TakesIn {
                at,
                submission,
                known,
                tries,
            } if self.lives(at) => self.takes_in(at, submission, known, tries),
            Event::Round(at) if self.lives(at) => self.round(at),
            Event::Begins(at, claimed) if self.lives(at) => self.begins(at, *claimed),
            Event::Leaves(at, claimed, bytes) if self.lives(at) => {
                self.leaves(at, *claimed, &bytes)
            }
            Event::Answered(at, claimed, outcome, tries) if self.lives(at) => {
                self.answered(at, *claimed, outcome, tries)
            }
            Event::LooksIntoInbox(at) if self.lives(at) => self.looks_into_inbox(at),
            Event::Meets(at, id) if self.lives(at) => self.meets(at, id),
            Event::Records { at, id, copy } if self.lives(at) => self.records(at, id, copy),
            Event::Acknowledges(at, id) if self.lives(at) => self.acknowledges(at, &id),
            Event::Arrives { id, local_id, late } => self.arrives(id, local_id, late),
            Event::Starts(worker) => {
                self.starts(worker);
                Ok(())
            }
            Event::Practice(index) => {
                self.practice(index);
                Ok(())
            }
            Event::Uncollected(index) => {
                self.uncollected(index);
                Ok(())
            }
            Event::Stranger => {
                self.mesh.deliver(None);
                Ok(())
            }
            Event::Misdirected => {
                self.misdirected();
                Ok(())
            }
            Event::Operator => self.operates(),
            Event::Jumps => {
                self.jumps();
                Ok(())
            }
            Event::Settles => {
                self.wall_off = 0;
                Ok(())
            }
            // Of a process that died.
            _ => Ok(()),
        }
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

    /// The time by which a worker decides: true time, whatever the wall clock does.
    pub(crate) fn time(&self) -> DateTime<Utc> {
        let off = if self.has(Bug::TimerByWallClock) {
            self.wall_off
        } else {
            0
        };
        DateTime::from_timestamp_millis(START + self.now + off).unwrap()
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
        self.after(10 * SECOND, Event::LooksIntoInbox(process));
    }

    /// A worker's process ends here and now: its engine, its tasks, and all it knew are gone.
    fn dies(&mut self, worker: usize) -> Held {
        self.count("crashes");
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
        let is_worker = process.worker < self.workers.len();
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
        self.now + (at - self.time()).num_milliseconds()
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
