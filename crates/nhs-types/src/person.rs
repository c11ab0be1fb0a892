use std::fmt;

use chrono::{Datelike, NaiveDate};

/// A patient's name as the source gives it: family name, and given names and title if known.
///
/// Nothing is re-capitalised; apostrophes, hyphens and inner spaces stay. The name never shows
/// itself in `Debug`.
///
/// ```
/// # use nhs_types::PersonName;
/// let name = PersonName::new("O'CONNOR-DALE", Some("Siobhan"), None)?;
/// assert_eq!(name.expose().family, "O'CONNOR-DALE");
/// assert_eq!(format!("{name:?}"), "PersonName([redacted])");
/// # Ok::<(), nhs_types::ParsePersonNameError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonName {
    family: String,
    given: Option<String>,
    title: Option<String>,
}

/// The parts of a [`PersonName`], laid open.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PersonNameParts<'a> {
    /// Family name, never empty.
    pub family: &'a str,
    /// Given names, in the order of the source.
    pub given: Option<&'a str>,
    /// Title, such as `Mrs`.
    pub title: Option<&'a str>,
}

/// Why parts do not make a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParsePersonNameError {
    /// The family name is empty.
    #[error("a name needs a family name")]
    NoFamilyName,
    /// A part is longer than the limit.
    #[error("a part of a name has at most {PART_MAX} characters")]
    TooLong,
    /// A control character, line breaks included.
    #[error("a name holds no control characters")]
    ControlCharacter,
}

/// Longest part of a name, in characters.
const PART_MAX: usize = 200;

impl PersonName {
    /// Makes a name from its parts; empty given names and titles count as absent.
    ///
    /// # Errors
    ///
    /// [`ParsePersonNameError`], by what is wrong with the parts.
    pub fn new(
        family: &str,
        given: Option<&str>,
        title: Option<&str>,
    ) -> Result<Self, ParsePersonNameError> {
        let family = checked(Some(family))?.ok_or(ParsePersonNameError::NoFamilyName)?;
        Ok(Self {
            family,
            given: checked(given)?,
            title: checked(title)?,
        })
    }

    /// The parts of the name.
    pub fn expose(&self) -> PersonNameParts<'_> {
        PersonNameParts {
            family: &self.family,
            given: self.given.as_deref(),
            title: self.title.as_deref(),
        }
    }
}

fn checked(part: Option<&str>) -> Result<Option<String>, ParsePersonNameError> {
    let part = part.map_or("", str::trim);
    if part.chars().count() > PART_MAX {
        return Err(ParsePersonNameError::TooLong);
    }
    if part.chars().any(char::is_control) {
        return Err(ParsePersonNameError::ControlCharacter);
    }
    Ok((!part.is_empty()).then(|| part.to_owned()))
}

impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonName([redacted])")
    }
}

impl fmt::Debug for PersonNameParts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonNameParts([redacted])")
    }
}

/// A patient's date of birth, between 1850 and 2200.
///
/// That it lies before a letter's own date is checked where the letter is known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BirthDate(NaiveDate);

/// Why a text or a day is not a date of birth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseBirthDateError {
    /// No day of the calendar in the form `CCYY-MM-DD`.
    #[error("a date of birth is a calendar day written CCYY-MM-DD")]
    NoCalendarDay,
    /// A year no patient was born in.
    #[error("a date of birth lies between the years {YEAR_MIN} and {YEAR_MAX}")]
    YearOutOfRange,
}

const YEAR_MIN: i32 = 1850;
const YEAR_MAX: i32 = 2200;

impl BirthDate {
    /// Reads `CCYY-MM-DD`.
    ///
    /// # Errors
    ///
    /// [`ParseBirthDateError`] when it is no calendar day, or far outside living memory.
    pub fn parse(text: &str) -> Result<Self, ParseBirthDateError> {
        let text = text.trim();
        let shaped = text.len() == "CCYY-MM-DD".len();
        let day = shaped
            .then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
            .flatten();
        Self::from_date(day.ok_or(ParseBirthDateError::NoCalendarDay)?)
    }

    /// Takes a day of the calendar.
    ///
    /// # Errors
    ///
    /// [`ParseBirthDateError::YearOutOfRange`].
    pub fn from_date(date: NaiveDate) -> Result<Self, ParseBirthDateError> {
        if (YEAR_MIN..=YEAR_MAX).contains(&date.year()) {
            Ok(Self(date))
        } else {
            Err(ParseBirthDateError::YearOutOfRange)
        }
    }

    /// The day.
    pub const fn expose(&self) -> NaiveDate {
        self.0
    }
}

impl fmt::Debug for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BirthDate([redacted])")
    }
}

/// A patient's sex as NHS systems code it.
///
/// ```
/// # use nhs_types::Sex;
/// assert_eq!(Sex::from_code("2"), Some(Sex::Female));
/// assert_eq!(Sex::from_code("f"), Some(Sex::Female));
/// assert_eq!(Sex::Female.nhs_code(), '2');
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the NHS code list has these four values"
)]
pub enum Sex {
    /// `1`, written M.
    Male,
    /// `2`, written F.
    Female,
    /// `0`, written U.
    NotKnown,
    /// `9`, written X.
    NotSpecified,
}

impl Sex {
    /// Reads the NHS codes `1 2 0 9` and the letters of HL7 v2 and of reports (source-documents
    /// facts, section 4; kettering facts 4.3: O is not specified, U is not known).
    pub fn from_code(code: &str) -> Option<Self> {
        match code.trim().to_ascii_uppercase().as_str() {
            "1" | "M" | "MALE" => Some(Self::Male),
            "2" | "F" | "FEMALE" => Some(Self::Female),
            "0" | "U" | "UNKNOWN" => Some(Self::NotKnown),
            "9" | "X" | "O" | "A" | "N" => Some(Self::NotSpecified),
            _ => None,
        }
    }

    /// The NHS code: `1`, `2`, `0` or `9`.
    pub const fn nhs_code(self) -> char {
        match self {
            Self::Male => '1',
            Self::Female => '2',
            Self::NotKnown => '0',
            Self::NotSpecified => '9',
        }
    }

    /// The letter shown to people: `M`, `F`, `U` or `X`.
    pub const fn letter(self) -> char {
        match self {
            Self::Male => 'M',
            Self::Female => 'F',
            Self::NotKnown => 'U',
            Self::NotSpecified => 'X',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn name_at_its_limits() {
        use ParsePersonNameError as E;
        assert_eq!(
            PersonName::new(" ", Some("Ada"), None),
            Err(E::NoFamilyName)
        );
        assert!(PersonName::new(&"x".repeat(PART_MAX), None, None).is_ok());
        assert_eq!(
            PersonName::new(&"x".repeat(PART_MAX + 1), None, None),
            Err(E::TooLong)
        );
        assert_eq!(
            PersonName::new("Bell\r\nEvil: 1", None, None),
            Err(E::ControlCharacter)
        );
    }

    #[test]
    fn name_without_given_names_or_title() {
        let name = PersonName::new("Nowak", Some("  "), Some("")).unwrap();
        assert_eq!((name.expose().given, name.expose().title), (None, None));
    }

    #[test]
    fn birth_date_is_a_calendar_day() {
        use ParseBirthDateError as E;
        assert!(BirthDate::parse("1951-03-07").is_ok());
        assert_eq!(BirthDate::parse("1959-02-29"), Err(E::NoCalendarDay));
        assert_eq!(BirthDate::parse("07/03/1951"), Err(E::NoCalendarDay));
        assert_eq!(BirthDate::parse("1951-3-7"), Err(E::NoCalendarDay));
        assert_eq!(BirthDate::parse("1849-12-31"), Err(E::YearOutOfRange));
        assert!(BirthDate::parse("1850-01-01").is_ok());
        assert!(BirthDate::parse("2200-12-31").is_ok());
        assert_eq!(BirthDate::parse("2201-01-01"), Err(E::YearOutOfRange));
    }

    #[test]
    fn sex_codes_go_round() {
        for sex in [Sex::Male, Sex::Female, Sex::NotKnown, Sex::NotSpecified] {
            assert_eq!(Sex::from_code(&sex.nhs_code().to_string()), Some(sex));
            assert_eq!(Sex::from_code(&sex.letter().to_string()), Some(sex));
        }
        assert_eq!(Sex::from_code("Q"), None);
    }

    proptest! {
        #[test]
        fn debug_never_shows_a_name(family in "[A-Za-z]{8,20}", given in "[A-Za-z]{8,20}") {
            let name = PersonName::new(&family, Some(&given), None).unwrap();
            let shown = format!("{name:?} {:?}", name.expose());
            prop_assert!(!shown.contains(&family) && !shown.contains(&given));
        }

        #[test]
        fn any_text_is_a_birth_date_or_refused(text in "\\PC{0,14}") {
            if let Ok(date) = BirthDate::parse(&text) {
                prop_assert_eq!(date.expose().to_string(), text.trim());
            }
        }
    }
}
