//! Pseudonymous keys of streams and subjects, and the secret that makes them
//! (audit-and-delivery 8.1).

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::hex::hex_newtype;

hex_newtype!(
    /// The pseudonymous key of a stream of events; 32 hexadecimal digits.
    StreamKey, 16, "a stream key", "32 lower-case hexadecimal digits"
);

hex_newtype!(
    /// The pseudonymous key of whom a stream is about; 32 hexadecimal digits.
    SubjectKey, 16, "a subject key", "32 lower-case hexadecimal digits"
);

impl StreamKey {
    /// The stream of events that concern the ledger as a whole: all bytes zero.
    pub const LEDGER: Self = Self([0; 16]);
}

/// A secret under which identifiers become pseudonymous keys: HMAC-SHA-256 over the parts, joined
/// by the byte 0x1F.
///
/// A bare hash of a short identifier can be undone by trying them all; without this key it cannot.
/// The key is wiped when dropped and never shown. Parts must not hold the byte 0x1F themselves.
///
/// ```
/// use audit_core::PseudonymKey;
/// let key = PseudonymKey::new([0xa1; 32]);
/// let stream = key.stream_key(&["letter", "RZZ", "DOC-0001842", "1"]);
/// assert_eq!(stream.to_string(), "ec8dde5fbfdcdfd701c9f604a55dd0b0");
/// assert_eq!(format!("{key:?}"), "PseudonymKey(redacted)");
/// ```
pub struct PseudonymKey(Zeroizing<[u8; 32]>);

impl PseudonymKey {
    /// Takes 32 random bytes as the key.
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }

    /// The key of a stream: the first 16 bytes of the HMAC.
    pub fn stream_key(&self, parts: &[&str]) -> StreamKey {
        StreamKey(first_half(self.index(parts)))
    }

    /// The key of a subject: the first 16 bytes of the HMAC.
    pub fn subject_key(&self, parts: &[&str]) -> SubjectKey {
        SubjectKey(first_half(self.index(parts)))
    }

    /// The whole HMAC, for a lookup column that finds an identifier without holding it.
    pub fn index(&self, parts: &[&str]) -> [u8; 32] {
        let mut mac = self.mac();
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                mac.update(&[SEPARATOR]);
            }
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }

    fn mac(&self) -> Hmac<Sha256> {
        // HMAC itself pads a short key with zeros to the block; doing it here cannot fail.
        let mut block = Zeroizing::new([0; 64]);
        for (byte, key) in block.iter_mut().zip(self.0.iter()) {
            *byte = *key;
        }
        Hmac::new((&*block).into())
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey(redacted)")
    }
}

const SEPARATOR: u8 = 0x1f;

fn first_half(bytes: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    for (to, from) in half.iter_mut().zip(bytes) {
        *to = from;
    }
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_8_1_worked_keys() {
        let subject = PseudonymKey::new([0xb2; 32]).subject_key(&["patient", "9999999484"]);
        assert_eq!(subject.to_string(), "124abc07e1c68e7f53e0682bdee81b67");
    }

    #[test]
    fn keys_depend_on_the_secret_and_on_every_part() {
        let key = PseudonymKey::new([1; 32]);
        let other = PseudonymKey::new([2; 32]);
        assert_ne!(key.index(&["a", "b"]), other.index(&["a", "b"]));
        assert_ne!(key.index(&["a", "b"]), key.index(&["ab"]));
        assert_ne!(key.index(&["a", "b"]), key.index(&["a", "b", ""]));
    }

    #[test]
    fn a_stream_key_is_the_front_of_the_index() {
        let key = PseudonymKey::new([1; 32]);
        let parts = ["letter", "X"];
        assert_eq!(
            key.stream_key(&parts).as_bytes()[..],
            key.index(&parts)[..16]
        );
        assert_eq!(
            key.subject_key(&parts).as_bytes()[..],
            key.index(&parts)[..16]
        );
    }

    #[test]
    fn debug_never_shows_the_secret() {
        let shown = format!(
            "{:?}",
            PseudonymKey::new(*b"canary-canary-canary-canary-cana")
        );
        assert!(
            !shown.contains("99") && !shown.contains("canary"),
            "{shown}"
        );
    }
}
