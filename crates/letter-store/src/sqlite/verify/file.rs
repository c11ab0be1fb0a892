//! The file as such: its pages, its tables, the digest of each row.

use rusqlite::Connection;

use super::read;
use crate::row_mac;
use crate::sqlite::schema;
use crate::sqlite::seal::Seal;
use crate::verify::Check;

/// How many damaged rows of a table are told one by one.
const ROWS_TOLD_MAX: usize = 100;

/// V1: the pages fit together, the tables are ours, the key is the one it was made with.
pub(super) fn check(check: &mut Check, db: &Connection, seal: &Seal) {
    let sql = "PRAGMA integrity_check";
    for problem in read(check, db, sql, |row| row.get::<_, String>(0)) {
        if problem != "ok" {
            check.fault("V1", None, format!("the database file: {problem}"));
        }
    }
    let same = schema::expected().and_then(|ours| Ok(schema::definitions(db)? == ours));
    if !same.unwrap_or(false) {
        check.fault("V1", None, "the tables are not those of this version");
    }
    if !seal.is_proven(db).unwrap_or(false) {
        check.fault("V1", None, "the proof of the store's key is missing");
    }
    for (table, columns) in row_mac::ROWS {
        row_digests(check, db, table, columns);
    }
}

/// V1: the digest kept with each row.
fn row_digests(check: &mut Check, db: &Connection, table: &str, columns: &str) {
    let sql = format!(
        "SELECT {columns} FROM {table} WHERE mac IS NOT row_mac('{table}', {columns}) \
         LIMIT {ROWS_TOLD_MAX}"
    );
    for key in read(check, db, &sql, |row| Ok(shown(row))) {
        let what = format!("a row of {table} was changed by something else: {key}");
        check.fault("V1", None, what);
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
