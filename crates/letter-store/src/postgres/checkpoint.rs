//! Signed checkpoints, in the store and in the file outside.

use std::path::Path;

use audit_core::{Checkpoint, Origin, Signer};
use chrono::{DateTime, Utc};
use deadpool_postgres::GenericClient;
use letter_delivery::StoreError;
use tokio_postgres::types::ToSql;

use super::Inner;
use super::connect::one;
use super::fault::store_error;
use super::lists::{column, moment, rows};
use super::row::{Value, mac};
use super::sequencer::{read_tree, signed, unsigned};
use crate::views::Tree;
use crate::{OpenError, notes};

pub(super) async fn tree(inner: &Inner) -> Result<Tree, StoreError> {
    let mut client = one(&inner.pool).await?;
    let moment = moment(&mut client).await?;
    tree_of(&moment, false).await
}

pub(super) async fn tree_of(client: &impl GenericClient, locked: bool) -> Result<Tree, StoreError> {
    let range = read_tree(client, locked).await?;
    let found = rows(client, "SELECT max(size) FROM checkpoint", &[]).await?;
    let signed: Option<i64> = match found.first() {
        Some(row) => column(row, 0)?,
        None => None,
    };
    Ok(Tree {
        size: range.size(),
        root: range.root(),
        signed_size: signed.map(unsigned).transpose()?,
    })
}

/// The lock on the tree's row lets one process sign at a time, and nothing grow meanwhile.
pub(super) async fn sign(
    inner: &Inner,
    signer: &Signer,
    now: DateTime<Utc>,
) -> Result<Option<String>, StoreError> {
    let failed = |error| store_error(&error);
    let mut client = one(&inner.pool).await?;
    let change = client.transaction().await.map_err(failed)?;
    let tree = tree_of(&change, true).await?;
    if tree.size == 0 || tree.signed_size == Some(tree.size) {
        return Ok(None);
    }
    let origin =
        Origin::parse(signer.name()).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let next = Checkpoint {
        origin,
        size: tree.size,
        root: tree.root,
    };
    if let Some(file) = &inner.notes {
        notes::require_follows(file, &next)?;
    }
    let note = signer.sign(&next).to_text();
    put(inner, &change, tree.size, &note, now).await?;
    change.commit().await.map_err(failed)?;
    Ok(Some(note))
}

/// What a signer elsewhere is asked to sign; nothing when all is signed.
pub(super) async fn to_sign(
    inner: &Inner,
    origin: Origin,
) -> Result<Option<Checkpoint>, StoreError> {
    let tree = tree(inner).await?;
    if tree.size == 0 || tree.signed_size == Some(tree.size) {
        return Ok(None);
    }
    let next = Checkpoint {
        origin,
        size: tree.size,
        root: tree.root,
    };
    if let Some(file) = &inner.notes {
        notes::require_follows(file, &next)?;
    }
    Ok(Some(next))
}

/// Keeps what it signed; a note over as many events that is there already stays.
pub(super) async fn keep(
    inner: &Inner,
    size: u64,
    note: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let client = one(&inner.pool).await?;
    put(inner, &client, size, note, now).await
}

async fn put(
    inner: &Inner,
    client: &impl GenericClient,
    size: u64,
    note: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (size, at) = (signed(size)?, now.timestamp_millis());
    let row = [Value::Integer(size), Value::Integer(at), Value::text(note)];
    let mac = mac(&inner.rows, "checkpoint", &row);
    let sql = "INSERT INTO checkpoint (size, at, note, mac) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (size) DO NOTHING";
    let values: [&(dyn ToSql + Sync); 4] = [&size, &at, &note, &mac];
    let put = client.execute(sql, &values).await;
    put.map(drop).map_err(|error| store_error(&error))
}

pub(super) async fn latest(inner: &Inner) -> Result<Option<String>, StoreError> {
    let client = one(&inner.pool).await?;
    let sql = "SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1";
    let found = rows(&client, sql, &[]).await?;
    found.first().map(|row| column(row, 0)).transpose()
}

/// Refuses a store that is older than what it once signed, or signed otherwise.
pub(super) async fn refuse_rollback(inner: &Inner, file: &Path) -> Result<(), OpenError> {
    let unavailable = |error: StoreError| OpenError::Unreachable {
        path: inner.shown.clone().into(),
        cause: error.to_string(),
    };
    let Some((signed_size, note)) = notes::latest(file).map_err(unavailable)? else {
        return Ok(());
    };
    let known = async {
        let mut client = one(&inner.pool).await?;
        let moment = moment(&mut client).await?;
        let size = read_tree(&moment, false).await?.size();
        let sql = "SELECT note FROM checkpoint WHERE size = $1";
        let found = rows(&moment, sql, &[&signed(signed_size)?]).await?;
        let known: Option<String> = found.first().map(|row| column(row, 0)).transpose()?;
        Ok((size, known))
    };
    let (size, known) = known.await.map_err(unavailable)?;
    if size < signed_size || known != Some(note) {
        return Err(OpenError::RolledBack {
            path: inner.shown.clone().into(),
            size,
            signed: signed_size,
        });
    }
    Ok(())
}
