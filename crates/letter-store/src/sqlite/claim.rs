//! Work is claimed under leases.

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

/// Stops at the first piece of work that is not due, however many wait behind it.
const DUE: &str = "SELECT stream, kind, due_at, earliest_at, tries FROM work \
     WHERE due_at <= ?1 AND ?3 IS NULL AND (lease_until IS NULL OR lease_until <= ?1) \
     ORDER BY due_at LIMIT ?2";
const DUE_OR_PULLED: &str = "SELECT stream, kind, due_at, earliest_at, tries FROM work \
     WHERE (due_at <= ?1 OR earliest_at <= ?3) AND (lease_until IS NULL OR lease_until <= ?1) \
     ORDER BY due_at LIMIT ?2";
/// Work under a lease is looked at again when that ends.
const NEXT_DUE: &str = "SELECT min(at) FROM ( \
     SELECT min(due_at) AS at FROM work WHERE lease_until IS NULL UNION ALL \
     SELECT min(max(due_at, lease_until)) FROM work WHERE lease_until IS NOT NULL)";

pub(super) fn claim(db: &Connection, request: &ClaimRequest) -> Result<Vec<Claimed>, StoreError> {
    let mut claimed = Vec::new();
    let stops = stops::all(db)?;
    for (work, token) in due(db, request)?.into_iter().zip(&request.tokens) {
        execute(
            db,
            "UPDATE work SET token = ?2, lease_until = ?3, \
             mac = row_mac('work', stream, kind, due_at, earliest_at, tries, ?2, ?3) \
             WHERE stream = ?1",
            params![
                work.stream.as_bytes(),
                token.as_bytes(),
                millis(request.lease_until)
            ],
        )?;
        claimed.push(with_records(db, work, *token)?.under(stops.clone()));
    }
    Ok(claimed)
}

fn due(db: &Connection, request: &ClaimRequest) -> Result<Vec<Work>, StoreError> {
    let limit = i64::try_from(request.tokens.len()).unwrap_or(i64::MAX);
    let mut statement = db
        .prepare_cached(match request.pull_forward_to {
            None => DUE,
            Some(_) => DUE_OR_PULLED,
        })
        .map_err(|error| store_error(&error))?;
    let pull = request.pull_forward_to.map(millis);
    let rows = statement
        .query_map(params![millis(request.now), limit, pull], |row| {
            Ok(read_work(row))
        })
        .map_err(|error| store_error(&error))?;
    rows.map(|row| {
        row.map_err(|error| store_error(&error))
            .and_then(|work| work)
    })
    .collect()
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
    execute(
        db,
        "UPDATE work SET token = NULL, lease_until = NULL, \
         mac = row_mac('work', stream, kind, due_at, earliest_at, tries, NULL, NULL) \
         WHERE token IS NOT NULL",
        [],
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
