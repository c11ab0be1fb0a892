//! Any bytes as an HL7 v2 message; its answer can be made whatever it is.
#![no_main]

use clinical_letter::{AckCode, acknowledge};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let message = [b"MSH|^~\\&|", data].concat();
    letterbox_fuzz::read_and_shape(&message);
    let now = chrono::DateTime::UNIX_EPOCH.fixed_offset();
    for bytes in [data, &message] {
        let answer = acknowledge(bytes, AckCode::Accept, None, "A1", now);
        assert!(answer.starts_with(b"MSH") && answer.ends_with(b"\r"));
    }
});
