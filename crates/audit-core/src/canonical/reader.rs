//! The tokens of the restricted JSON, read strictly from the front.

use super::sink::{Sink, unescaped};
use crate::{EventError, data::INT_MAX, event::DATA_DEPTH_MAX};

/// What is left to read.
pub(super) struct Reader<'a> {
    rest: &'a str,
    bytes: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the front; the bytes must be UTF-8.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, EventError> {
        match std::str::from_utf8(bytes) {
            Ok(rest) => Ok(Self {
                rest,
                bytes: bytes.len(),
            }),
            Err(error) => Err(EventError::NotCanonical {
                at: error.valid_up_to(),
                expected: "UTF-8",
            }),
        }
    }

    /// Takes exactly this text.
    pub(super) fn literal(&mut self, literal: &'static str) -> Result<(), EventError> {
        if self.accept(literal) {
            Ok(())
        } else {
            Err(self.fault(literal))
        }
    }

    /// Takes this text if it comes next.
    pub(super) fn accept(&mut self, literal: &'static str) -> bool {
        match self.rest.strip_prefix(literal) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes a quoted text and gives what stands between the quotes, still escaped.
    pub(super) fn text(&mut self) -> Result<&'a str, EventError> {
        self.literal("\"")?;
        let mut escaped = false;
        for (index, byte) in self.rest.bytes().enumerate() {
            match byte {
                b'"' | b'\\' if escaped => escaped = false,
                _ if escaped => return Err(self.fault_past(index, "an escaped `\"` or `\\`")),
                b'"' => {
                    let text = self.take(index);
                    return self.literal("\"").map(|()| text);
                }
                b'\\' => escaped = true,
                0x00..=0x1f => return Err(self.fault_past(index, "no control character")),
                _ => {}
            }
        }
        Err(self.fault_past(self.rest.len(), "the end of a text"))
    }

    /// Takes a quoted text that `parse` understands.
    pub(super) fn quoted<T, E>(
        &mut self,
        expected: &'static str,
        parse: impl FnOnce(&'a str) -> Result<T, E>,
    ) -> Result<T, EventError> {
        let before = self.rest;
        let text = self.text()?;
        parse(text).map_err(|_| self.fault_at(before, expected))
    }

    /// Takes an integer within ±(2^53 - 1), in its only form.
    pub(super) fn int(&mut self) -> Result<i64, EventError> {
        const EXPECTED: &str = "an integer of at most 2^53 - 1";
        let before = self.rest;
        let is_part = |byte: u8| byte.is_ascii_digit() || byte == b'-';
        let token = self.take(before.bytes().take_while(|byte| is_part(*byte)).count());
        let digits = token.strip_prefix('-').unwrap_or(token);
        let has_one_form = !digits.starts_with('0') || token == "0";
        token
            .parse()
            .ok()
            .filter(|int| has_one_form && (-INT_MAX..=INT_MAX).contains(int))
            .ok_or_else(|| self.fault_at(before, EXPECTED))
    }

    /// Takes an integer that `T` can hold.
    pub(super) fn count<T: TryFrom<i64>>(
        &mut self,
        expected: &'static str,
    ) -> Result<T, EventError> {
        let before = self.rest;
        T::try_from(self.int()?).map_err(|_| self.fault_at(before, expected))
    }

    /// Takes an object whose keys are ASCII and ascend.
    pub(super) fn object<S: Sink>(&mut self, depth: usize) -> Result<S::Map, EventError> {
        self.open("{", depth)?;
        let mut map = S::Map::default();
        if self.accept("}") {
            return Ok(map);
        }
        let mut last = None;
        loop {
            let key = self.key(last)?;
            self.literal(":")?;
            S::insert(&mut map, key, self.value::<S>(depth)?);
            last = Some(key);
            if self.accept("}") {
                return Ok(map);
            }
            self.literal(",")?;
        }
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), EventError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.fault("the end of the event"))
        }
    }

    fn key(&mut self, last: Option<&str>) -> Result<&'a str, EventError> {
        let before = self.rest;
        let key = self.text()?;
        if !key.is_ascii() {
            return Err(self.fault_at(before, "an ASCII key"));
        }
        if last.is_some_and(|last| unescaped(last).ge(unescaped(key))) {
            return Err(self.fault_at(before, "a key that sorts after the one before it"));
        }
        Ok(key)
    }

    fn value<S: Sink>(&mut self, depth: usize) -> Result<S::Value, EventError> {
        match self.rest.bytes().next() {
            Some(b'"') => self.text().map(S::text),
            Some(b'{') => self.object::<S>(depth.saturating_add(1)).map(S::map),
            Some(b'[') => self.list::<S>(depth.saturating_add(1)).map(S::list),
            Some(b't') => self.literal("true").map(|()| S::bool(true)),
            Some(b'f') => self.literal("false").map(|()| S::bool(false)),
            Some(b'-' | b'0'..=b'9') => self.int().map(S::int),
            _ => Err(self.fault("a value")),
        }
    }

    fn list<S: Sink>(&mut self, depth: usize) -> Result<S::List, EventError> {
        self.open("[", depth)?;
        let mut list = S::List::default();
        if self.accept("]") {
            return Ok(list);
        }
        loop {
            S::push(&mut list, self.value::<S>(depth)?);
            if self.accept("]") {
                return Ok(list);
            }
            self.literal(",")?;
        }
    }

    fn open(&mut self, bracket: &'static str, depth: usize) -> Result<(), EventError> {
        if depth > DATA_DEPTH_MAX {
            return Err(self.fault("a value that is nested less deeply"));
        }
        self.literal(bracket)
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn fault(&self, expected: &'static str) -> EventError {
        self.fault_at(self.rest, expected)
    }

    fn fault_past(&self, index: usize, expected: &'static str) -> EventError {
        let at = self
            .bytes
            .saturating_sub(self.rest.len())
            .saturating_add(index);
        EventError::NotCanonical { at, expected }
    }

    /// A fault where `rest` was what was left to read.
    fn fault_at(&self, rest: &str, expected: &'static str) -> EventError {
        EventError::NotCanonical {
            at: self.bytes.saturating_sub(rest.len()),
            expected,
        }
    }
}
