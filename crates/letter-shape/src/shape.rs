use std::fmt;

use clinical_letter::Letter;
use kettering_xml::{ControlCharacters, Payload, sendable_text};
use nhs_types::{Finding, Location, Report};

use crate::html::render_html;
use crate::message;
use crate::proof::{Proof, ProveError, prove};
use crate::{Envelope, ReceiverProfile};

/// A file ready to be sent. Its name says nothing about the patient.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Artefact {
    /// The file.
    pub bytes: Vec<u8>,
    /// `application/xml`.
    pub content_type: &'static str,
    /// `kettering_<MsgId>.xml`.
    pub file_name: String,
}

impl fmt::Debug for Artefact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Artefact({}, {} bytes)",
            self.file_name,
            self.bytes.len()
        )
    }
}

/// An artefact that says what the letter says, with the proof.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shaped {
    /// The file.
    pub artefact: Artefact,
    /// The exact proof.
    pub proof: Proof,
    /// Warnings worth a look; no errors are among them.
    pub findings: Report,
}

/// Why a letter has no artefact. In each case a person must look at it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// The format or the receiver refuses what the letter holds.
    #[error("refused by the rules of the format or the receiver: {}", rules(.findings))]
    Refused {
        /// All findings, at least one of them an error.
        findings: Report,
    },
    /// The artefact does not say what the letter says.
    #[error(
        "the artefact differs from the letter: {} missing, {} added, {} changed words, {} header values",
        .0.missing, .0.added, .0.changed, .0.header
    )]
    Differs(Box<Proof>),
    /// This kind of letter cannot be shaped yet.
    #[error("cannot be shaped yet: {what}")]
    Unsupported {
        /// What it is about the letter.
        what: &'static str,
    },
}

fn rules(findings: &Report) -> String {
    let errors = findings.findings().iter();
    let errors = errors.filter(|f| f.severity == nhs_types::Severity::Error);
    let shown: Vec<String> = errors
        .map(|f| format!("{} at {}", f.rule, f.place))
        .collect();
    shown.join(", ")
}

/// Makes the artefact for one letter, one receiver and one envelope, and proves it.
///
/// The proof runs on the finished bytes. Deterministic: the same input gives the same bytes.
///
/// ```
/// # use chrono::{TimeZone, Utc};
/// # use nhs_types::OdsCode;
/// use letter_shape::{Envelope, ReceiverProfile, shape};
/// # let json = r#"{"patient":{"nhs_number":"9990308241","birth_date":"1958-03-17",
/// #   "name":{"family":"TESTCASE","given":"Marigold"}},
/// #   "document":{"id":"doc-17","kind":"outpatient-letter","title":"Clinic Letter",
/// #   "event_date":"2026-11-18","signed_at":"2026-11-18T14:00:00Z"},
/// #   "author":{"name":"Miss P Placeholder"},
/// #   "sections":[{"heading":"Plan","text":"Start 5 mg daily."}]}"#;
/// # let letter: clinical_letter::Letter = serde_json::from_str(json)?;
/// let envelope = Envelope::new(
///     "7b0f7c52-6f0b-4d37-9a53-2f5f2b0f7a11",
///     "doc-17-v1",
///     (OdsCode::parse("RZZ")?, "Example Valley NHS Trust"),
///     OdsCode::parse("Y99001")?,
///     "Gastroenterology",
///     Utc.with_ymd_and_hms(2026, 11, 18, 15, 0, 0).unwrap(),
/// );
/// let emis = ReceiverProfile::builtin("emis").unwrap();
/// let shaped = shape(&letter, &emis, &envelope)?;
/// assert!(shaped.proof.is_exact());
/// assert_eq!(shaped.artefact.file_name, "kettering_7b0f7c52-6f0b-4d37-9a53-2f5f2b0f7a11.xml");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`ShapeError`], by what stands against it.
pub fn shape(
    letter: &Letter,
    profile: &ReceiverProfile,
    envelope: &Envelope,
) -> Result<Shaped, ShapeError> {
    let cleaned = cleaned(letter, profile)?;
    let payload = payload(letter, profile)?;
    let message = message::message(letter, envelope, payload);
    let built = kettering_xml::build(&message, &profile.kettering);
    let built = built.map_err(|refused| ShapeError::Refused {
        findings: refused.findings,
    })?;
    check_size(built.bytes.len(), profile)?;
    let proof = prove(letter, &built.bytes).map_err(|error| match error {
        ProveError::Unreadable { findings } => ShapeError::Refused { findings },
    })?;
    if !proof.is_exact() {
        return Err(ShapeError::Differs(Box::new(proof)));
    }
    Ok(Shaped {
        artefact: Artefact {
            bytes: built.bytes,
            content_type: "application/xml",
            file_name: file_name(&envelope.msg_id),
        },
        proof,
        findings: cleaned.into_iter().chain(built.findings).collect(),
    })
}

/// `K-W02`: the page is written from cleaned text, so what was cleaned is told here.
fn cleaned(letter: &Letter, profile: &ReceiverProfile) -> Result<Option<Finding>, ShapeError> {
    let sections = letter.sections.iter();
    let texts = sections.flat_map(|s| s.heading.iter().chain([&s.text]));
    let texts = texts.chain(&letter.cc).chain(&letter.change_reason);
    let texts = texts.chain([&letter.document.title]);
    let count: usize = texts.map(|text| cleaned_chars(text.expose())).sum();
    if count == 0 {
        return Ok(None);
    }
    let message = format!("{count} control characters were replaced by what they mean, or dropped");
    match profile.kettering.control_characters {
        ControlCharacters::Refuse => {
            let finding = Finding::error("K-W02", Location::Whole, message);
            let findings = Report::from_iter([finding]);
            Err(ShapeError::Refused { findings })
        }
        _ => Ok(Some(Finding::warning("K-W02", Location::Whole, message))),
    }
}

fn cleaned_chars(text: &str) -> usize {
    let kept = |c: char| c == '\r' || sendable_text(c.encode_utf8(&mut [0; 4])).starts_with(c);
    let suspects = text.chars().filter(|c| c.is_control() || *c >= '\u{FFFE}');
    suspects.filter(|c| !kept(*c)).count()
}

fn payload(letter: &Letter, profile: &ReceiverProfile) -> Result<Payload, ShapeError> {
    let mut texts = letter.sections.iter().map(|section| section.text.expose());
    let written = texts.any(|text| !text.trim().is_empty());
    match (&letter.attachment, written) {
        (None, _) => Ok(Payload::Html(render_html(letter, profile.html))),
        (Some(attachment), false) => message::attached(attachment).ok_or(ShapeError::Unsupported {
            what: "an attachment that is none of PDF, Word, RTF, TIFF, JPEG, PNG",
        }),
        // Kettering carries one document: sending either alone would lose the other.
        (Some(_), true) => Err(ShapeError::Unsupported {
            what: "text and an attachment in one letter",
        }),
    }
}

fn check_size(length: usize, profile: &ReceiverProfile) -> Result<(), ShapeError> {
    let most = profile.artefact_max_bytes;
    if length <= most {
        return Ok(());
    }
    let message = format!("the message has {length} bytes, this receiver takes {most}");
    let finding = Finding::error("SHAPE-SIZE", Location::Whole, message);
    Err(ShapeError::Refused {
        findings: Report::from_iter([finding]),
    })
}

/// What is not of a UUID's alphabet is left out, so that no id leads out of a folder.
fn file_name(msg_id: &str) -> String {
    let safe = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    let id: String = msg_id.chars().filter(safe).collect();
    format!("kettering_{id}.xml")
}
