//! A hand-over is read apart from everything else: what breaks a reader breaks nothing more.

use std::sync::Arc;
use std::time::Duration;

use clinical_letter::{Format, MllpDecoder, Reading, sniff};

/// How long the reading of one hand-over may take (source-documents facts 9).
pub(crate) const READ_MAX: Duration = Duration::from_secs(30);

/// Reads in a thread of its own; `None` when the reader broke, or took longer than it may.
pub(crate) async fn read_apart(
    bytes: &Arc<Vec<u8>>,
    within: Duration,
    reader: impl FnOnce(&[u8]) -> Vec<Reading> + Send + 'static,
) -> Option<Vec<Reading>> {
    let bytes = Arc::clone(bytes);
    let reading = tokio::task::spawn_blocking(move || reader(&bytes));
    match tokio::time::timeout(within, reading).await {
        Ok(Ok(readings)) => Some(readings),
        // What a panic says may hold parts of the document: it is not repeated.
        Ok(Err(_)) => {
            tracing::error!("a reader broke on a document; a person must look at it");
            None
        }
        Err(_) => {
            tracing::error!("a document took a reader too long; a person must look at it");
            None
        }
    }
}

/// Bytes that one message of a hand-over came in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Raw {
    pub(crate) bytes: Vec<u8>,
    /// Where the bytes hold other messages too: its place among them.
    pub(crate) place: Option<usize>,
}

/// The bytes of each message of a hand-over, so that none is kept with another patient's.
pub(crate) fn raw_parts(bytes: &[u8], count: usize) -> Vec<Raw> {
    let parts = match (count, sniff(bytes)) {
        (2.., Format::Hl7v2) => messages(bytes),
        (2.., Format::Mllp) => frames(bytes),
        _ => Vec::new(),
    };
    let shared = |place: usize| Raw {
        bytes: bytes.to_vec(),
        place: (count > 1).then_some(place),
    };
    if parts.len() != count {
        return (0..count).map(shared).collect();
    }
    let own = |(place, part): (usize, Option<Vec<u8>>)| {
        part.map_or_else(|| shared(place), |bytes| Raw { bytes, place: None })
    };
    parts.into_iter().enumerate().map(own).collect()
}

/// A file is split at every header that begins a line, as its reader does.
fn messages(bytes: &[u8]) -> Vec<Option<Vec<u8>>> {
    let headers = bytes
        .windows(4)
        .filter_map(|window| window.strip_prefix(b"MSH"));
    let Some(separator) = headers.flatten().next() else {
        return Vec::new();
    };
    let header = [b'M', b'S', b'H', *separator];
    let begins_line = |at: usize| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        before.is_none_or(|byte| matches!(byte, b'\r' | b'\n'))
    };
    let starts = bytes.windows(4).enumerate();
    let starts = starts.filter(|(at, window)| **window == header && begins_line(*at));
    let starts: Vec<usize> = starts.map(|(at, _)| at).skip(1).collect();
    let ends = starts.iter().copied().chain([bytes.len()]);
    let starts = [0].into_iter().chain(starts.iter().copied());
    starts
        .zip(ends)
        .map(|(from, to)| bytes.get(from..to).map(<[u8]>::to_vec))
        .collect()
}

/// What came in a frame that was cut off has no bytes of its own.
fn frames(bytes: &[u8]) -> Vec<Option<Vec<u8>>> {
    let mut decoder = MllpDecoder::new(bytes.len());
    decoder.push(bytes);
    let mut frames = Vec::new();
    while let Some(frame) = decoder.next_frame().or_else(|| decoder.finish()) {
        frames.push(frame.ok().map(|frame| frame.message));
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;
    use clinical_letter::{ReadOptions, read};

    const LETTER: &[u8] = b"MSH|^~\\&|EPR|RXX|TIE|RXX|20261119143210||MDM^T02|C1|P|2.4\rPID|1\r";

    fn bytes() -> Arc<Vec<u8>> {
        Arc::new(LETTER.to_vec())
    }

    fn reader(bytes: &[u8]) -> Vec<Reading> {
        read(bytes, &ReadOptions::default())
    }

    #[tokio::test]
    async fn a_reader_that_breaks_or_never_ends_gives_nothing() {
        let read = read_apart(&bytes(), READ_MAX, reader).await;
        assert_eq!(read.map(|readings| readings.len()), Some(1));
        let broken = read_apart(&bytes(), READ_MAX, |_| panic!("of a test")).await;
        assert!(broken.is_none());
        let slow = |bytes: &[u8]| {
            std::thread::sleep(Duration::from_millis(300));
            reader(bytes)
        };
        assert!(
            read_apart(&bytes(), Duration::from_millis(5), slow)
                .await
                .is_none()
        );
        assert!(read_apart(&bytes(), READ_MAX, slow).await.is_some());
    }

    #[test]
    fn each_message_of_a_file_has_its_own_bytes() {
        let second = [LETTER, b"NTE|1||MSH|in a field is no header\r"].concat();
        let parts = raw_parts(&[LETTER, &second].concat(), 2);
        let parts: Vec<_> = parts.iter().map(|raw| (&*raw.bytes, raw.place)).collect();
        assert_eq!(parts, [(LETTER, None), (&*second, None)]);
    }

    #[test]
    fn each_frame_of_a_capture_has_its_own_bytes_and_one_cut_off_the_whole() {
        let capture = [b"\x0b".as_slice(), LETTER, b"\x1c\r\x0b", LETTER].concat();
        let parts = raw_parts(&capture, reader(&capture).len());
        assert_eq!((&*parts[0].bytes, parts[0].place), (LETTER, None));
        assert_eq!((&*parts[1].bytes, parts[1].place), (&*capture, Some(1)));
    }

    #[test]
    fn what_cannot_be_told_apart_is_kept_whole_with_its_place() {
        let parts = raw_parts(b"no message at all", 2);
        assert_eq!(
            parts.iter().map(|raw| raw.place).collect::<Vec<_>>(),
            [Some(0), Some(1)]
        );
        assert!(parts.iter().all(|raw| raw.bytes == b"no message at all"));
        assert_eq!(
            raw_parts(b"one", 1),
            [Raw {
                bytes: b"one".to_vec(),
                place: None
            }]
        );
    }
}
