//! The whole history of a few streams in one file that proves itself.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::{
    Event, EventError, Hash, InclusionProofFile, ProofError, ProofFileError, StreamKey,
    VerifierKey, leaf_hash,
};

/// Proofs of events, each a C2SP tlog-proof with the event itself as its extra data, one after
/// the other in one text with an empty line between.
///
/// With a verifier key and nothing else a stranger can read the events, see that each stream is
/// whole from its first event on, and that every one of them is in the signed ledger. That no
/// later event follows is what a younger checkpoint and the ledger show, not this file.
///
/// ```
/// use audit_core::{
///     Checkpoint, Data, EventBody, EventId, EventProofs, Hash, InclusionProofFile, Origin,
///     Sequencer, Signer, StreamKey, Timestamp, inclusion_proof,
/// };
/// # let body = EventBody {
/// #     id: EventId::from_bytes([7; 16]),
/// #     at: Timestamp::from_millis(0),
/// #     stream: StreamKey::from_bytes([1; 16]),
/// #     copy: None,
/// #     lseq: 0,
/// #     subject: None,
/// #     kind: "door.opened".to_owned(),
/// #     state: "OPEN".to_owned(),
/// #     actor: "svc:doors".to_owned(),
/// #     data: Data::new(),
/// # };
/// let mut sequencer = Sequencer::new();
/// let event = sequencer.append(body, Hash::ZERO)?;
/// let signer = Signer::from_seed("ledger.example/doors", [7; 32])?;
/// let origin = Origin::parse("ledger.example/doors")?;
/// let signed = signer.sign(&Checkpoint { origin, size: 1, root: sequencer.root() });
///
/// let mut proof = InclusionProofFile::new(0, inclusion_proof(&[event.leaf], 0)?, signed);
/// proof.extra = Some(event.canonical);
/// let text = EventProofs::new(vec![proof]).to_text();
///
/// let events = EventProofs::parse(&text, &[signer.verifier_key()])?.check()?;
/// assert_eq!(events, [event.event]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventProofs {
    proofs: Vec<InclusionProofFile>,
}

impl EventProofs {
    /// Proofs whose extra data are the events.
    pub const fn new(proofs: Vec<InclusionProofFile>) -> Self {
        Self { proofs }
    }

    /// The proofs.
    pub fn proofs(&self) -> &[InclusionProofFile] {
        &self.proofs
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let texts: Vec<_> = self
            .proofs
            .iter()
            .map(InclusionProofFile::to_text)
            .collect();
        texts.join("\n")
    }

    /// Reads a file and checks the signatures in it; nothing is proven until
    /// [`EventProofs::check`].
    ///
    /// # Errors
    /// [`ProofFileError`] of the first proof that cannot be read.
    pub fn parse(text: &str, trusted: &[VerifierKey]) -> Result<Self, ProofFileError> {
        let between = format!("\n\n{}\n", crate::proof_file::HEADER);
        let mut proofs = Vec::new();
        for (index, part) in text.split(&between).enumerate() {
            let head = if index == 0 { "" } else { between.trim_start() };
            let end = if part.ends_with('\n') { "" } else { "\n" };
            let proof = InclusionProofFile::parse(&format!("{head}{part}{end}"), trusted)?;
            proofs.push(proof);
        }
        Ok(Self { proofs })
    }

    /// Checks every proof, and that each stream is whole from its first event on; gives the events
    /// in the order of the file.
    ///
    /// # Errors
    /// [`EventProofsError`] of the first event that is not proven.
    pub fn check(&self) -> Result<Vec<Event>, EventProofsError> {
        let mut tails = BTreeMap::new();
        self.proofs
            .iter()
            .map(|proof| proven(proof, &mut tails))
            .collect()
    }
}

/// The next `lseq` of a stream, and the leaf hash of its event before.
type Tails = BTreeMap<StreamKey, (u64, Hash)>;

fn proven(proof: &InclusionProofFile, tails: &mut Tails) -> Result<Event, EventProofsError> {
    let index = proof.index;
    let bytes = proof
        .extra
        .as_ref()
        .ok_or(EventProofsError::NoEvent { index })?;
    let leaf = leaf_hash(bytes);
    proof
        .check(&leaf)
        .map_err(|source| EventProofsError::NotProven { index, source })?;
    let event =
        Event::parse(bytes).map_err(|source| EventProofsError::NotAnEvent { index, source })?;
    let due = tails.entry(event.body.stream).or_insert((0, Hash::ZERO));
    if event.seq != index || (event.body.lseq, event.prev) != *due {
        return Err(EventProofsError::NotNext { index });
    }
    *due = (event.body.lseq.saturating_add(1), leaf);
    Ok(event)
}

/// Why a file of proofs does not prove what it says.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EventProofsError {
    /// A proof does not hold its event.
    #[error("the proof of event {index} does not hold the event")]
    NoEvent {
        /// The index of the event.
        index: u64,
    },
    /// What a proof holds is no event.
    #[error("what the proof of event {index} holds is no event")]
    NotAnEvent {
        /// The index of the event.
        index: u64,
        /// What is wrong.
        source: EventError,
    },
    /// An event is not the next of its stream: one is missing, or the file was put together wrongly.
    #[error("event {index} is not the next of its stream: one before it is missing or changed")]
    NotNext {
        /// The index of the event.
        index: u64,
    },
    /// The event is not in the ledger that was signed.
    #[error("event {index} is not in the signed ledger")]
    NotProven {
        /// The index of the event.
        index: u64,
        /// What is wrong.
        source: ProofError,
    },
}

#[cfg(test)]
mod tests;
