use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::serde_forms::moment;
use crate::{Case, Demographics, LetterFacts, Mailboxes, PatientFacts, Policy};

/// A case as `letterbox route --case FILE` reads it; unknown members are refused with their name.
///
/// ```
/// # use gp_routing::CaseFile;
/// let file: CaseFile = serde_json::from_str(r#"{
///     "today": "2026-11-19",
///     "letter": {"kind": "outpatient", "signed_off": true, "event_at": "2026-11-18"},
///     "patient": {"nhs_number": "9434765919", "hospital_practice": "Y99901"},
///     "policy": {"demographics": "source", "workflows": ["KETTERING_OP"]}
/// }"#)?;
/// let case = file.into_case("2026-11-20T09:00:00Z".parse().unwrap());
/// assert_eq!(case.now.to_rfc3339(), "2026-11-19T00:00:00+00:00");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CaseFile {
    /// The day or time of the decision.
    #[serde(default, deserialize_with = "moment")]
    pub today: Option<DateTime<Utc>>,
    /// A practice file to read; else the imported table.
    #[serde(default)]
    pub table: Option<String>,
    /// The letter.
    pub letter: LetterFacts,
    /// The patient, as the source names them.
    #[serde(default)]
    pub patient: PatientFacts,
    /// The answer of the national record; absent: not asked yet.
    #[serde(default)]
    pub demographics: Option<Demographics>,
    /// The answers of MESH; absent: not asked yet.
    #[serde(default)]
    pub mailboxes: Mailboxes,
    /// What the trust decided.
    #[serde(default)]
    pub policy: Policy,
}

impl CaseFile {
    /// The case; `now` stands where the file names no day.
    pub fn into_case(self, now: DateTime<Utc>) -> Case {
        Case {
            now: self.today.unwrap_or(now),
            letter: self.letter,
            patient: self.patient,
            demographics: self.demographics,
            mailboxes: self.mailboxes,
            policy: self.policy,
        }
    }
}
