//! Escape sequences (source-documents section 3).

use super::Delimiters;

/// Text without its escape sequences.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unescaped {
    /// The text.
    pub text: String,
    /// Whether all of it was understood: false when a sequence was kept literally because it is
    /// unknown or unfinished, or dropped because it is local.
    pub understood: bool,
}

/// Takes the escape sequences out of a field's text, once and from left to right.
///
/// ```
/// use clinical_letter::{Delimiters, unescape};
///
/// let plain = |text| unescape(text, &Delimiters::default()).text;
/// assert_eq!(plain(r"10\S\9 \T\ a\R\b"), "10^9 & a~b");
/// assert_eq!(plain(r"caf\XC3A9\"), "café");
/// assert_eq!(plain(r"\E\.br\E\"), r"\.br\");
/// assert_eq!(plain(r"50\% off"), r"50\% off");
/// ```
pub fn unescape(text: &str, delimiters: &Delimiters) -> Unescaped {
    let (bytes, understood) = unescape_bytes(text.as_bytes(), *delimiters);
    Unescaped {
        text: String::from_utf8_lossy(&bytes).into_owned(),
        understood,
    }
}

/// Writes text so that [`unescape`] gives it back: the escape character first, then the other
/// delimiters; line ends become `\.br\`.
///
/// ```
/// use clinical_letter::{Delimiters, escape};
///
/// let delimiters = Delimiters::default();
/// assert_eq!(escape("FEV1 | FVC\n10^9", &delimiters), r"FEV1 \F\ FVC\.br\10\S\9");
/// ```
pub fn escape(text: &str, delimiters: &Delimiters) -> String {
    let sign = char::from(delimiters.escape);
    let mut written = String::with_capacity(text.len());
    let unified = text.replace("\r\n", "\n");
    for c in unified.chars() {
        let code = match u8::try_from(c) {
            Ok(byte) if byte == delimiters.escape => "E",
            Ok(byte) if byte == delimiters.field => "F",
            Ok(byte) if byte == delimiters.component => "S",
            Ok(byte) if byte == delimiters.subcomponent => "T",
            Ok(byte) if byte == delimiters.repetition => "R",
            Ok(b'\n' | b'\r') => ".br",
            _ => {
                written.push(c);
                continue;
            }
        };
        written.push(sign);
        written.push_str(code);
        written.push(sign);
    }
    written
}

/// Unescapes raw bytes in the message's character set, so that `\Xdd\` may stand for a part of a
/// character. The second value tells whether all was understood.
pub(super) fn unescape_bytes(raw: &[u8], delimiters: Delimiters) -> (Vec<u8>, bool) {
    let mut plain = Vec::with_capacity(raw.len());
    let mut understood = true;
    let mut rest = raw;
    while let Some(start) = rest.iter().position(|byte| *byte == delimiters.escape) {
        let (before, after) = rest.split_at(start);
        plain.extend_from_slice(before);
        let after = after.get(1..).unwrap_or_default();
        let end = after.iter().position(|byte| *byte == delimiters.escape);
        let sequence = end.and_then(|end| after.get(..end));
        match sequence.and_then(|sequence| meaning(sequence, delimiters)) {
            Some(meaning) => {
                understood &= !meaning.local;
                plain.extend_from_slice(&meaning.bytes);
                rest = end.and_then(|end| after.get(end + 1..)).unwrap_or_default();
            }
            None => {
                understood = false;
                plain.push(delimiters.escape);
                rest = after;
            }
        }
    }
    plain.extend_from_slice(rest);
    (plain, understood)
}

struct Meaning {
    bytes: Vec<u8>,
    local: bool,
}

impl Meaning {
    fn of(bytes: impl Into<Vec<u8>>) -> Option<Self> {
        Some(Self {
            bytes: bytes.into(),
            local: false,
        })
    }
}

/// Most lines or spaces that one sequence may stand for.
const REPEAT_MAX: usize = 200;

/// What a sequence stands for, without the escape characters around it. Changes of the character
/// set (`C`, `M`) are not understood, and so kept.
fn meaning(sequence: &[u8], delimiters: Delimiters) -> Option<Meaning> {
    match sequence {
        b"F" => Meaning::of([delimiters.field]),
        b"S" => Meaning::of([delimiters.component]),
        b"T" => Meaning::of([delimiters.subcomponent]),
        b"R" => Meaning::of([delimiters.repetition]),
        b"E" => Meaning::of([delimiters.escape]),
        b"H" | b"N" | b".ce" | b".fi" | b".nf" => Meaning::of([]),
        b".br" => Meaning::of([b'\n']),
        [b'.', b's', b'p', count @ ..] => Meaning::of(vec![b'\n'; repeat(count, 1)?]),
        [b'.', b's', b'k', count @ ..] => Meaning::of(vec![b' '; repeat(count, 0)?]),
        [b'.', b'i', b'n', count @ ..] | [b'.', b't', b'i', count @ ..] => {
            indent(count).then(|| Meaning::of([]))?
        }
        [b'X', digits @ ..] => Meaning::of(hex(digits)?),
        [b'Z', ..] => Some(Meaning {
            bytes: Vec::new(),
            local: true,
        }),
        _ => None,
    }
}

fn repeat(count: &[u8], default: usize) -> Option<usize> {
    let count = count.strip_prefix(b"+").unwrap_or(count);
    if count.is_empty() {
        return Some(default);
    }
    let plain = count.iter().all(u8::is_ascii_digit);
    let count: usize = plain
        .then(|| std::str::from_utf8(count).ok()?.parse().ok())
        .flatten()?;
    (count <= REPEAT_MAX).then_some(count)
}

fn indent(count: &[u8]) -> bool {
    let digits = count
        .strip_prefix(b"+")
        .or_else(|| count.strip_prefix(b"-"));
    digits.unwrap_or(count).iter().all(u8::is_ascii_digit)
}

/// `0D`, `0A` and `0D0A` are line breaks.
fn hex(digits: &[u8]) -> Option<Vec<u8>> {
    let bytes = hex_bytes(digits).filter(|bytes| !bytes.is_empty())?;
    let line_break = matches!(bytes.as_slice(), [b'\r' | b'\n'] | [b'\r', b'\n']);
    Some(if line_break { vec![b'\n'] } else { bytes })
}

pub(super) fn hex_bytes(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(text: &str) -> (String, bool) {
        let one = unescape(text, &Delimiters::default());
        (one.text, one.understood)
    }

    #[test]
    fn section_11_escape_vectors() {
        let vectors = [
            (r"10\S\9 \T\ a\R\b", "10^9 & a~b"),
            (r"C:\E\X", r"C:\X"),
            (r"\E\.br\E\", r"\.br\"),
            (r"caf\XC3A9\", "café"),
            (r"a\.br\\.br\b", "a\n\nb"),
            (r"x\X0D0A\y", "x\ny"),
            (r"a\.sp2\b", "a\n\nb"),
            (r"\H\Stop\N\", "Stop"),
            (r"a\.sk+3\b\.in+4\c\.ti-2\d\.ce\e", "a   bcde"),
            (r"x\X0D\y\X0A\z", "x\ny\nz"),
        ];
        for (escaped, text) in vectors {
            assert_eq!(plain(escaped), (text.to_owned(), true), "{escaped}");
        }
    }

    #[test]
    fn section_3_what_is_not_understood_is_kept() {
        for kept in [
            r"50\% off",
            r"a\b\c",
            r"\C2842\x",
            r"\XC3A\",
            r"\X\",
            r"\.sp999\",
            r"\",
        ] {
            assert_eq!(plain(kept), (kept.to_owned(), false), "{kept}");
        }
        assert_eq!(
            plain(r"50\% off \T\ 2"),
            (r"50\% off & 2".to_owned(), false)
        );
        assert_eq!(plain(r"a\Z01\b"), ("ab".to_owned(), false));
    }

    #[test]
    fn limits_repeats_at_the_limit_and_past_it() {
        assert_eq!(plain(r"\.sp200\").0.len(), REPEAT_MAX);
        assert!(!plain(r"\.sp201\").1);
    }

    proptest! {
        #[test]
        fn section_3_what_was_escaped_comes_back(text in "[^\r]{0,80}|[|^~\\\\&XE.br\n]{0,40}") {
            let delimiters = Delimiters::default();
            let back = unescape(&escape(&text, &delimiters), &delimiters);
            prop_assert_eq!(back.text, text);
            prop_assert!(back.understood);
        }

        #[test]
        fn any_text_unescapes(text in "\\PC{0,60}|[\\\\XFSTRE0-9.br]{0,60}") {
            let _ = plain(&text);
        }
    }
}
