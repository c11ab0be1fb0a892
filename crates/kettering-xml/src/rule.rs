use nhs_types::{Finding, Location, Report, Severity};

use crate::{Limits, Mode, Profile};

/// A rule of the format with its weight when a message is built and when it is read leniently
/// (kettering-xml facts, section 15). `None`: cannot happen, or is not asked there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) id: &'static str,
    build: Option<Severity>,
    parse: Option<Severity>,
}

const E: Option<Severity> = Some(Severity::Error);
const W: Option<Severity> = Some(Severity::Warning);

const fn rule(id: &'static str, build: Option<Severity>, parse: Option<Severity>) -> Rule {
    Rule { id, build, parse }
}

/// Well-formed, complete, one root.
pub(crate) const W01: Rule = rule("K-W01", E, E);
/// No character that XML forbids.
pub(crate) const W02: Rule = rule("K-W02", E, W);
/// Bytes valid in the declared encoding.
pub(crate) const W03: Rule = rule("K-W03", E, W);
/// Predefined entities and numeric references only.
pub(crate) const W04: Rule = rule("K-W04", E, W);
/// No internal subset of a DOCTYPE.
pub(crate) const W05: Rule = rule("K-W05", E, E);
/// Within the caps of [`Limits`].
pub(crate) const W06: Rule = rule("K-W06", E, E);
/// C1 bytes in ISO 8859-1, or C1 characters in text.
pub(crate) const W07: Rule = rule("K-W07", W, W);
/// Root `ReportMsg` without namespace.
pub(crate) const S01: Rule = rule("K-S01", E, E);
/// Required element there and not empty.
pub(crate) const S02: Rule = rule("K-S02", E, W);
/// Single elements not repeated.
pub(crate) const S03: Rule = rule("K-S03", E, W);
/// Order of the elements.
pub(crate) const S04: Rule = rule("K-S04", E, W);
/// No unknown elements or attributes.
pub(crate) const S05: Rule = rule("K-S05", E, W);
/// `Parties` or `AgentsDirectory`.
pub(crate) const S06: Rule = rule("K-S06", E, E);
/// Requester and provider resolve, and differ.
pub(crate) const S07: Rule = rule("K-S07", E, W);
/// Exactly one `TextItem` with one `TextBlock`.
pub(crate) const S09: Rule = rule("K-S09", E, W);
/// Dates.
pub(crate) const V02: Rule = rule("K-V02", E, W);
/// Day and month swapped.
pub(crate) const V03: Rule = rule("K-V03", E, W);
/// Ten digits.
pub(crate) const V04: Rule = rule("K-V04", E, W);
/// Modulus 11.
pub(crate) const V05: Rule = rule("K-V05", E, W);
/// The dummy number.
pub(crate) const V06: Rule = rule("K-V06", E, W);
/// `IdType` known, in its exact case.
pub(crate) const V07: Rule = rule("K-V07", E, W);
/// Lengths.
pub(crate) const V08: Rule = rule("K-V08", E, W);
/// Values of code lists.
pub(crate) const V09: Rule = rule("K-V09", E, W);
/// `Term30` or `Term60`.
pub(crate) const V10: Rule = rule("K-V10", E, W);
/// End of the event not before its start.
pub(crate) const V11: Rule = rule("K-V11", E, W);
/// Birth not after the event.
pub(crate) const V12: Rule = rule("K-V12", E, W);
/// Shape of an ODS code.
pub(crate) const V13: Rule = rule("K-V13", E, W);
/// Shape of a GMP code.
pub(crate) const V14: Rule = rule("K-V14", W, W);
/// `ServiceEventType` of the closed list.
pub(crate) const V15: Rule = rule("K-V15", E, W);
/// `ReportSourceType` is 0 to 9999.
pub(crate) const V16: Rule = rule("K-V16", E, W);
/// The sender's clinician or the responsible one is named.
pub(crate) const V17: Rule = rule("K-V17", E, W);
/// The department is named.
pub(crate) const V18: Rule = rule("K-V18", E, W);
/// The payload is not empty.
pub(crate) const P01: Rule = rule("K-P01", E, E);
/// Base64 decodes.
pub(crate) const P02: Rule = rule("K-P02", E, E);
/// The receiver takes this kind of payload.
pub(crate) const P03: Rule = rule("K-P03", E, None);
/// The payload's size.
pub(crate) const P04: Rule = rule("K-P04", E, W);
/// The payload's kind is recognised, and encoded once.
pub(crate) const P05: Rule = rule("K-P05", E, W);
/// The markup indicator is the fixed text.
pub(crate) const P06: Rule = rule("K-P06", E, W);
/// HTML is safe for the receiver.
pub(crate) const P07: Rule = rule("K-P07", W, W);
/// A PDF is not encrypted.
pub(crate) const P09: Rule = rule("K-P09", E, W);
/// A PDF or TIFF is complete.
pub(crate) const P10: Rule = rule("K-P10", E, W);
/// Ours: what was written reads back as what was meant.
pub(crate) const BACK: Rule = rule("K-BACK", E, None);

/// Why a message is looked at: it decides how much a broken rule weighs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose<'a> {
    Build(&'a Profile),
    Parse(Mode),
}

impl<'a> Purpose<'a> {
    pub(crate) const fn profile(self) -> Option<&'a Profile> {
        match self {
            Self::Build(profile) => Some(profile),
            Self::Parse(_) => None,
        }
    }

    pub(crate) const fn is_lenient(self) -> bool {
        matches!(self, Self::Parse(Mode::Lenient))
    }

    /// Reading strictly asks: would a careful sender have sent this?
    const fn weigh(self, rule: Rule) -> Option<Severity> {
        match self {
            Self::Build(_) => rule.build,
            Self::Parse(Mode::Lenient) => rule.parse,
            Self::Parse(Mode::Strict) if rule.parse.is_none() => None,
            Self::Parse(Mode::Strict) => rule.build,
        }
    }
}

/// Findings under way, graded by the purpose.
#[derive(Debug)]
pub(crate) struct Findings<'a> {
    pub(crate) purpose: Purpose<'a>,
    report: Report,
    beyond: u64,
}

impl<'a> Findings<'a> {
    pub(crate) const fn new(purpose: Purpose<'a>) -> Self {
        Self {
            purpose,
            report: Report::new(),
            beyond: 0,
        }
    }

    pub(crate) fn add(&mut self, rule: Rule, place: &str, message: impl Into<String>) {
        if let Some(severity) = self.purpose.weigh(rule) {
            self.add_as(rule, severity, place, message);
        }
    }

    pub(crate) fn add_as(
        &mut self,
        rule: Rule,
        severity: Severity,
        place: &str,
        message: impl Into<String>,
    ) {
        // Errors are never among those that are only counted: they decide.
        let full = self.report.findings().len() >= Limits::FINDINGS_MAX;
        if full && (severity < Severity::Error || self.report.has_errors()) {
            self.beyond += 1;
            return;
        }
        let place = match place {
            "" => Location::Whole,
            named => Location::Named(named.to_owned()),
        };
        self.report
            .add(Finding::new(rule.id, severity, place, message));
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.report.has_errors()
    }

    pub(crate) fn into_report(mut self) -> Report {
        if self.beyond > 0 {
            let message = format!("{} more findings are not listed", self.beyond);
            let finding = Finding::warning(W06.id, Location::Whole, message);
            self.report.add(finding);
        }
        self.report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(warnings: usize) -> Findings<'static> {
        let mut findings = Findings::new(Purpose::Parse(Mode::Lenient));
        for _ in 0..warnings {
            findings.add(V09, "Sex", "planted");
        }
        findings
    }

    #[test]
    fn findings_at_their_limit() {
        let at = with(Limits::FINDINGS_MAX).into_report();
        assert_eq!(at.findings().len(), Limits::FINDINGS_MAX);
        let past = with(Limits::FINDINGS_MAX + 2).into_report();
        assert_eq!(past.findings().len(), Limits::FINDINGS_MAX + 1);
        let last = past.into_iter().next_back().unwrap();
        assert_eq!(last.message, "2 more findings are not listed");
    }

    #[test]
    fn an_error_is_never_only_counted() {
        let mut findings = with(Limits::FINDINGS_MAX + 1);
        findings.add(P01, "", "planted");
        assert!(findings.has_errors());
    }

    #[test]
    fn strict_reading_weighs_as_building_does() {
        let strict = Purpose::Parse(Mode::Strict);
        let lenient = Purpose::Parse(Mode::Lenient);
        assert_eq!((strict.weigh(V05), lenient.weigh(V05)), (E, W));
        assert_eq!((strict.weigh(P01), lenient.weigh(P01)), (E, E));
        assert_eq!((strict.weigh(P03), lenient.weigh(P03)), (None, None));
        assert_eq!((strict.weigh(V14), lenient.weigh(V14)), (W, W));
    }
}
