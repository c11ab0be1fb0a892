//! A worker: it plays the gateway's part, step by step, so that anything may come in between.

use std::collections::BTreeMap;

use audit_core::Data;
use chrono::Duration;
use letter_delivery::testkit::{SeededDice, keys, ready};
use letter_delivery::{
    Address, AskResult, Claimed, ClockWatch, Commit, Engine, Job, LeaseToken, Order, Prepared,
    PreparedCopy, Route, Running, SendResult, ShapedCopy, Store as _, TrackResult, Turn, Work,
    WorkChange,
};
use nhs_types::{MailboxId, OdsCode, WorkflowId};

use crate::bug::Bug;
use crate::check::{Held, Violation, content_of};
use crate::plan::{CALM, MINUTE, Plan, SECOND};
use crate::world::{Event, Known, Process, World, Written};

/// How often a change is decided on anew when something moved on meanwhile.
const CONFLICTS_MAX: usize = 5;
/// How often a result is offered to a store that is out of reach.
const WRITES_MAX: usize = 5;

pub(crate) struct Worker {
    pub(crate) engine: Engine,
    pub(crate) life: u32,
    pub(crate) is_up: bool,
    pub(crate) frozen_until: i64,
    pub(crate) watch: ClockWatch,
    has_looked: bool,
    running: Running,
    /// What goes on, by its lease.
    pieces: BTreeMap<[u8; 16], (Turn, Work)>,
}

/// What came of a piece of work.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Prepared(Prepared),
    Sent(SendResult),
    Asked(AskResult),
    Tracked(TrackResult),
}

impl Worker {
    /// Whether it has seen the clock, and would see it being set.
    pub(crate) fn would_see(&self, now: i64) -> bool {
        self.is_up && self.has_looked && self.frozen_until <= now
    }

    pub(crate) fn new(plan: &Plan, index: usize, life: u32) -> Self {
        let dice = SeededDice::new(plan.seed).split(&format!("worker {index} {life}"));
        Self {
            engine: Engine::new(keys(), plan.policy.clone(), Box::new(dice)),
            life,
            is_up: true,
            frozen_until: 0,
            watch: ClockWatch::default(),
            has_looked: false,
            running: Running::default(),
            pieces: BTreeMap::new(),
        }
    }
}

impl World {
    /// The source hands a document over, to whichever process answers.
    pub(crate) fn submits(&mut self, index: usize) -> Held {
        if self.source[index].told {
            return Ok(());
        }
        // Until it is told, the source comes again.
        let again = self.between(20 * SECOND, 3 * MINUTE);
        self.after(again, Event::Submits(index));
        let worker = self.dice.below(self.workers.len());
        let at = Process {
            worker,
            life: self.workers[worker].life,
        };
        if self.lives(at) {
            self.reads(at, index, 0);
        }
        Ok(())
    }

    fn reads(&mut self, at: Process, submission: usize, tries: usize) {
        let intake = &self.source[submission].intake;
        let keys = self.workers[at.worker].engine.keys();
        let key = keys.document(&intake.source, &intake.document);
        let replaced = intake.replaces.as_ref();
        let replaced = replaced.map(|number| keys.document(&intake.source, number));
        let known = ready(self.store.document(key)).expect("the model reads");
        let replaced =
            replaced.and_then(|key| ready(self.store.document(key)).expect("the model reads"));
        let pause = self.moment();
        let event = Event::TakesIn {
            at,
            submission,
            known: Box::new((known, replaced)),
            tries,
        };
        self.after(pause, event);
    }

    pub(crate) fn takes_in(
        &mut self,
        at: Process,
        submission: usize,
        known: Known,
        tries: usize,
    ) -> Held {
        let (known, replaced) = *known;
        let intake = self.source[submission].intake.clone();
        let key = keys().document(&intake.source, &intake.document);
        let now = self.time(at);
        let taken = self.engine(at).intake(now, intake, known, replaced);
        match self.write(at, None, taken.commit)? {
            Written::Yes => {
                self.source[submission].told = true;
                self.check.acknowledged(&self.store.rows(), key)
            }
            Written::Conflict if tries < CONFLICTS_MAX => {
                self.reads(at, submission, tries + 1);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Claims what may be begun beside what goes on, and looks again soon.
    pub(crate) fn round(&mut self, at: Process) -> Held {
        let pause = self.between(SECOND, 2 * SECOND);
        if !self.watches_clock(at)? {
            self.after(pause, Event::Round(at));
            return Ok(());
        }
        let now = self.time(at);
        let running = self.workers[at.worker].running;
        let request = self.engine(at).next_claim(now, &running);
        let claimed = request.map(|request| ready(self.store.claim(request)));
        let claimed = claimed.map_or_else(Vec::new, |claimed| claimed.expect("the model claims"));
        let wait = if claimed.is_empty() {
            self.quiet_for()
        } else {
            0
        };
        self.after(pause + wait, Event::Round(at));
        for claimed in claimed {
            self.piece_begins(at, &claimed);
            let pause = self.moment();
            self.after(pause, Event::Begins(at, Box::new(claimed)));
        }
        Ok(())
    }

    /// Until something is due; what is due and was not claimed may be soon.
    fn quiet_for(&self) -> i64 {
        let due = self.next_due().unwrap_or(i64::MAX);
        if due <= self.now {
            8 * SECOND
        } else {
            due.min(self.now + 30 * MINUTE) - self.now
        }
    }

    /// Records when the wall clock was set, before anything is claimed by what it shows. False
    /// when that could not be written.
    pub(crate) fn watches_clock(&mut self, at: Process) -> Result<bool, Violation> {
        self.workers[at.worker].has_looked = true;
        if self.has(Bug::TimerByWallClock) {
            return Ok(true);
        }
        let (wall, monotonic) = (self.wall(), self.monotonic());
        let set = self.workers[at.worker].watch.look(wall, monotonic);
        let Some(by) = set else {
            return Ok(true);
        };
        let commit = self.engine(at).clock_set(wall, by);
        let written = self.write(at, None, commit)? == Written::Yes;
        if written {
            self.engine(at).clock_moved(wall, by);
            self.workers[at.worker].watch.accept(wall, monotonic);
        }
        Ok(written)
    }

    fn piece_begins(&mut self, at: Process, claimed: &Claimed) {
        let now = self.time(at);
        let worker = &mut self.workers[at.worker];
        let turn = worker.engine.turn(now, &claimed.work);
        worker.running.begins(turn);
        let token = *claimed.token.as_bytes();
        worker.pieces.insert(token, (turn, claimed.work.clone()));
    }

    fn piece_ends(&mut self, at: Process, token: LeaseToken) {
        let worker = &mut self.workers[at.worker];
        if let Some((turn, _)) = worker.pieces.remove(token.as_bytes()) {
            worker.running.ends(turn);
        }
    }

    /// Long work keeps its leases.
    pub(crate) fn renews(&mut self, at: Process) {
        self.after(MINUTE, Event::Renews(at));
        if self.fault(self.plan.rates.store_unavailable) {
            return;
        }
        let until = self.time(at) + self.plan.policy.lease;
        let leases = self.leases(at.worker);
        let leases = leases.into_iter().map(|(token, work)| (work.stream, token));
        let renewed = ready(self.store.renew(leases.collect(), until));
        renewed.expect("the model renews");
    }

    fn leases(&self, worker: usize) -> Vec<(LeaseToken, Work)> {
        let pieces = self.workers[worker].pieces.iter();
        pieces
            .map(|(token, (_, work))| (LeaseToken::from_random(*token), work.clone()))
            .collect()
    }

    /// A process ends in good order: what goes on is broken off and given back.
    pub(crate) fn retires(&mut self, worker: usize) -> Held {
        let life = self.workers[worker].life;
        let at = Process { worker, life };
        if !self.lives(at) || self.now < self.spared_until {
            return Ok(());
        }
        for (token, work) in self.leases(worker) {
            let lease = (work.stream, token);
            let mut commit = Commit::default();
            commit.fence = Some(lease);
            commit.work = vec![WorkChange::Set(work)];
            if self.write(at, Some(lease), commit)? == Written::Died {
                return Ok(());
            }
        }
        self.dies(worker)
    }

    /// A step of a program takes a moment, now and then much longer.
    fn moment(&mut self) -> i64 {
        self.between(1, 300)
    }

    /// As a moment, but a lookup or an answer may also take minutes.
    fn slow(&mut self) -> i64 {
        if self.fault(self.plan.rates.slow) {
            self.count("slow");
            self.between(MINUTE, 6 * MINUTE)
        } else {
            self.moment()
        }
    }

    pub(crate) fn begins(&mut self, at: Process, claimed: Claimed) -> Held {
        let lease = Some((claimed.work.stream, claimed.token));
        let claimed = crate::bugs::look_away(self, claimed);
        let now = self.time(at);
        let begun = self.engine(at).begin(now, claimed.clone());
        let early = self.has(Bug::EffectBeforeCommit);
        if early && let Some(order) = &begun.order {
            self.executes(at, order.claimed.clone(), &order.job)?;
        }
        // Without a change there is nothing to make durable first.
        let written = if begun.commit.is_empty() {
            Written::Yes
        } else {
            self.write(at, lease, begun.commit)?
        };
        match (written, begun.order) {
            (Written::Yes, Some(order)) if !early => self.order(at, order),
            (Written::Conflict, _) => self.begins_anew(at, claimed),
            (_, Some(_)) if early => Ok(()),
            _ => {
                self.piece_ends(at, claimed.token);
                Ok(())
            }
        }
    }

    /// Again, with the stops as they are now, when one was set or lifted meanwhile. A copy that
    /// moved on is left to the next claim.
    fn begins_anew(&mut self, at: Process, mut claimed: Claimed) -> Held {
        let stops = ready(self.store.stops()).expect("the model reads");
        if stops.version() != claimed.stops.version() {
            self.count("stops met");
            claimed.stops = stops;
            self.after(1, Event::Begins(at, Box::new(claimed)));
        } else {
            self.piece_ends(at, claimed.token);
        }
        Ok(())
    }

    fn order(&mut self, at: Process, order: Order) -> Held {
        let Order { claimed, job, .. } = order;
        self.executes(at, claimed, &job)
    }

    fn executes(&mut self, at: Process, claimed: Claimed, job: &Job) -> Held {
        match job {
            Job::Prepare => {
                let prepared = self.prepared(&claimed);
                let pause = self.between(50, 3 * SECOND);
                self.answers(pause, at, claimed, Outcome::Prepared(prepared));
                Ok(())
            }
            Job::Send { artefact } => {
                let bytes = ready(self.store.payload(claimed.letter.key, *artefact));
                let bytes = bytes.expect("the artefact is kept");
                if self.has(Bug::EffectBeforeCommit) {
                    return self.leaves(at, claimed, &bytes);
                }
                let pause = self.moment();
                self.after(pause, Event::Leaves(at, Box::new(claimed), bytes));
                Ok(())
            }
            Job::Ask { local_id } => {
                let result = self.asks(local_id.as_str());
                let pause = self.moment();
                self.answers(pause, at, claimed, Outcome::Asked(result));
                Ok(())
            }
            Job::Track { message_id } => {
                let result = self.tracks(message_id);
                let pause = self.moment();
                self.answers(pause, at, claimed, Outcome::Tracked(result));
                Ok(())
            }
        }
    }

    /// The answer is there after a while; a program may be slow to write it, or write it twice.
    pub(crate) fn answers(&mut self, pause: i64, at: Process, claimed: Claimed, outcome: Outcome) {
        let slow = self.slow();
        if self.fault(self.plan.rates.answered_twice) {
            self.count("answers twice");
            let again = Event::Answered(at, Box::new(claimed.clone()), outcome.clone(), 0);
            let later = self.between(1, MINUTE);
            self.after(pause + slow + later, again);
        }
        let answered = Event::Answered(at, Box::new(claimed), outcome, 0);
        self.after(pause + slow, answered);
    }

    pub(crate) fn answered(
        &mut self,
        at: Process,
        claimed: Claimed,
        outcome: Outcome,
        tries: usize,
    ) -> Held {
        let lease = Some((claimed.work.stream, claimed.token));
        let commit = self.decides(at, claimed.clone(), outcome.clone());
        let again = match self.write(at, lease, commit)? {
            Written::Conflict if tries < CONFLICTS_MAX => {
                self.read_anew(&claimed).map(|claimed| (1, claimed))
            }
            Written::Unavailable if tries < WRITES_MAX => Some((SECOND, claimed.clone())),
            Written::Died => return Ok(()),
            _ => None,
        };
        match again {
            Some((pause, claimed)) => {
                let again = Event::Answered(at, Box::new(claimed), outcome, tries + 1);
                self.after(pause, again);
            }
            None => self.piece_ends(at, claimed.token),
        }
        Ok(())
    }

    /// A copy that moved on meanwhile is read anew: MESH's answer is not lost.
    fn read_anew(&self, claimed: &Claimed) -> Option<Claimed> {
        let copy = claimed.copy.clone()?;
        let found = self.store.copy_by_message(None, Some(copy.local_id));
        let found = ready(found).expect("the model reads");
        let found = found.filter(|found| found.key == copy.key)?;
        let mut claimed = claimed.clone();
        claimed.copy = Some(found);
        Some(claimed)
    }

    fn decides(&mut self, at: Process, claimed: Claimed, outcome: Outcome) -> Commit {
        let now = self.time(at);
        let engine = self.engine(at);
        match outcome {
            Outcome::Prepared(prepared) => engine.prepared(now, claimed, prepared),
            Outcome::Sent(result) => engine.sent(now, claimed, result),
            Outcome::Asked(result) => engine.asked(now, claimed, result),
            Outcome::Tracked(result) => engine.tracked(now, claimed, result),
        }
    }

    /// What routing and shaping make of a letter: its own stream decides, not who asks.
    fn prepared(&mut self, claimed: &Claimed) -> Prepared {
        let letter = claimed.letter.key;
        let dice = SeededDice::new(self.plan.seed).split(&letter.to_string());
        let mut own = dice;
        let stopped = |route| Prepared::Stopped {
            route,
            reason: "reason".to_owned(),
            evidence: Data::new(),
        };
        match own.below(40) {
            0 => return stopped(Route::Hold),
            1 => return stopped(Route::Ambiguous),
            2 => return stopped(Route::Withhold),
            _ => {}
        }
        if self.now < CALM && self.dice.chance(50) {
            return Prepared::Later {
                reason: "MESH_LOOKUP_FAILED".to_owned(),
                after: Duration::minutes(2),
            };
        }
        // A copy that is routed anew is shaped alone.
        let numbers = match (&claimed.copy, own.below(10)) {
            (Some(copy), _) => copy.number..=copy.number,
            (None, 0..8) => 1..=1,
            (None, 8) => 1..=2,
            (None, _) => 1..=3,
        };
        let broken = own.below(60);
        let copy = |number: u32| {
            let bytes = content_of(letter, number).into_bytes();
            let shaped = ShapedCopy::new(bytes, "application/xml", Data::new());
            let shaped = if broken == 0 && number == 1 {
                Err("words-lost".to_owned())
            } else {
                Ok(shaped)
            };
            PreparedCopy::new(address(number), Data::new(), shaped)
        };
        Prepared::Copies(numbers.map(copy).collect())
    }
}

fn address(number: u32) -> Address {
    let practice = ["A81001", "A81002", "A81003"][usize::try_from(number - 1).unwrap()];
    Address::new(
        OdsCode::parse(practice).unwrap(),
        MailboxId::parse(&format!("{practice}OT001")).unwrap(),
        WorkflowId::parse("TRANSFER_OF_CARE").unwrap(),
        "edt-html",
    )
}
