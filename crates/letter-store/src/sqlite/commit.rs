//! One change: events with their place in the ledger, rows, work, sealed contents.

use audit_core::{CompactRange, EventBody, Hash, Sequencer, StreamKey};
use chrono::{DateTime, Duration, Utc};
use letter_delivery::{
    Commit, CopyRecord, DocumentChange, FeedCursor, HandOverAnswer, InboundRecord, LeaseToken,
    LetterRecord, NewPayload, NewReference, SeenMessage, StoreError, Work, WorkChange,
};
use rusqlite::{Connection, OptionalExtension as _, Params, params};

use super::ledger;
use super::schema::store_error;
use super::seal::Seal;
use super::{erase, stops};
use crate::carried::{self, DocumentRow};
use crate::views::json;

pub(super) fn write(db: &Connection, seal: &Seal, mut commit: Commit) -> Result<(), StoreError> {
    if let Some((stream, token)) = commit.fence {
        require_lease(db, stream, token)?;
    }
    if let Some(seen) = commit.stops_seen {
        stops::require_version(db, seen)?;
    }
    if let Some(change) = &commit.document {
        move_document(db, change)?;
    }
    let mut events = std::mem::take(&mut commit.events);
    carried::carry(&mut events, &commit, |stream| held_record(db, stream))?;
    append(db, events)?;
    for letter in &commit.letters {
        require_current(db, letter.key, letter.events)?;
        put_letter(db, letter)?;
    }
    for copy in &commit.copies {
        require_current(db, copy.key, copy.events)?;
        put_copy(db, copy)?;
    }
    for change in &commit.work {
        put_work(db, change)?;
    }
    if let Some(stop) = &commit.stop {
        stops::put(db, stop)?;
    }
    if let Some(by) = commit.rebase {
        rebase_timers(db, by)?;
    }
    for erasure in &commit.erase {
        erase::put(db, erasure)?;
    }
    for payload in &commit.payloads {
        put_payload(db, seal, payload)?;
    }
    for reference in &commit.references {
        put_reference(db, seal, reference)?;
    }
    for message in &commit.seen {
        put_seen(db, message)?;
    }
    for answer in &commit.answers {
        put_answer(db, answer)?;
    }
    for record in &commit.inbound {
        require_current(db, record.key, record.events)?;
        put_inbound(db, record)?;
    }
    for cursor in &commit.cursors {
        put_cursor(db, cursor)?;
    }
    Ok(())
}

pub(super) fn millis(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis()
}

pub(super) fn execute(
    db: &Connection,
    sql: &str,
    values: impl Params,
) -> Result<usize, StoreError> {
    db.prepare_cached(sql)
        .and_then(|mut statement| statement.execute(values))
        .map_err(|error| store_error(&error))
}

fn require_lease(db: &Connection, stream: StreamKey, token: LeaseToken) -> Result<(), StoreError> {
    let held: Option<Option<Vec<u8>>> = db
        .prepare_cached("SELECT token FROM work WHERE stream = ?1")
        .and_then(|mut statement| {
            statement
                .query_row([stream.as_bytes()], |row| row.get(0))
                .optional()
        })
        .map_err(|error| store_error(&error))?;
    match held.flatten() {
        Some(held) if held == token.as_bytes() => Ok(()),
        _ => Err(StoreError::Fenced),
    }
}

/// Compare and set: versions cannot overtake each other at intake.
fn move_document(db: &Connection, change: &DocumentChange) -> Result<(), StoreError> {
    let (key, latest) = (change.key.as_bytes(), change.latest);
    let (letter, content) = (change.letter.as_bytes(), change.content);
    let changed = match change.expected {
        None => execute(
            db,
            "INSERT OR IGNORE INTO document (key, latest, letter, content, mac) \
             VALUES (?1, ?2, ?3, ?4, row_mac('document', ?1, ?2, ?3, ?4))",
            params![key, latest, letter, content],
        )?,
        Some(expected) => execute(
            db,
            "UPDATE document SET latest = ?2, letter = ?3, content = ?4, \
             mac = row_mac('document', ?1, ?2, ?3, ?4) WHERE key = ?1 AND latest = ?5",
            params![key, latest, letter, content, expected],
        )?,
    };
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict)
    }
}

/// The row of a document, as a rebuild makes it.
pub(super) fn put_document(db: &Connection, row: &DocumentRow) -> Result<(), StoreError> {
    execute(
        db,
        "INSERT OR REPLACE INTO document (key, latest, letter, content, mac) \
         VALUES (?1, ?2, ?3, ?4, row_mac('document', ?1, ?2, ?3, ?4))",
        params![row.key, row.latest, row.letter.as_bytes(), row.content],
    )
    .map(drop)
}

/// The record of a letter or copy as it stands.
fn held_record(db: &Connection, stream: StreamKey) -> Result<Option<String>, StoreError> {
    let sql =
        "SELECT record FROM letter WHERE key = ?1 UNION ALL SELECT record FROM copy WHERE key = ?1";
    db.prepare_cached(sql)
        .and_then(|mut statement| {
            let record = statement.query_row([stream.as_bytes()], |row| row.get(0));
            record.optional()
        })
        .map_err(|error| store_error(&error))
}

/// Gives each event its place: the next of its stream, the next leaf of the tree.
fn append(db: &Connection, events: Vec<EventBody>) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let range = read_tree(db)?;
    let before = range.size();
    let mut sequencer =
        Sequencer::resume(range, before).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    for mut body in events {
        let last = last_of(db, body.stream)?;
        let next = last.map_or(0, |(lseq, _)| lseq + 1);
        if body.stream == StreamKey::LEDGER {
            body.lseq = next;
        }
        if body.lseq != next {
            return Err(StoreError::Conflict);
        }
        let prev = last.map_or(Hash::ZERO, |(_, leaf)| leaf);
        append_one(db, &mut sequencer, body, prev)?;
    }
    write_tree(db, sequencer.range(), before)
}

fn append_one(
    db: &Connection,
    sequencer: &mut Sequencer,
    body: EventBody,
    prev: Hash,
) -> Result<(), StoreError> {
    let (stream, lseq) = (body.stream, body.lseq);
    let placed = sequencer
        .append(body, prev)
        .map_err(|error| StoreError::Corrupt(format!("an event has no canonical form: {error}")))?;
    execute(
        db,
        "INSERT INTO event (seq, stream, lseq, leaf, bytes) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            signed(placed.event.seq)?,
            stream.as_bytes(),
            signed(lseq)?,
            placed.leaf.as_bytes(),
            placed.canonical
        ],
    )?;
    for (subtree, hash) in placed.subtrees {
        ledger::put_subtree(db, subtree, &hash)?;
    }
    Ok(())
}

fn last_of(db: &Connection, stream: StreamKey) -> Result<Option<(u64, Hash)>, StoreError> {
    db.prepare_cached("SELECT lseq, leaf FROM event WHERE stream = ?1 ORDER BY lseq DESC LIMIT 1")
        .and_then(|mut statement| {
            statement
                .query_row([stream.as_bytes()], |row| {
                    Ok((row.get::<_, i64>(0)?, Hash::from_bytes(row.get(1)?)))
                })
                .optional()
        })
        .map_err(|error| store_error(&error))?
        .map(|(lseq, leaf)| Ok((unsigned(lseq)?, leaf)))
        .transpose()
}

/// A record that says another number of events than its stream holds was made from an old one.
fn require_current(db: &Connection, stream: StreamKey, events: u64) -> Result<(), StoreError> {
    let held = last_of(db, stream)?.map_or(0, |(lseq, _)| lseq + 1);
    if held == events {
        Ok(())
    } else {
        Err(StoreError::Conflict)
    }
}

pub(super) fn read_tree(db: &Connection) -> Result<CompactRange, StoreError> {
    let (size, bytes): (i64, Vec<u8>) = db
        .prepare_cached("SELECT size, hashes FROM tree WHERE id = 1")
        .and_then(|mut statement| statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?))))
        .map_err(|error| store_error(&error))?;
    let hashes = bytes
        .chunks_exact(32)
        .filter_map(|chunk| chunk.try_into().ok());
    CompactRange::from_parts(unsigned(size)?, hashes.map(Hash::from_bytes).collect())
        .map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// Compare and set on the size: a writer that lost its place writes nothing.
fn write_tree(db: &Connection, range: &CompactRange, before: u64) -> Result<(), StoreError> {
    let bytes: Vec<u8> = range
        .hashes()
        .iter()
        .flat_map(|hash| *hash.as_bytes())
        .collect();
    let changed = execute(
        db,
        "UPDATE tree SET size = ?1, hashes = ?2 WHERE id = 1 AND size = ?3",
        params![signed(range.size())?, bytes, signed(before)?],
    )?;
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict)
    }
}

pub(super) fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Corrupt("a count is negative".to_owned()))
}

pub(super) fn signed(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Corrupt("a count is out of range".to_owned()))
}

pub(super) fn put_letter(db: &Connection, letter: &LetterRecord) -> Result<(), StoreError> {
    execute(
        db,
        "INSERT INTO letter (key, document, version, state, needs_person, due_at, act_by, \
         taken_at, record, mac) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, \
         row_mac('letter', ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)) \
         ON CONFLICT (key) DO UPDATE SET document = excluded.document, \
         version = excluded.version, state = excluded.state, \
         needs_person = excluded.needs_person, due_at = excluded.due_at, \
         act_by = excluded.act_by, taken_at = excluded.taken_at, record = excluded.record, \
         mac = excluded.mac",
        params![
            letter.key.as_bytes(),
            letter.document.as_bytes(),
            letter.version,
            letter.state.as_str(),
            letter.needs_person(),
            letter.due_at.map(millis),
            letter.act_by().map(millis),
            millis(letter.taken_at),
            json(letter)?
        ],
    )?;
    Ok(())
}

pub(super) fn put_copy(db: &Connection, copy: &CopyRecord) -> Result<(), StoreError> {
    execute(
        db,
        "INSERT INTO copy (key, letter, number, state, needs_person, practice, message_id, \
         local_id, act_by, record, mac) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, \
         row_mac('copy', ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)) \
         ON CONFLICT (key) DO UPDATE SET letter = excluded.letter, number = excluded.number, \
         state = excluded.state, \
         needs_person = excluded.needs_person, practice = excluded.practice, \
         message_id = excluded.message_id, local_id = excluded.local_id, \
         act_by = excluded.act_by, record = excluded.record, mac = excluded.mac",
        params![
            copy.key.as_bytes(),
            copy.letter.as_bytes(),
            copy.number,
            copy.state.as_str(),
            copy.needs_person(),
            copy.address.practice.as_str(),
            copy.message_id,
            copy.local_id.as_str(),
            copy.act_by().map(millis),
            json(copy)?
        ],
    )?;
    Ok(())
}

fn put_work(db: &Connection, change: &WorkChange) -> Result<(), StoreError> {
    match change {
        WorkChange::Set(work) => set_work(db, work),
        WorkChange::Park(work) => {
            set_work(db, work)?;
            stops::park(db, work)
        }
        WorkChange::Done(stream) => execute(
            db,
            "DELETE FROM work WHERE stream = ?1",
            [stream.as_bytes()],
        )
        .map(drop),
    }
}

pub(super) fn set_work(db: &Connection, work: &Work) -> Result<(), StoreError> {
    execute(
        db,
        "INSERT OR REPLACE INTO work (stream, kind, due_at, earliest_at, tries, mac) \
         VALUES (?1, ?2, ?3, ?4, ?5, row_mac('work', ?1, ?2, ?3, ?4, ?5, NULL, NULL))",
        params![
            work.stream.as_bytes(),
            work.kind.as_str(),
            millis(work.due_at),
            millis(work.earliest_at),
            work.tries
        ],
    )
    .map(drop)
}

/// The clock was set: every timer keeps the time that was left to it.
fn rebase_timers(db: &Connection, by: Duration) -> Result<(), StoreError> {
    let by = [by.num_milliseconds()];
    execute(
        db,
        "UPDATE work SET due_at = due_at + ?1, earliest_at = earliest_at + ?1, \
         lease_until = lease_until + ?1, mac = row_mac('work', stream, kind, due_at + ?1, \
         earliest_at + ?1, tries, token, lease_until + ?1)",
        by,
    )?;
    execute(
        db,
        "UPDATE parked SET until = until + ?1, mac = row_mac('parked', stream, until + ?1)",
        by,
    )?;
    execute(
        db,
        "UPDATE pace SET claimed_at = claimed_at + ?1, \
         mac = row_mac('pace', lane, line, claimed_at + ?1)",
        by,
    )
    .map(drop)
}

/// The salt of the recorded digest goes with the content: without both it cannot be confirmed.
fn put_payload(db: &Connection, seal: &Seal, payload: &NewPayload) -> Result<(), StoreError> {
    let mut plain = zeroize::Zeroizing::new(Vec::with_capacity(16 + payload.bytes.len()));
    plain.extend_from_slice(&payload.salt);
    plain.extend_from_slice(&payload.bytes);
    let sealed = seal.seal(payload.letter, &plain, payload.id.as_bytes())?;
    execute(
        db,
        "INSERT INTO payload (id, letter, kind, sealed, mac) \
         VALUES (?1, ?2, ?3, ?4, row_mac('payload', ?1, ?2, ?3))",
        params![
            payload.id.as_bytes(),
            payload.letter.as_bytes(),
            payload.kind.as_str(),
            sealed
        ],
    )
    .map(drop)
}

fn put_reference(db: &Connection, seal: &Seal, reference: &NewReference) -> Result<(), StoreError> {
    let about = reference.kind.as_str().as_bytes();
    let sealed = seal.seal(reference.letter, reference.value.as_bytes(), about)?;
    execute(
        db,
        "INSERT OR IGNORE INTO letter_ref (kind, idx, letter, sealed, mac) \
         VALUES (?1, ?2, ?3, ?4, row_mac('letter_ref', ?1, ?2, ?3, ?4))",
        params![
            reference.kind.as_str(),
            reference.index,
            reference.letter.as_bytes(),
            sealed
        ],
    )
    .map(drop)
}

fn put_seen(db: &Connection, message: &SeenMessage) -> Result<(), StoreError> {
    execute(
        db,
        "INSERT OR REPLACE INTO seen (mailbox, message_id, ours, at, mac) \
         VALUES (?1, ?2, ?3, ?4, row_mac('seen', ?1, ?2, ?3, ?4))",
        params![
            message.mailbox,
            message.message_id,
            message.ours,
            millis(message.at)
        ],
    )
    .map(drop)
}

/// A key is used once: whoever comes second reads what the first was told.
fn put_answer(db: &Connection, answer: &HandOverAnswer) -> Result<(), StoreError> {
    execute(
        db,
        "INSERT INTO answer (key, content, status, body, at, mac) \
         VALUES (?1, ?2, ?3, ?4, ?5, row_mac('answer', ?1, ?2, ?3, ?4, ?5))",
        params![
            answer.key,
            answer.content,
            answer.status,
            answer.body,
            millis(answer.at)
        ],
    )
    .map(drop)
}

fn put_cursor(db: &Connection, cursor: &FeedCursor) -> Result<(), StoreError> {
    execute(
        db,
        "INSERT OR REPLACE INTO feed (name, next, mac) VALUES (?1, ?2, row_mac('feed', ?1, ?2))",
        params![cursor.feed, signed(cursor.next)?],
    )
    .map(drop)
}

fn put_inbound(db: &Connection, record: &InboundRecord) -> Result<(), StoreError> {
    execute(
        db,
        "INSERT OR REPLACE INTO inbound (key, state, next_at, record, mac) \
         VALUES (?1, ?2, ?3, ?4, row_mac('inbound', ?1, ?2, ?3, ?4))",
        params![
            record.key.as_bytes(),
            record.state.as_str(),
            millis(record.next_at),
            json(record)?
        ],
    )
    .map(drop)
}
