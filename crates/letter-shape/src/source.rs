use chrono::{DateTime, FixedOffset, NaiveDate};
use clinical_letter::{Letter, Relation};
use nhs_types::{PersonName, Sex};

use crate::proof::Words;

/// What a letter says, word by word, in its written order. The order is part of the rules of the
/// proof: title; notices of replacement, addendum, reason, images; patient, GP and practice,
/// dates, ward; sections with their headings; signature; copies; document number. Labels such as
/// `NHS number` are part of it, so that a value under a wrong label is found too.
///
/// It shares no code with the rendering.
pub fn source_words(letter: &Letter) -> Words {
    let mut source = Source(String::new());
    source.say(letter.document.title.expose());
    notices(letter, &mut source);
    patient(letter, &mut source);
    circumstances(letter, &mut source);
    for section in &letter.sections {
        if let Some(heading) = &section.heading {
            source.say(heading.expose());
        }
        source.say(section.text.expose());
    }
    closing(letter, &mut source);
    Words::of(&kettering_xml::sendable_text(&source.0))
}

struct Source(String);

impl Source {
    fn say(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn labelled(&mut self, label: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.trim().is_empty()) {
            self.say(label);
            self.say(value);
        }
    }
}

fn notices(letter: &Letter, source: &mut Source) {
    let parent = letter.document.parent.as_deref().unwrap_or_default();
    match letter.document.relation {
        Relation::Replacement => {
            source.say("This replaces the letter with document number");
            source.say(&format!("{parent}."));
        }
        Relation::Addendum => {
            source.say("Addendum to the letter with document number");
            source.say(&format!("{parent}."));
        }
        Relation::Edit => source.say("This replaces an earlier version of this letter."),
        _ => {}
    }
    if let Some(reason) = &letter.change_reason {
        source.say("Reason:");
        source.say(reason.expose());
    }
    if letter.images > 0 {
        source.say("Images in the original, not shown here:");
        source.say(&letter.images.to_string());
    }
}

fn patient(letter: &Letter, source: &mut Source) {
    let patient = &letter.patient;
    let number = patient.nhs_number.expose();
    source.labelled("Patient", Some(&full_name(&patient.name)));
    source.say("NHS number");
    for part in [number.get(..3), number.get(3..6), number.get(6..)] {
        source.say(part.unwrap_or_default());
    }
    source.labelled("Date of birth", Some(&day(patient.birth_date.expose())));
    source.labelled("Sex", patient.sex.map(sex));
    let mut address = patient.address.expose_lines().join("\n");
    if let Some(postcode) = patient.address.postcode() {
        address.push('\n');
        address.push_str(postcode.expose());
    }
    source.labelled("Address", Some(&address));
    let hospital = patient.hospital_number.as_ref();
    source.labelled(
        "Hospital number",
        hospital.map(|number| number.expose().as_str()),
    );
}

fn circumstances(letter: &Letter, source: &mut Source) {
    let practice = &letter.practice;
    source.labelled("GP", practice.gp_name.as_ref().map(full_name).as_deref());
    source.labelled("Practice", practice.name.as_deref());
    let code = practice.code.as_ref().map(nhs_types::OdsCode::as_str);
    source.labelled("Practice code", code);
    let document = &letter.document;
    let event = document
        .event_at
        .map_or_else(|| day(document.event_date), minute);
    source.labelled("Date", Some(&event));
    let encounter = &letter.encounter;
    source.labelled("Admitted", encounter.admitted.map(day).as_deref());
    source.labelled("Discharged", encounter.discharged.map(day).as_deref());
    source.labelled("Ward or clinic", encounter.location.as_deref());
}

fn closing(letter: &Letter, source: &mut Source) {
    source.labelled("Signed by", letter.author.name.as_deref());
    source.labelled("Role", letter.author.role.as_deref());
    source.labelled("Signed on", Some(&minute(letter.document.signed_at)));
    if !letter.cc.is_empty() {
        source.say("Copies to");
    }
    for copy in &letter.cc {
        source.say(copy.expose());
    }
    source.say("Document number:");
    source.say(&letter.document.id);
}

fn full_name(name: &PersonName) -> String {
    let parts = name.expose();
    let title = parts.title.unwrap_or_default();
    let given = parts.given.unwrap_or_default();
    format!("{title} {given} {}", parts.family)
}

fn day(date: NaiveDate) -> String {
    date.format("%d-%b-%Y").to_string()
}

fn minute(at: DateTime<FixedOffset>) -> String {
    let local = at.with_timezone(&chrono_tz::Europe::London);
    local.format("%d-%b-%Y %H:%M").to_string()
}

const fn sex(sex: Sex) -> &'static str {
    match sex {
        Sex::Male => "Male",
        Sex::Female => "Female",
        Sex::NotKnown => "Not known",
        Sex::NotSpecified => "Not specified",
    }
}
