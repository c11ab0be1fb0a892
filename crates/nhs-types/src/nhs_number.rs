use std::fmt;
use std::str::FromStr;

/// A patient's NHS number: ten digits whose check digit holds, and no placeholder.
///
/// The number identifies a patient, so neither `Debug` nor `Display` shows it.
///
/// Source: NHS Data Dictionary, NHS NUMBER (modulus 11); gp-routing facts 2.1 and 2.2.
///
/// ```
/// # use nhs_types::NhsNumber;
/// for written in ["9434765919", "943 476 5919", "943-476-5919", " 943\u{a0}476\u{a0}5919\n"] {
///     assert_eq!(NhsNumber::parse(written)?.spaced(), "943 476 5919");
/// }
/// # Ok::<(), nhs_types::ParseNhsNumberError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NhsNumber([u8; LENGTH]);

const LENGTH: usize = 10;

/// Where a number's series was issued: evidence for a jurisdiction, never a reason to refuse.
///
/// Source: gp-routing facts 2.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NhsNumberRange {
    /// England, Wales and the Isle of Man.
    EnglandWalesIsleOfMan,
    /// Scotland: a CHI number, which begins with the date of birth.
    Scotland,
    /// Northern Ireland: a Health and Care number.
    NorthernIreland,
    /// Republic of Ireland: an Individual Health Identifier.
    Ireland,
    /// Never issued to a patient: numbers of test records.
    Synthetic,
    /// In no series that is in use.
    NotInUse,
}

/// Why a text is not an NHS number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseNhsNumberError {
    /// Nothing but white space.
    #[error("no NHS number given")]
    Empty,
    /// A character that is neither an ASCII digit nor a separator.
    #[error("an NHS number holds digits only, separated by spaces or hyphens")]
    NotDigits,
    /// Not ten digits.
    #[error("an NHS number has 10 digits, got {digits}")]
    Length {
        /// How many digits were there.
        digits: usize,
    },
    /// Modulus 11 does not hold.
    #[error("the check digit of the NHS number does not hold: a digit is wrong or swapped")]
    CheckDigit,
    /// Ten equal digits: they pass modulus 11, and stand for "not known" in many systems.
    #[error("ten equal digits are a placeholder, not an NHS number")]
    Placeholder,
}

impl NhsNumber {
    /// Reads a number as people and systems write it: spaces, hyphens and no-break spaces are
    /// separators, anything else but ASCII digits is refused.
    ///
    /// # Errors
    ///
    /// [`ParseNhsNumberError`], by what is wrong; its text never holds the input.
    pub fn parse(text: &str) -> Result<Self, ParseNhsNumberError> {
        let mut digits = [0_u8; LENGTH];
        let mut count = 0_usize;
        for c in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            let digit = u8::try_from(c).ok().filter(u8::is_ascii_digit);
            let digit = digit.ok_or(ParseNhsNumberError::NotDigits)?;
            if let Some(slot) = digits.get_mut(count) {
                *slot = digit;
            }
            count += 1;
        }
        match count {
            0 => Err(ParseNhsNumberError::Empty),
            LENGTH => Self::from_digits(digits),
            digits => Err(ParseNhsNumberError::Length { digits }),
        }
    }

    fn from_digits(digits: [u8; LENGTH]) -> Result<Self, ParseNhsNumberError> {
        if !check_digit_holds(&digits) {
            return Err(ParseNhsNumberError::CheckDigit);
        }
        if digits.iter().all(|digit| Some(digit) == digits.first()) {
            return Err(ParseNhsNumberError::Placeholder);
        }
        Ok(Self(digits))
    }

    /// The ten digits without separators, as they go into a message.
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The ten digits in groups of 3, 3 and 4, as they are shown to people.
    pub fn spaced(&self) -> String {
        let mut out = String::with_capacity(LENGTH + 2);
        for (index, digit) in self.expose().chars().enumerate() {
            if index == 3 || index == 6 {
                out.push(' ');
            }
            out.push(digit);
        }
        out
    }

    /// The series the number belongs to.
    pub fn range(&self) -> NhsNumberRange {
        match self.expose().parse::<u64>().unwrap_or_default() {
            10_000_000..=3_112_999_999 => NhsNumberRange::Scotland,
            3_200_000_000..=3_999_999_999 => NhsNumberRange::NorthernIreland,
            4_000_000_000..=4_999_999_999 | 6_000_000_000..=7_999_999_999 => {
                NhsNumberRange::EnglandWalesIsleOfMan
            }
            8_000_000_000..=8_599_999_999 => NhsNumberRange::Ireland,
            5_000_000_000..=5_999_999_999 | 9_000_000_000..=9_999_999_999 => {
                NhsNumberRange::Synthetic
            }
            _ => NhsNumberRange::NotInUse,
        }
    }
}

/// Modulus 11 with weights 10 to 2 over the first nine digits.
fn check_digit_holds(digits: &[u8; LENGTH]) -> bool {
    let mut values = digits.iter().map(|digit| u32::from(digit - b'0'));
    let sum: u32 = values
        .clone()
        .zip((2..=10).rev())
        .map(|(value, weight)| value * weight)
        .sum();
    let expected = match 11 - sum % 11 {
        11 => 0,
        check => check,
    };
    values.next_back() == Some(expected)
}

impl FromStr for NhsNumber {
    type Err = ParseNhsNumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Debug for NhsNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NhsNumber([redacted])")
    }
}

impl fmt::Display for NhsNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[NHS number]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// gp-routing facts 19.
    const VALID: &[&str] = &[
        "9434765919",
        "9000000009",
        "9000000025",
        "9000000033",
        "9111231130",
        "4010232137",
        "9876543210",
        "9990000018",
        "5900046192",
        "9693632109",
        "9990548609",
        "4000000004",
        "0607230002",
        "9990000050",
        "9991234004",
        "9991234012",
        "9991234020",
        "9991234039",
        "9991234047",
        "9991234055",
        "9991234063",
        "9991234071",
        "9991234098",
        "9991234101",
    ];
    const WRONG_CHECK_DIGIT: &[&str] = &[
        "9434765918",
        "9000000000",
        "1234567890",
        "9990000001",
        "3200000002",
        "8000000000",
    ];
    const PLACEHOLDERS: &[&str] = &["0000000000", "1111111111", "2222222222", "9999999999"];

    #[test]
    fn gp_routing_19_vectors() {
        for text in VALID {
            assert_eq!(
                NhsNumber::parse(text).map(|n| n.expose().to_owned()),
                Ok((*text).into())
            );
        }
        for text in WRONG_CHECK_DIGIT {
            assert_eq!(
                NhsNumber::parse(text),
                Err(ParseNhsNumberError::CheckDigit),
                "{text}"
            );
        }
        for text in PLACEHOLDERS {
            assert_eq!(
                NhsNumber::parse(text),
                Err(ParseNhsNumberError::Placeholder),
                "{text}"
            );
        }
    }

    #[test]
    fn gp_routing_2_1_ten_elevenths_of_all_stems_have_a_check_digit() {
        let valid = (4_000_000_000_u64..4_000_100_000)
            .filter(|n| NhsNumber::parse(&n.to_string()).is_ok())
            .count();
        assert_eq!(valid, 9091);
    }

    #[test]
    fn gp_routing_2_2_written_forms() {
        use ParseNhsNumberError as E;
        assert_eq!(NhsNumber::parse(""), Err(E::Empty));
        assert_eq!(NhsNumber::parse(" \u{a0} "), Err(E::Empty));
        assert_eq!(NhsNumber::parse("943476591"), Err(E::Length { digits: 9 }));
        assert_eq!(
            NhsNumber::parse("94347659199"),
            Err(E::Length { digits: 11 })
        );
        assert_eq!(NhsNumber::parse("943476591X"), Err(E::NotDigits));
        assert_eq!(
            NhsNumber::parse("９４３４７６５９１９"),
            Err(E::NotDigits),
            "full-width digits"
        );
    }

    #[test]
    fn gp_routing_2_3_ranges() {
        let range = |text: &str| NhsNumber::parse(text).unwrap().range();
        assert_eq!(range("0607230002"), NhsNumberRange::Scotland);
        assert_eq!(range("4010232137"), NhsNumberRange::EnglandWalesIsleOfMan);
        assert_eq!(range("5900046192"), NhsNumberRange::Synthetic);
        assert_eq!(range("9990000018"), NhsNumberRange::Synthetic);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_panic(text in "\\PC*") {
            if let Ok(number) = NhsNumber::parse(&text) {
                prop_assert_eq!(NhsNumber::parse(&number.spaced()), Ok(number));
            }
        }

        #[test]
        fn one_wrong_digit_is_always_found(index in 0_usize..10, by in 1_u8..10) {
            let mut digits: Vec<u8> = b"9434765919".to_vec();
            digits[index] = b'0' + (digits[index] - b'0' + by) % 10;
            let text = String::from_utf8(digits).unwrap();
            prop_assert_eq!(NhsNumber::parse(&text), Err(ParseNhsNumberError::CheckDigit));
        }

        #[test]
        fn swapped_neighbours_are_always_found(index in 0_usize..9) {
            let mut digits: Vec<u8> = b"9434765919".to_vec();
            digits.swap(index, index + 1);
            let text = String::from_utf8(digits).unwrap();
            prop_assert!(text == "9434765919" || NhsNumber::parse(&text).is_err());
        }
    }

    #[test]
    fn nothing_shows_the_number() {
        let number = NhsNumber::parse("9434765919").unwrap();
        let error = NhsNumber::parse("9434765918").unwrap_err();
        assert!(!format!("{number:?}{number}{error}{error:?}").contains("94347"));
    }
}
