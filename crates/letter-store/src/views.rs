//! What lists and screens read, whatever database it comes from.

use audit_core::{Hash, StreamKey};
use chrono::{DateTime, Utc};
use letter_delivery::{CopyRecord, LetterRecord, Scope, StoreError};
use nhs_types::Sensitive;
use serde::de::DeserializeOwned;

/// How far the ledger has come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tree {
    /// How many events it holds.
    pub size: u64,
    /// The root over all of them.
    pub root: Hash,
    /// The size at which it was last signed.
    pub signed_size: Option<u64>,
}

/// A letter with its copies, as a list shows it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LetterView {
    /// The letter.
    pub letter: LetterRecord,
    /// Its copies.
    pub copies: Vec<CopyRecord>,
    /// The document's number in its source, opened; `None` once it was erased.
    pub document: Option<Sensitive<String>>,
}

/// Which letters a list shows; everything that is set must hold.
///
/// Every question is answered by an index; where more than one thing is asked for, by the one that
/// leads to the fewest letters.
#[derive(Clone, Debug, Default)]
pub struct StatusFilter {
    /// Only this letter.
    pub letter: Option<StreamKey>,
    /// Only letters, or copies, in this state.
    pub state: Option<String>,
    /// Only copies for this practice.
    pub practice: Option<String>,
    /// Only what needs a person, oldest duty first.
    pub needs_person: bool,
    /// Only what shares this, such as what a stop holds back.
    pub scope: Scope,
    /// Only letters taken at this time or later.
    pub taken_from: Option<DateTime<Utc>>,
    /// Only letters taken before this time.
    pub taken_before: Option<DateTime<Utc>>,
    /// At most so many letters: the newest, where a list has an order of time.
    pub limit: Option<usize>,
}

impl StatusFilter {
    /// The copies of a letter that are shown; `None` when neither they nor it are.
    pub(crate) fn shown(
        &self,
        letter: &LetterRecord,
        mut copies: Vec<CopyRecord>,
    ) -> Option<Vec<CopyRecord>> {
        copies.retain(|copy| self.shows(letter, copy));
        (!copies.is_empty() || self.shows_alone(letter)).then_some(copies)
    }

    fn shows(&self, letter: &LetterRecord, copy: &CopyRecord) -> bool {
        let state = self.state.as_deref();
        let in_state = state.is_none_or(|s| copy.state.as_str() == s || letter.state.as_str() == s);
        let practice = self.practice.as_deref();
        let for_practice = practice.is_none_or(|code| copy.address.practice.as_str() == code);
        let needs = !self.needs_person || copy.needs_person();
        in_state && for_practice && needs && self.in_time(letter) && self.scope.holds(letter, copy)
    }

    /// Whether a letter is shown for what it is itself.
    fn shows_alone(&self, letter: &LetterRecord) -> bool {
        let state = self.state.as_deref();
        let in_state = state.is_none_or(|s| letter.state.as_str() == s);
        let alone = self.practice.is_none() && !self.scope.is_about_copies();
        let needs = !self.needs_person || letter.needs_person();
        in_state && alone && needs && self.in_time(letter) && self.scope.holds_letter(letter)
    }

    fn in_time(&self, letter: &LetterRecord) -> bool {
        self.taken_from.is_none_or(|from| letter.taken_at >= from)
            && self
                .taken_before
                .is_none_or(|before| letter.taken_at < before)
    }
}

/// Reads a stored record.
pub(crate) fn parse<T: DeserializeOwned>(record: &str) -> Result<T, StoreError> {
    serde_json::from_str(record)
        .map_err(|error| StoreError::Corrupt(format!("a row cannot be read: {error}")))
}

/// Writes a record as it is stored.
pub(crate) fn json(record: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(record).map_err(|error| StoreError::Corrupt(error.to_string()))
}
