//! The events, read once in the order of the ledger.

use audit_core::{Event, Verifier, leaf_hash};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::Check;

/// Members of an event's data that hold the digest of a content.
const DIGESTS: [&str; 3] = ["payload_digest", "letter_digest", "artefact_digest"];
/// The member that holds the id of a report.
const REPORT: &str = "report";

impl Check {
    /// V1: the digest kept with each event; the rest is the verifier's and the ledger audit's.
    pub(super) fn events(&mut self, db: &Connection, verifier: &mut Verifier) {
        let outcome = db
            .prepare("SELECT seq, stream, lseq, leaf, bytes FROM event ORDER BY seq")
            .and_then(|mut statement| {
                let mut rows = statement.query([])?;
                while let Some(row) = rows.next()? {
                    let bytes = bytes_of(row, 4)?;
                    self.event(row, &bytes)?;
                    verifier.event(&bytes);
                }
                Ok(())
            });
        if let Err(error) = outcome {
            let what = format!("events cannot be read to the end: {error}");
            self.fault("V1", None, what);
        }
    }

    fn event(&mut self, row: &Row<'_>, bytes: &[u8]) -> rusqlite::Result<()> {
        let seq = row.get::<_, i64>(0)?;
        let seq = u64::try_from(seq).unwrap_or_default();
        if leaf_hash(bytes).as_bytes().as_slice() != bytes_of(row, 3)? {
            let what = "the event does not have the digest it was stored with";
            self.fault("V1", Some(seq), what);
        }
        let Ok(event) = Event::parse(bytes) else {
            return Ok(());
        };
        let lseq = i64::try_from(event.body.lseq).map(ValueRef::Integer);
        let is_placed = event.seq == seq
            && lseq.is_ok_and(|lseq| row.get_ref(2).is_ok_and(|held| held == lseq))
            && event.body.stream.as_bytes().as_slice() == bytes_of(row, 1)?;
        if !is_placed {
            let what = "the event lies at another place than it says";
            self.fault("V1", Some(seq), what);
        }
        self.note(&event);
        self.ledger.event(&event);
        Ok(())
    }

    /// Notes which rows must be there because of this event.
    fn note(&mut self, event: &Event) {
        let data = &event.body.data;
        for digest in DIGESTS.iter().filter_map(|name| data.text(name)) {
            self.recorded.insert(digest.to_owned(), event.seq);
        }
        if let Some(report) = data.text(REPORT) {
            self.reports.insert(report.to_owned(), event.seq);
        }
    }
}

/// What stands in a column, also when something else made it of another kind.
fn bytes_of(row: &Row<'_>, column: usize) -> rusqlite::Result<Vec<u8>> {
    Ok(match row.get_ref(column)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.to_vec(),
        _ => Vec::new(),
    })
}
