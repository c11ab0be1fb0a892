//! When two hand-overs are the same document with the same content.

use clinical_letter::{Attachment, Disposition, Format, Reading, Reason};
use nhs_types::Report;
use sha2::{Digest as _, Sha256};

use crate::reader::Raw;

/// What was read, whatever envelope it came in: the same content resent under a new message
/// number is the same document (source-documents facts 5, key 2). What was not read to its end
/// is known by its bytes.
pub(super) fn content_digest(reading: &Reading, raw: &Raw, origin: &str) -> [u8; 32] {
    let read = is_read(reading).then(|| serde_json::to_vec(&without_envelope(reading)).ok());
    match read.flatten() {
        Some(read) => Sha256::digest(read).into(),
        None => bytes_digest(reading, raw, origin),
    }
}

/// The name of a document that has no number of its own.
pub(super) fn name_of(content: &[u8; 32]) -> String {
    let hex: String = content.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// Whether the content was read, so that a change of it shows in what was read.
fn is_read(reading: &Reading) -> bool {
    let source = &reading.document;
    let has_content =
        !source.sections.is_empty() || !source.body_lines.is_empty() || source.attachment.is_some();
    match reading.disposition {
        Disposition::Reject => false,
        Disposition::Withdraw => true,
        _ => has_content && reading.reason != Reason::AttachmentInvalid,
    }
}

/// The reading without what a resent message, another frame or another file has anew.
fn without_envelope(reading: &Reading) -> Reading {
    let mut copy = reading.clone();
    let source = &mut copy.document;
    source.document.control_id = None;
    source.document.event = None;
    source.encoding = None;
    if source.format == Format::Mllp {
        source.format = Format::Hl7v2;
    }
    if let Some(file) = source.attachment.take() {
        let bytes = file.expose_bytes().to_vec();
        source.attachment = Some(Attachment::new(file.media_type(), bytes));
    }
    copy.findings = Report::new();
    copy.warnings.clear();
    copy
}

/// Two files without content are two letters that failed to arrive: their origin tells them apart.
fn bytes_digest(reading: &Reading, raw: &Raw, origin: &str) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(&raw.bytes);
    if let Some(place) = raw.place {
        digest.update(format!("message {place}"));
    }
    if reading.reason == Reason::Empty {
        digest.update(origin);
    }
    digest.finalize().into()
}
