//! What tiles hold, and proofs from them.

use super::{TILE_LEVELS, TILE_WIDTH, Tile, TileError, TileKind};
use crate::{
    Hash, ProofError, ProofPlan, Subtree, empty_root, merkle::complete_subtrees, node_hash, root_of,
};

/// The tree that a folder of tiles holds: proofs of any entry from a few files.
///
/// Nothing that is read is proven by itself: check a proof against the root of a signed
/// checkpoint.
///
/// ```
/// use audit_core::{TileTree, TileWriter, leaf_hash, verify_inclusion};
/// let mut writer = TileWriter::new();
/// for n in 0..9_u8 {
///     writer.push(&[n])?;
/// }
/// let files = writer.partial();
/// let read = |tile: &_| files.iter().find(|file| file.tile == *tile).map(|file| file.bytes.clone());
/// let mut tree = TileTree::new(9, read);
/// let proof = tree.inclusion_proof(4)?;
/// verify_inclusion(4, 9, &leaf_hash(&[4]), &proof, &writer.root())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TileTree<R> {
    size: u64,
    read: R,
    /// The tile that was read last: a proof asks the same one several times.
    last: Option<(Tile, Vec<Hash>)>,
}

impl<R: FnMut(&Tile) -> Option<Vec<u8>>> TileTree<R> {
    /// The tree of `size` leaves, as the signed checkpoint says; `read` gives a tile's bytes.
    pub const fn new(size: u64, read: R) -> Self {
        Self {
            size,
            read,
            last: None,
        }
    }

    /// The hash of a complete subtree.
    ///
    /// # Errors
    /// [`TileError`], by what is wrong with the tile that holds it.
    pub fn hash(&mut self, subtree: Subtree) -> Result<Hash, TileError> {
        let size = self.size;
        let not_in_tree = || TileError::NotInTree { size };
        let (level, above) = (subtree.level / TILE_LEVELS, subtree.level % TILE_LEVELS);
        let first = subtree
            .index
            .checked_mul(1 << above)
            .ok_or_else(not_in_tree)?;
        let (index, offset) = (first / u64::from(TILE_WIDTH), first % u64::from(TILE_WIDTH));
        let tile = Tile::at(TileKind::Hashes(level), index, size).ok_or_else(not_in_tree)?;
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let hashes = self.tile(tile)?.get(offset..).unwrap_or_default();
        let leaves = hashes.get(..1 << above).ok_or_else(not_in_tree)?;
        Ok(root_of(leaves))
    }

    /// The root over all leaves.
    ///
    /// # Errors
    /// As [`TileTree::hash`].
    pub fn root(&mut self) -> Result<Hash, TileError> {
        let mut right = None;
        for subtree in complete_subtrees(self.size).iter().rev() {
            let left = self.hash(*subtree)?;
            right = Some(right.map_or(left, |right| node_hash(&left, &right)));
        }
        Ok(right.unwrap_or_else(empty_root))
    }

    /// The proof that leaf `index` is in the tree.
    ///
    /// # Errors
    /// As [`TileTree::hash`]; [`TileError::NotInTree`] for a leaf past its end.
    pub fn inclusion_proof(&mut self, index: u64) -> Result<Vec<Hash>, TileError> {
        self.proof(ProofPlan::inclusion(index, self.size))
    }

    /// The proof that the tree of the first `first` leaves is its beginning.
    ///
    /// # Errors
    /// As [`TileTree::hash`]; [`TileError::NotInTree`] for an empty tree or one past its end.
    pub fn consistency_proof(&mut self, first: u64) -> Result<Vec<Hash>, TileError> {
        self.proof(ProofPlan::consistency(first, self.size))
    }

    fn proof(&mut self, plan: Result<ProofPlan, ProofError>) -> Result<Vec<Hash>, TileError> {
        let size = self.size;
        let plan = plan.map_err(|_| TileError::NotInTree { size })?;
        plan.resolve(|subtree| self.hash(subtree))
    }

    fn tile(&mut self, tile: Tile) -> Result<&[Hash], TileError> {
        if self.last.as_ref().is_none_or(|(held, _)| *held != tile) {
            let bytes = (self.read)(&tile).ok_or_else(|| TileError::missing(&tile))?;
            self.last = Some((tile, hashes(&bytes, &tile)?));
        }
        Ok(self.last.as_ref().map_or(&[], |(_, hashes)| hashes))
    }
}

/// The hashes of a tile.
pub(super) fn hashes(bytes: &[u8], tile: &Tile) -> Result<Vec<Hash>, TileError> {
    let (chunks, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() || chunks.len() != usize::from(tile.width) {
        return Err(TileError::malformed(tile));
    }
    Ok(chunks.iter().copied().map(Hash::from_bytes).collect())
}

/// The entries of a bundle.
pub(super) fn entries<'a>(bytes: &'a [u8], tile: &Tile) -> Result<Vec<&'a [u8]>, TileError> {
    let malformed = || TileError::malformed(tile);
    let mut entries = Vec::new();
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first_chunk() {
        let length = u16::from_be_bytes(*length).into();
        let (entry, after) = after.split_at_checked(length).ok_or_else(malformed)?;
        entries.push(entry);
        rest = after;
    }
    if !rest.is_empty() || entries.len() != usize::from(tile.width) {
        return Err(malformed());
    }
    Ok(entries)
}
