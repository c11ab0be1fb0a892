use chrono::NaiveDate;
use nhs_types::OdsCode;
use serde::Serialize;

/// One practice of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Practice {
    pub(super) code: OdsCode,
    pub(super) status: PracticeStatus,
    pub(super) practice_type: PracticeType,
    pub(super) is_island: bool,
    pub(super) opened: NaiveDate,
    pub(super) closed: Option<NaiveDate>,
    /// Name, address lines, postcode and geography, parted by line ends: one allocation a row.
    pub(super) texts: Box<str>,
}

/// Whether a practice works, as the table says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(
    clippy::exhaustive_enums,
    reason = "a caller that forgets a status might send to a closed practice"
)]
pub enum PracticeStatus {
    /// Open.
    Active,
    /// Closed for good; its code is never used again.
    Closed,
    /// Nobody works there for now; it may come back.
    Dormant,
    /// Not open yet.
    Proposed,
}

/// What a row of the table is, by its prescribing setting or its roles (gp-routing 4.1, 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PracticeType {
    /// A GP practice: setting 4, or role RO76.
    GpPractice,
    /// A prison or another secure place: settings 16, 17, 18, 19 and 25.
    Secure,
    /// Setting 0 of the legacy file: island practices and special allocation schemes, among others.
    Unclassified,
    /// A service at which patients are not registered.
    OtherService,
}

impl Practice {
    /// The code.
    pub const fn code(&self) -> &OdsCode {
        &self.code
    }

    /// The name, in capitals as published.
    pub fn name(&self) -> &str {
        self.text(0)
    }

    /// Whether it works.
    pub const fn status(&self) -> PracticeStatus {
        self.status
    }

    /// What it is.
    pub const fn practice_type(&self) -> PracticeType {
        self.practice_type
    }

    /// The first day.
    pub const fn opened(&self) -> NaiveDate {
        self.opened
    }

    /// The last day, where it closed.
    pub const fn closed(&self) -> Option<NaiveDate> {
        self.closed
    }

    /// The postcode; empty where none is published.
    pub fn postcode(&self) -> &str {
        self.text(1)
    }

    /// The code of the health geography it lies in, such as `QHM`, or `YAC` for the Isle of Man.
    pub fn geography(&self) -> &str {
        self.text(2)
    }

    /// The lines of its postal address that are not empty, without name and postcode.
    pub fn address_lines(&self) -> impl Iterator<Item = &str> {
        self.texts.split('\n').skip(3)
    }

    /// Whether it lies on the Isle of Man or in the Channel Islands (geographies `YAC` to `YAF`).
    pub const fn is_island(&self) -> bool {
        self.is_island
    }

    pub(super) fn is_active_gp_practice(&self) -> bool {
        self.status == PracticeStatus::Active && self.practice_type == PracticeType::GpPractice
    }

    fn text(&self, index: usize) -> &str {
        self.texts.split('\n').nth(index).unwrap_or_default()
    }
}
