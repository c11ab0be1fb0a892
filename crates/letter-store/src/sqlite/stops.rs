//! Emergency stops, and the work they hold back.

use letter_delivery::{Stop, Stops, StoreError, Work};
use rusqlite::{Connection, params};

use super::commit::{execute, millis, unsigned};
use super::lists::rows;
use super::schema::store_error;
use crate::views::{json, parse};

/// Each stop counts once when it was set and once more when it was lifted.
const VERSION: &str = "SELECT count(*) + coalesce(sum(1 - stands), 0) FROM stop";
/// What was set anew since it was parked has another time, and keeps it.
const FREE: &str = "UPDATE work SET due_at = ?1, earliest_at = ?1, \
     mac = row_mac('work', stream, kind, ?1, ?1, tries, token, lease_until) \
     WHERE (stream, due_at) IN (SELECT stream, until FROM parked)";

pub(super) fn all(db: &Connection) -> Result<Stops, StoreError> {
    let records: Vec<String> = rows(db, "SELECT record FROM stop ORDER BY id", [], |row| {
        row.get(0)
    })?;
    let stops: Result<Vec<Stop>, _> = records.iter().map(|record| parse(record)).collect();
    stops.map(Stops::new)
}

/// A decision made before a stop was set, or lifted, is made again.
pub(super) fn require_version(db: &Connection, seen: u64) -> Result<(), StoreError> {
    let version: i64 = db
        .prepare_cached(VERSION)
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
        .map_err(|error| store_error(&error))?;
    if unsigned(version)? == seen {
        Ok(())
    } else {
        Err(StoreError::Conflict)
    }
}

/// Writes a stop as it stands; a lift frees all that is parked.
pub(super) fn put(db: &Connection, stop: &Stop) -> Result<(), StoreError> {
    execute(
        db,
        "INSERT OR REPLACE INTO stop (id, stands, record, mac) \
         VALUES (?1, ?2, ?3, row_mac('stop', ?1, ?2, ?3))",
        params![stop.id, stop.stands(), json(stop)?],
    )?;
    match &stop.lifted {
        Some(lift) => {
            execute(db, FREE, [millis(lift.at)])?;
            execute(db, "DELETE FROM parked", []).map(drop)
        }
        None => Ok(()),
    }
}

pub(super) fn park(db: &Connection, work: &Work) -> Result<(), StoreError> {
    execute(
        db,
        "INSERT OR REPLACE INTO parked (stream, until, mac) \
         VALUES (?1, ?2, row_mac('parked', ?1, ?2))",
        params![work.stream.as_bytes(), millis(work.due_at)],
    )
    .map(drop)
}
