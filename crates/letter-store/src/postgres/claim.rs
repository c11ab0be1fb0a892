//! Work is claimed under leases.
//!
//! Claims of one store go one after the other, so that together they keep to the limits of a
//! destination; no claim waits for a change that is under way, it leaves that piece alone.

mod lines;

use std::collections::BTreeMap;

use audit_core::StreamKey;
use chrono::{DateTime, Utc};
use deadpool_postgres::Transaction;
use letter_delivery::{ClaimRequest, Claimed, DocumentKey, LeaseToken, StoreError, Work, WorkKind};

use super::Inner;
use super::connect::one;
use super::fault::store_error;
use super::lists::{column, read_copy, read_letter, rows};
use super::stops;
use super::work::{Held, execute, read, rewrite};

const ONE_AFTER_THE_OTHER: &str = "SELECT pg_advisory_xact_lock(x'4C544259'::int4, \
     current_schema()::regnamespace::oid::int4)";

const ENDED: &str = "WHERE token IS NOT NULL AND lease_until <= $1 ORDER BY stream \
     FOR UPDATE SKIP LOCKED";
const CHOSEN: &str = "WHERE stream = ANY($1) AND token IS NULL FOR UPDATE SKIP LOCKED";
const LEASED: &str = "WHERE stream = ANY($1) AND token IS NOT NULL ORDER BY stream FOR UPDATE";

/// Work under a lease is looked at again when that ends.
const NEXT_DUE: &str = "SELECT min(at) FROM ( \
     SELECT min(due_at) AS at FROM work WHERE lease_until IS NULL UNION ALL \
     SELECT min(greatest(due_at, lease_until)) FROM work WHERE lease_until IS NOT NULL) AS times";
const LATEST: &str = "SELECT max(version) FROM letter WHERE document = $1 \
     AND state NOT IN ('DRAFT_SEEN', 'WITHDRAWN', 'SUPERSEDED')";

pub(super) async fn claim(
    inner: &Inner,
    request: &ClaimRequest,
) -> Result<Vec<Claimed>, StoreError> {
    let failed = |error| store_error(&error);
    let mut client = one(&inner.pool).await?;
    let change = client.transaction().await.map_err(failed)?;
    execute(&change, ONE_AFTER_THE_OTHER, &[]).await?;
    release_ended(inner, &change, request.now).await?;
    let in_flight = lines::in_flight(&change).await?;
    let lines = lines::read(&change, request, &in_flight).await?;
    let chosen = request.choose(&lines, &in_flight);
    let leased = lease(inner, &change, request, &chosen).await?;
    let stops = stops::all(&change).await?;
    let mut claimed = Vec::with_capacity(leased.len());
    for (work, token) in leased {
        if work.destination.is_some() && request.apart(work.lane).is_some() {
            lines::remember(inner, &change, &work, request.now).await?;
        }
        let one = with_records(&change, work, token).await?;
        claimed.push(one.under(stops.clone()));
    }
    change.commit().await.map_err(failed)?;
    Ok(claimed)
}

/// A lease that has ended is none: its old holder is fenced from now on.
async fn release_ended(
    inner: &Inner,
    change: &Transaction<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let ended = read(change, ENDED, &[&now.timestamp_millis()]).await?;
    let free: Vec<Held> = ended
        .into_iter()
        .map(|held| Held::free(held.work))
        .collect();
    rewrite(&inner.rows, change, &free).await
}

/// Puts what was chosen under leases, in that order; not what a change holds at this moment.
async fn lease(
    inner: &Inner,
    change: &Transaction<'_>,
    request: &ClaimRequest,
    chosen: &[StreamKey],
) -> Result<Vec<(Work, LeaseToken)>, StoreError> {
    let names: Vec<&[u8]> = chosen.iter().map(|key| key.as_bytes().as_slice()).collect();
    let locked = read(change, CHOSEN, &[&names]).await?;
    let mut locked: BTreeMap<StreamKey, Work> = locked
        .into_iter()
        .map(|held| (held.work.stream, held.work))
        .collect();
    let in_order = chosen.iter().filter_map(|stream| locked.remove(stream));
    let leased: Vec<(Work, LeaseToken)> = in_order.zip(request.tokens.iter().copied()).collect();
    let until = request.lease_until.timestamp_millis();
    let held = leased.iter().map(|(work, token)| Held {
        work: work.clone(),
        lease: Some((token.as_bytes().to_vec(), until)),
    });
    rewrite(&inner.rows, change, &held.collect::<Vec<_>>()).await?;
    Ok(leased)
}

/// Lets leases last until then, where they are still held.
pub(super) async fn renew(
    inner: &Inner,
    leases: &[(StreamKey, LeaseToken)],
    until: DateTime<Utc>,
) -> Result<Vec<bool>, StoreError> {
    let failed = |error| store_error(&error);
    let mut client = one(&inner.pool).await?;
    let change = client.transaction().await.map_err(failed)?;
    let names = leases
        .iter()
        .map(|(stream, _)| stream.as_bytes().as_slice());
    let mut held = read(&change, LEASED, &[&names.collect::<Vec<_>>()]).await?;
    let is_held = |held: &Held, stream: StreamKey, token: &LeaseToken| {
        let lease = held.lease.as_ref();
        held.work.stream == stream && lease.is_some_and(|(held, _)| held == token.as_bytes())
    };
    let of = |stream: StreamKey, token| held.iter().any(|one| is_held(one, stream, token));
    let renewed = leases.iter().map(|(stream, token)| of(*stream, token));
    let renewed: Vec<bool> = renewed.collect();
    held.retain(|one| {
        let mut asked = leases.iter();
        asked.any(|(stream, token)| is_held(one, *stream, token))
    });
    for one in &mut held {
        one.lease = one
            .lease
            .take()
            .map(|(token, _)| (token, until.timestamp_millis()));
    }
    rewrite(&inner.rows, &change, &held).await?;
    change.commit().await.map_err(failed)?;
    Ok(renewed)
}

pub(super) fn time(millis: i64) -> Result<DateTime<Utc>, StoreError> {
    DateTime::from_timestamp_millis(millis)
        .ok_or_else(|| StoreError::Corrupt("a time out of range".to_owned()))
}

async fn with_records(
    change: &Transaction<'_>,
    work: Work,
    token: LeaseToken,
) -> Result<Claimed, StoreError> {
    let missing = || StoreError::Corrupt("work without its letter".to_owned());
    let (key, copy): (StreamKey, _) = match work.kind {
        WorkKind::Prepare => (work.stream, None),
        WorkKind::Reroute | WorkKind::Send | WorkKind::Ask | WorkKind::Track => {
            let copy = read_copy(change, work.stream).await?.ok_or_else(missing)?;
            (copy.letter, Some(copy))
        }
    };
    let letter = read_letter(change, key).await?.ok_or_else(missing)?;
    let latest = latest_version(change, letter.document).await?;
    let latest = latest.unwrap_or(letter.version);
    Ok(Claimed::new(work, token, letter, copy, latest))
}

/// The latest version that counts: drafts, cancelled ones and late arrivals of old ones do not.
async fn latest_version(
    change: &Transaction<'_>,
    document: DocumentKey,
) -> Result<Option<u32>, StoreError> {
    let document = document.as_bytes().as_slice();
    let found = rows(change, LATEST, &[&document]).await?;
    let latest: Option<i64> = match found.first() {
        Some(row) => column(row, 0)?,
        None => None,
    };
    Ok(latest.and_then(|latest| u32::try_from(latest).ok()))
}

pub(super) async fn next_due(inner: &Inner) -> Result<Option<DateTime<Utc>>, StoreError> {
    let client = one(&inner.pool).await?;
    let found = rows(&client, NEXT_DUE, &[]).await?;
    let due: Option<i64> = match found.first() {
        Some(row) => column(row, 0)?,
        None => None,
    };
    due.map(time).transpose()
}
