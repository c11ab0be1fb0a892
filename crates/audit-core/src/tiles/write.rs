//! Tiles, made as the ledger grows.

use super::{
    TILE_ENTRY_BYTES_MAX, TILE_WIDTH, Tile, TileError, TileKind, levels,
    read::{entries, hashes},
};
use crate::{Hash, empty_root, leaf_hash, node_hash, root_of};

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TileFile {
    /// Its place.
    pub tile: Tile,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Makes the tiles of a ledger, entry by entry. It holds one unfinished tile of each level.
///
/// ```
/// use audit_core::TileWriter;
/// let mut writer = TileWriter::new();
/// for n in 0..300_u32 {
///     for full in writer.push(&n.to_be_bytes())? {
///         assert_eq!(full.tile.width, 256);
///     }
/// }
/// let paths: Vec<_> = writer.partial().iter().map(|file| file.tile.to_string()).collect();
/// assert_eq!(paths, ["tile/entries/001.p/44", "tile/0/001.p/44", "tile/1/000.p/1"]);
/// # Ok::<(), audit_core::TileError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct TileWriter {
    size: u64,
    /// The entries of the unfinished bundle.
    bundle: Vec<u8>,
    /// The hashes of the unfinished tile of each level.
    unfinished: Vec<Vec<Hash>>,
}

impl TileWriter {
    /// The tiles of a ledger without entries.
    pub const fn new() -> Self {
        Self {
            size: 0,
            bundle: Vec::new(),
            unfinished: Vec::new(),
        }
    }

    /// Goes on where the tiles of a ledger of `size` entries end; `read` gives the partial ones.
    ///
    /// What was read is not proven: compare [`TileWriter::root`] with a checkpoint of that size.
    ///
    /// # Errors
    /// [`TileError::Missing`] or [`TileError::Malformed`].
    pub fn resume(
        size: u64,
        mut read: impl FnMut(&Tile) -> Option<Vec<u8>>,
    ) -> Result<Self, TileError> {
        let mut writer = Self {
            size,
            bundle: Vec::new(),
            unfinished: levels(size).map(|_| Vec::new()).collect(),
        };
        for tile in Tile::partial(size) {
            let bytes = read(&tile).ok_or_else(|| TileError::missing(&tile))?;
            match tile.kind {
                TileKind::Entries => {
                    entries(&bytes, &tile)?;
                    writer.bundle = bytes;
                }
                TileKind::Hashes(level) => {
                    let level = usize::try_from(level).unwrap_or(usize::MAX);
                    if let Some(unfinished) = writer.unfinished.get_mut(level) {
                        *unfinished = hashes(&bytes, &tile)?;
                    }
                }
            }
        }
        Ok(writer)
    }

    /// Adds an entry, and gives the tiles that it completes.
    ///
    /// # Errors
    /// [`TileError::EntryTooLong`]; nothing was added.
    pub fn push(&mut self, entry: &[u8]) -> Result<Vec<TileFile>, TileError> {
        let bytes = entry.len();
        let length = u16::try_from(bytes).map_err(|_| TileError::EntryTooLong { bytes })?;
        debug_assert!(bytes <= TILE_ENTRY_BYTES_MAX, "a length of 16 bits");
        self.size += 1;
        self.bundle.extend_from_slice(&length.to_be_bytes());
        self.bundle.extend_from_slice(entry);
        let mut files = Vec::new();
        if self.size.is_multiple_of(TILE_WIDTH.into()) {
            let bytes = std::mem::take(&mut self.bundle);
            files.push(self.full(TileKind::Entries, self.size, bytes));
        }
        self.add_hash(leaf_hash(entry), &mut files);
        Ok(files)
    }

    /// The tiles that are not full yet, as they stand.
    pub fn partial(&self) -> Vec<TileFile> {
        let content = |tile: Tile| TileFile {
            tile,
            bytes: match tile.kind {
                TileKind::Entries => self.bundle.clone(),
                TileKind::Hashes(level) => usize::try_from(level)
                    .ok()
                    .and_then(|level| self.unfinished.get(level))
                    .map(|hashes| to_bytes(hashes))
                    .unwrap_or_default(),
            },
        };
        Tile::partial(self.size).into_iter().map(content).collect()
    }

    /// How many entries there are.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root over all entries.
    pub fn root(&self) -> Hash {
        let mut right = None;
        for hashes in &self.unfinished {
            let mut rest = hashes.as_slice();
            let mut subtrees = Vec::new();
            while let Some(level) = rest.len().checked_ilog2() {
                let (subtree, after) = rest.split_at(1 << level);
                subtrees.push(root_of(subtree));
                rest = after;
            }
            for left in subtrees.iter().rev() {
                right = Some(right.map_or(*left, |right| node_hash(left, &right)));
            }
        }
        right.unwrap_or_else(empty_root)
    }

    fn add_hash(&mut self, leaf: Hash, files: &mut Vec<TileFile>) {
        let (mut hash, mut count) = (leaf, self.size);
        for level in 0.. {
            let index = usize::try_from(level).unwrap_or(usize::MAX);
            if self.unfinished.len() <= index {
                self.unfinished.push(Vec::new());
            }
            let Some(tile) = self.unfinished.get_mut(index) else {
                return;
            };
            tile.push(hash);
            if tile.len() < usize::from(TILE_WIDTH) {
                return;
            }
            let full = std::mem::take(tile);
            files.push(self.full(TileKind::Hashes(level), count, to_bytes(&full)));
            hash = root_of(&full);
            count >>= super::TILE_LEVELS;
        }
    }

    /// A full tile, the last of `count` hashes or entries.
    fn full(&self, kind: TileKind, count: u64, bytes: Vec<u8>) -> TileFile {
        let width = TILE_WIDTH;
        let index = (count / u64::from(width)).saturating_sub(1);
        TileFile {
            tile: Tile { kind, index, width },
            bytes,
        }
    }
}

fn to_bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}
