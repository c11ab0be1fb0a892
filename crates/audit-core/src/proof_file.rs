//! Offline proof files (C2SP tlog-proof): that one event is in the ledger, for a stranger with
//! nothing but a public key.

use base64::{Engine, prelude::BASE64_STANDARD};
use thiserror::Error;

use crate::{
    CheckpointError, Hash, PROOF_HASHES_MAX, ProofError, SignedCheckpoint, VerifierKey,
    checkpoint::{base64_hash, decimal},
    verify_inclusion,
};

/// The most bytes of extra data in a proof file.
pub const PROOF_EXTRA_BYTES_MAX: usize = 65_535;

/// A proof that one event is in the ledger: its index, the hashes that lead to the root, and the
/// signed checkpoint with that root. Kept in a file that ends in `.tlog-proof`.
///
/// ```
/// use audit_core::{
///     Checkpoint, InclusionProofFile, Origin, Signer, inclusion_proof, leaf_hash, root_of,
/// };
/// let leaves = [leaf_hash(b"first"), leaf_hash(b"second")];
/// let signer = Signer::from_seed("ledger.example/doors", [7; 32])?;
/// let origin = Origin::parse("ledger.example/doors")?;
/// let checkpoint = signer.sign(&Checkpoint { origin, size: 2, root: root_of(&leaves) });
/// let text = InclusionProofFile::new(1, inclusion_proof(&leaves, 1)?, checkpoint).to_text();
///
/// let read = InclusionProofFile::parse(&text, &[signer.verifier_key()])?;
/// read.check(&leaf_hash(b"second"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InclusionProofFile {
    /// Data with a meaning of the application's own. Nothing vouches for it.
    pub extra: Option<Vec<u8>>,
    /// The index of the event.
    pub index: u64,
    /// The hashes from the event's sibling up to the root's child.
    pub proof: Vec<Hash>,
    /// The checkpoint whose root they lead to.
    pub checkpoint: SignedCheckpoint,
}

impl InclusionProofFile {
    /// A proof file without extra data.
    pub const fn new(index: u64, proof: Vec<Hash>, checkpoint: SignedCheckpoint) -> Self {
        Self {
            extra: None,
            index,
            proof,
            checkpoint,
        }
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let mut out = format!("{HEADER}\n");
        if let Some(extra) = &self.extra {
            out.push_str(&format!("{EXTRA}{}\n", BASE64_STANDARD.encode(extra)));
        }
        out.push_str(&format!("{INDEX}{}\n", self.index));
        for hash in &self.proof {
            out.push_str(&BASE64_STANDARD.encode(hash.as_bytes()));
            out.push('\n');
        }
        out.push('\n');
        out.push_str(&self.checkpoint.to_text());
        out
    }

    /// Reads a file and checks its checkpoint's signatures. It proves nothing about an event until
    /// [`InclusionProofFile::check`].
    ///
    /// # Errors
    /// [`ProofFileError::Malformed`] with the line, [`ProofFileError::TooLong`], or
    /// [`ProofFileError::Checkpoint`].
    pub fn parse(text: &str, trusted: &[VerifierKey]) -> Result<Self, ProofFileError> {
        let (head, checkpoint) = text
            .split_once("\n\n")
            .ok_or(malformed(1, "an empty line before the checkpoint"))?;
        let mut lines = head.split('\n').zip(1..).peekable();
        lines
            .next_if(|(line, _)| *line == HEADER)
            .ok_or(malformed(1, HEADER))?;
        let extra = match lines.next_if(|(line, _)| line.starts_with(EXTRA)) {
            Some((line, number)) => Some(extra(line, number)?),
            None => None,
        };
        let index = lines
            .next()
            .and_then(|(line, _)| decimal(line.strip_prefix(INDEX)?))
            .ok_or_else(|| malformed(if extra.is_some() { 3 } else { 2 }, "`index <number>`"))?;
        let mut proof = Vec::new();
        for (line, number) in lines {
            if proof.len() >= PROOF_HASHES_MAX {
                return Err(ProofFileError::TooLong {
                    what: "proof",
                    max: PROOF_HASHES_MAX,
                });
            }
            proof.push(base64_hash(line).ok_or_else(|| malformed(number, "a hash in base64"))?);
        }
        let checkpoint = SignedCheckpoint::parse(checkpoint, trusted)?;
        Ok(Self {
            extra,
            index,
            proof,
            checkpoint,
        })
    }

    /// Checks that the event with this leaf hash stands at the index in the checkpoint's ledger.
    ///
    /// # Errors
    /// [`ProofError`] when it does not prove it.
    pub fn check(&self, leaf: &Hash) -> Result<(), ProofError> {
        let checkpoint = self.checkpoint.checkpoint();
        verify_inclusion(
            self.index,
            checkpoint.size,
            leaf,
            &self.proof,
            &checkpoint.root,
        )
    }
}

/// What is wrong with a proof file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProofFileError {
    /// The checkpoint in it cannot be trusted.
    #[error("checkpoint in the proof file")]
    Checkpoint(#[from] CheckpointError),
    /// The text is not of the form.
    #[error("not a proof file: expected {expected} in line {line}")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// What stands there in a proof file.
        expected: &'static str,
    },
    /// More of something than a proof file may have.
    #[error("proof file with too long a {what}: at most {max} are allowed")]
    TooLong {
        /// What there is too much of.
        what: &'static str,
        /// How many are allowed.
        max: usize,
    },
}

pub(crate) const HEADER: &str = "c2sp.org/tlog-proof@v1";
const EXTRA: &str = "extra ";
const INDEX: &str = "index ";

fn extra(line: &str, number: usize) -> Result<Vec<u8>, ProofFileError> {
    let expected = "`extra <base64>`";
    let value = line.strip_prefix(EXTRA).unwrap_or_default();
    let bytes = BASE64_STANDARD
        .decode(value)
        .map_err(|_| malformed(number, expected))?;
    if bytes.len() > PROOF_EXTRA_BYTES_MAX {
        return Err(ProofFileError::TooLong {
            what: "extra",
            max: PROOF_EXTRA_BYTES_MAX,
        });
    }
    Ok(bytes)
}

const fn malformed(line: usize, expected: &'static str) -> ProofFileError {
    ProofFileError::Malformed { line, expected }
}

#[cfg(test)]
mod tests;
