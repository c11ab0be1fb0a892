use std::fmt;

use super::hex;

/// The version of the rules by which texts become words. A change of any of them is a new one.
pub const RULES_VERSION: u32 = 1;

/// The words of a text, by rules that are the same for source and artefact.
///
/// 1. The characters are those of [`sendable_text`](kettering_xml::sendable_text): Word's control
///    characters as what they mean, C1 controls as Windows-1252, line ends as LF.
/// 2. Characters without any appearance go: soft hyphen, zero-width space, byte order mark.
/// 3. A word ends at white space of any kind, no-break spaces included.
/// 4. Nothing else: case, punctuation, accents, digits and units count as they stand. `5mg` is not
///    `5 mg`, `µ` (U+00B5) is not `μ` (U+03BC), and `-` is not `–`.
///
/// The words may be a patient's: `Debug` shows how many there are.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl Words {
    /// Takes a text apart.
    pub fn of(text: &str) -> Self {
        let text = kettering_xml::sendable_text(text);
        let seen: String = text.chars().filter(|c| !is_unseen(*c)).collect();
        Self(seen.split_whitespace().map(str::to_owned).collect())
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The words.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// SHA-256 of the words joined by single spaces, in UTF-8; lower-case hex.
    pub fn digest(&self) -> String {
        hex(self.0.join(" ").as_bytes())
    }
}

const fn is_unseen(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}' | '\u{FEFF}')
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Words({} words)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_of_any_kind_ends_a_word() {
        let words = Words::of(" 5\u{A0}mg\tonce\r\na\u{2003}day ");
        assert_eq!(words.as_slice(), ["5", "mg", "once", "a", "day"]);
        assert!(Words::of(" \n\t").is_empty());
    }

    #[test]
    fn what_cannot_be_seen_does_not_count() {
        assert_eq!(
            Words::of("para\u{AD}ceta\u{200B}mol\u{FEFF}").as_slice(),
            ["paracetamol"]
        );
    }

    #[test]
    fn what_looks_alike_is_not_the_same() {
        for (one, two) in [
            ("5mg", "5 mg"),
            ("µ", "μ"),
            ("-", "–"),
            ("A", "a"),
            ("é", "e\u{301}"),
        ] {
            assert_ne!(Words::of(one), Words::of(two));
            assert_ne!(Words::of(one).digest(), Words::of(two).digest());
        }
    }

    #[test]
    fn debug_shows_no_word() {
        assert_eq!(
            format!("{:?}", Words::of("coeliac disease")),
            "Words(2 words)"
        );
    }
}
