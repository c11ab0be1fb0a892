//! One reading: the disposition, what the source says, and what was found.

mod conversion;
mod json;
mod judgement;

use nhs_types::{Finding, Location, Report};

use crate::{Disposition, Letter, Reason, SourceDocument, Warning};

/// What reading one message or document gave.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Reading {
    /// What becomes of it.
    pub disposition: Disposition,
    /// Why.
    pub reason: Reason,
    /// What the source says.
    pub document: SourceDocument,
    /// Everything that was found, with its place.
    pub findings: Report,
    /// What a person may want to know; the same as the warnings among the findings.
    pub warnings: Vec<Warning>,
    pub(crate) stops: Vec<Stop>,
    pub(crate) version: Option<String>,
}

/// Something that keeps a document from being sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    pub(crate) reason: Reason,
    pub(crate) disposition: Disposition,
}

/// What readers write down on their way.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) findings: Report,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) stops: Vec<Stop>,
}

impl Notes {
    pub(crate) fn warn(&mut self, warning: Warning, place: Location, message: &str) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
            self.findings
                .add(Finding::warning(warning.as_str(), place, message));
        }
    }

    pub(crate) fn stop(&mut self, reason: Reason, place: Location, message: &str) {
        self.stop_as(reason, reason.disposition(), place, message);
    }

    pub(crate) fn stop_as(
        &mut self,
        reason: Reason,
        disposition: Disposition,
        place: Location,
        message: &str,
    ) {
        self.stops.push(Stop {
            reason,
            disposition,
        });
        self.findings
            .add(Finding::error(reason.as_str(), place, message));
    }
}

impl Reading {
    /// Judges what was read: checks what every format has in common, and lets the gravest decide.
    pub(crate) fn judged(document: SourceDocument, notes: Notes) -> Self {
        let mut reading = Self {
            disposition: Disposition::Send,
            reason: Reason::Ok,
            document,
            findings: notes.findings,
            warnings: notes.warnings,
            stops: notes.stops,
            version: None,
        };
        reading.judge();
        reading
    }

    /// A reading of something that could not be read at all.
    pub(crate) fn refused(document: SourceDocument, mut notes: Notes, why: Refusal) -> Self {
        notes.stop(why.reason, why.place, &why.message);
        Self::judged(document, notes)
    }

    /// The letter, if nothing stands against sending it.
    ///
    /// # Errors
    ///
    /// The reading itself, when its disposition is not [`Disposition::Send`].
    #[expect(
        clippy::result_large_err,
        reason = "the reading is given back whole, to be kept"
    )]
    pub fn into_letter(self) -> Result<Letter, Self> {
        if self.disposition != Disposition::Send {
            return Err(self);
        }
        conversion::letter(&self.document, self.version.as_deref()).map_err(|_| self)
    }
}

/// Why a reader gave up.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    pub(crate) place: Location,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(reason: Reason, place: Location, message: impl Into<String>) -> Self {
        Self {
            reason,
            place,
            message: message.into(),
        }
    }
}
