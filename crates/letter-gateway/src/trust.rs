//! One trust's settings, as values.

use std::collections::BTreeMap;
use std::sync::Arc;

use clinical_letter::ReadOptions;
use gp_routing::{Policy, PracticeTable};
use letter_delivery::ClosesOn;
use letter_shape::ReceiverProfile;
use nhs_types::OdsCode;

use crate::inbound::InboundRoute;

/// What the pipeline must know of one trust.
#[derive(Debug)]
#[non_exhaustive]
pub struct Trust {
    /// Its ODS code.
    pub code: OdsCode,
    /// Its name, as letters show it.
    pub name: String,
    /// The department that letters name as sender when they name none.
    pub department: String,
    /// How its documents are read.
    pub reading: ReadOptions,
    /// How its letters are routed.
    pub routing: Policy,
    /// The practices.
    pub practices: Arc<PracticeTable>,
    /// The receiver profiles by the names that its workflows use.
    pub profiles: BTreeMap<String, ReceiverProfile>,
    /// What receivers with a profile promise, and so what closes a copy; without a promise a
    /// copy is closed when it is collected.
    pub promises: BTreeMap<String, ClosesOn>,
    /// The profile of a workflow that names none.
    pub default_profile: String,
    /// Whether its letters are real; a test message is marked as one.
    pub live: bool,
    /// Which messages of its mailbox are ours, besides reports about our sends.
    pub inbound: Vec<InboundRoute>,
}

impl Trust {
    /// A trust with the built-in profiles and the facts' defaults.
    pub fn new(
        code: OdsCode,
        name: impl Into<String>,
        practices: impl Into<Arc<PracticeTable>>,
    ) -> Self {
        let profiles = ReceiverProfile::BUILTIN
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), ReceiverProfile::builtin(name)?)))
            .collect();
        Self {
            code,
            name: name.into(),
            department: "Medical Records".to_owned(),
            reading: ReadOptions::default(),
            routing: Policy::default(),
            practices: practices.into(),
            profiles,
            promises: BTreeMap::new(),
            default_profile: "emis".to_owned(),
            live: true,
            inbound: Vec::new(),
        }
    }

    /// What closes a copy that was shaped for this profile.
    pub(crate) fn promise(&self, profile: &str) -> ClosesOn {
        let promised = self.promises.get(profile);
        promised.copied().unwrap_or(ClosesOn::Collected)
    }

    /// The profile of a workflow's format.
    pub(crate) fn profile(&self, format: Option<&str>) -> Option<&ReceiverProfile> {
        self.profiles.get(format.unwrap_or(&self.default_profile))
    }
}
