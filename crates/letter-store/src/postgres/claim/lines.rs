//! What waits in each line, read without touching what cannot be claimed.

use std::collections::BTreeMap;

use audit_core::StreamKey;
use chrono::{DateTime, Utc};
use deadpool_postgres::Transaction;
use letter_delivery::{ClaimRequest, Lane, Line, StoreError, Work, WorkKind};
use nhs_types::MailboxId;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::time;
use crate::line::kind_and_destination;
use crate::postgres::Inner;
use crate::postgres::keys::stream;
use crate::postgres::lists::{column, rows};
use crate::postgres::row::{Value, mac};
use crate::postgres::work::execute;

/// One step through the index from each line to the next, however long they are.
const LINES: &str = "WITH RECURSIVE names AS ( \
       (SELECT line FROM work WHERE token IS NULL AND lane = $1 ORDER BY line LIMIT 1) \
     UNION ALL \
       SELECT (SELECT line FROM work WHERE token IS NULL AND lane = $1 AND line > names.line \
               ORDER BY line LIMIT 1) FROM names WHERE names.line IS NOT NULL) \
     SELECT line FROM names WHERE line IS NOT NULL";
const DUE: &str = "SELECT stream, due_at FROM work WHERE token IS NULL AND lane = $1 \
     AND line = $2 AND due_at >= $3 AND due_at < $4 ORDER BY due_at, stream LIMIT $5";
const PULLED: &str = "SELECT stream, due_at FROM work WHERE token IS NULL AND lane = $1 \
     AND line = $2 AND earliest_at <= $3 AND due_at > $4 ORDER BY earliest_at, due_at LIMIT $5";
const IN_FLIGHT: &str = "SELECT line, count(*) FROM work WHERE token IS NOT NULL GROUP BY line";
const LAST_CLAIMED: &str = "SELECT claimed_at FROM pace WHERE lane = $1 AND line = $2";
const REMEMBER: &str = "INSERT INTO pace (lane, line, claimed_at, mac) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (lane, line) DO UPDATE SET claimed_at = excluded.claimed_at, mac = excluded.mac";

type InFlight = BTreeMap<MailboxId, usize>;

/// How many pieces to each destination are under a lease.
pub(super) async fn in_flight(change: &Transaction<'_>) -> Result<InFlight, StoreError> {
    let mut in_flight = InFlight::new();
    for row in rows(change, IN_FLIGHT, &[]).await? {
        let count = usize::try_from(column::<i64>(&row, 1)?).unwrap_or(usize::MAX);
        if let (_, Some(destination)) = kind_and_destination(column(&row, 0)?)? {
            in_flight.insert(destination, count);
        }
    }
    Ok(in_flight)
}

/// The first pieces of every line that has places.
pub(super) async fn read(
    change: &Transaction<'_>,
    request: &ClaimRequest,
    in_flight: &InFlight,
) -> Result<Vec<Line>, StoreError> {
    let mut lines = Vec::new();
    for lane in Lane::ALL {
        for name in names(change, *lane, request.transport > 0).await? {
            let (kind, destination) = kind_and_destination(&name)?;
            let to = destination.as_ref();
            let busy = to.and_then(|to| in_flight.get(to)).copied().unwrap_or(0);
            let last = match (to, request.apart(*lane)) {
                (Some(_), Some(_)) => last_claimed(change, *lane, &name).await?,
                _ => None,
            };
            let places = request.places(*lane, to, busy, last);
            let first = first(change, request, *lane, &name, places).await?;
            if !first.is_empty() {
                lines.push(Line::new(*lane, kind, destination, first));
            }
        }
    }
    Ok(lines)
}

async fn names(
    change: &Transaction<'_>,
    lane: Lane,
    with_transport: bool,
) -> Result<Vec<String>, StoreError> {
    if !with_transport {
        return Ok(vec![WorkKind::Prepare.as_str().to_owned()]);
    }
    let found = rows(change, LINES, &[&lane.as_str()]).await?;
    found.iter().map(|row| column(row, 0)).collect()
}

async fn first(
    change: &Transaction<'_>,
    request: &ClaimRequest,
    lane: Lane,
    line: &str,
    places: usize,
) -> Result<Vec<(StreamKey, DateTime<Utc>)>, StoreError> {
    if places == 0 {
        return Ok(Vec::new());
    }
    let limit = i64::try_from(places).unwrap_or(i64::MAX);
    let lane = lane.as_str();
    let now = request.now.timestamp_millis();
    let end = now.saturating_add(1);
    let fresh = request.fresh_since.timestamp_millis().min(end);
    let mut found = Vec::new();
    for (from, to) in [(i64::MIN, fresh), (fresh, end)] {
        let range: [&(dyn ToSql + Sync); 5] = [&lane, &line, &from, &to, &limit];
        found.extend(rows(change, DUE, &range).await?);
    }
    if let Some(to) = request.pull_forward_to {
        let to = to.timestamp_millis();
        let range: [&(dyn ToSql + Sync); 5] = [&lane, &line, &to, &now, &limit];
        found.extend(rows(change, PULLED, &range).await?);
    }
    found.iter().map(piece).collect()
}

fn piece(row: &Row) -> Result<(StreamKey, DateTime<Utc>), StoreError> {
    Ok((stream(row, 0)?, time(column(row, 1)?)?))
}

async fn last_claimed(
    change: &Transaction<'_>,
    lane: Lane,
    line: &str,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let found = rows(change, LAST_CLAIMED, &[&lane.as_str(), &line]).await?;
    let at = found.first().map(|row| column(row, 0)).transpose()?;
    at.map(time).transpose()
}

/// The pace of a destination outlives a restart.
pub(super) async fn remember(
    inner: &Inner,
    change: &Transaction<'_>,
    work: &Work,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let row = pace_row(work.lane.as_str(), work.line(), now.timestamp_millis());
    let mac = mac(&inner.rows, "pace", &row);
    let (lane, line, now) = (work.lane.as_str(), work.line(), now.timestamp_millis());
    let values: [&(dyn ToSql + Sync); 4] = [&lane, &line, &now, &mac];
    execute(change, REMEMBER, &values).await.map(drop)
}

pub(in crate::postgres) fn pace_row(lane: &str, line: &str, claimed_at: i64) -> [Value; 3] {
    [
        Value::text(lane),
        Value::text(line),
        Value::Integer(claimed_at),
    ]
}
