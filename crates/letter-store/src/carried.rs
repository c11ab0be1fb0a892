//! What a row holds and the step from state to state does not say, carried by the event that
//! changed it: rows are projections, and can be made again from the ledger alone.
//!
//! An event's data gets a member `row` with the members of the record that changed, `row_gone`
//! with the names of those that went, and `document` with the row of the document. Rows hold
//! pseudonyms, codes, times and random ids, and so do the events.

use audit_core::{Data, DataValue, Event, EventBody, INT_MAX, StreamKey};
use letter_delivery::{Commit, DocumentChange, StoreError};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::views::{json, parse};

/// The members that an event tells by itself.
const TOLD: [&str; 5] = ["key", "state", "subject", "events", "number"];

/// Members that change without an event, or without bounds: they drive work or recognise a replay,
/// and tell nothing that happened. A rebuilt row takes them from the row that is held, if one is.
pub(crate) const HELD: [&str; 3] = ["asked", "tracked", "earlier"];

/// The longest member that an event carries, and all of them together, in bytes of JSON.
const CARRIED_BYTES_MAX: usize = 8_192;

const ROW: &str = "row";
const GONE: &str = "row_gone";
const DOCUMENT: &str = "document";
/// How a list of bytes is told from a text.
const BYTES: &str = "hex:";

/// Has a commit's events carry what its rows change; `held` gives the record of a letter or copy as
/// it stands, in JSON.
pub(crate) fn carry(
    events: &mut [EventBody],
    commit: &Commit,
    mut held: impl FnMut(StreamKey) -> Result<Option<String>, StoreError>,
) -> Result<(), StoreError> {
    let letters = commit.letters.iter().map(|l| Ok((l.key, json(l)?)));
    let copies = commit.copies.iter().map(|c| Ok((c.key, json(c)?)));
    let records: Vec<(StreamKey, String)> = letters.chain(copies).collect::<Result<_, _>>()?;
    for (stream, record) in records {
        let mut newest_first = events.iter_mut().rev();
        if let Some(event) = newest_first.find(|event| event.stream == stream) {
            let before = held(stream)?;
            let before = before.as_deref().map(parse).transpose()?;
            add_changes(event, before.unwrap_or_default(), &parse(&record)?);
        }
    }
    if let (Some(change), Some(event)) = (&commit.document, events.last_mut()) {
        event.data.insert(DOCUMENT, document(change));
    }
    Ok(())
}

fn add_changes(event: &mut EventBody, before: Map<String, Value>, after: &Map<String, Value>) {
    let mut row = Data::new();
    let mut gone = Vec::new();
    let mut room = CARRIED_BYTES_MAX;
    for (name, value) in after {
        if TOLD.contains(&name.as_str()) || before.get(name) == Some(value) {
            continue;
        }
        match value {
            Value::Null if before.contains_key(name) => gone.push(DataValue::from(name.as_str())),
            Value::Null => {}
            value => {
                let bytes = value.to_string().len();
                if let (Some(value), Some(left)) = (to_data(value), room.checked_sub(bytes)) {
                    row.insert(name.as_str(), value);
                    room = left;
                }
            }
        }
    }
    if !row.is_empty() {
        event.data.insert(ROW, row);
    }
    if !gone.is_empty() {
        event.data.insert(GONE, DataValue::List(gone));
    }
}

fn document(change: &DocumentChange) -> Data {
    Data::new()
        .with("key", hex(change.key.as_bytes()))
        .with("latest", i64::from(change.latest))
        .with("letter", change.letter.to_string())
        .with("content", hex(&change.content))
}

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

/// Nothing for what an event cannot say.
fn to_data(value: &Value) -> Option<DataValue> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(flag) => DataValue::Bool(*flag),
        Value::Number(number) => {
            let int = number.as_i64()?;
            DataValue::Int(Some(int).filter(|int| (-INT_MAX..=INT_MAX).contains(int))?)
        }
        Value::String(text) if text.chars().any(char::is_control) => return None,
        Value::String(text) => DataValue::Text(text.clone()),
        Value::Array(items) => match bytes_of(items) {
            Some(bytes) => DataValue::Text(format!("{BYTES}{}", hex(&bytes))),
            None => DataValue::List(items.iter().map(to_data).collect::<Option<_>>()?),
        },
        Value::Object(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            let members = members.map(|(name, value)| Some((name.clone(), to_data(value)?)));
            DataValue::Map(members.collect::<Option<Data>>()?)
        }
    })
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

/// A list that is bytes, as keys, ids and fingerprints are.
fn bytes_of(items: &[Value]) -> Option<Vec<u8>> {
    let bytes: Option<Vec<u8>> = items
        .iter()
        .map(|item| item.as_u64().and_then(|item| u8::try_from(item).ok()))
        .collect();
    bytes.filter(|bytes| bytes.len() >= 16)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
