use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use audit_core::{Data, StreamKey};
use chrono::{DateTime, Duration, Utc};
use letter_delivery::testkit::{SeededDice, keys};
use letter_delivery::{
    Actor, Address, AskResult, BreakerState, Claimed, Commit, CopyState, Disposition, Engine,
    Intake, Job, Policy, Prepared, PreparedCopy, Reason, Running, Scope, SendResult, ShapedCopy,
    Store, StoreError, TrackResult, Turn,
};
use nhs_types::{MailboxId, OdsCode, Sensitive, WorkflowId};

use super::{Plan, start};

/// What a piece of work takes, in milliseconds: at least, and how much more at most.
const PREPARE: (usize, usize) = (10, 20);
const SEND: (usize, usize) = (80, 80);
const QUESTION: (usize, usize) = (30, 30);
/// How long a connection that nobody answers is waited for.
const UNREACHABLE: Duration = Duration::seconds(5);
/// One answer of so many is lost, and MESH is asked.
const LOST: usize = 1000;

/// A trust in simulated time.
pub(super) struct World<'a, S> {
    store: &'a S,
    plan: &'a Plan,
    engine: Engine,
    dice: SeededDice,
    pub(super) now: DateTime<Utc>,
    running: Running,
    going: BTreeMap<u64, Going>,
    /// When a piece of work ends.
    ends: BinaryHeap<Reverse<(DateTime<Utc>, u64)>>,
    next: u64,
    arrives_at: Option<DateTime<Utc>>,
    outage: (DateTime<Utc>, DateTime<Utc>),
    letters: BTreeMap<StreamKey, Letter>,
    copies: BTreeMap<StreamKey, (CopyState, u32)>,
    waiting: usize,
    stop: Option<u32>,
    pub(super) attempts_in_outage: u32,
    pub(super) begun_under_stop: u32,
    pub(super) open_at_stop: usize,
    pub(super) claims: (usize, usize),
}

struct Letter {
    taken: DateTime<Utc>,
    accepted: Option<DateTime<Utc>>,
}

struct Going {
    turn: Turn,
    claimed: Claimed,
    job: Job,
    began: DateTime<Utc>,
}

impl<'a, S: Store> World<'a, S> {
    pub(super) fn new(store: &'a S, plan: &'a Plan) -> Self {
        let entropy = Box::new(SeededDice::new(plan.seed));
        Self {
            store,
            plan,
            engine: Engine::new(keys(), Policy::default(), entropy),
            dice: SeededDice::new(plan.seed).split("what things take"),
            now: start(),
            running: Running::default(),
            going: BTreeMap::new(),
            ends: BinaryHeap::new(),
            next: 0,
            arrives_at: Some(start()),
            outage: (start(), start()),
            letters: BTreeMap::new(),
            copies: BTreeMap::new(),
            waiting: 0,
            stop: None,
            attempts_in_outage: 0,
            begun_under_stop: 0,
            open_at_stop: 0,
            claims: (0, 0),
        }
    }

    pub(super) const fn out_of_reach(&mut self, from: DateTime<Utc>, to: DateTime<Utc>) {
        self.outage = (from, to);
    }

    pub(super) const fn no_more_arrive(&mut self) {
        self.arrives_at = None;
    }

    /// Letters that were not accepted yet.
    pub(super) const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Whether the engine leaves the transport alone.
    pub(super) fn is_thought_out(&self) -> bool {
        self.engine.breaker() != BreakerState::Closed
    }

    pub(super) fn taken(&self) -> usize {
        self.letters.len()
    }

    pub(super) fn is_drained(&self, taken_before: DateTime<Utc>) -> bool {
        let letters = self.letters.values();
        letters
            .filter(|letter| letter.taken < taken_before)
            .all(|letter| letter.accepted.is_some())
    }

    pub(super) fn states(&self) -> BTreeMap<&'static str, usize> {
        let mut states = BTreeMap::new();
        for (state, _) in self.copies.values() {
            *states.entry(state.as_str()).or_default() += 1;
        }
        states
    }

    pub(super) fn spent(&self) -> u32 {
        self.copies.values().map(|(_, spent)| spent).sum()
    }

    /// How long each letter took that was taken then.
    pub(super) fn took(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Duration> {
        let letters = self.letters.values();
        let then = letters.filter(|letter| (from..to).contains(&letter.taken));
        then.filter_map(|letter| Some(letter.accepted? - letter.taken))
            .collect()
    }

    /// Lets time pass: from one arrival, or end of a piece of work, to the next.
    pub(super) async fn run_until(&mut self, until: DateTime<Utc>) -> Result<(), StoreError> {
        loop {
            let tick = self.now + Duration::seconds(1);
            let ends = self.ends.peek().map(|Reverse((at, _))| *at);
            let next = [Some(tick), ends, self.arrives_at].into_iter().flatten();
            let next = next.min().unwrap_or(tick);
            if next > until {
                self.now = until;
                return Ok(());
            }
            self.now = next;
            while self.arrives_at.is_some_and(|at| at <= self.now) {
                self.arrive().await?;
            }
            while let Some(id) = self.ended() {
                self.end(id).await?;
            }
            self.fill().await?;
        }
    }

    fn ended(&mut self) -> Option<u64> {
        let Reverse((at, id)) = *self.ends.peek()?;
        if at > self.now {
            return None;
        }
        self.ends.pop();
        Some(id)
    }

    async fn arrive(&mut self) -> Result<(), StoreError> {
        let number = format!("DOC-{:06}", self.letters.len());
        let mut content = [0; 32];
        letter_delivery::Entropy::fill(&mut self.dice, &mut content);
        let raw = vec![b'a'; self.plan.bytes];
        let letter = Sensitive::new(raw.clone());
        let send = Disposition::Send;
        let mut intake = Intake::new("epr", number, send, "ok", content, raw);
        intake.letter = Some(letter);
        let taken = self.engine.intake(self.now, intake, None, None);
        self.commit(taken.commit).await?;
        let letter = Letter {
            taken: self.now,
            accepted: None,
        };
        self.letters.insert(taken.letter, letter);
        self.waiting += 1;
        // Evenly, but not in step with anything else.
        let apart = self.plan.outage.num_milliseconds() / i64::from(self.plan.letters.max(1));
        let apart = usize::try_from(apart).unwrap_or(1).max(1);
        let drawn = self.takes((apart / 2, apart));
        self.arrives_at = Some(self.now + drawn);
        Ok(())
    }

    fn takes(&mut self, (least, more): (usize, usize)) -> Duration {
        let millis = least + self.dice.below(more.max(1));
        Duration::milliseconds(i64::try_from(millis).unwrap_or_default())
    }

    /// Fills the free places, as a run does.
    async fn fill(&mut self) -> Result<(), StoreError> {
        let Some(request) = self.engine.next_claim(self.now, &self.running) else {
            return Ok(());
        };
        let claimed = self.store.claim(request).await?;
        self.claims.0 += 1;
        self.claims.1 += claimed.len();
        for claimed in claimed {
            let turn = self.engine.turn(self.now, &claimed.work);
            let begun = self.engine.begin(self.now, claimed);
            self.commit(begun.commit).await?;
            if let Some(order) = begun.order {
                self.begin(turn, order.claimed, order.job);
            }
        }
        Ok(())
    }

    fn begin(&mut self, turn: Turn, claimed: Claimed, job: Job) {
        let takes = match job {
            Job::Prepare => self.takes(PREPARE),
            _ if self.is_out() => UNREACHABLE,
            Job::Send { .. } => self.takes(SEND),
            Job::Ask { .. } | Job::Track { .. } => self.takes(QUESTION),
        };
        if matches!(job, Job::Send { .. }) {
            self.attempts_in_outage += u32::from(self.is_out());
            self.begun_under_stop += u32::from(self.stop.is_some());
        }
        self.running.begins(turn);
        self.ends.push(Reverse((self.now + takes, self.next)));
        let began = self.now;
        let going = Going {
            turn,
            claimed,
            job,
            began,
        };
        self.going.insert(self.next, going);
        self.next += 1;
    }

    fn is_out(&self) -> bool {
        (self.outage.0..self.outage.1).contains(&self.now)
    }

    async fn end(&mut self, id: u64) -> Result<(), StoreError> {
        let Some(going) = self.going.remove(&id) else {
            return Ok(());
        };
        self.running.ends(going.turn);
        let (now, claimed) = (self.now, going.claimed);
        let out = (self.outage.0..self.outage.1).contains(&going.began);
        let commit = match going.job {
            Job::Prepare => {
                let prepared = self.prepared();
                self.engine.prepared(now, claimed, prepared)
            }
            Job::Send { artefact } => {
                self.store.payload(claimed.letter.key, artefact).await?;
                let result = self.answer(out);
                self.note(&claimed, &result);
                self.engine.sent(now, claimed, result)
            }
            Job::Ask { .. } => {
                let result = if out {
                    AskResult::Unreachable
                } else {
                    self.note_found(&claimed);
                    AskResult::Found {
                        message_id: self.message_id(),
                    }
                };
                self.engine.asked(now, claimed, result)
            }
            Job::Track { .. } => {
                let result = if out {
                    TrackResult::Unavailable
                } else {
                    TrackResult::Collected
                };
                self.engine.tracked(now, claimed, result)
            }
        };
        self.commit(commit).await
    }

    fn prepared(&mut self) -> Prepared {
        let number = self
            .dice
            .below(usize::try_from(self.plan.practices).unwrap_or(1));
        let ods = OdsCode::parse(&format!("A8{number:04}"));
        let mailbox = MailboxId::parse(&format!("A8{number:04}OT001"));
        let workflow = WorkflowId::parse("TRANSFER_OF_CARE");
        let (Ok(ods), Ok(mailbox), Ok(workflow)) = (ods, mailbox, workflow) else {
            return Prepared::Copies(Vec::new());
        };
        let address = Address::new(ods, mailbox, workflow, "emis");
        let bytes = vec![b'b'; self.plan.bytes];
        let shaped = ShapedCopy::new(bytes, "application/xml", Data::new());
        Prepared::Copies(vec![PreparedCopy::new(address, Data::new(), Ok(shaped))])
    }

    fn answer(&mut self, out: bool) -> SendResult {
        if out {
            return SendResult::Retry {
                after: None,
                code: "unreachable".to_owned(),
                unreachable: true,
            };
        }
        if self.dice.below(LOST) == 0 {
            return SendResult::Unknown {
                code: "timeout".to_owned(),
            };
        }
        SendResult::Accepted {
            message_id: self.message_id(),
        }
    }

    fn message_id(&mut self) -> String {
        format!("20260203{:016X}", self.dice.below(usize::MAX))
    }

    fn note(&mut self, claimed: &Claimed, result: &SendResult) {
        if matches!(result, SendResult::Accepted { .. }) {
            self.note_found(claimed);
        }
    }

    fn note_found(&mut self, claimed: &Claimed) {
        let letter = self.letters.get_mut(&claimed.letter.key);
        if let Some(letter) = letter.filter(|letter| letter.accepted.is_none()) {
            letter.accepted = Some(self.now);
            self.waiting -= 1;
        }
    }

    async fn commit(&mut self, commit: Commit) -> Result<(), StoreError> {
        for copy in &commit.copies {
            self.copies.insert(copy.key, (copy.state, copy.spent));
        }
        self.store.commit(commit).await
    }

    /// Somebody on call stops everything.
    pub(super) async fn stop(&mut self) -> Result<(), StoreError> {
        let stops = self.store.stops().await?;
        let (by, scope) = (self.on_call(), Scope::default());
        let commit = self
            .engine
            .set_stop(self.now, &by, &stops, scope, reason()?);
        let commit = commit.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        self.stop = commit.stop.as_ref().map(|stop| stop.id);
        self.commit(commit).await?;
        let sends = self.going.values();
        self.open_at_stop = sends
            .filter(|going| matches!(going.job, Job::Send { .. }))
            .count();
        Ok(())
    }

    pub(super) async fn lift(&mut self) -> Result<(), StoreError> {
        let Some(id) = self.stop.take() else {
            return Ok(());
        };
        let stops = self.store.stops().await?;
        let by = self.on_call();
        let commit = self.engine.lift_stop(self.now, &by, &stops, id, reason()?);
        let commit = commit.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        self.commit(commit).await
    }

    fn on_call(&self) -> Actor {
        self.engine.keys().account("unix:1001")
    }
}

fn reason() -> Result<Reason, StoreError> {
    Reason::parse("drill").map_err(|error| StoreError::Unavailable(error.to_string()))
}
