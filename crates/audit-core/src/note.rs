//! Signed notes (C2SP signed-note): a text and signatures over it, each by a named key.

mod key;

use base64::{Engine, prelude::BASE64_STANDARD};
pub use key::{KEY_NAME_BYTES_MAX, KeyError, Signer, VerifierKey, WitnessKey};
use key::{KeyId, is_key_name};

use crate::CheckpointError;

/// The most signature lines that a note may have.
pub const NOTE_SIGNATURES_MAX: usize = 100;

/// The longest note, signatures included, in bytes.
pub const NOTE_BYTES_MAX: usize = 1_000_000;

/// A note as it was read or signed; nothing in it is proven until [`Note::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    /// The signed text, its last line feed included.
    text: String,
    signatures: Vec<Signature>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) name: String,
    pub(crate) id: KeyId,
    pub(crate) bytes: Vec<u8>,
}

impl Note {
    /// Signs a text that ends in a line feed.
    pub(crate) fn sign(text: String, signer: &Signer) -> Self {
        let signature = Signature {
            name: signer.name().to_owned(),
            id: signer.id(),
            bytes: signer.sign_text(&text).to_vec(),
        };
        Self {
            text,
            signatures: vec![signature],
        }
    }

    /// Takes a note apart without believing it.
    pub(crate) fn parse(note: &str) -> Result<Self, CheckpointError> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(CheckpointError::TooLong {
                bytes: note.len(),
                max: NOTE_BYTES_MAX,
            });
        }
        require_no_control(note)?;
        let end_of_text = note.rfind("\n\n").ok_or_else(|| {
            let line = note.lines().count();
            CheckpointError::Malformed {
                line,
                expected: "an empty line before the signatures",
            }
        })?;
        let (text, rest) = note.split_at_checked(end_of_text + 1).unwrap_or((note, ""));
        let text_lines = text.matches('\n').count();
        let signatures = signatures(rest.strip_prefix('\n').unwrap_or(rest), text_lines + 2)?;
        Ok(Self {
            text: text.to_owned(),
            signatures,
        })
    }

    /// The note as text, byte for byte as it was read.
    pub(crate) fn to_text(&self) -> String {
        let mut out = format!("{}\n", self.text);
        for signature in &self.signatures {
            out.push_str(&signature.to_line());
        }
        out
    }

    /// The signature lines.
    pub(crate) fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Adds the signature lines of somebody else, but for those that are there already.
    pub(crate) fn add(&mut self, lines: &str) -> Result<(), CheckpointError> {
        for signature in signatures(lines, 1)? {
            if self.signatures.contains(&signature) {
                continue;
            }
            if self.signatures.len() >= NOTE_SIGNATURES_MAX {
                return Err(CheckpointError::TooManySignatures {
                    max: NOTE_SIGNATURES_MAX,
                });
            }
            self.signatures.push(signature);
        }
        Ok(())
    }

    /// The signed text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The names of the keys that signed it, each once.
    ///
    /// Signatures of unknown keys are passed over; a wrong one of a known key refuses the note.
    pub(crate) fn verify(&self, keys: &[VerifierKey]) -> Result<Vec<String>, CheckpointError> {
        let mut signers = Vec::new();
        for signature in &self.signatures {
            let Some(key) = known_key(signature, keys)? else {
                continue;
            };
            if !key.verifies(&self.text, &signature.bytes) {
                return Err(CheckpointError::BadSignature {
                    signer: signature.name.clone(),
                });
            }
            if signers
                .iter()
                .any(|seen: &&VerifierKey| seen.is_same_signer(key))
            {
                continue;
            }
            signers.push(key);
        }
        if signers.is_empty() {
            return Err(CheckpointError::Untrusted);
        }
        Ok(signers
            .into_iter()
            .map(|key| key.name().to_owned())
            .collect())
    }
}

impl Signature {
    pub(crate) fn to_line(&self) -> String {
        let mut value = self.id.to_vec();
        value.extend_from_slice(&self.bytes);
        format!("{DASH}{} {}\n", self.name, BASE64_STANDARD.encode(value))
    }

    fn parse(line: &str) -> Option<Self> {
        let (name, value) = line.strip_prefix(DASH)?.split_once(' ')?;
        let value = BASE64_STANDARD.decode(value).ok()?;
        let (id, bytes) = value.split_first_chunk()?;
        (is_key_name(name) && !bytes.is_empty()).then(|| Self {
            name: name.to_owned(),
            id: *id,
            bytes: bytes.to_vec(),
        })
    }
}

const DASH: &str = "\u{2014} ";

fn signatures(lines: &str, first_line: usize) -> Result<Vec<Signature>, CheckpointError> {
    const EXPECTED: &str = "a signature line, ended by a line feed";
    let mut signatures = Vec::new();
    for (index, line) in lines.split_inclusive('\n').enumerate() {
        if index >= NOTE_SIGNATURES_MAX {
            return Err(CheckpointError::TooManySignatures {
                max: NOTE_SIGNATURES_MAX,
            });
        }
        let signature = line.strip_suffix('\n').and_then(Signature::parse);
        let malformed = || CheckpointError::Malformed {
            line: first_line.saturating_add(index),
            expected: EXPECTED,
        };
        signatures.push(signature.ok_or_else(malformed)?);
    }
    if signatures.is_empty() {
        return Err(CheckpointError::Malformed {
            line: first_line,
            expected: EXPECTED,
        });
    }
    Ok(signatures)
}

fn known_key<'k>(
    signature: &Signature,
    keys: &'k [VerifierKey],
) -> Result<Option<&'k VerifierKey>, CheckpointError> {
    let mut known = keys
        .iter()
        .filter(|key| key.has_name_and_id(&signature.name, signature.id));
    let key = known.next();
    if known.next().is_some() {
        return Err(CheckpointError::AmbiguousKey {
            signer: signature.name.clone(),
        });
    }
    Ok(key)
}

fn require_no_control(note: &str) -> Result<(), CheckpointError> {
    let is_bad = |line: &str| line.bytes().any(|byte| byte < b' ');
    match note.split('\n').position(is_bad) {
        None => Ok(()),
        Some(index) => Err(CheckpointError::Malformed {
            line: index.saturating_add(1),
            expected: "no control character but the line feed",
        }),
    }
}

#[cfg(test)]
mod tests;
