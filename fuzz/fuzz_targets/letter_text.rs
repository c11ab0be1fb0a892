//! Any bytes as a letter in plain text; a letter that is read can be shaped, or is refused with a
//! reason.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| letterbox_fuzz::read_and_shape(data));
