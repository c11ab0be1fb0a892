//! The checks that every format has in common, and which of all stops decides.

use nhs_types::{Location, NhsNumber};

use super::{Notes, Reading, Stop, conversion};
use crate::{Completion, Disposition, Reason, Relation};

impl Reading {
    /// Decides anew from the document and the stops of its reader. What the common checks found
    /// before is dropped, so that a sidecar may fill what was missing.
    pub(crate) fn judge(&mut self) {
        let mut notes = Notes::default();
        if !self.is_unreadable() {
            self.check_identity(&mut notes);
            self.check_status(&mut notes);
            self.check_rest(&mut notes);
        }
        self.forget_common_findings();
        let decided = self
            .stops
            .iter()
            .chain(&notes.stops)
            .max_by(|a, b| weight(**a).cmp(&weight(**b)))
            .copied();
        self.findings.extend(notes.findings);
        self.disposition = decided.map_or(Disposition::Send, |stop| stop.disposition);
        self.reason = decided.map_or(Reason::Ok, |stop| stop.reason);
    }

    fn is_unreadable(&self) -> bool {
        self.stops.iter().any(|stop| {
            stop.disposition == Disposition::Reject
                || matches!(stop.reason, Reason::UnsupportedFormat | Reason::Encrypted)
        })
    }

    fn forget_common_findings(&mut self) {
        let stops = &self.stops;
        let kept = std::mem::take(&mut self.findings)
            .into_iter()
            .filter(|finding| {
                finding.place != Location::Named(COMMON.to_owned())
                    || stops
                        .iter()
                        .any(|stop| stop.reason.as_str() == finding.rule.as_str())
            })
            .collect();
        self.findings = kept;
    }

    fn check_identity(&self, notes: &mut Notes) {
        let patient = &self.document.patient;
        match patient
            .nhs_number
            .as_ref()
            .map(|number| NhsNumber::parse(number.expose()))
        {
            None => stop(notes, Reason::NoPatient, "no NHS number is given"),
            Some(Err(why)) => stop(notes, Reason::NhsNumberInvalid, &why.to_string()),
            Some(Ok(_)) => {}
        }
        if patient.family.is_none() {
            stop(notes, Reason::NoPatient, "no family name is given");
        }
        if patient.dob.is_none() {
            let why = "no date of birth is given that is a calendar day before the document's";
            stop(notes, Reason::BirthDateInvalid, why);
        }
    }

    fn check_status(&self, notes: &mut Notes) {
        let facts = &self.document.document;
        if facts.relation == Relation::Cancel {
            return;
        }
        if facts.completion == Some(Completion::Preliminary) {
            stop(notes, Reason::NotFinal, "the report is not final");
            return;
        }
        let signed = facts.completion.is_some_and(Completion::is_signed);
        if signed && facts.signed_at.is_none() {
            let why = "the document is marked as signed, but no time of signing is given";
            stop(notes, Reason::SignatureUnclear, why);
        } else if facts.completion.is_none() && self.document.unread_signature {
            let why = "a signature line stands where none is read: text follows that is no footer";
            stop(notes, Reason::SignatureUnclear, why);
        } else if !signed {
            stop(
                notes,
                Reason::NotAuthenticated,
                "the document is not signed",
            );
        }
        if facts.unique_id.is_none() {
            stop(
                notes,
                Reason::NoDocumentNumber,
                "no document number is given",
            );
        }
    }

    fn check_rest(&self, notes: &mut Notes) {
        if self.document.restricted {
            let why = "the source says that it is not to be released to the GP";
            stop(notes, Reason::Restricted, why);
        }
        if self.document.gp.practice_code.is_none() {
            stop(
                notes,
                Reason::NoGpPractice,
                "no code of a practice is given",
            );
        }
        let nothing_yet = notes.stops.is_empty() && self.stops.is_empty();
        if nothing_yet && let Err(why) = conversion::letter(&self.document, None) {
            stop(notes, why.reason(), &why.to_string());
        }
    }
}

const COMMON: &str = "document";

fn stop(notes: &mut Notes, reason: Reason, message: &str) {
    notes.stop(reason, Location::Named(COMMON.to_owned()), message);
}

/// Orders stops: the graver disposition first, then the earlier check (source-documents section
/// 8). Duplicates stand between suppress and reject, as they need no one.
fn weight(stop: Stop) -> (u8, std::cmp::Reverse<Reason>) {
    let grave = match stop.disposition {
        Disposition::Send => 0,
        Disposition::Hold => 1,
        Disposition::Withdraw => 2,
        Disposition::Suppress => 3,
        Disposition::Duplicate => 4,
        Disposition::Reject => 5,
    };
    (grave, std::cmp::Reverse(stop.reason))
}
