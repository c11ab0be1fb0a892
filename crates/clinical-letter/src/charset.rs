//! From bytes to text, and which characters may stay in it.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use nhs_types::Location;

use crate::Warning;
use crate::reading::Notes;

/// Decodes a text file: a byte order mark decides, else strict UTF-8, else Windows-1252
/// (source-documents section 2). Gives the character set's name in lower case, too.
pub(crate) fn decode(bytes: &[u8], notes: &mut Notes) -> (String, String) {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        notes.warn(Warning::Bom, Location::Offset(0), "a byte order mark");
        let rest = bytes.get(length..).unwrap_or_default();
        let (text, broken) = encoding.decode_without_bom_handling(rest);
        if broken {
            mismatch(notes, "bytes do not fit the byte order mark");
        }
        return (text.into_owned(), name(encoding));
    }
    std::str::from_utf8(bytes).map_or_else(
        |_| (single_byte(WINDOWS_1252, bytes), name(WINDOWS_1252)),
        |text| (text.to_owned(), name(UTF_8)),
    )
}

pub(crate) fn single_byte(encoding: &'static Encoding, bytes: &[u8]) -> String {
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

pub(crate) fn name(encoding: &'static Encoding) -> String {
    encoding.name().to_ascii_lowercase()
}

pub(crate) fn mismatch(notes: &mut Notes, message: &str) {
    notes.warn(Warning::CharsetMismatch, Location::Whole, message);
}

/// Makes every line end a line feed (a vertical tab is one), and drops what XML 1.0 cannot hold
/// (source-documents section 2). Form feeds stay where pages are still to be told apart.
pub(crate) fn clean(text: &str, keep_form_feeds: bool, notes: &mut Notes) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut dropped = false;
    let mut after_return = false;
    for c in text.chars() {
        match c {
            '\n' if after_return => {}
            '\n' | '\r' | '\u{b}' => kept.push('\n'),
            '\u{c}' if keep_form_feeds => kept.push(c),
            _ if is_xml_char(c) => kept.push(c),
            _ => dropped = true,
        }
        after_return = c == '\r';
    }
    if dropped {
        let why = "control characters were left out";
        notes.warn(Warning::ControlCharactersDropped, Location::Whole, why);
    }
    kept
}

/// Char of XML 1.0.
pub(crate) const fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> (String, String, Vec<Warning>) {
        let mut notes = Notes::default();
        let (text, name) = decode(bytes, &mut notes);
        (text, name, notes.warnings)
    }

    #[test]
    fn section_2_a_byte_order_mark_decides() {
        let expect = |name: &str| ("é".to_owned(), name.to_owned(), vec![Warning::Bom]);
        assert_eq!(decoded(b"\xEF\xBB\xBF\xC3\xA9"), expect("utf-8"));
        assert_eq!(decoded(b"\xFF\xFE\xE9\0"), expect("utf-16le"));
        assert_eq!(decoded(b"\xFE\xFF\0\xE9"), expect("utf-16be"));
    }

    #[test]
    fn section_2_strict_utf_8_else_windows_1252() {
        assert_eq!(decoded("“1 µg”".as_bytes()).1, "utf-8");
        let (text, name, _) = decoded(b"\x931 \xB5g\x94 \x96 36\xB0C \xA3150 \x85");
        assert_eq!(
            (text.as_str(), name.as_str()),
            ("“1 µg” – 36°C £150 …", "windows-1252")
        );
    }

    #[test]
    fn section_2_vertical_tab_is_a_line_break_and_controls_are_dropped() {
        let mut notes = Notes::default();
        assert_eq!(
            clean("a\u{b}b\r\nc\rd\u{7}\ne\u{c}", false, &mut notes),
            "a\nb\nc\nd\ne"
        );
        assert_eq!(notes.warnings, [Warning::ControlCharactersDropped]);
        let mut notes = Notes::default();
        assert_eq!(clean("a\u{c}b", true, &mut notes), "a\u{c}b");
        assert!(notes.warnings.is_empty());
    }
}
