//! The engine: it decides, synchronously; others execute.
//!
//! Every method takes the time and what is known, and gives back a [`Commit`] to make durable and,
//! where something is to be done outside, an [`Order`]. The engine itself does no I/O, reads no
//! clock and keeps nothing that a restart would need: only the breaker, which a restart may forget.

mod acknowledge;
mod ask;
mod begin;
mod breaker;
mod decide;
mod erase;
mod flow;
mod inbound;
mod intake;
mod policy;
mod prepare;
mod restore;
mod send;
mod stop;
mod track;
mod write;

use audit_core::{Data, EventBody, StreamKey};
use chrono::{DateTime, Duration, Utc};

use crate::actor::Actor;
use crate::commit::{Commit, LeaseToken};
use crate::keys::{PayloadId, TrustKeys};
use breaker::Breaker;
use write::Writer;

pub use acknowledge::{Acknowledgement, Saying};
pub use begin::{Begun, Job, Order};
pub use breaker::BreakerState;
pub use decide::Decided;
pub use erase::{EraseError, Erased};
pub use flow::Running;
pub use inbound::Arrival;
pub use intake::{Intake, Taken, TakenAs};
pub use policy::{Ambiguous, Policy};
pub use prepare::{Prepared, PreparedCopy, ShapedCopy};
pub use restore::Restore;
pub use stop::StopError;
pub(crate) use stop::{STOP_LIFTED, STOP_SET};
pub use track::Report;
pub(crate) use write::ANOMALY;

/// The `type` of the event that the wall clock was set.
const CLOCK_JUMP: &str = "clock.jump";

/// Where random bytes come from: the operating system's in the program, a seed in a simulation.
pub trait Entropy: Send {
    /// Fills the buffer.
    fn fill(&mut self, bytes: &mut [u8]);
}

/// Decides on the letters of one trust.
///
/// The whole way of a letter. What stands here as a comment is the caller's part: to make each
/// [`Commit`] durable before the next step, and to carry out what an [`Order`] says.
///
/// ```
/// use audit_core::{Data, PseudonymKey};
/// use chrono::{DateTime, Utc};
/// use letter_delivery::{
///     Address, Claimed, CopyState, Disposition, Engine, Entropy, Intake, Job, LetterState,
///     Policy, Prepared, PreparedCopy, SendResult, ShapedCopy, TakenAs, TrustKeys, Work, WorkChange,
///     WorkKind,
/// };
/// use nhs_types::{MailboxId, OdsCode, WorkflowId};
///
/// struct Counting(u8); // a test's dice; the program takes those of the operating system
/// impl Entropy for Counting {
///     fn fill(&mut self, bytes: &mut [u8]) {
///         self.0 += 1;
///         bytes.fill(self.0);
///     }
/// }
///
/// let key = |byte| PseudonymKey::new([byte; 32]); // secrets, in earnest
/// let keys = TrustKeys::new(OdsCode::parse("RZZ")?, key(1), key(2), key(3));
/// let mut engine = Engine::new(keys, Policy::default(), Box::new(Counting(0)));
/// let now: DateTime<Utc> = "2026-02-03T10:10:00Z".parse()?;
///
/// // A signed document was read. Nothing is known of it yet, and it replaces nothing.
/// let raw = b"Dear Doctor".to_vec();
/// let intake = Intake::new("epr", "DOC-1", Disposition::Send, "ok", [1; 32], raw);
/// let mut taken = engine.intake(now, intake, None, None);
/// assert_eq!(taken.as_what, TakenAs::Letter(LetterState::Parsed));
/// // store.commit(taken.commit): now the source may be told "taken".
///
/// // store.claim(..) gives the work that this caused, under a lease.
/// let letter = taken.commit.letters.remove(0);
/// let work = Work::new(letter.key, WorkKind::Prepare, now);
/// let lease = engine.lease_tokens(1)[0];
/// let begun = engine.begin(now, Claimed::new(work, lease, letter.clone(), None, 1));
/// let order = begun.order.ok_or("work to do")?;
/// assert_eq!(order.job, Job::Prepare);
///
/// // It was routed and shaped.
/// let address = Address::new(
///     OdsCode::parse("A81001")?,
///     MailboxId::parse("A81001OT001")?,
///     WorkflowId::parse("TRANSFER_OF_CARE")?,
///     "edt-html",
/// );
/// let shaped = ShapedCopy::new(b"<letter/>".to_vec(), "application/xml", Data::new());
/// let copies = vec![PreparedCopy::new(address, Data::new(), Ok(shaped))];
/// let mut commit = engine.prepared(now, order.claimed, Prepared::Copies(copies));
/// let copy = commit.copies.remove(0);
/// assert_eq!(copy.state, CopyState::Queued);
///
/// // The copy's turn comes: the attempt is durable before its first byte leaves.
/// let work = Work::new(copy.key, WorkKind::Send, now);
/// let begun = engine.begin(now, Claimed::new(work, lease, letter, Some(copy), 1));
/// assert_eq!(begun.commit.events[0].kind, "send.started");
/// let order = begun.order.ok_or("a message to send")?;
/// assert!(matches!(order.job, Job::Send { .. }));
///
/// // MESH gave no answer: nothing is sent again before it was asked.
/// let code = "timeout".to_owned();
/// let commit = engine.sent(now, order.claimed, SendResult::Unknown { code });
/// assert_eq!(commit.copies[0].state, CopyState::Uncertain);
/// assert!(matches!(&commit.work[..], [WorkChange::Set(work)] if work.kind == WorkKind::Ask));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Engine {
    keys: TrustKeys,
    policy: Policy,
    breaker: Breaker,
    entropy: Dice,
    /// When the clock was set forward, and by how much.
    set_forward: Vec<(DateTime<Utc>, Duration)>,
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
            set_forward: Vec::new(),
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
        self.note_by(now, &Actor::SERVICE, kind, data)
    }

    /// An event about the ledger as a whole, by whoever did it: a search, an export.
    pub fn note_by(&mut self, now: DateTime<Utc>, by: &Actor, kind: &str, data: Data) -> Commit {
        let body = EventBody {
            id: write::event_id(now, &mut self.entropy),
            at: write::timestamp(now),
            stream: StreamKey::LEDGER,
            copy: None,
            lseq: 0,
            subject: None,
            kind: kind.to_owned(),
            state: "LEDGER".to_owned(),
            actor: by.to_string(),
            data,
        };
        Commit {
            events: vec![body],
            ..Commit::default()
        }
    }

    /// The wall clock was set by this much: that is recorded, and no timer runs short or long by
    /// it (audit-and-delivery facts 3.2, rule d).
    ///
    /// Where several processes share a store ([`Policy::alone`] is false) the clock of one of
    /// them moves no timer of the others.
    pub fn clock_set(&mut self, now: DateTime<Utc>, by: Duration) -> Commit {
        let data = Data::new().with("by_ms", by.num_milliseconds());
        let mut commit = self.note(now, CLOCK_JUMP, data);
        commit.rebase = self.policy.alone.then_some(by);
        commit
    }

    /// [`clock_set`](Self::clock_set) is durable, so what the engine itself remembers moves too.
    /// A commit that failed is made anew, and moves nothing twice.
    pub fn clock_moved(&mut self, now: DateTime<Utc>, by: Duration) {
        self.breaker.rebase(by);
        if by > Duration::zero() {
            self.set_forward.push((now, by));
        }
    }

    /// The time that has really passed since then, as far as this process saw: a clock that was
    /// set forward makes nothing older, and one that was set back makes no age negative.
    fn elapsed(&self, now: DateTime<Utc>, since: DateTime<Utc>) -> Duration {
        let jumps = self.set_forward.iter().filter(|(at, _)| since < *at);
        let jumped = jumps.fold(Duration::zero(), |sum, (_, by)| sum + *by);
        (now.signed_duration_since(since) - jumped).max(Duration::zero())
    }

    fn writer(&mut self, now: DateTime<Utc>) -> Writer<'_> {
        Writer::new(now, &mut self.entropy)
    }

    fn payload_id(&mut self) -> PayloadId {
        PayloadId::from_random(self.entropy.bytes())
    }
}

#[cfg(test)]
mod tests;
