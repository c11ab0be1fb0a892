use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use crate::Element;
use crate::rule::{Findings, V02, V03};

/// A day, and the minute of it if known: `CCYYMMDD` or `CCYYMMDDhhmm`, local UK time.
///
/// ```
/// # use kettering_xml::EventTime;
/// let day = chrono::NaiveDate::from_ymd_opt(2026, 11, 18).unwrap();
/// assert_eq!(EventTime::day(day).to_string(), "20261118");
/// assert_eq!(EventTime::from(day.and_hms_opt(10, 30, 59).unwrap()).to_string(), "202611181030");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct EventTime {
    /// The day.
    pub date: NaiveDate,
    /// The time of the day; written to the minute.
    pub time: Option<NaiveTime>,
}

impl EventTime {
    /// A day whose time is not known.
    pub const fn day(date: NaiveDate) -> Self {
        Self { date, time: None }
    }

    pub(crate) fn to_minute(self) -> NaiveDateTime {
        self.date.and_time(self.time.unwrap_or(NaiveTime::MIN))
    }

    /// Whether it lies before another, as far as both are known.
    pub(crate) fn is_before(self, other: Self) -> bool {
        match (self.time, other.time) {
            (Some(_), Some(_)) => self.to_minute() < other.to_minute(),
            _ => self.date < other.date,
        }
    }
}

impl From<NaiveDateTime> for EventTime {
    fn from(at: NaiveDateTime) -> Self {
        let time = NaiveTime::from_hms_opt(at.hour(), at.minute(), 0);
        Self {
            date: at.date(),
            time,
        }
    }
}

impl std::fmt::Display for EventTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.time {
            Some(time) => write!(f, "{}", self.date.and_time(time).format("%Y%m%d%H%M")),
            None => write!(f, "{}", self.date.format("%Y%m%d")),
        }
    }
}

pub(crate) fn minute(at: NaiveDateTime) -> String {
    EventTime::from(at).to_string()
}

/// Reads 8, 12 or 14 digits (facts, section 5). `None`: no date that exists. Seconds are
/// truncated, as EDT does.
pub(crate) fn read(text: &str) -> Option<EventTime> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || !matches!(text.len(), 8 | 12 | 14) {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u32>().ok();
    let year = i32::try_from(number(0, 4)?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(4, 6)?, number(6, 8)?)?;
    if text.len() == 8 {
        return Some(EventTime::day(date));
    }
    let seconds = if text.len() == 14 { number(12, 14)? } else { 0 };
    let time = NaiveTime::from_hms_opt(number(8, 10)?, number(10, 12)?, seconds)?;
    Some(EventTime::from(date.and_time(time)))
}

/// Whether the value is a date once day and month change places.
fn is_swapped(text: &str) -> bool {
    let parts = (text.get(..4), text.get(4..6), text.get(6..8), text.get(8..));
    let (Some(year), Some(day), Some(month), Some(rest)) = parts else {
        return false;
    };
    read(&format!("{year}{month}{day}{rest}")).is_some()
}

/// `K-V02` and `K-V03` of the first element at a path, if it is there and not empty.
pub(crate) fn check_at(root: &Element, path: &str, findings: &mut Findings<'_>) {
    if let Some(text) = root.text_at(path) {
        check(text, path, findings);
    }
}

/// `K-V02`; and `K-V03` when the value would be a date with day and month swapped.
pub(crate) fn check(text: &str, place: &str, findings: &mut Findings<'_>) {
    if read(text).is_some() {
        return;
    }
    findings.add(V02, place, "no date of the form CCYYMMDD or CCYYMMDDhhmm");
    if is_swapped(text) {
        findings.add(V03, place, "day and month look swapped: CCYYDDMM");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn k_v02_forms_that_are_read() {
        for (text, shown) in [
            ("20261118", "20261118"),
            ("202611181030", "202611181030"),
            ("20261118103059", "202611181030"),
            ("20240229", "20240229"),
        ] {
            assert_eq!(read(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn k_v02_what_is_no_date() {
        for text in [
            "",
            "2026",
            "2026-11-18",
            "202144161244",
            "19590229",
            "202611182460",
            "2026111810",
            "２０２６１１１８",
            "+2026118",
            "20261118103060",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn k_v03_only_what_can_be_swapped() {
        assert!(is_swapped("19962501"));
        assert!(is_swapped("202625111030"));
        assert!(!is_swapped("202144161244"));
        assert!(!is_swapped("Ommited"));
    }

    #[test]
    fn times_of_different_precision_compare_by_day() {
        let at = |text| read(text).unwrap();
        assert!(at("202611201100").is_before(at("202611201101")));
        assert!(!at("202611201100").is_before(at("20261120")));
        assert!(at("202611201100").is_before(at("20261121")));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(minutes in 0_i64..100_000_000) {
            let start = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap().and_time(NaiveTime::MIN);
            let at = EventTime::from(start + chrono::Duration::minutes(minutes));
            prop_assert_eq!(read(&at.to_string()), Some(at));
            prop_assert_eq!(read(&EventTime::day(at.date).to_string()), Some(EventTime::day(at.date)));
        }

        #[test]
        fn any_text_is_read_or_not_without_panic(text in "\\PC*") {
            let _ = read(&text);
            let _ = is_swapped(&text);
        }
    }
}
