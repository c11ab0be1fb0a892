use std::borrow::Cow;
use std::fmt;

/// The id of the rule a finding comes from, such as `K-S06`, `R12b` or a reader's code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(Cow<'static, str>);

impl RuleId {
    /// Names a rule.
    pub const fn new(id: &'static str) -> Self {
        Self(Cow::Borrowed(id))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[cfg(feature = "serde")]
    pub(crate) const fn from_owned(id: String) -> Self {
        Self(Cow::Owned(id))
    }
}

impl From<&'static str> for RuleId {
    fn from(id: &'static str) -> Self {
        Self::new(id)
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How much a finding weighs; ordered from light to grave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "callers decide on each of the three weights"
)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Goes on, but someone should look.
    Warning,
    /// Stops the document or message it was found in.
    Error,
}

impl Severity {
    /// The word used in JSON: `note`, `warning` or `error`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where in the input a finding was made. It names a position, never the content found there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Location {
    /// The whole document or message.
    Whole,
    /// A line of text, counted from 1.
    Line(u64),
    /// A byte, counted from 0.
    Offset(u64),
    /// A named place: an element path (`PatientMatchingInfo/BirthDate`), a segment and field
    /// (`OBX[2]-5`), a part and paragraph (`word/document.xml p12`), a column.
    Named(String),
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("whole"),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Offset(offset) => write!(f, "byte {offset}"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

/// One thing found in an input: which rule, how grave, where, and what to do about it.
///
/// The message speaks of fields, limits and codes. It never repeats a patient's data, so that
/// findings may stand in logs, reports and error messages.
///
/// ```
/// # use nhs_types::{Finding, Location, Severity};
/// let finding = Finding::error("K-V05", Location::Line(4), "the check digit does not hold");
/// assert_eq!(finding.to_string(), "error K-V05 at line 4: the check digit does not hold");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// Its weight here.
    pub severity: Severity,
    /// The position in the input.
    pub place: Location,
    /// What was expected and what was met, in words.
    pub message: String,
}

impl Finding {
    /// Makes a finding.
    pub fn new(
        rule: impl Into<RuleId>,
        severity: Severity,
        place: Location,
        message: impl Into<String>,
    ) -> Self {
        Self {
            rule: rule.into(),
            severity,
            place,
            message: message.into(),
        }
    }

    /// Makes a finding that stops.
    pub fn error(rule: impl Into<RuleId>, place: Location, message: impl Into<String>) -> Self {
        Self::new(rule, Severity::Error, place, message)
    }

    /// Makes a finding that lets go on.
    pub fn warning(rule: impl Into<RuleId>, place: Location, message: impl Into<String>) -> Self {
        Self::new(rule, Severity::Warning, place, message)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} at {}: {}",
            self.severity, self.rule, self.place, self.message
        )
    }
}

/// All findings about one input, in the order they were made.
///
/// ```
/// # use nhs_types::{Finding, Location, Report, Severity};
/// let mut report = Report::new();
/// report.add(Finding::warning("K-W07", Location::Whole, "C1 bytes in ISO 8859-1"));
/// assert!(!report.has_errors());
/// assert_eq!(report.gravest(), Some(Severity::Warning));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report(Vec<Finding>);

impl Report {
    /// An empty report.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a finding.
    pub fn add(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// The findings.
    pub fn findings(&self) -> &[Finding] {
        &self.0
    }

    /// Whether a finding stops the input.
    pub fn has_errors(&self) -> bool {
        self.gravest() == Some(Severity::Error)
    }

    /// The weight of the gravest finding, if there is one.
    pub fn gravest(&self) -> Option<Severity> {
        self.0.iter().map(|finding| finding.severity).max()
    }

    /// Whether a rule was broken anywhere.
    pub fn holds(&self, rule: &str) -> bool {
        self.0.iter().any(|finding| finding.rule.as_str() == rule)
    }

    /// Whether nothing was found.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Extend<Finding> for Report {
    fn extend<I: IntoIterator<Item = Finding>>(&mut self, findings: I) {
        self.0.extend(findings);
    }
}

impl FromIterator<Finding> for Report {
    fn from_iter<I: IntoIterator<Item = Finding>>(findings: I) -> Self {
        Self(findings.into_iter().collect())
    }
}

impl IntoIterator for Report {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(severity: Severity) -> Finding {
        Finding::new(
            "T-01",
            severity,
            Location::Named("OBX[2]-5".into()),
            "as planted",
        )
    }

    #[test]
    fn the_gravest_finding_decides() {
        let report: Report = [Severity::Warning, Severity::Error, Severity::Note]
            .map(finding)
            .into_iter()
            .collect();
        assert_eq!(report.gravest(), Some(Severity::Error));
        assert!(report.has_errors());
        assert!(report.holds("T-01") && !report.holds("T-02"));
        assert_eq!(report.into_iter().count(), 3);
    }

    #[test]
    fn an_empty_report_says_so() {
        assert!(Report::new().is_empty());
        assert_eq!(Report::new().gravest(), None);
    }

    #[test]
    fn places_read_well() {
        let shown =
            [Location::Whole, Location::Line(3), Location::Offset(9)].map(|p| p.to_string());
        assert_eq!(shown, ["whole", "line 3", "byte 9"]);
        assert_eq!(
            finding(Severity::Note).to_string(),
            "note T-01 at OBX[2]-5: as planted"
        );
    }
}
