use std::fmt;
use std::str::FromStr;

/// A UK postcode, held as outward and inward part with one space: `NM1 4ZZ`.
///
/// A patient's postcode helps to identify them: `Debug` and `Display` show a placeholder.
///
/// ```
/// # use nhs_types::Postcode;
/// assert_eq!(Postcode::parse("nm14zz").unwrap().expose(), "NM1 4ZZ");
/// assert!(Postcode::parse("Northmoor").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Postcode(String);

/// Why a text is not a postcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a postcode has an outward part such as NM1 and an inward part such as 4ZZ")]
pub struct ParsePostcodeError;

/// Length of the inward part: a digit and two letters.
const INWARD: usize = 3;

impl Postcode {
    /// Reads a postcode, ignoring case and spaces.
    ///
    /// # Errors
    ///
    /// [`ParsePostcodeError`] when it has no postcode's shape. Whether it exists is not checked.
    pub fn parse(text: &str) -> Result<Self, ParsePostcodeError> {
        let compact: String = text
            .chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let at = compact
            .len()
            .checked_sub(INWARD)
            .ok_or(ParsePostcodeError)?;
        let (outward, inward) = compact.split_at_checked(at).ok_or(ParsePostcodeError)?;
        if is_outward(outward) && is_inward(inward) {
            Ok(Self(format!("{outward} {inward}")))
        } else {
            Err(ParsePostcodeError)
        }
    }

    /// The postcode as it is written on an envelope.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// `A9`, `A99`, `A9A`, `AA9`, `AA99`, `AA9A`, or the one exception `GIR`.
fn is_outward(part: &str) -> bool {
    let shape: String = part
        .chars()
        .map(|c| match c {
            'A'..='Z' => 'A',
            '0'..='9' => '9',
            _ => '?',
        })
        .collect();
    part == "GIR"
        || matches!(
            shape.as_str(),
            "A9" | "A99" | "A9A" | "AA9" | "AA99" | "AA9A"
        )
}

fn is_inward(part: &str) -> bool {
    let mut chars = part.chars();
    chars.next().is_some_and(|c| c.is_ascii_digit()) && chars.all(|c| c.is_ascii_uppercase())
}

impl FromStr for Postcode {
    type Err = ParsePostcodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Debug for Postcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Postcode([redacted])")
    }
}

impl fmt::Display for Postcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[postcode]")
    }
}

/// A patient's address: lines as written, without the postcode, and the postcode if known.
///
/// ```
/// # use nhs_types::{Address, Postcode};
/// let address = Address::new(["14 Mill Lane", "Northmoor"], Postcode::parse("NM1 4ZZ").ok())?;
/// assert_eq!(address.expose_lines(), ["14 Mill Lane", "Northmoor"]);
/// assert_eq!(format!("{address:?}"), "Address([redacted])");
/// # Ok::<(), nhs_types::ParseAddressError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    lines: Vec<String>,
    postcode: Option<Postcode>,
}

/// Why lines do not make an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseAddressError {
    /// More lines than an envelope takes.
    #[error("an address has at most {LINES_MAX} lines")]
    TooManyLines,
    /// A line is longer than the limit.
    #[error("an address line has at most {LINE_MAX} characters")]
    TooLong,
    /// A control character, line breaks included.
    #[error("an address line holds no control characters")]
    ControlCharacter,
}

const LINES_MAX: usize = 10;
const LINE_MAX: usize = 255;

impl Address {
    /// Makes an address; blank lines are left out.
    ///
    /// # Errors
    ///
    /// [`ParseAddressError`], by what is wrong with the lines.
    pub fn new<'a>(
        lines: impl IntoIterator<Item = &'a str>,
        postcode: Option<Postcode>,
    ) -> Result<Self, ParseAddressError> {
        let mut kept = Vec::new();
        for line in lines
            .into_iter()
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            if line.chars().count() > LINE_MAX {
                return Err(ParseAddressError::TooLong);
            }
            if line.chars().any(char::is_control) {
                return Err(ParseAddressError::ControlCharacter);
            }
            kept.push(line.to_owned());
        }
        if kept.len() > LINES_MAX {
            return Err(ParseAddressError::TooManyLines);
        }
        Ok(Self {
            lines: kept,
            postcode,
        })
    }

    /// The lines, without the postcode.
    pub fn expose_lines(&self) -> &[String] {
        &self.lines
    }

    /// The postcode, if known.
    pub const fn postcode(&self) -> Option<&Postcode> {
        self.postcode.as_ref()
    }

    /// Whether nothing is known.
    pub const fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.postcode.is_none()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn postcodes_of_every_shape() {
        for (text, shown) in [
            ("M1 1AE", "M1 1AE"),
            ("b338th", "B33 8TH"),
            ("W1A 0AX", "W1A 0AX"),
            ("CR2  6XH", "CR2 6XH"),
            ("DN551PT", "DN55 1PT"),
            ("EC1A 1BB", "EC1A 1BB"),
            ("GIR 0AA", "GIR 0AA"),
            ("ZZ99 3CZ", "ZZ99 3CZ"),
        ] {
            assert_eq!(Postcode::parse(text).unwrap().expose(), shown);
        }
        for text in [
            "",
            "4ZZ",
            "NM1",
            "NM1 4Z",
            "1NM 4ZZ",
            "NM1 ZZ4",
            "NM1 4ZZ GB",
            "ÑM1 4ZZ",
        ] {
            assert_eq!(Postcode::parse(text), Err(ParsePostcodeError), "{text}");
        }
    }

    #[test]
    fn address_at_its_limits() {
        assert!(Address::new(vec!["x"; LINES_MAX], None).is_ok());
        assert_eq!(
            Address::new(vec!["x"; LINES_MAX + 1], None),
            Err(ParseAddressError::TooManyLines)
        );
        assert!(Address::new([&*"x".repeat(LINE_MAX)], None).is_ok());
        assert_eq!(
            Address::new([&*"x".repeat(LINE_MAX + 1)], None),
            Err(ParseAddressError::TooLong)
        );
        assert_eq!(
            Address::new(["a\tb"], None),
            Err(ParseAddressError::ControlCharacter)
        );
    }

    #[test]
    fn blank_lines_are_left_out() {
        let address = Address::new(["Flat 3", "  ", "22 Quayside Court"], None).unwrap();
        assert_eq!(address.expose_lines().len(), 2);
        assert!(!address.is_empty());
        assert!(Address::default().is_empty());
    }

    proptest! {
        #[test]
        fn postcode_reads_its_own_form(text in "[A-Za-z]{1,2}[0-9][0-9A-Za-z]? ?[0-9][A-Za-z]{2}") {
            let postcode = Postcode::parse(&text).unwrap();
            prop_assert_eq!(Postcode::parse(postcode.expose()), Ok(postcode.clone()));
            let shown = format!("{postcode:?}{postcode}");
            prop_assert!(!shown.contains(postcode.expose()));
        }

        #[test]
        fn any_text_is_read_or_refused_without_panic(text in "\\PC*") {
            let _ = Postcode::parse(&text);
            let _ = Address::new([&*text], None);
        }
    }
}
