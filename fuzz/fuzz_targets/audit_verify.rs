//! Any lines as a ledger: the verifier ends, and says clean only of what it read whole.
#![no_main]

use audit_core::{Verifier, VerifyOptions};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut verifier = Verifier::new(VerifyOptions::default());
    let mut lines = 0;
    for line in data.split(|byte| *byte == b'\n') {
        verifier.event(line);
        lines += 1;
    }
    let verification = verifier.finish();
    assert!(!verification.is_clean() || verification.events == lines);
});
