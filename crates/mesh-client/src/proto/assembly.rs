use std::collections::BTreeMap;

use super::{Answer, Damage, decode_body};
use crate::{Error, MessageId, Operation, ReceivedMessage, headers};

/// Joins the answers of a download to one message, or fails (mesh-api section 10).
///
/// Status, chunk range, number of chunks, message id, length and packing of each answer must fit
/// together; metadata come from the first.
#[derive(Debug)]
pub struct Assembly {
    message_id: MessageId,
    size_max: usize,
    total: u32,
    next: u32,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// What a download needs next.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must act on both")]
#[expect(
    clippy::large_enum_variant,
    reason = "made once for an answer, moved out at once"
)]
pub enum Step {
    /// Fetch this chunk and give its answer to the assembly.
    Fetch(Assembly, u32),
    /// All of it is there.
    Complete(ReceivedMessage),
}

/// More chunks than this has no message (mesh-api section 8).
const CHUNKS_MAX: u32 = 10_000;

const WHOLE: u16 = 200;
const PARTIAL: u16 = 206;

impl Assembly {
    /// Begins with chunk 1 of a message; `size_max` is the limit of the whole, unpacked.
    pub fn new(message_id: MessageId, size_max: usize) -> Self {
        let (headers, body) = (BTreeMap::new(), Vec::new());
        Self {
            message_id,
            size_max,
            total: 1,
            next: 1,
            headers,
            body,
        }
    }

    /// Takes the answer to the chunk that is due.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] when the answer does not fit; nothing of the message may be used then.
    pub fn take(self, answer: Answer) -> Result<Step, Error> {
        let status = answer.status;
        let unusable = |damage| Error::Unusable {
            operation: Operation::Download,
            status,
            damage,
        };
        self.join(answer).map_err(unusable)
    }

    fn join(mut self, mut answer: Answer) -> Result<Step, Damage> {
        self.check_place(&answer)?;
        check_length(&answer)?;
        let encoding = answer.header(headers::CONTENT_ENCODING).map(str::to_owned);
        let room = self.size_max.saturating_sub(self.body.len());
        let packed = std::mem::take(&mut answer.body);
        let part =
            decode_body(encoding.as_deref(), packed, room).map_err(|damage| match damage {
                Damage::TooLarge { .. } => Damage::TooLarge { max: self.size_max },
                other => other,
            })?;
        if self.next == 1 {
            self.headers = answer.headers;
            self.body = part;
        } else {
            self.body.extend_from_slice(&part);
        }
        if self.next < self.total {
            self.next = self.next.saturating_add(1);
            let chunk = self.next;
            return Ok(Step::Fetch(self, chunk));
        }
        let Self {
            message_id,
            headers,
            body,
            ..
        } = self;
        Ok(Step::Complete(ReceivedMessage::from_parts(
            message_id, headers, body,
        )))
    }

    /// Learns the number of chunks from the first answer, and holds the others to it.
    fn check_place(&mut self, answer: &Answer) -> Result<(), Damage> {
        let id = answer.header(headers::MESSAGE_ID);
        if id.is_some_and(|id| !id.eq_ignore_ascii_case(self.message_id.as_str())) {
            return Err(Damage::OtherMessage);
        }
        let range = answer.header(headers::CHUNK_RANGE);
        if self.next == 1 {
            check_origin(answer)?;
            self.total = first_range(range)?;
            self.check_total(answer)?;
        } else if range.and_then(parse_range) != Some((self.next, self.total)) {
            return Err(self.misplaced(range));
        }
        let expected = if self.next < self.total {
            PARTIAL
        } else {
            WHOLE
        };
        if answer.status == expected {
            Ok(())
        } else {
            Err(Damage::UnexpectedStatus)
        }
    }

    fn check_total(&self, answer: &Answer) -> Result<(), Damage> {
        if self.total > CHUNKS_MAX {
            return Err(Damage::TooManyChunks {
                count: self.total,
                max: CHUNKS_MAX,
            });
        }
        let Some(said) = answer.header(headers::TOTAL_CHUNKS) else {
            return Ok(());
        };
        match said.trim().parse::<u32>() {
            Ok(count) if count.max(1) == self.total => Ok(()),
            _ => Err(self.misplaced(Some(said))),
        }
    }

    fn misplaced(&self, got: Option<&str>) -> Damage {
        let got = got
            .unwrap_or_default()
            .chars()
            .take(20)
            .filter(|c| !c.is_control())
            .collect();
        Damage::ChunkRange {
            expected: format!("{}:{}", self.next, self.total),
            got,
        }
    }
}

/// A gateway's login page comes with 200 too; it must not be stored as a letter.
fn check_origin(answer: &Answer) -> Result<(), Damage> {
    let own = [
        headers::MESSAGE_ID,
        headers::MESSAGE_TYPE,
        headers::WORKFLOW_ID,
        headers::TO,
    ];
    if own.iter().any(|name| answer.header(name).is_some()) {
        Ok(())
    } else {
        Err(Damage::NotMesh)
    }
}

/// Absent is `1:1`; a report shows `1:0`.
fn first_range(text: Option<&str>) -> Result<u32, Damage> {
    let Some(text) = text else { return Ok(1) };
    match parse_range(text) {
        Some((1, total)) => Ok(total.max(1)),
        _ => Err(Damage::ChunkRange {
            expected: "1:n".to_owned(),
            got: text.chars().take(20).filter(|c| !c.is_control()).collect(),
        }),
    }
}

fn parse_range(text: &str) -> Option<(u32, u32)> {
    let (number, total) = text.trim().split_once(':')?;
    Some((number.parse().ok()?, total.parse().ok()?))
}

/// The bytes that came must be all that were announced. A body that ends with the connection
/// cannot be told from a cut one, unless its packing shows the end.
fn check_length(answer: &Answer) -> Result<(), Damage> {
    let got = u64::try_from(answer.body.len()).unwrap_or(u64::MAX);
    let said = answer
        .header(headers::CONTENT_LENGTH)
        .map(|text| text.trim().parse::<u64>());
    match said {
        Some(Ok(expected)) if expected == got => Ok(()),
        Some(Ok(expected)) => Err(Damage::Length { expected, got }),
        Some(Err(_)) => Err(Damage::NoLength),
        None if answer.header(headers::TRANSFER_ENCODING).is_some() => Ok(()),
        None if answer.header(headers::CONTENT_ENCODING).is_some() => Ok(()),
        None => Err(Damage::NoLength),
    }
}

#[cfg(test)]
mod tests;
