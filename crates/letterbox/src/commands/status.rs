//! `status` and `worklist`: where letters are, and what needs a person.

use audit_core::StreamKey;
use chrono::{DateTime, SecondsFormat, Utc};
use gp_routing::ReasonCode;
use letter_delivery::{CopyRecord, CopyState, LetterState, Owner, RefKind};
use letter_store::{LetterView, SqliteStore, StatusFilter};
use serde::Serialize;

use super::Context;
use crate::cli::StatusArguments;
use crate::config::{Config, TrustSection};
use crate::exit::Exit;
use crate::open;
use crate::output::{say, say_json, table};

/// One line of a list: a copy, or a letter that has none yet (design section 8).
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    pub(crate) trust: String,
    pub(crate) letter: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) copy: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) document: Option<String>,
    pub(crate) class: String,
    pub(crate) state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) practice: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mailbox: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signed_at: Option<String>,
    pub(crate) taken_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) accepted_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) closed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) due_at: Option<String>,
    pub(crate) attempts: u32,
    pub(crate) owner: &'static str,
    pub(crate) next_action: String,
}

pub(super) async fn status(
    config: &Config,
    context: &Context,
    arguments: StatusArguments,
) -> Result<(), Exit> {
    arguments.state.as_deref().map_or(Ok(()), known_state)?;
    let mut lines = Vec::new();
    for trust in config.trusts(context.trust.as_deref())? {
        let key = open::master_key(trust)?;
        let store = open::store(config, trust, &key)?;
        for filter in filters(trust, &key, &store, &arguments).await? {
            lines.extend(lines_of(trust, &store.letters(filter).await?));
        }
    }
    print(context, &lines)
}

pub(super) async fn worklist(config: &Config, context: &Context) -> Result<(), Exit> {
    let mut lines = Vec::new();
    for trust in config.trusts(context.trust.as_deref())? {
        let key = open::master_key(trust)?;
        let store = open::store(config, trust, &key)?;
        let filter = StatusFilter {
            needs_person: true,
            ..StatusFilter::default()
        };
        lines.extend(lines_of(trust, &store.letters(filter).await?));
    }
    if lines.is_empty() && !context.json {
        return say("nothing needs a person");
    }
    print(context, &lines)
}

/// A state that does not exist would show an empty list, and an empty list is good news.
fn known_state(state: &str) -> Result<(), Exit> {
    let letters = LetterState::ALL.iter().map(|state| state.as_str());
    let copies = CopyState::ALL.iter().map(|state| state.as_str());
    let mut known: Vec<_> = letters.chain(copies).collect();
    known.sort_unstable();
    known.dedup();
    if known.contains(&state.to_ascii_uppercase().as_str()) {
        return Ok(());
    }
    Err(Exit::Configuration(format!(
        "there is no state {state:?}; the states are {}",
        known.join(", ")
    )))
}

/// One filter for each letter that the arguments lead to.
async fn filters(
    trust: &TrustSection,
    key: &letter_store::MasterKey,
    store: &SqliteStore,
    arguments: &StatusArguments,
) -> Result<Vec<StatusFilter>, Exit> {
    let base = StatusFilter {
        state: arguments
            .state
            .as_ref()
            .map(|state| state.to_ascii_uppercase()),
        practice: arguments
            .practice
            .as_ref()
            .map(|code| code.to_ascii_uppercase()),
        ..StatusFilter::default()
    };
    let with = |letter| StatusFilter {
        letter: Some(letter),
        ..base.clone()
    };
    if let Some(id) = &arguments.id {
        let letter = StreamKey::parse(id).map_err(|_| {
            Exit::Configuration(format!(
                "{id} is no letter's id (32 hex digits); to find one by its number: status \
                 --document NUMBER"
            ))
        })?;
        return Ok(vec![with(letter)]);
    }
    if let Some(number) = &arguments.document {
        let keys = key.trust_keys(trust.code.clone());
        let index = keys.reference(RefKind::Document, number);
        let found = store.find(RefKind::Document, index).await?;
        return Ok(found.into_iter().map(with).collect());
    }
    Ok(vec![base])
}

pub(crate) fn lines_of(trust: &TrustSection, views: &[LetterView]) -> Vec<Line> {
    let of = |view: &LetterView| -> Vec<Line> {
        let letter = &view.letter;
        if view.copies.is_empty() || letter.state != LetterState::Routed {
            return vec![line(trust, view, None)];
        }
        view.copies
            .iter()
            .map(|copy| line(trust, view, Some(copy)))
            .collect()
    };
    views.iter().flat_map(of).collect()
}

fn line(trust: &TrustSection, view: &LetterView, copy: Option<&CopyRecord>) -> Line {
    let letter = &view.letter;
    let duty = copy.map_or_else(|| letter.state.duty(), CopyRecord::duty);
    // What a person must know stands over what the state alone would say.
    let alert = copy
        .and_then(|copy| copy.alert.as_ref())
        .or(letter.alert.as_ref());
    let owner = alert.map_or(duty.owner, |_| Owner::ServiceDesk);
    Line {
        trust: trust.code.to_string(),
        letter: letter.key.to_string(),
        copy: copy.map(|copy| copy.number),
        document: view.document.as_ref().map(|number| number.expose().clone()),
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

pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn print(context: &Context, lines: &[Line]) -> Result<(), Exit> {
    if context.json {
        return lines.iter().try_for_each(say_json);
    }
    if lines.is_empty() {
        return say("no letters");
    }
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| {
            vec![
                text(&line.document),
                line.state.clone(),
                text(&line.reason),
                text(&line.practice),
                text(&line.due_at),
                line.owner.to_owned(),
                line.next_action.clone(),
                line.letter.clone(),
            ]
        })
        .collect();
    let heads = [
        "document", "state", "reason", "practice", "due", "owner", "next", "letter",
    ];
    table(&heads, &rows).iter().try_for_each(|row| say(row))
}
