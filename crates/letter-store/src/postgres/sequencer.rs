//! The sequencer: gives events their place in the ledger, in the order of each stream.
//!
//! Whoever holds the advisory lock follows the commits; compare-and-set on the size of the tree
//! fences one that lost its lock without knowing.

use std::collections::BTreeMap;
use std::time::Duration;

use audit_core::{CompactRange, EventBody, Hash, Sequencer, StreamKey, Subtree};
use deadpool_postgres::{GenericClient, Object, Transaction};
use letter_delivery::StoreError;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::Inner;
use super::connect::one;
use super::fault::store_error;
use super::keys::{bytes, fixed, stream};
use super::lists::{column, rows};
use super::row::{Value, mac};
use super::work::execute;

/// How many events get their place in one transaction.
const BATCH_MAX: i64 = 512;

/// How long the sequencer rests when nothing waits and nobody of this process wakes it.
const REST: Duration = Duration::from_millis(200);

/// How long another process waits before it tries to take over.
const TRY_AGAIN: Duration = Duration::from_millis(500);

/// `LTBX`, and the schema: one sequencer for each store of a database.
pub(super) const LOCK: &str = "SELECT pg_try_advisory_lock(x'4C544258'::int4, \
     current_schema()::regnamespace::oid::int4)";

/// Whether somebody holds it; the number of a schema may look negative as one of four bytes.
pub(super) const IS_HELD: &str = "SELECT EXISTS (SELECT 1 FROM pg_locks \
     WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = x'4C544258'::int4::oid \
     AND objid = current_schema()::regnamespace::oid \
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))";

const WAITING: &str = "SELECT stream, lseq, id, bytes, mac, arrival FROM event \
     WHERE seq IS NULL AND arrival > $1 ORDER BY arrival LIMIT $2";

const LAST: &str = "SELECT named.stream, last.lseq, last.leaf \
     FROM unnest($1::bytea[]) AS named (stream), LATERAL ( \
       SELECT lseq, leaf FROM event WHERE event.stream = named.stream AND seq IS NOT NULL \
       ORDER BY lseq DESC LIMIT 1) AS last";

const PLACE: &str = "UPDATE event SET seq = new.seq, leaf = new.leaf, bytes = new.bytes, mac = NULL \
     FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[]) \
       AS new (arrival, seq, leaf, bytes) \
     WHERE event.arrival = new.arrival AND event.seq IS NULL";

const GROW: &str = "UPDATE tree SET size = $1, hashes = $2 WHERE id = 1 AND size = $3";

/// Where a stream stands: the last event that has its place.
type Heads = BTreeMap<StreamKey, (u64, Hash)>;

/// A body that waits for its place.
pub(super) struct Waiting {
    pub(super) arrival: i64,
    pub(super) body: EventBody,
}

/// Follows the commits for as long as it is let; takes turns with other processes.
pub(super) async fn keep(inner: &Inner) {
    loop {
        // Whatever went wrong, a new connection begins anew; the store's users see it themselves.
        let _ = lead(inner).await;
        tokio::time::sleep(TRY_AGAIN).await;
    }
}

/// Takes the lock, if it is free, and holds it until the connection fails.
async fn lead(inner: &Inner) -> Result<(), StoreError> {
    // A lock of the session must end with it: this connection never goes back to the others.
    let mut client = Object::take(one(&inner.pool).await?);
    let row = client.query_one(LOCK, &[]).await;
    let row = row.map_err(|error| store_error(&error))?;
    if !column::<bool>(&row, 0)? {
        return Ok(());
    }
    loop {
        let placed = all(inner, &mut client).await?;
        if placed == 0 {
            let woken = inner.wake.notified();
            let _ = tokio::time::timeout(REST, woken).await;
        }
    }
}

/// Gives every event that waits its place; how many there were.
pub(super) async fn sequence(inner: &Inner) -> Result<u64, StoreError> {
    let mut client = one(&inner.pool).await?;
    all(inner, &mut client).await
}

async fn all(
    inner: &Inner,
    client: &mut deadpool_postgres::ClientWrapper,
) -> Result<u64, StoreError> {
    let (mut after, mut placed) = (0, 0);
    loop {
        let change = client.transaction().await;
        let change = change.map_err(|error| store_error(&error))?;
        let (last, count) = batch(inner, &change, after).await?;
        change.commit().await.map_err(|error| store_error(&error))?;
        placed += count;
        match last {
            Some(arrival) => after = arrival,
            None => return Ok(placed),
        }
    }
}

/// One transaction's worth; the last arrival that was looked at, if more may wait.
async fn batch(
    inner: &Inner,
    change: &Transaction<'_>,
    after: i64,
) -> Result<(Option<i64>, u64), StoreError> {
    let found = rows(change, WAITING, &[&after, &BATCH_MAX]).await?;
    let Some(last) = found.last() else {
        return Ok((None, 0));
    };
    let last: i64 = column(last, 5)?;
    // The row's lock keeps others from giving the same places; what they gave meanwhile is seen
    // when the statement after it looks again.
    let tree = read_tree(change, true).await?;
    let found = rows(change, WAITING, &[&after, &BATCH_MAX]).await?;
    let waiting: Vec<Waiting> = found
        .iter()
        .filter_map(|row| proven(inner, row).transpose())
        .collect::<Result<_, _>>()?;
    let heads = heads(change, &waiting).await?;
    let count = place(change, tree, waiting, heads).await?;
    Ok((Some(last), count))
}

/// A body that is as it was stored. One that was changed gets no place: `verify` tells of it.
pub(super) fn proven(inner: &Inner, row: &Row) -> Result<Option<Waiting>, StoreError> {
    let (lseq, body): (i64, Vec<u8>) = (column(row, 1)?, bytes(row, 3)?);
    let values = [
        Value::Blob(bytes(row, 0)?),
        Value::Integer(lseq),
        Value::Blob(bytes(row, 2)?),
        Value::Blob(body.clone()),
    ];
    let held: Option<Vec<u8>> = column(row, 4)?;
    if held.as_deref() != Some(mac(&inner.rows, "event", &values).as_slice()) {
        return Ok(None);
    }
    let arrival = column(row, 5)?;
    let body = EventBody::parse_body(&body).ok();
    Ok(body.map(|body| Waiting { arrival, body }))
}

async fn heads(client: &impl GenericClient, waiting: &[Waiting]) -> Result<Heads, StoreError> {
    let mut streams: Vec<&[u8]> = waiting
        .iter()
        .map(|one| one.body.stream.as_bytes().as_slice())
        .collect();
    streams.sort_unstable();
    streams.dedup();
    let mut heads = Heads::new();
    for row in rows(client, LAST, &[&streams]).await? {
        let lseq = unsigned(column(&row, 1)?)?;
        heads.insert(stream(&row, 0)?, (lseq, Hash::from_bytes(fixed(&row, 2)?)));
    }
    Ok(heads)
}

/// Places what is the next of its stream, and grows the tree by it.
async fn place(
    change: &Transaction<'_>,
    tree: CompactRange,
    waiting: Vec<Waiting>,
    mut heads: Heads,
) -> Result<u64, StoreError> {
    let before = tree.size();
    let corrupt = |error: &dyn std::fmt::Display| StoreError::Corrupt(error.to_string());
    let mut sequencer = Sequencer::resume(tree, before).map_err(|error| corrupt(&error))?;
    let (mut arrivals, mut seqs, mut leaves, mut texts) = (vec![], vec![], vec![], vec![]);
    let mut subtrees = Vec::new();
    for one in waiting {
        let (stream, lseq) = (one.body.stream, one.body.lseq);
        let head = heads.get(&stream);
        if lseq != head.map_or(0, |(lseq, _)| lseq + 1) {
            continue;
        }
        let prev = head.map_or(Hash::ZERO, |(_, leaf)| *leaf);
        let placed = sequencer
            .append(one.body, prev)
            .map_err(|error| corrupt(&error))?;
        heads.insert(stream, (lseq, placed.leaf));
        arrivals.push(one.arrival);
        seqs.push(signed(placed.event.seq)?);
        leaves.push(placed.leaf.as_bytes().to_vec());
        texts.push(placed.canonical);
        subtrees.extend(placed.subtrees);
    }
    let values: [&(dyn ToSql + Sync); 4] = [&arrivals, &seqs, &leaves, &texts];
    let count = execute(change, PLACE, &values).await?;
    if count != u64::try_from(arrivals.len()).unwrap_or_default() {
        return Err(StoreError::Conflict);
    }
    for (subtree, hash) in subtrees {
        put_subtree(change, subtree, &hash).await?;
    }
    write_tree(change, sequencer.range(), before).await?;
    Ok(count)
}

/// Keeps the hash of a subtree that is complete now.
async fn put_subtree(
    change: &Transaction<'_>,
    subtree: Subtree,
    hash: &Hash,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO subtree (level, idx, hash) VALUES ($1, $2, $3) \
               ON CONFLICT (level, idx) DO UPDATE SET hash = excluded.hash";
    let (level, index) = (i64::from(subtree.level), signed(subtree.index)?);
    let values: [&(dyn ToSql + Sync); 3] = [&level, &index, &hash.as_bytes().as_slice()];
    execute(change, sql, &values).await.map(drop)
}

/// Every kept hash.
pub(super) const SUBTREES: &str = "SELECT level, idx, hash FROM subtree";

/// A row of [`SUBTREES`].
pub(super) fn subtree(row: &Row) -> Result<(Subtree, Vec<u8>), StoreError> {
    let level = u32::try_from(column::<i64>(row, 0)?).unwrap_or(u32::MAX);
    let index = u64::try_from(column::<i64>(row, 1)?).unwrap_or(u64::MAX);
    Ok((Subtree { level, index }, bytes(row, 2)?))
}

/// Compare and set on the size: a sequencer that lost its place writes nothing.
async fn write_tree(
    change: &Transaction<'_>,
    range: &CompactRange,
    before: u64,
) -> Result<(), StoreError> {
    let hashes = range.hashes().iter().flat_map(|hash| *hash.as_bytes());
    let hashes: Vec<u8> = hashes.collect();
    let values: [&(dyn ToSql + Sync); 3] = [&signed(range.size())?, &hashes, &signed(before)?];
    match execute(change, GROW, &values).await? {
        1 => Ok(()),
        _ => Err(StoreError::Conflict),
    }
}

pub(super) async fn read_tree(
    client: &impl GenericClient,
    locked: bool,
) -> Result<CompactRange, StoreError> {
    let sql = if locked {
        "SELECT size, hashes FROM tree WHERE id = 1 FOR UPDATE"
    } else {
        "SELECT size, hashes FROM tree WHERE id = 1"
    };
    let found = rows(client, sql, &[]).await?;
    let row = found.first();
    let row = row.ok_or_else(|| StoreError::Corrupt("the tree's row is missing".to_owned()))?;
    let (size, hashes): (i64, &[u8]) = (column(row, 0)?, column(row, 1)?);
    let hashes = hashes
        .chunks_exact(32)
        .filter_map(|chunk| chunk.try_into().ok());
    CompactRange::from_parts(unsigned(size)?, hashes.map(Hash::from_bytes).collect())
        .map_err(|error| StoreError::Corrupt(error.to_string()))
}

pub(super) fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Corrupt("a count is negative".to_owned()))
}

pub(super) fn signed(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Corrupt("a count is out of range".to_owned()))
}
