use chrono::{DateTime, Utc};

use super::{Decision, Lookup, Outcome, PracticeRef, PracticeSource, RecipientRef};

/// The decision in plain English: what, to whom, why, what else, who acts, and by when.
pub(crate) fn explanation(decision: &Decision) -> String {
    let mut text = what_happens(decision);
    let mut add = |sentence: &str| {
        text.push(' ');
        text.push_str(sentence);
    };
    if decision.outcome != Outcome::Need {
        add(decision.reason.meaning());
    }
    if let Some(source) = practice_named_by(decision) {
        add(source);
    }
    for warning in &decision.warnings {
        add(warning.meaning());
    }
    if let Some(until) = decision.retry_until {
        add(&format!("It is tried again until {}.", shown(until)));
    }
    if let Some(action) = decision.next_action {
        add(&format!("Next, {action}."));
    }
    if let Some(at) = decision.due_at {
        add(&format!("Due {}.", shown(at)));
    }
    text
}

fn shown(at: DateTime<Utc>) -> impl std::fmt::Display {
    at.format("%Y-%m-%d %H:%M UTC")
}

fn what_happens(decision: &Decision) -> String {
    let who = addressee(decision);
    match (decision.outcome, &decision.lookup) {
        (Outcome::Send, _) => send(decision, &who),
        (Outcome::Hold, _) => format!("Held for a person; nothing goes to {who}."),
        (Outcome::Alt, _) => format!("To go to {who} by another road, such as paper."),
        (Outcome::Withhold, _) => format!("Withheld on purpose from {who}."),
        (Outcome::Need, Some(Lookup::Mailbox { practice, workflow })) => {
            format!("Not decided: ask MESH which mailbox of {practice} takes {workflow}.")
        }
        (Outcome::Need, _) => String::from("Not decided: ask the national record first."),
    }
}

fn send(decision: &Decision, who: &str) -> String {
    let mailbox = decision
        .mailbox
        .as_ref()
        .map_or("", |mailbox| mailbox.as_str());
    let workflow = decision
        .workflow
        .as_ref()
        .map_or("", |workflow| workflow.as_str());
    format!("Send to {who}, mailbox {mailbox}, workflow {workflow}.")
}

fn addressee(decision: &Decision) -> String {
    match (&decision.practice, &decision.recipient) {
        (Some(practice), _) => named(practice),
        (None, RecipientRef::RegisteredPractice) => String::from("the registered practice"),
        (None, RecipientRef::Organisation { .. }) => String::from("the organisation to be copied"),
        (None, RecipientRef::Patient) => String::from("the patient"),
        (None, RecipientRef::Nobody) => String::from("anyone"),
    }
}

fn named(practice: &PracticeRef) -> String {
    match &practice.name {
        Some(name) => format!("{} {name}", practice.code),
        None => practice.code.to_string(),
    }
}

fn practice_named_by(decision: &Decision) -> Option<&'static str> {
    decision.practice.as_ref()?;
    match decision.evidence.practice_from? {
        PracticeSource::Demographics => Some("The national record names the practice."),
        PracticeSource::Source => Some("The source of the letter names the practice."),
        PracticeSource::HospitalFallback | PracticeSource::Recipient => None,
    }
}
