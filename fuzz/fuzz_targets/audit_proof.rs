//! Any text as a proof file: what is taken is written the same again.
#![no_main]

use std::sync::LazyLock;

use audit_core::{Hash, InclusionProofFile, VerifierKey};
use libfuzzer_sys::fuzz_target;

static TRUSTED: LazyLock<[VerifierKey; 1]> = LazyLock::new(|| [letterbox_fuzz::ledger_key()]);

fuzz_target!(|text: &str| {
    if let Ok(file) = InclusionProofFile::parse(text, TRUSTED.as_slice()) {
        assert_eq!(file.to_text(), text);
        drop(file.check(&Hash::ZERO));
    }
});
