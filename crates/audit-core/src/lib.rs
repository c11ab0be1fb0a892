//! Canonical events, a Merkle tree, signed checkpoints and their verification, for any audit trail.
//!
//! An audit trail is a list of events in **streams**: one stream for each thing that has a
//! history. Every event has one form in bytes only. It names the hash of the event before it in its
//! stream, and is a leaf of an RFC 6962 Merkle tree whose root is signed from time to time in a
//! C2SP checkpoint. Whoever holds a checkpoint and a public key can later prove that no event was
//! changed, dropped, added or moved.
//!
//! ```
//! use audit_core::{
//!     Checkpoint, Data, EventBody, EventId, Hash, Origin, PseudonymKey, Sequencer, Signer,
//!     Timestamp, Verifier, VerifyOptions,
//! };
//!
//! let door = PseudonymKey::new([1; 32]).stream_key(&["door", "3"]);
//! let opened = EventBody {
//!     id: EventId::from_bytes([7; 16]),
//!     at: Timestamp::parse("2026-02-03T10:10:00.000Z")?,
//!     stream: door,
//!     copy: None,
//!     lseq: 0,
//!     subject: None,
//!     kind: "door.opened".to_owned(),
//!     state: "OPEN".to_owned(),
//!     actor: "svc:doors".to_owned(),
//!     data: Data::new().with("attempt", 1),
//! };
//! let mut sequencer = Sequencer::new();
//! let event = sequencer.sequence(opened, Hash::ZERO)?;
//!
//! let signer = Signer::from_seed("ledger.example/doors", [2; 32])?;
//! let origin = Origin::parse("ledger.example/doors")?;
//! let signed = signer.sign(&Checkpoint { origin, size: 1, root: sequencer.root() });
//!
//! let mut verifier = Verifier::new(VerifyOptions {
//!     trusted: vec![signer.verifier_key()],
//!     stored_checkpoints: vec![signed.to_text()],
//!     ..VerifyOptions::default()
//! });
//! verifier.event(&event.to_canonical()?);
//! assert!(verifier.finish().is_clean());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it does not do
//!
//! It stores nothing, reads no clock, makes no random numbers, knows no database and no network.
//! It does not know what a stream is about: which event may follow which is the caller's business.
//! Nothing that identifies a person belongs in an event.
//!
//! # Where to find what
//!
//! - `event`, `data`, `canonical`: [`EventBody`], [`Event`], [`Data`] and their only form in bytes
//! - `key`, `hash`, `timestamp`, `event_id`: [`StreamKey`], [`PseudonymKey`], [`Hash`](struct@Hash),
//!   [`Timestamp`], [`EventId`]
//! - `merkle`: [`CompactRange`], inclusion and consistency proofs
//! - `checkpoint`, `note`: [`Checkpoint`], [`SignedCheckpoint`], [`Signer`], [`VerifierKey`]
//! - `proof_file`, `event_proofs`: [`InclusionProofFile`], an offline proof for one event;
//!   [`EventProofs`], one for the whole history of a few streams
//! - `sequencer`: [`Sequencer`], which gives events their position
//! - `shard`: [`ShardOpening`], which ties a year's ledger to the one before
//! - `signing`: [`SignCheckpoint`], the signer as a port; [`SignedBefore`], the rule it keeps
//! - `cosignature`, `witness`: [`WitnessPolicy`], and what is said to a witness over HTTP
//! - `tiles`: [`TileWriter`], [`TileTree`], [`verify_tiles`]: the ledger as a folder of files
//! - `verify`: [`Verifier`], which checks a whole ledger in one pass
//!
//! In the bytes the stream's key is named `letter` and the subject's `patient`: the format began
//! as a ledger of letters, and its published vectors hold.

mod canonical;
mod checkpoint;
mod cosignature;
mod data;
mod event;
mod event_id;
mod event_proofs;
mod hash;
mod hex;
mod key;
mod merkle;
mod note;
mod proof_file;
mod sequencer;
mod shard;
mod signing;
#[cfg(test)]
mod tests_support;
mod tiles;
mod timestamp;
mod verify;
mod witness;

pub use checkpoint::{Checkpoint, CheckpointError, ORIGIN_BYTES_MAX, Origin, SignedCheckpoint};
pub use cosignature::{Cosignature, QuorumError, WitnessPolicy};
pub use data::{Data, DataValue, INT_MAX};
pub use event::{BODY_BYTES_MAX, DATA_DEPTH_MAX, EVENT_BYTES_MAX, Event, EventBody, EventError};
pub use event_id::EventId;
pub use event_proofs::{EventProofs, EventProofsError};
pub use hash::{Hash, salted_digest};
pub use hex::ParseError;
pub use key::{PseudonymKey, StreamKey, SubjectKey};
pub use merkle::{
    CompactRange, CompactRangeError, PROOF_HASHES_MAX, ProofError, ProofPlan, Subtree,
    SubtreeCollector, consistency_proof, empty_root, inclusion_proof, leaf_hash, node_hash,
    root_of, verify_consistency, verify_inclusion,
};
pub use note::{
    KEY_NAME_BYTES_MAX, KeyError, NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX, Signer, VerifierKey,
    WitnessKey,
};
pub use proof_file::{InclusionProofFile, PROOF_EXTRA_BYTES_MAX, ProofFileError};
pub use sequencer::{ResumeError, Sequenced, Sequencer};
pub use shard::{SHARD_CLOSED, ShardOpening, ShardStart};
pub use signing::{SignCheckpoint, SignError, SignedBefore, read_signed};
pub use tiles::{
    CHECKPOINT_PATH, CHECKPOINTS_PATH, TILE_ENTRY_BYTES_MAX, TILE_WIDTH, Tile, TileError, TileFile,
    TileKind, TileTree, TileWriter, verify_tiles,
};
pub use timestamp::Timestamp;
pub use verify::{
    FAULTS_PER_RULE_MAX, Fault, Rule, UNSIGNED_AGE_MS, Verification, Verifier, VerifyOptions,
};
pub use witness::{WitnessError, read_cosigned, witness_request};
