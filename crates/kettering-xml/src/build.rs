use std::fmt;

use nhs_types::Report;

use crate::characters::{self, Cleaned};
use crate::decode::forbidden_message;
use crate::message::{self, Message};
use crate::payload::{self, Payload};
use crate::rule::{BACK, Findings, P05, Purpose, S06, W02, W07};
use crate::write::{self, Block};
use crate::{ControlCharacters, Dialect, Element, Profile, parse};

/// A message ready to be sent, and what is worth knowing about it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Built {
    /// The message. The same input gives the same bytes.
    pub bytes: Vec<u8>,
    /// Warnings; no errors are among them.
    pub findings: Report,
}

impl fmt::Debug for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Built")
            .field("bytes", &self.bytes.len())
            .field("findings", &self.findings)
            .finish()
    }
}

/// A message that must not be sent, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message breaks rules of the format: {}", listed(.findings))]
#[non_exhaustive]
pub struct Refused {
    /// All findings; at least one is an error.
    pub findings: Report,
}

fn listed(findings: &Report) -> String {
    let errors = findings.findings().iter();
    let errors = errors.filter(|f| f.severity == nhs_types::Severity::Error);
    let shown: Vec<String> = errors
        .map(|f| format!("{} at {}", f.rule, f.place))
        .collect();
    shown.join(", ")
}

/// Builds a message, checks it by every rule of the format, reads it again and compares.
///
/// Texts are cleaned first: white space around scalars goes, line ends become LF, and characters
/// that XML forbids become what they mean (facts 8.1) with a `K-W02` warning.
///
/// # Errors
///
/// [`Refused`] with all findings, when a rule that weighs as an error is broken.
pub fn build(message: &Message, profile: &Profile) -> Result<Built, Refused> {
    let mut findings = Findings::new(Purpose::Build(profile));
    let bytes = build_with(message, profile, &mut findings);
    match bytes {
        Some(bytes) if !findings.has_errors() => Ok(Built {
            bytes,
            findings: findings.into_report(),
        }),
        _ => Err(Refused {
            findings: findings.into_report(),
        }),
    }
}

fn build_with(
    message: &Message,
    profile: &Profile,
    findings: &mut Findings<'_>,
) -> Option<Vec<u8>> {
    if profile.dialect != Dialect::Edt {
        let message = format!("the {} dialect is not built yet", profile.dialect.as_str());
        findings.add(S06, "", message);
        return None;
    }
    let mut cleaned = Cleaned::default();
    let payload = clean_payload(&message.payload, &mut cleaned);
    let block = payload.block(profile.encoding);
    let root = clean_scalars(message.compose(&block), &mut cleaned);
    report_cleaned(cleaned, profile, findings);
    message::check(&root, Dialect::Edt, findings);
    if let Some(found) = payload::check(&block, findings)
        && found.kind != payload.kind()
    {
        let (meant, read) = (payload.kind().as_str(), found.kind.as_str());
        findings.add(
            P05,
            "",
            format!("the document is {meant}, but would be read as {read}"),
        );
    }
    if findings.has_errors() {
        return None;
    }
    let style = match payload {
        Payload::Html(_) => Block::Html,
        Payload::Text(_) | Payload::Binary { .. } => Block::Text,
    };
    let bytes = write::write(&root, style, profile.encoding, profile.doctype);
    read_back(&bytes, &root, &payload, profile, findings);
    Some(bytes)
}

fn clean_payload(payload: &Payload, cleaned: &mut Cleaned) -> Payload {
    let mut clean = |text: &str| {
        let (text, count) = characters::clean(text);
        *cleaned += count;
        text
    };
    match payload {
        Payload::Html(text) => Payload::Html(clean(text)),
        Payload::Text(text) => Payload::Text(clean(text)),
        binary @ Payload::Binary { .. } => binary.clone(),
    }
}

/// Scalars without padding and on one line; the text block is clean already.
fn clean_scalars(element: Element, cleaned: &mut Cleaned) -> Element {
    element.map_text(&mut |text| {
        let (text, count) = characters::clean(text);
        *cleaned += count;
        text.replace(['\n', '\t'], " ").trim().to_owned()
    })
}

fn report_cleaned(cleaned: Cleaned, profile: &Profile, findings: &mut Findings<'_>) {
    if cleaned.forbidden > 0 {
        let message = forbidden_message(cleaned.forbidden);
        match profile.control_characters {
            ControlCharacters::Refuse => findings.add(W02, "", message),
            ControlCharacters::Clean => {
                findings.add_as(W02, nhs_types::Severity::Warning, "", message);
            }
        }
    }
    if cleaned.c1 > 0 {
        let message = format!("{} C1 characters were read as Windows-1252", cleaned.c1);
        findings.add(W07, "", message);
    }
}

/// What leaves is what was meant: read by the parser, compared element by element.
fn read_back(
    bytes: &[u8],
    root: &Element,
    payload: &Payload,
    profile: &Profile,
    findings: &mut Findings<'_>,
) {
    let Some(read) = parse::tree(bytes, findings) else {
        findings.add(BACK, "", "the built message cannot be read again");
        return;
    };
    if !read.says_the_same(root) {
        findings.add(BACK, "", "the built message does not read as it was meant");
    }
    let blocks = message::clinical_report::text_blocks(&read);
    let found = blocks
        .first()
        .map(|block| payload::sniff(block.raw_text()).0);
    let meant = match payload {
        Payload::Html(html) => write::html_for(profile.encoding, html).into_bytes(),
        other => other.bytes().to_vec(),
    };
    if found.is_none_or(|found| found.kind != payload.kind() || found.bytes != meant) {
        findings.add(BACK, "", "the document does not read as it was meant");
    }
}
