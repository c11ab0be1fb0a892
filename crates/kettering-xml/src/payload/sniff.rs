use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Carried, PayloadFound, PayloadKind};

/// What a block of text carries (facts, section 7, detection), and whether it was encoded twice.
pub(crate) fn sniff(block: &str) -> (PayloadFound, bool) {
    let start = block.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}');
    if start.starts_with('<') {
        return (as_text(block, PayloadKind::Html), false);
    }
    if start.starts_with("{\\rtf") {
        return (as_text(block, PayloadKind::Rtf), false);
    }
    let Some((bytes, kind)) = decode(block) else {
        return (undecoded(block), false);
    };
    if let Some(kind) = kind {
        return (decoded(bytes, kind), false);
    }
    let inner = std::str::from_utf8(&bytes).ok().and_then(decode);
    match inner {
        Some((bytes, Some(kind))) => (decoded(bytes, kind), true),
        // Ordinary words can be valid base64: what has no signature is text.
        _ => (as_text(block, PayloadKind::Text), false),
    }
}

/// Decodes what is base64 by its characters, and names it by its signature.
fn decode(text: &str) -> Option<(Vec<u8>, Option<PayloadKind>)> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = STANDARD.decode(compact).ok()?;
    let kind = kind_of(&bytes);
    Some((bytes, kind))
}

fn undecoded(block: &str) -> PayloadFound {
    let compact = block.chars().filter(|c| !c.is_whitespace());
    let start: String = compact.take(BASE64_STARTS_MAX).collect();
    let broken = BASE64_STARTS
        .iter()
        .find(|(sign, _)| start.starts_with(sign));
    match broken {
        Some((_, kind)) => PayloadFound {
            kind: *kind,
            bytes: block.as_bytes().to_vec(),
            carried: Carried::BrokenBase64,
        },
        None => as_text(block, PayloadKind::Text),
    }
}

fn as_text(block: &str, kind: PayloadKind) -> PayloadFound {
    PayloadFound {
        kind,
        bytes: block.as_bytes().to_vec(),
        carried: Carried::Text,
    }
}

const fn decoded(bytes: Vec<u8>, kind: PayloadKind) -> PayloadFound {
    PayloadFound {
        kind,
        bytes,
        carried: Carried::Base64,
    }
}

const BASE64_STARTS: [(&str, PayloadKind); 10] = [
    ("JVBERi0", PayloadKind::Pdf),
    ("SUkqA", PayloadKind::Tiff),
    ("TU0AK", PayloadKind::Tiff),
    ("UEsDB", PayloadKind::Docx),
    ("0M8R4", PayloadKind::Doc),
    ("e1xydG", PayloadKind::Rtf),
    ("/9j/", PayloadKind::Jpeg),
    ("iVBORw0KGgo", PayloadKind::Png),
    ("PGh0bW", PayloadKind::Html),
    ("PCFET0", PayloadKind::Html),
];
const BASE64_STARTS_MAX: usize = 11;

const SIGNATURES: [(&[u8], PayloadKind); 8] = [
    (b"%PDF-", PayloadKind::Pdf),
    (b"II*\0", PayloadKind::Tiff),
    (b"MM\0*", PayloadKind::Tiff),
    (b"\xD0\xCF\x11\xE0", PayloadKind::Doc),
    (b"{\\rtf", PayloadKind::Rtf),
    (b"\xFF\xD8\xFF", PayloadKind::Jpeg),
    (b"\x89PNG", PayloadKind::Png),
    (b"PK\x03\x04", PayloadKind::Zip),
];

fn kind_of(bytes: &[u8]) -> Option<PayloadKind> {
    let signed = SIGNATURES.iter().find(|(sign, _)| bytes.starts_with(sign));
    match signed {
        Some((_, PayloadKind::Zip)) if bytes.windows(5).any(|part| part == b"word/") => {
            Some(PayloadKind::Docx)
        }
        Some((_, kind)) => Some(*kind),
        None => is_html(bytes).then_some(PayloadKind::Html),
    }
}

fn is_html(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let starts = |sign: &[u8]| {
        let start = bytes.get(..sign.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(sign))
    };
    starts(b"<html") || starts(b"<!doctype")
}
