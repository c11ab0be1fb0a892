//! One change: bodies of events, rows, work, sealed contents, in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use audit_core::{EventBody, StreamKey};
use deadpool_postgres::Transaction;
use letter_delivery::{
    Commit, CopyRecord, DocumentChange, FeedCursor, HandOverAnswer, InboundRecord, LetterRecord,
    NewPayload, NewReference, SeenMessage, StoreError, Work, WorkChange,
};
use tokio_postgres::Error;
use zeroize::Zeroizing;

use super::Inner;
use super::connect::one;
use super::erase;
use super::fault::store_error;
use super::keys::LetterKeys;
use super::row::Value;
use super::steps::{Miss, Steps, Stopped, stopped};
use super::stops;
use super::work::Held;
use crate::carried;
use crate::views::json;

/// How often a change is tried again that lost against another transaction.
const TRIES_MAX: usize = 5;

/// How long the outcome is asked for when the answer to a commit was lost.
const ASK_FOR: std::time::Duration = std::time::Duration::from_secs(20);
const ASK_AGAIN: std::time::Duration = std::time::Duration::from_millis(250);

/// Changes of one stream go one after the other, whichever process makes them; they wait in the
/// order of the keys, so that no two wait for each other.
const LOCK: &str = "SELECT pg_advisory_xact_lock(key) FROM unnest($1::bigint[]) AS key";

/// The next place in a stream.
const NEXT: &str = "SELECT coalesce(max(lseq) + 1, 0) FROM event WHERE stream = $1";

/// The records of letters and copies as they stand.
const HELD: &str = "SELECT key, record FROM letter WHERE key = ANY($1) \
     UNION ALL SELECT key, record FROM copy WHERE key = ANY($1)";

const HAS_LEASE: &str = "SELECT 1 FROM work WHERE stream = $1 AND token = $2 FOR UPDATE";

const MOVE_DOCUMENT: &str = "SELECT 1 FROM document WHERE key = $1 AND latest = $2 FOR UPDATE";

const APPEND: &str = "INSERT INTO event (stream, lseq, id, bytes, mac) \
     SELECT $1::bytea, $2::bigint, $3::bytea, $4::bytea, $5::bytea \
     WHERE $2 = (SELECT coalesce(max(lseq) + 1, 0) FROM event WHERE stream = $1)";

/// A record that says another number of events than its stream holds was made from an old one.
const IS_CURRENT: &str = "SELECT 1 WHERE $2::bigint = \
     (SELECT coalesce(max(lseq) + 1, 0) FROM event WHERE stream = $1)";

const PUT_PAYLOAD: &str =
    "INSERT INTO payload (id, letter, kind, mac, sealed) VALUES ($1, $2, $3, $4, $5)";

/// By what a transaction is known again when its answer was lost.
enum Mark {
    /// An event, by its place and its id.
    Event {
        stream: StreamKey,
        lseq: i64,
        id: Vec<u8>,
    },
    /// The server's number of the transaction.
    Transaction(String),
}

pub(super) async fn write(inner: &Inner, commit: &Commit) -> Result<(), StoreError> {
    let letters = commit.payloads.iter().map(|payload| payload.letter);
    let references = commit.references.iter().map(|reference| reference.letter);
    let sealed: BTreeSet<StreamKey> = letters.chain(references).collect();
    // Keys first: a key that no content needs is harmless, a content without its key is lost.
    let keys = inner.keys.make(&sealed).await?;
    let mut tries = 0;
    loop {
        tries += 1;
        match write_once(inner, commit, &keys).await {
            Ok(()) => break,
            Err(Stopped::Again(_)) if tries < TRIES_MAX => {}
            Err(Stopped::Again(error) | Stopped::Failed(error)) => return Err(error),
        }
    }
    inner.wake.notify_one();
    if commit.erase.is_empty() {
        return Ok(());
    }
    erase::complete(inner).await.map_err(|error| {
        StoreError::Unavailable(format!(
            "it is recorded, and the key is destroyed when the store is next opened: {error}"
        ))
    })
}

async fn write_once(inner: &Inner, commit: &Commit, keys: &LetterKeys<'_>) -> Result<(), Stopped> {
    let mut client = one(&inner.pool).await.map_err(Stopped::Failed)?;
    let transaction = client.transaction().await;
    // A connection that died while it rested: nothing was begun, another one may do.
    let begun = |error: Error| Stopped::Again(store_error(&error));
    let transaction = transaction.map_err(begun)?;
    let mut events = placed(&transaction, commit).await.map_err(stopped)?;
    let held = held(&transaction, commit, &events).await.map_err(stopped)?;
    carried::carry(&mut events, commit, |stream| Ok(held.get(&stream).cloned()))
        .map_err(Stopped::Failed)?;
    let mut steps = Steps::new(&inner.rows);
    fill(&mut steps, commit, &events, keys).map_err(Stopped::Failed)?;
    steps.run(&transaction).await?;
    if let Some(stop) = &commit.stop {
        let freed = stops::free(inner, &transaction, stop).await;
        freed.map_err(Stopped::Failed)?;
    }
    if let Some(by) = commit.rebase {
        let moved = stops::rebase(inner, &transaction, by).await;
        moved.map_err(Stopped::Failed)?;
    }
    let mark = mark(&transaction, &events).await.map_err(stopped)?;
    match transaction.commit().await {
        Ok(()) => Ok(()),
        // The server told what became of it.
        Err(error) if told_by_a_living_server(&error) => Err(stopped(error)),
        Err(error) => {
            drop(client);
            outcome(inner, &mark, &error).await.map_err(Stopped::Failed)
        }
    }
}

/// Locks every stream of the change; notes about the ledger get their place from the store.
async fn placed(transaction: &Transaction<'_>, commit: &Commit) -> Result<Vec<EventBody>, Error> {
    let streams = streams(commit);
    let locks: BTreeSet<i64> = streams.iter().map(|stream| lock_of(*stream)).collect();
    let locks: Vec<i64> = locks.into_iter().collect();
    let lock = transaction.prepare_cached(LOCK).await?;
    transaction.execute(&lock, &[&locks]).await?;
    let mut events = commit.events.clone();
    if events.iter().any(|event| event.stream == StreamKey::LEDGER) {
        let next = transaction.prepare_cached(NEXT).await?;
        let ledger = StreamKey::LEDGER.as_bytes().as_slice();
        let next: i64 = transaction.query_one(&next, &[&ledger]).await?.try_get(0)?;
        let notes = events
            .iter_mut()
            .filter(|event| event.stream == StreamKey::LEDGER);
        for (note, lseq) in notes.zip(u64::try_from(next).unwrap_or(0)..) {
            note.lseq = lseq;
        }
    }
    Ok(events)
}

/// The records that are about to change, as they stand; a new stream has none.
async fn held(
    transaction: &Transaction<'_>,
    commit: &Commit,
    events: &[EventBody],
) -> Result<BTreeMap<StreamKey, String>, Error> {
    let letters = commit.letters.iter().map(|letter| letter.key);
    let changing: BTreeSet<_> = letters
        .chain(commit.copies.iter().map(|copy| copy.key))
        .collect();
    let new = events.iter().filter(|event| event.lseq == 0);
    let new: BTreeSet<_> = new.map(|event| event.stream).collect();
    let keys: Vec<&[u8]> = changing
        .difference(&new)
        .map(|key| key.as_bytes().as_slice())
        .collect();
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let statement = transaction.prepare_cached(HELD).await?;
    let rows = transaction.query(&statement, &[&keys]).await?;
    let mut held = BTreeMap::new();
    for row in rows {
        let key: Vec<u8> = row.try_get(0)?;
        if let Ok(key) = key.try_into() {
            held.insert(StreamKey::from_bytes(key), row.try_get(1)?);
        }
    }
    Ok(held)
}

fn streams(commit: &Commit) -> BTreeSet<StreamKey> {
    let work = commit.work.iter().map(|change| match change {
        WorkChange::Set(work) | WorkChange::Park(work) => work.stream,
        WorkChange::Done(stream) => *stream,
    });
    let events = commit.events.iter().map(|event| event.stream);
    let letters = commit.letters.iter().map(|letter| letter.key);
    let copies = commit.copies.iter().map(|copy| copy.key);
    let fence = commit.fence.iter().map(|(stream, _)| *stream);
    events
        .chain(letters)
        .chain(copies)
        .chain(work)
        .chain(fence)
        .collect()
}

/// Stream keys are pseudonyms, so their first bytes are as good as random.
fn lock_of(stream: StreamKey) -> i64 {
    let bytes = stream.as_bytes().first_chunk::<8>();
    i64::from_be_bytes(bytes.copied().unwrap_or_default())
}

fn fill(
    steps: &mut Steps<'_>,
    commit: &Commit,
    events: &[EventBody],
    keys: &LetterKeys<'_>,
) -> Result<(), StoreError> {
    if let Some((stream, token)) = &commit.fence {
        let values = vec![key(*stream), Value::blob(token.as_bytes())];
        steps.one(HAS_LEASE, values, Miss::Fenced);
    }
    if let Some(seen) = commit.stops_seen {
        stops::require_version(steps, seen);
    }
    if let Some(change) = &commit.document {
        move_document(steps, change);
    }
    for event in events {
        append(steps, event)?;
    }
    for letter in &commit.letters {
        put_letter(steps, letter)?;
    }
    for copy in &commit.copies {
        put_copy(steps, copy)?;
    }
    for change in &commit.work {
        put_work(steps, change);
    }
    if let Some(stop) = &commit.stop {
        stops::put(steps, stop)?;
    }
    for erasure in &commit.erase {
        erase::put(steps, erasure);
    }
    for payload in &commit.payloads {
        put_payload(steps, keys, payload)?;
    }
    for reference in &commit.references {
        put_reference(steps, keys, reference)?;
    }
    for message in &commit.seen {
        put_seen(steps, message);
    }
    for answer in &commit.answers {
        put_answer(steps, answer);
    }
    for inbound in &commit.inbound {
        put_inbound(steps, inbound)?;
    }
    for cursor in &commit.cursors {
        put_cursor(steps, cursor);
    }
    Ok(())
}

/// Compare and set under the row's lock: versions cannot overtake each other at intake.
fn move_document(steps: &mut Steps<'_>, change: &DocumentChange) {
    let values = vec![
        Value::blob(change.key.as_bytes()),
        Value::Integer(i64::from(change.latest)),
        key(change.letter),
        Value::blob(&change.content),
    ];
    match change.expected {
        None => steps.put_new("document", values, Some(Miss::Conflict)),
        Some(expected) => {
            let held = vec![
                Value::blob(change.key.as_bytes()),
                Value::Integer(i64::from(expected)),
            ];
            steps.one(MOVE_DOCUMENT, held, Miss::Conflict);
            steps.put("document", "key", values);
        }
    }
}

/// Stores a body without its position in the ledger, as the next of its stream.
fn append(steps: &mut Steps<'_>, body: &EventBody) -> Result<(), StoreError> {
    let bytes = body
        .to_canonical()
        .map_err(|error| StoreError::Corrupt(format!("an event has no canonical form: {error}")))?;
    let values = vec![
        key(body.stream),
        Value::Integer(signed(body.lseq)?),
        Value::blob(body.id.as_bytes()),
        Value::Blob(bytes),
    ];
    steps.one_with_mac(APPEND, "event", values, Miss::Conflict);
    Ok(())
}

fn require_current(
    steps: &mut Steps<'_>,
    stream: StreamKey,
    events: u64,
) -> Result<(), StoreError> {
    let values = vec![key(stream), Value::Integer(signed(events)?)];
    steps.one(IS_CURRENT, values, Miss::Conflict);
    Ok(())
}

fn put_letter(steps: &mut Steps<'_>, letter: &LetterRecord) -> Result<(), StoreError> {
    require_current(steps, letter.key, letter.events)?;
    let values = vec![
        key(letter.key),
        Value::blob(letter.document.as_bytes()),
        Value::Integer(i64::from(letter.version)),
        Value::text(letter.state.as_str()),
        Value::Flag(letter.needs_person()),
        Value::or_null(letter.due_at, Value::time),
        Value::or_null(letter.act_by(), Value::time),
        Value::time(letter.taken_at),
        Value::Text(json(letter)?),
    ];
    steps.put("letter", "key", values);
    Ok(())
}

fn put_copy(steps: &mut Steps<'_>, copy: &CopyRecord) -> Result<(), StoreError> {
    require_current(steps, copy.key, copy.events)?;
    let values = vec![
        key(copy.key),
        key(copy.letter),
        Value::Integer(i64::from(copy.number)),
        Value::text(copy.state.as_str()),
        Value::Flag(copy.needs_person()),
        Value::text(copy.address.practice.as_str()),
        Value::or_null(copy.message_id.as_deref(), Value::text),
        Value::text(copy.local_id.as_str()),
        Value::or_null(copy.act_by(), Value::time),
        Value::Text(json(copy)?),
    ];
    steps.put("copy", "key", values);
    Ok(())
}

fn put_work(steps: &mut Steps<'_>, change: &WorkChange) {
    match change {
        WorkChange::Set(work) => set_work(steps, work),
        WorkChange::Park(work) => {
            set_work(steps, work);
            stops::park(steps, work);
        }
        WorkChange::Done(stream) => {
            steps.any("DELETE FROM work WHERE stream = $1", vec![key(*stream)]);
        }
    }
}

fn set_work(steps: &mut Steps<'_>, work: &Work) {
    let row = Held::free(work.clone()).row();
    steps.put("work", "stream", row);
}

/// The salt of the recorded digest goes with the content: without both it cannot be confirmed.
fn put_payload(
    steps: &mut Steps<'_>,
    keys: &LetterKeys<'_>,
    payload: &NewPayload,
) -> Result<(), StoreError> {
    let mut plain = Zeroizing::new(Vec::with_capacity(16 + payload.bytes.len()));
    plain.extend_from_slice(&payload.salt);
    plain.extend_from_slice(&payload.bytes);
    let sealed = keys.seal(payload.letter, &plain, payload.id.as_bytes())?;
    let values = vec![
        Value::blob(payload.id.as_bytes()),
        key(payload.letter),
        Value::text(payload.kind.as_str()),
    ];
    steps.with_mac(PUT_PAYLOAD, "payload", values, Value::Blob(sealed));
    Ok(())
}

fn put_reference(
    steps: &mut Steps<'_>,
    keys: &LetterKeys<'_>,
    reference: &NewReference,
) -> Result<(), StoreError> {
    let about = reference.kind.as_str().as_bytes();
    let sealed = keys.seal(reference.letter, reference.value.as_bytes(), about)?;
    let values = vec![
        Value::text(reference.kind.as_str()),
        Value::blob(&reference.index),
        key(reference.letter),
        Value::Blob(sealed),
    ];
    steps.put_new("letter_ref", values, None);
    Ok(())
}

fn put_seen(steps: &mut Steps<'_>, message: &SeenMessage) {
    let values = vec![
        Value::text(&message.mailbox),
        Value::text(&message.message_id),
        Value::Flag(message.ours),
        Value::time(message.at),
    ];
    steps.put("seen", "mailbox, message_id", values);
}

/// A key is used once: whoever comes second reads what the first was told.
fn put_answer(steps: &mut Steps<'_>, answer: &HandOverAnswer) {
    let values = vec![
        Value::blob(&answer.key),
        Value::blob(&answer.content),
        Value::Integer(i64::from(answer.status)),
        Value::text(&answer.body),
        Value::time(answer.at),
    ];
    steps.put_new("answer", values, Some(Miss::Conflict));
}

fn put_inbound(steps: &mut Steps<'_>, inbound: &InboundRecord) -> Result<(), StoreError> {
    require_current(steps, inbound.key, inbound.events)?;
    let values = vec![
        key(inbound.key),
        Value::text(inbound.state.as_str()),
        Value::time(inbound.next_at),
        Value::Text(json(inbound)?),
    ];
    steps.put("inbound", "key", values);
    Ok(())
}

fn put_cursor(steps: &mut Steps<'_>, cursor: &FeedCursor) {
    let next = i64::try_from(cursor.next).unwrap_or(i64::MAX);
    let values = vec![Value::text(&cursor.feed), Value::Integer(next)];
    steps.put("feed", "name", values);
}

fn key(stream: StreamKey) -> Value {
    Value::blob(stream.as_bytes())
}

fn signed(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Corrupt("a count is out of range".to_owned()))
}

async fn mark(transaction: &Transaction<'_>, events: &[EventBody]) -> Result<Mark, Error> {
    if let Some(event) = events.first() {
        return Ok(Mark::Event {
            stream: event.stream,
            lseq: i64::try_from(event.lseq).unwrap_or(i64::MAX),
            id: event.id.as_bytes().to_vec(),
        });
    }
    let sql = "SELECT pg_current_xact_id()::text";
    let row = transaction.query_one(sql, &[]).await?;
    row.try_get(0).map(Mark::Transaction)
}

/// A backend that is ended says so too, and not what became of the change.
fn told_by_a_living_server(error: &Error) -> bool {
    error
        .code()
        .is_some_and(|code| !code.code().starts_with("57P"))
}

/// Asks what became of a transaction whose answer was lost, until that is known.
async fn outcome(inner: &Inner, mark: &Mark, lost: &Error) -> Result<(), StoreError> {
    let unknown = || {
        let told = store_error(lost);
        StoreError::Unavailable(format!(
            "{told}; whether the change was written is not known"
        ))
    };
    let until = tokio::time::Instant::now() + ASK_FOR;
    while tokio::time::Instant::now() < until {
        match ask(inner, mark).await {
            Ok(Some(true)) => return Ok(()),
            Ok(Some(false)) => return Err(store_error(lost)),
            // It is still under way, or nobody answers.
            Ok(None) | Err(_) => tokio::time::sleep(ASK_AGAIN).await,
        }
    }
    Err(unknown())
}

/// Whether it was written; `None` while the server still works on it.
async fn ask(inner: &Inner, mark: &Mark) -> Result<Option<bool>, StoreError> {
    let failed = |error| store_error(&error);
    let client = one(&inner.pool).await?;
    let row = match mark {
        Mark::Transaction(number) => {
            let sql = "SELECT pg_xact_status($1::text::xid8)";
            let row = client.query_one(sql, &[number]).await.map_err(failed)?;
            let status: Option<String> = row.try_get(0).map_err(failed)?;
            return Ok(match status.as_deref() {
                Some("committed") => Some(true),
                Some("aborted") => Some(false),
                _ => None,
            });
        }
        Mark::Event { stream, lseq, id } => {
            // The lock is free when the transaction has ended, one way or the other.
            let sql = "SELECT pg_try_advisory_xact_lock($1)";
            let is_free = client.query_one(sql, &[&lock_of(*stream)]).await;
            let sql = "SELECT EXISTS \
                       (SELECT 1 FROM event WHERE stream = $1 AND lseq = $2 AND id = $3)";
            let name = stream.as_bytes().as_slice();
            let is_there = client.query_one(sql, &[&name, lseq, id]).await;
            (is_free.map_err(failed)?, is_there.map_err(failed)?)
        }
    };
    let (is_free, is_there): (bool, bool) = (
        row.0.try_get(0).map_err(failed)?,
        row.1.try_get(0).map_err(failed)?,
    );
    Ok(match (is_there, is_free) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    })
}
