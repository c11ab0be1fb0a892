//! Any text as HTML whose visible words are compared with the letter's.
#![no_main]

use letter_shape::visible_text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|html: &str| {
    let visible = visible_text(html);
    // A reference may stand for a longer character, but nothing makes a page out of nothing.
    assert!(!html.trim().is_empty() || visible.trim().is_empty());
});
