use nhs_types::Location;

use crate::reading::{Notes, Refusal};
use crate::{Format, ReadOptions, Reading, Reason, SourceDocument, docx, hl7, sniff, text};

/// Reads what a source handed over: one [`Reading`] for each message, and never none.
///
/// The bytes decide what they are. Nothing here fails: what cannot be read is a reading with
/// disposition `reject` or `hold`, its reason, and a finding that says where.
///
/// Formats without a reader here (RTF, Word 97, PDF, HTML, images) are held with the reason
/// `unsupported-format`, as they may well be letters that someone signed.
pub fn read(bytes: &[u8], options: &ReadOptions) -> Vec<Reading> {
    let limit = options.limits.file_bytes;
    if bytes.len() > limit {
        let why = format!("the file has {} bytes, the limit is {limit}", bytes.len());
        return vec![refused(Format::Empty, Reason::TooLarge, &why)];
    }
    let format = sniff(bytes);
    match format {
        Format::Text => vec![text::read(bytes, options)],
        Format::Docx => vec![docx::read(bytes, options)],
        Format::Hl7v2 => hl7::read(bytes, options),
        Format::Mllp => hl7::read_frames(bytes, options),
        Format::Empty => vec![refused(format, Reason::Empty, "the file has no content")],
        Format::EncryptedOffice => {
            vec![refused(format, Reason::Encrypted, "the file is encrypted")]
        }
        other => {
            let why = format!("no reader takes files of the format {}", other.as_str());
            vec![refused(format, Reason::UnsupportedFormat, &why)]
        }
    }
}

fn refused(format: Format, reason: Reason, why: &str) -> Reading {
    let document = SourceDocument {
        format,
        ..SourceDocument::default()
    };
    let refusal = Refusal::new(reason, Location::Whole, why);
    Reading::refused(document, Notes::default(), refusal)
}
