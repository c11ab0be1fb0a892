use nhs_types::Location;

use crate::reading::{Notes, Refusal};
use crate::{Format, ReadOptions, Reading, Reason, SourceDocument, sniff};

/// Reads what a source handed over: one [`Reading`] for each message, and never none.
///
/// The bytes decide what they are. Nothing here fails: what cannot be read is a reading with
/// disposition `reject` or `hold`, its reason, and a finding that says where.
pub fn read(bytes: &[u8], options: &ReadOptions) -> Vec<Reading> {
    let format = sniff(bytes);
    let document = SourceDocument {
        format,
        ..SourceDocument::default()
    };
    let refusal = if bytes.len() > options.limits.file_bytes {
        let why = format!(
            "the file has {} bytes, the limit is {}",
            bytes.len(),
            options.limits.file_bytes
        );
        Refusal::new(Reason::TooLarge, Location::Whole, why)
    } else {
        refusal(format)
    };
    vec![Reading::refused(document, Notes::default(), refusal)]
}

fn refusal(format: Format) -> Refusal {
    match format {
        Format::Empty => Refusal::new(Reason::Empty, Location::Whole, "the file has no content"),
        Format::EncryptedOffice => {
            Refusal::new(Reason::Encrypted, Location::Whole, "the file is encrypted")
        }
        other => Refusal::new(
            Reason::UnsupportedFormat,
            Location::Whole,
            format!("no reader takes files of the format {}", other.as_str()),
        ),
    }
}
