//! The engine: it decides, synchronously; others execute.
//!
//! Every method takes the time and what is known, and gives back a [`Commit`] to make durable and,
//! where something is to be done outside, an [`Order`]. The engine itself does no I/O, reads no
//! clock and keeps nothing that a restart would need: only the breaker, which a restart may forget.

mod ask;
mod begin;
mod breaker;
mod intake;
mod policy;
mod prepare;
mod send;
mod track;
mod write;

use audit_core::{Data, EventBody, StreamKey};
use chrono::{DateTime, Utc};

use crate::commit::{Commit, LeaseToken};
use crate::keys::{PayloadId, TrustKeys};
use breaker::Breaker;
use write::Writer;

pub use begin::{Begun, Job, Order};
pub use breaker::BreakerState;
pub use intake::{Intake, Taken, TakenAs};
pub use policy::{Ambiguous, Policy};
pub use prepare::{Prepared, PreparedCopy, ShapedCopy};
pub use track::Report;
pub(crate) use write::ANOMALY;

/// Where random bytes come from: the operating system's in the program, a seed in a simulation.
pub trait Entropy: Send {
    /// Fills the buffer.
    fn fill(&mut self, bytes: &mut [u8]);
}

/// Decides on the letters of one trust.
#[derive(Debug)]
pub struct Engine {
    keys: TrustKeys,
    policy: Policy,
    breaker: Breaker,
    entropy: Dice,
}

struct Dice(Box<dyn Entropy>);

impl std::fmt::Debug for Dice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dice")
    }
}

impl Dice {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill(&mut bytes);
        bytes
    }

    /// A fraction in 0..1.
    fn fraction(&mut self) -> f64 {
        f64::from(u32::from_be_bytes(self.bytes())) / (f64::from(u32::MAX) + 1.0)
    }
}

impl Engine {
    /// An engine for one trust.
    pub fn new(keys: TrustKeys, policy: Policy, entropy: Box<dyn Entropy>) -> Self {
        Self {
            keys,
            policy,
            breaker: Breaker::new(),
            entropy: Dice(entropy),
        }
    }

    /// The trust's keys.
    pub const fn keys(&self) -> &TrustKeys {
        &self.keys
    }

    /// The policy.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether the transport is thought to be reachable.
    pub const fn breaker(&self) -> BreakerState {
        self.breaker.state()
    }

    /// Fresh lease tokens for a claim of up to `count` pieces of work.
    pub fn lease_tokens(&mut self, count: usize) -> Vec<LeaseToken> {
        (0..count)
            .map(|_| LeaseToken::from_random(self.entropy.bytes()))
            .collect()
    }

    /// An event about the ledger as a whole, such as a practice table that was taken into use.
    ///
    /// Its place in the ledger's own stream is given by the store.
    pub fn note(&mut self, now: DateTime<Utc>, kind: &str, data: Data) -> Commit {
        let body = EventBody {
            id: write::event_id(now, &mut self.entropy),
            at: write::timestamp(now),
            stream: StreamKey::LEDGER,
            copy: None,
            lseq: 0,
            subject: None,
            kind: kind.to_owned(),
            state: "LEDGER".to_owned(),
            actor: write::ACTOR.to_owned(),
            data,
        };
        Commit {
            events: vec![body],
            ..Commit::default()
        }
    }

    fn writer(&mut self, now: DateTime<Utc>) -> Writer<'_> {
        Writer::new(now, &mut self.entropy)
    }

    fn payload_id(&mut self) -> PayloadId {
        PayloadId::from_random(self.entropy.bytes())
    }
}
