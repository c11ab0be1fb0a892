mod practice;
mod read;
mod refusal;
mod row;

use chrono::NaiveDate;
use nhs_types::OdsCode;

pub use practice::{Practice, PracticeStatus, PracticeType};
pub use refusal::TableRefused;

/// All practices of one practice file, checked as a whole and found by code.
///
/// It is read from `epraccur` in the legacy or in the newer dialect (gp-routing section 4). A
/// file that is wrong anywhere is refused whole, so that the table in use stays.
///
/// ```
/// use gp_routing::{PracticeStatus, PracticeTable, SAMPLE_TABLE, TableLimits};
/// use nhs_types::OdsCode;
///
/// let limits = TableLimits::at_least(1);
/// let table = PracticeTable::read(SAMPLE_TABLE.as_bytes(), &limits)?;
/// let practice = table.practice(&OdsCode::parse("Y99901").unwrap()).unwrap();
/// assert_eq!(practice.name(), "HAWTHORN MEDICAL CENTRE");
/// assert_eq!(practice.status(), PracticeStatus::Active);
///
/// let cut_short = &SAMPLE_TABLE.as_bytes()[..1_000];
/// assert!(PracticeTable::read(cut_short, &limits).is_err());
/// # Ok::<(), gp_routing::TableRefused>(())
/// ```
#[derive(Clone, Debug)]
pub struct PracticeTable {
    /// Sorted; `practices` has the same order.
    keys: Vec<u128>,
    practices: Vec<Practice>,
    dialect: Dialect,
    digest: String,
    date: Option<NaiveDate>,
    counts: Counts,
}

/// What a practice file must keep to, beside its form.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TableLimits {
    /// The fewest rows a table may have.
    pub minimum_rows: usize,
    /// The rows of the table in use; the new one must have at least nine tenths of them.
    pub previous_rows: Option<usize>,
    /// The largest file, in bytes.
    pub maximum_bytes: usize,
}

/// The form of a practice file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// `epraccur` as it was published until 2025: letters for status, numbers for setting.
    Legacy,
    /// `epraccur` of Data Search and Export: words for status, role codes for setting.
    DataSearchExport,
}

/// How many practices a table holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// All rows.
    pub rows: usize,
    /// Rows of status active.
    pub active: usize,
    /// Rows of status closed.
    pub closed: usize,
    /// Rows of status dormant.
    pub dormant: usize,
    /// Rows of status proposed.
    pub proposed: usize,
    /// Active rows that are GP practices by setting or role.
    pub active_gp_practices: usize,
}

const MINIMUM_ROWS: usize = 5_000;
const MAXIMUM_BYTES: usize = 64 * 1024 * 1024;

impl PracticeTable {
    /// Reads a whole practice file.
    ///
    /// # Errors
    ///
    /// [`TableRefused`] with findings that say what is wrong, on which line, and what to do.
    pub fn read(bytes: &[u8], limits: &TableLimits) -> Result<Self, TableRefused> {
        read::table(bytes, limits)
    }

    /// The same table with the day on which its source made it, from which its age counts.
    #[must_use]
    pub fn dated(mut self, date: NaiveDate) -> Self {
        self.date = Some(date);
        self
    }

    /// The practice with a code, whatever its status.
    pub fn practice(&self, code: &OdsCode) -> Option<&Practice> {
        let index = self.keys.binary_search(&key(code.as_str())).ok()?;
        self.practices.get(index)
    }

    /// All practices in the order of their codes.
    pub fn practices(&self) -> impl Iterator<Item = &Practice> {
        self.practices.iter()
    }

    /// How many practices it holds, by status.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// SHA-256 of the file, in lower-case hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The day on which its source made it, where the caller gave it.
    pub const fn date(&self) -> Option<NaiveDate> {
        self.date
    }

    /// The form the file had.
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How many rows it holds.
    pub fn len(&self) -> usize {
        self.practices.len()
    }

    /// Whether it holds none, which no table that was read does.
    pub fn is_empty(&self) -> bool {
        self.practices.is_empty()
    }

    fn new(practices: Vec<Practice>, dialect: Dialect, digest: String) -> Self {
        Self {
            keys: practices
                .iter()
                .map(|practice| key(practice.code().as_str()))
                .collect(),
            counts: Counts::of(&practices),
            practices,
            dialect,
            digest,
            date: None,
        }
    }
}

impl TableLimits {
    /// The default limits with another minimum of rows.
    pub fn at_least(minimum_rows: usize) -> Self {
        Self {
            minimum_rows,
            ..Self::default()
        }
    }
}

impl Default for TableLimits {
    fn default() -> Self {
        Self {
            minimum_rows: MINIMUM_ROWS,
            previous_rows: None,
            maximum_bytes: MAXIMUM_BYTES,
        }
    }
}

impl Counts {
    fn of(practices: &[Practice]) -> Self {
        let mut counts = Self {
            rows: practices.len(),
            ..Self::default()
        };
        for practice in practices {
            match practice.status() {
                PracticeStatus::Active => counts.active += 1,
                PracticeStatus::Closed => counts.closed += 1,
                PracticeStatus::Dormant => counts.dormant += 1,
                PracticeStatus::Proposed => counts.proposed += 1,
            }
            if practice.is_active_gp_practice() {
                counts.active_gp_practices += 1;
            }
        }
        counts
    }
}

/// A code as one number, in the order of the texts: at most 12 of 16 bytes are in use.
fn key(code: &str) -> u128 {
    let mut bytes = [0_u8; 16];
    for (slot, byte) in bytes.iter_mut().zip(code.bytes()) {
        *slot = byte;
    }
    u128::from_be_bytes(bytes)
}
