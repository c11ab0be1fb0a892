//! TXA: the document's numbers, status and signature (source-documents sections 4 and 5).

use chrono::{DateTime, FixedOffset};

use super::event::Trigger;
use super::fields::{Fields, shown};
use super::message::{Message, Segment, named};
use super::patient::{read_visit, stop_at};
use crate::reading::{Notes, Refusal};
use crate::{Author, Completion, Disposition, ReadOptions, Reason, Relation, SourceDocument, time};

pub(super) fn read(
    message: &Message<'_>,
    trigger: Trigger,
    options: &ReadOptions,
    source: &mut SourceDocument,
    notes: &mut Notes,
) -> Result<(), Refusal> {
    let txa = message.required("TXA")?;
    if message.named(b"TXA").count() > 1 {
        let why = "the message has more than one TXA segment";
        return Err(Refusal::new(Reason::Malformed, named("TXA"), why));
    }
    read_visit(message, options, source, notes);
    read_document(message, txa, options, source, notes);
    read_signature(message, txa, source, notes);
    let facts = &mut source.document;
    facts.relation = trigger.relation;
    facts.document_date = facts
        .document_date
        .or(source.encounter.discharged)
        .or(source.encounter.admitted)
        .or_else(|| facts.signed_at.map(|time| time.date_naive()));
    check_release(message, txa, trigger, source, notes);
    Ok(())
}

fn read_document(
    message: &Message<'_>,
    txa: Segment<'_>,
    options: &ReadOptions,
    source: &mut SourceDocument,
    notes: &mut Notes,
) {
    let mut fields = Fields::new(message, notes);
    let facts = &mut source.document;
    let code = fields.value(txa, 2).unwrap_or_default();
    facts.kind = options.document_types.get(&code).cloned();
    let title = fields.value(txa, 25).or_else(|| fields.value_at(txa, 2, 2));
    facts.title = title.map(Into::into);
    facts.unique_id = fields.value(txa, 12);
    facts.parent_id = fields.value(txa, 13);
    facts.availability = fields.value(txa, 19);
    let status = fields.value(txa, 17).unwrap_or_default();
    facts.completion = completion(&status);
    source.change_reason = fields.value(txa, 21).map(Into::into);
    for raw in fields.repetitions(txa, 23) {
        if let Some(name) = fields.name(raw, 2) {
            source.cc.push(shown(&name).into());
        }
    }
    if let Some(activity) = fields.value(txa, 4) {
        facts.document_date = time::hl7_day(&activity);
        let timed = activity.len() > "CCYYMMDD".len();
        let at = timed.then(|| time::hl7(&activity, &named("TXA-4"), notes));
        facts.event_at = at.flatten();
    }
}

/// Table 0271.
fn completion(code: &str) -> Option<Completion> {
    Some(match code {
        "AU" => Completion::Authenticated,
        "LA" => Completion::LegallyAuthenticated,
        "PA" => Completion::PreAuthenticated,
        "DO" => Completion::Documented,
        "DI" => Completion::Dictated,
        "IP" => Completion::InProgress,
        _ => Completion::Incomplete,
    })
}

/// TXA-22 holds each signer and, in component 15, the time; some senders put it elsewhere. The
/// first signer is the author, the last time the signing time.
fn read_signature(
    message: &Message<'_>,
    txa: Segment<'_>,
    source: &mut SourceDocument,
    notes: &mut Notes,
) {
    let signers = Fields::new(message, notes).repetitions(txa, 22);
    let times: Vec<Option<DateTime<FixedOffset>>> = signers
        .iter()
        .map(|raw| signing_time(message, raw, notes))
        .collect();
    let mut fields = Fields::new(message, notes);
    let writer = [22, 10, 9, 5]
        .into_iter()
        .find_map(|number| fields.repetitions(txa, number).first().copied());
    source.author = author(writer.unwrap_or_default(), &mut fields);
    let signed = source
        .document
        .completion
        .is_some_and(Completion::is_signed);
    if signed && times.iter().all(Option::is_some) {
        source.document.signed_at = times.into_iter().flatten().max();
    }
}

fn signing_time(
    message: &Message<'_>,
    raw: &[u8],
    notes: &mut Notes,
) -> Option<DateTime<FixedOffset>> {
    const SIGNED_AT: usize = 15;
    let place = named("TXA-22");
    let count = raw
        .split(|byte| *byte == message.delimiters().component)
        .count();
    // An id of eight digits would read as a day: it stands first, and is never asked.
    let elsewhere = (2..=count).rev();
    std::iter::once(SIGNED_AT)
        .chain(elsewhere)
        .find_map(|number| {
            let text = Fields::new(message, notes).component(raw, number)?;
            time::hl7(&text, &place, notes)
        })
}

pub(super) fn author(raw: &[u8], fields: &mut Fields<'_, '_>) -> Author {
    Author {
        id: fields.component(raw, 1),
        name: fields.name(raw, 2).map(|name| shown(&name)),
        role: None,
    }
}

/// The release rule of section 5, and what takes a document back.
fn check_release(
    message: &Message<'_>,
    txa: Segment<'_>,
    trigger: Trigger,
    source: &mut SourceDocument,
    notes: &mut Notes,
) {
    let cancelled = source.document.availability.as_deref() == Some("CA");
    let notice = matches!(trigger.relation, Relation::Cancel | Relation::StatusChange);
    if trigger.relation == Relation::Cancel || (cancelled && notice) {
        source.document.relation = Relation::Cancel;
        let why = "the message takes the document back";
        notes.stop_as(
            Reason::Cancelled,
            Disposition::Withdraw,
            named("TXA-19"),
            why,
        );
        return;
    }
    if cancelled {
        let why = "the content comes already cancelled";
        stop_at(Reason::Cancelled, "TXA-19", why, notes);
    } else if source
        .document
        .availability
        .as_deref()
        .is_some_and(|code| code != "AV")
    {
        let why = "TXA-19 says that the document is not available";
        stop_at(Reason::NotFinal, "TXA-19", why, notes);
    }
    let confidentiality = Fields::new(message, notes).value(txa, 18);
    if confidentiality.is_some_and(|code| code != "U") {
        source.restricted = true;
    }
    if !trigger.with_content {
        let why = "the event tells a status only, it carries no content";
        stop_at(Reason::IncompleteDocument, "MSH-9", why, notes);
    }
}
