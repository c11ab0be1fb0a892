//! `status` and `worklist`: where letters are, and what needs a person.

use std::io::{BufRead as _, IsTerminal as _, Read as _};

use audit_core::{Data, StreamKey};
use chrono::{DateTime, SecondsFormat, TimeZone as _, Utc};
use chrono_tz::Europe::London;
use letter_delivery::{
    CopyRecord, CopyState, DecisionKind, InboundRecord, InboundState, LetterRecord, LetterState,
    Owner, RefKind, Scope, Stops, Store as _,
};
use letter_gateway::StatusLine;
use letter_store::{LetterView, StatusFilter};
use nhs_types::NhsNumber;
use serde::Serialize;

use super::{Context, now};
use crate::cli::StatusArguments;
use crate::config::{Config, TrustSection};
use crate::desk::{Desk, letter_id};
use crate::exit::Exit;
use crate::output::{complain, say, say_json, table};

/// A line of a list, with the trust it belongs to.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    trust: String,
    #[serde(flatten)]
    about: StatusLine,
    /// What a person can decide about it: commands of `letter`.
    possible: Vec<&'static str>,
}

/// How many letters a list for people shows unless it is told.
const SHOWN: usize = 1000;

pub(super) async fn status(
    config: &Config,
    context: &Context,
    arguments: StatusArguments,
) -> Result<(), Exit> {
    arguments.state.as_deref().map_or(Ok(()), known_state)?;
    let number = arguments.nhs_number.then(asked_number).transpose()?;
    let mut lines = Vec::new();
    let mut whole = true;
    for trust in config.trusts(context.trust.as_deref())? {
        let mut desk = Desk::open(config, trust).await?;
        let stops = desk.store.stops().await?;
        for filter in filters(&mut desk, &arguments, number.as_ref(), context).await? {
            let limit = filter.limit;
            let views = desk.store.letters(filter).await?;
            whole &= limit.is_none_or(|limit| views.len() < limit);
            lines.extend(lines_of(trust, &views, &stops));
        }
    }
    print(context, &lines)?;
    if !whole {
        complain("there are more: narrow it with --from, --state or --practice, or set --limit");
    }
    Ok(())
}

pub(super) async fn worklist(config: &Config, context: &Context) -> Result<(), Exit> {
    let mut lines = Vec::new();
    for trust in config.trusts(context.trust.as_deref())? {
        let desk = Desk::open(config, trust).await?;
        let stops = desk.store.stops().await?;
        for stop in stops.standing() {
            complain(&format!(
                "{}: stop {} stands ({}): {}; to lift it: letterbox stop lift {} --reason R",
                trust.code, stop.id, stop.reason, stop.scope, stop.id
            ));
        }
        let filter = StatusFilter {
            needs_person: true,
            ..StatusFilter::default()
        };
        let views = desk.store.letters(filter).await?;
        lines.extend(lines_of(trust, &views, &stops));
        lines.extend(inbound_lines(&desk).await?);
    }
    if lines.is_empty() && !context.json {
        return say("nothing needs a person");
    }
    print(context, &lines)
}

/// Messages for the trust that its own systems refused, or did not take in time.
async fn inbound_lines(desk: &Desk<'_>) -> Result<Vec<Line>, Exit> {
    let now = now();
    let open = desk.store.inbound_open(SHOWN).await?;
    let is_due =
        |one: &&InboundRecord| one.needs_person() || one.act_by().is_some_and(|by| by < now);
    let lines = open.iter().filter(is_due);
    Ok(lines.map(|one| inbound_line(desk, one)).collect())
}

/// One message for the trust as it stands.
pub(super) fn inbound_line(desk: &Desk<'_>, record: &InboundRecord) -> Line {
    let is_held = record.state == InboundState::Held;
    Line {
        trust: desk.trust.code.to_string(),
        about: StatusLine::of_inbound(record),
        possible: is_held.then_some("resend").into_iter().collect(),
    }
}

/// One letter as it stands now.
pub(super) async fn of_letter(desk: &Desk<'_>, letter: StreamKey) -> Result<Vec<Line>, Exit> {
    let stops = desk.store.stops().await?;
    let view = desk.view(letter).await?;
    Ok(lines_of(desk.trust, view.as_slice(), &stops))
}

/// A day, which begins in London, or a time as RFC 3339 writes it.
pub(super) fn moment(text: &str) -> Result<DateTime<Utc>, Exit> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.to_utc());
    }
    let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let begin = day.map(|day| day.and_time(chrono::NaiveTime::MIN));
    let begin = begin.and_then(|at| London.from_local_datetime(&at).earliest());
    begin.map(|at| at.to_utc()).ok_or_else(|| {
        Exit::Configuration(format!(
            "{text} is no time: write a day as 2026-02-03 or a time as 2026-02-03T10:00:00Z"
        ))
    })
}

/// The number that somebody types or sends: never an argument, which other accounts could see.
fn asked_number() -> Result<NhsNumber, Exit> {
    if std::io::stdin().is_terminal() {
        complain("NHS number:");
    }
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .take(NUMBER_MAX)
        .read_line(&mut line)?;
    NhsNumber::parse(line.trim())
        .map_err(|error| Exit::Configuration(format!("on the standard input: {error}")))
}

/// More than any way of writing a number takes.
const NUMBER_MAX: u64 = 64;

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

/// One filter for each letter that the arguments lead to. Who looks for one letter, or for those
/// of one person, is recorded.
async fn filters(
    desk: &mut Desk<'_>,
    arguments: &StatusArguments,
    number: Option<&NhsNumber>,
    context: &Context,
) -> Result<Vec<StatusFilter>, Exit> {
    let base = base(arguments, context)?;
    let with = |letter| StatusFilter {
        letter: Some(letter),
        ..base.clone()
    };
    if let Some(id) = &arguments.id {
        let letter = letter_id(id)?;
        if desk.view(letter).await?.is_some() {
            let data = Data::new().with("letter", letter.to_string());
            desk.note("letter.viewed", data).await?;
        }
        return Ok(vec![with(letter)]);
    }
    let (kind, value) = match (&arguments.document, number) {
        (Some(number), _) => (RefKind::Document, number.as_str()),
        (None, Some(number)) => (RefKind::NhsNumber, number.expose()),
        (None, None) => return Ok(vec![base]),
    };
    let index = desk.engine.keys().reference(kind, value);
    let found = desk.store.find(kind, index).await?;
    let mut data = Data::new().with("by", kind.as_str());
    data.insert("found", i64::try_from(found.len()).unwrap_or(i64::MAX));
    if let Some(number) = number {
        let person = desk.engine.keys().patient(number).to_string();
        data.insert("searched", person);
    }
    desk.note("letters.searched", data).await?;
    Ok(found.into_iter().map(with).collect())
}

fn base(arguments: &StatusArguments, context: &Context) -> Result<StatusFilter, Exit> {
    let upper = |text: &Option<String>| text.as_ref().map(|text| text.to_ascii_uppercase());
    let at = |text: &Option<String>| text.as_deref().map(moment).transpose();
    let mut scope = Scope::default();
    scope.source.clone_from(&arguments.source);
    scope.class.clone_from(&arguments.class);
    let limit = arguments.limit.or_else(|| (!context.json).then_some(SHOWN));
    Ok(StatusFilter {
        state: upper(&arguments.state),
        practice: upper(&arguments.practice),
        scope,
        taken_from: at(&arguments.from)?,
        taken_before: at(&arguments.to)?,
        limit,
        ..StatusFilter::default()
    })
}

fn lines_of(trust: &TrustSection, views: &[LetterView], stops: &Stops) -> Vec<Line> {
    let trust = trust.code.to_string();
    let of = |view: &LetterView| {
        let number = view.document.as_ref();
        let number = number.map(|number| number.expose().as_str());
        let about = StatusLine::of(&view.letter, &view.copies, number);
        let mut copies = view.copies.iter();
        let line = |about: StatusLine| {
            let copy = about.copy.and_then(|_| copies.next());
            line(trust.clone(), about, &view.letter, copy, stops)
        };
        about.into_iter().map(line).collect::<Vec<_>>()
    };
    views.iter().flat_map(of).collect()
}

fn line(
    trust: String,
    mut about: StatusLine,
    letter: &LetterRecord,
    copy: Option<&CopyRecord>,
    stops: &Stops,
) -> Line {
    let mut possible = letter.decisions();
    if let Some(copy) = copy {
        possible = copy.decisions();
        // An approval as the second person is asked of the letter.
        possible.extend(letter.vote.is_some().then_some(DecisionKind::Approve));
        let queued = copy.state == CopyState::Queued;
        if let Some(stop) = stops.holding(letter, copy).filter(|_| queued) {
            about.reason = Some("stopped".to_owned());
            about.owner = Owner::ServiceDesk.as_str();
            about.next_action = format!("stop {} holds it back: lift it when it is over", stop.id);
        }
    }
    if let Some(vote) = &letter.vote {
        about.owner = Owner::ServiceDesk.as_str();
        about.next_action = format!(
            "a second person must agree to {} it ({})",
            vote.decision, vote.reason
        );
    }
    possible.sort_unstable();
    possible.dedup();
    Line {
        trust,
        about,
        possible: possible.into_iter().map(DecisionKind::as_str).collect(),
    }
}

pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

pub(super) fn print(context: &Context, lines: &[Line]) -> Result<(), Exit> {
    if context.json {
        return lines.iter().try_for_each(say_json);
    }
    if lines.is_empty() {
        return say("no letters");
    }
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(
            |Line {
                 about: line,
                 possible,
                 ..
             }| {
                vec![
                    text(&line.document),
                    line.state.clone(),
                    text(&line.reason),
                    text(&line.practice),
                    text(&line.due_at),
                    line.owner.to_owned(),
                    line.next_action.clone(),
                    possible.join(" "),
                    line.letter.clone(),
                ]
            },
        )
        .collect();
    let heads = [
        "document", "state", "reason", "practice", "due", "owner", "next", "possible", "letter",
    ];
    table(&heads, &rows).iter().try_for_each(|row| say(row))
}
