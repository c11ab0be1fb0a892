//! What a message is: type, event, processing id (source-documents sections 4 and 5).

use super::fields::Fields;
use super::message::{Message, named};
use crate::reading::{Notes, Refusal};
use crate::{ReadOptions, Reason, Relation, SourceDocument, time};

/// A message that carries a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// MDM, by its trigger event.
    Document(Trigger),
    /// ORU R01.
    Report,
}

/// The trigger events of MDM: the even ones come with content (section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trigger {
    pub(super) relation: Relation,
    pub(super) with_content: bool,
}

impl Trigger {
    fn of(code: &str) -> Option<Self> {
        let (relation, with_content) = match code {
            "T01" => (Relation::New, false),
            "T02" => (Relation::New, true),
            "T03" => (Relation::StatusChange, false),
            "T04" => (Relation::StatusChange, true),
            "T05" => (Relation::Addendum, false),
            "T06" => (Relation::Addendum, true),
            "T07" => (Relation::Edit, false),
            "T08" => (Relation::Edit, true),
            "T09" => (Relation::Replacement, false),
            "T10" => (Relation::Replacement, true),
            "T11" => (Relation::Cancel, false),
            _ => return None,
        };
        Some(Self {
            relation,
            with_content,
        })
    }
}

pub(super) fn read(
    message: &Message<'_>,
    options: &ReadOptions,
    source: &mut SourceDocument,
    notes: &mut Notes,
) -> Result<Event, Refusal> {
    let header = message.header();
    let mut fields = Fields::new(message, notes);
    let facts = &mut source.document;
    facts.control_id = fields.value(header, 10);
    let parts = [3, 4].map(|number| fields.value(header, number).unwrap_or_default());
    facts.sender = Some(parts.join("|"));
    let code = fields.value_at(header, 9, 1).unwrap_or_default();
    facts.event = fields.value_at(header, 9, 2);
    let processing_id = fields.value(header, 11).unwrap_or_default();
    let sent = fields.value(header, 7);
    facts.message_at = sent.and_then(|at| time::hl7(&at, &named("MSH-7"), notes));

    let trigger = facts.event.as_deref().unwrap_or_default();
    let event = match code.as_str() {
        "MDM" => Trigger::of(trigger).map(Event::Document),
        "ORU" => (trigger == "R01").then_some(Event::Report),
        _ => None,
    };
    let event = event.ok_or_else(|| {
        let why = "the message is neither MDM T01 to T11 nor ORU R01";
        Refusal::new(Reason::UnsupportedEvent, named("MSH-9"), why)
    })?;
    if !options.live_processing_ids.contains(&processing_id) {
        let why = "MSH-11 is not that of a live message";
        return Err(Refusal::new(Reason::ProcessingId, named("MSH-11"), why));
    }
    if facts.control_id.is_none() {
        let why = "MSH-10, the control id, is empty";
        return Err(Refusal::new(Reason::Malformed, named("MSH-10"), why));
    }
    Ok(event)
}
