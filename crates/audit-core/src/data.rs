//! What an event carries beside its fixed members.

use std::collections::{BTreeMap, btree_map};

use crate::{Hash, Timestamp};

/// The largest integer an event can hold, 2^53 - 1; the smallest is its negative.
pub const INT_MAX: i64 = 9_007_199_254_740_991;

/// A value inside [`Data`]. There are no fractions and no null: leave the key out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "canonical version 1 has these kinds and no others; readers match them all"
)]
pub enum DataValue {
    /// `true` or `false`.
    Bool(bool),
    /// An integer within ±[`INT_MAX`].
    Int(i64),
    /// A text without control characters.
    Text(String),
    /// Values in their order.
    List(Vec<Self>),
    /// Named values.
    Map(Data),
}

/// Named values, kept sorted by name. Names are ASCII.
///
/// Codes, ids, digests and counts belong here; names of people, their numbers and free text do
/// not: an event can never be erased.
///
/// ```
/// use audit_core::Data;
/// let data = Data::new().with("attempt", 1).with("message_id", "M-17");
/// assert_eq!(data.int("attempt"), Some(1));
/// assert_eq!(data.text("message_id"), Some("M-17"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Data(BTreeMap<String, DataValue>);

impl Data {
    /// No values.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Sets a value and gives back the one it replaces.
    pub fn insert(
        &mut self,
        key: impl Into<String>,
        value: impl Into<DataValue>,
    ) -> Option<DataValue> {
        self.0.insert(key.into(), value.into())
    }

    /// The same data with one value more.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<DataValue>) -> Self {
        self.insert(key, value);
        self
    }

    /// The value of that name.
    pub fn get(&self, key: &str) -> Option<&DataValue> {
        self.0.get(key)
    }

    /// The text of that name, if it is one.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(DataValue::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The integer of that name, if it is one.
    pub fn int(&self, key: &str) -> Option<i64> {
        match self.get(key) {
            Some(DataValue::Int(int)) => Some(*int),
            _ => None,
        }
    }

    /// The truth value of that name, if it is one.
    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.get(key) {
            Some(DataValue::Bool(flag)) => Some(*flag),
            _ => None,
        }
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &DataValue)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, DataValue)> for Data {
    fn from_iter<I: IntoIterator<Item = (String, DataValue)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl IntoIterator for Data {
    type Item = (String, DataValue);
    type IntoIter = btree_map::IntoIter<String, DataValue>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl From<bool> for DataValue {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for DataValue {
    fn from(int: i64) -> Self {
        Self::Int(int)
    }
}

impl From<i32> for DataValue {
    fn from(int: i32) -> Self {
        Self::Int(int.into())
    }
}

impl From<u16> for DataValue {
    fn from(int: u16) -> Self {
        Self::Int(int.into())
    }
}

impl From<u32> for DataValue {
    fn from(int: u32) -> Self {
        Self::Int(int.into())
    }
}

impl From<u64> for DataValue {
    /// What does not fit becomes a value that no event can hold, so that writing it is refused.
    fn from(int: u64) -> Self {
        Self::Int(i64::try_from(int).unwrap_or(i64::MAX))
    }
}

impl From<usize> for DataValue {
    /// What does not fit becomes a value that no event can hold, so that writing it is refused.
    fn from(int: usize) -> Self {
        Self::Int(i64::try_from(int).unwrap_or(i64::MAX))
    }
}

impl From<&str> for DataValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for DataValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Hash> for DataValue {
    fn from(hash: Hash) -> Self {
        Self::Text(hash.to_string())
    }
}

impl From<Timestamp> for DataValue {
    fn from(at: Timestamp) -> Self {
        Self::Text(at.to_string())
    }
}

impl<T: Into<Self>> From<Vec<T>> for DataValue {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl From<Data> for DataValue {
    fn from(data: Data) -> Self {
        Self::Map(data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_name_and_kind() {
        let data = Data::new()
            .with("flag", true)
            .with("int", 3_u32)
            .with("list", vec!["a", "b"])
            .with("map", Data::new().with("x", 1))
            .with("at", Timestamp::from_millis(0));
        assert_eq!(data.flag("flag"), Some(true));
        assert_eq!(data.int("int"), Some(3));
        assert_eq!(data.text("int"), None);
        assert_eq!(data.int("none"), None);
        assert_eq!(data.flag("int"), None);
        assert_eq!(data.text("at"), Some("1970-01-01T00:00:00.000Z"));
        assert_eq!(
            data.get("list"),
            Some(&DataValue::List(vec!["a".into(), "b".into()]))
        );
        assert_eq!(
            data.iter().map(|(key, _)| key).collect::<Vec<_>>(),
            ["at", "flag", "int", "list", "map"]
        );
        assert_eq!(
            (data.len(), data.is_empty(), Data::new().is_empty()),
            (5, false, true)
        );
        assert_eq!(data.clone().into_iter().collect::<Data>(), data);
    }

    #[test]
    fn inserting_again_gives_the_old_value_back() {
        let mut data = Data::new();
        assert_eq!(data.insert("a", 1), None);
        assert_eq!(data.insert("a", 2), Some(DataValue::Int(1)));
    }

    #[test]
    fn integers_that_do_not_fit_are_never_silently_others() {
        for value in [DataValue::from(u64::MAX), DataValue::from(usize::MAX)] {
            assert!(matches!(value, DataValue::Int(int) if int > INT_MAX));
        }
    }
}
