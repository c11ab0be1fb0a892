use std::collections::BTreeSet;

use chrono::NaiveDate;
use nhs_types::{MailboxId, OdsCode, WorkflowId};
use serde::Deserialize;

use crate::serde_forms::text_or_map;

const CONSENT_REQUIRED_SPECIALTIES: [&str; 1] = ["360"];
const RECEIVER_LIMIT_BYTES: u64 = 5_000_000;
const LARGE_DOCUMENT_BYTES: u64 = 1_000_000;
const DUE_HOURS: u32 = 24;
const DUE_DAYS: u32 = 7;
const TABLE_WARN_DAYS: u32 = 7;
const TABLE_HOLD_DAYS: u32 = 35;

/// What the trust decided about routing. The default holds rather than sends.
///
/// ```
/// # use gp_routing::{DemographicsPolicy, Policy, WorkflowChoice};
/// let mut policy = Policy::default();
/// assert_eq!(policy.demographics, DemographicsPolicy::Required);
/// assert!(!policy.allow_synthetic);
/// policy.workflows = vec![WorkflowChoice::new("KETTERING_OP".parse()?, "kettering")];
/// # Ok::<(), nhs_types::ParseWorkflowIdError>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Policy {
    /// The workflows to look up, the preferred one first.
    pub workflows: Vec<WorkflowChoice>,
    /// Whether NHS numbers of test series may be sent (R5).
    pub allow_synthetic: bool,
    /// Who says which practice the patient is registered at (R7).
    pub demographics: DemographicsPolicy,
    /// For how many days a practice held by the hospital may stand in when the national record
    /// is out of reach (R8); absent: never.
    pub hospital_fallback_days: Option<u32>,
    /// Declared mergers of practices (R12b).
    pub successors: Vec<Successor>,
    /// Specialty codes whose letters need recorded consent (R2c).
    pub consent_required_specialties: BTreeSet<String>,
    /// Practices that may be written to although their type says otherwise (R12e).
    pub allow_practices: BTreeSet<OdsCode>,
    /// Practices that are never written to (R12e); stronger than the allow list.
    pub deny_practices: BTreeSet<OdsCode>,
    /// Whether prisons and other secure settings may be written to (R12f).
    pub allow_secure_settings: bool,
    /// The largest letter a receiver takes, in bytes (R15).
    pub receiver_limit_bytes: u64,
    /// The size from which a letter gets a warning, in bytes.
    pub large_document_bytes: u64,
    /// Which of several mailboxes to use (R14).
    pub mailbox_choices: Vec<MailboxChoice>,
    /// Whether copies to patients go out at all.
    pub patient_copies: bool,
    /// Hours from discharge to the practice.
    pub due_discharge_hours: u32,
    /// Hours from an emergency attendance to the practice.
    pub due_emergency_hours: u32,
    /// Days from a clinic attendance to the practice.
    pub due_outpatient_days: u32,
    /// Days from any other event to the practice.
    pub due_other_days: u32,
    /// Age of the practice table, in days, from which decisions carry a warning.
    pub table_warn_days: u32,
    /// Age of the practice table, in days, from which it is not relied on alone.
    pub table_hold_days: u32,
}

/// Who says which practice the patient is registered at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DemographicsPolicy {
    /// The national record, asked for every letter.
    #[default]
    Required,
    /// The system that handed the letter over.
    Source,
}

/// A workflow a letter may go by, and the format it then has.
///
/// In JSON a text is the workflow alone, an object gives both.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkflowChoice {
    /// The MESH workflow id.
    pub workflow: WorkflowId,
    /// The name of the format, such as `kettering`; the caller knows what it means.
    pub format: Option<String>,
}

/// A closed practice whose patients went to one other, as a named person declared.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Successor {
    /// The practice that closed.
    pub closed: OdsCode,
    /// The practice that took its patients.
    pub successor: OdsCode,
    /// The first day on which it stands.
    pub effective_from: NaiveDate,
    /// Where it was read.
    #[serde(default)]
    pub source: Option<String>,
    /// Who declared it.
    #[serde(default)]
    pub approved_by: Option<String>,
}

/// The mailbox to use where a lookup gives several.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MailboxChoice {
    /// The practice.
    pub practice: OdsCode,
    /// The workflow.
    pub workflow: WorkflowId,
    /// The mailbox to use; it must be among the answers.
    pub mailbox: MailboxId,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            workflows: Vec::new(),
            allow_synthetic: false,
            demographics: DemographicsPolicy::Required,
            hospital_fallback_days: None,
            successors: Vec::new(),
            consent_required_specialties: CONSENT_REQUIRED_SPECIALTIES.map(str::to_owned).into(),
            allow_practices: BTreeSet::new(),
            deny_practices: BTreeSet::new(),
            allow_secure_settings: false,
            receiver_limit_bytes: RECEIVER_LIMIT_BYTES,
            large_document_bytes: LARGE_DOCUMENT_BYTES,
            mailbox_choices: Vec::new(),
            patient_copies: false,
            due_discharge_hours: DUE_HOURS,
            due_emergency_hours: DUE_HOURS,
            due_outpatient_days: DUE_DAYS,
            due_other_days: DUE_DAYS,
            table_warn_days: TABLE_WARN_DAYS,
            table_hold_days: TABLE_HOLD_DAYS,
        }
    }
}

impl WorkflowChoice {
    /// A workflow and its format.
    pub fn new(workflow: WorkflowId, format: impl Into<String>) -> Self {
        Self {
            workflow,
            format: Some(format.into()),
        }
    }

    /// A workflow whose format the caller knows.
    pub const fn without_format(workflow: WorkflowId) -> Self {
        Self {
            workflow,
            format: None,
        }
    }
}

impl Successor {
    /// A declared merger.
    pub const fn new(closed: OdsCode, successor: OdsCode, effective_from: NaiveDate) -> Self {
        Self {
            closed,
            successor,
            effective_from,
            source: None,
            approved_by: None,
        }
    }
}

impl MailboxChoice {
    /// A choice among several mailboxes.
    pub const fn new(practice: OdsCode, workflow: WorkflowId, mailbox: MailboxId) -> Self {
        Self {
            practice,
            workflow,
            mailbox,
        }
    }
}

impl<'de> Deserialize<'de> for WorkflowChoice {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Form {
            workflow: WorkflowId,
            #[serde(default)]
            format: Option<String>,
        }
        text_or_map(
            deserializer,
            |text| {
                let workflow = WorkflowId::parse(text).map_err(|error| error.to_string())?;
                Ok(Self::without_format(workflow))
            },
            |form: Form| Self {
                workflow: form.workflow,
                format: form.format,
            },
        )
    }
}
