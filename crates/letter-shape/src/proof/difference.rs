use nhs_types::Sensitive;

use super::edit::{Edit, edits};

/// How an artefact differs from its letter at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DifferenceKind {
    /// A word that the letter does not have.
    Added,
    /// Another word in the place of the letter's.
    Changed,
    /// Another value in the header of the message.
    Header,
    /// A word that the artefact does not have.
    Missing,
}

/// One place where an artefact differs from its letter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// How.
    pub kind: DifferenceKind,
    /// The word of the letter, counted from 1; of an added word the one before it; 0 in the header.
    pub at: usize,
    /// What the letter says; empty for an added word.
    pub expected: Sensitive<String>,
    /// What the artefact says; empty for a missing word.
    pub found: Sensitive<String>,
}

impl Difference {
    pub(super) fn header(place: &str, expected: &str, found: &str) -> Self {
        Self {
            kind: DifferenceKind::Header,
            at: 0,
            expected: Sensitive::new(format!("{place}: {expected}")),
            found: Sensitive::new(format!("{place}: {found}")),
        }
    }
}

/// The differences between two lists of words. Where words went and others came, they are paired.
pub(super) fn between(source: &[String], artefact: &[String]) -> Vec<Difference> {
    let mut out = Vec::new();
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    let mut at = 0;
    for edit in edits(source, artefact) {
        match edit {
            Edit::Keep => {
                pair(&mut gone, &mut come, at, &mut out);
                at += 1;
            }
            Edit::Delete(word) => {
                at += 1;
                gone.push(word);
            }
            Edit::Insert(word) => come.push(word),
        }
    }
    pair(&mut gone, &mut come, at, &mut out);
    out
}

/// `at` is the number of the last word of the letter that was passed.
fn pair(gone: &mut Vec<&str>, come: &mut Vec<&str>, at: usize, out: &mut Vec<Difference>) {
    let first = at + 1 - gone.len().min(at + 1);
    let count = gone.len().max(come.len());
    for index in 0..count {
        let (expected, found) = (gone.get(index), come.get(index));
        let kind = match (expected, found) {
            (Some(_), Some(_)) => DifferenceKind::Changed,
            (Some(_), None) => DifferenceKind::Missing,
            _ => DifferenceKind::Added,
        };
        let text = |word: Option<&&str>| Sensitive::new((*word.unwrap_or(&"")).to_owned());
        out.push(Difference {
            kind,
            at: (first + index).min(at),
            expected: text(expected),
            found: text(found),
        });
    }
    gone.clear();
    come.clear();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::Words;

    fn shown(source: &str, artefact: &str) -> Vec<String> {
        let (source, artefact) = (Words::of(source), Words::of(artefact));
        let found = between(source.as_slice(), artefact.as_slice());
        let show = |d: &Difference| {
            format!(
                "{:?} {} {}>{}",
                d.kind,
                d.at,
                d.expected.expose(),
                d.found.expose()
            )
        };
        found.iter().map(show).collect()
    }

    #[test]
    fn each_kind_at_its_place() {
        assert_eq!(shown("a b c", "a b c"), [""; 0]);
        assert_eq!(shown("a b c", "a x c"), ["Changed 2 b>x"]);
        assert_eq!(shown("a b c", "a c"), ["Missing 2 b>"]);
        assert_eq!(shown("a b c", "a b x c"), ["Added 2 >x"]);
        assert_eq!(shown("a b c", "a b"), ["Missing 3 c>"]);
        assert_eq!(shown("a b", "x a b"), ["Added 0 >x"]);
        assert_eq!(
            shown("a b c d", "a x y z d"),
            ["Changed 2 b>x", "Changed 3 c>y", "Added 3 >z"]
        );
        assert_eq!(shown("", "a"), ["Added 0 >a"]);
        assert_eq!(shown("a", ""), ["Missing 1 a>"]);
    }

    #[test]
    fn debug_shows_no_word() {
        let found = between(&["coeliac".to_owned()], &["healthy".to_owned()]);
        let shown = format!("{found:?}");
        assert!(
            !shown.contains("coeliac") && !shown.contains("healthy"),
            "{shown}"
        );
    }
}
