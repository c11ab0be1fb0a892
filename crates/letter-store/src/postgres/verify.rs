//! Reads a whole store, at one moment, for its verification.

use std::collections::BTreeSet;
use std::pin::pin;

use audit_core::{Hash, StreamKey, Verifier};
use deadpool_postgres::{GenericClient, Transaction};
use futures_util::TryStreamExt as _;
use letter_delivery::StoreError;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::Inner;
use super::connect::one;
use super::erase;
use super::fault::store_error;
use super::keys::{bytes, fixed, stream};
use super::lists::{column, history_at, moment, rows};
use super::row::{Value, mac, tables as tables_with_digest, values};
use super::schema::{Opening, key_check};
use super::sequencer::{IS_HELD, SUBTREES, Waiting, proven, read_tree, subtree};
use crate::verify::{
    Check, EventRow, Queue, RecordRow, References, STRAYS, StoreVerification, VerifyAgainst,
};

/// How many damaged rows of a table are told one by one.
const ROWS_TOLD_MAX: usize = 100;

/// How many contents are read at a time, with the keys that open them.
const CONTENTS: i64 = 64;

/// How long an event may wait for its place while a sequencer runs, in seconds (design 2).
pub(super) const UNSEQUENCED_AGE_SECONDS: f64 = 10.0;

const EVENTS: &str =
    "SELECT seq, stream, lseq, leaf, bytes FROM event WHERE seq IS NOT NULL ORDER BY seq";

const WAITING: &str = "SELECT stream, lseq, id, bytes, mac, arrival, \
     extract(epoch FROM clock_timestamp() - since)::float8 FROM event \
     WHERE seq IS NULL ORDER BY arrival";

const PAYLOADS: &str = "SELECT id, letter, sealed FROM payload \
     WHERE $1::bytea IS NULL OR id > $1 ORDER BY id LIMIT $2";

pub(super) async fn verify(
    inner: &Inner,
    against: VerifyAgainst,
    outside: &[String],
) -> Result<StoreVerification, StoreError> {
    let mut client = one(&inner.pool).await?;
    let moment = moment(&mut client).await?;
    let mut check = Check::default();
    tables(&mut check, inner, &moment).await?;
    let stored = "SELECT note FROM checkpoint ORDER BY size";
    let stored = read(&mut check, &moment, stored, |row| column(row, 0)).await;
    let ledger = history_at(&moment, StreamKey::LEDGER).await;
    let ledger = check.or_fault(ledger);
    check.restores(&ledger);
    let mut verifier = check.verifier(against, stored, outside);
    let subtrees = read(&mut check, &moment, SUBTREES, subtree).await;
    check.subtrees(subtrees);
    if let Err(error) = events(&mut check, &moment, &mut verifier).await {
        let what = format!("events cannot be read to the end: {error}");
        check.fault("V1", None, what);
    }
    let tree = read_tree(&moment, false).await;
    let placed = tree.as_ref().map_or(0, audit_core::CompactRange::size);
    let unsequenced = waiting(&mut check, inner, &moment, placed).await?;
    records(&mut check, &moment).await;
    if let Err(error) = contents(&mut check, inner, &moment).await {
        let what = format!("contents cannot be read to the end: {error}");
        check.fault("V1", None, what);
    }
    check.contents_end();
    erasures(&mut check, inner, &moment).await;
    let mut verification = check.finish(verifier, tree);
    verification.unsequenced = unsequenced;
    Ok(verification)
}

/// V1: the tables are ours, the key is the one it was made with, the rows have their digests.
async fn tables(
    check: &mut Check,
    inner: &Inner,
    moment: &Transaction<'_>,
) -> Result<(), StoreError> {
    let opening = Opening {
        place: &inner.place,
        rows: &inner.rows,
    };
    let failed = |error| store_error(&error);
    if !opening.is_as_made(moment).await.map_err(failed)? {
        check.fault("V1", None, "the tables are not those of this version");
    }
    let proof = key_check(moment).await.map_err(failed)?;
    if !proof.is_some_and(|sealed| inner.keys.cipher().proves(&sealed)) {
        check.fault("V1", None, "the proof of the store's key is missing");
    }
    for (table, columns) in tables_with_digest() {
        if let Err(error) = row_digests(check, inner, moment, table, columns).await {
            check.fault("V1", None, error.to_string());
        }
    }
    Ok(())
}

/// V1: the digest kept with each row.
async fn row_digests(
    check: &mut Check,
    inner: &Inner,
    moment: &Transaction<'_>,
    table: &str,
    columns: &str,
) -> Result<(), StoreError> {
    let sql = format!("SELECT {columns}, mac FROM {table}");
    let mut told = 0;
    each(moment, &sql, |row| {
        let mut values = values(row)?;
        let held = values.pop();
        if held != Some(Value::Blob(mac(&inner.rows, table, &values))) && told < ROWS_TOLD_MAX {
            told += 1;
            let key = values.first().map_or_else(String::new, shown);
            let what = format!("a row of {table} was changed by something else: {key}");
            check.fault("V1", None, what);
        }
        Ok(())
    })
    .await
}

/// The first value of a row: its key, a pseudonym.
fn shown(value: &Value) -> String {
    match value {
        Value::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        Value::Text(text) => text.bytes().map(|byte| format!("{byte:02x}")).collect(),
        _ => "its key cannot be shown".to_owned(),
    }
}

/// Takes row after row, without holding all of them.
async fn each(
    moment: &Transaction<'_>,
    sql: &str,
    mut take: impl FnMut(&Row) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let failed = |error| store_error(&error);
    let none: [&(dyn ToSql + Sync); 0] = [];
    let rows = moment.query_raw(sql, none).await.map_err(failed)?;
    let mut rows = pin!(rows);
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        take(&row)?;
    }
    Ok(())
}

/// Rows of a query; what cannot be read is a fault.
async fn read<T>(
    check: &mut Check,
    moment: &Transaction<'_>,
    sql: &str,
    read: impl Fn(&Row) -> Result<T, StoreError>,
) -> Vec<T> {
    let found = rows(moment, sql, &[]).await;
    let found = found.and_then(|rows| rows.iter().map(read).collect());
    check.or_fault(found)
}

async fn events(
    check: &mut Check,
    moment: &Transaction<'_>,
    verifier: &mut Verifier,
) -> Result<(), StoreError> {
    each(moment, EVENTS, |row| {
        let leaf: Option<&[u8]> = column(row, 3)?;
        let row = EventRow {
            seq: u64::try_from(column::<i64>(row, 0)?).unwrap_or_default(),
            stream: column(row, 1)?,
            lseq: Some(column(row, 2)?),
            leaf: leaf.unwrap_or_default(),
            bytes: column(row, 4)?,
        };
        check.event(&row, verifier);
        Ok(())
    })
    .await
}

/// The events without a place: each as it was stored, and none for long while a sequencer runs.
async fn waiting(
    check: &mut Check,
    inner: &Inner,
    moment: &Transaction<'_>,
    placed: u64,
) -> Result<u64, StoreError> {
    let runs = rows(moment, IS_HELD, &[]).await?;
    let runs = runs
        .first()
        .is_some_and(|row| column(row, 0).unwrap_or(false));
    let mut next = placed;
    let mut oldest: f64 = 0.0;
    for row in rows(moment, WAITING, &[]).await? {
        oldest = oldest.max(column(&row, 6)?);
        match proven(inner, &row)? {
            Some(Waiting { body, .. }) => check.follow(&body.sequenced(next, Hash::ZERO)),
            None => {
                let key = shown(&Value::Blob(bytes(&row, 0)?));
                let what = format!("an event without a place was changed: of stream {key}");
                check.fault("V1", None, what);
            }
        }
        next += 1;
    }
    if runs && oldest > UNSEQUENCED_AGE_SECONDS {
        let what = format!("an event has waited {oldest:.0} s for its place, and a sequencer runs");
        check.fault("V3", None, what);
    }
    Ok(next - placed)
}

async fn records(check: &mut Check, moment: &Transaction<'_>) {
    let pair = |row: &Row| Ok((bytes(row, 0)?, column(row, 1)?));
    let work = read(check, moment, "SELECT stream, kind FROM work", pair).await;
    let work = Queue::new(work);
    let references = "SELECT letter, kind FROM letter_ref";
    let references = References::new(read(check, moment, references, pair).await);
    let letters = "SELECT key, state, record FROM letter";
    let taken = each(moment, letters, |row| {
        check.letter(&record(row)?, &references, &work);
        Ok(())
    });
    let taken = taken.await;
    check.or_fault(taken);
    let copies = "SELECT key, state, record FROM copy";
    let taken = each(moment, copies, |row| {
        check.copy(&record(row)?, &work);
        Ok(())
    });
    let taken = taken.await;
    check.or_fault(taken);
    let stops = "SELECT record FROM stop ORDER BY id";
    for stop in read(check, moment, stops, |row| column::<String>(row, 0)).await {
        check.stop(&stop);
    }
    let inbound = "SELECT key, state, record FROM inbound";
    let taken = each(moment, inbound, |row| {
        check.inbound(&record(row)?);
        Ok(())
    });
    let taken = taken.await;
    check.or_fault(taken);
    for (sql, what) in STRAYS {
        for key in read(check, moment, sql, |row| bytes(row, 0)).await {
            check.stray(what, key);
        }
    }
    let seen = read(check, moment, "SELECT message_id FROM seen", |row| {
        column(row, 0)
    })
    .await;
    check.seen(&seen);
    check.seen_end();
}

/// V11: the key of what was erased is gone.
async fn erasures(check: &mut Check, inner: &Inner, moment: &Transaction<'_>) {
    let sql = "SELECT letter FROM erasure WHERE NOT done";
    for letter in read(check, moment, sql, |row| stream(row, 0)).await {
        let what = format!("letter {letter} is erased, and its key is not destroyed yet");
        check.fault("V11", None, what);
    }
    let returned = erase::find_returned(inner, moment).await;
    for (letter, _) in check.or_fault(returned) {
        let what = format!("letter {letter} is erased, and its key came back");
        check.fault("V11", None, what);
    }
}

fn record(row: &Row) -> Result<RecordRow, StoreError> {
    Ok(RecordRow {
        key: column(row, 0)?,
        state: column(row, 1)?,
        record: column(row, 2)?,
    })
}

async fn contents(
    check: &mut Check,
    inner: &Inner,
    moment: &Transaction<'_>,
) -> Result<(), StoreError> {
    let mut after: Option<Vec<u8>> = None;
    loop {
        let found = rows(moment, PAYLOADS, &[&after, &CONTENTS]).await?;
        let letters = found.iter().map(|row| stream(row, 1));
        let letters: BTreeSet<StreamKey> = letters.collect::<Result<_, _>>()?;
        let keys = inner.keys.read(&letters).await?;
        for row in &found {
            let (id, letter): ([u8; 16], _) = (fixed(row, 0)?, stream(row, 1)?);
            check.content(id, letter, keys.open(letter, column(row, 2)?, &id));
        }
        match found.last() {
            Some(last) => after = Some(bytes(last, 0)?),
            None => return Ok(()),
        }
    }
}
