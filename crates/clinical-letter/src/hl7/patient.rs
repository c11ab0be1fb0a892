//! PID, PD1, ROL and PV1 (source-documents section 4).

use nhs_types::{BirthDate, Location, Sensitive, Sex};

use super::fields::Fields;
use super::message::{Message, Segment, named};
use crate::names::{nhs_digits, set_address_lines};
use crate::reading::{Notes, Refusal};
use crate::{GpFacts, PatientFacts, Reason, SourceDocument, Warning, time};

const NHS_NUMBER_OID: &str = "2.16.840.1.113883.2.1.4.1";

pub(super) fn read(
    message: &Message<'_>,
    source: &mut SourceDocument,
    notes: &mut Notes,
) -> Result<(), Refusal> {
    let pid = message.required("PID")?;
    let mut fields = Fields::new(message, notes);
    read_numbers(pid, &mut fields, &mut source.patient);
    read_person(pid, &mut fields, &mut source.patient);
    read_address(pid, &mut fields, &mut source.patient);
    read_practice(&mut fields, &mut source.gp);
    let dead = fields.value(pid, 29).is_some() || fields.value(pid, 30).as_deref() == Some("Y");
    if dead {
        let why = "the source says that the patient has died";
        notes.warn(Warning::PatientDeceased, named("PID-30"), why);
    }
    if message.named(b"PID").count() > 1 {
        let why = "the message has more than one PID segment";
        notes.stop(Reason::PatientMismatch, named("PID"), why);
    }
    Ok(())
}

fn read_numbers(pid: Segment<'_>, fields: &mut Fields<'_, '_>, patient: &mut PatientFacts) {
    let mut hospital = Vec::new();
    for raw in fields.repetitions(pid, 3) {
        let Some(id) = fields.component(raw, 1) else {
            continue;
        };
        let kind = fields.component(raw, 5).unwrap_or_default();
        let authority = fields.component(raw, 4).unwrap_or_default();
        let universal = fields.subcomponent(raw, 4, 2).unwrap_or_default();
        let is_nhs = authority == "NHS"
            || matches!(kind.as_str(), "NH" | "NHS")
            || universal == NHS_NUMBER_OID;
        if !is_nhs {
            hospital.push((kind, id));
            continue;
        }
        let number = nhs_digits(&id);
        if patient.nhs_number.is_some() && patient.nhs_number != number {
            let why = "PID-3 gives two NHS numbers";
            fields
                .notes
                .stop(Reason::NhsNumberConflict, named("PID-3"), why);
        } else {
            patient.nhs_number = number;
        }
    }
    let record = hospital
        .iter()
        .position(|(kind, _)| kind == "MR")
        .unwrap_or(0);
    let number = hospital.into_iter().nth(record);
    patient.hospital_number = number.map(|(_, id)| Sensitive::new(id));
}

fn read_person(pid: Segment<'_>, fields: &mut Fields<'_, '_>, patient: &mut PatientFacts) {
    let names = fields.repetitions(pid, 5);
    let legal = names
        .iter()
        .position(|raw| fields.component(raw, 7).as_deref() == Some("L"));
    let raw = names
        .into_iter()
        .nth(legal.unwrap_or(0))
        .unwrap_or_default();
    if let Some(name) = fields.name(raw, 1) {
        patient.family = Some(Sensitive::new(name.family));
        patient.given = name.given.map(Sensitive::new);
        patient.title = name.title.map(Sensitive::new);
    }
    let born = fields.value(pid, 7).and_then(|born| time::hl7_day(&born));
    patient.dob = born.and_then(|born| BirthDate::from_date(born).ok());
    patient.sex = fields.value(pid, 8).and_then(|code| Sex::from_code(&code));
}

fn read_address(pid: Segment<'_>, fields: &mut Fields<'_, '_>, patient: &mut PatientFacts) {
    let all = fields.repetitions(pid, 11);
    let home = all
        .iter()
        .position(|raw| fields.component(raw, 7).as_deref() == Some("H"));
    let raw = all.into_iter().nth(home.unwrap_or(0)).unwrap_or_default();
    let lines = (1..=4)
        .filter_map(|number| fields.component(raw, number))
        .collect();
    set_address_lines(patient, lines);
    if let Some(postcode) = fields.component(raw, 5) {
        patient.postcode = Some(Sensitive::new(postcode));
    }
}

/// PD1-3 is the practice and PD1-4 the GP; the code of the practice is PD1-3.3, never PD1-4.
fn read_practice(fields: &mut Fields<'_, '_>, gp: &mut GpFacts) {
    if let Some(pd1) = fields.message.first(b"PD1") {
        gp.practice_name = fields.value_at(pd1, 3, 1);
        gp.practice_code = fields.value_at(pd1, 3, 3);
        let person = fields.repetitions(pd1, 4).first().copied();
        read_gp(person.unwrap_or_default(), fields, gp);
    }
    let message = fields.message;
    for role in message.named(b"ROL") {
        let kind = fields.value(role, 3).unwrap_or_default();
        if gp.gp_family.is_none() && matches!(kind.as_str(), "PP" | "GP") {
            let person = fields.repetitions(role, 4).first().copied();
            read_gp(person.unwrap_or_default(), fields, gp);
        }
    }
}

fn read_gp(raw: &[u8], fields: &mut Fields<'_, '_>, gp: &mut GpFacts) {
    gp.gp_code = fields.component(raw, 1);
    if let Some(name) = fields.name(raw, 2) {
        gp.gp_family = Some(name.family);
        gp.gp_given = name.given;
        gp.gp_title = name.title;
    }
}

/// PV1: class, location, specialty, admission, discharge.
pub(super) fn read_visit(
    message: &Message<'_>,
    options: &crate::ReadOptions,
    source: &mut SourceDocument,
    notes: &mut Notes,
) {
    let Some(pv1) = message.first(b"PV1") else {
        return;
    };
    let mut fields = Fields::new(message, notes);
    let encounter = &mut source.encounter;
    let class = fields.value(pv1, 2);
    encounter.class = class.and_then(|class| options.encounter_classes.get(&class).cloned());
    encounter.location = fields.value(pv1, 3);
    encounter.specialty = fields.value(pv1, 10);
    encounter.admitted = fields.value(pv1, 44).and_then(|day| time::hl7_day(&day));
    encounter.discharged = fields.value(pv1, 45).and_then(|day| time::hl7_day(&day));
}

/// A birth after the document is none.
pub(super) fn check_birth_date(source: &mut SourceDocument) {
    let sent = source.document.message_at.map(|at| at.date_naive());
    let document = source.document.document_date.into_iter().chain(sent).max();
    let born = source.patient.dob.map(|dob| dob.expose());
    if matches!((born, document), (Some(born), Some(document)) if born > document) {
        source.patient.dob = None;
    }
}

pub(super) fn stop_at(reason: Reason, place: &str, message: &str, notes: &mut Notes) {
    notes.stop(reason, Location::Named(place.to_owned()), message);
}
