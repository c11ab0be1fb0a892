//! Which ways lead to the letters that a list asks for: what does not depend on the database.

use letter_delivery::StoreError;

use crate::views::{LetterView, StatusFilter};

/// How many letters of each way are counted before one is chosen.
pub(crate) const PROBED: i64 = 2000;
/// More letters than any list is asked for.
const ALL: i64 = i64::MAX;

/// A question that one index answers with keys of letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Letters with a copy for this practice.
    Practice(String),
    /// Letters taken from the first time on, and before the second; the newest first.
    Time(i64, i64),
    /// Letters that need a person, oldest duty first.
    LettersNeed,
    /// Letters with a copy that needs a person, oldest duty first.
    CopiesNeed,
    /// Letters in this state, the newest first.
    LettersIn(String),
    /// Letters with a copy in this state.
    CopiesIn(String),
    /// Letters of this source, the newest first.
    Source(String),
    /// Letters of this class, the newest first.
    Class(String),
}

/// Questions whose answers together hold all that a list shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) asks: Vec<Ask>,
    /// Whether everything they lead to is shown.
    is_all: bool,
}

impl Way {
    fn one(ask: Ask) -> Self {
        Self {
            asks: vec![ask],
            is_all: true,
        }
    }

    fn two(first: Ask, second: Ask) -> Self {
        Self {
            asks: vec![first, second],
            is_all: true,
        }
    }
}

/// Every way to what is asked for; to all letters when nothing is.
pub(crate) fn ways(filter: &StatusFilter) -> Vec<Way> {
    let scope = &filter.scope;
    let mut ways = Vec::new();
    let of_scope = scope.practice.as_ref().map(|code| code.as_str());
    if let Some(practice) = filter.practice.as_deref().or(of_scope) {
        ways.push(Way::one(Ask::Practice(practice.to_owned())));
    }
    if filter.taken_from.is_some() || filter.taken_before.is_some() {
        ways.push(Way::one(in_time(filter)));
    }
    if filter.needs_person {
        ways.push(Way::two(Ask::LettersNeed, Ask::CopiesNeed));
    }
    if let Some(state) = &filter.state {
        let (letters, copies) = (Ask::LettersIn(state.clone()), Ask::CopiesIn(state.clone()));
        ways.push(Way::two(letters, copies));
    }
    if let Some(source) = &scope.source {
        ways.push(Way::one(Ask::Source(source.clone())));
    }
    if let Some(class) = &scope.class {
        ways.push(Way::one(Ask::Class(class.clone())));
    }
    if ways.is_empty() {
        ways.push(Way {
            asks: vec![in_time(filter)],
            is_all: scope.is_all(),
        });
    }
    ways
}

fn in_time(filter: &StatusFilter) -> Ask {
    let millis = |at: chrono::DateTime<chrono::Utc>| at.timestamp_millis();
    let from = filter.taken_from.map_or(i64::MIN, millis);
    Ask::Time(from, filter.taken_before.map_or(i64::MAX, millis))
}

/// How many keys an index is asked for: the list's limit only where nothing else is asked.
pub(crate) fn limit(ways: &[Way], filter: &StatusFilter) -> i64 {
    let of_copies = filter.scope.is_about_copies();
    match (ways, filter.limit) {
        ([way], Some(limit)) if way.is_all && !of_copies => i64::try_from(limit).unwrap_or(ALL),
        _ => ALL,
    }
}

/// Whether a list has as many as it was asked for.
pub(crate) fn is_full(filter: &StatusFilter, shown: usize) -> bool {
    filter.limit.is_some_and(|limit| shown >= limit)
}

/// Oldest duty first on a work list; else in the order of arrival.
pub(crate) fn sort(filter: &StatusFilter, views: &mut [LetterView]) {
    views.sort_by_key(|view| {
        let letter = &view.letter;
        let duty = letter.due_at.or_else(|| letter.act_by());
        let duty = duty.filter(|_| filter.needs_person);
        let at = duty.unwrap_or(letter.taken_at).timestamp_millis();
        (at, letter.key)
    });
}

/// The way that leads to the fewest letters, by how many each of them leads to.
pub(crate) fn shortest(ways: Vec<Way>, found: &[usize]) -> Result<Way, StoreError> {
    let counted = ways.into_iter().zip(found);
    let best = counted.min_by_key(|(_, found)| **found);
    best.map(|(way, _)| way)
        .ok_or_else(|| StoreError::Corrupt("a list without a way".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_of_several_parts_has_a_way_for_each() {
        let several = StatusFilter {
            state: Some("FAILED".to_owned()),
            practice: Some("A81001".to_owned()),
            needs_person: true,
            taken_from: Some(chrono::DateTime::UNIX_EPOCH),
            limit: Some(7),
            ..StatusFilter::default()
        };
        let all = ways(&several);
        assert_eq!(all.len(), 4);
        assert_eq!(
            limit(&all, &several),
            ALL,
            "what an index leads to is looked at"
        );
        let best = shortest(all, &[5, 9, 2, 4]).unwrap();
        assert_eq!(best.asks, [Ask::LettersNeed, Ask::CopiesNeed]);
    }

    #[test]
    fn a_limit_is_asked_of_the_index_where_nothing_else_is() {
        let limited = StatusFilter {
            limit: Some(7),
            ..StatusFilter::default()
        };
        assert_eq!(limit(&ways(&limited), &limited), 7);
        let mut shaped = limited;
        shaped.scope.profile = Some("emis".to_owned());
        assert_eq!(limit(&ways(&shaped), &shaped), ALL);
    }
}
