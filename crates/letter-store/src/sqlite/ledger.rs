//! The ledger for those who check it: its events in order, its checkpoints, and proofs.

use audit_core::{
    EventProofs, Hash, InclusionProofFile, ProofError, ProofPlan, SignedCheckpoint, StreamKey,
    Subtree, leaf_hash, root_of,
};
use letter_delivery::StoreError;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::SqliteStore;
use super::commit::{execute, signed, unsigned};
use super::lists::rows;
use super::schema::store_error;

/// How far apart the levels are whose hashes are kept.
const LEVELS: u32 = 8;

impl SqliteStore {
    /// At most `count` events in their canonical bytes, from event `from` on.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn entries(&self, from: u64, count: u32) -> Result<Vec<Vec<u8>>, StoreError> {
        self.reader
            .run(move |db, _| {
                let sql = "SELECT bytes FROM event WHERE seq >= ?1 ORDER BY seq LIMIT ?2";
                rows(db, sql, params![signed(from)?, count], |row| row.get(0))
            })
            .await
    }

    /// Every signed checkpoint, oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn checkpoints(&self) -> Result<Vec<String>, StoreError> {
        self.reader
            .run(|db, _| {
                let sql = "SELECT note FROM checkpoint ORDER BY size";
                rows(db, sql, [], |row| row.get(0))
            })
            .await
    }

    /// The proofs of all events of these streams that a checkpoint covers, in the order of the
    /// ledger.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when the store does not lead to the checkpoint's root;
    /// [`StoreError::Unavailable`].
    pub async fn proofs(
        &self,
        streams: Vec<StreamKey>,
        checkpoint: SignedCheckpoint,
    ) -> Result<EventProofs, StoreError> {
        self.reader
            .run(move |db, _| proofs(db, &streams, &checkpoint))
            .await
    }

    /// The hashes that prove the ledger's first `first` events to be the beginning of its first
    /// `second`: what a witness asks for.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] for sizes that have no such proof; [`StoreError::Unavailable`].
    pub async fn consistency(&self, first: u64, second: u64) -> Result<Vec<Hash>, StoreError> {
        self.reader
            .run(move |db, _| {
                let plan =
                    ProofPlan::consistency(first, second).map_err(|error| corrupt(&error))?;
                plan.resolve(|subtree| hash(db, subtree))
            })
            .await
    }
}

fn proofs(
    db: &Connection,
    streams: &[StreamKey],
    checkpoint: &SignedCheckpoint,
) -> Result<EventProofs, StoreError> {
    let size = checkpoint.checkpoint().size;
    let sql = "SELECT seq, bytes FROM event WHERE stream = ?1 AND seq < ?2";
    let mut events: Vec<(i64, Vec<u8>)> = Vec::new();
    for stream in streams {
        let of_stream = params![stream.as_bytes(), signed(size)?];
        events.extend(rows(db, sql, of_stream, |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?);
    }
    events.sort();
    let proof = |(seq, bytes): (i64, Vec<u8>)| {
        let index = unsigned(seq)?;
        let plan = ProofPlan::inclusion(index, size).map_err(|error| corrupt(&error))?;
        let path = plan.resolve(|subtree| hash(db, subtree))?;
        let mut proof = InclusionProofFile::new(index, path, checkpoint.clone());
        proof
            .check(&leaf_hash(&bytes))
            .map_err(|error| corrupt(&error))?;
        proof.extra = Some(bytes);
        Ok(proof)
    };
    let proofs: Result<_, StoreError> = events.into_iter().map(proof).collect();
    Ok(EventProofs::new(proofs?))
}

fn corrupt(error: &ProofError) -> StoreError {
    StoreError::Corrupt(format!("a proof from the ledger: {error}"))
}

/// The hash of a complete subtree: as it was kept, or from those below it.
fn hash(db: &Connection, subtree: Subtree) -> Result<Hash, StoreError> {
    if subtree.is_kept()
        && let Some(kept) = kept(db, subtree)?
    {
        return Ok(kept);
    }
    let Some(above_leaves) = subtree.level.checked_sub(1) else {
        return leaf(db, subtree.index);
    };
    let level = above_leaves / LEVELS * LEVELS;
    let count = 1_u64 << (subtree.level - level);
    let first = subtree.index.saturating_mul(count);
    let mut below = between(db, level, first, first.saturating_add(count))?;
    if u64::try_from(below.len()) != Ok(count) && level > 0 {
        let each =
            (first..first.saturating_add(count)).map(|index| hash(db, Subtree { level, index }));
        below = each.collect::<Result<_, _>>()?;
    }
    if u64::try_from(below.len()) == Ok(count) {
        Ok(root_of(&below))
    } else {
        Err(StoreError::Corrupt("an event is missing".to_owned()))
    }
}

fn kept(db: &Connection, subtree: Subtree) -> Result<Option<Hash>, StoreError> {
    db.prepare_cached("SELECT hash FROM subtree WHERE level = ?1 AND idx = ?2")
        .and_then(|mut statement| {
            statement
                .query_row(params![subtree.level, index_of(subtree)], hash_of)
                .optional()
        })
        .map_err(|error| store_error(&error))
}

fn leaf(db: &Connection, index: u64) -> Result<Hash, StoreError> {
    let found = between(db, 0, index, index.saturating_add(1))?;
    let missing = || StoreError::Corrupt("an event is missing".to_owned());
    found.first().copied().ok_or_else(missing)
}

/// The hashes of a level that are there, from index `from` to before `to`.
fn between(db: &Connection, level: u32, from: u64, to: u64) -> Result<Vec<Hash>, StoreError> {
    let (from, to) = (signed(from)?, signed(to)?);
    if level == 0 {
        let sql = "SELECT leaf FROM event WHERE seq >= ?1 AND seq < ?2 ORDER BY seq";
        rows(db, sql, params![from, to], hash_of)
    } else {
        let sql =
            "SELECT hash FROM subtree WHERE level = ?1 AND idx >= ?2 AND idx < ?3 ORDER BY idx";
        rows(db, sql, params![level, from, to], hash_of)
    }
}

fn hash_of(row: &Row<'_>) -> rusqlite::Result<Hash> {
    row.get(0).map(Hash::from_bytes)
}

fn index_of(subtree: Subtree) -> i64 {
    i64::try_from(subtree.index).unwrap_or(i64::MAX)
}

/// Keeps the hash of a subtree that is complete now.
pub(super) fn put_subtree(
    db: &Connection,
    subtree: Subtree,
    hash: &Hash,
) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO subtree (level, idx, hash) VALUES (?1, ?2, ?3)";
    let row = params![subtree.level, index_of(subtree), hash.as_bytes()];
    execute(db, sql, row).map(drop)
}

/// Every kept hash.
pub(super) const SUBTREES: &str = "SELECT level, idx, hash FROM subtree";

/// A row of [`SUBTREES`].
pub(super) fn subtree(row: &Row<'_>) -> rusqlite::Result<(Subtree, Vec<u8>)> {
    let index = u64::try_from(row.get::<_, i64>(1)?).unwrap_or(u64::MAX);
    let level = row.get(0)?;
    Ok((Subtree { level, index }, row.get(2)?))
}
