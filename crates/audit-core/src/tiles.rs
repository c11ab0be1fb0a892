//! A ledger as a folder of static files (C2SP tlog-tiles): any standard monitor can read it.
//!
//! Nothing here touches a file: paths and bytes go in and out.

mod read;
mod verify;
mod write;

use std::fmt;

pub use read::TileTree;
use thiserror::Error;
pub use verify::{CHECKPOINT_PATH, CHECKPOINTS_PATH, verify_tiles};
pub use write::{TileFile, TileWriter};

/// How many hashes or entries a full tile has.
pub const TILE_WIDTH: u16 = 256;

/// The longest entry that a bundle can hold, in bytes.
pub const TILE_ENTRY_BYTES_MAX: usize = 65_535;

/// How many levels of the tree a tile spans.
const TILE_LEVELS: u32 = 8;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the format has these two")]
pub enum TileKind {
    /// The entries themselves, each behind its length.
    Entries,
    /// The hashes of subtrees of `256^level` leaves; on level 0 the leaf hashes.
    Hashes(u32),
}

/// The place of a tile.
///
/// ```
/// use audit_core::{Tile, TileKind};
/// let tile = Tile { kind: TileKind::Hashes(0), index: 1_234_067, width: 256 };
/// assert_eq!(tile.to_string(), "tile/0/x001/x234/067");
/// let tile = Tile { kind: TileKind::Entries, index: 273, width: 112 };
/// assert_eq!(tile.to_string(), "tile/entries/273.p/112");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a place is these three")]
pub struct Tile {
    /// What it holds.
    pub kind: TileKind,
    /// Which one of its kind, from 0.
    pub index: u64,
    /// How many hashes or entries it has: [`TILE_WIDTH`], or fewer in a partial tile.
    pub width: u16,
}

impl Tile {
    /// The tiles of a tree of `size` leaves that are not full, entries first, lowest level first.
    pub fn partial(size: u64) -> Vec<Self> {
        let entries = [(TileKind::Entries, size)].into_iter();
        let levels = levels(size).map(|(level, count)| (TileKind::Hashes(level), count));
        entries
            .chain(levels)
            .filter_map(|(kind, count)| Self::last_of(kind, count))
            .collect()
    }

    /// The tile `index` of a kind, in a tree of `size` leaves; nothing past its end.
    pub fn at(kind: TileKind, index: u64, size: u64) -> Option<Self> {
        let count = match kind {
            TileKind::Entries => size,
            TileKind::Hashes(level) => size.checked_shr(level.checked_mul(TILE_LEVELS)?)?,
        };
        let before = index.checked_mul(TILE_WIDTH.into())?;
        let rest = count.checked_sub(before).filter(|rest| *rest > 0)?;
        let width = u16::try_from(rest).unwrap_or(TILE_WIDTH).min(TILE_WIDTH);
        Some(Self { kind, index, width })
    }

    fn last_of(kind: TileKind, count: u64) -> Option<Self> {
        let full = u64::from(TILE_WIDTH);
        let width = u16::try_from(count % full).unwrap_or_default();
        let index = count / full;
        (width > 0).then_some(Self { kind, index, width })
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Entries => f.write_str("tile/entries/")?,
            TileKind::Hashes(level) => write!(f, "tile/{level}/")?,
        }
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for (left, group) in groups.iter().enumerate().rev() {
            if left > 0 {
                write!(f, "x{group:03}/")?;
            } else {
                write!(f, "{group:03}")?;
            }
        }
        if self.width < TILE_WIDTH {
            write!(f, ".p/{}", self.width)?;
        }
        Ok(())
    }
}

/// Each level of tiles with the number of hashes that it has.
fn levels(size: u64) -> impl Iterator<Item = (u32, u64)> {
    let mut next = Some((0, size)).filter(|(_, count)| *count > 0);
    std::iter::from_fn(move || {
        let now = next?;
        next = Some((now.0 + 1, now.1 >> TILE_LEVELS)).filter(|(_, count)| *count > 0);
        Some(now)
    })
}

/// What is wrong with tiles.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TileError {
    /// An entry is longer than a bundle can hold.
    #[error("entry of {bytes} bytes: at most {TILE_ENTRY_BYTES_MAX} are allowed")]
    EntryTooLong {
        /// How many there are.
        bytes: usize,
    },
    /// A file has another length than its width asks for, or its entries do not fill it.
    #[error("{path} does not hold the {width} it is named for")]
    Malformed {
        /// The file.
        path: String,
        /// How many hashes or entries it should hold.
        width: u16,
    },
    /// A file is not there.
    #[error("{path} is missing")]
    Missing {
        /// The file.
        path: String,
    },
    /// A subtree is not complete in a tree of that size.
    #[error("no such complete subtree in a tree of {size}")]
    NotInTree {
        /// The size of the tree.
        size: u64,
    },
}

impl TileError {
    fn malformed(tile: &Tile) -> Self {
        Self::Malformed {
            path: tile.to_string(),
            width: tile.width,
        }
    }

    fn missing(tile: &Tile) -> Self {
        Self::Missing {
            path: tile.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
