use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use nhs_types::{MailboxId, OdsCode, WorkflowId};
use serde::{Deserialize, Deserializer};

const ANY_PRACTICE: &str = "*";

/// What MESH answered so far, by practice and workflow. What is not in here was not asked yet.
///
/// The order in which answers came, and the order within one, never matter.
///
/// ```
/// # use gp_routing::Mailboxes;
/// # use nhs_types::{MailboxId, OdsCode, WorkflowId};
/// let practice = OdsCode::parse("Y99901").unwrap();
/// let workflow = WorkflowId::parse("KETTERING_OP").unwrap();
/// let mut mailboxes = Mailboxes::new();
/// assert!(mailboxes.answer(&practice, &workflow).is_none());
/// mailboxes.found(&practice, &workflow, [MailboxId::parse("Y99901MB").unwrap()], None);
/// assert!(mailboxes.answer(&practice, &workflow).is_some());
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Mailboxes(BTreeMap<String, BTreeMap<WorkflowId, MailboxAnswer>>);

/// One answer of the lookup.
///
/// In JSON a list of mailbox ids, or `{"failed": true}` for a lookup that gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MailboxAnswer {
    /// The mailboxes of the practice that take the workflow; often one, sometimes none.
    Found {
        /// Their ids.
        mailboxes: BTreeSet<MailboxId>,
        /// When MESH was asked.
        at: Option<DateTime<Utc>>,
    },
    /// The lookup failed for the moment.
    Failed,
}

impl Mailboxes {
    /// Nothing asked yet.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds what MESH answered for a practice and a workflow, and when.
    pub fn found(
        &mut self,
        practice: &OdsCode,
        workflow: &WorkflowId,
        mailboxes: impl IntoIterator<Item = MailboxId>,
        at: Option<DateTime<Utc>>,
    ) {
        let mailboxes = mailboxes.into_iter().collect();
        self.put(practice, workflow, MailboxAnswer::Found { mailboxes, at });
    }

    /// Notes that the lookup failed: the decision then waits, and never turns to paper for it.
    pub fn failed(&mut self, practice: &OdsCode, workflow: &WorkflowId) {
        self.put(practice, workflow, MailboxAnswer::Failed);
    }

    /// The answer for a practice and a workflow; an answer given for `*` stands for every practice.
    pub fn answer(&self, practice: &OdsCode, workflow: &WorkflowId) -> Option<&MailboxAnswer> {
        let of = |key: &str| self.0.get(key).and_then(|answers| answers.get(workflow));
        of(practice.as_str()).or_else(|| of(ANY_PRACTICE))
    }

    fn put(&mut self, practice: &OdsCode, workflow: &WorkflowId, answer: MailboxAnswer) {
        let answers = self.0.entry(practice.as_str().to_owned()).or_default();
        answers.insert(workflow.clone(), answer);
    }
}

impl<'de> Deserialize<'de> for MailboxAnswer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a list of mailbox ids, or {\"failed\": true}")]
        enum Form {
            List(BTreeSet<MailboxId>),
            Failure(FailureForm),
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct FailureForm {
            failed: bool,
        }
        match Form::deserialize(deserializer)? {
            Form::List(mailboxes) => Ok(Self::Found {
                mailboxes,
                at: None,
            }),
            Form::Failure(FailureForm { failed: true }) => Ok(Self::Failed),
            Form::Failure(_) => Err(serde::de::Error::custom("failed is true or left out")),
        }
    }
}
