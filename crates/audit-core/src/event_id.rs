//! Identifiers of events.

use std::{fmt, str::FromStr};

use crate::{ParseError, hex};

/// The identifier of an event: a UUID, in the form `018f0000-0000-7000-8000-000000000000`.
///
/// A writer should take a UUIDv7 and keep it when it tries again: a store that knows the
/// identifier already then answers with the event it has.
///
/// ```
/// use audit_core::EventId;
/// let id = EventId::parse("018f0000-0000-7000-8000-000000000000")?;
/// assert_eq!(EventId::from_bytes(*id.as_bytes()), id);
/// # Ok::<(), audit_core::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId([u8; 16]);

impl EventId {
    /// Takes the bytes as they are.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads the hyphenated form, lower case only.
    ///
    /// # Errors
    /// [`ParseError`] for any other form.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        bytes(text.as_bytes()).map(Self).ok_or(ParseError::new(
            "an event id",
            "a hyphenated UUID in lower-case hexadecimal digits",
        ))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = hex::encode(&self.0);
        let mut rest = digits.as_str();
        for length in [8, 4, 4, 4] {
            let (group, after) = rest.split_at(length);
            write!(f, "{group}-")?;
            rest = after;
        }
        f.write_str(rest)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventId({self})")
    }
}

impl FromStr for EventId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

fn bytes(text: &[u8]) -> Option<[u8; 16]> {
    if text.len() != 36 {
        return None;
    }
    let mut digits = [0; 32];
    let mut to = digits.iter_mut();
    for (index, byte) in text.iter().enumerate() {
        match index {
            8 | 13 | 18 | 23 if *byte == b'-' => {}
            8 | 13 | 18 | 23 => return None,
            _ => *to.next()? = *byte,
        }
    }
    hex::decode(&digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_round_trip() {
        let text = "018f0123-4567-789a-8bcd-ef0000000001";
        assert_eq!(EventId::parse(text).unwrap().to_string(), text);
        assert_eq!(
            text.parse::<EventId>().unwrap().as_bytes()[..3],
            [0x01, 0x8f, 0x01]
        );
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "018f0123-4567-789A-8bcd-ef0000000001",
            "018f01234567789a8bcdef0000000001",
            "018f0123-4567-789a-8bcd-ef000000001",
            "018f01234-567-789a-8bcd-ef0000000001",
            "{018f0123-4567-789a-8bcd-ef00000001}",
            "018f0123-4567-789a-8bcd-ef000000000é",
            "",
        ] {
            assert!(EventId::parse(text).is_err(), "{text}");
        }
    }
}
