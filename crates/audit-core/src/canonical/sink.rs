//! What becomes of the values inside `data`: a tree, or nothing.

use crate::{Data, DataValue};

/// Receives the values of `data` as they are read, so that one grammar serves both readers.
pub(crate) trait Sink {
    type Value;
    type List: Default;
    type Map: Default;

    fn bool(flag: bool) -> Self::Value;
    fn int(int: i64) -> Self::Value;
    /// `raw` is the text between its quotes, still escaped.
    fn text(raw: &str) -> Self::Value;
    fn push(list: &mut Self::List, value: Self::Value);
    fn list(list: Self::List) -> Self::Value;
    fn insert(map: &mut Self::Map, raw_key: &str, value: Self::Value);
    fn map(map: Self::Map) -> Self::Value;
}

/// Builds [`Data`].
pub(crate) struct Tree;

impl Sink for Tree {
    type Value = DataValue;
    type List = Vec<DataValue>;
    type Map = Data;

    fn bool(flag: bool) -> DataValue {
        DataValue::Bool(flag)
    }

    fn int(int: i64) -> DataValue {
        DataValue::Int(int)
    }

    fn text(raw: &str) -> DataValue {
        DataValue::Text(unescape(raw))
    }

    fn push(list: &mut Vec<DataValue>, value: DataValue) {
        list.push(value);
    }

    fn list(list: Vec<DataValue>) -> DataValue {
        DataValue::List(list)
    }

    fn insert(map: &mut Data, raw_key: &str, value: DataValue) {
        map.insert(unescape(raw_key), value);
    }

    fn map(map: Data) -> DataValue {
        DataValue::Map(map)
    }
}

/// Keeps nothing: the grammar is checked and nothing is allocated.
pub(crate) struct Skip;

impl Sink for Skip {
    type Value = ();
    type List = ();
    type Map = ();

    fn bool(_: bool) {}
    fn int(_: i64) {}
    fn text(_: &str) {}
    fn push((): &mut (), (): ()) {}
    fn list((): ()) {}
    fn insert((): &mut (), _: &str, (): ()) {}
    fn map((): ()) {}
}

/// The text that an escaped one stands for; the reader has checked the escapes.
pub(super) fn unescape(raw: &str) -> String {
    unescaped(raw).collect()
}

/// The characters that an escaped text stands for.
pub(super) fn unescaped(raw: &str) -> impl Iterator<Item = char> {
    let mut chars = raw.chars();
    std::iter::from_fn(move || match chars.next() {
        Some('\\') => chars.next(),
        other => other,
    })
}
