//! The Merkle tree of RFC 6962 section 2.1 (audit-and-delivery 5.2).

mod proof;
mod subtree;

pub use proof::{
    PROOF_HASHES_MAX, ProofError, consistency_proof, inclusion_proof, verify_consistency,
    verify_inclusion,
};
pub(crate) use subtree::complete_subtrees;
pub use subtree::{ProofPlan, Subtree, SubtreeCollector};
use thiserror::Error;

use crate::{Hash, hash::sha256};

/// The hash of a leaf: SHA-256(0x00 || entry).
///
/// ```
/// let leaf = audit_core::leaf_hash(b"L123456");
/// assert!(leaf.to_string().starts_with("395aa064aa4c29f7"));
/// ```
pub fn leaf_hash(entry: &[u8]) -> Hash {
    sha256(&[&[0x00], entry])
}

/// The hash of an inner node: SHA-256(0x01 || left || right).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[0x01], left.as_bytes(), right.as_bytes()])
}

/// The root of the tree without leaves: SHA-256 of nothing.
pub fn empty_root() -> Hash {
    sha256(&[])
}

/// The root of the tree over these leaf hashes.
pub fn root_of(leaves: &[Hash]) -> Hash {
    let mut range = CompactRange::new();
    for leaf in leaves {
        range.push(*leaf);
    }
    range.root()
}

/// All that is needed to grow a tree: the hashes of its complete subtrees, largest first.
///
/// There is one for each bit that is set in the size.
///
/// ```
/// use audit_core::{CompactRange, leaf_hash, node_hash};
/// let mut range = CompactRange::new();
/// range.push(leaf_hash(b"a"));
/// range.push(leaf_hash(b"b"));
/// assert_eq!(range.root(), node_hash(&leaf_hash(b"a"), &leaf_hash(b"b")));
/// let again = CompactRange::from_parts(range.size(), range.hashes().to_vec())?;
/// assert_eq!(again, range);
/// # Ok::<(), audit_core::CompactRangeError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompactRange {
    size: u64,
    hashes: Vec<Hash>,
}

impl CompactRange {
    /// The tree without leaves.
    pub const fn new() -> Self {
        Self {
            size: 0,
            hashes: Vec::new(),
        }
    }

    /// The tree that was stored with [`CompactRange::size`] and [`CompactRange::hashes`].
    ///
    /// # Errors
    /// [`CompactRangeError`] when the number of hashes is not that of the size.
    pub fn from_parts(size: u64, hashes: Vec<Hash>) -> Result<Self, CompactRangeError> {
        let expected = size.count_ones();
        if u32::try_from(hashes.len()) == Ok(expected) {
            Ok(Self { size, hashes })
        } else {
            Err(CompactRangeError {
                size,
                expected,
                got: hashes.len(),
            })
        }
    }

    /// Adds a leaf at the end.
    pub fn push(&mut self, leaf: Hash) {
        self.push_with(leaf, |_, _| {});
    }

    /// As [`CompactRange::push`]; `completed` hears of the leaf and each subtree that it completes.
    pub(crate) fn push_with(&mut self, leaf: Hash, mut completed: impl FnMut(Subtree, Hash)) {
        let mut hash = leaf;
        let mut subtree = Subtree {
            level: 0,
            index: self.size,
        };
        completed(subtree, hash);
        for _ in 0..self.size.trailing_ones() {
            // One hash per bit that is set: there is always one to take.
            if let Some(left) = self.hashes.pop() {
                hash = node_hash(&left, &hash);
            }
            subtree = Subtree {
                level: subtree.level + 1,
                index: subtree.index >> 1,
            };
            completed(subtree, hash);
        }
        self.hashes.push(hash);
        self.size = self.size.saturating_add(1);
    }

    /// How many leaves there are.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root over all leaves.
    pub fn root(&self) -> Hash {
        let mut hashes = self.hashes.iter().rev();
        let Some(last) = hashes.next() else {
            return empty_root();
        };
        hashes.fold(*last, |right, left| node_hash(left, &right))
    }

    /// The hashes of the complete subtrees, largest first.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }
}

/// A number of hashes that does not belong to the size of the tree.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("a tree of {size} leaves is kept as {expected} hashes, got {got}")]
pub struct CompactRangeError {
    size: u64,
    expected: u32,
    got: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6962_primitives() {
        assert_eq!(
            leaf_hash(b"").to_string(),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        assert_eq!(
            leaf_hash(b"L123456").to_string(),
            "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
        );
        assert_eq!(
            sha256(&[&[0x01], b"N123", b"N456"]).to_string(),
            "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"
        );
        assert_eq!(
            empty_root().to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn a_range_holds_one_hash_for_each_bit_of_its_size() {
        let mut range = CompactRange::new();
        for size in 0..100_u64 {
            assert_eq!(range.size(), size);
            assert_eq!(
                range.hashes().len(),
                usize::try_from(size.count_ones()).unwrap()
            );
            range.push(leaf_hash(&size.to_be_bytes()));
        }
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let error = CompactRange::from_parts(5, vec![Hash::ZERO]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a tree of 5 leaves is kept as 2 hashes, got 1"
        );
        assert!(CompactRange::from_parts(0, vec![Hash::ZERO]).is_err());
        assert!(CompactRange::from_parts(8, vec![Hash::ZERO]).is_ok());
    }
}
