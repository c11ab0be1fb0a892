use letter_delivery::Outcome;
use serde::Serialize;

/// An outcome as every receiver is told it; it says nothing about the patient.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OutcomeBody {
    /// Give it as `after` to go on behind this outcome; the same for the same outcome always.
    pub(super) cursor: u64,
    pub(super) outcome: &'static str,
    pub(super) says: &'static str,
    pub(super) at: String,
    pub(super) trust: String,
    pub(super) source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) document: Option<String>,
    pub(super) version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source_version: Option<u32>,
    pub(super) class: String,
    pub(super) letter: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) copy: Option<u32>,
    pub(super) state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) practice: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mailbox: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message_id: Option<String>,
}

impl OutcomeBody {
    pub(crate) fn of(trust: &str, outcome: &Outcome) -> Self {
        let (letter, copy) = (&outcome.letter, outcome.copy.as_ref());
        Self {
            cursor: outcome.seq.saturating_add(1),
            outcome: outcome.kind.as_str(),
            says: outcome.kind.says(),
            at: outcome.at.to_string(),
            trust: trust.to_owned(),
            source: letter.source.clone(),
            document: outcome
                .document
                .as_ref()
                .map(|number| number.expose().clone()),
            version: letter.version,
            source_version: letter.source_version,
            class: letter.class.clone(),
            letter: letter.key.to_string(),
            copy: copy.map(|copy| copy.number),
            state: outcome.state.clone(),
            reason: outcome.reason.clone(),
            practice: copy.map(|copy| copy.address.practice.to_string()),
            mailbox: copy.map(|copy| copy.address.mailbox.to_string()),
            message_id: copy.and_then(|copy| copy.message_id.clone()),
        }
    }
}
