//! MLLP as a codec: bytes in, frames out (source-documents section 6).

use crate::Warning;

const START: u8 = 0x0b;
const END: u8 = 0x1c;
const RETURN: u8 = b'\r';

/// A message that came in a frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// The bytes between start and end.
    pub message: Vec<u8>,
    /// What was wrong around it.
    pub warnings: Vec<Warning>,
}

/// Why a frame is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MllpError {
    /// Longer than the limit; the rest of it is skipped.
    #[error("a frame has more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The stream ended, or another frame began, before its end: never to be processed.
    #[error("a frame was cut off")]
    CutOff,
}

/// Finds frames in a stream of bytes, however it is split.
///
/// It holds at most one frame and the bytes that were pushed. Bytes before a frame are dropped
/// with a warning on the next frame.
///
/// ```
/// use clinical_letter::{MllpDecoder, encode_frame};
///
/// let mut decoder = MllpDecoder::new(1024);
/// let bytes = encode_frame(b"MSH|^~\\&|EPR");
/// decoder.push(&bytes[..5]);
/// assert!(decoder.next_frame().is_none());
/// decoder.push(&bytes[5..]);
/// assert_eq!(decoder.next_frame().unwrap().unwrap().message, b"MSH|^~\\&|EPR");
/// ```
#[derive(Debug)]
pub struct MllpDecoder {
    limit: usize,
    state: State,
    frame: Vec<u8>,
    dropped: bool,
    ready: std::collections::VecDeque<Result<Frame, MllpError>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between frames.
    Outside,
    /// In a frame.
    Inside,
    /// In a frame, after an end byte.
    AfterEnd,
    /// In a frame that is too large.
    Skipping,
    /// In a frame that is too large, after an end byte.
    SkippingAfterEnd,
}

impl MllpDecoder {
    /// A decoder for frames of at most `limit` bytes.
    pub const fn new(limit: usize) -> Self {
        Self {
            limit,
            state: State::Outside,
            frame: Vec::new(),
            dropped: false,
            ready: std::collections::VecDeque::new(),
        }
    }

    /// Takes bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.step(*byte);
        }
    }

    /// The next whole frame, if there is one.
    pub fn next_frame(&mut self) -> Option<Result<Frame, MllpError>> {
        self.ready.pop_front()
    }

    /// The stream has ended, or nothing came for a while: a frame that has its end byte but not
    /// its last is complete; any other that has begun was cut off.
    pub fn finish(&mut self) -> Option<Result<Frame, MllpError>> {
        match self.state {
            State::AfterEnd => self.complete(true),
            State::Inside => {
                self.frame.clear();
                self.ready.push_back(Err(MllpError::CutOff));
            }
            State::Outside | State::Skipping | State::SkippingAfterEnd => {}
        }
        self.state = State::Outside;
        self.next_frame()
    }

    /// Whether a frame has its end byte and lacks only its last: it may be complete.
    pub fn lacks_last_byte(&self) -> bool {
        self.state == State::AfterEnd
    }

    /// Whether a frame has begun and not ended.
    pub fn is_inside_frame(&self) -> bool {
        self.state != State::Outside
    }

    fn step(&mut self, byte: u8) {
        match (self.state, byte) {
            (State::Outside, START) => self.state = State::Inside,
            (State::Outside, _) => self.dropped |= !matches!(byte, RETURN | b'\n'),
            (State::Inside, END) => self.state = State::AfterEnd,
            (State::Inside, START) if self.frame.last() == Some(&RETURN) => {
                self.frame.clear();
                self.ready.push_back(Err(MllpError::CutOff));
            }
            (State::Inside, _) => self.keep(byte),
            (State::AfterEnd, RETURN) => self.complete(false),
            (State::AfterEnd, START) => {
                self.complete(true);
                self.state = State::Inside;
            }
            (State::AfterEnd, _) => {
                self.state = State::Inside;
                self.keep(END);
                self.step(byte);
            }
            (State::Skipping, END) => self.state = State::SkippingAfterEnd,
            (State::Skipping, _) => {}
            (State::SkippingAfterEnd, RETURN) => self.state = State::Outside,
            (State::SkippingAfterEnd, START) => self.state = State::Inside,
            (State::SkippingAfterEnd, END) => {}
            (State::SkippingAfterEnd, _) => self.state = State::Skipping,
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.frame.len() < self.limit {
            self.frame.push(byte);
        } else if self.state != State::Skipping {
            self.frame = Vec::new();
            self.state = State::Skipping;
            let limit = self.limit;
            self.ready.push_back(Err(MllpError::TooLarge { limit }));
        }
    }

    fn complete(&mut self, unterminated: bool) {
        let mut warnings = Vec::new();
        warnings.extend(self.dropped.then_some(Warning::BytesBeforeFrame));
        warnings.extend(unterminated.then_some(Warning::UnterminatedFrame));
        self.dropped = false;
        self.state = State::Outside;
        let message = std::mem::take(&mut self.frame);
        self.ready.push_back(Ok(Frame { message, warnings }));
    }
}

/// Puts a message into a frame.
pub fn encode_frame(message: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(message.len() + 3);
    frame.push(START);
    frame.extend_from_slice(message);
    frame.extend_from_slice(&[END, RETURN]);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Plain = Result<(Vec<u8>, Vec<Warning>), MllpError>;

    fn all(bytes: &[u8], limit: usize) -> Vec<Plain> {
        let mut decoder = MllpDecoder::new(limit);
        decoder.push(bytes);
        let mut found = Vec::new();
        while let Some(frame) = decoder.next_frame().or_else(|| decoder.finish()) {
            found.push(frame.map(|frame| (frame.message, frame.warnings)));
        }
        found
    }

    fn plain(message: &[u8]) -> Plain {
        Ok((message.to_vec(), vec![]))
    }

    #[test]
    fn section_6_frames_back_to_back() {
        let found = all(b"\x0bone\x1c\r\x0btwo\x1c\r", 99);
        assert_eq!(found, [plain(b"one"), plain(b"two")]);
    }

    #[test]
    fn section_6_bytes_before_a_frame_are_dropped_with_a_warning() {
        let found = all(b"junk\x0bone\x1c\r\r\n\x0btwo\x1c\r", 99);
        let warned = Ok((b"one".to_vec(), vec![Warning::BytesBeforeFrame]));
        assert_eq!(found, [warned, plain(b"two")]);
    }

    #[test]
    fn section_6_an_end_without_return_ends_before_a_start_or_the_end_of_the_stream() {
        let warned = |text: &[u8]| Ok((text.to_vec(), vec![Warning::UnterminatedFrame]));
        let found = all(b"\x0bone\x1c\x0btwo\x1c", 99);
        assert_eq!(found, [warned(b"one"), warned(b"two")]);
        assert_eq!(all(b"\x0bo\x1cne\x1c\r", 99), [plain(b"o\x1cne")]);
    }

    #[test]
    fn section_6_a_frame_cut_off_is_no_frame() {
        assert_eq!(all(b"\x0bMSH|half", 99), [Err(MllpError::CutOff)]);
        let found = all(b"\x0bMSH|half\r\x0bMSH|whole\x1c\r", 99);
        assert_eq!(found, [Err(MllpError::CutOff), plain(b"MSH|whole")]);
    }

    #[test]
    fn limits_a_frame_at_the_limit_and_past_it() {
        assert_eq!(all(b"\x0b1234\x1c\r", 4), [plain(b"1234")]);
        let found = all(b"\x0b12345678\x1c\r\x0bnext\x1c\r", 4);
        assert_eq!(
            found,
            [Err(MllpError::TooLarge { limit: 4 }), plain(b"next")]
        );
    }

    proptest! {
        #[test]
        fn section_6_any_split_of_reads_gives_the_same_frames(
            messages in proptest::collection::vec("[ -~\r]{0,40}", 0..4),
            cuts in proptest::collection::vec(1_usize..9, 0..60),
        ) {
            let bytes: Vec<u8> = messages.iter().flat_map(|one| encode_frame(one.as_bytes())).collect();
            let mut decoder = MllpDecoder::new(1000);
            let mut rest = bytes.as_slice();
            for cut in cuts {
                let (now, later) = rest.split_at(cut.min(rest.len()));
                decoder.push(now);
                rest = later;
            }
            decoder.push(rest);
            for message in &messages {
                let frame = decoder.next_frame().unwrap().unwrap();
                prop_assert_eq!(frame.message, message.as_bytes());
            }
            prop_assert!(decoder.next_frame().or_else(|| decoder.finish()).is_none());
        }

        #[test]
        fn any_bytes_are_decoded(bytes: Vec<u8>, limit in 0_usize..20) {
            for message in all(&bytes, limit).into_iter().flatten() {
                prop_assert!(message.0.len() <= limit);
            }
        }
    }
}
