//! The members of an event, in their order.

use super::{
    ACTOR, KIND, is_actor,
    reader::Reader,
    sink::{Sink, Tree, unescape},
};
use crate::{
    EventBody, EventError, EventId, Hash, StreamKey, SubjectKey, Timestamp,
    event::{BODY_BYTES_MAX, EVENT_BYTES_MAX},
};

/// Which of the two forms is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Without `prev` and `seq`.
    Body,
    /// With both.
    Sequenced,
}

/// The members as they were read; texts are still escaped, nothing is copied.
pub(crate) struct Scanned<'a, M> {
    actor: &'a str,
    pub(crate) at: Timestamp,
    copy: Option<u32>,
    data: M,
    id: EventId,
    pub(crate) stream: StreamKey,
    pub(crate) lseq: u64,
    subject: Option<SubjectKey>,
    /// Zeros in a body.
    pub(crate) prev: Hash,
    /// Zero in a body.
    pub(crate) seq: u64,
    state: &'a str,
    pub(crate) kind: &'a str,
}

impl Scanned<'_, <Tree as Sink>::Map> {
    pub(crate) fn into_body(self) -> EventBody {
        EventBody {
            id: self.id,
            at: self.at,
            stream: self.stream,
            copy: self.copy,
            lseq: self.lseq,
            subject: self.subject,
            kind: unescape(self.kind),
            state: unescape(self.state),
            actor: unescape(self.actor),
            data: self.data,
        }
    }
}

/// Reads an event strictly: every byte sequence that is accepted is the only one for its event.
pub(crate) fn scan<S: Sink>(bytes: &[u8], form: Form) -> Result<Scanned<'_, S::Map>, EventError> {
    let max = match form {
        Form::Body => BODY_BYTES_MAX,
        Form::Sequenced => EVENT_BYTES_MAX,
    };
    if bytes.len() > max {
        return Err(EventError::TooLong {
            bytes: bytes.len(),
            max,
        });
    }
    let mut reader = Reader::new(bytes)?;
    let event = members::<S>(&mut reader, form)?;
    reader.end()?;
    Ok(event)
}

fn members<'a, S: Sink>(
    reader: &mut Reader<'a>,
    form: Form,
) -> Result<Scanned<'a, S::Map>, EventError> {
    reader.literal("{\"actor\":")?;
    let actor = reader.quoted(ACTOR, |raw| if is_actor(raw) { Ok(raw) } else { Err(()) })?;
    reader.literal(",\"at\":")?;
    let at = reader.quoted("a time", Timestamp::parse)?;
    let copy = if reader.accept(",\"copy\":") {
        Some(copy(reader)?)
    } else {
        None
    };
    reader.literal(",\"data\":")?;
    let data = reader.object::<S>(1)?;
    reader.literal(",\"id\":")?;
    let id = reader.quoted("an event id", EventId::parse)?;
    reader.literal(",\"letter\":")?;
    let stream = reader.quoted("a stream key", StreamKey::parse)?;
    reader.literal(",\"lseq\":")?;
    let lseq = reader.count("an index")?;
    let subject = if reader.accept(",\"patient\":") {
        Some(reader.quoted("a subject key", SubjectKey::parse)?)
    } else {
        None
    };
    let (prev, seq) = match form {
        Form::Body => (Hash::ZERO, 0),
        Form::Sequenced => position(reader)?,
    };
    reader.literal(",\"state\":")?;
    let state = reader.text()?;
    reader.literal(",\"type\":")?;
    let kind = reader.quoted(KIND, |raw| if raw.is_empty() { Err(()) } else { Ok(raw) })?;
    reader.literal(",\"v\":1}")?;
    Ok(Scanned {
        actor,
        at,
        copy,
        data,
        id,
        stream,
        lseq,
        subject,
        prev,
        seq,
        state,
        kind,
    })
}

fn position(reader: &mut Reader<'_>) -> Result<(Hash, u64), EventError> {
    reader.literal(",\"prev\":")?;
    let prev = reader.quoted("a hash", Hash::parse)?;
    reader.literal(",\"seq\":")?;
    Ok((prev, reader.count("an index")?))
}

fn copy(reader: &mut Reader<'_>) -> Result<u32, EventError> {
    reader
        .count::<CopyNumber>("a copy number from 1")
        .map(|copy| copy.0)
}

/// A copy's number, from 1.
struct CopyNumber(u32);

impl TryFrom<i64> for CopyNumber {
    type Error = ();

    fn try_from(int: i64) -> Result<Self, ()> {
        u32::try_from(int)
            .ok()
            .filter(|copy| *copy > 0)
            .map(Self)
            .ok_or(())
    }
}
