//! What the ledger must say about letters: verification rules V5, V11 and V12.

use std::collections::{BTreeMap, BTreeSet};

use audit_core::{DataValue, Event, EventBody, StreamKey};

use crate::copy::CopyEvent;
use crate::engine::{ANOMALY, STOP_LIFTED, STOP_SET};
use crate::inbound::{InboundEvent, InboundRecord};
use crate::letter::LetterEvent;
use crate::record::{CopyRecord, LetterRecord};
use crate::state::{CopyState, InboundState, LetterState};
use crate::step::{Position, Step};
use crate::stop::Stop;

/// Reads a ledger once and checks that every state follows from its events, that the rows of the
/// store say the same, and that the contents still held are those that were recorded.
///
/// ```
/// use audit_core::{Data, EventBody, EventId, Hash, Sequencer, StreamKey, Timestamp};
/// use letter_delivery::LedgerAudit;
///
/// let forged = EventBody {
///     id: EventId::from_bytes([7; 16]),
///     at: Timestamp::from_millis(0),
///     stream: StreamKey::from_bytes([1; 16]),
///     copy: Some(1),
///     lseq: 0,
///     subject: None,
///     kind: "send.accepted".to_owned(),
///     state: "ACCEPTED".to_owned(),
///     actor: "svc:letterbox".to_owned(),
///     data: Data::new(),
/// };
/// let mut audit = LedgerAudit::new();
/// audit.event(&Sequencer::new().sequence(forged, Hash::ZERO)?);
/// let faults = audit.finish();
/// assert_eq!((faults[0].rule, faults[0].seq), ("V5", Some(0)), "nothing was sent");
/// assert_eq!(faults[1].rule, "V12", "and no row says so");
/// # Ok::<(), audit_core::EventError>(())
/// ```
///
/// Source: audit-and-delivery facts 6.
#[derive(Debug, Default)]
pub struct LedgerAudit {
    letters: BTreeMap<StreamKey, Trace<LetterState>>,
    copies: BTreeMap<StreamKey, Trace<CopyState>>,
    inbound: BTreeMap<StreamKey, Trace<InboundState>>,
    /// The letter of each copy.
    letter_of: BTreeMap<StreamKey, StreamKey>,
    digests: BTreeSet<(StreamKey, String)>,
    /// Digests of contents that were destroyed.
    erased_digests: BTreeSet<String>,
    /// Letters that were erased.
    erased: BTreeSet<StreamKey>,
    /// Whether each stop stands, by its events.
    stops: BTreeMap<u32, bool>,
    faults: Vec<LedgerFault>,
}

#[derive(Debug)]
struct Trace<S> {
    position: Position<S>,
    events: u64,
    last_seq: u64,
}

/// A place where the ledger or the store says something it must not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LedgerFault {
    /// The rule: `V5`, `V11` or `V12`.
    pub rule: &'static str,
    /// The event, where there is one.
    pub seq: Option<u64>,
    /// What is wrong, in words.
    pub what: String,
}

/// How the `type` of every event of an inbound message begins, and no other.
const INBOUND: &str = "inbound.";

/// Members of an event's data that hold the digest of a content.
const DIGESTS: [&str; 3] = ["payload_digest", "letter_digest", "artefact_digest"];

impl LedgerAudit {
    /// Begins with an empty ledger.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next event: rule V5.
    pub fn event(&mut self, event: &Event) {
        let body = &event.body;
        if body.stream == StreamKey::LEDGER {
            self.note_stop(body);
            return;
        }
        self.note_digests(event);
        self.note_erasure(event);
        let is_inbound = body.kind.starts_with(INBOUND) || self.inbound.contains_key(&body.stream);
        let what = if is_inbound {
            follow(
                &mut self.inbound,
                event,
                InboundState::parse,
                |kind, from| InboundEvent::parse(kind).map(|known| known.step(from)),
            )
        } else if body.copy.is_some() {
            follow(&mut self.copies, event, CopyState::parse, |kind, from| {
                CopyEvent::parse(kind).map(|known| known.step(from))
            })
        } else {
            follow(
                &mut self.letters,
                event,
                LetterState::parse,
                |kind, from| LetterEvent::parse(kind).map(|known| known.step(from)),
            )
        };
        if let Some(what) = what {
            self.fault("V5", Some(event.seq), what);
        }
    }

    /// A content belongs to its letter, also when a copy's event recorded it.
    fn note_digests(&mut self, event: &Event) {
        let body = &event.body;
        let letter = body.data.text("letter").map(StreamKey::parse);
        if let (Some(_), Some(Ok(letter))) = (body.copy, letter) {
            self.letter_of.entry(body.stream).or_insert(letter);
        }
        let letter = self.letter_of.get(&body.stream).copied();
        for digest in DIGESTS.iter().filter_map(|name| body.data.text(name)) {
            self.digests
                .insert((letter.unwrap_or(body.stream), digest.to_owned()));
        }
    }

    /// What was recorded of a letter up to here is not held any more.
    fn note_erasure(&mut self, event: &Event) {
        let body = &event.body;
        if body.copy.is_some() || body.kind != LetterEvent::PayloadErased.as_str() {
            return;
        }
        self.erased.insert(body.stream);
        let from = (body.stream, String::new());
        let gone = self.digests.range(from..);
        let gone: Vec<_> = gone
            .take_while(|(letter, _)| *letter == body.stream)
            .cloned()
            .collect();
        for digest in gone {
            self.digests.remove(&digest);
            self.erased_digests.insert(digest.1);
        }
    }

    /// Whether a content was recorded and then erased: it must not be held any more.
    pub fn is_erased(&self, digest: &str) -> bool {
        self.erased_digests.contains(digest)
    }

    /// Compares a letter's row with its events: rule V12.
    pub fn letter(&mut self, record: &LetterRecord) {
        if record.erased_at.is_some() != self.erased.contains(&record.key) {
            let what = format!(
                "the row of letter {} and its events disagree on erasure",
                record.key
            );
            self.fault("V12", None, what);
        }
        let trace = self.letters.remove(&record.key);
        let row = (record.position(), record.events);
        self.compare(trace, &row, || format!("letter {}", record.key));
    }

    /// Compares a copy's row with its events: rule V12.
    pub fn copy(&mut self, record: &CopyRecord) {
        let trace = self.copies.remove(&record.key);
        let row = (record.position(), record.events);
        self.compare(trace, &row, || format!("copy {}", record.key));
    }

    /// Compares an inbound message's row with its events: rule V12.
    pub fn inbound(&mut self, record: &InboundRecord) {
        let trace = self.inbound.remove(&record.key);
        let row = (record.position(), record.events);
        self.compare(trace, &row, || format!("inbound message {}", record.key));
    }

    fn note_stop(&mut self, body: &EventBody) {
        let id = body.data.int("stop").and_then(|id| u32::try_from(id).ok());
        match (body.kind.as_str(), id) {
            (STOP_SET, Some(id)) => drop(self.stops.insert(id, true)),
            (STOP_LIFTED, Some(id)) => drop(self.stops.insert(id, false)),
            _ => {}
        }
    }

    /// Compares a stop's row with its events: rule V12. A stop that vanished would let go what
    /// must not go.
    pub fn stop(&mut self, stop: &Stop) {
        if self.stops.remove(&stop.id) != Some(stop.stands()) {
            self.fault(
                "V12",
                None,
                format!("the row of stop {} disagrees", stop.id),
            );
        }
    }

    fn compare<S: PartialEq>(
        &mut self,
        trace: Option<Trace<S>>,
        row: &(Position<S>, u64),
        name: impl FnOnce() -> String,
    ) {
        let same = trace
            .as_ref()
            .is_some_and(|trace| trace.position == row.0 && trace.events == row.1);
        if !same {
            let seq = trace.map(|trace| trace.last_seq);
            self.fault("V12", seq, format!("the row of {} disagrees", name()));
        }
    }

    /// Checks that a content still held is one that an event recorded: rule V11.
    pub fn payload(&mut self, letter: StreamKey, digest: &str) {
        if !self.digests.contains(&(letter, digest.to_owned())) {
            let what = format!("a content of letter {letter} is not the one that was recorded");
            self.fault("V11", None, what);
        }
    }

    /// Ends after all rows: whatever the ledger knows and no row does is a fault of rule V12.
    pub fn finish(mut self) -> Vec<LedgerFault> {
        let letters = self
            .letters
            .iter()
            .map(|(key, trace)| ("letter", key, trace.last_seq));
        let copies = self
            .copies
            .iter()
            .map(|(key, trace)| ("copy", key, trace.last_seq));
        let inbound = self
            .inbound
            .iter()
            .map(|(key, trace)| ("inbound message", key, trace.last_seq));
        let missing: Vec<_> = letters
            .chain(copies)
            .chain(inbound)
            .map(|(what, key, seq)| (seq, format!("{what} {key} has events and no row")))
            .collect();
        for (seq, what) in missing {
            self.fault("V12", Some(seq), what);
        }
        for id in std::mem::take(&mut self.stops).into_keys() {
            self.fault("V12", None, format!("stop {id} has events and no row"));
        }
        self.faults
    }

    fn fault(&mut self, rule: &'static str, seq: Option<u64>, what: String) {
        self.faults.push(LedgerFault { rule, seq, what });
    }
}

/// What repeats the present state stands in the ledger only where it says so.
fn is_marked_dup(body: &EventBody) -> bool {
    body.data.get("dup") == Some(&DataValue::Bool(true))
}

/// Follows a stream by one event; says what is wrong with it.
fn follow<S: Copy + PartialEq>(
    traces: &mut BTreeMap<StreamKey, Trace<S>>,
    event: &Event,
    parse: impl Fn(&str) -> Option<S>,
    step: impl Fn(&str, Option<Position<S>>) -> Option<Step<S>>,
) -> Option<String> {
    let body = &event.body;
    let from = traces.get(&body.stream).map(|trace| trace.position);
    let Some(claimed) = parse(&body.state) else {
        return Some(format!("no such state: {}", body.state));
    };
    let next = match (body.kind.as_str(), from) {
        (ANOMALY, Some(from)) => Ok(from),
        (kind, from) => match (step(kind, from), from) {
            (Some(Step::Moved(to)), _) => Ok(to),
            (Some(Step::Kept | Step::Conflict), Some(from)) => Ok(from),
            (Some(Step::Repeated), Some(from)) if is_marked_dup(body) => Ok(from),
            _ => Err(format!("{kind} is not allowed there")),
        },
    };
    let (position, wrong) = match next {
        Ok(to) if to.state == claimed => (to, None),
        Ok(to) => (
            to,
            Some(format!("{} does not lead to {}", body.kind, body.state)),
        ),
        Err(what) => (Position::at(claimed), Some(what)),
    };
    let events = body.lseq.saturating_add(1);
    traces.insert(
        body.stream,
        Trace {
            position,
            events,
            last_seq: event.seq,
        },
    );
    wrong
}
