//! Any bytes as a Kettering message, in both modes.
#![no_main]

use kettering_xml::{Mode, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let strict = parse(data, Mode::Strict);
    let lenient = parse(data, Mode::Lenient);
    // What strict reading can read at all, lenient reading takes for the same.
    if strict.root.is_some() {
        assert_eq!(strict.dialect, lenient.dialect);
    }
});
