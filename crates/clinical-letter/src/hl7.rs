//! HL7 v2 documents: MDM T01 to T11 and ORU R01 (source-documents sections 3 to 5).

mod charset;
mod content;
mod delimiters;
mod escape;
mod event;
mod fields;
mod mdm;
mod message;
mod oru;
mod patient;

use nhs_types::Location;

use crate::compose::{Joining, Line, body_marks, sections, set_kind};
use crate::identity::Identity;
use crate::labels::Labels;
use crate::mllp::{MllpDecoder, MllpError};
use crate::reading::{Notes, Refusal};
use crate::{Format, ReadOptions, Reading, Reason, SourceDocument, Warning, text};

pub use delimiters::{Delimiters, DelimitersError};
pub use escape::{Unescaped, escape, unescape};
pub(crate) use message::{Message, field_of_bytes};

use event::Event;

/// Reads a file of one or more messages.
pub(crate) fn read(bytes: &[u8], options: &ReadOptions) -> Vec<Reading> {
    let messages = message::split_messages(bytes);
    if messages.len() > options.limits.messages {
        return vec![too_many(Format::Hl7v2, options.limits.messages)];
    }
    messages
        .into_iter()
        .map(|one| read_message(one, source(Format::Hl7v2), Notes::default(), options))
        .collect()
}

/// Reads a file of MLLP frames, as a capture of a connection.
pub(crate) fn read_frames(bytes: &[u8], options: &ReadOptions) -> Vec<Reading> {
    let mut decoder = MllpDecoder::new(options.limits.file_bytes);
    decoder.push(bytes);
    let mut readings = Vec::new();
    while let Some(frame) = decoder.next_frame().or_else(|| decoder.finish()) {
        if readings.len() == options.limits.messages {
            return vec![too_many(Format::Mllp, options.limits.messages)];
        }
        readings.push(match frame {
            Ok(frame) => {
                let mut notes = Notes::default();
                for warning in &frame.warnings {
                    notes.warn(*warning, Location::Whole, "the frame is not well formed");
                }
                read_message(&frame.message, source(Format::Mllp), notes, options)
            }
            Err(why) => refused_frame(why),
        });
    }
    readings
}

fn too_many(format: Format, limit: usize) -> Reading {
    let why = format!("the file has more than {limit} messages");
    let refusal = Refusal::new(Reason::TooLarge, Location::Whole, why);
    Reading::refused(source(format), Notes::default(), refusal)
}

fn refused_frame(why: MllpError) -> Reading {
    let reason = match why {
        MllpError::TooLarge { .. } => Reason::TooLarge,
        MllpError::CutOff => Reason::Malformed,
    };
    let refusal = Refusal::new(reason, Location::Whole, why.to_string());
    Reading::refused(source(Format::Mllp), Notes::default(), refusal)
}

fn source(format: Format) -> SourceDocument {
    SourceDocument {
        format,
        ..SourceDocument::default()
    }
}

fn read_message(
    bytes: &[u8],
    mut source: SourceDocument,
    mut notes: Notes,
    options: &ReadOptions,
) -> Reading {
    match read_document(bytes, options, &mut source, &mut notes) {
        Ok(()) => Reading::judged(source, notes),
        Err(why) => Reading::refused(source, notes, why),
    }
}

fn read_document(
    bytes: &[u8],
    options: &ReadOptions,
    source: &mut SourceDocument,
    notes: &mut Notes,
) -> Result<(), Refusal> {
    let message = Message::parse(bytes, options, notes)?;
    source.encoding = Some(message.encoding());
    let event = event::read(&message, options, source, notes)?;
    patient::read(&message, source, notes)?;
    match event {
        Event::Document(trigger) => mdm::read(&message, trigger, options, source, notes)?,
        Event::Report => oru::read(&message, options, source, notes)?,
    }
    patient::check_birth_date(source);
    content::read(&message, options, source, notes)?;
    let lines: Vec<Line> = source
        .body_lines
        .iter()
        .map(|line| Line::plain(line.expose().as_str()))
        .collect();
    source.sections = sections(&lines, &Labels::new(options), Joining::Lines);
    body_marks(&lines, options).apply(source, notes);
    check_body_identity(options, source, notes);
    set_kind(source, options, notes);
    for segment in message.local_segments() {
        source.local_segments.push(segment.to_vec().into());
    }
    Ok(())
}

/// A body that is a whole report with a head of its own must be about the same patient.
fn check_body_identity(options: &ReadOptions, source: &SourceDocument, notes: &mut Notes) {
    let lines: Vec<&str> = source
        .body_lines
        .iter()
        .map(|line| line.expose().as_str())
        .collect();
    let day = source.document.document_date;
    let inner = text::head_identity(&lines.join("\n"), day, options);
    if inner.is_some_and(|inner| inner.differs_from(&Identity::from(&source.patient))) {
        let place = Location::Named("OBX-5".to_owned());
        let why = "the head inside the content names another patient than PID";
        notes.stop(Reason::PatientMismatch, place, why);
    }
}

pub(crate) fn warn_escape(place: &Location, notes: &mut Notes) {
    let why = "an escape sequence was kept as it stands, or was of local meaning and dropped";
    notes.warn(Warning::EscapeNotUnderstood, place.clone(), why);
}
