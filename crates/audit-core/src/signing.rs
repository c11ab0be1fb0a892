//! The signer as a port: the key may be in this process, or with one that guards it.
//!
//! A signer that is another process reads the three lines of a checkpoint from its standard input
//! to the end, and writes the signed note to its standard output; when it refuses it ends with
//! another exit code than 0 and says why on its standard error.

use std::{collections::BTreeMap, fmt::Write as _};

use thiserror::Error;

use crate::{Checkpoint, CheckpointError, Origin, SignedCheckpoint, Signer, VerifierKey};

/// Signs checkpoints.
///
/// It never signs a smaller size than it did before, nor another root at a size already signed:
/// what it signs is durable before the signature leaves it. [`SignedBefore`] is that rule.
pub trait SignCheckpoint: Send + Sync {
    /// The origin of the ledger it signs for.
    fn origin(&self) -> Origin;

    /// The public key that checks what it signs.
    fn verifier_key(&self) -> VerifierKey;

    /// Signs a checkpoint. It may wait for another process, or for a disk.
    ///
    /// # Errors
    /// [`SignError::Refused`] when the rule forbids it, [`SignError::Unavailable`] when it cannot
    /// be asked.
    fn sign_checkpoint(&self, checkpoint: &Checkpoint) -> Result<SignedCheckpoint, SignError>;
}

/// A key alone: who holds it keeps the rule by what is kept with the ledger.
impl SignCheckpoint for Signer {
    fn origin(&self) -> Origin {
        self.named_origin()
    }

    fn verifier_key(&self) -> VerifierKey {
        Self::verifier_key(self)
    }

    fn sign_checkpoint(&self, checkpoint: &Checkpoint) -> Result<SignedCheckpoint, SignError> {
        Ok(self.sign(checkpoint))
    }
}

/// Why nothing was signed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignError {
    /// What was asked for contradicts what was signed before, or the answer is not what was asked
    /// for: a person must look.
    #[error("not signed: {0}")]
    Refused(#[from] CheckpointError),
    /// The signer is out of reach: try again later.
    #[error("the signer is out of reach: {0}")]
    Unavailable(String),
}

/// What a signer has signed, the newest checkpoint of each ledger: the rule that keeps a key from
/// signing two histories.
///
/// ```
/// use audit_core::{Checkpoint, Hash, Origin, SignedBefore};
/// let origin = Origin::parse("ledger.example/doors")?;
/// let at = |size| Checkpoint { origin: origin.clone(), size, root: Hash::from_bytes([1; 32]) };
/// let mut before = SignedBefore::default();
/// before.permit(&at(8))?;
/// assert!(before.permit(&at(7)).is_err());
/// assert_eq!(SignedBefore::parse(&before.to_text())?, before);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignedBefore(BTreeMap<Origin, Checkpoint>);

impl SignedBefore {
    /// Permits a checkpoint that goes on from what was signed, and remembers it. Keep
    /// [`SignedBefore::to_text`] before the signature is given out.
    ///
    /// # Errors
    /// [`CheckpointError::Shrunk`] or [`CheckpointError::Forked`]; then nothing changed.
    pub fn permit(&mut self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        if let Some(before) = self.0.get(&checkpoint.origin) {
            checkpoint.follows(before)?;
        }
        self.0.insert(checkpoint.origin.clone(), checkpoint.clone());
        Ok(())
    }

    /// The text to keep: three lines for each ledger.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for checkpoint in self.0.values() {
            // Writing to a string cannot fail.
            let _ = write!(text, "{}", checkpoint.body());
        }
        text
    }

    /// Reads what was kept.
    ///
    /// # Errors
    /// [`CheckpointError`] for a text that is not whole: a signer that forgot must not sign.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut before = Self::default();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for body in lines.chunks(3) {
            before.permit(&Checkpoint::parse(&body.concat())?)?;
        }
        Ok(before)
    }
}

/// Reads what another process answered, and checks that it signed what it was asked to.
///
/// # Errors
/// [`CheckpointError::OtherCheckpoint`], and those of [`SignedCheckpoint::parse`].
pub fn read_signed(
    answer: &str,
    asked: &Checkpoint,
    key: &VerifierKey,
) -> Result<SignedCheckpoint, CheckpointError> {
    let signed = SignedCheckpoint::parse(answer, std::slice::from_ref(key))?;
    if signed.checkpoint() == asked {
        Ok(signed)
    } else {
        Err(CheckpointError::OtherCheckpoint {
            size: signed.checkpoint().size,
        })
    }
}

#[cfg(test)]
mod tests;
