mod file;
mod mailboxes;

use chrono::{DateTime, NaiveDate, Utc};
use nhs_types::{BirthDate, OdsCode, Sensitive};
use serde::{Deserialize, Deserializer};

use crate::serde_forms::{
    birth_date, birth_date_if_whole, deceased, moment, plain_text, private_text, text_or_map,
};
use crate::{Policy, WorkflowChoice};

pub use file::CaseFile;
pub use mailboxes::{MailboxAnswer, Mailboxes};

/// Everything one decision is made from, as values.
///
/// ```
/// # use gp_routing::{Case, LetterFacts, LetterKind, PatientFacts, Policy};
/// let mut letter = LetterFacts::new(LetterKind::Outpatient);
/// letter.signed_off = true;
/// let case = Case::new("2026-11-19T15:00:00Z".parse()?, letter, PatientFacts::default(), Policy::default());
/// assert!(case.demographics.is_none());
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Case {
    /// The time of the decision; its day in London is "today".
    pub now: DateTime<Utc>,
    /// What is known of the letter.
    pub letter: LetterFacts,
    /// What the source says about the patient.
    pub patient: PatientFacts,
    /// What the national record answered; `None`: not asked yet.
    pub demographics: Option<Demographics>,
    /// What MESH answered so far.
    pub mailboxes: Mailboxes,
    /// What the trust decided.
    pub policy: Policy,
}

/// What routing needs to know of a letter.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct LetterFacts {
    /// Its kind, which gives the due time.
    pub kind: LetterKind,
    /// Whether the clinician signed it.
    pub signed_off: bool,
    /// Discharge or attendance, from which the due time counts.
    #[serde(deserialize_with = "moment")]
    pub event_at: Option<DateTime<Utc>>,
    /// Treatment function code, such as `360`.
    pub specialty: Option<String>,
    /// Whether the patient's consent to this disclosure is recorded.
    pub consent: Option<bool>,
    /// Whether the GP is to have a copy.
    pub gp_copy: GpCopy,
    /// Who declined the GP's copy, when and why.
    pub decline: Option<Decline>,
    /// Size of the largest artefact, in bytes, where known.
    pub size_bytes: Option<u64>,
    /// Who is to have it; `None`: the registered practice.
    pub recipients: Option<Vec<Recipient>>,
}

/// The kind of a letter, as far as duties differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LetterKind {
    /// Discharge from an inpatient or day-case stay.
    Discharge,
    /// Attendance at an emergency department.
    Emergency,
    /// Clinic attendance.
    Outpatient,
    /// Any other letter.
    Other,
    /// Not told, or told in a word that is not known: due as soon as the strictest kind.
    #[default]
    Unknown,
}

/// Whether the GP is to have a copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum GpCopy {
    /// Not told, which means yes.
    #[default]
    Unset,
    /// Yes.
    Send,
    /// No; [`Decline`] must say by whom, when and why.
    Declined,
}

/// The evidence that a GP's copy was declined.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Decline {
    /// Who declined.
    #[serde(deserialize_with = "private_text")]
    pub by: Option<Sensitive<String>>,
    /// When.
    #[serde(deserialize_with = "moment")]
    pub at: Option<DateTime<Utc>>,
    /// Why.
    #[serde(deserialize_with = "private_text")]
    pub why: Option<Sensitive<String>>,
}

/// One who is to have the letter.
///
/// In JSON: `"registered_practice"`, `"patient"`, or an object with `ods_code` and, if known,
/// `workflow` and `format`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recipient {
    /// The practice at which the patient is registered: the primary recipient.
    RegisteredPractice,
    /// An organisation by its code: the referrer, a community service, another trust.
    Organisation {
        /// Its code.
        ods_code: OdsCode,
        /// The workflow it takes letters by; else those of the policy.
        workflow: Option<WorkflowChoice>,
    },
    /// The patient.
    Patient,
}

/// What the source says about the patient.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PatientFacts {
    /// The NHS number as written by the source, valid or not.
    #[serde(deserialize_with = "private_text")]
    pub nhs_number: Option<Sensitive<String>>,
    /// NHS NUMBER STATUS INDICATOR CODE, `01` to `08` (gp-routing 2.4).
    #[serde(deserialize_with = "plain_text")]
    pub number_status: Option<String>,
    /// Family name.
    #[serde(deserialize_with = "private_text")]
    pub family: Option<Sensitive<String>>,
    /// Date of birth.
    #[serde(deserialize_with = "birth_date")]
    pub birth_date: Option<BirthDate>,
    /// The code of the practice that the source names.
    #[serde(deserialize_with = "plain_text")]
    pub hospital_practice: Option<String>,
    /// The day on which the source last confirmed that practice.
    pub hospital_practice_updated: Option<NaiveDate>,
    /// Whether a postal address of the patient's practice is known.
    pub practice_address_known: bool,
    /// Whether the source knows that the patient has died.
    #[serde(deserialize_with = "deceased")]
    pub deceased: bool,
}

/// What the national demographics service answered about the patient (gp-routing section 7).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Demographics {
    /// HTTP status; 0 when no answer came at all.
    pub status: u16,
    /// The error code of the answer.
    pub code: Option<String>,
    /// The number of the record, which differs when the one asked for was superseded.
    #[serde(deserialize_with = "private_text")]
    pub nhs_number: Option<Sensitive<String>>,
    /// `U` unrestricted; `R`, `V` and anything else are restricted.
    #[serde(deserialize_with = "plain_text")]
    pub security: Option<String>,
    /// The code of the registered practice.
    #[serde(deserialize_with = "plain_text")]
    pub practice: Option<String>,
    /// First day of that registration.
    pub practice_start: Option<NaiveDate>,
    /// Last day of that registration.
    pub practice_end: Option<NaiveDate>,
    /// Family name.
    #[serde(deserialize_with = "private_text")]
    pub family: Option<Sensitive<String>>,
    /// Date of birth, where the record gives a whole day.
    #[serde(deserialize_with = "birth_date_if_whole")]
    pub birth_date: Option<BirthDate>,
    /// Whether the patient has died.
    #[serde(deserialize_with = "deceased")]
    pub deceased: bool,
    /// Why the patient was removed from a list: `SCT`, `NIT`, `EMB`, `TRA`, `ORR`, `DEA`.
    #[serde(deserialize_with = "plain_text")]
    pub removal: Option<String>,
    /// When the record was read; absent: for this decision.
    #[serde(deserialize_with = "moment")]
    pub fetched_at: Option<DateTime<Utc>>,
    /// Version of the record, for the evidence.
    pub version: Option<String>,
}

impl Case {
    /// A case in which nothing was looked up yet.
    pub fn new(
        now: DateTime<Utc>,
        letter: LetterFacts,
        patient: PatientFacts,
        policy: Policy,
    ) -> Self {
        Self {
            now,
            letter,
            patient,
            demographics: None,
            mailboxes: Mailboxes::new(),
            policy,
        }
    }
}

impl LetterFacts {
    /// A letter of a kind, of which nothing else is known.
    pub fn new(kind: LetterKind) -> Self {
        Self {
            kind,
            ..Self::default()
        }
    }
}

impl Decline {
    /// The evidence in full.
    pub const fn new(by: Sensitive<String>, at: DateTime<Utc>, why: Sensitive<String>) -> Self {
        Self {
            by: Some(by),
            at: Some(at),
            why: Some(why),
        }
    }

    /// Whether who, when and why are all told.
    pub(crate) fn is_complete(&self) -> bool {
        let told = |text: &Option<Sensitive<String>>| {
            text.as_ref()
                .is_some_and(|text| !text.expose().trim().is_empty())
        };
        told(&self.by) && told(&self.why) && self.at.is_some()
    }
}

impl LetterKind {
    /// Reads the word of the JSON contract; an unknown word is [`LetterKind::Unknown`].
    pub fn from_word(word: &str) -> Self {
        match word.trim().to_ascii_lowercase().as_str() {
            "discharge" => Self::Discharge,
            "emergency" => Self::Emergency,
            "outpatient" | "clinic" => Self::Outpatient,
            "other" => Self::Other,
            _ => Self::Unknown,
        }
    }
}

impl<'de> Deserialize<'de> for LetterKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = plain_text(deserializer)?;
        Ok(word.map_or(Self::Unknown, |word| Self::from_word(&word)))
    }
}

impl<'de> Deserialize<'de> for GpCopy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match plain_text(deserializer)?.as_deref() {
            None | Some("unset") => Ok(Self::Unset),
            Some("send") => Ok(Self::Send),
            Some("declined") => Ok(Self::Declined),
            Some(_) => Err(serde::de::Error::custom(
                "gp_copy is send, declined or unset",
            )),
        }
    }
}

impl<'de> Deserialize<'de> for Recipient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Form {
            ods_code: OdsCode,
            #[serde(default)]
            workflow: Option<WorkflowChoice>,
        }
        text_or_map(
            deserializer,
            |text| match text {
                "registered_practice" | "gp" => Ok(Self::RegisteredPractice),
                "patient" => Ok(Self::Patient),
                _ => Err(String::from(
                    "a recipient is registered_practice, patient, or an object with ods_code",
                )),
            },
            |form: Form| Self::Organisation {
                ods_code: form.ods_code,
                workflow: form.workflow,
            },
        )
    }
}
