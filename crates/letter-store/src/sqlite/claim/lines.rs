//! What waits in each line, read without touching what cannot be claimed.

use std::collections::BTreeMap;

use audit_core::StreamKey;
use chrono::{DateTime, Utc};
use letter_delivery::{ClaimRequest, Lane, Line, StoreError, Work, WorkKind};
use nhs_types::MailboxId;
use rusqlite::{Connection, OptionalExtension as _, Params, params};

use super::time;
use crate::line::kind_and_destination;
use crate::sqlite::commit::{execute, millis};
use crate::sqlite::schema::store_error;

/// One step through the index from each line to the next, however long they are.
const NEXT_LINE: &str = "SELECT line FROM queue \
     WHERE is_free = 1 AND lane = ?1 AND line > ?2 ORDER BY line LIMIT 1";
const DUE: &str = "SELECT stream, due_at FROM queue WHERE is_free = 1 AND lane = ?1 \
     AND line = ?2 AND due_at >= ?3 AND due_at < ?4 ORDER BY due_at, stream LIMIT ?5";
const PULLED: &str = "SELECT stream, due_at FROM queue WHERE is_free = 1 AND lane = ?1 \
     AND line = ?2 AND earliest_at <= ?3 AND due_at > ?4 ORDER BY earliest_at, due_at LIMIT ?5";

type InFlight = BTreeMap<MailboxId, usize>;

/// How many pieces to each destination are under a lease.
pub(super) fn in_flight(db: &Connection) -> Result<InFlight, StoreError> {
    let counts = rows(
        db,
        "SELECT line, count(*) FROM queue WHERE is_free = 0 GROUP BY line",
        [],
        |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)),
    )?;
    let mut in_flight = InFlight::new();
    for (line, count) in counts {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if let (_, Some(destination)) = kind_and_destination(&line)? {
            in_flight.insert(destination, count);
        }
    }
    Ok(in_flight)
}

/// The first pieces of every line that has places.
pub(super) fn read(
    db: &Connection,
    request: &ClaimRequest,
    in_flight: &InFlight,
) -> Result<Vec<Line>, StoreError> {
    let mut lines = Vec::new();
    for lane in Lane::ALL {
        for name in names(db, *lane, request.transport > 0)? {
            let (kind, destination) = kind_and_destination(&name)?;
            let to = destination.as_ref();
            let busy = to.and_then(|to| in_flight.get(to)).copied().unwrap_or(0);
            let last = match (to, request.apart(*lane)) {
                (Some(_), Some(_)) => last_claimed(db, *lane, &name)?,
                _ => None,
            };
            let places = request.places(*lane, to, busy, last);
            let first = first(db, request, *lane, &name, places)?;
            if !first.is_empty() {
                lines.push(Line::new(*lane, kind, destination, first));
            }
        }
    }
    Ok(lines)
}

fn names(db: &Connection, lane: Lane, with_transport: bool) -> Result<Vec<String>, StoreError> {
    if !with_transport {
        return Ok(vec![WorkKind::Prepare.as_str().to_owned()]);
    }
    let mut names = Vec::new();
    let mut last = String::new();
    while let Some(name) = one(db, NEXT_LINE, params![lane.as_str(), last], |row| {
        row.get::<_, String>(0)
    })? {
        last.clone_from(&name);
        names.push(name);
    }
    Ok(names)
}

fn first(
    db: &Connection,
    request: &ClaimRequest,
    lane: Lane,
    line: &str,
    places: usize,
) -> Result<Vec<(StreamKey, DateTime<Utc>)>, StoreError> {
    if places == 0 {
        return Ok(Vec::new());
    }
    let limit = i64::try_from(places).unwrap_or(i64::MAX);
    let end = millis(request.now).saturating_add(1);
    let fresh = millis(request.fresh_since).min(end);
    let mut found = Vec::new();
    for (from, to) in [(i64::MIN, fresh), (fresh, end)] {
        let range = params![lane.as_str(), line, from, to, limit];
        found.extend(rows(db, DUE, range, piece)?);
    }
    if let Some(to) = request.pull_forward_to {
        let range = params![lane.as_str(), line, millis(to), millis(request.now), limit];
        found.extend(rows(db, PULLED, range, piece)?);
    }
    let found = found.into_iter();
    found
        .map(|(stream, due_at)| Ok((StreamKey::from_bytes(stream), time(due_at)?)))
        .collect()
}

fn piece(row: &rusqlite::Row<'_>) -> rusqlite::Result<([u8; 16], i64)> {
    Ok((row.get(0)?, row.get(1)?))
}

fn last_claimed(
    db: &Connection,
    lane: Lane,
    line: &str,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let sql = "SELECT claimed_at FROM pace WHERE lane = ?1 AND line = ?2";
    let at = one(db, sql, [lane.as_str(), line], |row| row.get(0))?;
    at.map(time).transpose()
}

/// The pace of a destination outlives a restart.
pub(super) fn remember(db: &Connection, work: &Work, now: DateTime<Utc>) -> Result<(), StoreError> {
    execute(
        db,
        "INSERT OR REPLACE INTO pace (lane, line, claimed_at, mac) \
         VALUES (?1, ?2, ?3, row_mac('pace', ?1, ?2, ?3))",
        params![work.lane.as_str(), work.line(), millis(now)],
    )
    .map(drop)
}

fn rows<T>(
    db: &Connection,
    sql: &str,
    values: impl Params,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    db.prepare_cached(sql)
        .and_then(|mut statement| statement.query_map(values, read)?.collect())
        .map_err(|error| store_error(&error))
}

fn one<T>(
    db: &Connection,
    sql: &str,
    values: impl Params,
    read: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, StoreError> {
    db.prepare_cached(sql)
        .and_then(|mut statement| statement.query_row(values, read).optional())
        .map_err(|error| store_error(&error))
}

#[cfg(test)]
mod tests {
    use rusqlite::types::Null;

    use super::*;
    use crate::sqlite::schema;

    fn plan(db: &Connection, sql: &str) -> String {
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let places = vec![Null; statement.parameter_count()];
        let steps = statement.query_map(rusqlite::params_from_iter(places), |row| {
            row.get::<_, String>(3)
        });
        let steps: Vec<String> = steps.unwrap().map(Result::unwrap).collect();
        steps.join("; ")
    }

    /// A claim reads of each line what it may take, and steps over nothing that waits behind it.
    #[test]
    fn a_claim_searches_its_lines_and_sorts_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let key = crate::MasterKey::generate().unwrap();
        let db = schema::open(&folder.path().join("rxx.db"), &key).unwrap();
        for (sql, by) in [
            (NEXT_LINE, "(lane=? AND line>?)"),
            (DUE, "(lane=? AND line=? AND due_at>? AND due_at<?)"),
            (PULLED, "(lane=? AND line=? AND earliest_at<?)"),
        ] {
            let plan = plan(&db, sql);
            assert!(
                plan.starts_with("SEARCH queue USING COVERING INDEX"),
                "{plan}"
            );
            assert!(plan.ends_with(by), "{plan}: nothing more is sorted");
        }
    }
}
