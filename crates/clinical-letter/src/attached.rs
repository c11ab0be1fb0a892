//! Files inside a message: what they are, whether they are whole, whom they name.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use nhs_types::Location;

use crate::identity::Identity;
use crate::reading::Notes;
use crate::sniff::contains;
use crate::{Attachment, Format, ReadOptions, Reason, SourceDocument, Warning, docx, rtf, sniff};

/// Decodes strict base64, with or without its padding (source-documents section 9).
pub(crate) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    const CONFIG: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const ENGINE: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, CONFIG);
    ENGINE.decode(text).ok()
}

/// Looks at a decoded file. The label is a hint only: the bytes decide (section 4).
pub(crate) fn check(
    bytes: Vec<u8>,
    label: &str,
    options: &ReadOptions,
    source: &SourceDocument,
    notes: &mut Notes,
) -> Option<Attachment> {
    let format = sniff(&bytes);
    if label == "pdf" && format != Format::Pdf {
        return invalid("the label says PDF, the bytes are something else", notes);
    }
    match format {
        Format::Pdf => check_pdf(&bytes, notes),
        Format::Rtf => check_rtf(&bytes, options, source, notes),
        Format::Docx => {
            let inner = docx::inspect(&bytes, options, notes);
            compare(inner, source, notes);
        }
        Format::Doc | Format::Image | Format::Html | Format::Text => unchecked(notes),
        Format::EncryptedOffice => {
            notes.stop(Reason::Encrypted, place(), "the attachment is encrypted");
        }
        _ => {
            return invalid(
                "the attachment is of no kind that a practice can read",
                notes,
            );
        }
    }
    Some(Attachment::new(media_type(format, &bytes), bytes))
}

fn place() -> Location {
    Location::Named("attachment".to_owned())
}

fn invalid(why: &str, notes: &mut Notes) -> Option<Attachment> {
    notes.stop(Reason::AttachmentInvalid, place(), why);
    None
}

fn unchecked(notes: &mut Notes) {
    let why = "whom the attachment names could not be read";
    notes.warn(Warning::AttachmentUnchecked, place(), why);
}

const fn media_type(format: Format, bytes: &[u8]) -> &'static str {
    match (format, bytes) {
        (Format::Image, [b'I' | b'M', ..]) => "image/tiff",
        (Format::Image, [0x89, ..]) => "image/png",
        (Format::Image, [0xff, ..]) => "image/jpeg",
        (Format::Image, _) => "image/gif",
        _ => format.media_type(),
    }
}

/// Names that make a PDF do something (section 9). Those inside compressed objects are not seen.
const PDF_ACTIVE: &[&[u8]] = &[
    b"/JavaScript",
    b"/JS",
    b"/Launch",
    b"/EmbeddedFile",
    b"/SubmitForm",
];

fn check_pdf(bytes: &[u8], notes: &mut Notes) {
    const TRAILER_WINDOW: usize = 1024;
    let tail = bytes.get(bytes.len().saturating_sub(TRAILER_WINDOW)..);
    if !contains(tail.unwrap_or_default(), b"%%EOF") {
        invalid("the PDF has no end: it was cut off", notes);
    }
    if PDF_ACTIVE.iter().any(|name| holds_name(bytes, name)) {
        let why = "the PDF holds scripts, actions or files";
        notes.stop(Reason::ActiveContent, place(), why);
    }
    if holds_name(bytes, b"/Encrypt") {
        notes.stop(Reason::Encrypted, place(), "the PDF is encrypted");
    }
    unchecked(notes);
}

/// Whether a name stands as a whole; `/JSx` is another name.
fn holds_name(bytes: &[u8], name: &[u8]) -> bool {
    let ends = |after: Option<&u8>| after.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    bytes
        .windows(name.len())
        .enumerate()
        .any(|(at, window)| window == name && ends(bytes.get(at + name.len())))
}

fn check_rtf(bytes: &[u8], options: &ReadOptions, source: &SourceDocument, notes: &mut Notes) {
    match rtf::identity(bytes, source.document.document_date, options) {
        Ok(inner) => compare(Some(inner), source, notes),
        Err(why) => notes.stop(why.reason, place(), &why.message),
    }
}

fn compare(inner: Option<Identity>, source: &SourceDocument, notes: &mut Notes) {
    let outer = Identity::from(&source.patient);
    match inner {
        Some(inner) if inner.differs_from(&outer) => {
            let why = "the attachment names another patient than the message";
            notes.stop(Reason::PatientMismatch, place(), why);
        }
        Some(inner) if inner != Identity::default() => {}
        _ => unchecked(notes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(bytes: &[u8], label: &str) -> Vec<Reason> {
        let mut notes = Notes::default();
        let source = SourceDocument::default();
        check(
            bytes.to_vec(),
            label,
            &ReadOptions::default(),
            &source,
            &mut notes,
        );
        notes.stops.iter().map(|stop| stop.reason).collect()
    }

    #[test]
    fn section_4_bytes_decide_and_a_pdf_must_be_whole() {
        assert_eq!(reasons(b"%PDF-1.4 .. %%EOF\n", "pdf"), []);
        assert_eq!(reasons(b"%PDF-1.4 .. %%EOF\n", "octet-stream"), []);
        assert_eq!(reasons(b"%PDF-1.4 ..", "pdf"), [Reason::AttachmentInvalid]);
        assert_eq!(reasons(b"plain text", "pdf"), [Reason::AttachmentInvalid]);
    }

    #[test]
    fn section_9_a_pdf_that_does_something_is_held() {
        let active = [Reason::ActiveContent];
        assert_eq!(reasons(b"%PDF-1.4 <</S/JavaScript>> %%EOF", "pdf"), active);
        assert_eq!(reasons(b"%PDF-1.4 <</JSx 1>> %%EOF", "pdf"), []);
        assert_eq!(
            reasons(b"%PDF-1.4 /Encrypt 5 0 R %%EOF", "pdf"),
            [Reason::Encrypted]
        );
    }
}
