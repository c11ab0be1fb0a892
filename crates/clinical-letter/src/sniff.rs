use std::io::Cursor;

/// What a file is, by its bytes; a name's ending is never asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Format {
    /// No bytes, or white space only.
    #[default]
    Empty,
    /// Report text.
    Text,
    /// Word 2007 and later.
    Docx,
    /// Word 97 to 2003.
    Doc,
    /// Rich Text Format.
    Rtf,
    /// PDF.
    Pdf,
    /// HL7 v2, one or more messages.
    Hl7v2,
    /// HL7 v2 in MLLP frames.
    Mllp,
    /// HTML.
    Html,
    /// An Office file that is encrypted.
    EncryptedOffice,
    /// Another OLE compound file.
    Ole,
    /// Another zip file.
    Zip,
    /// TIFF, PNG, JPEG, GIF or BMP.
    Image,
}

impl Format {
    /// The name used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Text => "text",
            Self::Docx => "docx",
            Self::Doc => "doc",
            Self::Rtf => "rtf",
            Self::Pdf => "pdf",
            Self::Hl7v2 => "hl7v2",
            Self::Mllp => "hl7v2-mllp",
            Self::Html => "html",
            Self::EncryptedOffice => "encrypted-office",
            Self::Ole => "ole",
            Self::Zip => "zip",
            Self::Image => "image",
        }
    }

    /// The media type of such a file.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Doc => "application/msword",
            Self::Rtf => "application/rtf",
            Self::Pdf => "application/pdf",
            Self::Html => "text/html",
            Self::Zip => "application/zip",
            _ => "application/octet-stream",
        }
    }
}

const PDF_WINDOW: usize = 1024;

/// Tells what bytes are (source-documents section 1).
///
/// ```
/// use clinical_letter::{Format, sniff};
///
/// assert_eq!(sniff(b"MSH|^~\\&|EPR"), Format::Hl7v2);
/// assert_eq!(sniff(b"\x0bMSH|^~\\&|EPR"), Format::Mllp);
/// assert_eq!(sniff(b"{\\rtf1 letter}"), Format::Rtf);
/// assert_eq!(sniff(b"PATIENT: "), Format::Text);
/// ```
pub fn sniff(bytes: &[u8]) -> Format {
    let without_bom = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = without_bom.trim_ascii_start();
    if text.is_empty() {
        return Format::Empty;
    }
    binary(bytes)
        .or_else(|| marked(text))
        .or_else(|| hl7(text))
        .unwrap_or(Format::Text)
}

fn binary(bytes: &[u8]) -> Option<Format> {
    const OLE: &[u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
    const IMAGES: &[&[u8]] = &[
        b"II*\0",
        b"MM\0*",
        b"\x89PNG\r\n\x1a\n",
        b"\xFF\xD8\xFF",
        b"GIF8",
    ];
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return Some(zip(bytes));
    }
    if bytes.starts_with(OLE) {
        return Some(ole(bytes));
    }
    if IMAGES.iter().any(|magic| bytes.starts_with(magic)) {
        return Some(Format::Image);
    }
    let window = bytes.get(..PDF_WINDOW).unwrap_or(bytes);
    contains(window, b"%PDF-").then_some(Format::Pdf)
}

fn zip(bytes: &[u8]) -> Format {
    let archive = zip::ZipArchive::new(Cursor::new(bytes));
    match archive {
        Ok(archive) if archive.index_for_name("[Content_Types].xml").is_some() => Format::Docx,
        _ => Format::Zip,
    }
}

/// Names of streams stand in the directory of a compound file as UTF-16LE.
fn ole(bytes: &[u8]) -> Format {
    let holds = |name: &str| {
        let wide: Vec<u8> = name.bytes().flat_map(|byte| [byte, 0]).collect();
        contains(bytes, &wide)
    };
    if holds("EncryptedPackage") {
        Format::EncryptedOffice
    } else if holds("WordDocument") {
        Format::Doc
    } else {
        Format::Ole
    }
}

fn marked(text: &[u8]) -> Option<Format> {
    if text.starts_with(b"{\\rtf") {
        return Some(Format::Rtf);
    }
    let begins = |prefix: &[u8]| {
        text.get(..prefix.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(prefix))
    };
    (begins(b"<html") || begins(b"<!doctype html")).then_some(Format::Html)
}

fn hl7(text: &[u8]) -> Option<Format> {
    if text.starts_with(b"MSH")
        && text
            .get(3)
            .is_some_and(|byte| !byte.is_ascii_alphanumeric())
    {
        // A report could begin with a word of capitals; a separator right after MSH does not.
        return (text.get(3) != Some(&b' ')).then_some(Format::Hl7v2);
    }
    contains(text, b"\x0bMSH").then_some(Format::Mllp)
}

pub(crate) fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
