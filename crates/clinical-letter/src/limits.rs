use serde::{Deserialize, Serialize};

/// Largest file or frame, in bytes.
pub(crate) const FILE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Most entries of a zip file.
pub(crate) const ZIP_ENTRIES_MAX: usize = 2_000;
/// Largest entry of a zip file when inflated, in bytes.
pub(crate) const ZIP_ENTRY_BYTES_MAX: u64 = 50 * 1024 * 1024;
/// Most bytes inflated from one zip file.
pub(crate) const ZIP_TOTAL_BYTES_MAX: u64 = 100 * 1024 * 1024;
/// Highest ratio of inflated to stored bytes, past the bytes that are free of it.
pub(crate) const ZIP_RATIO_MAX: u64 = 200;
/// How many bytes of an entry may be inflated before the ratio counts.
pub(crate) const ZIP_RATIO_FREE_BYTES: u64 = 1024 * 1024;
/// Deepest nesting of XML elements.
pub(crate) const XML_DEPTH_MAX: usize = 256;
/// Most attributes of an XML element.
pub(crate) const XML_ATTRIBUTES_MAX: usize = 256;
/// Most bytes of text in an XML element.
pub(crate) const XML_TEXT_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Deepest nesting of RTF groups.
pub(crate) const RTF_DEPTH_MAX: usize = 1_000;
/// Most segments of an HL7 message.
pub(crate) const HL7_SEGMENTS_MAX: usize = 10_000;
/// Most fields of an HL7 segment.
pub(crate) const HL7_FIELDS_MAX: usize = 1_000;
/// Most messages in one file.
pub(crate) const MESSAGES_MAX: usize = 10_000;
/// Most pages of a report.
pub(crate) const PAGES_MAX: usize = 1_000;

/// How much of a hostile input is read before it is refused (source-documents section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Limits {
    /// Largest file or frame, in bytes.
    pub file_bytes: usize,
    /// Most entries of a zip file.
    pub zip_entries: usize,
    /// Largest entry of a zip file when inflated, in bytes.
    pub zip_entry_bytes: u64,
    /// Most bytes inflated from one zip file.
    pub zip_total_bytes: u64,
    /// Highest ratio of inflated to stored bytes.
    pub zip_ratio: u64,
    /// Deepest nesting of XML elements.
    pub xml_depth: usize,
    /// Most attributes of an XML element.
    pub xml_attributes: usize,
    /// Most bytes of text in an XML element.
    pub xml_text_bytes: usize,
    /// Most segments of an HL7 message.
    pub hl7_segments: usize,
    /// Most fields of an HL7 segment.
    pub hl7_fields: usize,
    /// Most messages in one file.
    pub messages: usize,
    /// Most pages of a report.
    pub pages: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: FILE_BYTES_MAX,
            zip_entries: ZIP_ENTRIES_MAX,
            zip_entry_bytes: ZIP_ENTRY_BYTES_MAX,
            zip_total_bytes: ZIP_TOTAL_BYTES_MAX,
            zip_ratio: ZIP_RATIO_MAX,
            xml_depth: XML_DEPTH_MAX,
            xml_attributes: XML_ATTRIBUTES_MAX,
            xml_text_bytes: XML_TEXT_BYTES_MAX,
            hl7_segments: HL7_SEGMENTS_MAX,
            hl7_fields: HL7_FIELDS_MAX,
            messages: MESSAGES_MAX,
            pages: PAGES_MAX,
        }
    }
}
