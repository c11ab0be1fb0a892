//! Inclusion and consistency proofs, made and checked.

use thiserror::Error;

use super::{node_hash, root_of};
use crate::Hash;

/// The most hashes that a proof can have; C2SP tlog-witness accepts no more either.
pub const PROOF_HASHES_MAX: usize = 63;

/// Why a proof proves nothing, or cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProofError {
    /// An empty first tree is consistent with everything and so proves nothing.
    #[error("a consistency proof from an empty tree proves nothing")]
    EmptyFirstTree,
    /// The leaf is not in a tree of that size.
    #[error("no leaf {index} in a tree of {size}")]
    IndexOutOfRange {
        /// The leaf asked for.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The hashes lead to another root.
    #[error("the proof leads to another root")]
    RootMismatch,
    /// The first tree is the larger one.
    #[error("a tree of {first} cannot be the beginning of a tree of {second}")]
    SizesReversed {
        /// The size of the first tree.
        first: u64,
        /// The size of the second tree.
        second: u64,
    },
    /// The proof has too few or too many hashes for these sizes.
    #[error("the number of hashes in the proof is not that of the trees' sizes")]
    WrongLength,
}

/// The hashes that lead from leaf `index` to the root over all `leaves`.
///
/// # Errors
/// [`ProofError::IndexOutOfRange`].
///
/// ```
/// use audit_core::{inclusion_proof, leaf_hash, root_of, verify_inclusion};
/// let leaves = [leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")];
/// let proof = inclusion_proof(&leaves, 1)?;
/// verify_inclusion(1, 3, &leaves[1], &proof, &root_of(&leaves))?;
/// # Ok::<(), audit_core::ProofError>(())
/// ```
pub fn inclusion_proof(leaves: &[Hash], index: u64) -> Result<Vec<Hash>, ProofError> {
    let size = size_of(leaves);
    let out_of_range = ProofError::IndexOutOfRange { index, size };
    let mut at = usize::try_from(index).map_err(|_| out_of_range.clone())?;
    if at >= leaves.len() {
        return Err(out_of_range);
    }
    let mut proof = Vec::new();
    let mut tree = leaves;
    while tree.len() > 1 {
        let (left, right) = halves(tree);
        if at < left.len() {
            proof.push(root_of(right));
            tree = left;
        } else {
            proof.push(root_of(left));
            at -= left.len();
            tree = right;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The hashes that prove the tree over the first `first` leaves to be the beginning of the tree
/// over all `leaves`.
///
/// # Errors
/// [`ProofError::EmptyFirstTree`], [`ProofError::SizesReversed`].
pub fn consistency_proof(leaves: &[Hash], first: u64) -> Result<Vec<Hash>, ProofError> {
    let second = size_of(leaves);
    require_order(first, second)?;
    let mut left_over =
        usize::try_from(first).map_err(|_| ProofError::SizesReversed { first, second })?;
    let mut proof = Vec::new();
    let mut tree = leaves;
    // Whether the first tree is a complete subtree here whose root the verifier knows already.
    let mut is_known = true;
    while left_over < tree.len() {
        let (left, right) = halves(tree);
        if left_over <= left.len() {
            proof.push(root_of(right));
            tree = left;
        } else {
            proof.push(root_of(left));
            left_over -= left.len();
            tree = right;
            is_known = false;
        }
    }
    if !is_known {
        proof.push(root_of(tree));
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that `leaf` is leaf `index` of the tree of `size` with that root.
///
/// # Errors
/// [`ProofError`] when it does not prove it.
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &Hash,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::IndexOutOfRange { index, size });
    }
    let mut path = Path {
        node: index,
        last: size - 1,
    };
    let mut hash = *leaf;
    for sibling in proof {
        hash = match path.climb()? {
            Side::Left => node_hash(sibling, &hash),
            Side::Right => node_hash(&hash, sibling),
        };
    }
    path.require_top()?;
    require_root(&hash, root)
}

/// Checks that the tree of `first` leaves with `first_root` is the beginning of the tree of
/// `second` leaves with `second_root`.
///
/// # Errors
/// [`ProofError`] when it does not prove it; always [`ProofError::EmptyFirstTree`] for a first
/// tree without leaves.
pub fn verify_consistency(
    first: u64,
    second: u64,
    first_root: &Hash,
    second_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    require_order(first, second)?;
    if first == second {
        return if proof.is_empty() {
            require_root(first_root, second_root)
        } else {
            Err(ProofError::WrongLength)
        };
    }
    let (seed, rest) = if first.is_power_of_two() {
        (first_root, proof)
    } else {
        proof.split_first().ok_or(ProofError::WrongLength)?
    };
    let mut path = Path {
        node: first - 1,
        last: second - 1,
    };
    path.skip_right_nodes();
    let (mut old, mut new) = (*seed, *seed);
    for sibling in rest {
        match path.climb()? {
            Side::Left => {
                old = node_hash(sibling, &old);
                new = node_hash(sibling, &new);
            }
            Side::Right => new = node_hash(&new, sibling),
        }
    }
    path.require_top()?;
    require_root(&old, first_root)?;
    require_root(&new, second_root)
}

/// On which side of the path a sibling stands.
enum Side {
    Left,
    Right,
}

/// The way up from a node: its index on its level, and that of the level's last node.
struct Path {
    node: u64,
    last: u64,
}

impl Path {
    fn climb(&mut self) -> Result<Side, ProofError> {
        if self.last == 0 {
            return Err(ProofError::WrongLength);
        }
        let is_right = self.node & 1 == 1;
        let side = if is_right || self.node == self.last {
            Side::Left
        } else {
            Side::Right
        };
        if !is_right && matches!(side, Side::Left) {
            // The last node of an odd level has no sibling until some level above.
            while self.node & 1 == 0 && self.node > 0 {
                self.up();
            }
        }
        self.up();
        Ok(side)
    }

    fn skip_right_nodes(&mut self) {
        while self.node & 1 == 1 {
            self.up();
        }
    }

    const fn up(&mut self) {
        self.node >>= 1;
        self.last >>= 1;
    }

    const fn require_top(&self) -> Result<(), ProofError> {
        if self.last == 0 {
            Ok(())
        } else {
            Err(ProofError::WrongLength)
        }
    }
}

pub(super) const fn require_order(first: u64, second: u64) -> Result<(), ProofError> {
    if first == 0 {
        return Err(ProofError::EmptyFirstTree);
    }
    if first > second {
        return Err(ProofError::SizesReversed { first, second });
    }
    Ok(())
}

fn require_root(got: &Hash, expected: &Hash) -> Result<(), ProofError> {
    if got == expected {
        Ok(())
    } else {
        Err(ProofError::RootMismatch)
    }
}

/// Splits a tree of more than one leaf at the largest power of two below its size.
fn halves(tree: &[Hash]) -> (&[Hash], &[Hash]) {
    tree.split_at(tree.len().next_power_of_two() / 2)
}

fn size_of(leaves: &[Hash]) -> u64 {
    u64::try_from(leaves.len()).unwrap_or(u64::MAX)
}
