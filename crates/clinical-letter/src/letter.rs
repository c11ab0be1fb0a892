//! The letter: what reading gives when nothing stands against sending.

use chrono::{DateTime, FixedOffset, NaiveDate};
use nhs_types::{Address, BirthDate, NhsNumber, OdsCode, PersonName, Sensitive, Sex};
use serde::{Deserialize, Serialize};

use crate::{Attachment, Author, DocumentKind, Encounter, Relation, Section};

/// A signed-off letter in neutral form. It exists only when reading found all that sending needs.
///
/// `Debug` never shows the patient or the content. Serializing writes the true values; reading
/// them back goes through the same checks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "LetterForm")]
#[non_exhaustive]
pub struct Letter {
    /// Whom it is about.
    pub patient: Patient,
    /// The practice that the source names.
    pub practice: SourcePractice,
    /// Its number, kind, title and times.
    pub document: LetterDocument,
    /// Who signed.
    pub author: Author,
    /// The stay or visit it is about.
    pub encounter: Encounter,
    /// The content, in order; may be empty when there is an attachment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<Section>,
    /// Who else gets a copy, as written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cc: Vec<Sensitive<String>>,
    /// Content that is sent as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachment: Option<Attachment>,
    /// Why it replaces another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_reason: Option<Sensitive<String>>,
    /// How many images the source holds that the sections do not show.
    #[serde(skip_serializing_if = "is_zero")]
    pub images: usize,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
const fn is_zero(value: &usize) -> bool {
    *value == 0
}

/// Whom a letter is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Patient {
    /// The NHS number, whose check digit holds.
    pub nhs_number: NhsNumber,
    /// The name as the source writes it.
    pub name: PersonName,
    /// Date of birth.
    pub birth_date: BirthDate,
    /// Sex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
    /// Address; empty when the source has none.
    #[serde(default)]
    pub address: Address,
    /// The hospital's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hospital_number: Option<Sensitive<String>>,
}

/// The practice and GP that the source names; whether they are right is routing's question.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct SourcePractice {
    /// The practice's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<OdsCode>,
    /// The practice's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The GP's national code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gp_code: Option<String>,
    /// The GP's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gp_name: Option<PersonName>,
}

/// A letter's number, kind, title and times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LetterDocument {
    /// The number that names it at its source.
    pub id: String,
    /// The version that the source or the sidecar gives, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The number of the document it follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// How it stands to that document.
    #[serde(default)]
    pub relation: Relation,
    /// The kind.
    pub kind: DocumentKind,
    /// The title, as written.
    pub title: Sensitive<String>,
    /// The day it is about: clinic, else discharge, else admission, else signing.
    pub event_date: NaiveDate,
    /// The time it is about, when the source gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_at: Option<DateTime<FixedOffset>>,
    /// When it was signed.
    pub signed_at: DateTime<FixedOffset>,
}

/// Why stored or given parts do not make a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LetterError {
    /// Neither a section with text nor an attachment.
    #[error("a letter needs a section with text, or an attachment")]
    NoContent,
    /// The document number is blank.
    #[error("a letter needs a document number")]
    NoDocumentNumber,
    /// A replacement or addendum that names no parent.
    #[error("an addendum or a replacement needs the number of its parent")]
    NoParent,
    /// The relation is one that sends nothing.
    #[error("a cancellation is no letter")]
    Cancellation,
}

impl Letter {
    pub(crate) fn checked(self) -> Result<Self, LetterError> {
        let written = self
            .sections
            .iter()
            .any(|section| !section.text.expose().trim().is_empty());
        if !written && self.attachment.is_none() {
            return Err(LetterError::NoContent);
        }
        if self.document.id.trim().is_empty() {
            return Err(LetterError::NoDocumentNumber);
        }
        match self.document.relation {
            Relation::Cancel => Err(LetterError::Cancellation),
            Relation::Addendum | Relation::Replacement if self.document.parent.is_none() => {
                Err(LetterError::NoParent)
            }
            _ => Ok(self),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LetterForm {
    patient: Patient,
    #[serde(default)]
    practice: SourcePractice,
    document: LetterDocument,
    #[serde(default)]
    author: Author,
    #[serde(default)]
    encounter: Encounter,
    #[serde(default)]
    sections: Vec<Section>,
    #[serde(default)]
    cc: Vec<Sensitive<String>>,
    #[serde(default)]
    attachment: Option<Attachment>,
    #[serde(default)]
    change_reason: Option<Sensitive<String>>,
    #[serde(default)]
    images: usize,
}

impl TryFrom<LetterForm> for Letter {
    type Error = LetterError;

    fn try_from(form: LetterForm) -> Result<Self, LetterError> {
        Self {
            patient: form.patient,
            practice: form.practice,
            document: form.document,
            author: form.author,
            encounter: form.encounter,
            sections: form.sections,
            cc: form.cc,
            attachment: form.attachment,
            change_reason: form.change_reason,
            images: form.images,
        }
        .checked()
    }
}
