//! One row of the practice file (gp-routing 4.1 and 4.3).

use std::fmt::Display;

use chrono::NaiveDate;
use csv::StringRecord;
use nhs_types::{Location, OdsCode};

use super::read::{COLUMNS, LOAD_AGAIN, line_of};
use super::refusal::Faults;
use super::{Dialect, Practice, PracticeStatus, PracticeType};

const CODE: usize = 0;
const NAME: usize = 1;
const GEOGRAPHY: usize = 3;
const ADDRESS: std::ops::Range<usize> = 4..9;
const POSTCODE: usize = 9;
const OPENED: usize = 10;
const CLOSED: usize = 11;
pub(super) const STATUS: usize = 12;
const SETTING: usize = 25;

const ISLAND_GEOGRAPHIES: [&str; 4] = ["YAC", "YAD", "YAE", "YAF"];
const ROLE_GP_PRACTICE: &str = "RO76";
const ROLE_SEPARATOR: char = '|';

/// Reads a row; what is wrong goes to `faults`, and then there is no practice.
pub(super) fn practice(
    record: &StringRecord,
    dialect: Dialect,
    faults: &mut Faults,
) -> Option<Practice> {
    let row = Row { record };
    if record.len() != COLUMNS {
        let got = record.len();
        row.fault(
            faults,
            "ODS-COLUMNS",
            format!("{got} columns, {COLUMNS} were expected"),
        );
        return None;
    }
    if record.iter().any(|field| field.contains(['\n', '\r'])) {
        row.fault(
            faults,
            "ODS-QUOTES",
            "a field goes over a line end: a quotation mark is missing or misplaced",
        );
        return None;
    }
    let code = row.code(faults);
    let name = row.name(faults);
    let status = row.status(dialect, faults);
    let practice_type = row.practice_type(dialect, faults);
    let dates = row.dates(faults);
    let (opened, closed) = dates?;
    Some(Practice {
        code: code?,
        status: status?,
        practice_type: practice_type?,
        is_island: ISLAND_GEOGRAPHIES.contains(&row.field(GEOGRAPHY)),
        opened,
        closed,
        texts: row.texts(name?),
    })
}

struct Row<'a> {
    record: &'a StringRecord,
}

impl<'a> Row<'a> {
    fn field(&self, index: usize) -> &'a str {
        self.record.get(index).unwrap_or_default().trim()
    }

    fn fault(&self, faults: &mut Faults, rule: &'static str, what: impl Display) {
        let message = format!("{what}; {LOAD_AGAIN}");
        faults.add(rule, Location::Line(line_of(self.record)), message);
    }

    fn code(&self, faults: &mut Faults) -> Option<OdsCode> {
        let text = self.field(CODE);
        if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
            self.fault(
                faults,
                "ODS-CODE",
                "column 1: the code has small letters; codes are published in capitals",
            );
            return None;
        }
        let code = OdsCode::parse(text).ok();
        if code.is_none() {
            self.fault(
                faults,
                "ODS-CODE",
                "column 1: not an organisation code of 3 to 12 letters and digits",
            );
        }
        code
    }

    fn name(&self, faults: &mut Faults) -> Option<&'a str> {
        let name = self.field(NAME);
        if name.is_empty() {
            self.fault(faults, "ODS-NAME", "column 2: the name is empty");
            return None;
        }
        Some(name)
    }

    /// A word that is not known is not active, whatever it means (gp-routing 4.3).
    fn status(&self, dialect: Dialect, faults: &mut Faults) -> Option<PracticeStatus> {
        match (dialect, self.field(STATUS)) {
            (Dialect::Legacy, "A") | (Dialect::DataSearchExport, "ACTIVE") => {
                Some(PracticeStatus::Active)
            }
            (Dialect::Legacy, "C") => Some(PracticeStatus::Closed),
            (Dialect::Legacy, "D") | (Dialect::DataSearchExport, "DORMANT") => {
                Some(PracticeStatus::Dormant)
            }
            (Dialect::Legacy, "P") | (Dialect::DataSearchExport, "PROPOSED") => {
                Some(PracticeStatus::Proposed)
            }
            (Dialect::DataSearchExport, word) if word.len() > 1 => Some(PracticeStatus::Closed),
            _ => {
                self.fault(
                    faults,
                    "ODS-STATUS",
                    "column 13: no status of the form the first row has",
                );
                None
            }
        }
    }

    fn practice_type(&self, dialect: Dialect, faults: &mut Faults) -> Option<PracticeType> {
        let text = self.field(SETTING);
        if dialect == Dialect::DataSearchExport {
            let is_gp = text
                .split(ROLE_SEPARATOR)
                .any(|role| role.trim() == ROLE_GP_PRACTICE);
            return Some(if is_gp {
                PracticeType::GpPractice
            } else {
                PracticeType::OtherService
            });
        }
        let Ok(setting) = text.parse::<u8>() else {
            self.fault(
                faults,
                "ODS-SETTING",
                "column 26: the prescribing setting is not a number",
            );
            return None;
        };
        Some(match setting {
            4 => PracticeType::GpPractice,
            16..=19 | 25 => PracticeType::Secure,
            0 => PracticeType::Unclassified,
            _ => PracticeType::OtherService,
        })
    }

    fn dates(&self, faults: &mut Faults) -> Option<(NaiveDate, Option<NaiveDate>)> {
        let opened = date(self.field(OPENED));
        if opened.is_none() {
            self.fault(
                faults,
                "ODS-DATE",
                "column 11: the open date is not CCYYMMDD",
            );
        }
        let closed = match self.field(CLOSED) {
            "" => Some(None),
            text => date(text).map(Some),
        };
        if closed.is_none() {
            self.fault(
                faults,
                "ODS-DATE",
                "column 12: the close date is not CCYYMMDD",
            );
        }
        let (opened, closed) = (opened?, closed?);
        if closed.is_some_and(|closed| closed < opened) {
            self.fault(
                faults,
                "ODS-DATE",
                "column 12: the close date lies before the open date",
            );
            return None;
        }
        Some((opened, closed))
    }

    fn texts(&self, name: &str) -> Box<str> {
        let mut texts = [name, self.field(POSTCODE), self.field(GEOGRAPHY)].join("\n");
        for line in ADDRESS
            .map(|index| self.field(index))
            .filter(|line| !line.is_empty())
        {
            texts.push('\n');
            texts.push_str(line);
        }
        texts.into_boxed_str()
    }
}

fn date(text: &str) -> Option<NaiveDate> {
    let shaped = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    shaped
        .then(|| NaiveDate::parse_from_str(text, "%Y%m%d").ok())
        .flatten()
}
