//! Dates and times as sources write them; times without an offset are London local time.

use chrono::{DateTime, Datelike, Duration, FixedOffset, LocalResult, NaiveDate, NaiveDateTime};
use chrono::{NaiveTime, Offset as _, TimeZone as _};
use chrono_tz::Europe::London;
use nhs_types::Location;

use crate::Warning;
use crate::reading::Notes;

/// The London instant of a local time. One that comes twice is taken as the earlier; one that
/// does not exist is moved on by an hour (source-documents section 2).
pub(crate) fn london(
    local: NaiveDateTime,
    place: &Location,
    notes: &mut Notes,
) -> DateTime<FixedOffset> {
    match London.from_local_datetime(&local) {
        LocalResult::Single(time) => time.fixed_offset(),
        LocalResult::Ambiguous(earlier, _) => {
            let why = "the local time comes twice on this day, the earlier was taken";
            notes.warn(Warning::AmbiguousLocalTime, place.clone(), why);
            earlier.fixed_offset()
        }
        LocalResult::None => {
            let why = "the local time does not exist on this day, an hour was added";
            notes.warn(Warning::NonexistentLocalTime, place.clone(), why);
            let later = local
                .checked_add_signed(Duration::hours(1))
                .unwrap_or(local);
            let found = London.from_local_datetime(&later).earliest();
            found.map_or_else(|| utc(later), |time| time.fixed_offset())
        }
    }
}

fn utc(local: NaiveDateTime) -> DateTime<FixedOffset> {
    DateTime::from_naive_utc_and_offset(local, chrono::Utc.fix())
}

/// Reads `dd/mm/yyyy`, `dd/mm/yy`, `dd-Mon-yyyy` or `dd Mon yyyy`; two-digit years are 20xx.
pub(crate) fn day(text: &str) -> Option<NaiveDate> {
    let (day, month, year, short) = parts(text)?;
    NaiveDate::from_ymd_opt(if short { 2000 + year } else { year }, month, day)
}

/// Reads a date of birth: a two-digit year is of the latest century that does not make it later
/// than the document; one after the document is none.
pub(crate) fn birth_day(text: &str, document: Option<NaiveDate>) -> Option<NaiveDate> {
    let (day, month, year, short) = parts(text)?;
    let fits = |date: &NaiveDate| document.is_none_or(|document| *date <= document);
    if !short {
        return NaiveDate::from_ymd_opt(year, month, day).filter(fits);
    }
    let century = document?.year().div_euclid(100) * 100;
    [century, century - 100]
        .into_iter()
        .filter_map(|century| NaiveDate::from_ymd_opt(century + year, month, day))
        .find(fits)
}

fn parts(text: &str) -> Option<(u32, u32, i32, bool)> {
    let mut fields = text.trim().split(['/', '-', ' ']);
    let day = number(fields.next()?, 1..=2)?;
    let month = fields.next()?;
    let year = fields.next()?;
    if fields.next().is_some() || !(year.len() == 2 || year.len() == 4) {
        return None;
    }
    let month = number(month, 1..=2).or_else(|| month_name(month))?;
    Some((
        day,
        month,
        i32::try_from(number(year, 2..=4)?).ok()?,
        year.len() == 2,
    ))
}

fn number(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let plain = digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

fn month_name(text: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let text = text.to_ascii_lowercase();
    if text.len() < 3 {
        return None;
    }
    let index = MONTHS.iter().position(|name| name.starts_with(&text))?;
    u32::try_from(index + 1).ok()
}

/// Reads `HHMM` or `HH:MM`, perhaps with seconds after a colon.
pub(crate) fn clock(text: &str) -> Option<NaiveTime> {
    let text = text.trim();
    if let Some((hours, rest)) = text.split_once(':') {
        let (minutes, seconds) = rest.split_once(':').unwrap_or((rest, "00"));
        return NaiveTime::from_hms_opt(
            number(hours, 1..=2)?,
            number(minutes, 2..=2)?,
            number(seconds, 2..=2)?,
        );
    }
    let value = number(text, 4..=4)?;
    NaiveTime::from_hms_opt(value / 100, value % 100, 0)
}

/// Reads a day and a time of the clock, such as `19/11/26 1432` or `18 Nov 2026 16:05`.
pub(crate) fn day_and_clock(text: &str) -> Option<NaiveDateTime> {
    let (date, time) = text.trim().rsplit_once([' ', '\t'])?;
    Some(day(date)?.and_time(clock(time)?))
}

/// Reads HL7's `YYYY[MM[DD[HH[MM[SS[.SSSS]]]]]][+/-ZZZZ]` (section 3). Less than a day is none.
pub(crate) fn hl7(
    text: &str,
    place: &Location,
    notes: &mut Notes,
) -> Option<DateTime<FixedOffset>> {
    let (local, offset) = match text.trim().rsplit_once(['+', '-']) {
        Some((local, offset)) => (local, Some(offset)),
        None => (text.trim(), None),
    };
    let time = hl7_local(local)?;
    let Some(offset) = offset else {
        return Some(london(time, place, notes));
    };
    let value = number(offset, 4..=4)?;
    let seconds = i32::try_from((value / 100) * 3600 + (value % 100) * 60).ok()?;
    let east = if text.contains('-') {
        -seconds
    } else {
        seconds
    };
    FixedOffset::east_opt(east)?
        .from_local_datetime(&time)
        .single()
}

/// The day of an HL7 time.
pub(crate) fn hl7_day(text: &str) -> Option<NaiveDate> {
    let digits = text.trim().split(['+', '-']).next()?;
    hl7_local(digits).map(|time| time.date())
}

fn hl7_local(text: &str) -> Option<NaiveDateTime> {
    let whole = text.split('.').next()?;
    let even = matches!(whole.len(), 8 | 10 | 12 | 14);
    if !even || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let at = |from: usize, to: usize| {
        whole
            .get(from..to)
            .map_or(Some(0), |part| part.parse().ok())
    };
    let date = NaiveDate::from_ymd_opt(i32::try_from(at(0, 4)?).ok()?, at(4, 6)?, at(6, 8)?)?;
    date.and_hms_opt(at(8, 10)?, at(10, 12)?, at(12, 14)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(text: &str) -> (String, Vec<Warning>) {
        let mut notes = Notes::default();
        let time = london(day_and_clock(text).unwrap(), &Location::Whole, &mut notes);
        (time.to_rfc3339(), notes.warnings)
    }

    #[test]
    fn section_2_london_times_in_winter_and_summer() {
        assert_eq!(told("19/11/26 1432").0, "2026-11-19T14:32:00+00:00");
        assert_eq!(told("05/06/26 0210").0, "2026-06-05T02:10:00+01:00");
        assert_eq!(told("18 Nov 2026 16:05").0, "2026-11-18T16:05:00+00:00");
    }

    #[test]
    fn section_2_a_time_that_comes_twice_is_the_earlier() {
        let expected = (
            "2026-10-25T01:30:00+01:00".to_owned(),
            vec![Warning::AmbiguousLocalTime],
        );
        assert_eq!(told("25/10/2026 0130"), expected);
    }

    #[test]
    fn section_2_a_time_that_does_not_exist_moves_on_by_an_hour() {
        let expected = (
            "2026-03-29T02:30:00+01:00".to_owned(),
            vec![Warning::NonexistentLocalTime],
        );
        assert_eq!(told("29/03/2026 01:30"), expected);
    }

    #[test]
    fn section_2_day_first_always() {
        assert_eq!(day("07/03/1951"), NaiveDate::from_ymd_opt(1951, 3, 7));
        assert_eq!(day("18-Nov-2026"), NaiveDate::from_ymd_opt(2026, 11, 18));
        assert_eq!(day("02/10/26"), NaiveDate::from_ymd_opt(2026, 10, 2));
        for wrong in [
            "11/18/2026",
            "2026-11-18",
            "18/11",
            "18/11/026",
            "18/11/2026 x",
            "31/02/26",
        ] {
            assert_eq!(day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn section_2_births_take_the_latest_century_not_after_the_document() {
        let document = NaiveDate::from_ymd_opt(2026, 11, 18);
        let birth = |text| birth_day(text, document);
        assert_eq!(birth("12/03/48"), NaiveDate::from_ymd_opt(1948, 3, 12));
        assert_eq!(birth("18/11/26"), document);
        assert_eq!(birth("19/11/26"), NaiveDate::from_ymd_opt(1926, 11, 19));
        assert_eq!(birth("19/11/2026"), None);
        assert_eq!(birth_day("12/03/48", None), None);
    }

    #[test]
    fn section_3_hl7_times() {
        let mut notes = Notes::default();
        let mut read = |text| hl7(text, &Location::Whole, &mut notes).map(|time| time.to_rfc3339());
        assert_eq!(read("202611191432").unwrap(), "2026-11-19T14:32:00+00:00");
        assert_eq!(
            read("20260605021000.1234").unwrap(),
            "2026-06-05T02:10:00+01:00"
        );
        assert_eq!(
            read("202606050210-0500").unwrap(),
            "2026-06-05T02:10:00-05:00"
        );
        assert_eq!(
            read("202606050210+0000").unwrap(),
            "2026-06-05T02:10:00+00:00"
        );
        assert_eq!(read("20260605").unwrap(), "2026-06-05T00:00:00+01:00");
        for wrong in ["2026", "202606", "20261301", "2026112", "notatime"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(hl7_day("19620202"), NaiveDate::from_ymd_opt(1962, 2, 2));
    }

    proptest! {
        #[test]
        fn any_text_is_a_time_or_none(text in "[0-9 /:.+-]{0,24}|\\PC{0,12}") {
            let mut notes = Notes::default();
            let _ = hl7(&text, &Location::Whole, &mut notes);
            let _ = (day(&text), birth_day(&text, day("01/01/26")), day_and_clock(&text));
        }
    }
}
