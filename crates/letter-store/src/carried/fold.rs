//! Records made again from what their events carry.

use audit_core::{DataValue, Event, StreamKey};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{BYTES, DOCUMENT, GONE, ROW};
use crate::views::parse;

/// Members that change without an event, or without bounds: they drive work or recognise a replay,
/// and tell nothing that happened. A rebuilt row takes them from the row that is held, if one is.
const HELD: [&str; 3] = ["asked", "tracked", "earlier"];

/// The row of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DocumentRow {
    pub(crate) key: [u8; 32],
    pub(crate) latest: u32,
    pub(crate) letter: StreamKey,
    pub(crate) content: [u8; 32],
}

impl DocumentRow {
    /// The row that an event carries, if it carries one.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        let Some(DataValue::Map(data)) = event.body.data.get(DOCUMENT) else {
            return None;
        };
        let bytes = |name| unhex(data.text(name)?)?.try_into().ok();
        Some(Self {
            key: bytes("key")?,
            latest: data.int("latest")?.try_into().ok()?,
            letter: StreamKey::parse(data.text("letter")?).ok()?,
            content: bytes("content")?,
        })
    }
}

/// A record, as the events of its stream make it one after the other.
#[derive(Debug, Default)]
pub(crate) struct Fold {
    members: Map<String, Value>,
}

impl Fold {
    /// Takes what the next event of the stream says and carries.
    pub(crate) fn event(&mut self, event: &Event) {
        let body = &event.body;
        if let Some(DataValue::Map(row)) = body.data.get(ROW) {
            for (name, value) in row.iter() {
                self.members.insert(name.to_owned(), to_json(value));
            }
        }
        if let Some(DataValue::List(gone)) = body.data.get(GONE) {
            for name in gone {
                if let DataValue::Text(name) = name {
                    self.members.insert(name.clone(), Value::Null);
                }
            }
        }
        let subject = body.subject.map(|subject| subject.to_string());
        let subject = subject.map_or(Value::Null, Value::from);
        let told: [(&str, Value); 4] = [
            ("key", body.stream.to_string().into()),
            ("state", body.state.clone().into()),
            ("subject", subject),
            ("events", body.lseq.saturating_add(1).into()),
        ];
        for (name, value) in told {
            self.members.insert(name.to_owned(), value);
        }
        if let Some(number) = body.copy {
            self.members.insert("number".to_owned(), number.into());
        }
    }

    /// The record; what no event carries is taken from the one that is held. Nothing when that is
    /// not enough: events of a version that carried nothing, and no row.
    pub(crate) fn record<T: DeserializeOwned>(mut self, held: Option<&str>) -> Option<T> {
        let held: Map<String, Value> = held.and_then(|held| parse(held).ok()).unwrap_or_default();
        for (name, value) in held {
            if HELD.contains(&name.as_str()) || !self.members.contains_key(&name) {
                self.members.insert(name, value);
            }
        }
        for name in HELD {
            let none = if name == "earlier" {
                Value::Array(Vec::new())
            } else {
                0.into()
            };
            self.members.entry(name).or_insert(none);
        }
        serde_json::from_value(Value::Object(self.members)).ok()
    }
}

fn to_json(value: &DataValue) -> Value {
    match value {
        DataValue::Bool(flag) => Value::Bool(*flag),
        DataValue::Int(int) => Value::from(*int),
        DataValue::Text(text) => match text.strip_prefix(BYTES).and_then(unhex) {
            Some(bytes) => Value::from(bytes),
            None => Value::from(text.as_str()),
        },
        DataValue::List(items) => items.iter().map(to_json).collect(),
        DataValue::Map(members) => {
            let members = members.iter();
            Value::Object(
                members
                    .map(|(name, value)| (name.to_owned(), to_json(value)))
                    .collect(),
            )
        }
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    let (pairs, _) = digits.as_chunks::<2>();
    Some(pairs.iter().map(|[high, low]| (high << 4) | low).collect())
}

#[cfg(test)]
mod tests;
