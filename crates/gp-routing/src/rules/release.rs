//! R1, R2, R2b, R2c: may the letter go at all, and to the GP?

use nhs_types::OdsCode;

use super::{Ruled, Stop, Trail, practice};
use crate::{GpCopy, ReasonCode};

/// R1: a letter that nobody signed goes nowhere.
pub(super) fn r1_signed_off(trail: &Trail<'_>) -> Ruled {
    if trail.case.letter.signed_off {
        Ok(())
    } else {
        Err(Stop::hold(ReasonCode::NotSignedOff))
    }
}

/// R2 and R2b: a declined copy is withheld when it is told by whom, when and why.
///
/// A decline beside a flag that does not say "declined" is a contradiction, and held.
pub(super) fn r2_gp_copy(trail: &Trail<'_>) -> Ruled {
    let letter = &trail.case.letter;
    match (letter.gp_copy, &letter.decline) {
        (GpCopy::Declined, Some(decline)) if decline.is_complete() => {
            Err(Stop::withhold(ReasonCode::GpCopyDeclined))
        }
        (GpCopy::Declined, _) | (_, Some(_)) => Err(Stop::hold(ReasonCode::DeclineUnevidenced)),
        (GpCopy::Send | GpCopy::Unset, None) => Ok(()),
    }
}

/// R2 for a copy that names the patient's own practice: the decline is not got round that way.
pub(super) fn r2_copy_is_the_gps(trail: &Trail<'_>, code: &OdsCode) -> Ruled {
    let case = trail.case;
    let recorded = case
        .demographics
        .as_ref()
        .and_then(|person| person.practice.as_deref());
    let named = [recorded, case.patient.hospital_practice.as_deref()];
    if named
        .into_iter()
        .any(|given| practice::leads_to(case, trail.table, given, code))
    {
        r2_gp_copy(trail)
    } else {
        Ok(())
    }
}

/// R2c: a letter of a sensitive specialty needs recorded consent.
pub(super) fn r2c_consent(trail: &Trail<'_>) -> Ruled {
    let letter = &trail.case.letter;
    let required = &trail.case.policy.consent_required_specialties;
    let is_sensitive = letter.specialty.as_deref().is_some_and(|specialty| {
        required
            .iter()
            .any(|code| code.trim().eq_ignore_ascii_case(specialty.trim()))
    });
    if is_sensitive && letter.consent != Some(true) {
        Err(Stop::hold(ReasonCode::SensitiveNeedsDecision))
    } else {
        Ok(())
    }
}

/// Copies to patients are off unless the trust turned them on (gp-routing section 10).
pub(super) fn patient_copies(trail: &Trail<'_>) -> Ruled {
    if trail.case.policy.patient_copies {
        Ok(())
    } else {
        Err(Stop::withhold(ReasonCode::PatientCopySuppressed))
    }
}
