//! What is said to a witness, and what it answers (C2SP tlog-witness), without the network:
//! `POST <prefix>/add-checkpoint`.

use base64::{Engine, prelude::BASE64_STANDARD};
use thiserror::Error;

use crate::{
    CheckpointError, Cosignature, Hash, PROOF_HASHES_MAX, SignedCheckpoint, WitnessKey,
    checkpoint::decimal,
};

/// The body of the request: the size that the witness saw last, the proof that the checkpoint
/// goes on from there, and the checkpoint.
///
/// A witness that has seen nothing of the ledger yet is asked with the size 0 and no proof.
///
/// # Errors
/// [`WitnessError::ProofTooLong`].
///
/// ```
/// use audit_core::{Checkpoint, Origin, Signer, empty_root, witness_request};
/// let signer = Signer::from_seed("ledger.example/doors", [7; 32])?;
/// let origin = Origin::parse("ledger.example/doors")?;
/// let signed = signer.sign(&Checkpoint { origin, size: 0, root: empty_root() });
/// let body = witness_request(0, &[], &signed)?;
/// assert_eq!(body, format!("old 0\n\n{}", signed.to_text()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn witness_request(
    old_size: u64,
    proof: &[Hash],
    checkpoint: &SignedCheckpoint,
) -> Result<String, WitnessError> {
    if proof.len() > PROOF_HASHES_MAX {
        return Err(WitnessError::ProofTooLong {
            hashes: proof.len(),
        });
    }
    let mut body = format!("old {old_size}\n");
    for hash in proof {
        body.push_str(&BASE64_STANDARD.encode(hash.as_bytes()));
        body.push('\n');
    }
    body.push('\n');
    body.push_str(&checkpoint.to_text());
    Ok(body)
}

/// Reads the answer, by its HTTP status and body; on 200 the cosignature is checked and added.
///
/// # Errors
/// [`WitnessError`], by what to do next.
pub fn read_cosigned(
    status: u16,
    body: &str,
    checkpoint: &mut SignedCheckpoint,
    witness: &WitnessKey,
) -> Result<Cosignature, WitnessError> {
    match status {
        200 => Ok(checkpoint.add_cosignature(body, witness)?),
        400 => Err(WitnessError::Malformed),
        403 => Err(WitnessError::UntrustedKey),
        404 => Err(WitnessError::UnknownOrigin),
        409 => match decimal(body.strip_suffix('\n').unwrap_or(body)) {
            Some(size) => Err(WitnessError::OtherSize { size }),
            None => Err(WitnessError::Unexpected { status }),
        },
        422 => Err(WitnessError::Inconsistent),
        status => Err(WitnessError::Unexpected { status }),
    }
}

/// Why a witness did not cosign.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// What it answered is no cosignature of this checkpoint.
    #[error("the witness' answer")]
    Answer(#[from] CheckpointError),
    /// 422: the witness saw another history. The ledger was changed, or the witness is wrong: a
    /// person must look at once.
    #[error("the witness saw another history of this ledger: compare with it before going on")]
    Inconsistent,
    /// 400: the request was not understood.
    #[error("the witness did not understand the request")]
    Malformed,
    /// 409: the witness last saw another size; ask again with a proof from that one.
    #[error("the witness last saw {size} events")]
    OtherSize {
        /// The size it saw last.
        size: u64,
    },
    /// More hashes than a witness takes.
    #[error("a proof of {hashes} hashes: a witness takes at most {PROOF_HASHES_MAX}")]
    ProofTooLong {
        /// How many there are.
        hashes: usize,
    },
    /// Any other answer: try again later.
    #[error("the witness answered {status}: try again later")]
    Unexpected {
        /// The HTTP status.
        status: u16,
    },
    /// 404: the witness does not know the ledger.
    #[error("the witness does not know this ledger: have its origin and key added there")]
    UnknownOrigin,
    /// 403: the witness trusts another key.
    #[error("the witness does not trust the ledger's key: have it added there")]
    UntrustedKey,
}

#[cfg(test)]
mod tests;
