//! The ledger as feeds read it: what has its place.

use std::collections::BTreeSet;

use audit_core::{Event, StreamKey};
use deadpool_postgres::GenericClient;
use letter_delivery::{
    CopyRecord, InboundRecord, LedgerEntry, LedgerPage, LetterRecord, RefKind, StoreError,
};

use super::Inner;
use super::connect::one;
use super::keys::bytes;
use super::lists::{column, moment, opened, read_copy, read_letter, record, reference, rows};

/// An event with what is known of it, its document's number still sealed.
struct Found {
    event: Event,
    before: Option<String>,
    letter: LetterRecord,
    copy: Option<CopyRecord>,
    document: Option<Vec<u8>>,
}

/// A stretch of the ledger, with what is known of the letters in it.
pub(super) async fn entries(
    inner: &Inner,
    from: u64,
    limit: usize,
) -> Result<LedgerPage, StoreError> {
    let mut client = one(&inner.pool).await?;
    let moment = moment(&mut client).await?;
    let sql = "SELECT bytes FROM event WHERE seq >= $1 ORDER BY seq LIMIT $2";
    let first = i64::try_from(from).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let (mut next, mut found) = (from, Vec::new());
    for row in rows(&moment, sql, &[&first, &limit]).await? {
        let event = read(&bytes(&row, 0)?)?;
        next = event.seq.saturating_add(1);
        found.extend(with_records(&moment, event).await?);
    }
    let sql = "SELECT coalesce(max(seq) + 1, 0) FROM event WHERE seq IS NOT NULL";
    let end = rows(&moment, sql, &[]).await?;
    let end: i64 = end.first().map_or(Ok(0), |row| column(row, 0))?;
    let letters: BTreeSet<_> = found.iter().map(|one| one.letter.key).collect();
    let keys = inner.keys.read(&letters).await?;
    let entries = found.into_iter().map(|one| {
        let document = one.document;
        let document = document.map(|sealed| opened(&keys, one.letter.key, &sealed));
        let document = document.transpose()?.flatten();
        Ok(LedgerEntry::new(
            one.event, one.before, one.letter, one.copy, document,
        ))
    });
    let entries: Result<_, StoreError> = entries.collect();
    let end = u64::try_from(end).unwrap_or_default();
    Ok(LedgerPage::new(entries?, next, end))
}

fn read(bytes: &[u8]) -> Result<Event, StoreError> {
    Event::parse(bytes)
        .map_err(|error| StoreError::Corrupt(format!("an event cannot be read: {error}")))
}

/// Nothing for what is about no letter.
async fn with_records(
    client: &impl GenericClient,
    event: Event,
) -> Result<Option<Found>, StoreError> {
    let stream = event.body.stream;
    let copy = match event.body.copy {
        Some(_) => read_copy(client, stream).await?,
        None => None,
    };
    let key = copy.as_ref().map_or(stream, |copy| copy.letter);
    let Some(letter) = read_letter(client, key).await? else {
        return Ok(None);
    };
    let before = state_before(client, &event).await?;
    let document = reference(client, key, RefKind::Document).await?;
    Ok(Some(Found {
        event,
        before,
        letter,
        copy,
        document,
    }))
}

async fn state_before(
    client: &impl GenericClient,
    event: &Event,
) -> Result<Option<String>, StoreError> {
    let Some(lseq) = event.body.lseq.checked_sub(1) else {
        return Ok(None);
    };
    let lseq = i64::try_from(lseq).unwrap_or(i64::MAX);
    let sql = "SELECT bytes FROM event WHERE stream = $1 AND lseq = $2 AND seq IS NOT NULL";
    let stream = event.body.stream;
    let found = rows(client, sql, &[&stream.as_bytes().as_slice(), &lseq]).await?;
    let Some(row) = found.first() else {
        return Ok(None);
    };
    Ok(Some(read(&bytes(row, 0)?)?.body.state))
}

pub(super) async fn cursor(inner: &Inner, feed: &str) -> Result<Option<u64>, StoreError> {
    let client = one(&inner.pool).await?;
    let sql = "SELECT next FROM feed WHERE name = $1";
    let found = rows(&client, sql, &[&feed]).await?;
    let next: Option<i64> = found.first().map(|row| column(row, 0)).transpose()?;
    let out = |_| StoreError::Corrupt("a count is negative".to_owned());
    next.map(|next| u64::try_from(next).map_err(out))
        .transpose()
}

pub(super) async fn inbound(
    inner: &Inner,
    key: StreamKey,
) -> Result<Option<InboundRecord>, StoreError> {
    let client = one(&inner.pool).await?;
    let sql = "SELECT record FROM inbound WHERE key = $1";
    let found = rows(&client, sql, &[&key.as_bytes().as_slice()]).await?;
    found.first().map(record).transpose()
}

/// `RECEIVED` comes before `HELD` when the alphabet is read backwards.
pub(super) async fn inbound_open(
    inner: &Inner,
    limit: usize,
) -> Result<Vec<InboundRecord>, StoreError> {
    let client = one(&inner.pool).await?;
    let sql = "SELECT record FROM inbound WHERE state <> 'HANDED_OVER' \
         ORDER BY state COLLATE \"C\" DESC, next_at, key LIMIT $1";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = rows(&client, sql, &[&limit]).await?;
    found.iter().map(record).collect()
}
