//! Points in time as the ledger writes them.

use std::{fmt, str::FromStr};

use crate::ParseError;

/// A point in time in UTC, to the millisecond; written `YYYY-MM-DDThh:mm:ss.sssZ`.
///
/// Any number of milliseconds can be held, but only years 0000 to 9999 can be written to an event.
///
/// ```
/// use audit_core::Timestamp;
/// let at = Timestamp::parse("2026-02-03T10:10:00.000Z")?;
/// assert_eq!(at.as_millis(), 1_770_113_400_000);
/// assert_eq!(at.to_string(), "2026-02-03T10:10:00.000Z");
/// # Ok::<(), audit_core::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Takes milliseconds since 1970-01-01T00:00:00Z.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Reads exactly the form that `Display` writes for years 0000 to 9999.
    ///
    /// # Errors
    /// [`ParseError`] for any other form, for dates that do not exist and for leap seconds.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        millis(text.as_bytes())
            .map(Self)
            .ok_or(ParseError::new("a time", "YYYY-MM-DDThh:mm:ss.sssZ"))
    }

    /// Whether the year has four digits, so that the time can stand in an event.
    pub(crate) const fn is_writable(self) -> bool {
        MILLIS_MIN <= self.0 && self.0 <= MILLIS_MAX
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.0.div_euclid(DAY));
        let rest = self.0.rem_euclid(DAY);
        let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
        let (second, milli) = (rest / 1_000 % 60, rest % 1_000);
        if self.is_writable() {
            write!(f, "{year:04}")?;
        } else {
            write!(f, "{year:+07}")?;
        }
        write!(
            f,
            "-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z"
        )
    }
}

impl FromStr for Timestamp {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl From<i64> for Timestamp {
    fn from(millis: i64) -> Self {
        Self(millis)
    }
}

impl From<Timestamp> for i64 {
    fn from(at: Timestamp) -> Self {
        at.0
    }
}

const DAY: i64 = 86_400_000;
/// 0000-01-01T00:00:00.000Z.
const MILLIS_MIN: i64 = -62_167_219_200_000;
/// 9999-12-31T23:59:59.999Z.
const MILLIS_MAX: i64 = 253_402_300_799_999;

fn millis(text: &[u8]) -> Option<i64> {
    let &[
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        b'T',
        ref clock @ ..,
    ] = text
    else {
        return None;
    };
    let &[h1, h2, b':', i1, i2, b':', s1, s2, b'.', f1, f2, f3, b'Z'] = clock else {
        return None;
    };
    let (year, month, day) = (
        digits(&[y1, y2, y3, y4])?,
        digits(&[m1, m2])?,
        digits(&[d1, d2])?,
    );
    let (hour, minute) = (digits(&[h1, h2])?, digits(&[i1, i2])?);
    let (second, milli) = (digits(&[s1, s2])?, digits(&[f1, f2, f3])?);
    if !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days(year, month, day);
    // A day that the month does not have comes back as another date.
    (civil(days) == (year, month, day))
        .then_some(days * DAY + hour * 3_600_000 + minute * 60_000 + second * 1_000 + milli)
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |value, byte| {
        byte.is_ascii_digit()
            .then(|| value * 10 + i64::from(byte - b'0'))
    })
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar; years begin in March here,
/// so that the leap day is the last of its year.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The date (year, month, day) so many days after 1970-01-01.
const fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = era * 400 + year_of_era + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_points_in_time() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_770_113_400_000, "2026-02-03T10:10:00.000Z"),
            (MILLIS_MIN, "0000-01-01T00:00:00.000Z"),
            (MILLIS_MAX, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Timestamp(millis).to_string(), text);
            assert_eq!(Timestamp::parse(text), Ok(Timestamp(millis)));
        }
    }

    #[test]
    fn times_that_do_not_exist_or_are_written_otherwise_are_refused() {
        for text in [
            "2026-02-29T00:00:00.000Z",
            "1900-02-29T00:00:00.000Z",
            "2026-00-01T00:00:00.000Z",
            "2026-13-01T00:00:00.000Z",
            "2026-01-00T00:00:00.000Z",
            "2026-04-31T00:00:00.000Z",
            "2026-01-01T24:00:00.000Z",
            "2026-01-01T23:60:00.000Z",
            "2026-01-01T23:59:60.000Z",
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00.000",
            "2026-01-01T00:00:00.000+",
            "2026-01-01t00:00:00.000Z",
            "2026-01-01 00:00:00.000Z",
            " 026-01-01T00:00:00.000Z",
            "+2026-01-01T00:00:00.000Z",
            "",
        ] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn years_past_9999_are_shown_but_not_read_back() {
        assert_eq!(
            Timestamp(MILLIS_MAX + 1).to_string(),
            "+010000-01-01T00:00:00.000Z"
        );
        assert_eq!(
            Timestamp(MILLIS_MIN - 1).to_string(),
            "-000001-12-31T23:59:59.999Z"
        );
        assert!(
            !Timestamp(MILLIS_MAX + 1).is_writable() && !Timestamp(MILLIS_MIN - 1).is_writable()
        );
        assert!(Timestamp::parse("+010000-01-01T00:00:00.000Z").is_err());
    }

    proptest! {
        #[test]
        fn writable_times_round_trip(millis in MILLIS_MIN..=MILLIS_MAX) {
            let text = Timestamp(millis).to_string();
            prop_assert_eq!(text.len(), 24);
            prop_assert_eq!(Timestamp::parse(&text), Ok(Timestamp(millis)));
        }

        #[test]
        fn any_number_can_be_shown(millis: i64) {
            prop_assert!(Timestamp(millis).to_string().ends_with('Z'));
        }
    }
}
