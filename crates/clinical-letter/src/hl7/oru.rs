//! OBR: letters that come as results (source-documents section 4).

use super::fields::Fields;
use super::mdm::author;
use super::message::{Message, Segment, named};
use super::patient::{read_visit, stop_at};
use crate::reading::{Notes, Refusal};
use crate::{Author, Completion, ReadOptions, Reason, SourceDocument, time};

pub(super) fn read(
    message: &Message<'_>,
    options: &ReadOptions,
    source: &mut SourceDocument,
    notes: &mut Notes,
) -> Result<(), Refusal> {
    let obr = message.required("OBR")?;
    read_visit(message, options, source, notes);
    let mut fields = Fields::new(message, notes);
    let facts = &mut source.document;
    facts.unique_id = fields.value(obr, 3).or_else(|| fields.value(obr, 2));
    let code = fields.value(obr, 4).unwrap_or_default();
    facts.kind = options.document_types.get(&code).cloned();
    facts.title = fields.value_at(obr, 4, 2).map(Into::into);
    let is_final = matches!(fields.value(obr, 25).as_deref(), Some("F" | "C"));
    facts.completion = Some(if is_final {
        Completion::Final
    } else {
        Completion::Preliminary
    });
    let event = fields.value(obr, 7);
    let reported = fields.value(obr, 22);
    source.author = signer(message, obr, &mut fields);
    let event_at = event.and_then(|at| time::hl7(&at, &named("OBR-7"), notes));
    facts.event_at = event_at;
    facts.signed_at = reported
        .filter(|_| is_final)
        .and_then(|at| time::hl7(&at, &named("OBR-22"), notes));
    facts.document_date = event_at.or(facts.signed_at).map(|at| at.date_naive());
    check_one_report(message, source, notes);
    Ok(())
}

/// OBR-32, whose first component is a person written with subcomponents, or OBR-16.
fn signer(message: &Message<'_>, obr: Segment<'_>, fields: &mut Fields<'_, '_>) -> Author {
    let interpreter = fields.repetitions(obr, 32).first().copied();
    let Some(raw) = interpreter else {
        let orderer = fields.repetitions(obr, 16).first().copied();
        return author(orderer.unwrap_or_default(), fields);
    };
    let delimiters = message.delimiters();
    let first = raw.split(|byte| *byte == delimiters.component).next();
    let person: Vec<u8> = first
        .unwrap_or_default()
        .iter()
        .map(|byte| match *byte {
            sign if sign == delimiters.subcomponent => delimiters.component,
            other => other,
        })
        .collect();
    author(&person, fields)
}

fn check_one_report(message: &Message<'_>, source: &SourceDocument, notes: &mut Notes) {
    let mut fields = Fields::new(message, notes);
    let others = message
        .named(b"OBR")
        .filter_map(|obr| fields.value(obr, 3).or_else(|| fields.value(obr, 2)))
        .any(|number| Some(&number) != source.document.unique_id.as_ref());
    if others {
        let why = "the message carries several reports; only one is read";
        stop_at(Reason::IncompleteDocument, "OBR[2]", why, notes);
    }
}
