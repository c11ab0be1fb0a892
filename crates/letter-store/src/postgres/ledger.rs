//! The ledger for those who check it: its events in order, its checkpoints, and proofs.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::pin::Pin;

use audit_core::{
    EventProofs, Hash, InclusionProofFile, ProofError, ProofPlan, SignedCheckpoint, StreamKey,
    Subtree, leaf_hash, root_of,
};
use deadpool_postgres::Transaction;
use letter_delivery::StoreError;
use tokio_postgres::Row;

use super::PostgresStore;
use super::connect::one;
use super::keys::{bytes, fixed};
use super::lists::{column, moment, rows};
use super::sequencer::{signed, unsigned};

/// How far apart the levels are whose hashes are kept.
const LEVELS: u32 = 8;

impl PostgresStore {
    /// At most `count` events in their canonical bytes, from event `from` on.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn entries(&self, from: u64, count: u32) -> Result<Vec<Vec<u8>>, StoreError> {
        let client = one(&self.inner.pool).await?;
        let sql = "SELECT bytes FROM event WHERE seq >= $1 ORDER BY seq LIMIT $2";
        let found = rows(&client, sql, &[&signed(from)?, &i64::from(count)]).await?;
        found.iter().map(|row| bytes(row, 0)).collect()
    }

    /// Every signed checkpoint, oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn checkpoints(&self) -> Result<Vec<String>, StoreError> {
        let client = one(&self.inner.pool).await?;
        let found = rows(&client, "SELECT note FROM checkpoint ORDER BY size", &[]).await?;
        found.iter().map(|row| column(row, 0)).collect()
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
        let mut client = one(&self.inner.pool).await?;
        let moment = moment(&mut client).await?;
        Box::pin(proofs(&moment, &streams, &checkpoint)).await
    }

    /// The hashes that prove the ledger's first `first` events to be the beginning of its first
    /// `second`: what a witness asks for.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] for sizes that have no such proof; [`StoreError::Unavailable`].
    pub async fn consistency(&self, first: u64, second: u64) -> Result<Vec<Hash>, StoreError> {
        let plan = ProofPlan::consistency(first, second).map_err(|error| corrupt(&error))?;
        let mut client = one(&self.inner.pool).await?;
        let moment = moment(&mut client).await?;
        path(&moment, &plan, &mut BTreeMap::new()).await
    }
}

async fn proofs(
    moment: &Transaction<'_>,
    streams: &[StreamKey],
    checkpoint: &SignedCheckpoint,
) -> Result<EventProofs, StoreError> {
    let size = checkpoint.checkpoint().size;
    let names = streams.iter().map(|stream| stream.as_bytes().as_slice());
    let names: Vec<&[u8]> = names.collect();
    let sql = "SELECT seq, bytes FROM event WHERE stream = ANY($1) AND seq < $2 ORDER BY seq";
    let mut known = BTreeMap::new();
    let mut proofs = Vec::new();
    for row in rows(moment, sql, &[&names, &signed(size)?]).await? {
        let (index, entry) = (unsigned(column(&row, 0)?)?, bytes(&row, 1)?);
        let plan = ProofPlan::inclusion(index, size).map_err(|error| corrupt(&error))?;
        let path = path(moment, &plan, &mut known).await?;
        let mut proof = InclusionProofFile::new(index, path, checkpoint.clone());
        proof
            .check(&leaf_hash(&entry))
            .map_err(|error| corrupt(&error))?;
        proof.extra = Some(entry);
        proofs.push(proof);
    }
    Ok(EventProofs::new(proofs))
}

fn corrupt(error: &ProofError) -> StoreError {
    StoreError::Corrupt(format!("a proof from the ledger: {error}"))
}

/// The hashes of a proof; what was read for one before is not read again.
async fn path(
    moment: &Transaction<'_>,
    plan: &ProofPlan,
    known: &mut BTreeMap<Subtree, Hash>,
) -> Result<Vec<Hash>, StoreError> {
    for subtree in plan.subtrees() {
        if let Entry::Vacant(place) = known.entry(subtree) {
            place.insert(hash(moment, subtree).await?);
        }
    }
    let missing = || StoreError::Corrupt("a hash of a proof is missing".to_owned());
    plan.resolve(|subtree| known.get(&subtree).copied().ok_or_else(missing))
}

type Reading<'a> = Pin<Box<dyn Future<Output = Result<Hash, StoreError>> + Send + 'a>>;

/// The hash of a complete subtree: as it was kept, or from those below it.
fn hash<'a>(moment: &'a Transaction<'_>, subtree: Subtree) -> Reading<'a> {
    Box::pin(async move {
        let missing = || StoreError::Corrupt("an event is missing".to_owned());
        if subtree.level == 0 || subtree.is_kept() {
            let end = subtree.index.saturating_add(1);
            let found = between(moment, subtree.level, subtree.index, end).await?;
            match found.first() {
                Some(kept) => return Ok(*kept),
                None if subtree.level == 0 => return Err(missing()),
                None => {}
            }
        }
        let level = subtree.level.saturating_sub(1) / LEVELS * LEVELS;
        let count = 1_u64 << (subtree.level - level);
        let first = subtree.index.saturating_mul(count);
        let end = first.saturating_add(count);
        let mut below = between(moment, level, first, end).await?;
        if u64::try_from(below.len()) != Ok(count) && level > 0 {
            below.clear();
            for index in first..end {
                below.push(hash(moment, Subtree { level, index }).await?);
            }
        }
        if u64::try_from(below.len()) == Ok(count) {
            Ok(root_of(&below))
        } else {
            Err(missing())
        }
    })
}

/// The hashes of a level that are there, from index `from` to before `to`.
async fn between(
    moment: &Transaction<'_>,
    level: u32,
    from: u64,
    to: u64,
) -> Result<Vec<Hash>, StoreError> {
    let (from, to) = (signed(from)?, signed(to)?);
    let found = if level == 0 {
        let sql = "SELECT leaf FROM event WHERE seq >= $1 AND seq < $2 ORDER BY seq";
        rows(moment, sql, &[&from, &to]).await?
    } else {
        let sql =
            "SELECT hash FROM subtree WHERE level = $3 AND idx >= $1 AND idx < $2 ORDER BY idx";
        rows(moment, sql, &[&from, &to, &i64::from(level)]).await?
    };
    found.iter().map(hash_of).collect()
}

fn hash_of(row: &Row) -> Result<Hash, StoreError> {
    fixed(row, 0).map(Hash::from_bytes)
}
