/// How many characters of a text were replaced or dropped, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cleaned {
    /// Characters XML forbids.
    pub(crate) forbidden: usize,
    /// C1 controls, which are Windows-1252 read as ISO 8859-1.
    pub(crate) c1: usize,
}

impl std::ops::AddAssign for Cleaned {
    fn add_assign(&mut self, other: Self) {
        self.forbidden += other.forbidden;
        self.c1 += other.c1;
    }
}

/// Whether XML 1.0 forbids the character, in CDATA and as a reference too (facts 8.1).
pub(crate) const fn is_forbidden(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}

const fn is_c1(c: char) -> bool {
    matches!(c, '\u{80}'..='\u{9F}')
}

/// What Word's control characters mean, in characters that may be sent (facts 8.1).
const fn meant(c: char) -> Option<char> {
    match c {
        '\u{B}' | '\u{C}' => Some('\n'),
        '\u{1E}' => Some('\u{2011}'),
        '\u{1F}' => Some('\u{AD}'),
        '\u{7}' => Some('\t'),
        _ => None,
    }
}

/// What a C1 control was before it was read as ISO 8859-1 (facts 8.5).
fn repaired(c: char) -> Option<char> {
    let bytes = [u8::try_from(u32::from(c)).ok()?];
    let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&bytes);
    text.chars().next().filter(|c| !is_c1(*c))
}

/// Cleans a text for sending: forbidden characters, C1 controls, line ends (facts 8.1, 8.5, 8.10).
pub(crate) fn clean(text: &str) -> (String, Cleaned) {
    let mut cleaned = Cleaned::default();
    let mut out = String::with_capacity(text.len());
    let mut after_cr = false;
    for c in text.chars() {
        let follows_cr = std::mem::replace(&mut after_cr, c == '\r');
        match c {
            '\n' if follows_cr => {}
            '\r' => out.push('\n'),
            c if is_forbidden(c) => {
                cleaned.forbidden += 1;
                out.extend(meant(c));
            }
            c if is_c1(c) => {
                cleaned.c1 += 1;
                out.extend(repaired(c));
            }
            c => out.push(c),
        }
    }
    (out, cleaned)
}

/// A text as [`build`](crate::build) sends it: characters that XML forbids become what they mean,
/// C1 controls what they were in Windows-1252, line ends LF (facts 8.1, 8.5, 8.10).
///
/// ```
/// assert_eq!(kettering_xml::sendable_text("5\u{1E}mg\r\nnext"), "5\u{2011}mg\nnext");
/// ```
pub fn sendable_text(text: &str) -> String {
    clean(text).0
}

/// Drops or replaces what XML forbids, and nothing else.
pub(crate) fn without_forbidden(text: &str) -> (String, usize) {
    let forbidden = text.chars().filter(|c| is_forbidden(*c)).count();
    let keep = |c| if is_forbidden(c) { meant(c) } else { Some(c) };
    (text.chars().filter_map(keep).collect(), forbidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k_w02_word_controls_become_what_they_mean() {
        let (text, cleaned) = clean("a\u{B}b\u{C}c\u{1E}d\u{1F}e\u{7}f\u{13}g\u{FFFE}h");
        assert_eq!(text, "a\nb\nc\u{2011}d\u{AD}e\tfgh");
        assert_eq!(cleaned.forbidden, 7);
    }

    #[test]
    fn k_w07_c1_controls_are_repaired_by_the_table() {
        let (text, cleaned) = clean("\u{80}\u{92}\u{93}\u{9F}\u{81}\u{8D}é");
        assert_eq!(text, "€’“Ÿé");
        assert_eq!(cleaned.c1, 6);
    }

    #[test]
    fn line_ends_become_lf() {
        assert_eq!(clean("a\r\nb\rc\n\nd\r\r\ne").0, "a\nb\nc\n\nd\n\ne");
        assert_eq!(clean("a\r\nb").1, Cleaned::default());
    }

    #[test]
    fn reading_keeps_c1_and_line_ends() {
        assert_eq!(
            without_forbidden("a\u{B}\u{92}\r"),
            ("a\n\u{92}\r".to_owned(), 1)
        );
    }
}
