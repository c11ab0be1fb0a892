//! Writing events in their canonical form.

use super::{ACTOR, KIND, is_actor};
use crate::{
    Data, DataValue, EventBody, EventError, Hash,
    data::INT_MAX,
    event::{BODY_BYTES_MAX, DATA_DEPTH_MAX, EVENT_BYTES_MAX},
    hex,
};

/// Writes the body, with its position if it has one.
pub(crate) fn write(
    body: &EventBody,
    position: Option<(u64, &Hash)>,
) -> Result<Vec<u8>, EventError> {
    require(is_actor(&body.actor), "actor", ACTOR)?;
    require(!body.kind.is_empty(), "type", KIND)?;
    require(
        body.at.is_writable(),
        "at",
        "the year must have four digits",
    )?;
    require(body.copy != Some(0), "copy", "copies are counted from 1")?;
    let mut writer = Writer {
        out: String::with_capacity(512),
    };
    writer.body(body, position)?;
    let bytes = writer.out.into_bytes();
    let max = if position.is_some() {
        EVENT_BYTES_MAX
    } else {
        BODY_BYTES_MAX
    };
    if bytes.len() > max {
        return Err(EventError::TooLong {
            bytes: bytes.len(),
            max,
        });
    }
    Ok(bytes)
}

struct Writer {
    out: String,
}

impl Writer {
    fn body(&mut self, body: &EventBody, position: Option<(u64, &Hash)>) -> Result<(), EventError> {
        self.raw("{\"actor\":");
        self.text("actor", &body.actor)?;
        self.raw(",\"at\":\"");
        self.raw(&body.at.to_string());
        self.raw("\"");
        if let Some(copy) = body.copy {
            self.raw(",\"copy\":");
            self.raw(&copy.to_string());
        }
        self.raw(",\"data\":");
        self.data(&body.data, 1)?;
        self.raw(",\"id\":\"");
        self.raw(&body.id.to_string());
        self.raw("\"");
        self.hex(",\"letter\":\"", body.stream.as_bytes());
        self.index(",\"lseq\":", "lseq", body.lseq)?;
        if let Some(subject) = &body.subject {
            self.hex(",\"patient\":\"", subject.as_bytes());
        }
        if let Some((seq, prev)) = position {
            self.hex(",\"prev\":\"", prev.as_bytes());
            self.index(",\"seq\":", "seq", seq)?;
        }
        self.raw(",\"state\":");
        self.text("state", &body.state)?;
        self.raw(",\"type\":");
        self.text("type", &body.kind)?;
        self.raw(",\"v\":1}");
        Ok(())
    }

    fn raw(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn hex(&mut self, before: &str, bytes: &[u8]) {
        self.raw(before);
        hex::push(&mut self.out, bytes);
        self.raw("\"");
    }

    fn index(&mut self, before: &str, member: &'static str, index: u64) -> Result<(), EventError> {
        let int = i64::try_from(index).unwrap_or(i64::MAX);
        self.raw(before);
        self.int(member, int)
    }

    fn int(&mut self, member: &'static str, int: i64) -> Result<(), EventError> {
        require(
            (-INT_MAX..=INT_MAX).contains(&int),
            member,
            "an integer is past 2^53 - 1",
        )?;
        self.raw(&int.to_string());
        Ok(())
    }

    fn text(&mut self, member: &'static str, text: &str) -> Result<(), EventError> {
        self.raw("\"");
        for part in text.split_inclusive(|c: char| c < ' ' || c == '"' || c == '\\') {
            match part.char_indices().next_back() {
                Some((_, '\0'..='\x1f')) => {
                    return require(false, member, "a text holds a control character");
                }
                Some((at, c @ ('"' | '\\'))) => {
                    self.raw(part.get(..at).unwrap_or_default());
                    self.out.extend(['\\', c]);
                }
                _ => self.raw(part),
            }
        }
        self.raw("\"");
        Ok(())
    }

    fn data(&mut self, data: &Data, depth: usize) -> Result<(), EventError> {
        require_depth(depth)?;
        let mut before = "{";
        for (key, value) in data.iter() {
            require(key.is_ascii(), "data", "a key is not ASCII")?;
            self.raw(before);
            self.text("data", key)?;
            self.raw(":");
            self.value(value, depth)?;
            before = ",";
        }
        self.raw(if data.is_empty() { "{}" } else { "}" });
        Ok(())
    }

    fn value(&mut self, value: &DataValue, depth: usize) -> Result<(), EventError> {
        match value {
            DataValue::Bool(true) => self.raw("true"),
            DataValue::Bool(false) => self.raw("false"),
            DataValue::Int(int) => self.int("data", *int)?,
            DataValue::Text(text) => self.text("data", text)?,
            DataValue::List(values) => self.list(values, depth.saturating_add(1))?,
            DataValue::Map(data) => self.data(data, depth.saturating_add(1))?,
        }
        Ok(())
    }

    fn list(&mut self, values: &[DataValue], depth: usize) -> Result<(), EventError> {
        require_depth(depth)?;
        let mut before = "[";
        for value in values {
            self.raw(before);
            self.value(value, depth)?;
            before = ",";
        }
        self.raw(if values.is_empty() { "[]" } else { "]" });
        Ok(())
    }
}

fn require_depth(depth: usize) -> Result<(), EventError> {
    require(depth <= DATA_DEPTH_MAX, "data", "it is nested too deeply")
}

fn require(holds: bool, member: &'static str, why: &'static str) -> Result<(), EventError> {
    if holds {
        Ok(())
    } else {
        Err(EventError::Unwritable { member, why })
    }
}
