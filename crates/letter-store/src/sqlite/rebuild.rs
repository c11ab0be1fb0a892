//! Every projection made anew from the ledger: letters, copies, documents, and the work they need.

use std::collections::BTreeMap;

use audit_core::{Event, StreamKey};
use chrono::{DateTime, Utc};
use letter_delivery::{CopyRecord, LetterRecord, StoreError, Work, WorkKind};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::commit::{execute, put_copy, put_document, put_letter, set_work};
use super::schema::store_error;
use super::{EngineLock, SqliteStore};
use crate::carried::{DocumentRow, Fold};
use crate::verify::{driver_of_copy, driver_of_letter};

/// What a rebuild did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rebuilt {
    /// Events that were read.
    pub events: u64,
    /// Letters and copies that the events make.
    pub records: u64,
    /// Rows of letters, copies and documents that were other than the events say, or missing.
    pub mended: u64,
    /// Rows that no event tells of, taken away.
    pub removed: u64,
    /// Pieces of work that were missing, made due now.
    pub work: u64,
    /// Letters and copies that cannot be made: their events are of a version that did not carry
    /// them, and their row is gone.
    pub lost: u64,
}

impl SqliteStore {
    /// Makes every row of letters, copies and documents anew from their events, and sees that the
    /// work is there that moves each on. Nobody else may work on the store meanwhile.
    ///
    /// Identifiers and contents are joined by their keys and stay as they are; so do the few
    /// members of a row that no event tells of, such as how often MESH was asked.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when an event cannot be read: nothing was changed then.
    /// [`StoreError::Unavailable`].
    pub async fn rebuild(
        &self,
        _lock: &EngineLock,
        now: DateTime<Utc>,
    ) -> Result<Rebuilt, StoreError> {
        self.writer.run(move |db, _| rebuild(db, now)).await
    }
}

fn rebuild(db: &Connection, now: DateTime<Utc>) -> Result<Rebuilt, StoreError> {
    let failed = |error: rusqlite::Error| store_error(&error);
    let begin = "PRAGMA defer_foreign_keys = ON; \
                 CREATE TEMP TABLE IF NOT EXISTS made (key BLOB PRIMARY KEY) WITHOUT ROWID; \
                 DELETE FROM made;";
    db.execute_batch(begin).map_err(failed)?;
    let mut rebuild = Rebuild {
        db,
        now,
        documents: BTreeMap::new(),
        done: Rebuilt::default(),
    };
    rebuild.streams()?;
    rebuild.documents()?;
    rebuild.strays()?;
    db.execute_batch("DROP TABLE made").map_err(failed)?;
    Ok(rebuild.done)
}

struct Rebuild<'a> {
    db: &'a Connection,
    now: DateTime<Utc>,
    /// The newest row of each document, with the event that carries it.
    documents: BTreeMap<[u8; 32], (u64, DocumentRow)>,
    done: Rebuilt,
}

/// A stream whose events are being read.
struct Open {
    key: StreamKey,
    is_copy: bool,
    fold: Fold,
}

impl Rebuild<'_> {
    /// All events, stream by stream.
    fn streams(&mut self) -> Result<(), StoreError> {
        let failed = |error: rusqlite::Error| store_error(&error);
        let db = self.db;
        let sql = "SELECT bytes FROM event ORDER BY stream, lseq";
        let mut statement = db.prepare(sql).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        let mut open: Option<Open> = None;
        while let Some(row) = rows.next().map_err(failed)? {
            let bytes = row.get_ref(0).and_then(|bytes| Ok(bytes.as_blob()?));
            let bytes = bytes.map_err(failed)?;
            let event = Event::parse(bytes).map_err(|error| {
                StoreError::Corrupt(format!("event {}: {error}", self.done.events))
            })?;
            self.done.events += 1;
            self.keep_document(&event);
            if open
                .as_ref()
                .is_none_or(|open| open.key != event.body.stream)
                && let Some(finished) = open.replace(Open::of(&event))
            {
                self.finish(finished)?;
            }
            if let Some(open) = &mut open {
                open.fold.event(&event);
            }
        }
        open.map_or(Ok(()), |open| self.finish(open))
    }

    fn keep_document(&mut self, event: &Event) {
        if let Some(document) = DocumentRow::of(event) {
            let newest = self.documents.get(&document.key);
            if newest.is_none_or(|(seq, _)| *seq < event.seq) {
                self.documents.insert(document.key, (event.seq, document));
            }
        }
    }

    fn finish(&mut self, stream: Open) -> Result<(), StoreError> {
        if stream.key == StreamKey::LEDGER {
            return Ok(());
        }
        let table = if stream.is_copy { "copy" } else { "letter" };
        let key = stream.key.as_bytes();
        let before = self.row(table, key)?;
        let held = self.record(table, key)?;
        let driver = if stream.is_copy {
            let copy: Option<CopyRecord> = stream.fold.record(held.as_deref());
            copy.map(|copy| put_copy(self.db, &copy).map(|()| driver_of_copy(&copy)))
        } else {
            let letter: Option<LetterRecord> = stream.fold.record(held.as_deref());
            letter.map(|letter| put_letter(self.db, &letter).map(|()| driver_of_letter(&letter)))
        };
        let Some(driver) = driver.transpose()? else {
            self.done.lost += 1;
            return Ok(());
        };
        self.done.records += 1;
        execute(self.db, "INSERT INTO made (key) VALUES (?1)", [key])?;
        if self.row(table, key)? != before {
            self.done.mended += 1;
        }
        driver.map_or(Ok(()), |kind| self.drive(stream.key, kind))
    }

    /// Work that is there keeps its time; what is missing is due now.
    fn drive(&mut self, stream: StreamKey, kind: WorkKind) -> Result<(), StoreError> {
        let sql = "SELECT 1 FROM work WHERE stream = ?1 AND kind = ?2";
        let found = self
            .db
            .prepare_cached(sql)
            .and_then(|mut statement| statement.exists(params![stream.as_bytes(), kind.as_str()]));
        if !found.map_err(|error| store_error(&error))? {
            set_work(self.db, &Work::new(stream, kind, self.now))?;
            self.done.work += 1;
        }
        Ok(())
    }

    fn documents(&mut self) -> Result<(), StoreError> {
        for (_, document) in std::mem::take(&mut self.documents).into_values() {
            let before = self.row("document", &document.key)?;
            put_document(self.db, &document)?;
            if self.row("document", &document.key)? != before {
                self.done.mended += 1;
            }
        }
        Ok(())
    }

    /// Rows that no event tells of.
    fn strays(&mut self) -> Result<(), StoreError> {
        if self.done.lost > 0 {
            // A row might be all that is left of what the events do not carry.
            return Ok(());
        }
        for sql in [
            "DELETE FROM copy WHERE key NOT IN (SELECT key FROM made)",
            "DELETE FROM letter WHERE key NOT IN (SELECT key FROM made)",
            "DELETE FROM document WHERE key NOT IN (SELECT document FROM letter)",
            "DELETE FROM work WHERE stream NOT IN (SELECT key FROM made)",
        ] {
            let removed = execute(self.db, sql, [])?;
            self.done.removed += u64::try_from(removed).unwrap_or(u64::MAX);
        }
        Ok(())
    }

    /// A whole row, to be compared.
    fn row(&self, table: &str, key: &[u8]) -> Result<Option<Vec<Value>>, StoreError> {
        self.db
            .prepare_cached(&format!("SELECT * FROM {table} WHERE key = ?1"))
            .and_then(|mut statement| {
                let columns = statement.column_count();
                let all = |row: &rusqlite::Row<'_>| (0..columns).map(|at| row.get(at)).collect();
                statement.query_row([key], all).optional()
            })
            .map_err(|error| store_error(&error))
    }

    fn record(&self, table: &str, key: &[u8]) -> Result<Option<String>, StoreError> {
        self.db
            .prepare_cached(&format!("SELECT record FROM {table} WHERE key = ?1"))
            .and_then(|mut statement| {
                let record = statement.query_row([key], |row| row.get::<_, Value>(0));
                record.optional()
            })
            .map(|record| match record {
                Some(Value::Text(record)) => Some(record),
                _ => None,
            })
            .map_err(|error| store_error(&error))
    }
}

impl Open {
    fn of(event: &Event) -> Self {
        Self {
            key: event.body.stream,
            is_copy: event.body.copy.is_some(),
            fold: Fold::default(),
        }
    }
}
