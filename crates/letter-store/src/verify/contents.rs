//! The sealed contents (rule V11).

use audit_core::{StreamKey, salted_digest};
use letter_delivery::{PayloadId, StoreError};
use zeroize::Zeroizing;

use super::Check;

impl Check {
    /// V11: a content still held is one that was recorded.
    pub(crate) fn content(
        &mut self,
        id: [u8; 16],
        letter: StreamKey,
        opened: Result<Zeroizing<Vec<u8>>, StoreError>,
    ) {
        self.needed.remove(&PayloadId::from_random(id));
        let plain = match opened {
            Ok(plain) => plain,
            Err(error) => {
                let what = format!("a content of letter {letter}: {error}");
                self.fault("V11", None, what);
                return;
            }
        };
        let parts = plain.split_first_chunk::<16>();
        let digest = parts.map(|(salt, content)| salted_digest(salt, content));
        let digest = digest.map(|digest| digest.to_string()).unwrap_or_default();
        self.recorded.remove(&digest);
        self.ledger.payload(letter, &digest);
    }

    /// V11, after the last content: all that were recorded are held.
    pub(crate) fn contents_end(&mut self) {
        for (digest, seq) in std::mem::take(&mut self.recorded) {
            if self.ledger.is_erased(&digest) {
                continue;
            }
            let what = "the content that it records is not held as it was";
            self.fault("V11", Some(seq), what);
        }
        for _ in std::mem::take(&mut self.needed) {
            let what = "a letter's row leads to a content that is not held";
            self.fault("V11", None, what);
        }
    }
}
