//! Emergency stops, the work they hold back, and timers that move with the clock.

use chrono::Duration;
use deadpool_postgres::{GenericClient, Transaction};
use letter_delivery::{Stop, Stops, StoreError, Work};
use tokio_postgres::types::ToSql;

use super::Inner;
use super::lists::{column, rows};
use super::row::{Value, mac};
use super::steps::{Miss, Steps};
use super::work::{execute, read, rewrite};
use crate::views::{json, parse};

/// A decision under the stops, and one that sets or lifts one, are never made at the same time.
const SHARE: &str = "SELECT pg_advisory_xact_lock_shared(x'4C54425A'::int4, \
     current_schema()::regnamespace::oid::int4)";
const ALONE: &str = "SELECT pg_advisory_xact_lock(x'4C54425A'::int4, \
     current_schema()::regnamespace::oid::int4)";

/// Each stop counts once when it was set and once more when it was lifted.
const HAS_VERSION: &str = "SELECT 1 WHERE $1::bigint = \
     (SELECT count(*) + count(*) FILTER (WHERE NOT stands) FROM stop)";

/// What was set anew since it was parked has another time, and keeps it.
const PARKED: &str = "JOIN parked ON parked.stream = work.stream AND parked.until = work.due_at \
     ORDER BY work.stream FOR UPDATE OF work";

const ALL: &str = "ORDER BY stream FOR UPDATE";

pub(super) async fn all(client: &impl GenericClient) -> Result<Stops, StoreError> {
    let found = rows(client, "SELECT record FROM stop ORDER BY id", &[]).await?;
    let stops: Result<Vec<Stop>, _> = found.iter().map(|row| parse(column(row, 0)?)).collect();
    stops.map(Stops::new)
}

/// A decision made before a stop was set, or lifted, is made again.
pub(super) fn require_version(steps: &mut Steps<'_>, seen: u64) {
    steps.any(SHARE, Vec::new());
    let seen = i64::try_from(seen).unwrap_or(i64::MAX);
    steps.one(HAS_VERSION, vec![Value::Integer(seen)], Miss::Conflict);
}

/// Writes a stop as it stands.
pub(super) fn put(steps: &mut Steps<'_>, stop: &Stop) -> Result<(), StoreError> {
    steps.any(ALONE, Vec::new());
    let values = vec![
        Value::Integer(i64::from(stop.id)),
        Value::Flag(stop.stands()),
        Value::Text(json(stop)?),
    ];
    steps.put("stop", "id", values);
    Ok(())
}

pub(super) fn park(steps: &mut Steps<'_>, work: &Work) {
    let values = vec![
        Value::blob(work.stream.as_bytes()),
        Value::time(work.due_at),
    ];
    steps.put("parked", "stream", values);
}

/// A lift makes all that is parked due.
pub(super) async fn free(
    inner: &Inner,
    change: &Transaction<'_>,
    stop: &Stop,
) -> Result<(), StoreError> {
    let Some(lift) = &stop.lifted else {
        return Ok(());
    };
    let mut parked = read(change, PARKED, &[]).await?;
    for held in &mut parked {
        held.work.due_at = lift.at;
        held.work.earliest_at = lift.at;
    }
    rewrite(&inner.rows, change, &parked).await?;
    execute(change, "DELETE FROM parked", &[]).await.map(drop)
}

/// The clock was set: every timer keeps the time that was left to it.
pub(super) async fn rebase(
    inner: &Inner,
    change: &Transaction<'_>,
    by: Duration,
) -> Result<(), StoreError> {
    let mut work = read(change, ALL, &[]).await?;
    for held in &mut work {
        held.work.due_at += by;
        held.work.earliest_at += by;
        let lease = held.lease.take();
        held.lease = lease.map(|(token, until)| (token, until + by.num_milliseconds()));
    }
    rewrite(&inner.rows, change, &work).await?;
    rebase_rows(inner, change, "parked", "stream", by).await?;
    rebase_rows(inner, change, "pace", "lane, line", by).await
}

/// Moves the time that stands last in each row.
async fn rebase_rows(
    inner: &Inner,
    change: &Transaction<'_>,
    table: &str,
    key: &str,
    by: Duration,
) -> Result<(), StoreError> {
    let columns = super::row::columns(table);
    let sql = format!("SELECT {columns} FROM {table} ORDER BY {key} FOR UPDATE");
    for row in rows(change, &sql, &[]).await? {
        let mut values = super::row::values(&row)?;
        if let Some(Value::Integer(at)) = values.last_mut() {
            *at += by.num_milliseconds();
        }
        let digest = Value::Blob(mac(&inner.rows, table, &values));
        values.push(digest);
        let names = columns.split(", ").chain(["mac"]).enumerate();
        let place = |(index, name): (usize, &str)| format!("{name} = ${}", index + 1);
        let places: Vec<String> = names.map(place).collect();
        let (is, set): (Vec<String>, Vec<String>) = places
            .into_iter()
            .partition(|place| key.split(", ").any(|name| place.starts_with(name)));
        let sql = format!(
            "UPDATE {table} SET {} WHERE {}",
            set.join(", "),
            is.join(" AND ")
        );
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        execute(change, &sql, &values).await?;
    }
    Ok(())
}
