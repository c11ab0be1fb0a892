//! Reads a whole store for its verification.

mod file;

use audit_core::{StreamKey, Verifier};
use letter_delivery::StoreError;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::ledger;
use super::lists::{self, rows};
use super::schema::store_error;
use super::seal::Seal;
use super::{commit, erase};
use crate::verify::{
    Check, EventRow, Queue, RecordRow, References, STRAYS, StoreVerification, VerifyAgainst,
};

/// Work that stands in no line, or in a wrong one, would never be claimed.
const OUT_OF_LINE: (&str, &str) = (
    "SELECT stream FROM (SELECT * FROM work_in_line EXCEPT SELECT * FROM queue) \
     UNION SELECT stream FROM (SELECT * FROM queue EXCEPT SELECT * FROM work_in_line)",
    "work that does not stand in its line",
);

pub(super) fn verify(
    db: &Connection,
    seal: &Seal,
    against: VerifyAgainst,
    outside: &[String],
) -> StoreVerification {
    let mut check = Check::default();
    file::check(&mut check, db, seal);
    let sql = "SELECT note FROM checkpoint ORDER BY size";
    let stored = read(&mut check, db, sql, |row| row.get(0));
    let ledger = lists::history(db, StreamKey::LEDGER);
    let ledger = check.or_fault(ledger);
    check.restores(&ledger);
    let mut verifier = check.verifier(against, stored, outside);
    let subtrees = read(&mut check, db, ledger::SUBTREES, ledger::subtree);
    check.subtrees(subtrees);
    if let Err(error) = events(&mut check, db, &mut verifier) {
        let what = format!("events cannot be read to the end: {error}");
        check.fault("V1", None, what);
    }
    records(&mut check, db);
    if let Err(error) = contents(&mut check, db, seal) {
        let what = format!("contents cannot be read to the end: {error}");
        check.fault("V1", None, what);
    }
    check.contents_end();
    erasures(&mut check, db, seal);
    check.finish(verifier, commit::read_tree(db))
}

/// Rows of a query; when the file itself is damaged that is a fault.
fn read<T>(
    check: &mut Check,
    db: &Connection,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Vec<T> {
    check.or_fault(rows(db, sql, [], read))
}

fn events(check: &mut Check, db: &Connection, verifier: &mut Verifier) -> rusqlite::Result<()> {
    let sql = "SELECT seq, stream, lseq, leaf, bytes FROM event ORDER BY seq";
    let mut statement = db.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let seq = u64::try_from(row.get::<_, i64>(0)?).unwrap_or_default();
        if ![1, 3, 4].iter().all(|column| is_blob(row, *column)) {
            let what = "a column of the event is of another kind than it was written";
            check.fault("V1", Some(seq), what);
        }
        let row = EventRow {
            seq,
            stream: bytes_of(row, 1)?,
            lseq: row.get_ref(2)?.as_i64().ok(),
            leaf: bytes_of(row, 3)?,
            bytes: bytes_of(row, 4)?,
        };
        check.event(&row, verifier);
    }
    Ok(())
}

fn is_blob(row: &Row<'_>, column: usize) -> bool {
    matches!(row.get_ref(column), Ok(ValueRef::Blob(_)))
}

/// What stands in a column, also when something else made it of another kind.
fn bytes_of<'a>(row: &'a Row<'_>, column: usize) -> rusqlite::Result<&'a [u8]> {
    Ok(match row.get_ref(column)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        _ => &[],
    })
}

fn records(check: &mut Check, db: &Connection) {
    let pair = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let work = Queue::new(read(check, db, "SELECT stream, kind FROM work", pair));
    let references = "SELECT letter, kind FROM letter_ref";
    let references = References::new(read(check, db, references, pair));
    for row in read(check, db, "SELECT key, state, record FROM letter", record) {
        check.letter(&row, &references, &work);
    }
    for row in read(check, db, "SELECT key, state, record FROM copy", record) {
        check.copy(&row, &work);
    }
    for stop in read(check, db, "SELECT record FROM stop ORDER BY id", |row| {
        row.get::<_, String>(0)
    }) {
        check.stop(&stop);
    }
    for row in read(check, db, "SELECT key, state, record FROM inbound", record) {
        check.inbound(&row);
    }
    for (sql, what) in STRAYS.iter().chain(&[OUT_OF_LINE]) {
        for key in read(check, db, sql, |row| row.get(0)) {
            check.stray(what, key);
        }
    }
    let seen: Vec<String> = read(check, db, "SELECT message_id FROM seen", |row| row.get(0));
    check.seen(&seen);
    check.seen_end();
}

/// V11: the key of what was erased is gone.
fn erasures(check: &mut Check, db: &Connection, seal: &Seal) {
    let sql = "SELECT letter FROM erasure WHERE done = 0";
    for letter in read(check, db, sql, |row| row.get(0).map(StreamKey::from_bytes)) {
        let what = format!("letter {letter} is erased, and its key is not destroyed yet");
        check.fault("V11", None, what);
    }
    for letter in check.or_fault(erase::find_returned(db, seal)) {
        let what = format!("letter {letter} is erased, and its key came back");
        check.fault("V11", None, what);
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<RecordRow> {
    Ok(RecordRow {
        key: row.get(0)?,
        state: row.get(1)?,
        record: row.get(2)?,
    })
}

fn contents(check: &mut Check, db: &Connection, seal: &Seal) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| store_error(&error);
    let sql = "SELECT id, letter, sealed FROM payload";
    let mut statement = db.prepare(sql).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let id: [u8; 16] = row.get(0).map_err(failed)?;
        let letter = StreamKey::from_bytes(row.get(1).map_err(failed)?);
        let sealed: Vec<u8> = row.get(2).map_err(failed)?;
        check.content(id, letter, seal.open_sealed(letter, &sealed, &id));
    }
    Ok(())
}
