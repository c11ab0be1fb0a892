//! R3 to R6 and the number's status: is it known who the patient is?

use nhs_types::{NhsNumber, NhsNumberRange, ParseNhsNumberError};

use super::{Ruled, Stop, Trail};
use crate::{Demographics, DemographicsPolicy, ReasonCode};

/// NHS NUMBER STATUS INDICATOR CODE (gp-routing 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NumberStatus {
    /// `01`, or not told: the national record confirms it where the policy asks for that.
    Usable,
    /// `02` and `03`: to be traced before use.
    ToBeTraced,
    /// `04`, `05`, `06` and any code that is not known: a trace failed, conflicts or runs.
    Unverified,
    /// `07` and `08`: there is no number.
    NoNumber,
}

/// R3, R4, R5 and the status: a number that may be relied on.
pub(super) fn number(trail: &Trail<'_>) -> Ruled<NhsNumber> {
    let number = r3_r4_number(trail)?;
    r5_synthetic(trail, &number)?;
    number_status(trail)?;
    series_in_use(trail, &number)?;
    Ok(number)
}

/// R3: no number. R4: a number that cannot be one.
fn r3_r4_number(trail: &Trail<'_>) -> Ruled<NhsNumber> {
    let given = trail.case.patient.nhs_number.as_ref();
    let text = given
        .map(|number| number.expose().as_str())
        .unwrap_or_default();
    NhsNumber::parse(text).map_err(|error| match error {
        ParseNhsNumberError::Empty => Stop::hold(ReasonCode::NhsnoMissing),
        _ => Stop::hold(ReasonCode::NhsnoInvalid),
    })
}

/// R5: numbers of test series stay out of production.
pub(super) fn r5_synthetic(trail: &Trail<'_>, number: &NhsNumber) -> Ruled {
    if number.range() == NhsNumberRange::Synthetic && !trail.case.policy.allow_synthetic {
        return Err(Stop::hold(ReasonCode::NhsnoSynthetic));
    }
    Ok(())
}

/// gp-routing 2.4: what the hospital knows about the number.
fn number_status(trail: &Trail<'_>) -> Ruled {
    match status(trail.case.patient.number_status.as_deref()) {
        NumberStatus::Usable => Ok(()),
        NumberStatus::ToBeTraced if is_confirmed_nationally(trail) => Ok(()),
        NumberStatus::ToBeTraced | NumberStatus::Unverified => {
            Err(Stop::hold(ReasonCode::NhsnoUnverified))
        }
        NumberStatus::NoNumber => Err(Stop::hold(ReasonCode::NhsnoMissing)),
    }
}

fn status(code: Option<&str>) -> NumberStatus {
    match code.unwrap_or_default().trim() {
        "" | "01" => NumberStatus::Usable,
        "02" | "03" => NumberStatus::ToBeTraced,
        "07" | "08" => NumberStatus::NoNumber,
        _ => NumberStatus::Unverified,
    }
}

/// A series that is not in use, or of the Republic of Ireland, needs the national record to
/// confirm it; the series alone refuses nothing (gp-routing 2.3).
fn series_in_use(trail: &Trail<'_>, number: &NhsNumber) -> Ruled {
    match number.range() {
        NhsNumberRange::EnglandWalesIsleOfMan
        | NhsNumberRange::Scotland
        | NhsNumberRange::NorthernIreland
        | NhsNumberRange::Synthetic => Ok(()),
        _ if is_confirmed_nationally(trail) => Ok(()),
        _ => Err(Stop::hold(ReasonCode::NhsnoUnverified)),
    }
}

/// Whether the national record is asked, and compared, before anything goes out.
fn is_confirmed_nationally(trail: &Trail<'_>) -> bool {
    let is_answer = |person: &Demographics| person.status == super::demographics::FOUND;
    trail.case.policy.demographics == DemographicsPolicy::Required
        || trail.case.demographics.as_ref().is_some_and(is_answer)
}

/// R6: numbers of Scotland and Northern Ireland; MESH does not reach their practices.
pub(super) fn r6_jurisdiction(trail: &Trail<'_>, number: &NhsNumber) -> Ruled {
    let reason = match number.range() {
        NhsNumberRange::Scotland => ReasonCode::JurisdictionScotland,
        NhsNumberRange::NorthernIreland => ReasonCode::JurisdictionNi,
        _ => return Ok(()),
    };
    Err(paper_or_hold(trail, reason))
}

/// Paper where the practice's address is known, else a person.
pub(super) fn paper_or_hold(trail: &Trail<'_>, reason: ReasonCode) -> Stop {
    if trail.case.patient.practice_address_known {
        Stop::alt(reason)
    } else {
        Stop::hold(reason)
    }
}
