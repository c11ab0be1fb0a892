use nhs_types::Severity;

use crate::{Limits, PayloadKind};

/// Which of the two families of the format a message belongs to.
///
/// Source: kettering-xml facts, section 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Dialect {
    /// `AgentsDirectory` and `ReportedService`: Vision and older senders.
    Classic,
    /// `Parties` and document metadata: Docman EDT, EMIS, SystmOne, Medicus.
    Edt,
    /// Both directories at once. Read as EDT with a warning, never built.
    Hybrid,
}

impl Dialect {
    /// The word used in JSON: `CLASSIC`, `EDT` or `HYBRID`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Classic => "CLASSIC",
            Self::Edt => "EDT",
            Self::Hybrid => "HYBRID",
        }
    }
}

/// How the text of a built message becomes bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// ISO 8859-1. What it lacks is written as numeric references (facts 8.8).
    Latin1,
    /// UTF-8 without byte order mark.
    #[default]
    Utf8,
}

/// What happens to characters that XML forbids, when a message is built (facts 8.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ControlCharacters {
    /// Line and page breaks of Word become newlines, its hyphens become hyphens, the rest goes;
    /// each is counted in a warning.
    #[default]
    Clean,
    /// The message is refused.
    Refuse,
}

/// The format's own switches for one kind of receiver. Plain data: a caller fills it from where
/// it keeps its receivers.
///
/// ```
/// use kettering_xml::{Encoding, Profile};
/// let mut docman = Profile::default();
/// docman.encoding = Encoding::Latin1;
/// docman.doctype = true;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// The dialect to build. Today that is [`Dialect::Edt`].
    pub dialect: Dialect,
    /// The encoding to build.
    pub encoding: Encoding,
    /// Whether the DOCTYPE line of the EDT server is written.
    pub doctype: bool,
    /// What to do with characters that XML forbids.
    pub control_characters: ControlCharacters,
    /// Whether a patient without NHS number may be sent under EDT's dummy number.
    pub allow_missing_nhs_number: bool,
    /// The kinds of payload the receiver takes (`K-P03`).
    pub payload_kinds: Vec<PayloadKind>,
    /// Decoded payload in bytes from which a warning is given (`K-P04`).
    pub payload_warn_bytes: usize,
    /// Largest decoded payload in bytes (`K-P04`).
    pub payload_max_bytes: usize,
    /// Weight of HTML that the receiver may strip or hide (`K-P07`).
    pub unsafe_html: Severity,
}

impl Default for Profile {
    /// EDT, UTF-8, no DOCTYPE, HTML or PDF or plain text, unsafe HTML refused.
    fn default() -> Self {
        Self {
            dialect: Dialect::Edt,
            encoding: Encoding::Utf8,
            doctype: false,
            control_characters: ControlCharacters::Clean,
            allow_missing_nhs_number: false,
            payload_kinds: vec![PayloadKind::Html, PayloadKind::Pdf, PayloadKind::Text],
            payload_warn_bytes: Limits::PAYLOAD_WARN,
            payload_max_bytes: Limits::PAYLOAD_MAX,
            unsafe_html: Severity::Error,
        }
    }
}
