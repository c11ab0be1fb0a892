//! What must hold after every step. Only what a step touched is looked at, so that a step costs
//! the same however long the run is; at the end of a run, and after each crash, everything is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use audit_core::{DataValue, EventBody, StreamKey};
use letter_delivery::testkit::ModelRows;
use letter_delivery::{
    Commit, CopyEvent, CopyRecord, CopyState, DocumentKey, LeaseToken, LetterEvent, LetterRecord,
    LetterState, LocalId, Owner, Position, StateKind, Step, WorkChange, WorkKind,
};

/// Something that must never be so.
#[derive(Clone, Debug)]
pub(crate) struct Violation {
    pub(crate) rule: &'static str,
    pub(crate) what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.what)
    }
}

pub(crate) type Held = Result<(), Violation>;

/// The rules, by the names under which a violation is told.
pub(crate) mod rule {
    pub(crate) const ACKNOWLEDGED: &str = "what the source was told is taken is present";
    pub(crate) const FOLD: &str = "V5: every state follows from its events";
    pub(crate) const ROWS: &str = "V12: the rows say what the events say";
    pub(crate) const BALANCE: &str = "the balance identity: what came in stands in one state";
    pub(crate) const OPEN_HAS_WORK: &str = "what the service owns has the work that moves it on";
    pub(crate) const OWNER: &str = "what is open has an owner and a time";
    pub(crate) const ENDS_STAY: &str = "terminal stays terminal";
    pub(crate) const ONE_ATTEMPT: &str = "one attempt is open at most, and none follows a doubt";
    pub(crate) const DURABLE_FIRST: &str = "durable before effect";
    pub(crate) const LOCAL_ID: &str = "the local id is that of its copy and series";
    pub(crate) const DOUBLE: &str = "W-DUP: every double is known";
    pub(crate) const FORGOTTEN: &str = "what MESH accepted is never forgotten";
    pub(crate) const ORDER: &str = "H9: an older version is never sent after a newer one";
    pub(crate) const STOPPED: &str = "H18: what was stopped is not sent after that was durable";
    pub(crate) const STOP_HOLDS: &str = "rule 9: a stop holds before the next send";
    pub(crate) const FENCED: &str = "who writes the outcome of work holds its lease";
    pub(crate) const REPORT_KEPT: &str = "a report that MESH was told is taken is in the ledger";
    pub(crate) const REPORT_RECORDED: &str =
        "rule b: what a report says is recorded, fitting or not";
    pub(crate) const MET_ONCE: &str = "a message of the inbox is dealt with once";
    pub(crate) const LEFT_ALONE: &str = "rule 8: what is not ours is not acknowledged";
    pub(crate) const NO_FAILURE_BY_OUTAGE: &str = "an outage spends none of a letter's attempts";
    pub(crate) const CONTENT: &str = "H8: what leaves is what was shaped for this copy";
    pub(crate) const LIVENESS: &str = "without faults everything reaches an end or a person";
    pub(crate) const LEDGER: &str = "the whole ledger verifies";
}

pub(crate) fn broken<T>(rule: &'static str, what: impl FnOnce() -> String) -> Result<T, Violation> {
    Err(Violation { rule, what: what() })
}

pub(crate) fn must(holds: bool, rule: &'static str, what: impl FnOnce() -> String) -> Held {
    if holds { Ok(()) } else { broken(rule, what) }
}

/// What the events said so far.
#[derive(Debug, Default)]
pub(crate) struct Checker {
    pub(crate) attempts_max: u32,
    letters: BTreeMap<StreamKey, LetterTrace>,
    copies: BTreeMap<StreamKey, CopyTrace>,
    /// By document: the highest version of which an attempt was begun.
    begun: BTreeMap<DocumentKey, u32>,
    /// By document: the highest version of which an attempt left.
    left: BTreeMap<DocumentKey, u32>,
    /// By local id: the copy, the attempts begun, the resends decided without an answer.
    series: BTreeMap<String, Series>,
    /// When a message of the inbox was recorded first.
    met: BTreeMap<String, i64>,
    acknowledged: BTreeSet<DocumentKey>,
}

#[derive(Debug)]
struct LetterTrace {
    position: Position<LetterState>,
    events: u64,
    stopped: bool,
}

#[derive(Debug)]
struct CopyTrace {
    position: Position<CopyState>,
    events: u64,
    stopped: bool,
    may_begin: bool,
}

#[derive(Debug)]
pub(crate) struct Series {
    copy: StreamKey,
    begun: usize,
    on_the_wire: usize,
    resends: usize,
    /// Attempts that were answered with a failure, or never taken.
    pub(crate) failures: u32,
}

/// Events that allow another attempt: MESH proved or said that nothing was taken, or a recorded
/// decision was made.
const ALLOWS_ANOTHER: [&str; 6] = [
    "send.retryable",
    "send.not_found",
    "send.unresolved_resend",
    "person.resend",
    "person.reroute",
    "auto.reroute",
];
/// Decisions that a letter or copy must not go.
const STOPS: [&str; 3] = ["withdraw.received", "person.withdrawn", "person.suppressed"];
/// How long two looks into the inbox may overlap: one process may stand still meanwhile.
const OVERLAP: i64 = 8 * crate::plan::MINUTE;

impl Checker {
    /// Before a change is written: whether its writer may write it.
    pub(crate) fn before(
        &self,
        rows: &ModelRows,
        commit: &Commit,
        lease: Option<(StreamKey, LeaseToken)>,
    ) -> Option<Violation> {
        let (stream, token) = lease?;
        let held = rows.work.get(&stream).and_then(|row| row.lease);
        let holds = held.is_some_and(|(held, _)| held == token);
        let what = || format!("{} of {stream}", kinds(commit));
        must(holds, rule::FENCED, what).err()
    }

    /// After a change became durable.
    pub(crate) fn after(&mut self, rows: &ModelRows, commit: &Commit, now: i64) -> Held {
        for body in &commit.events {
            self.event(rows, body)?;
        }
        self.reports(commit, now)?;
        for letter in &commit.letters {
            self.letter(rows, letter)?;
        }
        for copy in &commit.copies {
            self.copy(rows, copy)?;
        }
        for change in &commit.work {
            let stream = match change {
                WorkChange::Set(work) | WorkChange::Park(work) => work.stream,
                WorkChange::Done(stream) => *stream,
            };
            self.work_of(rows, stream)?;
        }
        must(
            self.letters.len() == rows.letters.len(),
            rule::BALANCE,
            || {
                format!(
                    "{} letters came, {} stand",
                    self.letters.len(),
                    rows.letters.len()
                )
            },
        )?;
        must(
            self.copies.len() == rows.copies.len(),
            rule::BALANCE,
            || {
                format!(
                    "{} copies made, {} stand",
                    self.copies.len(),
                    rows.copies.len()
                )
            },
        )
    }

    fn event(&mut self, rows: &ModelRows, body: &EventBody) -> Held {
        if body.stream == StreamKey::LEDGER {
            return Ok(());
        }
        if body.copy.is_some() {
            self.copy_event(rows, body)
        } else {
            self.letter_event(body)
        }
    }

    fn letter_event(&mut self, body: &EventBody) -> Held {
        let before = self.letters.get(&body.stream);
        let from = before.map(|trace| trace.position);
        let step = LetterEvent::parse(&body.kind).map(|event| event.step(from));
        let to = follow(body, from, step, LetterState::parse)?;
        if let Some(from) = from.filter(|from| from.state.kind() == StateKind::Ended) {
            must(from == to, rule::ENDS_STAY, || shown(body))?;
        }
        let stops = STOPS.contains(&body.kind.as_str());
        let trace = LetterTrace {
            position: to,
            events: before.map_or(0, |trace| trace.events) + 1,
            stopped: stops || before.is_some_and(|trace| trace.stopped),
        };
        self.letters.insert(body.stream, trace);
        Ok(())
    }

    fn copy_event(&mut self, rows: &ModelRows, body: &EventBody) -> Held {
        let before = self.copies.get(&body.stream);
        let from = before.map(|trace| trace.position);
        let step = CopyEvent::parse(&body.kind).map(|event| event.step(from));
        let to = follow(body, from, step, CopyState::parse)?;
        if let Some(from) = from.filter(|from| from.state.kind() == StateKind::Ended) {
            must(from == to, rule::ENDS_STAY, || shown(body))?;
        }
        let kind = body.kind.as_str();
        let mut trace = CopyTrace {
            position: to,
            events: before.map_or(0, |trace| trace.events) + 1,
            stopped: STOPS.contains(&kind) || before.is_some_and(|trace| trace.stopped),
            may_begin: before.is_none_or(|trace| trace.may_begin) || ALLOWS_ANOTHER.contains(&kind),
        };
        if kind == "send.started" {
            must(trace.may_begin, rule::ONE_ATTEMPT, || {
                format!("{} after {:?}", shown(body), rows.kinds(body.stream))
            })?;
            trace.may_begin = false;
            self.attempt_begins(rows, body, trace.stopped)?;
        }
        self.count(kind, rows, body.stream);
        self.copies.insert(body.stream, trace);
        Ok(())
    }

    fn count(&mut self, kind: &str, rows: &ModelRows, copy: StreamKey) {
        let Some(copy) = rows.copies.get(&copy) else {
            return;
        };
        let Some(series) = self.series.get_mut(copy.local_id.as_str()) else {
            return;
        };
        match kind {
            "send.unresolved_resend" => {
                series.resends += 1;
                series.failures += 1;
            }
            "send.not_found" => series.failures += 1,
            _ => {}
        }
    }

    fn attempt_begins(&mut self, rows: &ModelRows, body: &EventBody, stopped: bool) -> Held {
        let what = || shown(body);
        let Some(copy) = rows.copies.get(&body.stream) else {
            return broken(rule::ROWS, what);
        };
        let number = body.data.int("series").and_then(|n| u32::try_from(n).ok());
        let local_id = LocalId::of(copy.letter, copy.number, number.unwrap_or(0));
        let said = body.data.text("local_id");
        must(said == Some(local_id.as_str()), rule::LOCAL_ID, what)?;
        let series = self.series.entry(local_id.as_str().to_owned());
        let series = series.or_insert(Series {
            copy: copy.key,
            begun: 0,
            on_the_wire: 0,
            resends: 0,
            failures: 0,
        });
        series.begun += 1;
        let Some(letter) = rows.letters.get(&copy.letter) else {
            return broken(rule::ROWS, what);
        };
        let of_letter = self.letters.get(&letter.key);
        let letter_stopped = of_letter.is_some_and(|trace| trace.stopped);
        must(!stopped && !letter_stopped, rule::STOPPED, what)?;
        let holding = rows.stops.values().find(|stop| {
            let stands = stop.lifted.is_none();
            stands && stop.scope.holds(letter, copy)
        });
        must(holding.is_none(), rule::STOP_HOLDS, what)?;
        let highest = self.begun.entry(letter.document).or_insert(0);
        must(letter.version >= *highest, rule::ORDER, || {
            format!("version {} begins after version {highest}", letter.version)
        })?;
        *highest = letter.version;
        Ok(())
    }

    /// Each report of the commit is recorded, in whatever state it finds its copy.
    fn reports(&mut self, commit: &Commit, now: i64) -> Held {
        for seen in &commit.seen {
            let id = &seen.message_id;
            let first = *self.met.entry(id.clone()).or_insert(now);
            must(now - first <= OVERLAP, rule::MET_ONCE, || {
                format!("{id} is recorded again after {} ms", now - first)
            })?;
        }
        Ok(())
    }

    /// What a report must leave in the ledger, given the state that it finds.
    pub(crate) fn report_recorded(
        &self,
        before: &CopyRecord,
        event: CopyEvent,
        commit: &Commit,
    ) -> Held {
        let position = (before.events > 0).then(|| before.position());
        let repeated = event.step(position) == Step::Repeated;
        let recorded = commit.events.iter().any(|body| body.stream == before.key);
        must(repeated || recorded, rule::REPORT_RECORDED, || {
            format!(
                "a report about a copy that is {} left no event",
                before.state
            )
        })
    }

    fn letter(&self, rows: &ModelRows, letter: &LetterRecord) -> Held {
        let trace = self.letters.get(&letter.key);
        let same = trace.is_some_and(|trace| {
            trace.position == letter.position() && trace.events == letter.events
        });
        must(same, rule::ROWS, || {
            format!("letter {} {trace:?}", letter.state)
        })?;
        let copies = rows.copies_of(letter.key).len();
        let is_routed = letter.state == LetterState::Routed;
        let fits = (copies > 0) == is_routed && u32::try_from(copies) == Ok(letter.copies);
        must(fits, rule::BALANCE, || {
            format!("a letter {} has {copies} copies", letter.state)
        })?;
        self.work_of(rows, letter.key)
    }

    fn copy(&self, rows: &ModelRows, copy: &CopyRecord) -> Held {
        let trace = self.copies.get(&copy.key);
        let same = trace
            .is_some_and(|trace| trace.position == copy.position() && trace.events == copy.events);
        must(same, rule::ROWS, || {
            format!("copy {} {trace:?}", copy.state)
        })?;
        let is_there = rows.letters.contains_key(&copy.letter);
        must(is_there, rule::BALANCE, || {
            "a copy without its letter".to_owned()
        })?;
        let is_open = matches!(copy.state.kind(), StateKind::Open | StateKind::NeedsPerson);
        let is_owned = copy.duty().owner != Owner::Nobody && copy.act_by().is_some();
        must(!is_open || is_owned, rule::OWNER, || copy.state.to_string())?;
        if copy.state == CopyState::Failed && copy.reason.as_deref() != Some("refused") {
            self.failed(rows, copy)?;
        }
        self.work_of(rows, copy.key)
    }

    /// A copy fails when MESH refused it or its attempts were answered with failures, not because
    /// MESH was away.
    fn failed(&self, rows: &ModelRows, copy: &CopyRecord) -> Held {
        let exhausted = rows.kinds(copy.key).last() == Some(&"send.exhausted");
        let series = self.series.get(copy.local_id.as_str());
        let failures = series.map_or(0, |series| series.failures);
        // No run goes wrong as long as a series may try.
        let fair = failures >= self.attempts_max;
        must(!exhausted || fair, rule::NO_FAILURE_BY_OUTAGE, || {
            format!(
                "{} attempts spent, {failures} failed, of {}",
                copy.spent, self.attempts_max
            )
        })
    }

    /// Rule 4 of the house: whatever the service owns has work that moves it on, and nothing else.
    fn work_of(&self, rows: &ModelRows, stream: StreamKey) -> Held {
        let has = rows.work.get(&stream).map(|row| row.work.kind);
        let (fits, state) = if let Some(letter) = rows.letters.get(&stream) {
            let due = (letter.state == LetterState::Parsed).then_some(WorkKind::Prepare);
            (has == due, letter.state.as_str())
        } else if let Some(copy) = rows.copies.get(&stream) {
            (fits(copy, has), copy.state.as_str())
        } else {
            (false, "unknown")
        };
        must(fits, rule::OPEN_HAS_WORK, || format!("{state} has {has:?}"))
    }

    /// The first byte of an attempt leaves.
    pub(crate) fn leaves(
        &mut self,
        letter: &LetterRecord,
        copy: &CopyRecord,
        local_id: &str,
        bytes: &[u8],
    ) -> Held {
        let expected = LocalId::of(copy.letter, copy.number, copy.series);
        must(local_id == expected.as_str(), rule::LOCAL_ID, || {
            format!("{local_id} leaves, {} is due", expected.as_str())
        })?;
        let series = self.series.get_mut(local_id);
        let Some(series) = series.filter(|series| series.begun > series.on_the_wire) else {
            return broken(rule::DURABLE_FIRST, || {
                format!("an attempt of {local_id} leaves, and the ledger knows none")
            });
        };
        series.on_the_wire += 1;
        must(series.copy == copy.key, rule::LOCAL_ID, || {
            local_id.to_owned()
        })?;
        // What is on its way already may still arrive after a newer version: a newer letter does
        // not wait for a doubt about an old one.
        let newest = self.left.entry(letter.document).or_insert(0);
        must(letter.version >= *newest, rule::ORDER, || {
            format!("version {} leaves after version {newest}", letter.version)
        })?;
        *newest = letter.version;
        let shaped = content_of(copy.letter, copy.number);
        must(bytes == shaped.as_bytes(), rule::CONTENT, || {
            local_id.to_owned()
        })
    }

    /// MESH answered an attempt with a failure that is the letter's own.
    pub(crate) fn answered_with_failure(&mut self, local_id: &str) {
        if let Some(series) = self.series.get_mut(local_id) {
            series.failures += 1;
        }
    }

    /// MESH took a message; it has so many with this local id.
    pub(crate) fn taken(&self, local_id: &str, count: usize) -> Held {
        let series = self.series.get(local_id);
        let allowed = series.map_or(0, |series| series.resends) + 1;
        must(count <= allowed, rule::DOUBLE, || {
            format!("MESH has {count} of {local_id}, and the ledger decided on {allowed}")
        })
    }

    /// The source is told "taken".
    pub(crate) fn acknowledged(&mut self, rows: &ModelRows, document: DocumentKey) -> Held {
        self.acknowledged.insert(document);
        present(rows, document)
    }

    /// MESH is told that a message of the inbox was taken.
    pub(crate) fn taken_from_inbox(
        &self,
        rows: &ModelRows,
        mailbox: &str,
        id: &str,
        is_ours: bool,
    ) -> Held {
        must(is_ours, rule::LEFT_ALONE, || id.to_owned())?;
        let known = rows.seen.get(&(mailbox.to_owned(), id.to_owned()));
        must(known == Some(&true), rule::REPORT_KEPT, || id.to_owned())
    }

    /// A process died: what was acknowledged is there, and everything stands in one state.
    pub(crate) fn whole(&self, rows: &ModelRows) -> Held {
        for document in &self.acknowledged {
            present(rows, *document)?;
        }
        for letter in rows.letters.values() {
            self.letter(rows, letter)?;
        }
        for copy in rows.copies.values() {
            self.copy(rows, copy)?;
        }
        let by_state = |state| rows.letters.values().filter(move |row| row.state == state);
        let standing: usize = LetterState::ALL.iter().map(|s| by_state(*s).count()).sum();
        must(standing == self.letters.len(), rule::BALANCE, || {
            format!("{} letters came, {standing} stand", self.letters.len())
        })
    }

    pub(crate) fn copy_of(&self, local_id: &str) -> Option<StreamKey> {
        self.series.get(local_id).map(|series| series.copy)
    }
}

/// The bytes that are shaped for a copy.
pub(crate) fn content_of(letter: StreamKey, copy: u32) -> String {
    format!("{letter} to recipient {copy}")
}

fn present(rows: &ModelRows, document: DocumentKey) -> Held {
    let is_there = rows.standing(document).is_some();
    must(is_there, rule::ACKNOWLEDGED, || {
        "a document is not there".to_owned()
    })
}

fn fits(copy: &CopyRecord, has: Option<WorkKind>) -> bool {
    match copy.state {
        CopyState::Routed => has == Some(WorkKind::Reroute),
        CopyState::Queued | CopyState::Sending => has == Some(WorkKind::Send),
        CopyState::Uncertain => has == Some(WorkKind::Ask),
        CopyState::Accepted if copy.message_id.is_some() => has == Some(WorkKind::Track),
        CopyState::WithdrawalDue => matches!(has, None | Some(WorkKind::Track)),
        _ => has.is_none(),
    }
}

fn follow<S: Copy + PartialEq>(
    body: &EventBody,
    from: Option<Position<S>>,
    step: Option<Step<S>>,
    parse: impl Fn(&str) -> Option<S>,
) -> Result<Position<S>, Violation> {
    let to = match (step, from) {
        (Some(Step::Moved(to)), _) => to,
        (Some(Step::Kept | Step::Conflict), Some(from)) => from,
        (Some(Step::Repeated), Some(from)) if is_dup(body) => from,
        (None, Some(from)) if body.kind == "anomaly" => from,
        _ => return broken(rule::FOLD, || shown(body)),
    };
    must(parse(&body.state) == Some(to.state), rule::FOLD, || {
        shown(body)
    })?;
    Ok(to)
}

/// What repeats the present state stands in the ledger only where it says so.
fn is_dup(body: &EventBody) -> bool {
    body.data.get("dup") == Some(&DataValue::Bool(true))
}

fn shown(body: &EventBody) -> String {
    format!("{} -> {} of {}", body.kind, body.state, body.stream)
}

fn kinds(commit: &Commit) -> String {
    let kinds: Vec<&str> = commit
        .events
        .iter()
        .map(|body| body.kind.as_str())
        .collect();
    format!("{kinds:?}")
}
