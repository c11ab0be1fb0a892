//! Which complete subtrees a proof is made of, so that one can be made without holding all leaves.

use std::collections::BTreeMap;

use super::{CompactRange, ProofError, leaf_hash, node_hash, proof::require_order};
use crate::Hash;

/// A complete subtree: the `2^level` leaves from `index * 2^level` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a place in a tree is two numbers"
)]
pub struct Subtree {
    /// How far above the leaves its root is.
    pub level: u32,
    /// Which one of its level, from 0.
    pub index: u64,
}

impl Subtree {
    /// Whether tiles hold its hash beyond the first level: it has 256, 65,536, … leaves. With these
    /// hashes and those of the leaves every proof is made from few rows.
    pub const fn is_kept(self) -> bool {
        self.level > 0 && self.level.is_multiple_of(8)
    }
}

/// What a proof consists of, before any hash of it is known.
///
/// Each hash of the proof is the root over one or a few complete subtrees; a store that keeps the
/// hashes of complete subtrees, or tiles, has them at hand.
///
/// ```
/// use audit_core::{ProofPlan, Subtree, SubtreeCollector, leaf_hash, verify_inclusion};
/// let plan = ProofPlan::inclusion(1, 3)?;
/// let mut collector = SubtreeCollector::new(plan.subtrees());
/// for entry in [b"a", b"b", b"c"] {
///     collector.push(leaf_hash(entry));
/// }
/// let proof = plan.resolve(|subtree| collector.hash(subtree).ok_or("missing"))?;
/// verify_inclusion(1, 3, &leaf_hash(b"b"), &proof, &collector.root())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofPlan {
    /// For each hash of the proof its subtrees, left to right.
    hashes: Vec<Vec<Subtree>>,
}

impl ProofPlan {
    /// The proof that leaf `index` is in a tree of `size`.
    ///
    /// # Errors
    /// [`ProofError::IndexOutOfRange`].
    pub fn inclusion(index: u64, size: u64) -> Result<Self, ProofError> {
        if index >= size {
            return Err(ProofError::IndexOutOfRange { index, size });
        }
        let mut hashes = Vec::new();
        let mut tree = Leaves { from: 0, to: size };
        while let Some((left, right)) = tree.halves() {
            if index < left.to {
                hashes.push(right.subtrees());
                tree = left;
            } else {
                hashes.push(left.subtrees());
                tree = right;
            }
        }
        hashes.reverse();
        Ok(Self { hashes })
    }

    /// The proof that a tree of `first` leaves is the beginning of one of `second`.
    ///
    /// # Errors
    /// [`ProofError::EmptyFirstTree`], [`ProofError::SizesReversed`].
    pub fn consistency(first: u64, second: u64) -> Result<Self, ProofError> {
        require_order(first, second)?;
        let mut hashes = Vec::new();
        let mut tree = Leaves {
            from: 0,
            to: second,
        };
        while first < tree.to {
            let Some((left, right)) = tree.halves() else {
                break;
            };
            if first <= left.to {
                hashes.push(right.subtrees());
                tree = left;
            } else {
                hashes.push(left.subtrees());
                tree = right;
            }
        }
        // The root of a first tree that is one complete subtree is known to the verifier.
        if tree.from > 0 {
            hashes.push(tree.subtrees());
        }
        hashes.reverse();
        Ok(Self { hashes })
    }

    /// Every complete subtree whose hash is needed.
    pub fn subtrees(&self) -> impl Iterator<Item = Subtree> {
        self.hashes.iter().flatten().copied()
    }

    /// The hashes of the proof, from those of the subtrees.
    ///
    /// # Errors
    /// The error of `hash`.
    pub fn resolve<E>(
        &self,
        mut hash: impl FnMut(Subtree) -> Result<Hash, E>,
    ) -> Result<Vec<Hash>, E> {
        let over = |subtrees: &Vec<Subtree>| {
            let mut right = None;
            for subtree in subtrees.iter().rev() {
                let left = hash(*subtree)?;
                right = Some(right.map_or(left, |right| node_hash(&left, &right)));
            }
            Ok(right.unwrap_or(Hash::ZERO))
        };
        self.hashes.iter().map(over).collect()
    }
}

/// The complete subtrees that make up a tree of `size` leaves, largest first.
pub(crate) fn complete_subtrees(size: u64) -> Vec<Subtree> {
    Leaves { from: 0, to: size }.subtrees()
}

/// Leaves side by side, the first of which begins a complete subtree as large as they are.
#[derive(Clone, Copy)]
struct Leaves {
    from: u64,
    to: u64,
}

impl Leaves {
    const fn count(self) -> u64 {
        self.to - self.from
    }

    /// Split at the largest power of two below their number; nothing for a single leaf.
    fn halves(self) -> Option<(Self, Self)> {
        let last = self.count().checked_sub(1)?;
        let middle = self.from + (1_u64 << last.checked_ilog2()?);
        let (from, to) = (self.from, self.to);
        Some((Self { from, to: middle }, Self { from: middle, to }))
    }

    fn subtrees(self) -> Vec<Subtree> {
        let mut from = self.from;
        let mut rest = self.count();
        let mut subtrees = Vec::new();
        while let Some(level) = rest.checked_ilog2() {
            subtrees.push(Subtree {
                level,
                index: from >> level,
            });
            from += 1 << level;
            rest -= 1 << level;
        }
        subtrees
    }
}

/// Grows a tree leaf by leaf and keeps the hashes of the subtrees that were asked for.
///
/// One pass over the leaf hashes is enough for the proofs of any number of leaves.
#[derive(Clone, Debug)]
pub struct SubtreeCollector {
    range: CompactRange,
    wanted: BTreeMap<Subtree, Option<Hash>>,
}

impl SubtreeCollector {
    /// A tree without leaves, and what is wanted of it.
    pub fn new(wanted: impl IntoIterator<Item = Subtree>) -> Self {
        Self {
            range: CompactRange::new(),
            wanted: wanted.into_iter().map(|subtree| (subtree, None)).collect(),
        }
    }

    /// Adds the hash of the next leaf.
    pub fn push(&mut self, leaf: Hash) {
        let Self { range, wanted } = self;
        range.push_with(leaf, |subtree, hash| {
            if let Some(wanted) = wanted.get_mut(&subtree) {
                *wanted = Some(hash);
            }
        });
    }

    /// Adds the next leaf.
    pub fn push_entry(&mut self, entry: &[u8]) {
        self.push(leaf_hash(entry));
    }

    /// The hash of a subtree that was wanted and is complete.
    pub fn hash(&self, subtree: Subtree) -> Option<Hash> {
        self.wanted.get(&subtree).copied().flatten()
    }

    /// How many leaves there are so far.
    pub const fn size(&self) -> u64 {
        self.range.size()
    }

    /// The root over all leaves so far.
    pub fn root(&self) -> Hash {
        self.range.root()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{consistency_proof, inclusion_proof};

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
    }

    fn planned(plan: &ProofPlan, leaves: &[Hash]) -> Vec<Hash> {
        let mut collector = SubtreeCollector::new(plan.subtrees());
        for leaf in leaves {
            collector.push(*leaf);
        }
        plan.resolve(|subtree| collector.hash(subtree).ok_or(subtree))
            .unwrap()
    }

    #[test]
    fn a_planned_inclusion_proof_is_the_one_made_from_all_leaves() {
        for size in 1..70_u64 {
            let leaves = leaves(size);
            for index in 0..size {
                let plan = ProofPlan::inclusion(index, size).unwrap();
                let proof = inclusion_proof(&leaves, index).unwrap();
                assert_eq!(planned(&plan, &leaves), proof, "{index} of {size}");
            }
        }
    }

    #[test]
    fn a_planned_consistency_proof_is_the_one_made_from_all_leaves() {
        for second in 1..70_u64 {
            let leaves = leaves(second);
            for first in 1..=second {
                let plan = ProofPlan::consistency(first, second).unwrap();
                let proof = consistency_proof(&leaves, first).unwrap();
                assert_eq!(planned(&plan, &leaves), proof, "{first} of {second}");
            }
        }
    }

    #[test]
    fn proofs_that_cannot_be_are_refused() {
        let out = ProofError::IndexOutOfRange { index: 3, size: 3 };
        assert_eq!(ProofPlan::inclusion(3, 3), Err(out));
        assert_eq!(
            ProofPlan::consistency(0, 3),
            Err(ProofError::EmptyFirstTree)
        );
        let reversed = ProofError::SizesReversed {
            first: 4,
            second: 3,
        };
        assert_eq!(ProofPlan::consistency(4, 3), Err(reversed));
    }

    #[test]
    fn a_subtree_that_is_not_complete_yet_has_no_hash() {
        let pair = Subtree { level: 1, index: 0 };
        let mut collector = SubtreeCollector::new([pair]);
        collector.push_entry(b"a");
        assert_eq!(collector.hash(pair), None);
        collector.push_entry(b"b");
        assert_eq!(collector.hash(pair), Some(collector.root()));
        assert_eq!(collector.hash(Subtree { level: 0, index: 0 }), None);
        assert_eq!(collector.size(), 2);
    }

    #[test]
    fn a_proof_at_ten_million_needs_at_most_24_hashes() {
        for index in [0, 1, 4_999_999, 9_999_999] {
            let plan = ProofPlan::inclusion(index, 10_000_000).unwrap();
            assert!(plan.hashes.len() <= 24, "{index}: {}", plan.hashes.len());
        }
    }
}
