//! What a site can configure about reading.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{DocumentKind, Limits};

/// How documents of one source are read. The default is that of source-documents section 2.
///
/// Times without an offset are always London local time.
///
/// ```
/// use clinical_letter::ReadOptions;
///
/// let mut options = ReadOptions::default();
/// options.live_processing_ids = vec!["T".to_owned()];
/// assert!(options.titles.iter().any(|rule| rule.contains == "DISCHARGE SUMMARY"));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ReadOptions {
    /// The labels of each field in the head of a report or a Word letter.
    pub labels: BTreeMap<Field, Vec<String>>,
    /// Headings that open a section wherever they stand before a colon.
    pub headings: Vec<String>,
    /// The kind of a letter by its title; the first that fits.
    pub titles: Vec<TitleRule>,
    /// The kind of a letter by the code in TXA-2 or OBR-4.
    pub document_types: BTreeMap<String, DocumentKind>,
    /// The class of an encounter by STATUS in a report, or PV1-2.
    pub encounter_classes: BTreeMap<String, String>,
    /// Words that mark a draft in a banner.
    pub draft_banners: Vec<String>,
    /// Words that mark a cancellation in a banner.
    pub cancelled_banners: Vec<String>,
    /// Words that forbid release to the GP in a banner.
    pub restriction_banners: Vec<String>,
    /// Phrases that say that a letter was not signed by its author. A letter that has one of
    /// them is not signed.
    pub unsigned_phrases: Vec<String>,
    /// What begins a line that names the document an addendum belongs to.
    pub addendum_marks: Vec<String>,
    /// What begins a line that names the document this one replaces.
    pub replacement_marks: Vec<String>,
    /// What begins a line that says why a document was changed or cancelled.
    pub change_reason_marks: Vec<String>,
    /// What begins a signature line.
    pub signature_marks: Vec<String>,
    /// What begins a line of the footer after the signature, before a colon.
    pub footer_marks: Vec<String>,
    /// What begins a line that names who gets a copy, before a colon.
    pub copy_marks: Vec<String>,
    /// Lines at the end of a page that say that another follows.
    pub continued_marks: Vec<String>,
    /// MSH-11 of live messages.
    pub live_processing_ids: Vec<String>,
    /// Limits for hostile input.
    pub limits: Limits,
}

/// A field of a letter's head that labels lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Field {
    /// The patient's name.
    PatientName,
    /// NHS number.
    NhsNumber,
    /// Hospital number.
    HospitalNumber,
    /// Number of the visit.
    Visit,
    /// Date of birth.
    BirthDate,
    /// Sex.
    Sex,
    /// Ward or clinic.
    Location,
    /// Class and status of the visit.
    Status,
    /// Day of admission or registration.
    Admitted,
    /// Day of discharge.
    Discharged,
    /// Address.
    Address,
    /// Consultant.
    Consultant,
    /// GP.
    Gp,
    /// Practice.
    Practice,
    /// Day of the clinic.
    EventDate,
    /// Document number.
    DocumentNumber,
}

/// A title that tells the kind of a letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TitleRule {
    /// What the title contains, in any case.
    pub contains: String,
    /// The kind.
    pub kind: DocumentKind,
}

impl TitleRule {
    /// Makes a rule.
    pub fn new(contains: &str, kind: DocumentKind) -> Self {
        Self {
            contains: contains.to_owned(),
            kind,
        }
    }
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            labels: LABELS
                .iter()
                .map(|(field, labels)| (*field, owned(labels)))
                .collect(),
            headings: owned(HEADINGS),
            titles: default_titles(),
            document_types: default_document_types(),
            encounter_classes: ENCOUNTER_CLASSES
                .iter()
                .map(|(code, class)| ((*code).to_owned(), (*class).to_owned()))
                .collect(),
            draft_banners: owned(&["DRAFT", "NOT YET AUTHENTICATED", "UNSIGNED", "PRELIMINARY"]),
            cancelled_banners: owned(&["CANCELLED", "ENTERED IN ERROR"]),
            restriction_banners: owned(&[
                "NOT FOR RELEASE TO GP",
                "DO NOT SEND TO GP",
                "RESTRICTED",
            ]),
            unsigned_phrases: owned(&[
                "but not signed",
                "checked and signed electronically on behalf of",
            ]),
            addendum_marks: owned(&["ADDENDUM TO REPORT #:"]),
            replacement_marks: owned(&["AMENDED REPORT - REPLACES REPORT #:"]),
            change_reason_marks: owned(&["REASON FOR CHANGE:", "REASON:"]),
            signature_marks: owned(&["Electronically signed by"]),
            footer_marks: owned(&["Dictated", "Typed"]),
            copy_marks: owned(&["cc"]),
            continued_marks: owned(&["CONTINUED ON NEXT PAGE"]),
            live_processing_ids: owned(&["P"]),
            limits: Limits::default(),
        }
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn default_titles() -> Vec<TitleRule> {
    vec![
        TitleRule::new("DISCHARGE SUMMARY", DocumentKind::DischargeSummary),
        TitleRule::new("EMERGENCY DEPARTMENT", DocumentKind::EdAttendance),
        TitleRule::new("CLINIC LETTER", DocumentKind::OutpatientLetter),
    ]
}

fn default_document_types() -> BTreeMap<String, DocumentKind> {
    [
        ("CL", DocumentKind::OutpatientLetter),
        ("DS", DocumentKind::DischargeSummary),
        ("ED", DocumentKind::EdAttendance),
    ]
    .into_iter()
    .map(|(code, kind)| (code.to_owned(), kind))
    .collect()
}

const LABELS: &[(Field, &[&str])] = &[
    (Field::PatientName, &["PATIENT", "Name", "Patient Name"]),
    (
        Field::NhsNumber,
        &["NHS No", "NHS Number", "NHS Num", "NHS"],
    ),
    (
        Field::HospitalNumber,
        &["UNIT #", "Unit No", "Hospital No", "Hosp No", "MRN", "U #"],
    ),
    (Field::Visit, &["ACCT #", "Acct", "Account", "Episode"]),
    (
        Field::BirthDate,
        &["DOB", "D.O.B.", "Date of birth", "Born"],
    ),
    (Field::Sex, &["SEX", "Gender"]),
    (Field::Location, &["LOC", "Ward", "Clinic"]),
    (Field::Status, &["STATUS"]),
    (Field::Admitted, &["REG", "ADM", "Date of admission"]),
    (Field::Discharged, &["DIS", "Date of discharge"]),
    (Field::Address, &["ADDRESS", "Addr"]),
    (Field::Consultant, &["CONSULTANT", "Cons", "Attending"]),
    (Field::Gp, &["GP", "Registered GP"]),
    (Field::Practice, &["PRACTICE", "Surgery"]),
    (Field::EventDate, &["CLINIC DATE", "Date seen"]),
    (
        Field::DocumentNumber,
        &["Report #", "Document no", "Our ref"],
    ),
];

const HEADINGS: &[&str] = &[
    "Diagnosis",
    "Diagnoses",
    "Problems",
    "Presenting complaint",
    "Clinic note",
    "Clinical summary",
    "Medication",
    "Current medication",
    "Medication on discharge",
    "Inhalers",
    "Delivery",
    "Date of admission",
    "Date of discharge",
    "Follow up",
    "Actions for GP",
    "Plan",
    "Plan for GP",
    "Addendum",
];

const ENCOUNTER_CLASSES: &[(&str, &str)] = &[
    ("REG CLI", "outpatient"),
    ("DIS IN", "inpatient"),
    ("ADM IN", "inpatient"),
    ("DIS ER", "emergency"),
    ("I", "inpatient"),
    ("O", "outpatient"),
    ("E", "emergency"),
    ("P", "preadmission"),
];
