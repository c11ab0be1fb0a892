//! Banners, and lines that tie a document to an earlier one.

use nhs_types::Sensitive;

use super::{Line, Seen};
use crate::{Completion, ReadOptions, Relation, SourceDocument};

/// The marks of a site.
pub(crate) struct Marks<'a> {
    options: &'a ReadOptions,
}

impl<'a> Marks<'a> {
    pub(crate) const fn new(options: &'a ReadOptions) -> Self {
        Self { options }
    }

    /// What the banners say, and whether a phrase says "not signed". Outer lines are those of page
    /// banners, headers and watermarks, where a phrase may stand without stars anywhere.
    pub(crate) fn seen(&self, body: &[Line], outer: &[Line]) -> Seen {
        let options = self.options;
        let written = body.iter().filter(|line| !line.is_blank()).enumerate();
        let places: Vec<(&str, bool)> = written
            .map(|(index, line)| (line.text.as_str(), index < ALONE_LINES))
            .chain(outer.iter().map(|line| (line.text.as_str(), true)))
            .collect();
        let banner = |phrases: &[String]| {
            let mut places = places.iter();
            places.any(|(line, alone)| is_banner(line, phrases, *alone))
        };
        let unsigned = |line: &str| {
            let line = line.to_lowercase();
            let mut phrases = options.unsigned_phrases.iter();
            phrases.any(|one| line.contains(&one.to_lowercase()))
        };
        let dictated = places.iter().any(|(line, _)| unsigned(line));
        let draft = banner(&options.draft_banners).then_some(Completion::Draft);
        Seen {
            unsigned: draft.or_else(|| dictated.then_some(Completion::Dictated)),
            cancelled: banner(&options.cancelled_banners),
            restricted: banner(&options.restriction_banners),
        }
    }

    /// Whether a line, the nth that is not blank, is a banner whose meaning is known.
    pub(crate) fn is_banner(&self, line: &str, nth: usize) -> bool {
        let options = self.options;
        [
            &options.draft_banners,
            &options.cancelled_banners,
            &options.restriction_banners,
        ]
        .into_iter()
        .any(|phrases| is_banner(line, phrases, nth <= ALONE_LINES))
    }

    /// Reads a line that ties the document to another, or says why it was changed; `false` when
    /// it does neither. A reason counts only where something was changed.
    pub(crate) fn read_tie(
        &self,
        line: &str,
        cancelled: bool,
        source: &mut SourceDocument,
    ) -> bool {
        match self.tie(line) {
            Some((Tie::Reason, text)) => {
                let changed = cancelled || source.document.relation != Relation::New;
                if changed {
                    source.change_reason = Some(Sensitive::new(text.to_owned()));
                }
                changed
            }
            Some((Tie::To(relation), number)) => {
                source.document.relation = relation;
                source.document.parent_id = Some(number.to_owned());
                true
            }
            None => false,
        }
    }

    fn tie<'l>(&self, line: &'l str) -> Option<(Tie, &'l str)> {
        let options = self.options;
        let ties = [
            (&options.addendum_marks, Tie::To(Relation::Addendum)),
            (&options.replacement_marks, Tie::To(Relation::Replacement)),
            (&options.change_reason_marks, Tie::Reason),
        ];
        let line = line.trim().trim_matches('*').trim();
        ties.into_iter().find_map(|(marks, tie)| {
            let text = marks.iter().find_map(|mark| strip_prefix(line, mark))?;
            (!text.trim().is_empty()).then(|| (tie, text.trim()))
        })
    }
}

#[derive(Clone, Copy)]
enum Tie {
    To(Relation),
    Reason,
}

/// Strips a prefix without regard to case.
pub(super) fn strip_prefix<'l>(line: &'l str, prefix: &str) -> Option<&'l str> {
    let (start, rest) = line.split_at_checked(prefix.len())?;
    (start.to_lowercase() == prefix.to_lowercase()).then_some(rest)
}

/// Whether a line stands between stars.
pub(super) fn is_starred(line: &str) -> bool {
    let line = line.trim();
    line.len() > 4 && line.starts_with("**") && line.ends_with("**")
}

/// Lines at the start of a body where a phrase may stand alone: further down, `Restricted` or
/// `Cancelled` alone on a line are a clinician's words.
const ALONE_LINES: usize = 3;

/// A line between stars that holds a phrase as whole words, or a line that is the phrase.
fn is_banner(line: &str, phrases: &[String], alone: bool) -> bool {
    let text = line.trim().trim_matches('*').trim().to_uppercase();
    let mut phrases = phrases.iter().map(|phrase| phrase.to_uppercase());
    phrases.any(|phrase| {
        (alone && text == phrase) || (is_starred(line) && holds_words(&text, &phrase))
    })
}

fn holds_words(text: &str, phrase: &str) -> bool {
    text.match_indices(phrase).any(|(at, _)| {
        let before = text.get(..at).and_then(|rest| rest.chars().next_back());
        let after = text
            .get(at + phrase.len()..)
            .and_then(|rest| rest.chars().next());
        let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        edge(before) && edge(after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(lines: &[&str]) -> (Option<Completion>, bool, bool) {
        let options = ReadOptions::default();
        let lines: Vec<Line> = lines.iter().map(|line| Line::plain(*line)).collect();
        let seen = Marks::new(&options).seen(&lines, &[]);
        (seen.unsigned, seen.cancelled, seen.restricted)
    }

    #[test]
    fn section_2_banners_stand_between_stars_or_alone() {
        let draft = (Some(Completion::Draft), false, false);
        assert_eq!(seen(&["*** DRAFT - NOT YET AUTHENTICATED ***"]), draft);
        assert_eq!(seen(&["  Draft  "]), draft);
        assert_eq!(
            seen(&["** CANCELLED - ENTERED IN ERROR **"]),
            (None, true, false)
        );
        let restricted = (None, false, true);
        assert_eq!(
            seen(&["*** RESTRICTED - NOT FOR RELEASE TO GP ***"]),
            restricted
        );
        assert_eq!(seen(&["a", "b", "RESTRICTED"]), restricted);
        let nothing = (None, false, false);
        assert_eq!(seen(&["a", "b", "c", "Restricted"]), nothing);
        assert_eq!(
            seen(&["A draft was blown in.", "Surgery cancelled", "** DRAFTY **"]),
            nothing
        );
    }

    #[test]
    fn section_2_phrases_that_are_no_signature() {
        let dictated = (Some(Completion::Dictated), false, false);
        assert_eq!(
            seen(&["Dictated by Dr N D'Arcy but not signed to avoid delay."]),
            dictated
        );
        assert_eq!(
            seen(&["Checked and signed electronically on behalf of Dr Low"]),
            dictated
        );
    }
}
