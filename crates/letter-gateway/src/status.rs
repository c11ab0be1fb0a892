//! Where a letter is, as lists and other programs show it (design section 8).

use chrono::{DateTime, SecondsFormat, Utc};
use gp_routing::ReasonCode;
use letter_delivery::{CopyRecord, InboundRecord, LetterRecord, LetterState, Owner};
use serde::Serialize;

/// One line of a list: a copy, or a letter that has none yet. It says nothing about the patient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StatusLine {
    /// The letter's id.
    pub letter: String,
    /// The copy's number within it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy: Option<u32>,
    /// The document's number in its source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// The class.
    pub class: String,
    /// The state.
    pub state: String,
    /// The reason of the state, or what a person must know, as a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The practice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub practice: Option<String>,
    /// Its mailbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<String>,
    /// The id that MESH gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// When it was signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_at: Option<String>,
    /// When it was taken from its source.
    pub taken_at: String,
    /// When MESH took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<String>,
    /// When it was closed by what its profile promises.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<String>,
    /// When the contract wants it with the practice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<String>,
    /// Attempts to send it.
    pub attempts: u32,
    /// Who owns the next step.
    pub owner: &'static str,
    /// The next step, in words.
    pub next_action: String,
}

impl StatusLine {
    /// The lines of one letter: one for each copy, or one for the letter itself while it has none
    /// to watch.
    pub fn of(letter: &LetterRecord, copies: &[CopyRecord], document: Option<&str>) -> Vec<Self> {
        if copies.is_empty() || letter.state != LetterState::Routed {
            return vec![line(letter, None, document)];
        }
        let copies = copies.iter();
        copies
            .map(|copy| line(letter, Some(copy), document))
            .collect()
    }
}

impl StatusLine {
    /// The line of a message that another organisation sent to the trust.
    pub fn of_inbound(record: &InboundRecord) -> Self {
        let duty = record.duty();
        Self {
            letter: record.key.to_string(),
            copy: None,
            document: None,
            class: "inbound".to_owned(),
            state: record.state.as_str().to_owned(),
            reason: record.alert.clone().or_else(|| record.reason.clone()),
            practice: None,
            mailbox: record.from.clone(),
            message_id: Some(record.message_id.clone()),
            signed_at: None,
            taken_at: time(record.received_at),
            accepted_at: None,
            closed_at: None,
            due_at: record.act_by().map(time),
            attempts: record.tries,
            owner: duty.owner.as_str(),
            next_action: duty.next_action.to_owned(),
        }
    }
}

fn line(letter: &LetterRecord, copy: Option<&CopyRecord>, document: Option<&str>) -> StatusLine {
    let duty = copy.map_or_else(|| letter.state.duty(), CopyRecord::duty);
    // What a person must know stands over what the state alone would say.
    let alert = copy
        .and_then(|copy| copy.alert.as_ref())
        .or(letter.alert.as_ref());
    let owner = alert.map_or(duty.owner, |_| Owner::ServiceDesk);
    StatusLine {
        letter: letter.key.to_string(),
        copy: copy.map(|copy| copy.number),
        document: document.map(str::to_owned),
        class: letter.class.clone(),
        state: copy
            .map_or(letter.state.as_str(), |copy| copy.state.as_str())
            .to_owned(),
        reason: alert
            .or_else(|| copy.map_or(letter.reason.as_ref(), |copy| copy.reason.as_ref()))
            .cloned(),
        practice: copy.map(|copy| copy.address.practice.to_string()),
        mailbox: copy.map(|copy| copy.address.mailbox.to_string()),
        message_id: copy.and_then(|copy| copy.message_id.clone()),
        signed_at: letter.signed_at.map(time),
        taken_at: time(letter.taken_at),
        accepted_at: copy.and_then(|copy| copy.accepted_at).map(time),
        closed_at: copy.and_then(|copy| copy.closed_at).map(time),
        due_at: letter.due_at.map(time),
        attempts: copy.map_or(0, |copy| copy.attempts),
        owner: owner.as_str(),
        next_action: match (alert, letter.state) {
            (Some(alert), _) => format!("look into: {alert}"),
            (None, LetterState::Held) => what_to_do(letter.reason.as_deref(), duty.next_action),
            (None, _) => duty.next_action.to_owned(),
        },
    }
}

/// What a person can do about a hold, by its reason.
fn what_to_do(reason: Option<&str>, otherwise: &str) -> String {
    let reason = reason.unwrap_or_default();
    let routing = ReasonCode::ALL
        .iter()
        .find(|known| known.as_str() == reason);
    let words = match reason {
        "nhs-number-invalid" | "nhs-number-conflict" => {
            "correct the NHS number in the EPR and hand it over again"
        }
        "no-gp-practice" | "no-patient" | "birth-date-invalid" => {
            "complete the patient's details in the EPR and hand it over again"
        }
        "patient-mismatch" | "sidecar-disagrees" => {
            "find out whose letter it is: it names two different things"
        }
        "tracked-changes" => {
            "have its author accept or reject the changes, then hand it over again"
        }
        "content-changed-same-version" | "control-id-reused" => {
            "compare with the letter of the same number: which one is right?"
        }
        "signature-unclear" => {
            "a signature stands where none is read: look at the letter, correct its layout, hand it \
             over again"
        }
        "number-of-another-patient" => {
            "two patients under one document number: find out which number is right"
        }
        "sidecar-wrong" | "too-large" => {
            "see the reason beside the file in `refused`, mend it, hand it over again"
        }
        "malformed" | "empty" | "reader-failed" => {
            "it cannot be read: look at the file in `refused` or `taken`, hand it over again"
        }
        "cancelled-before" => "ask its author: it was cancelled, and came again",
        "unsupported-format" => "hand it over as text, Word (.docx) or HL7 v2",
        _ => routing
            .and_then(|known| known.next_action())
            .unwrap_or(otherwise),
    };
    words.to_owned()
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
