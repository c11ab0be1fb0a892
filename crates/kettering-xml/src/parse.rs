use nhs_types::Report;

use crate::message::{self, Message};
use crate::names::REPORT_MSG;
use crate::payload::{self, PayloadFound};
use crate::rule::{Findings, P01, Purpose, S01, S06};
use crate::{Dialect, Element, decode, read};

/// How a message is judged when it is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a reader is strict or it is not")]
pub enum Mode {
    /// A letter someone sent us must not be lost: what can be read is read, with warnings.
    #[default]
    Lenient,
    /// Would a careful sender have sent this? Broken rules are errors.
    Strict,
}

/// What was found in a message. On any warning the document and the tree are still there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Parsed {
    /// Which dialect, if the message has the marks of one.
    pub dialect: Option<Dialect>,
    /// Everything in the message, unknown elements included.
    pub root: Option<Element>,
    /// The message by value: EDT only, and only when every value it needs is there and valid.
    pub message: Option<Message>,
    /// The document.
    pub payload: Option<PayloadFound>,
    /// Documents beyond the first, which the format does not allow (`K-S09`).
    pub further_payloads: Vec<PayloadFound>,
    /// What was found on the way.
    pub findings: Report,
}

/// Reads a message and checks it by every rule of the format.
///
/// Never fails as a whole: [`Parsed::findings`] tells what is wrong, and an error there means
/// that the message must not be filed by itself. External DTDs are never fetched, entities never
/// expanded, and [`Limits`](crate::Limits) bound size, depth and counts.
///
/// ```
/// use kettering_xml::{Mode, parse};
/// let parsed = parse(b"<Letter/>", Mode::Lenient);
/// assert!(parsed.findings.holds("K-S01") && parsed.payload.is_none());
/// ```
pub fn parse(bytes: &[u8], mode: Mode) -> Parsed {
    let mut findings = Findings::new(Purpose::Parse(mode));
    let Some(root) = tree(bytes, &mut findings) else {
        return Parsed {
            dialect: None,
            root: None,
            message: None,
            payload: None,
            further_payloads: Vec::new(),
            findings: findings.into_report(),
        };
    };
    let dialect = check(&root, &mut findings);
    let mut payloads = payloads(&root, &mut findings).into_iter();
    let payload = payloads.next();
    let message = match (dialect, &payload) {
        (Some(Dialect::Edt), Some(found)) => Message::read(&root, found.clone().into_payload()),
        _ => None,
    };
    Parsed {
        dialect,
        message,
        payload,
        further_payloads: payloads.collect(),
        root: Some(root),
        findings: findings.into_report(),
    }
}

/// Bytes to the tree, by `K-W` rules only.
pub(crate) fn tree(bytes: &[u8], findings: &mut Findings<'_>) -> Option<Element> {
    let text = decode::decode(bytes, findings)?;
    read::read(&text, findings)
}

fn check(root: &Element, findings: &mut Findings<'_>) -> Option<Dialect> {
    if root.name() != REPORT_MSG || has_namespace(root) {
        findings.add(
            S01,
            "",
            "the root element is not ReportMsg without a namespace",
        );
        return None;
    }
    let dialect = message::dialect_of(root);
    match dialect {
        None => {
            findings.add(S06, "", "neither Parties nor AgentsDirectory");
            return None;
        }
        Some(Dialect::Hybrid) => {
            let severity = nhs_types::Severity::Warning;
            findings.add_as(
                S06,
                severity,
                "",
                "Parties and AgentsDirectory: read as EDT",
            );
        }
        Some(Dialect::Edt | Dialect::Classic) => {}
    }
    if let Some(dialect) = dialect {
        message::check(root, dialect, findings);
    }
    dialect
}

fn has_namespace(root: &Element) -> bool {
    let mut names = root.attributes().iter().map(|(name, _)| name);
    names.any(|name| name == "xmlns" || name.starts_with("xmlns:"))
}

fn payloads(root: &Element, findings: &mut Findings<'_>) -> Vec<PayloadFound> {
    let blocks = message::clinical_report::text_blocks(root);
    if blocks.is_empty() {
        findings.add(P01, "ClinicalReport", "the message carries no document");
    }
    let checked = blocks
        .iter()
        .map(|block| payload::check(block.raw_text(), findings));
    checked.flatten().collect()
}
