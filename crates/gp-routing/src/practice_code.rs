//! Shapes of practice codes and the codes that stand for no practice (gp-routing section 3).

use nhs_types::OdsCode;

const PRACTICE_LENGTH: usize = 6;
const BRANCH_LENGTH: usize = 9;
const ISLAND_PREFIXES: [&str; 3] = ["ALD", "GUE", "JER"];
const PSEUDO_CODES: [&str; 12] = [
    "V81997", "V81998", "V81999", "A99999", "G9999998", "G9999981", "A9999998", "P9999981",
    "R9999981", "X9999998", "X99998", "X99999",
];
const LOCAL_UNKNOWN: [&str; 3] = ["&", "Z", "UNK"];

/// What a practice code given by a source can be.
pub(crate) enum GivenCode {
    /// Nothing was given.
    Blank,
    /// A code that stands for an unknown practice.
    Pseudo,
    /// A text that can be no code at all.
    Unreadable,
    /// A code to look for in the table.
    Code(OdsCode),
}

impl GivenCode {
    /// Trims and upper-cases; O and 0, I and 1 are never swapped (gp-routing 3.1).
    pub(crate) fn read(text: Option<&str>) -> Self {
        let text = text.unwrap_or_default().trim().to_ascii_uppercase();
        if text.is_empty() {
            Self::Blank
        } else if PSEUDO_CODES.contains(&text.as_str()) || LOCAL_UNKNOWN.contains(&text.as_str()) {
            Self::Pseudo
        } else {
            OdsCode::parse(&text).map_or(Self::Unreadable, Self::Code)
        }
    }
}

/// Whether a code has the form of a practice that can be written to (gp-routing 3.1).
pub(crate) fn has_practice_shape(code: &str) -> bool {
    if code.len() != PRACTICE_LENGTH {
        return false;
    }
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if is_channel_islands(code) {
        return code.get(3..).is_some_and(digits);
    }
    let first = code.bytes().next();
    first.is_some_and(|byte| matches!(byte, b'A'..=b'H' | b'J'..=b'N' | b'P' | b'W' | b'Y'))
        && code.get(1..).is_some_and(digits)
}

/// The practice of a branch surgery's code: practice code and three digits (gp-routing 3.1).
pub(crate) fn practice_of_branch(code: &OdsCode) -> Option<OdsCode> {
    let (practice, branch) = code.as_str().split_at_checked(PRACTICE_LENGTH)?;
    let is_branch = code.as_str().len() == BRANCH_LENGTH
        && has_practice_shape(practice)
        && branch.bytes().all(|byte| byte.is_ascii_digit());
    is_branch.then(|| OdsCode::parse(practice).ok()).flatten()
}

/// Whether the code is of Alderney, Guernsey or Jersey (R12g).
pub(crate) fn is_channel_islands(code: &str) -> bool {
    ISLAND_PREFIXES
        .iter()
        .any(|prefix| code.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gp_routing_3_1_shapes() {
        for code in ["A81001", "Y99901", "W00206", "GUE010", "P12345", "N99999"] {
            assert!(has_practice_shape(code), "{code}");
        }
        for code in [
            "I81001", "A8100", "A810011", "GUE01A", "RR8", "V81999", "Y9990O",
        ] {
            assert!(!has_practice_shape(code), "{code}");
        }
    }

    #[test]
    fn gp_routing_3_1_branches_lead_to_their_practice() {
        let practice = |text: &str| practice_of_branch(&OdsCode::parse(text).unwrap());
        assert_eq!(practice("A81001001"), OdsCode::parse("A81001").ok());
        assert_eq!(practice("A81001"), None);
        assert_eq!(practice("A8100100A"), None);
        assert_eq!(practice("RR8010010"), None);
    }

    #[test]
    fn gp_routing_3_2_pseudo_codes_and_blanks() {
        for text in [
            "V81997", " v81998 ", "V81999", "A99999", "&", "z", "unk", "G9999998",
        ] {
            assert!(
                matches!(GivenCode::read(Some(text)), GivenCode::Pseudo),
                "{text}"
            );
        }
        assert!(matches!(GivenCode::read(None), GivenCode::Blank));
        assert!(matches!(GivenCode::read(Some(" ")), GivenCode::Blank));
        assert!(matches!(
            GivenCode::read(Some("see notes")),
            GivenCode::Unreadable
        ));
        assert!(
            matches!(GivenCode::read(Some(" a81001 ")), GivenCode::Code(code) if code.as_str() == "A81001")
        );
    }
}
