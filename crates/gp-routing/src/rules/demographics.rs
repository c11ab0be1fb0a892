//! R7 to R11e and R13: at which practice is the patient registered today?

use chrono::TimeDelta;
use nhs_types::NhsNumber;

use super::identity::{paper_or_hold, r5_synthetic};
use super::{Ruled, Stop, Trail};
use crate::{
    Demographics, DemographicsPolicy, Lookup, PracticeSource, ReasonCode, WarningCode, due, folded,
};

/// The HTTP status of an answer that holds a record.
pub(super) const FOUND: u16 = 200;
/// An answer older than this was kept from before.
const FRESH_MINUTES: i64 = 15;
const UNRESTRICTED: &str = "U";

/// What the national record is for this decision.
enum Answer<'a> {
    /// A record that was compared with the letter and is of the same person.
    Person(&'a Demographics),
    /// The policy goes by the source.
    NotWanted,
    /// Out of reach for the moment.
    OutOfReach,
}

/// The practice's code as given, and who gave it.
pub(super) fn practice<'a>(
    trail: &mut Trail<'a>,
    number: &NhsNumber,
) -> Ruled<(Option<&'a str>, PracticeSource)> {
    let source = trail.case.patient.hospital_practice.as_deref();
    if trail.case.patient.deceased {
        trail.warn(WarningCode::PatientDeceased);
    }
    match answer(trail, number)? {
        Answer::Person(person) => {
            r11_restricted(Some(person))?;
            let code = r11cd_registered(trail, person)?;
            r13_source_differs(trail, code);
            Ok((Some(code), PracticeSource::Demographics))
        }
        Answer::NotWanted => Ok((source, PracticeSource::Source)),
        Answer::OutOfReach => {
            r8_fallback(trail)?;
            Ok((source, PracticeSource::HospitalFallback))
        }
    }
}

/// The record of the patient, compared with the letter, where one is asked for or given.
pub(super) fn person<'a>(
    trail: &mut Trail<'a>,
    number: &NhsNumber,
) -> Ruled<Option<&'a Demographics>> {
    match answer(trail, number)? {
        Answer::Person(person) => Ok(Some(person)),
        Answer::NotWanted => Ok(None),
        Answer::OutOfReach => Err(Stop::passing(ReasonCode::PdsUnavailable)),
    }
}

/// R7 to R10. An answer that was given counts even where the policy did not ask for it.
fn answer<'a>(trail: &mut Trail<'a>, number: &NhsNumber) -> Ruled<Answer<'a>> {
    let is_required = trail.case.policy.demographics == DemographicsPolicy::Required;
    let Some(person) = r7_fresh(trail)? else {
        return Ok(Answer::NotWanted);
    };
    match r8_status(person)? {
        Reach::Reached => {}
        Reach::Failed if is_required => return Ok(Answer::OutOfReach),
        Reach::Failed => return Ok(Answer::NotWanted),
    }
    trail.evidence.demographics_at = Some(person.fetched_at.unwrap_or(trail.case.now));
    trail
        .evidence
        .demographics_version
        .clone_from(&person.version);
    r9_superseded(trail, person, number)?;
    r10_same_person(trail, person)?;
    if person.deceased {
        trail.warn(WarningCode::PatientDeceased);
    }
    Ok(Answer::Person(person))
}

/// R7: asked on the day of the decision, or to be asked.
fn r7_fresh<'a>(trail: &mut Trail<'a>) -> Ruled<Option<&'a Demographics>> {
    let is_required = trail.case.policy.demographics == DemographicsPolicy::Required;
    let person = trail.case.demographics.as_ref();
    let fetched_at = person.and_then(|person| person.fetched_at);
    let is_of_today = fetched_at.is_none_or(|at| due::london_day(at) == trail.today);
    if is_required && (person.is_none() || !is_of_today) {
        return Err(Stop::need(
            ReasonCode::NeedDemographics,
            Lookup::Demographics,
        ));
    }
    let fresh = TimeDelta::minutes(FRESH_MINUTES);
    if fetched_at.is_some_and(|at| trail.case.now.signed_duration_since(at) > fresh) {
        trail.warn(WarningCode::PdsFromCache);
    }
    Ok(person)
}

enum Reach {
    Reached,
    Failed,
}

/// R8: the errors of gp-routing 7.3.
fn r8_status(person: &Demographics) -> Ruled<Reach> {
    let code = person.code.as_deref().unwrap_or_default();
    match (person.status, code) {
        (FOUND, "") => Ok(Reach::Reached),
        (_, "TOO_MANY_MATCHES") => Err(Stop::hold(ReasonCode::NhsnoUnverified)),
        (400, "INVALID_RESOURCE_ID") => Err(Stop::hold(ReasonCode::NhsnoInvalid)),
        (404, "INVALIDATED_RESOURCE") => Err(Stop::hold(ReasonCode::PdsInvalidated)),
        (404, _) => Err(Stop::hold(ReasonCode::PdsNotFound)),
        _ => Ok(Reach::Failed),
    }
}

/// R8: the hospital's own practice stands in only where the policy says so and it is recent.
fn r8_fallback(trail: &mut Trail<'_>) -> Ruled {
    let updated = trail.case.patient.hospital_practice_updated;
    let days = trail.case.policy.hospital_fallback_days;
    let is_recent = updated.zip(days).is_some_and(|(updated, days)| {
        updated <= trail.today && trail.today - updated <= TimeDelta::days(i64::from(days))
    });
    if !is_recent {
        return Err(Stop::passing(ReasonCode::PdsUnavailable));
    }
    trail.warn(WarningCode::UsedPasFallback);
    Ok(())
}

/// R9: another number in the answer replaces the one asked for. A record without a readable
/// number is nobody's.
fn r9_superseded(trail: &mut Trail<'_>, person: &Demographics, asked: &NhsNumber) -> Ruled {
    let recorded = person
        .nhs_number
        .as_ref()
        .map(|text| NhsNumber::parse(text.expose()));
    let Some(Ok(recorded)) = recorded else {
        return Err(Stop::hold(ReasonCode::PdsDemographicMismatch));
    };
    if recorded != *asked {
        trail.warn(WarningCode::PdsSuperseded);
    }
    r5_synthetic(trail, &recorded)
}

/// R10: date of birth and family name must both be there and agree (gp-routing 7.4).
fn r10_same_person(trail: &Trail<'_>, person: &Demographics) -> Ruled {
    let patient = &trail.case.patient;
    let born = patient.birth_date.is_some() && patient.birth_date == person.birth_date;
    let name = |text: Option<&nhs_types::Sensitive<String>>| {
        text.map(|text| folded::name(text.expose()))
            .filter(|name| !name.is_empty())
    };
    let (ours, theirs) = (name(patient.family.as_ref()), name(person.family.as_ref()));
    if born && ours.is_some() && ours == theirs {
        Ok(())
    } else {
        Err(Stop::hold(ReasonCode::PdsDemographicMismatch))
    }
}

/// R11: a restricted record; any code but `U` counts as one.
pub(super) fn r11_restricted(person: Option<&Demographics>) -> Ruled {
    let security = person
        .and_then(|person| person.security.as_deref())
        .unwrap_or(UNRESTRICTED);
    if security.trim() == UNRESTRICTED {
        Ok(())
    } else {
        Err(Stop::hold(ReasonCode::PdsRestricted))
    }
}

/// R11c and R11d: the practice at which the patient is registered today, or why there is none.
fn r11cd_registered<'a>(trail: &Trail<'_>, person: &'a Demographics) -> Ruled<&'a str> {
    let has_begun = person
        .practice_start
        .is_none_or(|start| start <= trail.today);
    let has_not_ended = person.practice_end.is_none_or(|end| end >= trail.today);
    let code = person
        .practice
        .as_deref()
        .filter(|code| !code.trim().is_empty());
    match code {
        Some(code) if has_begun && has_not_ended => Ok(code),
        _ => Err(r11c_removed(trail, person)),
    }
}

fn r11c_removed(trail: &Trail<'_>, person: &Demographics) -> Stop {
    match person.removal.as_deref().unwrap_or_default().trim() {
        "SCT" => paper_or_hold(trail, ReasonCode::DeregisteredSct),
        "NIT" => paper_or_hold(trail, ReasonCode::DeregisteredNit),
        "EMB" => Stop::hold(ReasonCode::DeregisteredEmb),
        "TRA" => Stop::hold(ReasonCode::DeregisteredTra),
        "ORR" => Stop::hold(ReasonCode::DeregisteredOrr),
        "DEA" => Stop::hold(ReasonCode::DeregisteredDea),
        _ => Stop::hold(ReasonCode::NoRegisteredPractice),
    }
}

/// R13: the source names another practice than the national record, which is followed.
fn r13_source_differs(trail: &mut Trail<'_>, recorded: &str) {
    let source = trail
        .case
        .patient
        .hospital_practice
        .as_deref()
        .unwrap_or_default()
        .trim();
    if !source.is_empty() && !source.eq_ignore_ascii_case(recorded.trim()) {
        trail.warn(WarningCode::PasPracticeDiffers);
    }
}
