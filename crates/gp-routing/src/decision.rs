mod explain;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use nhs_types::{MailboxId, OdsCode, WorkflowId};
use serde::Serialize;

use crate::{PracticeStatus, ReasonCode, Recipient, WarningCode};

pub(crate) use explain::explanation;

/// The version of the rules, which every decision carries.
pub const RULES_VERSION: &str = "gp-routing 2026.1";

/// What becomes of one letter for one recipient, and why. It names no patient.
///
/// Serializing gives the answer of `letterbox route`: absent members are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Decision {
    /// For whom.
    pub recipient: RecipientRef,
    /// What is to be done.
    pub outcome: Outcome,
    /// Why.
    pub reason: ReasonCode,
    /// What should be looked at although the decision stands.
    pub warnings: Vec<WarningCode>,
    /// What must be asked before the decision can be made; only with [`Outcome::Need`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lookup: Option<Lookup>,
    /// The practice or other organisation decided on, where the decision came so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub practice: Option<PracticeRef>,
    /// The mailbox to send to; only with [`Outcome::Send`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<MailboxId>,
    /// The workflow to send by; only with [`Outcome::Send`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<WorkflowId>,
    /// The format the letter then has, as the policy names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// By when the letter must be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// Until when a passing fault is worth another try; only with a hold for such a fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_until: Option<DateTime<Utc>>,
    /// Who does what next; absent when nobody has to act.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_action: Option<&'static str>,
    /// When a person must have looked at it; only with [`Outcome::Hold`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review_at: Option<DateTime<Utc>>,
    /// What it rests on.
    pub evidence: Evidence,
    /// The whole in plain English.
    pub explanation: String,
    /// When it was made.
    pub decided_at: DateTime<Utc>,
    /// By which rules.
    pub rules_version: &'static str,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(
    clippy::exhaustive_enums,
    reason = "a caller that forgets an outcome would leave a letter nowhere"
)]
pub enum Outcome {
    /// Send it over MESH.
    Send,
    /// Hold it for a person.
    Hold,
    /// Bring it by another road, such as paper.
    Alt,
    /// Do not send it, on purpose and with evidence.
    Withhold,
    /// Ask what [`Decision::lookup`] names, add the answer to the case and decide again.
    Need,
}

/// A question that must be answered before the decision can be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[expect(
    clippy::exhaustive_enums,
    reason = "a caller that cannot answer a lookup would decide for ever"
)]
pub enum Lookup {
    /// Ask the national demographics service about the patient.
    Demographics,
    /// Ask MESH for the mailboxes of a practice that take a workflow.
    Mailbox {
        /// The practice.
        practice: OdsCode,
        /// The workflow.
        workflow: WorkflowId,
    },
}

/// For whom a decision was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum RecipientRef {
    /// The practice at which the patient is registered.
    RegisteredPractice,
    /// An organisation named by its code.
    Organisation {
        /// Its code.
        ods_code: OdsCode,
    },
    /// The patient.
    Patient,
    /// Nobody: the letter names an empty list.
    Nobody,
}

/// A practice as a decision names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PracticeRef {
    /// Its code.
    pub code: OdsCode,
    /// Its name in the table; absent for an organisation that is no practice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its status in the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<PracticeStatus>,
}

/// Who named the practice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PracticeSource {
    /// The national record.
    Demographics,
    /// The system that handed the letter over, as the policy wants it.
    Source,
    /// The hospital's own record, since the national one was out of reach.
    HospitalFallback,
    /// The letter's list of recipients.
    Recipient,
}

/// What a decision rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Evidence {
    /// SHA-256 of the practice file, in hex.
    pub table_digest: String,
    /// The day of the practice file, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_date: Option<NaiveDate>,
    /// Who named the practice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub practice_from: Option<PracticeSource>,
    /// When the national record was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demographics_at: Option<DateTime<Utc>>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demographics_version: Option<String>,
    /// When MESH was asked for the mailbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lookup_at: Option<DateTime<Utc>>,
    /// The closed practices that were followed to their successors, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub succeeded_from: Vec<OdsCode>,
    /// Where the last successor was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successor_source: Option<String>,
}

impl Decision {
    /// The decision as flat codes for an audit event: no sentence, no name, no patient.
    ///
    /// Keys and values are stable texts; members that are not known are left out.
    pub fn ledger_codes(&self) -> BTreeMap<&'static str, String> {
        let mut codes = BTreeMap::new();
        let warnings: Vec<_> = self.warnings.iter().map(|code| code.as_str()).collect();
        let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let mut put = |key, value: Option<String>| {
            if let Some(value) = value {
                codes.insert(key, value);
            }
        };
        put("outcome", Some(self.outcome.as_str().to_owned()));
        put("reason", Some(self.reason.as_str().to_owned()));
        put(
            "warnings",
            (!warnings.is_empty()).then(|| warnings.join(" ")),
        );
        put(
            "practice",
            self.practice
                .as_ref()
                .map(|practice| practice.code.to_string()),
        );
        put("mailbox", self.mailbox.as_ref().map(ToString::to_string));
        put("workflow", self.workflow.as_ref().map(ToString::to_string));
        put("format", self.format.clone());
        put("due_at", self.due_at.map(time));
        put("table_digest", Some(self.evidence.table_digest.clone()));
        put(
            "table_date",
            self.evidence.table_date.map(|date| date.to_string()),
        );
        put(
            "practice_from",
            self.evidence
                .practice_from
                .map(|from| from.as_str().to_owned()),
        );
        put("demographics_at", self.evidence.demographics_at.map(time));
        put(
            "demographics_version",
            self.evidence.demographics_version.clone(),
        );
        put("lookup_at", self.evidence.lookup_at.map(time));
        let succeeded: Vec<_> = self
            .evidence
            .succeeded_from
            .iter()
            .map(OdsCode::as_str)
            .collect();
        put(
            "succeeded_from",
            (!succeeded.is_empty()).then(|| succeeded.join(" ")),
        );
        put("decided_at", Some(time(self.decided_at)));
        put("rules_version", Some(self.rules_version.to_owned()));
        codes
    }
}

impl Outcome {
    /// The word of the JSON contract: `SEND`, `HOLD`, `ALT`, `WITHHOLD` or `NEED`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Send => "SEND",
            Self::Hold => "HOLD",
            Self::Alt => "ALT",
            Self::Withhold => "WITHHOLD",
            Self::Need => "NEED",
        }
    }
}

impl PracticeSource {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Demographics => "demographics",
            Self::Source => "source",
            Self::HospitalFallback => "hospital_fallback",
            Self::Recipient => "recipient",
        }
    }
}

impl From<&Recipient> for RecipientRef {
    fn from(recipient: &Recipient) -> Self {
        match recipient {
            Recipient::RegisteredPractice => Self::RegisteredPractice,
            Recipient::Organisation { ods_code, .. } => Self::Organisation {
                ods_code: ods_code.clone(),
            },
            Recipient::Patient => Self::Patient,
        }
    }
}
