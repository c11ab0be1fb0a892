//! The rows of letters, copies, documents, work, references and messages (rule V12).

use audit_core::StreamKey;
use letter_delivery::{CopyRecord, CopyState, LetterRecord, LetterState, RefKind, WorkKind};
use rusqlite::Connection;

use super::Check;
use crate::sqlite::lists::parse;

/// Questions that a whole store answers with nothing, and what each answer would mean.
const STRAYS: &[(&str, &str)] = &[
    (
        "SELECT l.key FROM letter l LEFT JOIN document d ON d.key = l.document WHERE d.key IS NULL",
        "a letter without the row of its document",
    ),
    (
        "SELECT d.letter FROM document d WHERE d.latest IS NOT \
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

impl Check {
    /// V12: every row says what its events say, and every row that must be there is.
    pub(super) fn records(&mut self, db: &Connection) {
        let work = Queue::read(self, db);
        self.letters(db, &work);
        self.copies(db, &work);
        for (sql, what) in STRAYS {
            for key in self.read(db, sql, |row| row.get::<_, Vec<u8>>(0)) {
                let key = <[u8; 16]>::try_from(key).map(StreamKey::from_bytes);
                let key = key.map(|key| key.to_string()).unwrap_or_default();
                self.fault("V12", None, format!("{what}: {key}"));
            }
        }
        self.reports(db);
    }

    fn letters(&mut self, db: &Connection, work: &Queue) {
        let refs = "SELECT letter, kind FROM letter_ref ORDER BY letter, kind";
        let refs: Vec<(Vec<u8>, String)> =
            self.read(db, refs, |row| Ok((row.get(0)?, row.get(1)?)));
        let has_ref = |key: StreamKey, kind: RefKind| {
            refs.binary_search_by(|(letter, held)| {
                (letter.as_slice(), held.as_str()).cmp(&(key.as_bytes(), kind.as_str()))
            })
            .is_ok()
        };
        let sql = "SELECT key, state, record FROM letter";
        for (key, state, record) in self.read(db, sql, row_of_three) {
            let letter = match parse::<LetterRecord>(&record) {
                Ok(letter) => letter,
                Err(error) => {
                    self.fault("V1", None, error.to_string());
                    continue;
                }
            };
            self.ledger.letter(&letter);
            self.needed.extend(letter.content);
            self.row(&key, letter.key, &state, letter.state.as_str());
            let waits = letter.state != LetterState::Parsed;
            self.driven(letter.key, waits || work.has(letter.key, WorkKind::Prepare));
            let found = has_ref(letter.key, RefKind::Document)
                && (letter.subject.is_none() || has_ref(letter.key, RefKind::NhsNumber));
            if !found {
                let what = format!("letter {} cannot be found by its references", letter.key);
                self.fault("V12", None, what);
            }
        }
    }

    fn copies(&mut self, db: &Connection, work: &Queue) {
        let sql = "SELECT key, state, record FROM copy";
        for (key, state, record) in self.read(db, sql, row_of_three) {
            match parse::<CopyRecord>(&record) {
                Ok(copy) => {
                    self.ledger.copy(&copy);
                    self.needed.extend(copy.artefact);
                    self.row(&key, copy.key, &state, copy.state.as_str());
                    let driven = driver_of(&copy).is_none_or(|kind| work.has(copy.key, kind));
                    self.driven(copy.key, driven);
                }
                Err(error) => self.fault("V1", None, error.to_string()),
            }
        }
    }

    fn row(&mut self, key: &[u8], inside: StreamKey, state: &str, inside_state: &str) {
        if key != inside.as_bytes().as_slice() || state != inside_state {
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

    /// A report that an event tells of is known when it comes again.
    fn reports(&mut self, db: &Connection) {
        for id in self.read(db, "SELECT message_id FROM seen", |row| {
            row.get::<_, String>(0)
        }) {
            self.reports.remove(&id);
        }
        for seq in std::mem::take(&mut self.reports).into_values() {
            let what = "the report that it records would not be known again";
            self.fault("V12", Some(seq), what);
        }
    }
}

/// The work that waits, by stream.
struct Queue(Vec<(Vec<u8>, String)>);

impl Queue {
    fn read(check: &mut Check, db: &Connection) -> Self {
        let sql = "SELECT stream, kind FROM work ORDER BY stream";
        Self(check.read(db, sql, |row| Ok((row.get(0)?, row.get(1)?))))
    }

    fn has(&self, key: StreamKey, kind: WorkKind) -> bool {
        let found = self
            .0
            .binary_search_by(|(stream, _)| stream.as_slice().cmp(key.as_bytes()));
        let held = found.ok().and_then(|at| self.0.get(at));
        held.is_some_and(|(_, held)| held == kind.as_str())
    }
}

fn row_of_three(row: &rusqlite::Row<'_>) -> rusqlite::Result<(Vec<u8>, String, String)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

/// The work that moves a copy on from its state, if software does.
fn driver_of(copy: &CopyRecord) -> Option<WorkKind> {
    match copy.state {
        CopyState::Queued | CopyState::Sending => Some(WorkKind::Send),
        CopyState::Uncertain => Some(WorkKind::Ask),
        CopyState::Accepted => copy.message_id.as_ref().map(|_| WorkKind::Track),
        _ => None,
    }
}
