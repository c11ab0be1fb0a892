//! R11e and R12 to R12g: does the practice exist, and may it be written to?

use std::collections::BTreeSet;

use nhs_types::OdsCode;

use super::{GivenCode, Ruled, Stop, Trail};
use crate::practice_code::{has_practice_shape, is_channel_islands, practice_of_branch};
use crate::{
    Case, Practice, PracticeRef, PracticeSource, PracticeStatus, PracticeTable, PracticeType,
    ReasonCode, Successor, WarningCode,
};

/// A chain of mergers is followed this far (gp-routing section 6).
const SUCCESSORS_MAX: usize = 5;

/// The practice that takes the letter, from the code that was given for it.
pub(super) fn destination<'a>(
    trail: &mut Trail<'a>,
    given: Option<&str>,
    from: PracticeSource,
) -> Ruled<&'a Practice> {
    let code = r11e_real_code(given)?;
    let practice = r12_in_table(trail, &code)?;
    trail.reaches(practice, from);
    let practice = r12b_open(trail, practice, from)?;
    r12d_has_opened(trail, practice)?;
    r12e_denied(trail, practice.code())?;
    r12ef_type(trail, practice)?;
    r12g_islands(practice)?;
    table_age(trail)?;
    Ok(practice)
}

/// The same for a copy: an organisation that is no practice is only known to its mailbox.
pub(super) fn organisation<'a>(
    trail: &mut Trail<'a>,
    code: &OdsCode,
) -> Ruled<Option<&'a Practice>> {
    let from = PracticeSource::Recipient;
    r11e_real_code(Some(code.as_str()))?;
    let is_practice = trail.table.practice(code).is_some()
        || has_practice_shape(code.as_str())
        || practice_of_branch(code).is_some();
    if !is_practice {
        trail.evidence.practice_from = Some(from);
        trail.practice = Some(PracticeRef {
            code: code.clone(),
            name: None,
            status: None,
        });
        return r12e_denied(trail, code).map(|()| None);
    }
    let practice = r12_in_table(trail, code)?;
    trail.reaches(practice, from);
    let practice = r12b_open(trail, practice, from)?;
    r12d_has_opened(trail, practice)?;
    r12e_denied(trail, practice.code())?;
    r12f_secure(trail, practice)?;
    r12g_islands(practice)?;
    Ok(Some(practice))
}

/// Whether a code that was given stands for this practice, itself or by its successors.
pub(super) fn leads_to(
    case: &Case,
    table: &PracticeTable,
    given: Option<&str>,
    code: &OdsCode,
) -> bool {
    let Ok(given) = r11e_real_code(given) else {
        return false;
    };
    let mut aside = Trail::new(case, table);
    let practice = r12_in_table(&mut aside, &given);
    let practice =
        practice.and_then(|first| r12b_open(&mut aside, first, PracticeSource::Recipient));
    given == *code || practice.is_ok_and(|practice| practice.code() == code)
}

/// R11d and R11e: no code, a code that stands for nobody, a text that is no code.
fn r11e_real_code(given: Option<&str>) -> Ruled<OdsCode> {
    match GivenCode::read(given) {
        GivenCode::Code(code) => Ok(code),
        GivenCode::Blank => Err(Stop::hold(ReasonCode::NoRegisteredPractice)),
        GivenCode::Pseudo => Err(Stop::hold(ReasonCode::PracticePseudoCode)),
        GivenCode::Unreadable => Err(Stop::hold(ReasonCode::PracticeUnknown)),
    }
}

/// R12: in the table; a branch surgery stands for its practice (gp-routing 3.1).
fn r12_in_table<'a>(trail: &mut Trail<'a>, code: &OdsCode) -> Ruled<&'a Practice> {
    let table = trail.table;
    if let Some(practice) = table.practice(code) {
        return Ok(practice);
    }
    let practice = practice_of_branch(code).and_then(|practice| table.practice(&practice));
    if practice.is_some() {
        trail.warn(WarningCode::BranchCode);
    }
    practice.ok_or_else(|| Stop::hold(ReasonCode::PracticeUnknown))
}

/// R12b: a closed practice leads to its declared successor, or to a person.
fn r12b_open<'a>(
    trail: &mut Trail<'a>,
    first: &'a Practice,
    from: PracticeSource,
) -> Ruled<&'a Practice> {
    let mut practice = first;
    let mut seen = BTreeSet::new();
    while is_closed(trail, practice) {
        let is_new = seen.insert(practice.code());
        let successor = successor(trail, practice.code());
        let Some(successor) = successor.filter(|_| is_new && seen.len() <= SUCCESSORS_MAX) else {
            return Err(Stop::hold(ReasonCode::PracticeClosedNoSuccessor));
        };
        trail.evidence.succeeded_from.push(practice.code().clone());
        trail
            .evidence
            .successor_source
            .clone_from(&successor.source);
        practice = r12_in_table(trail, &successor.successor)?;
        trail.reaches(practice, from);
    }
    if practice.code() != first.code() {
        trail.warn(WarningCode::PracticeSucceeded);
    }
    Ok(practice)
}

fn is_closed(trail: &Trail<'_>, practice: &Practice) -> bool {
    practice.status() == PracticeStatus::Closed
        || practice
            .closed()
            .is_some_and(|closed| closed <= trail.today)
}

/// The one successor in force; two different ones are no declaration that can be followed.
fn successor<'a>(trail: &Trail<'a>, code: &OdsCode) -> Option<&'a Successor> {
    let declared = &trail.case.policy.successors;
    let mut in_force = declared
        .iter()
        .filter(|row| row.closed == *code && row.effective_from <= trail.today);
    let first = in_force.next()?;
    in_force
        .all(|row| row.successor == first.successor)
        .then_some(first)
}

/// R12d: proposed, or opening on a later day.
fn r12d_has_opened(trail: &Trail<'_>, practice: &Practice) -> Ruled {
    if practice.status() == PracticeStatus::Proposed || practice.opened() > trail.today {
        Err(Stop::hold(ReasonCode::PracticeNotOpen))
    } else {
        Ok(())
    }
}

/// R12e and R12f: patients are registered there (gp-routing 4.2).
fn r12ef_type(trail: &Trail<'_>, practice: &Practice) -> Ruled {
    let policy = &trail.case.policy;
    match practice.practice_type() {
        PracticeType::GpPractice => Ok(()),
        PracticeType::Secure => r12f_secure(trail, practice),
        _ if practice.is_island() || policy.allow_practices.contains(practice.code()) => Ok(()),
        PracticeType::Unclassified | PracticeType::OtherService => {
            Err(Stop::hold(ReasonCode::PracticeNotGpType))
        }
    }
}

/// R12e: a practice on the deny list, for whatever reason it stands there.
fn r12e_denied(trail: &Trail<'_>, code: &OdsCode) -> Ruled {
    if trail.case.policy.deny_practices.contains(code) {
        Err(Stop::hold(ReasonCode::PracticeNotGpType))
    } else {
        Ok(())
    }
}

/// R12f: prisons and other secure places only where the policy allows them.
fn r12f_secure(trail: &Trail<'_>, practice: &Practice) -> Ruled {
    let is_secure = practice.practice_type() == PracticeType::Secure;
    if is_secure && !trail.case.policy.allow_secure_settings {
        Err(Stop::hold(ReasonCode::PracticeSecureSetting))
    } else {
        Ok(())
    }
}

/// R12g: the Channel Islands get paper without a lookup.
fn r12g_islands(practice: &Practice) -> Ruled {
    if is_channel_islands(practice.code().as_str()) {
        Err(Stop::alt(ReasonCode::JurisdictionIslands))
    } else {
        Ok(())
    }
}

/// gp-routing 16: an old table warns; a stale one holds what the national record did not confirm.
fn table_age(trail: &mut Trail<'_>) -> Ruled {
    if trail.table_is_older_than(trail.case.policy.table_warn_days) {
        trail.warn(WarningCode::OdsStale);
    }
    let is_confirmed = trail.evidence.practice_from == Some(PracticeSource::Demographics);
    if trail.table_is_stale() && !is_confirmed {
        return Err(Stop::hold(ReasonCode::OdsStale));
    }
    Ok(())
}
