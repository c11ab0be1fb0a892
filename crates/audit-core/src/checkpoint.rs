//! Checkpoints (C2SP tlog-checkpoint): the size and root of a ledger, signed.

use std::{fmt, str::FromStr};

use base64::{Engine, prelude::BASE64_STANDARD};
use thiserror::Error;

use crate::{Hash, ParseError, Signer, VerifierKey, note::Note};

/// The longest origin, in bytes.
pub const ORIGIN_BYTES_MAX: usize = 255;

/// The identity of a ledger, the same for its whole life: `<dns name>/<ledger>/<year or shard>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(String);

impl Origin {
    /// Takes one line of text as an origin.
    ///
    /// # Errors
    /// [`ParseError`] when it is empty, longer than [`ORIGIN_BYTES_MAX`] or holds a control
    /// character.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let is_origin = (1..=ORIGIN_BYTES_MAX).contains(&text.len())
            && !text.contains(|c: char| c.is_control());
        is_origin
            .then(|| Self(text.to_owned()))
            .ok_or(ParseError::new(
                "an origin",
                "1 to 255 bytes without control characters",
            ))
    }

    /// The origin of a key's name, which obeys stricter rules than an origin.
    pub(crate) fn of_key_name(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The origin as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Origin {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// What a ledger was at one point: its origin, how many events it had, and the root over them.
///
/// ```
/// use audit_core::{Checkpoint, Origin, empty_root};
/// let checkpoint =
///     Checkpoint { origin: Origin::parse("ledger.example/doors")?, size: 0, root: empty_root() };
/// assert!(checkpoint.body().starts_with("ledger.example/doors\n0\n47DEQ"));
/// assert_eq!(Checkpoint::parse(&checkpoint.body())?, checkpoint);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which ledger.
    pub origin: Origin,
    /// How many events it had.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The three lines that are signed (audit-and-delivery 5.3).
    pub fn body(&self) -> String {
        let root = BASE64_STANDARD.encode(self.root.as_bytes());
        format!("{}\n{}\n{root}\n", self.origin, self.size)
    }

    /// Reads the three lines and nothing else: extension lines are refused.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`] with the line.
    pub fn parse(body: &str) -> Result<Self, CheckpointError> {
        let mut lines = body.split_inclusive('\n');
        let origin = Origin::parse(line(lines.next(), 1, "an origin, ended by a line feed")?)
            .map_err(|_| malformed(1, "an origin of at most 255 bytes"))?;
        let size = decimal(line(lines.next(), 2, SIZE)?).ok_or(malformed(2, SIZE))?;
        let root = base64_hash(line(lines.next(), 3, ROOT)?).ok_or(malformed(3, ROOT))?;
        match lines.next() {
            None => Ok(Self { origin, size, root }),
            Some(_) => Err(malformed(4, "nothing after the root")),
        }
    }

    /// Checks that this may be signed or stand after `earlier`: the same ledger, no smaller, and
    /// at the same size the same root (rule V8).
    ///
    /// # Errors
    /// [`CheckpointError::OtherOrigin`], [`CheckpointError::Shrunk`] or
    /// [`CheckpointError::Forked`].
    pub fn follows(&self, earlier: &Self) -> Result<(), CheckpointError> {
        self.require_origin(&earlier.origin)?;
        if self.size < earlier.size {
            return Err(CheckpointError::Shrunk {
                from: earlier.size,
                to: self.size,
            });
        }
        if self.size == earlier.size && self.root != earlier.root {
            return Err(CheckpointError::Forked { size: self.size });
        }
        Ok(())
    }

    /// Checks that this is a checkpoint of that ledger.
    ///
    /// # Errors
    /// [`CheckpointError::OtherOrigin`].
    pub fn require_origin(&self, origin: &Origin) -> Result<(), CheckpointError> {
        if self.origin == *origin {
            Ok(())
        } else {
            Err(CheckpointError::OtherOrigin)
        }
    }
}

/// A checkpoint with its signatures, as the text of a C2SP signed note.
///
/// One that was read holds at least one signature that a trusted key made, and none that a
/// trusted key did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
    signers: Vec<String>,
}

impl SignedCheckpoint {
    /// Reads a note and checks it against the keys that are trusted.
    ///
    /// Signatures of unknown keys are passed over and kept in the text.
    ///
    /// # Errors
    /// [`CheckpointError::BadSignature`] when a trusted key's signature is wrong,
    /// [`CheckpointError::Untrusted`] when there is none, [`CheckpointError::AmbiguousKey`] when
    /// two keys fit one, and the others when the text is not a checkpoint.
    pub fn parse(text: &str, trusted: &[VerifierKey]) -> Result<Self, CheckpointError> {
        let (checkpoint, note) = read_unproven(text)?;
        let signers = note.verify(trusted)?;
        Ok(Self {
            checkpoint,
            note,
            signers,
        })
    }

    /// The checkpoint.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The names of the trusted keys that signed it.
    pub fn signers(&self) -> impl Iterator<Item = &str> {
        self.signers.iter().map(String::as_str)
    }

    /// The note, byte for byte as it was read or signed.
    pub fn to_text(&self) -> String {
        self.note.to_text()
    }

    pub(crate) const fn note(&self) -> &Note {
        &self.note
    }

    pub(crate) const fn note_mut(&mut self) -> &mut Note {
        &mut self.note
    }

    pub(crate) fn sign(checkpoint: Checkpoint, signer: &Signer) -> Self {
        let note = Note::sign(checkpoint.body(), signer);
        Self {
            checkpoint,
            note,
            signers: vec![signer.name().to_owned()],
        }
    }
}

/// What is wrong with a checkpoint or the note that carries it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Two trusted keys have the signer's name and key id.
    #[error("two trusted keys are named {signer} and have the same key id")]
    AmbiguousKey {
        /// The name of the keys.
        signer: String,
    },
    /// A trusted key is named, but did not make the signature.
    #[error("the signature by {signer} is wrong")]
    BadSignature {
        /// The name of the key.
        signer: String,
    },
    /// Another root at the same size: the ledger was forked or changed.
    #[error("two roots for the first {size} events")]
    Forked {
        /// The size that both have.
        size: u64,
    },
    /// The text is not of the form.
    #[error("not a signed checkpoint: expected {expected} in line {line}")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// What stands there in a signed checkpoint.
        expected: &'static str,
    },
    /// Another ledger's checkpoint.
    #[error("a checkpoint of another ledger")]
    OtherOrigin,
    /// A smaller size than before: the ledger was cut.
    #[error("the ledger went from {from} events back to {to}")]
    Shrunk {
        /// The size before.
        from: u64,
        /// The size after.
        to: u64,
    },
    /// More bytes than a note may have.
    #[error("note of {bytes} bytes: at most {max} are allowed")]
    TooLong {
        /// How many there are.
        bytes: usize,
        /// How many are allowed.
        max: usize,
    },
    /// More signatures than a note may have.
    #[error("more than {max} signatures")]
    TooManySignatures {
        /// How many are allowed.
        max: usize,
    },
    /// A checkpoint of another size or root than the one that was asked for.
    #[error("another checkpoint than the one asked for, over {size} events")]
    OtherCheckpoint {
        /// The size that it is over.
        size: u64,
    },
    /// No trusted key signed it.
    #[error("no signature by a trusted key")]
    Untrusted,
}

/// Reads a note and its checkpoint without checking any signature.
pub(crate) fn read_unproven(text: &str) -> Result<(Checkpoint, Note), CheckpointError> {
    let note = Note::parse(text)?;
    Ok((Checkpoint::parse(note.text())?, note))
}

/// Reads a number without leading zeros or sign.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let has_one_form =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| has_one_form)
}

/// Reads a hash in standard base64.
pub(crate) fn base64_hash(text: &str) -> Option<Hash> {
    let bytes = BASE64_STANDARD.decode(text).ok()?;
    Some(Hash::from_bytes(bytes.try_into().ok()?))
}

const SIZE: &str = "a size in decimal without leading zeros";
const ROOT: &str = "a root of 32 bytes in base64";

fn line<'a>(
    line: Option<&'a str>,
    number: usize,
    expected: &'static str,
) -> Result<&'a str, CheckpointError> {
    line.and_then(|line| line.strip_suffix('\n'))
        .ok_or_else(|| malformed(number, expected))
}

const fn malformed(line: usize, expected: &'static str) -> CheckpointError {
    CheckpointError::Malformed { line, expected }
}

#[cfg(test)]
mod tests;
