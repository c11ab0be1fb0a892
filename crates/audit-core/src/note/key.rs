//! Keys that sign notes and keys that check them: Ed25519, signature type 0x01.

use std::{fmt, str::FromStr};

use base64::{Engine, prelude::BASE64_STANDARD};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use thiserror::Error;

use crate::{Checkpoint, Origin, SignedCheckpoint, hash::sha256, hex};

/// The first bytes of a hash over name, type and public key, that find the key of a signature.
pub(crate) type KeyId = [u8; 4];

/// The longest name of a key, in bytes.
pub const KEY_NAME_BYTES_MAX: usize = 255;

/// The signature type of plain Ed25519.
const ED25519: u8 = 0x01;

/// The signature type of Ed25519 cosignatures with a time (C2SP tlog-cosignature).
const COSIGNATURE: u8 = 0x04;

/// A named secret key that signs checkpoints. Wiped when dropped, never shown.
///
/// Before a signature leaves the signer its owner must keep size and root, and ask
/// [`Checkpoint::follows`] of the last one signed: a signer that signs two histories proves
/// neither.
///
/// ```
/// use audit_core::{Checkpoint, Origin, SignedCheckpoint, Signer, empty_root};
/// let signer = Signer::from_seed("ledger.example/doors", [7; 32])?;
/// let checkpoint =
///     Checkpoint { origin: Origin::parse("ledger.example/doors")?, size: 0, root: empty_root() };
/// let note = signer.sign(&checkpoint).to_text();
/// let read = SignedCheckpoint::parse(&note, &[signer.verifier_key()])?;
/// assert_eq!(read.checkpoint(), &checkpoint);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Signer {
    key: SigningKey,
    verifier: VerifierKey,
}

impl Signer {
    /// The key that grows from 32 random bytes. The name should be the ledger's origin.
    ///
    /// # Errors
    /// [`KeyError::Name`].
    pub fn from_seed(name: &str, seed: [u8; 32]) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(&seed);
        let verifier = VerifierKey::new(name, ED25519, key.verifying_key())?;
        Ok(Self { key, verifier })
    }

    /// Signs a checkpoint.
    pub fn sign(&self, checkpoint: &Checkpoint) -> SignedCheckpoint {
        SignedCheckpoint::sign(checkpoint.clone(), self)
    }

    /// The public key that checks what this key signs.
    pub fn verifier_key(&self) -> VerifierKey {
        self.verifier.clone()
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        self.verifier.name()
    }

    /// The origin that the key is named after.
    pub(crate) fn named_origin(&self) -> Origin {
        // A key's name has an origin's length and no control character.
        Origin::of_key_name(self.name())
    }

    pub(super) const fn id(&self) -> KeyId {
        self.verifier.id
    }

    pub(super) fn sign_text(&self, text: &str) -> [u8; 64] {
        self.key.sign(text.as_bytes()).to_bytes()
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

/// A named public key, written `name+<key id>+<base64>` (C2SP signed-note).
///
/// ```
/// use audit_core::VerifierKey;
/// let text = "ledger.example/rzz/2026+51c1a2c0+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
/// assert_eq!(VerifierKey::parse(text)?.to_string(), text);
/// # Ok::<(), audit_core::KeyError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    algorithm: u8,
    id: KeyId,
    key: VerifyingKey,
}

impl VerifierKey {
    /// Reads the form that `Display` writes.
    ///
    /// # Errors
    /// [`KeyError`] by what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        Self::parse_as(text, ED25519)
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn parse_as(text: &str, expected: u8) -> Result<Self, KeyError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Format);
        };
        let id: KeyId = hex::decode(id.as_bytes()).ok_or(KeyError::Format)?;
        let bytes = BASE64_STANDARD.decode(key).map_err(|_| KeyError::Format)?;
        let (algorithm, key) = bytes.split_first().ok_or(KeyError::Format)?;
        if *algorithm != expected {
            return Err(KeyError::Algorithm {
                got: *algorithm,
                expected,
            });
        }
        let key = key.try_into().map_err(|_| KeyError::Format)?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| KeyError::Point)?;
        let key = Self::new(name, expected, key)?;
        if key.id == id {
            Ok(key)
        } else {
            Err(KeyError::Id)
        }
    }

    fn new(name: &str, algorithm: u8, key: VerifyingKey) -> Result<Self, KeyError> {
        if !is_key_name(name) {
            return Err(KeyError::Name);
        }
        Ok(Self {
            name: name.to_owned(),
            algorithm,
            id: key_id(name, algorithm, &key),
            key,
        })
    }

    pub(super) fn has_name_and_id(&self, name: &str, id: KeyId) -> bool {
        self.name == name && self.id == id
    }

    pub(super) fn is_same_signer(&self, other: &Self) -> bool {
        self.has_name_and_id(&other.name, other.id)
    }

    pub(super) fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(text.as_bytes(), &signature).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![self.algorithm];
        key.extend_from_slice(self.key.as_bytes());
        write!(
            f,
            "{}+{}+{}",
            self.name,
            hex::encode(&self.id),
            BASE64_STANDARD.encode(key)
        )
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// The named public key of a witness, written as a [`VerifierKey`] with signature type 0x04.
///
/// ```
/// use audit_core::WitnessKey;
/// let text = "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X";
/// assert_eq!(WitnessKey::parse(text)?.to_string(), text);
/// # Ok::<(), audit_core::KeyError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct WitnessKey(VerifierKey);

impl WitnessKey {
    /// Reads the form that `Display` writes.
    ///
    /// # Errors
    /// [`KeyError`] by what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        VerifierKey::parse_as(text, COSIGNATURE).map(Self)
    }

    /// The witness' name.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    pub(crate) fn has_name_and_id(&self, name: &str, id: KeyId) -> bool {
        self.0.has_name_and_id(name, id)
    }

    pub(crate) fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        self.0.verifies(text, signature)
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WitnessKey({self})")
    }
}

impl FromStr for WitnessKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// Why a key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Another signature type: plain Ed25519 for a ledger, cosignatures for a witness.
    #[error("key of signature type {got:#04x}: expected {expected:#04x}")]
    Algorithm {
        /// The type that the key has.
        got: u8,
        /// 0x01 for a ledger's key, 0x04 for a witness'.
        expected: u8,
    },
    /// Not `name+<8 hexadecimal digits>+<base64 of 33 bytes>`.
    #[error("not a verifier key: expected `name+<8 hexadecimal digits>+<base64 of 33 bytes>`")]
    Format,
    /// The key id is not that of name and key: one of the three was changed.
    #[error("the key id does not belong to this name and key")]
    Id,
    /// A name that is empty, too long or holds a space, a `+` or a control character.
    #[error("a key name has 1 to 255 bytes and no space, `+` or control character")]
    Name,
    /// The bytes are no public key.
    #[error("the bytes are not an Ed25519 public key")]
    Point,
}

pub(super) fn is_key_name(name: &str) -> bool {
    (1..=KEY_NAME_BYTES_MAX).contains(&name.len())
        && !name.contains(|c: char| c == '+' || c.is_whitespace() || c.is_control())
}

fn key_id(name: &str, algorithm: u8, key: &VerifyingKey) -> KeyId {
    let hash = sha256(&[name.as_bytes(), b"\n", &[algorithm], key.as_bytes()]);
    let [a, b, c, d, ..] = *hash.as_bytes();
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ledger.example/rzz/2026+51c1a2c0+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";

    #[test]
    fn section_5_3_worked_key() {
        let mut seed = [0; 32];
        for (byte, value) in seed.iter_mut().zip(0..) {
            *byte = value;
        }
        let signer = Signer::from_seed("ledger.example/rzz/2026", seed).unwrap();
        assert_eq!(signer.verifier_key().to_string(), KEY);
    }

    #[test]
    fn keys_that_are_not_whole_are_refused_by_what_is_wrong() {
        for (text, error) in [
            ("", KeyError::Format),
            ("name", KeyError::Format),
            ("name+51c1a2c0", KeyError::Format),
            (&KEY.replace("51c1a2c0", "51C1A2C0"), KeyError::Format),
            (&KEY.replace("51c1a2c0", "51c1a2c1"), KeyError::Id),
            (&KEY.replace("rzz", "rzy"), KeyError::Id),
            (&KEY.replace("rzz", "r z"), KeyError::Name),
            (&KEY.replace("ledger.example/rzz/2026", ""), KeyError::Name),
            (
                &KEY.replace("AQOh", "BAOh"),
                KeyError::Algorithm {
                    got: 4,
                    expected: 1,
                },
            ),
            (&KEY.replace("AQOhB7/z", "AQOhB7"), KeyError::Format),
            (&KEY.replace("VTG4", "VT!4"), KeyError::Format),
        ] {
            assert_eq!(VerifierKey::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn name_limit() {
        let name = "n".repeat(KEY_NAME_BYTES_MAX);
        assert!(Signer::from_seed(&name, [1; 32]).is_ok());
        assert_eq!(
            Signer::from_seed(&format!("{name}n"), [1; 32]).unwrap_err(),
            KeyError::Name
        );
    }

    #[test]
    fn debug_never_shows_the_seed() {
        let signer = Signer::from_seed("n", [0xab; 32]).unwrap();
        let shown = format!("{signer:?}");
        assert_eq!(shown, r#"Signer { name: "n", .. }"#);
    }
}
