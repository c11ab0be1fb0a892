//! Signature lines (source-documents section 2, rule 6).

use chrono::NaiveDateTime;
use nhs_types::Location;

use super::Line;
use super::marks::strip_prefix;
use crate::reading::Notes;
use crate::{Author, Completion, ReadOptions, SourceDocument, time};

/// A signature line, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Signature {
    author: Author,
    at: Option<NaiveDateTime>,
}

impl Signature {
    /// Reads `<Electronically signed by NAME, ROLE>  DATE TIME`, or where the format writes it so
    /// `Electronically signed by NAME, ROLE, DATE TIME`.
    pub(crate) fn find(line: &str, plain: bool, options: &ReadOptions) -> Option<Self> {
        let line = line.trim();
        let marks = &options.signature_marks;
        let marked = |text| marks.iter().find_map(|mark| strip_prefix(text, mark));
        if let Some(inner) = line.strip_prefix('<') {
            let (who, when) = marked(inner)?.split_once('>')?;
            return Some(Self::new(who, when));
        }
        let rest = marked(line).filter(|_| plain)?;
        let (who, when) = rest.rsplit_once(',').unwrap_or((rest, ""));
        Some(Self::new(who, when))
    }

    fn new(who: &str, when: &str) -> Self {
        let (name, role) = who.split_once(',').unwrap_or((who, ""));
        let filled = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        Self {
            author: Author {
                id: None,
                name: filled(name),
                role: filled(role),
            },
            at: time::day_and_clock(when),
        }
    }
}

/// Signs the document: the first signature names the author, the last gives the time.
pub(super) fn apply(signed: &[Signature], source: &mut SourceDocument, notes: &mut Notes) {
    let Some(first) = signed.first() else { return };
    source.author = first.author.clone();
    source.document.completion = Some(Completion::Authenticated);
    let all_timed = signed.iter().all(|one| one.at.is_some());
    let last = signed.iter().filter_map(|one| one.at).max();
    let place = Location::Named("signature".to_owned());
    source.document.signed_at = last
        .filter(|_| all_timed)
        .map(|at| time::london(at, &place, notes));
}

/// Joins a signature line that was wrapped before its closing bracket.
pub(super) fn unwrapped(lines: Vec<Line>, options: &ReadOptions) -> Vec<Line> {
    let mut kept: Vec<Line> = Vec::with_capacity(lines.len());
    for line in lines {
        match kept.last_mut() {
            Some(last) if is_open(&last.text, options) && !line.is_blank() => {
                last.text = format!("{} {}", last.text.trim_end(), line.text.trim());
            }
            _ => kept.push(line),
        }
    }
    kept
}

fn is_open(line: &str, options: &ReadOptions) -> bool {
    let inner = line.trim_start().strip_prefix('<');
    inner.is_some_and(|inner| {
        let marks = &options.signature_marks;
        !inner.contains('>') && marks.iter().any(|mark| strip_prefix(inner, mark).is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str, plain: bool) -> Option<(String, String, bool)> {
        let one = Signature::find(line, plain, &ReadOptions::default())?;
        let text = |value: Option<String>| value.unwrap_or_default();
        Some((
            text(one.author.name),
            text(one.author.role),
            one.at.is_some(),
        ))
    }

    #[test]
    fn rule_6_in_brackets() {
        let line = "<Electronically signed by Dr Yusuf Abubakar, Consultant>  19/11/26 1432";
        let expected = Some((
            "Dr Yusuf Abubakar".to_owned(),
            "Consultant".to_owned(),
            true,
        ));
        assert_eq!(found(line, false), expected);
        assert!(!found("<Electronically signed by Dr X>", false).unwrap().2);
    }

    #[test]
    fn rule_6_without_brackets_only_where_the_format_writes_it_so() {
        let line = "Electronically signed by Dr X, Locum, ENT, 19/11/2026 14:32";
        assert_eq!(found(line, false), None);
        let expected = Some(("Dr X".to_owned(), "Locum, ENT".to_owned(), true));
        assert_eq!(found(line, true), expected);
        assert_eq!(found("It was electronically signed by Dr X", true), None);
    }

    #[test]
    fn rule_6_wrapped_in_its_brackets() {
        let lines = ["<Electronically signed by Dr X,", "Locum>  19/11/26 1432"];
        let lines = lines.map(Line::plain).to_vec();
        let joined = unwrapped(lines, &ReadOptions::default());
        assert_eq!(joined.len(), 1);
        assert!(found(&joined[0].text, false).unwrap().2);
    }
}
