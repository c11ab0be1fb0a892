//! What a source document says, whether or not it is enough to send.

use std::fmt;

use chrono::{DateTime, FixedOffset, NaiveDate};
use nhs_types::{BirthDate, NhsNumber, Sensitive, Sex};
use serde::{Deserialize, Serialize};

use crate::{Attachment, Completion, DocumentKind, Format, Relation};

/// Everything a source says about a document. Every member may be missing.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SourceDocument {
    /// The format it was read from.
    pub format: Format,
    /// The document itself.
    pub document: DocumentFacts,
    /// The patient.
    pub patient: PatientFacts,
    /// The registered practice and GP.
    pub gp: GpFacts,
    /// Who signed, or else who wrote it.
    pub author: Author,
    /// The stay or visit it is about.
    pub encounter: Encounter,
    /// The content, in order.
    pub sections: Vec<Section>,
    /// Of a Word file with tracked changes: the content if all changes were refused.
    pub sections_rejected_view: Vec<Section>,
    /// The lines of the content of an HL7 message, before sections were made of them.
    pub body_lines: Vec<Sensitive<String>>,
    /// Who else gets a copy, as written.
    pub cc: Vec<Sensitive<String>>,
    /// Content that stays as it is.
    pub attachment: Option<Attachment>,
    /// Why it was replaced or cancelled.
    pub change_reason: Option<Sensitive<String>>,
    /// How many images it holds.
    pub images: usize,
    /// The character set it was decoded from, by its IANA name in lower case.
    pub encoding: Option<String>,
    /// The source says it may not be released to the GP.
    pub restricted: bool,
    /// A signature line stands where none is read: it may be signed after all.
    pub(crate) unread_signature: bool,
    /// The bytes of Z segments, kept for a person (source-documents section 4).
    pub local_segments: Vec<Sensitive<Vec<u8>>>,
}

impl SourceDocument {
    /// The number that names the document at its source, also of one that is held.
    pub fn number(&self) -> Option<&str> {
        self.document.unique_id.as_deref()
    }
}

/// A document's names, dates and status.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct DocumentFacts {
    /// The kind of letter.
    pub kind: Option<DocumentKind>,
    /// Its title, as written.
    pub title: Option<Sensitive<String>>,
    /// The number that names it at its source.
    pub unique_id: Option<String>,
    /// The number of the document it follows.
    pub parent_id: Option<String>,
    /// How it stands to an earlier document.
    pub relation: Relation,
    /// The day it is about: clinic, else discharge, else admission, else signing.
    pub document_date: Option<NaiveDate>,
    /// The time it is about, when the source gives one.
    pub event_at: Option<DateTime<FixedOffset>>,
    /// When it was signed.
    pub signed_at: Option<DateTime<FixedOffset>>,
    /// How far it is.
    pub completion: Option<Completion>,
    /// HL7: the sender's id of the message (MSH-10).
    pub control_id: Option<String>,
    /// HL7: the event (MSH-9.2), such as `T02`.
    pub event: Option<String>,
    /// HL7: the availability (TXA-19), such as `AV`.
    pub availability: Option<String>,
    /// HL7: sending application and facility (MSH-3, MSH-4), as `APPLICATION|FACILITY`.
    pub sender: Option<String>,
    /// HL7: when the message was made (MSH-7).
    pub message_at: Option<DateTime<FixedOffset>>,
}

/// What the source says about the patient.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct PatientFacts {
    /// The NHS number without separators, also one whose check digit does not hold.
    pub nhs_number: Option<Sensitive<String>>,
    /// The hospital's number.
    pub hospital_number: Option<Sensitive<String>>,
    /// Family name.
    pub family: Option<Sensitive<String>>,
    /// Given names.
    pub given: Option<Sensitive<String>>,
    /// Title, such as `Mrs`.
    pub title: Option<Sensitive<String>>,
    /// Date of birth; none when the source's is no possible one.
    pub dob: Option<BirthDate>,
    /// Sex.
    pub sex: Option<Sex>,
    /// Address lines, without the postcode.
    pub address: Sensitive<Vec<String>>,
    /// Postcode, as written.
    pub postcode: Option<Sensitive<String>>,
}

impl PatientFacts {
    /// The NHS number, if its check digit holds.
    pub fn valid_nhs_number(&self) -> Option<NhsNumber> {
        NhsNumber::parse(self.nhs_number.as_ref()?.expose()).ok()
    }
}

/// The practice and GP that the source names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GpFacts {
    /// The practice's ODS code, as written.
    pub practice_code: Option<String>,
    /// The practice's name.
    pub practice_name: Option<String>,
    /// The GP's national code.
    pub gp_code: Option<String>,
    /// The GP's family name.
    pub gp_family: Option<String>,
    /// The GP's given names or initials.
    pub gp_given: Option<String>,
    /// The GP's title.
    pub gp_title: Option<String>,
}

/// Who signed a letter, or else who wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Author {
    /// Staff code, such as `C9990114`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Role as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// The stay or visit a letter is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Encounter {
    /// `inpatient`, `outpatient`, `emergency`, `preadmission`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Day of admission.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admitted: Option<NaiveDate>,
    /// Day of discharge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discharged: Option<NaiveDate>,
    /// Ward or clinic, by the site's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// NHS main specialty or treatment function code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub specialty: Option<String>,
}

/// A heading and the text below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Section {
    /// The heading without its colon; none for text before the first heading.
    pub heading: Option<Sensitive<String>>,
    /// Lines separated by line feeds. Cells of a table row are separated by tabs.
    pub text: Sensitive<String>,
    /// Columns are made of spaces: show it in a font of fixed width.
    #[serde(default, skip_serializing_if = "is_false")]
    pub preformatted: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl Section {
    /// Makes a section; an empty heading counts as none.
    pub fn new(heading: &str, text: impl Into<String>) -> Self {
        Self {
            heading: (!heading.is_empty()).then(|| Sensitive::new(heading.to_owned())),
            text: Sensitive::new(text.into()),
            preformatted: false,
        }
    }

    /// The same section, to be shown in a font of fixed width.
    #[must_use]
    pub fn preformatted(mut self) -> Self {
        self.preformatted = true;
        self
    }
}

impl fmt::Display for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
