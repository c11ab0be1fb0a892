//! Contents are sealed under a key of their letter, which is wrapped by the trust's key: destroying
//! the wrapped key makes every copy of the content unreadable.

use audit_core::StreamKey;
use letter_delivery::StoreError;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use crate::MasterKey;

/// What the master key seals in each store, to be known again.
const KEY_CHECK: &[u8] = b"letterbox store";

/// The trust's key that wraps the keys of its letters.
pub(crate) struct Cipher {
    wrapping: LessSafeKey,
    random: SystemRandom,
}

/// The key of one letter, unwrapped.
pub(crate) struct LetterKey(LessSafeKey);

impl Cipher {
    pub(crate) fn new(key: &MasterKey) -> Result<Self, StoreError> {
        Ok(Self {
            wrapping: aead(&key.wrapping())?,
            random: SystemRandom::new(),
        })
    }

    /// A proof that a store was made with this key.
    pub(crate) fn key_check(&self) -> Result<Vec<u8>, StoreError> {
        self.seal_with(&self.wrapping, KEY_CHECK, b"")
    }

    /// Whether a store's proof is of this key.
    pub(crate) fn proves(&self, sealed: &[u8]) -> bool {
        open_with(&self.wrapping, sealed, b"").is_ok_and(|text| text.as_slice() == KEY_CHECK)
    }

    /// A new key for a letter, and its wrapped form to be kept.
    pub(crate) fn make_key(&self, letter: StreamKey) -> Result<(LetterKey, Vec<u8>), StoreError> {
        let mut key = Zeroizing::new([0; 32]);
        self.random
            .fill(key.as_mut())
            .map_err(|_| no_randomness())?;
        let wrapped = self.seal_with(&self.wrapping, key.as_slice(), letter.as_bytes())?;
        Ok((LetterKey(aead(&key)?), wrapped))
    }

    /// The key of a letter from its wrapped form.
    pub(crate) fn unwrap(
        &self,
        letter: StreamKey,
        wrapped: &[u8],
    ) -> Result<LetterKey, StoreError> {
        let plain = open_with(&self.wrapping, wrapped, letter.as_bytes())?;
        let key: &[u8; 32] = plain
            .as_slice()
            .try_into()
            .map_err(|_| StoreError::Corrupt("a wrapped key has another length".to_owned()))?;
        Ok(LetterKey(aead(key)?))
    }

    /// Seals a content; `about` must be given again to open it.
    pub(crate) fn seal(
        &self,
        key: &LetterKey,
        plain: &[u8],
        about: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        self.seal_with(&key.0, plain, about)
    }

    fn seal_with(
        &self,
        key: &LessSafeKey,
        plain: &[u8],
        about: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| no_randomness())?;
        let mut body = plain.to_vec();
        let nonce_value = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(nonce_value, Aad::from(about), &mut body)
            .map_err(|_| StoreError::Unavailable("a content could not be sealed".to_owned()))?;
        let mut sealed = Vec::with_capacity(nonce.len() + body.len());
        sealed.extend_from_slice(&nonce);
        sealed.append(&mut body);
        Ok(sealed)
    }
}

impl LetterKey {
    /// Opens what was sealed under this key.
    pub(crate) fn open(
        &self,
        sealed: &[u8],
        about: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        open_with(&self.0, sealed, about)
    }
}

/// A content that was sealed under a key that is no more.
pub(crate) fn key_is_gone() -> StoreError {
    StoreError::Corrupt("the letter's key is gone".to_owned())
}

fn aead(key: &[u8; 32]) -> Result<LessSafeKey, StoreError> {
    UnboundKey::new(&AES_256_GCM, key)
        .map(LessSafeKey::new)
        .map_err(|_| StoreError::Corrupt("a key has another length".to_owned()))
}

fn open_with(
    key: &LessSafeKey,
    sealed: &[u8],
    about: &[u8],
) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let broken = || StoreError::Corrupt("a sealed content does not open".to_owned());
    let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or_else(broken)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken())?;
    let mut plain = Zeroizing::new(body.to_vec());
    let length = key
        .open_in_place(nonce, Aad::from(about), &mut plain)
        .map_err(|_| broken())?
        .len();
    plain.truncate(length);
    Ok(plain)
}

fn no_randomness() -> StoreError {
    StoreError::Unavailable("the operating system gave no random bytes".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cipher(byte: &str) -> Cipher {
        Cipher::new(&MasterKey::from_hex(&byte.repeat(32)).unwrap()).unwrap()
    }

    #[test]
    fn a_content_opens_with_its_key_and_what_it_is_about_only() {
        let cipher = cipher("07");
        let letter = StreamKey::from_bytes([1; 16]);
        let (key, wrapped) = cipher.make_key(letter).unwrap();
        let sealed = cipher.seal(&key, b"plain", b"about").unwrap();
        let again = cipher.unwrap(letter, &wrapped).unwrap();
        assert_eq!(again.open(&sealed, b"about").unwrap().as_slice(), b"plain");
        assert!(again.open(&sealed, b"other").is_err());
        let (other, _) = cipher.make_key(letter).unwrap();
        assert!(other.open(&sealed, b"about").is_err());
        for length in 0..sealed.len() {
            assert!(again.open(&sealed[..length], b"about").is_err(), "{length}");
        }
    }

    #[test]
    fn a_wrapped_key_is_of_its_letter_and_its_trust() {
        let ours = cipher("07");
        let letter = StreamKey::from_bytes([1; 16]);
        let (_, wrapped) = ours.make_key(letter).unwrap();
        assert!(ours.unwrap(letter, &wrapped).is_ok());
        assert!(
            ours.unwrap(StreamKey::from_bytes([2; 16]), &wrapped)
                .is_err()
        );
        assert!(cipher("08").unwrap(letter, &wrapped).is_err());
    }

    #[test]
    fn the_proof_of_a_key_is_of_that_key() {
        let (ours, other) = (cipher("07"), cipher("08"));
        let proof = ours.key_check().unwrap();
        assert!(ours.proves(&proof) && !other.proves(&proof));
        assert!(!ours.proves(b""));
    }
}
