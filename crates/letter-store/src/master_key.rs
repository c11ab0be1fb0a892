use std::fmt;

use audit_core::PseudonymKey;
use letter_delivery::TrustKeys;
use nhs_types::OdsCode;
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

/// The one secret of a trust's store: 32 random bytes from which every other key is derived.
///
/// It wraps the letters' own keys, makes the pseudonyms, and seeds the ledger's signature. Keep
/// it apart from the database and its backups: without it no letter can be opened, and with it
/// and the database every letter can.
///
/// ```
/// use letter_store::MasterKey;
/// let key = MasterKey::generate()?;
/// let again = MasterKey::from_hex(&key.to_hex())?;
/// assert_eq!(key.to_hex(), again.to_hex());
/// assert_eq!(format!("{key:?}"), "MasterKey([redacted])");
/// # Ok::<(), letter_store::KeyError>(())
/// ```
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// Why there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not 64 hex digits.
    #[error("a key file holds 64 hex digits on one line")]
    NotHex,
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
}

impl MasterKey {
    /// Draws a new key from the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`KeyError::NoRandomness`].
    pub fn generate() -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0; 32]);
        SystemRandom::new()
            .fill(bytes.as_mut())
            .map_err(|_| KeyError::NoRandomness)?;
        Ok(Self(bytes))
    }

    /// Reads a key file's text: 64 hex digits.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotHex`].
    pub fn from_hex(text: &str) -> Result<Self, KeyError> {
        let digits = text.trim().as_bytes();
        let mut bytes = Zeroizing::new([0; 32]);
        if digits.len() != 64 {
            return Err(KeyError::NotHex);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| KeyError::NotHex)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| KeyError::NotHex)?;
        }
        Ok(Self(bytes))
    }

    /// The text of a key file.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The keys that make a trust's pseudonyms.
    pub fn trust_keys(&self, trust: OdsCode) -> TrustKeys {
        let key = |label| PseudonymKey::new(self.derive(label));
        TrustKeys::new(trust, key("streams"), key("patients"), key("index"))
    }

    /// The seed of the key that signs the ledger's checkpoints.
    pub fn signer_seed(&self) -> [u8; 32] {
        self.derive("signer")
    }

    /// The key that wraps the letters' own keys.
    pub(crate) fn wrapping(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.derive("wrap"))
    }

    /// The key of the digests over rows.
    pub(crate) fn rows(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.derive("rows"))
    }

    fn derive(&self, label: &str) -> [u8; 32] {
        PseudonymKey::new(*self.0).index(&["letterbox-key", label])
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_for_different_purposes_differ() {
        let key = MasterKey::from_hex(&"07".repeat(32)).unwrap();
        assert_ne!(key.signer_seed(), *key.wrapping());
        assert_ne!(key.derive("streams"), key.derive("patients"));
    }

    #[test]
    fn only_64_hex_digits_are_a_key() {
        assert!(MasterKey::from_hex(&format!(" {}\n", "ab".repeat(32))).is_ok());
        assert_eq!(
            MasterKey::from_hex(&"ab".repeat(31)).unwrap_err(),
            KeyError::NotHex
        );
        assert_eq!(
            MasterKey::from_hex(&"zz".repeat(32)).unwrap_err(),
            KeyError::NotHex
        );
        assert_eq!(
            MasterKey::from_hex(&"é".repeat(32)).unwrap_err(),
            KeyError::NotHex
        );
    }
}
