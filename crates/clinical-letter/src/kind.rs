use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The kind of a letter; open, as sites configure kinds of their own.
///
/// ```
/// # use clinical_letter::DocumentKind;
/// assert_eq!(DocumentKind::from("discharge-summary"), DocumentKind::DischargeSummary);
/// assert_eq!(DocumentKind::from("radiotherapy").as_str(), "radiotherapy");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DocumentKind {
    /// `discharge-summary`.
    DischargeSummary,
    /// `outpatient-letter`.
    OutpatientLetter,
    /// `ed-attendance`, the letter of an emergency department.
    EdAttendance,
    /// `hospital-letter`: a letter whose kind nobody told.
    HospitalLetter,
    /// A kind that a site configured.
    Other(String),
}

impl DocumentKind {
    /// The code used in JSON and configuration.
    pub fn as_str(&self) -> &str {
        match self {
            Self::DischargeSummary => "discharge-summary",
            Self::OutpatientLetter => "outpatient-letter",
            Self::EdAttendance => "ed-attendance",
            Self::HospitalLetter => "hospital-letter",
            Self::Other(code) => code,
        }
    }
}

impl DocumentKind {
    /// The title of a letter whose source gives none.
    pub(crate) const fn title(&self) -> &'static str {
        match self {
            Self::DischargeSummary => "Discharge Summary",
            Self::OutpatientLetter => "Clinic Letter",
            Self::EdAttendance => "Emergency Department Attendance",
            Self::HospitalLetter | Self::Other(_) => "Hospital Letter",
        }
    }
}

impl From<&str> for DocumentKind {
    fn from(code: &str) -> Self {
        match code {
            "discharge-summary" => Self::DischargeSummary,
            "outpatient-letter" => Self::OutpatientLetter,
            "ed-attendance" => Self::EdAttendance,
            "hospital-letter" => Self::HospitalLetter,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for DocumentKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for DocumentKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|code| Self::from(code.as_str()))
    }
}

/// How a document stands to an earlier one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Relation {
    /// Stands for itself.
    #[default]
    New,
    /// Adds to its parent, which stays valid.
    Addendum,
    /// Takes the place of its parent.
    Replacement,
    /// Takes a document back.
    Cancel,
    /// Brings a new status, perhaps with the content again, under the same number.
    StatusChange,
    /// Brings new content under the same number.
    Edit,
}

/// How far the source says a document is (HL7 table 0271, and what text and Word can tell).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Completion {
    /// `AU`, or a signature line.
    Authenticated,
    /// `LA`.
    LegallyAuthenticated,
    /// `DO`.
    Documented,
    /// `DI`, or dictated and not signed.
    Dictated,
    /// A draft banner.
    Draft,
    /// `IP`.
    InProgress,
    /// `IN`.
    Incomplete,
    /// `PA`, which is not signed.
    PreAuthenticated,
    /// OBR-25 `F` or `C`.
    Final,
    /// Any other status of a report.
    Preliminary,
}

impl Completion {
    /// Whether somebody has signed (source-documents section 5, release rule).
    pub const fn is_signed(self) -> bool {
        matches!(
            self,
            Self::Authenticated | Self::LegallyAuthenticated | Self::Final
        )
    }
}
