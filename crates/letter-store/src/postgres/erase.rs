//! A letter's key is destroyed, so that no copy of the database opens the letter any more.
//!
//! The event and the rows go first, in one transaction that also notes what is still to be done;
//! then the key. A crash between the two leaves the note, and the next opening does the rest.

use std::collections::BTreeSet;

use audit_core::StreamKey;
use deadpool_postgres::GenericClient;
use letter_delivery::{Erasure, StoreError};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::Inner;
use super::connect::one;
use super::fault::store_error;
use super::keys::stream;
use super::lists::{column, rows};
use super::row::{Value, mac};
use super::steps::Steps;
use super::work::execute;

const PENDING: &str = "SELECT letter, at FROM erasure WHERE NOT done";
const MARK: &str = "UPDATE erasure SET done = $2, mac = $3 WHERE letter = $1";
/// A letter that got something new after its erasure has a new key.
const DONE: &str = "SELECT letter, at FROM erasure e WHERE done \
     AND NOT EXISTS (SELECT 1 FROM payload p WHERE p.letter = e.letter)";

/// Takes the rows of a letter away, and notes that its key must go.
pub(super) fn put(steps: &mut Steps<'_>, erasure: &Erasure) {
    let letter = || Value::blob(erasure.letter.as_bytes());
    for sql in [
        "DELETE FROM payload WHERE letter = $1",
        "DELETE FROM letter_ref WHERE letter = $1",
    ] {
        steps.any(sql, vec![letter()]);
    }
    let row = vec![letter(), Value::time(erasure.at), Value::Flag(false)];
    steps.put("erasure", "letter", row);
}

/// Destroys the keys that are still to be destroyed.
pub(super) async fn complete(inner: &Inner) -> Result<(), StoreError> {
    let mut client = one(&inner.pool).await?;
    let pending = rows(&client, PENDING, &[]).await?;
    let pending: Vec<(StreamKey, i64)> = pending.iter().map(letter).collect::<Result<_, _>>()?;
    if pending.is_empty() {
        return Ok(());
    }
    inner.keys.destroy(&inner.rows, &pending).await?;
    let change = client.transaction().await;
    let change = change.map_err(|error| store_error(&error))?;
    for (letter, at) in pending {
        mark(inner, &change, letter, at, true).await?;
    }
    change.commit().await.map_err(|error| store_error(&error))
}

async fn mark(
    inner: &Inner,
    change: &deadpool_postgres::Transaction<'_>,
    letter: StreamKey,
    at: i64,
    done: bool,
) -> Result<(), StoreError> {
    let letter = letter.as_bytes().as_slice();
    let row = [Value::blob(letter), Value::Integer(at), Value::Flag(done)];
    let mac = mac(&inner.rows, "erasure", &row);
    let values: [&(dyn ToSql + Sync); 3] = [&letter, &done, &mac];
    execute(change, MARK, &values).await.map(drop)
}

fn letter(row: &Row) -> Result<(StreamKey, i64), StoreError> {
    Ok((stream(row, 0)?, column(row, 1)?))
}

/// Finds keys that came back, as with an older copy of the keys put in the place of the present.
pub(super) async fn find_returned(
    inner: &Inner,
    client: &impl GenericClient,
) -> Result<Vec<(StreamKey, i64)>, StoreError> {
    let erased = rows(client, DONE, &[]).await?;
    let mut erased: Vec<(StreamKey, i64)> = erased.iter().map(letter).collect::<Result<_, _>>()?;
    let letters: BTreeSet<StreamKey> = erased.iter().map(|(letter, _)| *letter).collect();
    let keys = inner.keys.read(&letters).await?;
    erased.retain(|(letter, _)| keys.has(*letter));
    Ok(erased)
}

/// Destroys the keys that came back.
pub(super) async fn again(inner: &Inner) -> Result<(), StoreError> {
    let mut client = one(&inner.pool).await?;
    let change = client.transaction().await;
    let change = change.map_err(|error| store_error(&error))?;
    for (letter, at) in find_returned(inner, &change).await? {
        mark(inner, &change, letter, at, false).await?;
    }
    change.commit().await.map_err(|error| store_error(&error))?;
    drop(client);
    complete(inner).await
}
