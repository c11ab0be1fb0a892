//! What a row holds and the step from state to state does not say, carried by the event that
//! changed it: rows are projections, and can be made again from the ledger alone.
//!
//! An event's data gets a member `row` with the members of the record that changed, `row_gone`
//! with the names of those that went, and `document` with the row of the document. Rows hold
//! pseudonyms, codes, times and random ids, and so do the events.

#[cfg(feature = "sqlite")]
mod fold;

use audit_core::{Data, DataValue, EventBody, INT_MAX, StreamKey};
use letter_delivery::{Commit, DocumentChange, StoreError};
use serde_json::{Map, Value};

use crate::views::{json, parse};

#[cfg(feature = "sqlite")]
pub(crate) use fold::{DocumentRow, Fold};

/// The members that an event tells by itself.
const TOLD: [&str; 5] = ["key", "state", "subject", "events", "number"];

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
