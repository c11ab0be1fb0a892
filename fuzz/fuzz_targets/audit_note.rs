//! Any text as a checkpoint, signed or not: what is taken is written the same again.
#![no_main]

use std::sync::LazyLock;

use audit_core::{Checkpoint, SignedCheckpoint, Signer, VerifierKey};
use libfuzzer_sys::fuzz_target;

static TRUSTED: LazyLock<[VerifierKey; 1]> = LazyLock::new(|| [letterbox_fuzz::ledger_key()]);

fuzz_target!(|text: &str| {
    if let Ok(checkpoint) = Checkpoint::parse(text) {
        assert_eq!(checkpoint.body(), text);
        let signer = Signer::from_seed("fuzz.example", [7; 32]).expect("a good name");
        let signed = signer.sign(&checkpoint).to_text();
        let read = SignedCheckpoint::parse(&signed, &[signer.verifier_key()]);
        assert_eq!(read.map(|read| read.to_text()), Ok(signed));
    }
    if let Ok(signed) = SignedCheckpoint::parse(text, TRUSTED.as_slice()) {
        assert!(signed.signers().next().is_some());
        assert_eq!(signed.to_text(), text);
    }
});
