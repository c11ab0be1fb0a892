//! A backlog after an outage, in simulated time: the real engine over a real store.
//!
//! Letters arrive as on any day. Then MESH is out of reach, and they go on arriving. When it is
//! back the backlog drains while fresh letters arrive all the while, and in the middle of that
//! somebody sets a stop, and lifts it. Only the time that sends, questions and preparations take
//! is invented; what is claimed, decided and made durable is what a run does.

mod world;

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Duration, Utc};
use letter_delivery::{CopyState, Store, StoreError};

use world::World;

/// What is played.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many letters arrive while MESH is out of reach.
    pub letters: u32,
    /// How long it is.
    pub outage: Duration,
    /// How long an ordinary day lasts before that.
    pub before: Duration,
    /// How many practices there are.
    pub practices: u32,
    /// Bytes of a letter's source, and of what is made of it.
    pub bytes: usize,
    /// Decides everything that is drawn.
    pub seed: u64,
}

impl Plan {
    /// 50,000 letters in three hours, for 150 practices.
    pub const fn whole() -> Self {
        Self {
            letters: 50_000,
            outage: Duration::hours(3),
            before: Duration::minutes(20),
            practices: 150,
            bytes: 4096,
            seed: 1,
        }
    }

    /// The same rate, for a few minutes only.
    pub const fn small() -> Self {
        Self {
            letters: 600,
            outage: Duration::seconds(130),
            before: Duration::seconds(60),
            practices: 150,
            bytes: 64,
            seed: 1,
        }
    }
}

/// What was seen.
#[derive(Debug)]
pub struct Seen {
    /// How many letters were taken in.
    pub taken: usize,
    /// Where their copies stand at the end.
    pub states: BTreeMap<&'static str, usize>,
    /// Attempts that spent something of a letter's budget.
    pub spent: u32,
    /// Attempts to send while MESH was out of reach.
    pub attempts_in_outage: u32,
    /// From taken to accepted, on an ordinary day: of a hundred letters the slowest but one.
    pub normal: Duration,
    /// The same of letters that arrived while the backlog drained.
    pub fresh: Duration,
    /// How many letters that is measured on.
    pub measured: (usize, usize),
    /// How long the backlog took to drain, the stop not counted.
    pub drained_in: Duration,
    /// Attempts that were begun while the stop stood.
    pub begun_under_stop: u32,
    /// Attempts that were open when it was set.
    pub open_at_stop: usize,
    /// How often work was claimed, and how many pieces.
    pub claims: (usize, usize),
}

impl Seen {
    /// Everything that was promised and does not hold.
    pub fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let mut require = |holds: bool, what: String| {
            if !holds {
                broken.push(what);
            }
        };
        let total: usize = self.states.values().sum();
        let failed = self.states.get(CopyState::Failed.as_str()).copied();
        require(
            total == self.taken,
            format!("{total} copies of {} letters", self.taken),
        );
        require(failed.is_none(), format!("{failed:?} letters failed"));
        require(
            self.spent == 0,
            format!("{} attempts were spent", self.spent),
        );
        let sent = [CopyState::Accepted, CopyState::Collected].map(CopyState::as_str);
        let stuck = self.states.keys().find(|state| !sent.contains(state));
        require(stuck.is_none(), format!("copies are left {stuck:?}"));
        let (normal, fresh) = (
            self.normal.num_milliseconds(),
            self.fresh.num_milliseconds(),
        );
        require(
            fresh * 10 <= normal * 11,
            format!("fresh letters took {fresh} ms, on an ordinary day {normal} ms"),
        );
        let begun = self.begun_under_stop;
        require(
            begun == 0,
            format!("{begun} sends were begun under the stop"),
        );
        broken
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (claims, pieces) = self.claims;
        writeln!(f, "letters taken            {}", self.taken)?;
        for (state, count) in &self.states {
            writeln!(f, "  now {state:<18} {count}")?;
        }
        writeln!(f, "attempts in the outage   {}", self.attempts_in_outage)?;
        writeln!(f, "attempts spent           {}", self.spent)?;
        writeln!(
            f,
            "drained in               {} s",
            self.drained_in.num_seconds()
        )?;
        let (normal, fresh) = self.measured;
        let millis = Duration::num_milliseconds;
        writeln!(
            f,
            "p99 on an ordinary day   {} ms ({normal} letters)",
            millis(&self.normal)
        )?;
        writeln!(
            f,
            "p99 while it drained     {} ms ({fresh} letters)",
            millis(&self.fresh)
        )?;
        writeln!(f, "open when it was stopped {}", self.open_at_stop)?;
        writeln!(f, "begun under the stop     {}", self.begun_under_stop)?;
        write!(
            f,
            "claims                   {claims} for {pieces} pieces of work"
        )
    }
}

/// Plays a plan over a store that is empty.
///
/// # Errors
///
/// What the store says.
pub async fn play<S: Store>(store: &S, plan: &Plan) -> Result<Seen, StoreError> {
    let mut world = World::new(store, plan);
    let outage = start() + plan.before;
    let back = outage + plan.outage;
    world.out_of_reach(outage, back);
    world.run_until(back).await?;
    // Until somebody tries, nobody knows that it is back: what arrives before is backlog too.
    while world.is_thought_out() {
        world
            .run_until(world.now + Duration::milliseconds(100))
            .await?;
    }
    let found = world.now;
    let backlog = world.waiting();
    let mut stopped_for = Duration::zero();
    let mut measured_to = None;
    while !world.is_drained(found) {
        let next = world.now + Duration::seconds(1);
        world.run_until(next).await?;
        if measured_to.is_none() && world.waiting() * 2 < backlog {
            measured_to = Some(world.now);
            world.stop().await?;
            stopped_for = Duration::seconds(30);
            world.run_until(world.now + stopped_for).await?;
            world.lift().await?;
        }
    }
    let drained = world.now;
    world.no_more_arrive();
    while world.waiting() > 0 {
        world.run_until(world.now + Duration::seconds(10)).await?;
    }
    // What was sent in doubt is asked about, and what was sent is followed up.
    world.run_until(world.now + Duration::hours(2)).await?;
    let normal = world.took(start(), outage - Duration::seconds(10));
    let fresh = world.took(found, measured_to.unwrap_or(drained));
    Ok(Seen {
        taken: world.taken(),
        states: world.states(),
        spent: world.spent(),
        attempts_in_outage: world.attempts_in_outage,
        measured: (normal.len(), fresh.len()),
        normal: p99(normal),
        fresh: p99(fresh),
        drained_in: drained - found - stopped_for,
        begun_under_stop: world.begun_under_stop,
        open_at_stop: world.open_at_stop,
        claims: world.claims,
    })
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_770_105_600, 0).unwrap_or_default()
}

fn p99(mut took: Vec<Duration>) -> Duration {
    took.sort();
    let place = (took.len() * 99).div_ceil(100).saturating_sub(1);
    took.get(place).copied().unwrap_or_default()
}
