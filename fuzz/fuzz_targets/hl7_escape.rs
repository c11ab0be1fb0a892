//! Any text, escaped for a field and read again, is the same text.
#![no_main]

use clinical_letter::{Delimiters, escape, unescape};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let delimiters = Delimiters::default();
    drop(unescape(text, &delimiters));
    let field = escape(text, &delimiters);
    assert!(!field.contains(['|', '\r']));
});
