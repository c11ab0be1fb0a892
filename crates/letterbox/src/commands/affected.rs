//! `affected`: what shared a fault, where it is, and taking it back.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use letter_delivery::{
    Balance, CopyRecord, Decision, DecisionKind, LetterState, Reason, Scope, Standing, Store as _,
    Verdict,
};
use letter_gateway::StatusLine;
use letter_store::{LetterView, StatusFilter};
use serde::Serialize;

use super::{Context, status};
use crate::cli::AffectedArguments;
use crate::config::{Config, TrustSection};
use crate::desk::Desk;
use crate::exit::Exit;
use crate::output::{complain, say, say_json, table};

/// A copy, or a letter that has none, that shared the fault.
#[derive(Debug, Serialize)]
struct Line {
    trust: String,
    standing: &'static str,
    /// The practice has it, or may have it, and must be told.
    notice: bool,
    #[serde(flatten)]
    about: StatusLine,
}

pub(super) async fn affected(
    config: &Config,
    context: &Context,
    arguments: AffectedArguments,
) -> Result<(), Exit> {
    let from = status::moment(&arguments.from)?;
    let before = arguments.to.as_deref().map(status::moment).transpose()?;
    let mut lines = Vec::new();
    for trust in config.trusts(context.trust.as_deref())? {
        let mut desk = Desk::open(config, trust).await?;
        let scope = scope(&desk, &arguments).await?;
        let filter = filter(&scope, from, before);
        if let Some(reason) = arguments.withdraw.as_ref() {
            withdraw(&mut desk, &scope, &filter, reason).await?;
        }
        for view in desk.store.letters(filter).await? {
            lines.extend(lines_of(trust, &view));
        }
    }
    show(context, &lines, arguments.withdraw.is_some())
}

/// What is asked about: a stop's scope, or what the arguments name.
async fn scope(desk: &Desk<'_>, arguments: &AffectedArguments) -> Result<Scope, Exit> {
    let Some(id) = arguments.stop else {
        return Ok(arguments.scope.scope());
    };
    let stops = desk.store.stops().await?;
    let stop = stops.all().iter().find(|stop| stop.id == id);
    stop.map(|stop| stop.scope.clone()).ok_or_else(|| {
        Exit::Configuration(format!(
            "{} has no stop {id}; `letterbox stop list --lifted` shows all",
            desk.trust.code
        ))
    })
}

fn filter(scope: &Scope, from: DateTime<Utc>, before: Option<DateTime<Utc>>) -> StatusFilter {
    StatusFilter {
        scope: scope.clone(),
        taken_from: Some(from),
        taken_before: before,
        ..StatusFilter::default()
    }
}

/// What has not left is taken back; who has it must be told. What cannot be taken back any more
/// keeps nothing else.
async fn withdraw(
    desk: &mut Desk<'_>,
    scope: &Scope,
    filter: &StatusFilter,
    reason: &Reason,
) -> Result<(), Exit> {
    for view in desk.store.letters(filter.clone()).await? {
        let verdict = Verdict::new(Decision::Withdraw, desk.by.clone(), reason.clone());
        let all = view.letter.state != LetterState::Routed || !scope.is_about_copies();
        let possible = |kinds: Vec<DecisionKind>| kinds.contains(&DecisionKind::Withdraw);
        if all {
            let of_copies = view.copies.iter().any(|copy| possible(copy.decisions()));
            if of_copies || possible(view.letter.decisions()) {
                desk.decide(view.letter.key, &verdict).await?;
            }
            continue;
        }
        for copy in view.copies.iter().filter(|copy| possible(copy.decisions())) {
            let verdict = verdict.clone().about(Some(copy.number));
            desk.decide(view.letter.key, &verdict).await?;
        }
    }
    Ok(())
}

fn lines_of(trust: &TrustSection, view: &LetterView) -> Vec<Line> {
    let number = view.document.as_ref();
    let number = number.map(|number| number.expose().as_str());
    let about = StatusLine::of(&view.letter, &view.copies, number);
    let mut copies = view.copies.iter();
    let line = |about: StatusLine| {
        let copy = about.copy.and_then(|_| copies.next());
        let standing = copy.map(|copy| copy.state.standing());
        let standing = standing.or_else(|| view.letter.standing(&[]));
        Line {
            trust: trust.code.to_string(),
            standing: standing.map_or("draft", Standing::as_str),
            notice: copy.is_some_and(must_be_told),
            about,
        }
    };
    about.into_iter().map(line).collect()
}

/// Taken back after it left.
const fn must_be_told(copy: &CopyRecord) -> bool {
    matches!(copy.state.standing(), Standing::WithdrawalDue)
}

fn show(context: &Context, lines: &[Line], withdrawn: bool) -> Result<(), Exit> {
    if context.json {
        lines.iter().try_for_each(say_json)?;
    } else {
        show_to_people(lines)?;
    }
    let notices = notices(lines);
    if !context.json {
        for ((trust, practice), numbers) in &notices {
            let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
            say(&format!(
                "{trust}: tell {practice} that these are withdrawn: {}",
                numbers.join(", ")
            ))?;
        }
    }
    match notices.len() {
        0 => Ok(()),
        _ if !withdrawn => Ok(()),
        practices => Err(Exit::Person(format!(
            "{practices} practices must be told; then for each letter: letterbox letter telephoned \
             ID --said told --reason R"
        ))),
    }
}

fn show_to_people(lines: &[Line]) -> Result<(), Exit> {
    if lines.is_empty() {
        return say("nothing shared it");
    }
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| {
            vec![
                line.trust.clone(),
                text(&line.about.document),
                line.standing.to_owned(),
                line.about.state.clone(),
                text(&line.about.practice),
                line.about.taken_at.clone(),
                line.about.letter.clone(),
            ]
        })
        .collect();
    let heads = [
        "trust", "document", "where", "state", "practice", "taken", "letter",
    ];
    table(&heads, &rows).iter().try_for_each(|row| say(row))?;
    let mut balance = Balance::default();
    for line in lines {
        let standing = Standing::ALL.iter().find(|s| s.as_str() == line.standing);
        balance.add(standing.copied());
    }
    let counts: Vec<String> = balance
        .iter()
        .map(|(standing, count)| format!("{count} {}", standing.as_str().replace('_', " ")))
        .collect();
    complain(&format!("{} in all: {}", lines.len(), counts.join(", ")));
    Ok(())
}

/// By trust and practice, the documents that it must be told of.
fn notices(lines: &[Line]) -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut notices: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.notice) {
        let practice = line.about.practice.clone().unwrap_or_default();
        let number = line.about.document.clone();
        let number = number.unwrap_or_else(|| line.about.letter.clone());
        let key = (line.trust.clone(), practice);
        notices.entry(key).or_default().insert(number);
    }
    notices
}
