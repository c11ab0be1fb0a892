//! The character set of a message (source-documents section 3, MSH-18).

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};
use nhs_types::Location;

use crate::Warning;
use crate::charset::{mismatch, name, single_byte};
use crate::reading::Notes;

/// How a message's bytes become text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    Utf8,
    Windows1252,
    Latin1,
    Iso(&'static Encoding),
}

impl Charset {
    /// The character set by MSH-18, checked against all bytes of the message.
    pub(super) fn of(label: &str, bytes: &[u8], notes: &mut Notes) -> Self {
        let label = label.trim().to_ascii_uppercase();
        if label == "8859/1" {
            return Self::Latin1;
        }
        let part = label
            .strip_prefix("8859/")
            .map(|part| format!("iso-8859-{part}"));
        let iso = part.and_then(|part| Encoding::for_label(part.as_bytes()));
        if let Some(iso) = iso {
            return Self::Iso(iso);
        }
        let known = ["", "ASCII", "UNICODE", "UNICODE UTF-8"].contains(&label.as_str());
        if !known {
            mismatch(notes, "MSH-18 names a character set that is not known here");
        }
        if std::str::from_utf8(bytes).is_ok() {
            Self::Utf8
        } else {
            mismatch(
                notes,
                "the bytes are not UTF-8 and were read as Windows-1252",
            );
            Self::Windows1252
        }
    }

    pub(super) fn name(self) -> String {
        match self {
            Self::Utf8 => "utf-8".to_owned(),
            Self::Windows1252 => name(WINDOWS_1252),
            Self::Latin1 => "iso-8859-1".to_owned(),
            Self::Iso(encoding) => name(encoding),
        }
    }

    pub(super) fn decode(self, bytes: &[u8], notes: &mut Notes) -> String {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).map_or_else(
                |_| {
                    mismatch(notes, "an escape gives bytes that are not UTF-8");
                    single_byte(WINDOWS_1252, bytes)
                },
                str::to_owned,
            ),
            Self::Windows1252 => single_byte(WINDOWS_1252, bytes),
            Self::Latin1 => without_c1(bytes, notes)
                .iter()
                .map(|byte| char::from(*byte))
                .collect(),
            Self::Iso(encoding) => single_byte(encoding, &without_c1(bytes, notes)),
        }
    }
}

/// In the ISO sets 0x80 to 0x9F are controls: dropped.
fn without_c1<'a>(bytes: &'a [u8], notes: &mut Notes) -> Cow<'a, [u8]> {
    let is_c1 = |byte: &u8| (0x80..=0x9f).contains(byte);
    if !bytes.iter().any(is_c1) {
        return Cow::Borrowed(bytes);
    }
    let why = "control characters of ISO 8859 were left out";
    notes.warn(Warning::ControlCharactersDropped, Location::Whole, why);
    bytes.iter().copied().filter(|byte| !is_c1(byte)).collect()
}

/// Turns UTF-16 into UTF-8, when a byte order mark or NULs say that it is; drops the mark.
pub(super) fn without_utf16<'a>(bytes: &'a [u8], notes: &mut Notes) -> Cow<'a, [u8]> {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        notes.warn(Warning::Bom, Location::Offset(0), "a byte order mark");
        let rest = bytes.get(length..).unwrap_or_default();
        if encoding == encoding_rs::UTF_8 {
            return Cow::Borrowed(rest);
        }
        return single_byte(encoding, rest).into_bytes().into();
    }
    let utf16 = match bytes {
        [b'M', 0, b'S', 0, ..] => UTF_16LE,
        [0, b'M', 0, b'S', ..] => UTF_16BE,
        _ => return Cow::Borrowed(bytes),
    };
    single_byte(utf16, bytes).into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(label: &str, bytes: &[u8]) -> (String, String, Vec<Warning>) {
        let mut notes = Notes::default();
        let charset = Charset::of(label, bytes, &mut notes);
        (
            charset.decode(bytes, &mut notes),
            charset.name(),
            notes.warnings,
        )
    }

    #[test]
    fn section_3_msh_18() {
        let expect = |text: &str, name: &str, warnings: &[Warning]| {
            (text.to_owned(), name.to_owned(), warnings.to_vec())
        };
        assert_eq!(read("", "é".as_bytes()), expect("é", "utf-8", &[]));
        assert_eq!(
            read("UNICODE UTF-8", "é".as_bytes()),
            expect("é", "utf-8", &[])
        );
        let mismatch = [Warning::CharsetMismatch];
        assert_eq!(
            read("ASCII", b"\xE9"),
            expect("é", "windows-1252", &mismatch)
        );
        assert_eq!(read("8859/1", b"\xC5sa"), expect("Åsa", "iso-8859-1", &[]));
        assert_eq!(read("8859/2", b"\xA3"), expect("Ł", "iso-8859-2", &[]));
        assert_eq!(read("8859/15", b"\xA4"), expect("€", "iso-8859-15", &[]));
        assert_eq!(read("KLINGON", b"a"), expect("a", "utf-8", &mismatch));
    }

    #[test]
    fn section_3_controls_of_iso_8859_are_dropped() {
        let dropped = vec![Warning::ControlCharactersDropped];
        assert_eq!(read("8859/1", b"a\x92b").2, dropped);
        assert_eq!(read("8859/1", b"a\x92b").0, "ab");
        assert_eq!(read("8859/9", b"a\x92b").0, "ab");
    }

    #[test]
    fn section_3_utf_16_is_known_by_mark_or_nuls() {
        let mut notes = Notes::default();
        assert_eq!(&*without_utf16(b"\xFF\xFEM\0S\0", &mut notes), b"MS");
        assert_eq!(&*without_utf16(b"\0M\0S", &mut notes), b"MS");
        assert_eq!(&*without_utf16(b"\xEF\xBB\xBFMS", &mut notes), b"MS");
    }
}
