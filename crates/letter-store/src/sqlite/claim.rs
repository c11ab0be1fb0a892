//! Work is claimed under leases.

mod lines;

use audit_core::StreamKey;
use chrono::{DateTime, Utc};
use letter_delivery::{
    ClaimRequest, Claimed, CopyRecord, DocumentKey, LeaseToken, LetterRecord, StoreError, Work,
    WorkKind,
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::commit::{execute, millis};
use super::lists::{read_copy, read_letter};
use super::schema::store_error;
use super::seal::Seal;
use super::stops;
use crate::line;

/// Work under a lease is looked at again when that ends.
const NEXT_DUE: &str = "SELECT min(at) FROM ( \
     SELECT min(due_at) AS at FROM work WHERE lease_until IS NULL UNION ALL \
     SELECT min(max(due_at, lease_until)) FROM work WHERE lease_until IS NOT NULL)";

pub(super) fn claim(db: &Connection, request: &ClaimRequest) -> Result<Vec<Claimed>, StoreError> {
    release_ended(db, request.now)?;
    let in_flight = lines::in_flight(db)?;
    let lines = lines::read(db, request, &in_flight)?;
    let chosen = request.choose(&lines, &in_flight);
    let stops = stops::all(db)?;
    let taken = chosen.into_iter().zip(&request.tokens);
    taken
        .map(|(stream, token)| Ok(take(db, request, stream, *token)?.under(stops.clone())))
        .collect()
}

fn take(
    db: &Connection,
    request: &ClaimRequest,
    stream: StreamKey,
    token: LeaseToken,
) -> Result<Claimed, StoreError> {
    let until = millis(request.lease_until);
    lease(db, stream, token, until, None)?;
    let work = db
        .prepare_cached(
            "SELECT w.stream, w.kind, w.due_at, w.earliest_at, w.tries, q.lane, q.line \
             FROM work w JOIN queue q ON q.stream = w.stream WHERE w.stream = ?1",
        )
        .and_then(|mut statement| {
            statement.query_row([stream.as_bytes()], |row| Ok(read_work(row)))
        })
        .map_err(|error| store_error(&error))??;
    if work.destination.is_some() && request.apart(work.lane).is_some() {
        lines::remember(db, &work, request.now)?;
    }
    with_records(db, work, token)
}

/// Puts a piece of work under a lease, in place of the one with the token `held` if there is one.
fn lease(
    db: &Connection,
    stream: StreamKey,
    token: LeaseToken,
    until: i64,
    held: Option<LeaseToken>,
) -> Result<bool, StoreError> {
    let held = held.as_ref().map(LeaseToken::as_bytes);
    let changed = execute(
        db,
        "UPDATE work SET token = ?2, lease_until = ?3, mac = row_mac('work', stream, kind, \
         due_at, earliest_at, tries, ?2, ?3) WHERE stream = ?1 AND token IS ?4",
        params![stream.as_bytes(), token.as_bytes(), until, held],
    )?;
    Ok(changed == 1)
}

/// Lets leases last until then, where they are still held.
pub(super) fn renew(
    db: &Connection,
    leases: &[(StreamKey, LeaseToken)],
    until: DateTime<Utc>,
) -> Result<Vec<bool>, StoreError> {
    let renewed = leases
        .iter()
        .map(|(stream, token)| lease(db, *stream, *token, millis(until), Some(*token)));
    renewed.collect()
}

fn read_work(row: &Row<'_>) -> Result<Work, StoreError> {
    let field = |error: rusqlite::Error| store_error(&error);
    let kind: String = row.get(1).map_err(field)?;
    let kind = WorkKind::parse(&kind)
        .ok_or_else(|| StoreError::Corrupt("a kind of work that is not known".to_owned()))?;
    let stream = StreamKey::from_bytes(row.get(0).map_err(field)?);
    let mut work = Work::new(stream, kind, time(row.get(2).map_err(field)?)?);
    work.earliest_at = time(row.get(3).map_err(field)?)?;
    work.tries = row.get(4).map_err(field)?;
    work.lane = line::lane(&row.get::<_, String>(5).map_err(field)?)?;
    work.destination = line::kind_and_destination(&row.get::<_, String>(6).map_err(field)?)?.1;
    Ok(work)
}

pub(super) fn time(millis: i64) -> Result<DateTime<Utc>, StoreError> {
    DateTime::from_timestamp_millis(millis)
        .ok_or_else(|| StoreError::Corrupt("a time out of range".to_owned()))
}

fn with_records(db: &Connection, work: Work, token: LeaseToken) -> Result<Claimed, StoreError> {
    let missing = || StoreError::Corrupt("work without its letter".to_owned());
    let (letter, copy): (LetterRecord, Option<CopyRecord>) = match work.kind {
        WorkKind::Prepare => (read_letter(db, work.stream)?.ok_or_else(missing)?, None),
        WorkKind::Reroute | WorkKind::Send | WorkKind::Ask | WorkKind::Track => {
            let copy = read_copy(db, work.stream)?.ok_or_else(missing)?;
            (
                read_letter(db, copy.letter)?.ok_or_else(missing)?,
                Some(copy),
            )
        }
    };
    let latest = latest_version(db, letter.document)?.unwrap_or(letter.version);
    Ok(Claimed::new(work, token, letter, copy, latest))
}

/// The latest version that counts: drafts, cancelled ones and late arrivals of old ones do not.
fn latest_version(db: &Connection, document: DocumentKey) -> Result<Option<u32>, StoreError> {
    db.prepare_cached(
        "SELECT max(version) FROM letter WHERE document = ?1 \
         AND state NOT IN ('DRAFT_SEEN', 'WITHDRAWN', 'SUPERSEDED')",
    )
    .and_then(|mut statement| {
        statement.query_row([document.as_bytes()], |row| row.get::<_, Option<u32>>(0))
    })
    .map_err(|error| store_error(&error))
}

/// Whoever holds the engine's lock is alone: every lease is that of a dead process.
pub(super) fn release_all(db: &Connection, _: &Seal) -> Result<(), StoreError> {
    release(db, i64::MAX)
}

/// A lease that has ended is none: its old holder is fenced from now on.
fn release_ended(db: &Connection, now: DateTime<Utc>) -> Result<(), StoreError> {
    release(db, millis(now))
}

fn release(db: &Connection, until: i64) -> Result<(), StoreError> {
    execute(
        db,
        "UPDATE work SET token = NULL, lease_until = NULL, mac = row_mac('work', stream, kind, \
         due_at, earliest_at, tries, NULL, NULL) WHERE lease_until <= ?1",
        [until],
    )
    .map(drop)
}

pub(super) fn next_due(db: &Connection) -> Result<Option<DateTime<Utc>>, StoreError> {
    let due: Option<i64> = db
        .prepare_cached(NEXT_DUE)
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)).optional())
        .map_err(|error| store_error(&error))?
        .flatten();
    due.map(time).transpose()
}
