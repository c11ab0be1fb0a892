//! `status` and `worklist`: where letters are, and what needs a person.

use audit_core::StreamKey;
use chrono::{DateTime, SecondsFormat, Utc};
use letter_delivery::{CopyState, LetterState, RefKind};
use letter_gateway::StatusLine;
use letter_store::{AnyStore, LetterView, StatusFilter};
use serde::Serialize;

use super::Context;
use crate::cli::StatusArguments;
use crate::config::{Config, TrustSection};
use crate::exit::Exit;
use crate::open;
use crate::output::{say, say_json, table};

/// A line of a list, with the trust it belongs to.
#[derive(Debug, Serialize)]
struct Line {
    trust: String,
    #[serde(flatten)]
    about: StatusLine,
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
        let store = open::store(config, trust, &key).await?;
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
        let store = open::store(config, trust, &key).await?;
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
    store: &AnyStore,
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

fn lines_of(trust: &TrustSection, views: &[LetterView]) -> Vec<Line> {
    let of = |view: &LetterView| {
        let number = view
            .document
            .as_ref()
            .map(|number| number.expose().as_str());
        StatusLine::of(&view.letter, &view.copies, number)
    };
    let lines = views.iter().flat_map(of);
    let trust = trust.code.to_string();
    lines
        .map(|about| Line {
            trust: trust.clone(),
            about,
        })
        .collect()
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
        .map(|Line { about: line, .. }| {
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
