//! Any bytes as a Word file.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| letterbox_fuzz::read_and_shape(data));
