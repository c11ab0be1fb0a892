//! A stream of bytes cut anywhere gives the same frames as the stream in one piece.
#![no_main]

use clinical_letter::{Frame, MllpDecoder, MllpError, encode_frame};
use libfuzzer_sys::fuzz_target;

const FRAME_BYTES_MAX: usize = 512;

fuzz_target!(|input: (u8, &[u8])| {
    let (step, data) = input;
    let whole = frames(&[data]);
    let pieces: Vec<&[u8]> = data.chunks(usize::from(step).max(1)).collect();
    assert_eq!(frames(&pieces), whole);
    for frame in whole.iter().flatten() {
        assert!(frame.message.len() <= FRAME_BYTES_MAX);
        let again = frames(&[&encode_frame(&frame.message)]);
        assert_eq!(again.len(), 1);
        assert_eq!(
            again[0].as_ref().map(|frame| &frame.message),
            Ok(&frame.message)
        );
    }
});

fn frames(pieces: &[&[u8]]) -> Vec<Result<Frame, MllpError>> {
    let mut decoder = MllpDecoder::new(FRAME_BYTES_MAX);
    let mut frames = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        frames.extend(std::iter::from_fn(|| decoder.next_frame()));
    }
    frames.extend(decoder.finish());
    frames
}
