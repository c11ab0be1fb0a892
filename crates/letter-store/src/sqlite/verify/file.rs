//! The file as such: its pages, its tables, the digest of each row, the tree, checkpoints.

use audit_core::Hash;
use rusqlite::Connection;

use super::Check;
use crate::sqlite::seal::Seal;
use crate::sqlite::{commit, row_mac, schema};

/// How many damaged rows of a table are told one by one.
const ROWS_TOLD_MAX: usize = 100;

impl Check {
    /// V1: the pages fit together, the tables are ours, the key is the one it was made with.
    pub(super) fn file(&mut self, db: &Connection, seal: &Seal) {
        for problem in self.read(db, "PRAGMA integrity_check", |row| row.get::<_, String>(0)) {
            if problem != "ok" {
                self.fault("V1", None, format!("the database file: {problem}"));
            }
        }
        let same = schema::expected().and_then(|ours| Ok(schema::definitions(db)? == ours));
        if !same.unwrap_or(false) {
            self.fault("V1", None, "the tables are not those of this version");
        }
        if !seal.is_proven(db).unwrap_or(false) {
            self.fault("V1", None, "the proof of the store's key is missing");
        }
        for (table, columns) in row_mac::ROWS {
            self.row_digests(db, table, columns);
        }
    }

    /// V1: the digest kept with each row.
    fn row_digests(&mut self, db: &Connection, table: &str, columns: &str) {
        let sql = format!(
            "SELECT {columns} FROM {table} WHERE mac IS NOT row_mac('{table}', {columns}) \
             LIMIT {ROWS_TOLD_MAX}"
        );
        for key in self.read(db, &sql, |row| Ok(shown(row))) {
            let what = format!("a row of {table} was changed by something else: {key}");
            self.fault("V1", None, what);
        }
    }

    /// V8: what was signed once is still in the store; gives back the notes that are not.
    pub(super) fn lost_checkpoints(
        &mut self,
        stored: &[String],
        outside: &[String],
    ) -> Vec<String> {
        let lost: Vec<String> = outside
            .iter()
            .filter(|note| !stored.contains(note))
            .cloned()
            .collect();
        for note in &lost {
            let size = note.lines().nth(1).unwrap_or_default();
            let what = format!(
                "the checkpoint over {size} events stands in the file beside the store only"
            );
            self.fault("V8", None, what);
        }
        lost
    }

    /// V6: the tree's own row is the tree over the events.
    pub(super) fn tree(&mut self, db: &Connection, events: u64, root: &Hash) {
        match commit::read_tree(db) {
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

/// The first value of a row: its key, a pseudonym.
fn shown(row: &rusqlite::Row<'_>) -> String {
    let first = row.get_ref(0).ok();
    let bytes = first.and_then(|value| value.as_bytes().ok().map(<[u8]>::to_vec));
    match bytes {
        Some(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        None => "its key cannot be shown".to_owned(),
    }
}
