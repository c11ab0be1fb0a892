//! The sidecar: what the record system says beside a document (design section 8).

use chrono::{DateTime, FixedOffset};
use nhs_types::{Location, NhsNumber, OdsCode, Sensitive};
use serde::{Deserialize, Serialize};

use crate::reading::{Notes, Reading};
use crate::{Completion, DocumentKind, Reason};

/// What a record system says beside a document, by folder or HTTP.
///
/// ```
/// use clinical_letter::Sidecar;
///
/// let sidecar: Sidecar = serde_json::from_str(
///     r#"{"source":"EPR","document_id":"W-0001","signed_by":"Dr Y Abubakar"}"#,
/// )?;
/// assert_eq!(sidecar.document_id.as_deref(), Some("W-0001"));
/// assert!(serde_json::from_str::<Sidecar>(r#"{"documentid":"W-0001"}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Sidecar {
    /// The source system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The document's number at its source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document_id: Option<String>,
    /// The version of that document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The kind of letter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<DocumentKind>,
    /// The time it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_at: Option<DateTime<FixedOffset>>,
    /// When it was signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_off_at: Option<DateTime<FixedOffset>>,
    /// Who signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// Whom it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient: Option<SidecarPatient>,
    /// The practice that gets it, where the document names none. More than one, or another than
    /// the document's, is a hold: a person decides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<OdsCode>,
    /// Whether it may be released to the GP; `false` suppresses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<bool>,
}

/// The patient's identifiers in a sidecar.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct SidecarPatient {
    /// NHS number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nhs_number: Option<Sensitive<String>>,
    /// The hospital's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hospital_number: Option<Sensitive<String>>,
    /// Family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<Sensitive<String>>,
    /// Given names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<Sensitive<String>>,
    /// Date of birth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<nhs_types::BirthDate>,
}

impl Sidecar {
    /// Fills in what the document alone does not say, and holds a reading that says something
    /// else. What a document says about itself is never overwritten.
    ///
    /// A draft banner, or any sign that the document is unsigned, is not undone by a sidecar:
    /// only a document that is silent about its signing is signed by `signed_off_at`.
    pub fn apply(&self, reading: &mut Reading) {
        let mut notes = Notes::default();
        self.document(reading, &mut notes);
        self.signing(reading, &mut notes);
        self.patient(reading, &mut notes);
        self.practice(reading, &mut notes);
        if self.release == Some(false) {
            reading.document.restricted = true;
        }
        reading.stops.extend(notes.stops);
        reading.findings.extend(notes.findings);
        reading.judge();
    }

    fn document(&self, reading: &mut Reading, notes: &mut Notes) {
        let facts = &mut reading.document.document;
        fill(
            &mut facts.unique_id,
            self.document_id.as_ref(),
            "document_id",
            notes,
        );
        fill(
            &mut reading.version,
            self.version.as_ref(),
            "version",
            notes,
        );
        if let Some(class) = &self.class {
            match &facts.kind {
                Some(kind) if *kind != DocumentKind::HospitalLetter && kind != class => {
                    disagree("class", notes);
                }
                _ => facts.kind = Some(class.clone()),
            }
        }
        if let Some(event_at) = self.event_at {
            let day = event_at.date_naive();
            if *facts.document_date.get_or_insert(day) != day {
                disagree("event_at", notes);
            }
            facts.event_at.get_or_insert(event_at);
        }
    }

    fn signing(&self, reading: &mut Reading, notes: &mut Notes) {
        let facts = &mut reading.document.document;
        if let Some(signed) = self.signed_off_at {
            if facts.signed_at.is_some_and(|at| at != signed) {
                disagree("signed_off_at", notes);
            }
            if facts.completion.is_none_or(Completion::is_signed) {
                facts.completion.get_or_insert(Completion::Authenticated);
                facts.signed_at.get_or_insert(signed);
            }
        }
        let author = &mut reading.document.author;
        if author.name.is_none() {
            author.name.clone_from(&self.signed_by);
        }
    }

    fn patient(&self, reading: &mut Reading, notes: &mut Notes) {
        let Some(given) = &self.patient else { return };
        let facts = &mut reading.document.patient;
        match (&given.nhs_number, &facts.nhs_number) {
            (Some(number), None) => facts.nhs_number = Some(digits(number)),
            (Some(number), Some(known)) if !same_number(number, known) => {
                disagree("patient.nhs_number", notes);
            }
            _ => {}
        }
        fill_name(
            &mut facts.family,
            given.family.as_ref(),
            "patient.family",
            notes,
        );
        fill_name(
            &mut facts.given,
            given.given.as_ref(),
            "patient.given",
            notes,
        );
        fill_name(
            &mut facts.hospital_number,
            given.hospital_number.as_ref(),
            "patient.hospital_number",
            notes,
        );
        fill(
            &mut facts.dob,
            given.birth_date.as_ref(),
            "patient.birth_date",
            notes,
        );
    }

    fn practice(&self, reading: &mut Reading, notes: &mut Notes) {
        let Some(first) = self.recipients.first() else {
            return;
        };
        if self.recipients.iter().any(|other| other != first) {
            let place = Location::Named("sidecar recipients".to_owned());
            let why =
                "the sidecar names several recipients: one letter goes to one practice so far";
            notes.stop(Reason::SidecarDisagrees, place, why);
            return;
        }
        let known = &mut reading.document.gp.practice_code;
        match known {
            None => *known = Some(first.as_str().to_owned()),
            Some(code) if !self.recipients.iter().any(|one| one.as_str() == code) => {
                disagree("recipients", notes);
            }
            Some(_) => {}
        }
    }
}

fn disagree(member: &'static str, notes: &mut Notes) {
    let why = format!("the sidecar's {member} differs from what the document says");
    let place = Location::Named(format!("sidecar {member}"));
    notes.stop(Reason::SidecarDisagrees, place, &why);
}

fn fill<T: Clone + PartialEq>(
    known: &mut Option<T>,
    given: Option<&T>,
    member: &'static str,
    notes: &mut Notes,
) {
    match (known.as_ref(), given) {
        (None, Some(value)) => *known = Some(value.clone()),
        (Some(known), Some(value)) if known != value => disagree(member, notes),
        _ => {}
    }
}

fn fill_name(
    known: &mut Option<Sensitive<String>>,
    given: Option<&Sensitive<String>>,
    member: &'static str,
    notes: &mut Notes,
) {
    let same = |a: &Sensitive<String>, b: &Sensitive<String>| {
        a.expose().trim().to_lowercase() == b.expose().trim().to_lowercase()
    };
    match (known.as_ref(), given) {
        (None, Some(value)) => *known = Some(value.clone()),
        (Some(known), Some(value)) if !same(known, value) => disagree(member, notes),
        _ => {}
    }
}

fn digits(number: &Sensitive<String>) -> Sensitive<String> {
    let kept = number
        .expose()
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-');
    Sensitive::new(kept.collect())
}

fn same_number(a: &Sensitive<String>, b: &Sensitive<String>) -> bool {
    match (NhsNumber::parse(a.expose()), NhsNumber::parse(b.expose())) {
        (Ok(a), Ok(b)) => a == b,
        _ => digits(a) == digits(b),
    }
}
