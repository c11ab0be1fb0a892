//! The rows of work: read, written, and written again with another lease or time.

use deadpool_postgres::{GenericClient, Transaction};
use letter_delivery::{StoreError, Work, WorkKind};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::claim::time;
use super::fault::store_error;
use super::keys::stream;
use super::lists::{column, rows};
use super::row::{Value, mac};
use crate::line::{kind_and_destination, lane};
use crate::row_mac::RowKey;

/// How many rows are written again by one statement.
const TOGETHER_MAX: usize = 1000;

const REWRITE: &str = "UPDATE work SET due_at = new.due_at, earliest_at = new.earliest_at, \
     token = new.token, lease_until = new.lease_until, mac = new.mac \
     FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bigint[], $6::bytea[]) \
       AS new (stream, due_at, earliest_at, token, lease_until, mac) \
     WHERE work.stream = new.stream";

/// What [`read`] reads.
pub(super) const COLUMNS: &str =
    "work.stream, kind, lane, line, due_at, earliest_at, tries, token, lease_until";

/// A piece of work with its lease, if it is under one.
pub(super) struct Held {
    pub(super) work: Work,
    pub(super) lease: Option<(Vec<u8>, i64)>,
}

impl Held {
    pub(super) const fn free(work: Work) -> Self {
        Self { work, lease: None }
    }

    /// The values of its row.
    pub(super) fn row(&self) -> Vec<Value> {
        let (work, lease) = (&self.work, self.lease.as_ref());
        vec![
            Value::blob(work.stream.as_bytes()),
            Value::text(work.kind.as_str()),
            Value::text(work.lane.as_str()),
            Value::text(work.line()),
            Value::time(work.due_at),
            Value::time(work.earliest_at),
            Value::Integer(i64::from(work.tries)),
            Value::or_null(lease, |(token, _)| Value::blob(token)),
            Value::or_null(lease, |(_, until)| Value::Integer(*until)),
        ]
    }

    fn read(row: &Row) -> Result<Self, StoreError> {
        let corrupt = |what: &str| StoreError::Corrupt(what.to_owned());
        let kind = WorkKind::parse(column(row, 1)?)
            .ok_or_else(|| corrupt("a kind of work that is not known"))?;
        let mut work = Work::new(stream(row, 0)?, kind, time(column(row, 4)?)?);
        work.lane = lane(column(row, 2)?)?;
        work.destination = kind_and_destination(column(row, 3)?)?.1;
        work.earliest_at = time(column(row, 5)?)?;
        work.tries = u32::try_from(column::<i64>(row, 6)?)
            .map_err(|_| corrupt("a count is out of range"))?;
        let token: Option<Vec<u8>> = column(row, 7)?;
        let until: Option<i64> = column(row, 8)?;
        let lease = token.zip(until);
        Ok(Self { work, lease })
    }
}

/// Work that answers to a condition, with [`COLUMNS`] in front of it.
pub(super) async fn read(
    client: &impl GenericClient,
    condition: &str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Held>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM work {condition}");
    let found = rows(client, &sql, values).await?;
    found.iter().map(Held::read).collect()
}

/// Writes work again, whose rows this transaction has locked.
pub(super) async fn rewrite(
    key: &RowKey,
    change: &Transaction<'_>,
    work: &[Held],
) -> Result<(), StoreError> {
    for some in work.chunks(TOGETHER_MAX) {
        let streams: Vec<&[u8]> = some.iter().map(|held| of(&held.work)).collect();
        let due = some.iter().map(|held| held.work.due_at.timestamp_millis());
        let due: Vec<i64> = due.collect();
        let earliest = some.iter();
        let earliest = earliest.map(|held| held.work.earliest_at.timestamp_millis());
        let earliest: Vec<i64> = earliest.collect();
        let leases = || some.iter().map(|held| held.lease.as_ref());
        let tokens: Vec<Option<&[u8]>> = leases()
            .map(|lease| lease.map(|(token, _)| token.as_slice()))
            .collect();
        let until: Vec<Option<i64>> = leases()
            .map(|lease| lease.map(|(_, until)| *until))
            .collect();
        let macs = some.iter().map(|held| mac(key, "work", &held.row()));
        let macs: Vec<Vec<u8>> = macs.collect();
        let values: [&(dyn ToSql + Sync); 6] = [&streams, &due, &earliest, &tokens, &until, &macs];
        execute(change, REWRITE, &values).await?;
    }
    Ok(())
}

fn of(work: &Work) -> &[u8] {
    work.stream.as_bytes().as_slice()
}

/// A statement that changes rows; how many.
pub(super) async fn execute(
    change: &Transaction<'_>,
    sql: &str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<u64, StoreError> {
    let changed = async {
        let statement = change.prepare_cached(sql).await?;
        change.execute(&statement, values).await
    };
    changed.await.map_err(|error| store_error(&error))
}
