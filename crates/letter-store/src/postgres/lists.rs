//! What the engine and the screens read.

use std::collections::BTreeSet;

use audit_core::StreamKey;
use deadpool_postgres::{GenericClient, Object, Transaction};
use letter_delivery::{
    CopyRecord, DocumentKey, DocumentView, HandOverAnswer, LetterDetails, LetterRecord, LocalId,
    PayloadId, RefKind, StoreError,
};
use nhs_types::Sensitive;
use serde::de::DeserializeOwned;
use tokio_postgres::types::ToSql;
use tokio_postgres::{IsolationLevel, Row};

use super::Inner;
use super::claim::time;
use super::connect::one;
use super::fault::store_error;
use super::keys::{LetterKeys, bytes, fixed, stream};
use crate::search::{self, Ask, Way};
use crate::views::{LetterView, StatusFilter, parse};

/// The rows of a statement that is prepared once for each connection.
pub(super) async fn rows(
    client: &impl GenericClient,
    sql: &str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, StoreError> {
    let rows = async {
        let statement = client.prepare_cached(sql).await?;
        client.query(&statement, values).await
    };
    rows.await.map_err(|error| store_error(&error))
}

/// One moment of the store, whatever is written meanwhile.
pub(super) async fn moment(client: &mut Object) -> Result<Transaction<'_>, StoreError> {
    client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await
        .map_err(|error| store_error(&error))
}

pub(super) fn column<'a, T: tokio_postgres::types::FromSql<'a>>(
    row: &'a Row,
    index: usize,
) -> Result<T, StoreError> {
    row.try_get(index).map_err(|error| store_error(&error))
}

pub(super) fn record<T: DeserializeOwned>(row: &Row) -> Result<T, StoreError> {
    parse(column(row, 0)?)
}

pub(super) async fn letters(
    inner: &Inner,
    filter: &StatusFilter,
) -> Result<Vec<LetterView>, StoreError> {
    let mut client = one(&inner.pool).await?;
    let moment = moment(&mut client).await?;
    let mut found = Vec::new();
    for key in candidates(&moment, filter).await? {
        let Some(letter) = read_letter(&moment, key).await? else {
            continue;
        };
        let copies = copies_of(&moment, key).await?;
        if let Some(copies) = filter.shown(&letter, copies) {
            let document = reference(&moment, key, RefKind::Document).await?;
            found.push((letter, copies, document));
        }
        if search::is_full(filter, found.len()) {
            break;
        }
    }
    let named = found.iter().map(|(letter, ..)| letter.key);
    let keys = inner.keys.read(&named.collect()).await?;
    let mut views = Vec::with_capacity(found.len());
    for (letter, copies, document) in found {
        let document = document.map(|sealed| opened(&keys, letter.key, &sealed));
        views.push(LetterView {
            letter,
            copies,
            document: document.transpose()?.flatten(),
        });
    }
    search::sort(filter, &mut views);
    Ok(views)
}

/// The letters that may be shown, each once.
async fn candidates(
    client: &impl GenericClient,
    filter: &StatusFilter,
) -> Result<Vec<StreamKey>, StoreError> {
    if let Some(letter) = filter.letter {
        return Ok(vec![letter]);
    }
    let mut ways = search::ways(filter);
    let limit = search::limit(&ways, filter);
    if ways.len() > 1 {
        let mut found = Vec::with_capacity(ways.len());
        for way in &ways {
            found.push(way_keys(client, way, search::PROBED).await?.len());
        }
        ways = vec![search::shortest(ways, &found)?];
    }
    let mut met = BTreeSet::new();
    let mut all = Vec::new();
    for way in &ways {
        let found = way_keys(client, way, limit).await?.into_iter();
        all.extend(found.filter(|key| met.insert(*key)));
    }
    Ok(all)
}

async fn way_keys(
    client: &impl GenericClient,
    way: &Way,
    limit: i64,
) -> Result<Vec<StreamKey>, StoreError> {
    let mut keys = Vec::new();
    for ask in &way.asks {
        let found = match ask {
            Ask::Time(from, before) => rows(client, question(ask), &[from, before, &limit]).await?,
            Ask::LettersNeed | Ask::CopiesNeed => rows(client, question(ask), &[&limit]).await?,
            Ask::Practice(text)
            | Ask::LettersIn(text)
            | Ask::CopiesIn(text)
            | Ask::Source(text)
            | Ask::Class(text) => rows(client, question(ask), &[text, &limit]).await?,
        };
        for row in &found {
            keys.push(stream(row, 0)?);
        }
    }
    Ok(keys)
}

/// Each begins at an index and stops at its limit, the last parameter.
const fn question(ask: &Ask) -> &'static str {
    match ask {
        Ask::Practice(_) => "SELECT letter FROM copy WHERE practice = $1 LIMIT $2",
        Ask::Time(..) => {
            "SELECT key FROM letter WHERE taken_at >= $1 AND taken_at < $2 \
             ORDER BY taken_at DESC LIMIT $3"
        }
        Ask::LettersNeed => "SELECT key FROM letter WHERE needs_person ORDER BY act_by LIMIT $1",
        Ask::CopiesNeed => "SELECT letter FROM copy WHERE needs_person ORDER BY act_by LIMIT $1",
        Ask::LettersIn(_) => {
            "SELECT key FROM letter WHERE state = $1 ORDER BY taken_at DESC LIMIT $2"
        }
        Ask::CopiesIn(_) => "SELECT letter FROM copy WHERE state = $1 LIMIT $2",
        Ask::Source(_) => {
            "SELECT key FROM letter WHERE record::json ->> 'source' = $1 \
             ORDER BY taken_at DESC LIMIT $2"
        }
        Ask::Class(_) => {
            "SELECT key FROM letter WHERE record::json ->> 'class' = $1 \
             ORDER BY taken_at DESC LIMIT $2"
        }
    }
}

/// The document's number, unless the letter's key is gone.
pub(super) fn opened(
    keys: &LetterKeys<'_>,
    letter: StreamKey,
    sealed: &[u8],
) -> Result<Option<Sensitive<String>>, StoreError> {
    if !keys.has(letter) {
        return Ok(None);
    }
    let plain = keys.open(letter, sealed, RefKind::Document.as_str().as_bytes())?;
    Ok(String::from_utf8(plain.to_vec()).ok().map(Sensitive::new))
}

pub(super) async fn reference(
    client: &impl GenericClient,
    letter: StreamKey,
    kind: RefKind,
) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = "SELECT sealed FROM letter_ref WHERE letter = $1 AND kind = $2 LIMIT 1";
    let found = rows(
        client,
        sql,
        &[&letter.as_bytes().as_slice(), &kind.as_str()],
    )
    .await?;
    found.first().map(|row| bytes(row, 0)).transpose()
}

pub(super) async fn read_letter(
    client: &impl GenericClient,
    key: StreamKey,
) -> Result<Option<LetterRecord>, StoreError> {
    let sql = "SELECT record FROM letter WHERE key = $1";
    let found = rows(client, sql, &[&key.as_bytes().as_slice()]).await?;
    found.first().map(record).transpose()
}

pub(super) async fn read_copy(
    client: &impl GenericClient,
    key: StreamKey,
) -> Result<Option<CopyRecord>, StoreError> {
    let sql = "SELECT record FROM copy WHERE key = $1";
    let found = rows(client, sql, &[&key.as_bytes().as_slice()]).await?;
    found.first().map(record).transpose()
}

async fn copies_of(
    client: &impl GenericClient,
    letter: StreamKey,
) -> Result<Vec<CopyRecord>, StoreError> {
    let sql = "SELECT record FROM copy WHERE letter = $1 ORDER BY number";
    let found = rows(client, sql, &[&letter.as_bytes().as_slice()]).await?;
    found.iter().map(record).collect()
}

pub(super) async fn document(
    inner: &Inner,
    key: DocumentKey,
) -> Result<Option<DocumentView>, StoreError> {
    let mut client = one(&inner.pool).await?;
    let moment = moment(&mut client).await?;
    let sql = "SELECT latest, letter, content FROM document WHERE key = $1";
    let found = rows(&moment, sql, &[&key.as_bytes().as_slice()]).await?;
    let Some(row) = found.first() else {
        return Ok(None);
    };
    let latest: i64 = column(row, 0)?;
    let latest = u32::try_from(latest)
        .map_err(|_| StoreError::Corrupt("a count is out of range".to_owned()))?;
    let key = stream(row, 1)?;
    let letter = read_letter(&moment, key)
        .await?
        .ok_or_else(|| StoreError::Corrupt("a document without its letter".to_owned()))?;
    let copies = copies_of(&moment, key).await?;
    Ok(Some(DocumentView::new(
        latest,
        fixed(row, 2)?,
        letter,
        copies,
    )))
}

/// A message id is surer than a local id, which several messages may share.
pub(super) async fn copy_by_message(
    inner: &Inner,
    message_id: Option<&str>,
    local_id: Option<&LocalId>,
) -> Result<Option<CopyRecord>, StoreError> {
    let client = one(&inner.pool).await?;
    let by_message = "SELECT record FROM copy WHERE message_id = $1";
    let by_local = "SELECT record FROM copy WHERE local_id = $1";
    let values = [
        (by_message, message_id),
        (by_local, local_id.map(LocalId::as_str)),
    ];
    for (sql, value) in values {
        let Some(value) = value else { continue };
        if let Some(row) = rows(&client, sql, &[&value]).await?.first() {
            return record(row).map(Some);
        }
    }
    Ok(None)
}

pub(super) async fn payload(
    inner: &Inner,
    letter: StreamKey,
    id: PayloadId,
) -> Result<Vec<u8>, StoreError> {
    let client = one(&inner.pool).await?;
    let sql = "SELECT sealed FROM payload WHERE id = $1";
    let found = rows(&client, sql, &[&id.as_bytes().as_slice()]).await?;
    drop(client);
    let row = found.first();
    let row = row.ok_or_else(|| StoreError::Corrupt("a content is missing".to_owned()))?;
    let keys = inner.keys.read(&BTreeSet::from([letter])).await?;
    let plain = keys.open(letter, column(row, 0)?, id.as_bytes())?;
    Ok(plain.get(16..).unwrap_or_default().to_vec())
}

pub(super) async fn find(
    inner: &Inner,
    kind: RefKind,
    index: [u8; 32],
) -> Result<Vec<StreamKey>, StoreError> {
    let client = one(&inner.pool).await?;
    let sql = "SELECT letter FROM letter_ref WHERE kind = $1 AND idx = $2 ORDER BY letter";
    let found = rows(&client, sql, &[&kind.as_str(), &index.as_slice()]).await?;
    found.iter().map(|row| stream(row, 0)).collect()
}

pub(super) async fn history(inner: &Inner, stream: StreamKey) -> Result<Vec<Vec<u8>>, StoreError> {
    history_at(&one(&inner.pool).await?, stream).await
}

pub(super) async fn history_at(
    client: &impl GenericClient,
    stream: StreamKey,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let sql = "SELECT bytes FROM event WHERE stream = $1 AND seq IS NOT NULL ORDER BY lseq";
    let found = rows(client, sql, &[&stream.as_bytes().as_slice()]).await?;
    found.iter().map(|row| bytes(row, 0)).collect()
}

/// A letter with its copies, as its source may ask for it.
pub(super) async fn details(
    inner: &Inner,
    key: StreamKey,
) -> Result<Option<LetterDetails>, StoreError> {
    let mut client = one(&inner.pool).await?;
    let moment = moment(&mut client).await?;
    let Some(letter) = read_letter(&moment, key).await? else {
        return Ok(None);
    };
    let copies = copies_of(&moment, key).await?;
    let sealed = reference(&moment, key, RefKind::Document).await?;
    let keys = inner.keys.read(&BTreeSet::from([key])).await?;
    let document = sealed
        .map(|sealed| opened(&keys, key, &sealed))
        .transpose()?;
    Ok(Some(LetterDetails::new(letter, copies, document.flatten())))
}

pub(super) async fn answer(
    inner: &Inner,
    key: [u8; 32],
) -> Result<Option<HandOverAnswer>, StoreError> {
    let client = one(&inner.pool).await?;
    let sql = "SELECT content, status, body, at FROM answer WHERE key = $1";
    let found = rows(&client, sql, &[&key.as_slice()]).await?;
    let Some(row) = found.first() else {
        return Ok(None);
    };
    let status = u16::try_from(column::<i64>(row, 1)?)
        .map_err(|_| StoreError::Corrupt("a status out of range".to_owned()))?;
    let (content, at) = (fixed(row, 0)?, time(column(row, 3)?)?);
    Ok(Some(HandOverAnswer::new(
        key,
        content,
        status,
        column(row, 2)?,
        at,
    )))
}

pub(super) async fn seen(
    inner: &Inner,
    mailbox: &str,
    message_ids: &[String],
) -> Result<Vec<Option<bool>>, StoreError> {
    let client = one(&inner.pool).await?;
    let sql = "SELECT message_id, ours FROM seen WHERE mailbox = $1 AND message_id = ANY($2)";
    let found = rows(&client, sql, &[&mailbox, &message_ids]).await?;
    let mut known = std::collections::BTreeMap::new();
    for row in &found {
        known.insert(column::<String>(row, 0)?, column::<bool>(row, 1)?);
    }
    Ok(message_ids
        .iter()
        .map(|id| known.get(id).copied())
        .collect())
}
