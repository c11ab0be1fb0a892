//! Cosignatures of witnesses (C2SP tlog-cosignature v1): somebody else saw this checkpoint, and
//! that it goes on from the one they saw before.

use thiserror::Error;

use crate::{CheckpointError, SignedCheckpoint, WitnessKey, note::Signature};

/// What a witness vouched for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cosignature {
    /// The witness' name.
    pub witness: String,
    /// When it signed, in seconds since 1970.
    pub at_unix_seconds: u64,
}

impl SignedCheckpoint {
    /// The cosignatures by these witnesses, one of each: the newest.
    ///
    /// # Errors
    /// [`CheckpointError::BadSignature`] when a line names a witness that did not make it.
    pub fn cosignatures(
        &self,
        witnesses: &[WitnessKey],
    ) -> Result<Vec<Cosignature>, CheckpointError> {
        let mut found = Vec::new();
        for witness in witnesses {
            let mut newest: Option<u64> = None;
            for line in self.note().signatures() {
                if witness.has_name_and_id(&line.name, line.id) {
                    newest = newest.max(Some(self.cosigned_at(witness, line)?));
                }
            }
            found.extend(newest.map(|at_unix_seconds| Cosignature {
                witness: witness.name().to_owned(),
                at_unix_seconds,
            }));
        }
        Ok(found)
    }

    /// Adds the signature lines that a witness answered with.
    ///
    /// # Errors
    /// [`CheckpointError::Untrusted`] when the witness' own line is missing,
    /// [`CheckpointError::BadSignature`] when it is wrong, and the others when the lines are none;
    /// then nothing was added.
    pub fn add_cosignature(
        &mut self,
        lines: &str,
        witness: &WitnessKey,
    ) -> Result<Cosignature, CheckpointError> {
        let mut with_lines = self.clone();
        with_lines.note_mut().add(lines)?;
        let added = with_lines
            .cosignatures(std::slice::from_ref(witness))?
            .pop();
        let added = added.ok_or(CheckpointError::Untrusted)?;
        *self = with_lines;
        Ok(added)
    }

    /// The lines of cosignatures, to be kept apart from the note.
    pub fn cosignature_lines(&self, witnesses: &[WitnessKey]) -> String {
        let of_witness = |line: &&Signature| {
            let mut witnesses = witnesses.iter();
            witnesses.any(|witness| witness.has_name_and_id(&line.name, line.id))
        };
        let lines = self.note().signatures().iter().filter(of_witness);
        lines.map(Signature::to_line).collect()
    }

    fn cosigned_at(&self, witness: &WitnessKey, line: &Signature) -> Result<u64, CheckpointError> {
        let bad = || CheckpointError::BadSignature {
            signer: line.name.clone(),
        };
        let (time, signature) = line.bytes.split_first_chunk().ok_or_else(bad)?;
        let time = u64::from_be_bytes(*time);
        let signed = format!("cosignature/v1\ntime {time}\n{}", self.checkpoint().body());
        if witness.verifies(&signed, signature) {
            Ok(time)
        } else {
            Err(bad())
        }
    }
}

/// How many of which witnesses must have seen a checkpoint.
///
/// ```
/// use audit_core::{WitnessKey, WitnessPolicy};
/// let key = "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X";
/// let witnesses = vec![WitnessKey::parse(key)?];
/// assert!(WitnessPolicy::new(witnesses.clone(), 2).is_err());
/// assert!(WitnessPolicy::new(witnesses, 1).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct WitnessPolicy {
    witnesses: Vec<WitnessKey>,
    quorum: usize,
}

impl WitnessPolicy {
    /// A checkpoint counts when `quorum` of the witnesses cosigned it.
    ///
    /// # Errors
    /// [`QuorumError::Impossible`] when there are fewer different witnesses.
    pub fn new(witnesses: Vec<WitnessKey>, quorum: usize) -> Result<Self, QuorumError> {
        let mut different: Vec<WitnessKey> = Vec::new();
        for witness in witnesses {
            if !different.contains(&witness) {
                different.push(witness);
            }
        }
        let of = different.len();
        if quorum > of {
            return Err(QuorumError::Impossible { quorum, of });
        }
        Ok(Self {
            witnesses: different,
            quorum,
        })
    }

    /// The witnesses, each once.
    pub fn witnesses(&self) -> &[WitnessKey] {
        &self.witnesses
    }

    /// Checks that enough witnesses cosigned.
    ///
    /// # Errors
    /// [`QuorumError::NotMet`], or [`QuorumError::Checkpoint`] for a cosignature that is wrong.
    pub fn check(&self, checkpoint: &SignedCheckpoint) -> Result<Vec<Cosignature>, QuorumError> {
        let found = checkpoint.cosignatures(&self.witnesses)?;
        if found.len() < self.quorum {
            return Err(QuorumError::NotMet {
                got: found.len(),
                quorum: self.quorum,
            });
        }
        Ok(found)
    }
}

/// Why a checkpoint does not have the witnesses that a policy asks for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QuorumError {
    /// A cosignature is wrong.
    #[error("a cosignature of the checkpoint")]
    Checkpoint(#[from] CheckpointError),
    /// More witnesses are asked for than there are.
    #[error("{quorum} of {of} witnesses cannot be: name more, or ask for fewer")]
    Impossible {
        /// How many are asked for.
        quorum: usize,
        /// How many there are.
        of: usize,
    },
    /// Too few witnesses cosigned.
    #[error("{got} witnesses cosigned the checkpoint, expected {quorum}")]
    NotMet {
        /// How many did.
        got: usize,
        /// How many are asked for.
        quorum: usize,
    },
}

#[cfg(test)]
mod tests;
