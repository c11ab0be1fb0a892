//! The sealed contents (rule V11).

use audit_core::{StreamKey, salted_digest};
use letter_delivery::PayloadId;
use rusqlite::Connection;

use super::Check;
use crate::sqlite::seal::Seal;

impl Check {
    /// V11: contents still held are those that were recorded, and all that were recorded are held.
    pub(super) fn contents(&mut self, db: &Connection, seal: &Seal) {
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
            let what = format!("contents cannot be read to the end: {error}");
            self.fault("V1", None, what);
        }
        for seq in std::mem::take(&mut self.recorded).into_values() {
            let what = "the content that it records is not held as it was";
            self.fault("V11", Some(seq), what);
        }
        for _ in std::mem::take(&mut self.needed) {
            self.fault(
                "V11",
                None,
                "a letter's row leads to a content that is not held",
            );
        }
    }

    fn content(&mut self, seal: &Seal, id: [u8; 16], letter: StreamKey, sealed: &[u8]) {
        self.needed.remove(&PayloadId::from_random(id));
        let plain = match seal.open_sealed(letter, sealed, &id) {
            Ok(plain) => plain,
            Err(error) => {
                let what = format!("a content of letter {letter}: {error}");
                self.fault("V11", None, what);
                return;
            }
        };
        let parts = plain.split_first_chunk::<16>();
        let digest = parts.map(|(salt, content)| salted_digest(salt, content));
        let digest = digest.map(|digest| digest.to_string()).unwrap_or_default();
        self.recorded.remove(&digest);
        self.ledger.payload(letter, &digest);
    }
}
