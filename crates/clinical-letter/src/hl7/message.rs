//! A message as segments and fields of raw bytes; they are decoded only where they are read.

use std::borrow::Cow;

use nhs_types::Location;

use super::charset::{Charset, without_utf16};
use super::escape::unescape_bytes;
use super::{Delimiters, warn_escape};
use crate::charset::clean;
use crate::reading::{Notes, Refusal};
use crate::{ReadOptions, Reason, Warning};

/// A message, split before it is decoded.
pub(crate) struct Message<'a> {
    bytes: Cow<'a, [u8]>,
    delimiters: Delimiters,
    charset: Charset,
    segments: Vec<std::ops::Range<usize>>,
}

/// A segment of a message.
#[derive(Clone, Copy)]
pub(crate) struct Segment<'m> {
    pub(super) raw: &'m [u8],
    field: u8,
}

impl<'m> Segment<'m> {
    pub(super) fn name(&self) -> &'m [u8] {
        self.raw.get(..3).unwrap_or_default()
    }

    /// Field n as the standard counts: MSH-1 is the separator itself.
    pub(super) fn field(&self, number: usize) -> &'m [u8] {
        let index = if self.name() == b"MSH" {
            number.saturating_sub(1)
        } else {
            number
        };
        let mut fields = self.raw.split(|byte| *byte == self.field);
        fields.nth(index).unwrap_or_default()
    }

    fn fields(&self) -> usize {
        self.raw.iter().filter(|byte| **byte == self.field).count()
    }
}

impl<'a> Message<'a> {
    /// Splits a message into its segments.
    pub(crate) fn parse(
        bytes: &'a [u8],
        options: &ReadOptions,
        notes: &mut Notes,
    ) -> Result<Self, Refusal> {
        let bytes = without_utf16(bytes, notes);
        let bytes = match bytes {
            Cow::Borrowed(bytes) => Cow::Borrowed(bytes.trim_ascii_start()),
            Cow::Owned(bytes) => Cow::Owned(bytes.trim_ascii_start().to_vec()),
        };
        let delimiters =
            Delimiters::of_message(&bytes).map_err(|why| malformed("MSH", &why.to_string()))?;
        let segments = split_segments(&bytes, delimiters.field, notes);
        let mut message = Self {
            charset: Charset::Utf8,
            segments,
            delimiters,
            bytes,
        };
        message.check_limits(options)?;
        let label = message.header().field(18);
        let label = label.split(|byte| *byte == delimiters.repetition).next();
        let label = String::from_utf8_lossy(label.unwrap_or_default()).into_owned();
        message.charset = Charset::of(&label, &message.bytes, notes);
        Ok(message)
    }

    fn check_limits(&self, options: &ReadOptions) -> Result<(), Refusal> {
        let limits = &options.limits;
        let too_large = |what: &str, count: usize, limit: usize| {
            let why = format!("the message has {count} {what}, the limit is {limit}");
            Err(Refusal::new(Reason::TooLarge, Location::Whole, why))
        };
        if self.segments.len() > limits.hl7_segments {
            return too_large("segments", self.segments.len(), limits.hl7_segments);
        }
        let widest = self.all().map(|segment| segment.fields()).max();
        match widest {
            Some(widest) if widest > limits.hl7_fields => {
                too_large("fields in a segment", widest, limits.hl7_fields)
            }
            _ => Ok(()),
        }
    }

    pub(crate) const fn delimiters(&self) -> Delimiters {
        self.delimiters
    }

    pub(super) fn encoding(&self) -> String {
        self.charset.name()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = Segment<'_>> {
        self.segments.iter().filter_map(|range| {
            Some(Segment {
                raw: self.bytes.get(range.clone())?,
                field: self.delimiters.field,
            })
        })
    }

    pub(super) fn header(&self) -> Segment<'_> {
        self.first(b"MSH").unwrap_or(Segment {
            raw: &[],
            field: self.delimiters.field,
        })
    }

    pub(super) fn named<'m>(&'m self, name: &'m [u8]) -> impl Iterator<Item = Segment<'m>> {
        self.all().filter(move |segment| segment.name() == name)
    }

    pub(super) fn first(&self, name: &[u8]) -> Option<Segment<'_>> {
        self.all().find(|segment| segment.name() == name)
    }

    /// The first segment of this name, or a refusal.
    pub(super) fn required(&self, name: &'static str) -> Result<Segment<'_>, Refusal> {
        self.first(name.as_bytes()).ok_or_else(|| {
            let why = format!("the message has no {name} segment");
            Refusal::new(Reason::SegmentMissing, named(name), why)
        })
    }

    pub(super) fn local_segments(&self) -> impl Iterator<Item = &[u8]> {
        self.all()
            .map(|segment| segment.raw)
            .filter(|raw| raw.starts_with(b"Z"))
    }

    /// The text of raw bytes: unescaped, decoded, cleaned. HL7 null (`""`) is no text.
    pub(super) fn text(&self, raw: &[u8], place: &str, notes: &mut Notes) -> String {
        if raw == b"\"\"" {
            return String::new();
        }
        let (bytes, understood) = unescape_bytes(raw, self.delimiters);
        if !understood {
            warn_escape(&named(place), notes);
        }
        clean(&self.charset.decode(&bytes, notes), false, notes)
    }
}

pub(super) fn named(place: &str) -> Location {
    Location::Named(place.to_owned())
}

fn malformed(place: &str, why: &str) -> Refusal {
    Refusal::new(Reason::Malformed, named(place), why)
}

/// Splits at CR; at LF, with a warning, when a segment begins after it or nothing follows. Any
/// other LF is a line break inside a field.
fn split_segments(bytes: &[u8], field: u8, notes: &mut Notes) -> Vec<std::ops::Range<usize>> {
    let mut segments = Vec::new();
    let mut start = 0;
    let mut other = false;
    for (at, byte) in bytes.iter().enumerate() {
        let rest = bytes.get(at + 1..).unwrap_or_default();
        let ends = match byte {
            b'\r' => true,
            b'\n' => start == at || rest.trim_ascii().is_empty() || begins_segment(rest, field),
            _ => false,
        };
        if ends {
            other |= *byte == b'\n';
            segments.extend((start < at).then_some(start..at));
            start = at + 1;
        }
    }
    segments.extend((start < bytes.len()).then_some(start..bytes.len()));
    if other {
        let why = "segments end with LF, the standard is CR";
        notes.warn(Warning::SegmentTerminator, Location::Whole, why);
    }
    segments
}

fn begins_segment(bytes: &[u8], field: u8) -> bool {
    matches!(bytes, [a, b, c, d, ..]
        if a.is_ascii_uppercase()
            && [b, c].iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            && *d == field)
}

/// Splits a file at every MSH that begins a segment.
pub(super) fn split_messages(bytes: &[u8]) -> Vec<&[u8]> {
    let separator = bytes
        .windows(4)
        .find_map(|window| window.strip_prefix(b"MSH")?.first());
    let mut starts = Vec::new();
    if let Some(separator) = separator {
        let header = [b'M', b'S', b'H', *separator];
        let after_end = |at: usize| match at.checked_sub(1).and_then(|at| bytes.get(at)) {
            Some(before) => matches!(before, b'\r' | b'\n'),
            None => true,
        };
        let found = bytes.windows(4).enumerate();
        let found = found.filter(|(at, window)| **window == header && after_end(*at));
        starts.extend(found.map(|(at, _)| at).skip(1));
    }
    let mut messages = Vec::with_capacity(starts.len() + 1);
    let mut from = 0;
    for start in starts {
        messages.extend(bytes.get(from..start));
        from = start;
    }
    messages.extend(bytes.get(from..));
    messages
}

/// A raw field of the header, for answering a message that may not be readable otherwise.
pub(crate) fn field_of_bytes(bytes: &[u8], delimiters: Delimiters, number: usize) -> &[u8] {
    let end = bytes
        .iter()
        .position(|byte| matches!(byte, b'\r' | b'\n'))
        .unwrap_or(bytes.len());
    let header = Segment {
        raw: bytes.get(..end).unwrap_or_default(),
        field: delimiters.field,
    };
    header.field(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(bytes: &[u8]) -> (Vec<String>, Vec<Warning>) {
        let mut notes = Notes::default();
        let message = Message::parse(bytes, &ReadOptions::default(), &mut notes);
        let message = message.map_err(|why| why.message).unwrap();
        let names = message
            .all()
            .map(|one| String::from_utf8_lossy(one.name()).into_owned());
        (names.collect(), notes.warnings)
    }

    #[test]
    fn section_3_segments_end_with_cr_and_lf_is_taken_with_a_warning() {
        let expected = || vec!["MSH".to_owned(), "PID".to_owned(), "OBX".to_owned()];
        assert_eq!(names(b"MSH|^~\\&|A\rPID|1\rOBX|1\r"), (expected(), vec![]));
        let warned = (expected(), vec![Warning::SegmentTerminator]);
        assert_eq!(names(b"MSH|^~\\&|A\nPID|1\nOBX|1"), warned);
        assert_eq!(names(b"MSH|^~\\&|A\r\nPID|1\r\nOBX|1\r\n"), warned);
    }

    #[test]
    fn section_3_a_line_feed_inside_a_field_splits_nothing() {
        let bytes = b"MSH|^~\\&|A\rOBX|1|TX|||one\ntwo||||||F\r";
        assert_eq!(names(bytes).0, ["MSH", "OBX"]);
    }

    #[test]
    fn section_3_fields_count_from_the_separator_in_msh() {
        let field =
            |number| field_of_bytes(b"MSH|^~\\&|EPR|RXX\rPID|1", Delimiters::default(), number);
        assert_eq!(
            (field(2), field(3), field(4)),
            (&b"^~\\&"[..], &b"EPR"[..], &b"RXX"[..])
        );
        assert_eq!(field(9), b"");
    }

    #[test]
    fn messages_split_at_headers() {
        let two = split_messages(b"MSH|^~\\&|A\rOBX|1|TX|||MSH|\rMSH|^~\\&|B\r");
        assert_eq!(two.len(), 2);
        assert!(two[1].starts_with(b"MSH|^~\\&|B"));
        assert_eq!(split_messages(b"MSH").len(), 1);
    }

    #[test]
    fn limits_segments_at_the_limit_and_past_it() {
        let mut options = ReadOptions::default();
        options.limits.hl7_segments = 3;
        let parse = |bytes: &[u8]| {
            let mut notes = Notes::default();
            Message::parse(bytes, &options, &mut notes)
                .map(drop)
                .map_err(|why| why.reason)
        };
        assert_eq!(parse(b"MSH|^~\\&|A\rPID|1\rOBX|1\r"), Ok(()));
        assert_eq!(
            parse(b"MSH|^~\\&|A\rPID|1\rOBX|1\rOBX|2"),
            Err(Reason::TooLarge)
        );
    }

    #[test]
    fn limits_fields_at_the_limit_and_past_it() {
        let mut options = ReadOptions::default();
        options.limits.hl7_fields = 5;
        let parse = |bytes: &[u8]| {
            let mut notes = Notes::default();
            Message::parse(bytes, &options, &mut notes)
                .map(drop)
                .map_err(|why| why.reason)
        };
        assert_eq!(parse(b"MSH|^~\\&|A\rPID|1|2|3|4|5"), Ok(()));
        assert_eq!(
            parse(b"MSH|^~\\&|A\rPID|1|2|3|4|5|6"),
            Err(Reason::TooLarge)
        );
    }
}
