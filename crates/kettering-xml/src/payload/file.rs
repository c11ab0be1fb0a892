use crate::rule::{Findings, P09, P10};

/// `K-P09`, `K-P10` of a PDF: looked at from outside, not parsed.
pub(crate) fn check_pdf(bytes: &[u8], place: &str, findings: &mut Findings<'_>) {
    let tail = bytes.len().saturating_sub(PDF_TAIL);
    let complete = bytes.get(tail..).is_some_and(|tail| holds(tail, b"%%EOF"));
    if !complete {
        findings.add(
            P10,
            place,
            "the PDF has no end mark in its last 1024 bytes: it was cut",
        );
    }
    if holds(bytes, b"/Encrypt") {
        findings.add(P09, place, "the PDF is encrypted");
    }
}

const PDF_TAIL: usize = 1024;

/// `K-P10` of a TIFF: its first directory lies within the file.
pub(crate) fn check_tiff(bytes: &[u8], place: &str, findings: &mut Findings<'_>) {
    let offset = bytes
        .get(4..8)
        .and_then(|four| <[u8; 4]>::try_from(four).ok());
    let little = bytes.starts_with(b"II");
    let offset = offset.map(|four| {
        let read = if little {
            u32::from_le_bytes
        } else {
            u32::from_be_bytes
        };
        usize::try_from(read(four)).unwrap_or(usize::MAX)
    });
    let inside = offset.is_some_and(|at| at >= 8 && at.saturating_add(2) <= bytes.len());
    if !inside {
        findings.add(
            P10,
            place,
            "the TIFF's directory lies outside of the file: it was cut",
        );
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
