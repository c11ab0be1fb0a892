//! Canonical events, a Merkle tree, signed checkpoints and their verification, for any audit trail.
