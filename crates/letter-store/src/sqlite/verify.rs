//! Everything the store holds, checked against everything else it holds.

use audit_core::{Event, Hash, StreamKey, Verifier, VerifierKey, VerifyOptions, leaf_hash};
use chrono::{DateTime, Utc};
use letter_delivery::{CopyRecord, CopyState, LedgerAudit, LetterRecord, LetterState, WorkKind};
use rusqlite::Connection;

use super::lists::{parse, rows};
use super::seal::Seal;

/// What the ledger is checked against besides itself.
#[derive(Clone, Debug, Default)]
pub struct VerifyAgainst {
    /// The keys whose signatures count.
    pub trusted: Vec<VerifierKey>,
    /// Checkpoints that were kept outside the store.
    pub checkpoints: Vec<String>,
    /// The time, for rules about age.
    pub now: Option<DateTime<Utc>>,
}

/// What a verification found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoreVerification {
    /// How many events there are.
    pub events: u64,
    /// The root over all of them.
    pub root: Hash,
    /// The largest size that was signed.
    pub checkpoint_size: Option<u64>,
    /// What is wrong; nothing when it is clean.
    pub faults: Vec<StoreFault>,
    /// Up to which size the ledger is still proven by a signed checkpoint.
    pub provable_to: u64,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreFault {
    /// The rule, `V1` to `V12` (audit-and-delivery facts 6).
    pub rule: String,
    /// The event, where there is one.
    pub seq: Option<u64>,
    /// What is wrong, in words.
    pub what: String,
}

impl StoreVerification {
    /// Whether nothing is wrong.
    pub const fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }
}

struct Check {
    ledger: LedgerAudit,
    faults: Vec<StoreFault>,
}

pub(super) fn verify(db: &Connection, seal: &Seal, against: VerifyAgainst) -> StoreVerification {
    let mut check = Check {
        ledger: LedgerAudit::new(),
        faults: Vec::new(),
    };
    let stored = check.read(db, "SELECT note FROM checkpoint ORDER BY size", |row| {
        row.get(0)
    });
    let mut verifier = Verifier::new(VerifyOptions {
        trusted: against.trusted,
        stored_checkpoints: stored,
        external_checkpoints: against.checkpoints,
        now: against
            .now
            .map(|at| audit_core::Timestamp::from_millis(at.timestamp_millis())),
        ..VerifyOptions::default()
    });
    check.events(db, &mut verifier);
    check.rows_of_letters(db);
    check.contents(db, seal);
    let verification = verifier.finish();
    check.tree(db, verification.events, &verification.root);
    let mut faults: Vec<StoreFault> = verification
        .faults
        .iter()
        .map(|fault| StoreFault {
            rule: fault.rule.as_str().to_owned(),
            seq: fault.seq,
            what: fault.what.clone(),
        })
        .collect();
    faults.append(&mut check.faults);
    faults.extend(check.ledger.finish().into_iter().map(|fault| StoreFault {
        rule: fault.rule.to_owned(),
        seq: fault.seq,
        what: fault.what,
    }));
    faults.sort_by_key(|fault| fault.seq.unwrap_or(u64::MAX));
    StoreVerification {
        events: verification.events,
        root: verification.root,
        checkpoint_size: verification.checkpoint_size,
        faults,
        provable_to: verification.provable_to,
    }
}

impl Check {
    fn fault(&mut self, rule: &str, seq: Option<u64>, what: impl Into<String>) {
        self.faults.push(StoreFault {
            rule: rule.to_owned(),
            seq,
            what: what.into(),
        });
    }

    /// Rows of a query; when the file itself is damaged that is a fault, with what could be read.
    fn read<T>(
        &mut self,
        db: &Connection,
        sql: &str,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Vec<T> {
        rows(db, sql, [], read).unwrap_or_else(|error| {
            self.fault("V1", None, error.to_string());
            Vec::new()
        })
    }

    /// V1: the digest kept with each event; the rest is the verifier's and the ledger audit's.
    fn events(&mut self, db: &Connection, verifier: &mut Verifier) {
        let outcome = db
            .prepare("SELECT seq, stream, lseq, leaf, bytes FROM event ORDER BY seq")
            .and_then(|mut statement| {
                let mut rows = statement.query([])?;
                while let Some(row) = rows.next()? {
                    let bytes: Vec<u8> = row.get(4)?;
                    let place = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
                    self.event(place, &bytes);
                    verifier.event(&bytes);
                }
                Ok(())
            });
        if let Err(error) = outcome {
            self.fault(
                "V1",
                None,
                format!("events cannot be read to the end: {error}"),
            );
        }
    }

    fn event(&mut self, (seq, stream, lseq, leaf): (i64, Vec<u8>, i64, Vec<u8>), bytes: &[u8]) {
        let (seq, lseq) = (
            u64::try_from(seq).unwrap_or_default(),
            u64::try_from(lseq).ok(),
        );
        if leaf_hash(bytes).as_bytes().as_slice() != leaf {
            self.fault(
                "V1",
                Some(seq),
                "the event does not have the digest it was stored with",
            );
        }
        let Ok(event) = Event::parse(bytes) else {
            return;
        };
        let placed = event.seq == seq
            && Some(event.body.lseq) == lseq
            && event.body.stream.as_bytes().as_slice() == stream;
        if !placed {
            self.fault(
                "V1",
                Some(seq),
                "the event lies at another place than it says",
            );
        }
        self.ledger.event(&event);
    }

    fn rows_of_letters(&mut self, db: &Connection) {
        let work: Vec<(Vec<u8>, String)> =
            self.read(db, "SELECT stream, kind FROM work ORDER BY stream", |row| {
                Ok((row.get(0)?, row.get(1)?))
            });
        let has = |key: StreamKey, kind: WorkKind| {
            let found = work.binary_search_by(|(stream, _)| stream.as_slice().cmp(key.as_bytes()));
            found.is_ok_and(|at| {
                work.get(at)
                    .is_some_and(|(_, found)| found == kind.as_str())
            })
        };
        let sql = "SELECT key, state, record FROM letter";
        for (key, state, record) in self.read(db, sql, row_of_three) {
            match parse::<LetterRecord>(&record) {
                Ok(letter) => {
                    self.ledger.letter(&letter);
                    self.row(&key, letter.key, &state, letter.state.as_str());
                    let waits = letter.state != LetterState::Parsed;
                    self.driven(letter.key, waits || has(letter.key, WorkKind::Prepare));
                }
                Err(error) => self.fault("V1", None, error.to_string()),
            }
        }
        for (key, state, record) in
            self.read(db, "SELECT key, state, record FROM copy", row_of_three)
        {
            match parse::<CopyRecord>(&record) {
                Ok(copy) => {
                    self.ledger.copy(&copy);
                    self.row(&key, copy.key, &state, copy.state.as_str());
                    let driven = driver_of(&copy).is_none_or(|kind| has(copy.key, kind));
                    self.driven(copy.key, driven);
                }
                Err(error) => self.fault("V1", None, error.to_string()),
            }
        }
    }

    fn row(&mut self, key: &[u8], inside: StreamKey, state: &str, inside_state: &str) {
        if key != inside.as_bytes().as_slice() || state != inside_state {
            self.fault(
                "V12",
                None,
                format!("the row of {inside} disagrees with itself"),
            );
        }
    }

    /// What is open must have work that moves it on, or it would stand still unseen.
    fn driven(&mut self, key: StreamKey, driven: bool) {
        if !driven {
            self.fault(
                "V12",
                None,
                format!("{key} is open and nothing moves it on"),
            );
        }
    }

    /// V11: contents still held are those that were recorded.
    fn contents(&mut self, db: &Connection, seal: &Seal) {
        let sql = "SELECT id, letter, sealed FROM payload";
        let outcome = db.prepare(sql).and_then(|mut statement| {
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let (id, letter): ([u8; 16], [u8; 16]) = (row.get(0)?, row.get(1)?);
                let sealed: Vec<u8> = row.get(2)?;
                self.content(seal, id, StreamKey::from_bytes(letter), &sealed);
            }
            Ok(())
        });
        if let Err(error) = outcome {
            self.fault(
                "V1",
                None,
                format!("contents cannot be read to the end: {error}"),
            );
        }
    }

    fn content(&mut self, seal: &Seal, id: [u8; 16], letter: StreamKey, sealed: &[u8]) {
        let plain = match seal.open_sealed(letter, sealed, &id) {
            Ok(plain) => plain,
            Err(error) => {
                self.fault(
                    "V11",
                    None,
                    format!("a content of letter {letter}: {error}"),
                );
                return;
            }
        };
        let parts = plain.split_first_chunk::<16>();
        let digest = parts.map(|(salt, content)| audit_core::salted_digest(salt, content));
        let digest = digest.map(|digest| digest.to_string()).unwrap_or_default();
        self.ledger.payload(letter, &digest);
    }

    /// V6: the tree's own row is the tree over the events.
    fn tree(&mut self, db: &Connection, events: u64, root: &Hash) {
        match super::commit::read_tree(db) {
            Ok(range) if range.size() == events && range.root() == *root => {}
            Ok(range) => {
                let what = format!(
                    "the tree's row says {} events, {events} were read, or its root differs",
                    range.size()
                );
                self.fault("V6", None, what);
            }
            Err(error) => self.fault("V6", None, error.to_string()),
        }
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
