mod file;
mod html;
mod sniff;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::rule::{Findings, P01, P02, P03, P04, P05};
use crate::{Encoding, write};

pub(crate) use sniff::sniff;

/// The document a message carries. The format itself does not say which kind it is: receivers
/// look at the first bytes, and so does [`parse`](crate::parse).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Payload {
    /// An HTML document, carried as it is.
    Html(String),
    /// Plain text, carried as it is.
    Text(String),
    /// Any other kind, carried in base64.
    #[non_exhaustive]
    Binary {
        /// What the bytes are.
        kind: PayloadKind,
        /// The document.
        bytes: Vec<u8>,
    },
}

/// A kind of document (facts, section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PayloadKind {
    /// Word 97 to 2003.
    Doc,
    /// Word since 2007.
    Docx,
    /// HTML.
    Html,
    /// JPEG.
    Jpeg,
    /// PDF.
    Pdf,
    /// PNG.
    Png,
    /// Rich Text Format.
    Rtf,
    /// Plain text.
    Text,
    /// TIFF.
    Tiff,
    /// An archive that is no Word document.
    Zip,
}

impl PayloadKind {
    /// The word used in JSON, and as the extension of a file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Doc => "doc",
            Self::Docx => "docx",
            Self::Html => "html",
            Self::Jpeg => "jpeg",
            Self::Pdf => "pdf",
            Self::Png => "png",
            Self::Rtf => "rtf",
            Self::Text => "text",
            Self::Tiff => "tiff",
            Self::Zip => "zip",
        }
    }
}

impl Payload {
    /// A document to be carried in base64.
    pub const fn binary(kind: PayloadKind, bytes: Vec<u8>) -> Self {
        Self::Binary { kind, bytes }
    }

    /// What the document is.
    pub const fn kind(&self) -> PayloadKind {
        match self {
            Self::Html(_) => PayloadKind::Html,
            Self::Text(_) => PayloadKind::Text,
            Self::Binary { kind, .. } => *kind,
        }
    }

    /// The document's bytes; of text in UTF-8.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Html(text) | Self::Text(text) => text.as_bytes(),
            Self::Binary { bytes, .. } => bytes,
        }
    }

    /// The text that stands in `TextBlock`, as a reader will join it.
    pub(crate) fn block(&self, encoding: Encoding) -> String {
        match self {
            Self::Html(html) => write::html_for(encoding, html),
            Self::Text(text) => text.clone(),
            Self::Binary { bytes, .. } => STANDARD.encode(bytes),
        }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Payload({}, {} bytes)",
            self.kind().as_str(),
            self.bytes().len()
        )
    }
}

/// How a document stood in `TextBlock`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Carried {
    /// In base64, now decoded.
    Base64,
    /// In base64 that does not decode: the bytes are the text as it stood there.
    BrokenBase64,
    /// As text.
    Text,
}

/// A document found in a message.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PayloadFound {
    /// What it is, by its first bytes.
    pub kind: PayloadKind,
    /// The document; of text in UTF-8 with LF.
    pub bytes: Vec<u8>,
    /// How it stood in the message.
    pub carried: Carried,
}

impl PayloadFound {
    /// The document as text, when it was carried so.
    pub fn text(&self) -> Option<&str> {
        (self.carried == Carried::Text)
            .then(|| std::str::from_utf8(&self.bytes).ok())
            .flatten()
    }

    pub(crate) fn into_payload(self) -> Payload {
        match (self.carried, self.kind, String::from_utf8(self.bytes)) {
            (Carried::Text, PayloadKind::Html, Ok(text)) => Payload::Html(text),
            (Carried::Text, PayloadKind::Text, Ok(text)) => Payload::Text(text),
            (_, kind, Ok(text)) => Payload::binary(kind, text.into_bytes()),
            (_, kind, Err(other)) => Payload::binary(kind, other.into_bytes()),
        }
    }
}

impl fmt::Debug for PayloadFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, length) = (self.kind.as_str(), self.bytes.len());
        write!(
            f,
            "PayloadFound({kind}, {length} bytes, {:?})",
            self.carried
        )
    }
}

const PLACE: &str = "ClinicalReport/TextItem/TextBlock";

/// Finds the document in the text of a block, and checks it (`K-P01` to `K-P10`).
pub(crate) fn check(block: &str, findings: &mut Findings<'_>) -> Option<PayloadFound> {
    if block.trim().is_empty() {
        findings.add(P01, PLACE, "the message carries no document");
        return None;
    }
    let (found, doubly) = sniff(block);
    if doubly {
        findings.add(P05, PLACE, "the document was put into base64 twice");
    }
    if found.carried == Carried::BrokenBase64 {
        findings.add(
            P02,
            PLACE,
            "begins like a document in base64, but does not decode",
        );
        return Some(found);
    }
    check_profile(&found, findings);
    match found.kind {
        PayloadKind::Html => html::check(&String::from_utf8_lossy(&found.bytes), PLACE, findings),
        PayloadKind::Pdf => file::check_pdf(&found.bytes, PLACE, findings),
        PayloadKind::Tiff => file::check_tiff(&found.bytes, PLACE, findings),
        PayloadKind::Zip => findings.add(P05, PLACE, "an archive that is no Word document"),
        _ => {}
    }
    Some(found)
}

fn check_profile(found: &PayloadFound, findings: &mut Findings<'_>) {
    let profile = findings.purpose.profile();
    let default = crate::Profile::default();
    let limits = profile.unwrap_or(&default);
    let length = found.bytes.len();
    if length > limits.payload_max_bytes {
        let message = format!("{length} bytes, at most {}", limits.payload_max_bytes);
        findings.add(P04, PLACE, message);
    } else if length > limits.payload_warn_bytes {
        let message = format!("{length} bytes: some receivers may refuse it");
        findings.add_as(P04, nhs_types::Severity::Warning, PLACE, message);
    }
    if profile.is_some_and(|profile| !profile.payload_kinds.contains(&found.kind)) {
        let message = format!("this receiver does not take {}", found.kind.as_str());
        findings.add(P03, PLACE, message);
    }
}
