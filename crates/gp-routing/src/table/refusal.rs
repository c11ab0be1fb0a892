use nhs_types::{Finding, Location};

/// A practice file that is not to be used: what is wrong, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("practice table refused, {} found: {}", counted(.findings.len()), first(.findings))]
#[non_exhaustive]
pub struct TableRefused {
    /// The faults, in the order of the file; at most 20 of them.
    pub findings: Vec<Finding>,
}

/// From this many faults on the rest of the file is not looked at.
pub(super) const FINDINGS_MAX: usize = 20;

/// Collects faults up to [`FINDINGS_MAX`].
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Finding>);

impl Faults {
    pub(super) fn add(&mut self, rule: &'static str, place: Location, message: impl Into<String>) {
        if !self.is_full() {
            self.0.push(Finding::error(rule, place, message));
        }
    }

    pub(super) const fn is_full(&self) -> bool {
        self.0.len() >= FINDINGS_MAX
    }

    pub(super) fn into_result(self) -> Result<(), TableRefused> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(TableRefused { findings: self.0 })
        }
    }
}

impl TableRefused {
    pub(super) fn one(rule: &'static str, place: Location, message: impl Into<String>) -> Self {
        Self {
            findings: vec![Finding::error(rule, place, message)],
        }
    }
}

fn counted(faults: usize) -> String {
    match faults {
        1 => String::from("1 fault"),
        FINDINGS_MAX => format!("{FINDINGS_MAX} faults or more"),
        faults => format!("{faults} faults"),
    }
}

fn first(findings: &[Finding]) -> String {
    findings
        .first()
        .map(ToString::to_string)
        .unwrap_or_default()
}
