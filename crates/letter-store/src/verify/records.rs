//! The rows of letters, copies, documents, work, references and messages (rule V12).

use audit_core::StreamKey;
use letter_delivery::{
    CopyRecord, CopyState, InboundRecord, LetterRecord, LetterState, RefKind, Stop, WorkKind,
};

use super::Check;
use crate::views::parse;

/// Questions that a whole store answers with nothing, and what each answer would mean.
pub(crate) const STRAYS: &[(&str, &str)] = &[
    (
        "SELECT l.key FROM letter l LEFT JOIN document d ON d.key = l.document WHERE d.key IS NULL",
        "a letter without the row of its document",
    ),
    (
        "SELECT d.letter FROM document d WHERE d.latest IS DISTINCT FROM \
         (SELECT max(version) FROM letter l WHERE l.document = d.key) \
         OR NOT EXISTS (SELECT 1 FROM letter l WHERE l.key = d.letter AND l.document = d.key)",
        "the row of a document disagrees with its letters",
    ),
    (
        "SELECT w.stream FROM work w WHERE NOT EXISTS (SELECT 1 FROM letter WHERE key = w.stream) \
         AND NOT EXISTS (SELECT 1 FROM copy WHERE key = w.stream)",
        "work without its letter or copy",
    ),
    (
        "SELECT c.key FROM copy c WHERE NOT EXISTS (SELECT 1 FROM letter WHERE key = c.letter)",
        "a copy without its letter",
    ),
];

/// The row of a letter or copy: its key, its state, the record.
pub(crate) struct RecordRow {
    pub(crate) key: Vec<u8>,
    pub(crate) state: String,
    pub(crate) record: String,
}

/// The letters that references lead to, by letter and kind.
pub(crate) struct References(Vec<(Vec<u8>, String)>);

/// The work that waits, by stream, with its kind.
pub(crate) struct Queue(Vec<(Vec<u8>, String)>);

impl Check {
    /// V12: the row of a letter says what its events say, and what must go with it is there.
    pub(crate) fn letter(&mut self, row: &RecordRow, references: &References, work: &Queue) {
        let letter = match parse::<LetterRecord>(&row.record) {
            Ok(letter) => letter,
            Err(error) => {
                self.fault("V1", None, error.to_string());
                return;
            }
        };
        self.ledger.letter(&letter);
        self.needed.extend(letter.content);
        self.row(row, letter.key, letter.state.as_str());
        let driven = driver_of_letter(&letter).is_none_or(|kind| work.has(letter.key, kind));
        self.driven(letter.key, driven);
        let found = letter.erased_at.is_some()
            || references.has(letter.key, RefKind::Document)
                && (letter.subject.is_none() || references.has(letter.key, RefKind::NhsNumber));
        if !found {
            let what = format!("letter {} cannot be found by its references", letter.key);
            self.fault("V12", None, what);
        }
    }

    /// V12: the row of a copy says what its events say, and something moves it on.
    pub(crate) fn copy(&mut self, row: &RecordRow, work: &Queue) {
        match parse::<CopyRecord>(&row.record) {
            Ok(copy) => {
                self.ledger.copy(&copy);
                self.needed.extend(copy.artefact);
                self.row(row, copy.key, copy.state.as_str());
                let driven = driver_of_copy(&copy).is_none_or(|kind| work.has(copy.key, kind));
                self.driven(copy.key, driven);
            }
            Err(error) => self.fault("V1", None, error.to_string()),
        }
    }

    /// V12: the row of a stop says what its events say.
    pub(crate) fn stop(&mut self, record: &str) {
        match parse::<Stop>(record) {
            Ok(stop) => self.ledger.stop(&stop),
            Err(error) => self.fault("V1", None, error.to_string()),
        }
    }

    /// V12: the row of an inbound message says what its events say.
    pub(crate) fn inbound(&mut self, row: &RecordRow) {
        match parse::<InboundRecord>(&row.record) {
            Ok(inbound) => {
                self.ledger.inbound(&inbound);
                self.needed.insert(inbound.content);
                self.row(row, inbound.key, inbound.state.as_str());
            }
            Err(error) => self.fault("V1", None, error.to_string()),
        }
    }

    /// V12: a row that nothing leads to.
    pub(crate) fn stray(&mut self, what: &str, key: Vec<u8>) {
        let key = <[u8; 16]>::try_from(key).map(StreamKey::from_bytes);
        let key = key.map(|key| key.to_string()).unwrap_or_default();
        self.fault("V12", None, format!("{what}: {key}"));
    }

    fn row(&mut self, row: &RecordRow, inside: StreamKey, inside_state: &str) {
        if row.key != inside.as_bytes().as_slice() || row.state != inside_state {
            let what = format!("the row of {inside} disagrees with itself");
            self.fault("V12", None, what);
        }
    }

    /// What is open must have work that moves it on, or it would stand still unseen.
    fn driven(&mut self, key: StreamKey, driven: bool) {
        if !driven {
            let what = format!("{key} is open and nothing moves it on");
            self.fault("V12", None, what);
        }
    }

    /// A report that an event tells of is known when it comes again: these are.
    pub(crate) fn seen(&mut self, message_ids: &[String]) {
        for id in message_ids {
            self.reports.remove(id);
        }
    }

    /// V12, after the last message: the reports that would not be known again.
    pub(crate) fn seen_end(&mut self) {
        for seq in std::mem::take(&mut self.reports).into_values() {
            let what = "the report that it records would not be known again";
            self.fault("V12", Some(seq), what);
        }
    }
}

impl References {
    /// References as a query gives them, in any order.
    pub(crate) fn new(mut all: Vec<(Vec<u8>, String)>) -> Self {
        all.sort_unstable();
        Self(all)
    }

    fn has(&self, key: StreamKey, kind: RefKind) -> bool {
        let order =
            |letter: &[u8], held: &str| (letter, held).cmp(&(key.as_bytes(), kind.as_str()));
        self.0
            .binary_search_by(|(letter, held)| order(letter, held))
            .is_ok()
    }
}

impl Queue {
    /// Work as a query gives it, in any order.
    pub(crate) fn new(mut all: Vec<(Vec<u8>, String)>) -> Self {
        all.sort_unstable();
        Self(all)
    }

    fn has(&self, key: StreamKey, kind: WorkKind) -> bool {
        let found = self
            .0
            .binary_search_by(|(stream, _)| stream.as_slice().cmp(key.as_bytes()));
        let held = found.ok().and_then(|at| self.0.get(at));
        held.is_some_and(|(_, held)| held == kind.as_str())
    }
}

/// The work that moves a letter on from its state, if software does.
pub(crate) fn driver_of_letter(letter: &LetterRecord) -> Option<WorkKind> {
    (letter.state == LetterState::Parsed).then_some(WorkKind::Prepare)
}

/// The work that moves a copy on from its state, if software does.
pub(crate) fn driver_of_copy(copy: &CopyRecord) -> Option<WorkKind> {
    match copy.state {
        CopyState::Routed => Some(WorkKind::Reroute),
        CopyState::Queued | CopyState::Sending => Some(WorkKind::Send),
        CopyState::Uncertain => Some(WorkKind::Ask),
        CopyState::Accepted => copy.message_id.as_ref().map(|_| WorkKind::Track),
        _ => None,
    }
}
