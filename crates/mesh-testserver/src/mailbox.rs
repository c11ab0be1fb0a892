use std::collections::BTreeSet;
use std::fmt;

use mesh_client::{Credentials, Secret};
use nhs_types::{MailboxId, OdsCode, WorkflowId};

/// A mailbox that the server is set up with.
#[derive(Clone)]
pub struct Mailbox {
    pub(crate) id: MailboxId,
    pub(crate) password: String,
    pub(crate) organisation: Option<OdsCode>,
    pub(crate) name: String,
    pub(crate) receives: BTreeSet<WorkflowId>,
}

impl Mailbox {
    /// A mailbox with its password, of no organisation, that no lookup finds.
    pub fn new(id: MailboxId, password: &str) -> Self {
        let name = format!("Mailbox {id}");
        Self {
            id,
            password: password.to_owned(),
            organisation: None,
            name,
            receives: BTreeSet::new(),
        }
    }

    /// Sets the organisation that it belongs to.
    #[must_use]
    pub fn organisation(mut self, code: OdsCode) -> Self {
        self.organisation = Some(code);
        self
    }

    /// Sets its name.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Adds a workflow for which a lookup finds it.
    #[must_use]
    pub fn receives(mut self, workflow: WorkflowId) -> Self {
        self.receives.insert(workflow);
        self
    }

    pub(crate) fn credentials(&self, shared_key: &[u8]) -> Credentials {
        Credentials::new(
            self.id.clone(),
            Secret::new(self.password.as_str()),
            Secret::new(shared_key),
        )
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox")
            .field("id", &self.id)
            .field("organisation", &self.organisation)
            .field("receives", &self.receives)
            .finish_non_exhaustive()
    }
}
