//! A letter's head: pairs of label and value, and what they say.

use chrono::NaiveDate;
use nhs_types::{BirthDate, Location, Sensitive, Sex};

use crate::identity::Identity;
use crate::names::set_practice;
use crate::names::{name_and_code, nhs_digits, person, set_address, set_gp, set_patient_name};
use crate::reading::Notes;
use crate::{Encounter, Field, ReadOptions, Reason, SourceDocument, Warning, time};

/// Pairs in the order they stand. An empty value is no value.
#[derive(Default)]
pub(crate) struct Head {
    pairs: Vec<(Field, String)>,
}

impl Head {
    pub(crate) fn add(&mut self, pairs: impl IntoIterator<Item = (Field, String)>) {
        self.pairs.extend(pairs);
    }

    /// Adds a line that goes on with the last value.
    pub(crate) fn go_on(&mut self, line: &str) {
        if let Some((_, value)) = self.pairs.last_mut() {
            value.push('\n');
            value.push_str(line.trim());
        }
    }

    pub(crate) fn into_pairs(self) -> Vec<(Field, String)> {
        self.pairs
    }

    pub(crate) fn first(&self, field: Field) -> Option<&str> {
        self.all(field).next()
    }

    fn all(&self, field: Field) -> impl Iterator<Item = &str> {
        let of_field = self.pairs.iter().filter(move |(one, _)| *one == field);
        of_field
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// Whom this head is about. Two-digit years of birth need the day of the document.
    pub(crate) fn identity(&self, document: Option<NaiveDate>) -> Identity {
        let born = self.first(Field::BirthDate);
        Identity {
            nhs_number: self.first(Field::NhsNumber).and_then(nhs_digits),
            hospital_number: self
                .first(Field::HospitalNumber)
                .map(|number| Sensitive::new(number.to_owned())),
            family: self
                .first(Field::PatientName)
                .and_then(person)
                .map(|name| Sensitive::new(name.family)),
            born: born
                .and_then(|born| time::birth_day(born, document))
                .map(Sensitive::new),
        }
    }

    /// Writes what the head says into a document whose signature is already read.
    pub(crate) fn fill(
        &self,
        source: &mut SourceDocument,
        options: &ReadOptions,
        notes: &mut Notes,
    ) {
        self.fill_document(source);
        self.fill_patient(source, notes);
        self.fill_encounter(&mut source.encounter, options);
        if let Some(practice) = self.first(Field::Practice) {
            set_practice(&mut source.gp, practice);
        }
        if let Some(gp) = self.first(Field::Gp) {
            set_gp(&mut source.gp, gp);
        }
        if let Some((name, code)) = self.first(Field::Consultant).map(name_and_code) {
            source.author.name.get_or_insert_with(|| name.to_owned());
            let same = source.author.name.as_deref().map(str::to_lowercase);
            if same.as_deref() == Some(name.to_lowercase().as_str()) {
                source.author.id = code.map(str::to_owned);
            }
        }
        self.check_one_patient(notes);
    }

    fn fill_document(&self, source: &mut SourceDocument) {
        let facts = &mut source.document;
        if facts.unique_id.is_none() {
            facts.unique_id = self.first(Field::DocumentNumber).map(str::to_owned);
        }
        facts.document_date = [Field::EventDate, Field::Discharged, Field::Admitted]
            .into_iter()
            .find_map(|field| self.first(field).and_then(time::day))
            .or_else(|| facts.signed_at.map(|time| time.date_naive()));
    }

    fn fill_patient(&self, source: &mut SourceDocument, notes: &mut Notes) {
        let patient = &mut source.patient;
        if let Some(name) = self.first(Field::PatientName) {
            set_patient_name(patient, &name.replace('\n', " "));
        }
        patient.nhs_number = self.first(Field::NhsNumber).and_then(nhs_digits);
        patient.hospital_number = self
            .first(Field::HospitalNumber)
            .map(|number| Sensitive::new(number.to_owned()));
        patient.sex = self.first(Field::Sex).and_then(Sex::from_code);
        if let Some(address) = self.first(Field::Address) {
            set_address(patient, address);
        }
        let born = self.first(Field::BirthDate);
        let date = born.and_then(|born| time::birth_day(born, source.document.document_date));
        patient.dob = date.and_then(|date| BirthDate::from_date(date).ok());
        if born.is_some_and(|born| born.to_lowercase().contains("deceased")) {
            notes.warn(
                Warning::PatientDeceased,
                Location::Whole,
                "the patient has died",
            );
        }
    }

    fn fill_encounter(&self, encounter: &mut Encounter, options: &ReadOptions) {
        encounter.location = self.first(Field::Location).map(str::to_owned);
        encounter.class = self
            .first(Field::Status)
            .and_then(|status| options.encounter_classes.get(status).cloned());
        if encounter.class.as_deref() != Some("outpatient") {
            encounter.admitted = self.first(Field::Admitted).and_then(time::day);
        }
        encounter.discharged = self.first(Field::Discharged).and_then(time::day);
    }

    fn check_one_patient(&self, notes: &mut Notes) {
        let place = || Location::Named("head".to_owned());
        let mut numbers = self.all(Field::NhsNumber).map(nhs_digits);
        let first = numbers.next();
        if numbers.any(|number| Some(&number) != first.as_ref()) {
            let why = "the head gives two NHS numbers";
            notes.stop(Reason::NhsNumberConflict, place(), why);
        }
        let families = self.all(Field::PatientName).filter_map(person);
        let mut ids = self.all(Field::DocumentNumber);
        let first_id = ids.next();
        if ids.any(|id| Some(id) != first_id) {
            let why = "the document gives two numbers of its own";
            notes.stop(Reason::NoDocumentNumber, place(), why);
        }
        let mut families = families.map(|name| name.family.to_lowercase());
        let first = families.next();
        if families.any(|family| Some(&family) != first.as_ref()) {
            notes.stop(
                Reason::PatientMismatch,
                place(),
                "the head names two patients",
            );
        }
    }
}
