use chrono::{DateTime, NaiveDateTime, TimeZone};
use chrono_tz::Europe::London;
use clinical_letter::{Attachment, DocumentKind, Letter, Relation};
use kettering_xml::{
    ClinicalReport, Clinician, EventTime, Header, Message, Patient, Payload, PayloadKind,
    RecipientParty, SenderParty,
};

use crate::Envelope;

/// The letter's values in the blocks of a message (kettering-xml facts 3 and 4.2).
pub(crate) fn message(letter: &Letter, envelope: &Envelope, payload: Payload) -> Message {
    let issued = local(&envelope.prepared_at);
    let (sender, recipient) = (&envelope.sender_link, &envelope.recipient_link);
    let mut header = Header::new(&envelope.msg_id, issued, sender, recipient);
    header.urgency = envelope.urgency;
    header.status = envelope.status;
    Message::new(
        header,
        patient(letter),
        practice(letter, envelope),
        trust(letter, envelope),
        report(letter, envelope),
        payload,
    )
}

/// Kettering has no zone: times are what a clock in the United Kingdom shows.
fn local<Tz: TimeZone>(at: &DateTime<Tz>) -> NaiveDateTime {
    at.with_timezone(&London).naive_local()
}

fn patient(letter: &Letter) -> Patient {
    let source = &letter.patient;
    let mut patient = Patient::new(source.name.clone(), source.birth_date);
    patient.nhs_number = Some(source.nhs_number);
    patient.sex = source.sex;
    patient.address = Some(source.address.clone()).filter(|address| !address.is_empty());
    patient
}

/// The GP is named only when the copy goes to the practice that the source names.
fn practice(letter: &Letter, envelope: &Envelope) -> RecipientParty {
    let mut party = RecipientParty::new(envelope.practice.clone());
    party.practice_name.clone_from(&envelope.practice_name);
    let source = &letter.practice;
    if source.code.as_ref() == Some(&envelope.practice) {
        party.gp_code = source.gp_code.clone().filter(|code| is_gmp(code));
        party.gp_name = source.gp_name.as_ref().map(|name| {
            let parts = name.expose();
            let parts = [parts.title, parts.given, Some(parts.family)];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        });
    }
    party
}

fn is_gmp(code: &str) -> bool {
    let digits = code.strip_prefix('G').unwrap_or_default();
    digits.len() == 7 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn trust(letter: &Letter, envelope: &Envelope) -> SenderParty {
    let trust = envelope.trust.clone();
    let mut party = SenderParty::new(&envelope.department, trust, &envelope.trust_name);
    party.department_code.clone_from(&envelope.department_code);
    party.clinician = letter.author.name.as_deref().map(|name| {
        let mut clinician = Clinician::new(name);
        clinician.code.clone_from(&letter.author.id);
        clinician
    });
    party
}

fn report(letter: &Letter, envelope: &Envelope) -> ClinicalReport {
    let document = &letter.document;
    let event = document.event_at.map_or_else(
        || EventTime::day(document.event_date),
        |at| local(&at).into(),
    );
    let stay = (letter.encounter.admitted, letter.encounter.discharged);
    let (start, end) = match stay {
        (Some(admitted), Some(discharged)) => {
            (EventTime::day(admitted), Some(EventTime::day(discharged)))
        }
        _ => (event, None),
    };
    let (name, code) = kind(&document.kind);
    let name = match document.relation {
        Relation::Replacement | Relation::Edit => format!("{name} (amended)"),
        Relation::Addendum => format!("{name} (addendum)"),
        _ => name.to_owned(),
    };
    let created = local(&document.signed_at);
    let mut report = ClinicalReport::new(
        &envelope.report_id,
        &name,
        envelope.source_type,
        start,
        created,
    );
    report.report_code = Some(code.to_owned());
    report.event_end = end;
    report
}

/// `ReportType` and `ReportCode` (kettering-xml facts 4.2).
const fn kind(kind: &DocumentKind) -> (&'static str, &'static str) {
    match kind {
        DocumentKind::DischargeSummary => ("Discharge Summary", "DISCH"),
        DocumentKind::OutpatientLetter => ("Outpatient Letter", "OUTP"),
        DocumentKind::EdAttendance => ("Emergency Department Report", "AE"),
        _ => ("Hospital Letter", "GPLETTER"),
    }
}

/// A file that is sent as it is, if Kettering can carry it.
pub(crate) fn attached(attachment: &Attachment) -> Option<Payload> {
    let kind = match attachment.media_type() {
        "application/pdf" => PayloadKind::Pdf,
        "application/msword" => PayloadKind::Doc,
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => {
            PayloadKind::Docx
        }
        "application/rtf" | "text/rtf" => PayloadKind::Rtf,
        "image/tiff" => PayloadKind::Tiff,
        "image/jpeg" => PayloadKind::Jpeg,
        "image/png" => PayloadKind::Png,
        _ => return None,
    };
    Some(Payload::binary(kind, attachment.expose_bytes().to_vec()))
}
