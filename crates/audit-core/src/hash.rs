//! SHA-256 digests.

use sha2::{Digest, Sha256};

use crate::hex::hex_newtype;

hex_newtype!(
    /// A SHA-256 digest: a leaf, a node, a root or the digest of a payload; 64 hexadecimal digits.
    ///
    /// ```
    /// use audit_core::Hash;
    /// assert_eq!(Hash::parse(&"00".repeat(32)), Ok(Hash::ZERO));
    /// ```
    Hash, 32, "a hash", "64 lower-case hexadecimal digits"
);

impl Hash {
    /// All bytes zero: the `prev` of the first event of a stream.
    pub const ZERO: Self = Self([0; 32]);
}

/// The digest of a payload that a stranger cannot confirm by guessing: SHA-256(salt || payload)
/// (audit-and-delivery 8.1).
///
/// Keep the salt with the payload, not in the ledger; once both are deleted the digest says
/// nothing about the payload.
///
/// ```
/// let digest = audit_core::salted_digest(&[7; 16], b"what was sent");
/// assert_ne!(digest, audit_core::salted_digest(&[8; 16], b"what was sent"));
/// ```
pub fn salted_digest(salt: &[u8; 16], payload: &[u8]) -> Hash {
    sha256(&[salt, payload])
}

/// SHA-256 over the parts, one after the other.
pub(crate) fn sha256(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    Hash(hasher.finalize().into())
}
