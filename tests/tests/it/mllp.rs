//! The record system's side of MLLP.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clinical_letter::{MllpDecoder, encode_frame};
pub(crate) use letterbox_tests::free_address;

const PATIENCE: Duration = Duration::from_secs(20);

/// Connects as soon as somebody listens.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let begin = Instant::now();
    loop {
        if let Ok(stream) = TcpStream::connect(address) {
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            return stream;
        }
        assert!(begin.elapsed() < PATIENCE, "nobody listens on {address}");
        sleep(Duration::from_millis(20));
    }
}

/// Sends a message and gives MSA-1 and the whole answer.
pub(crate) fn send(stream: &mut TcpStream, message: &[u8]) -> (String, String) {
    stream.write_all(&encode_frame(message)).unwrap();
    let mut decoder = MllpDecoder::new(64 * 1024);
    let mut buffer = [0; 1024];
    loop {
        if let Some(frame) = decoder.next_frame() {
            let answer = String::from_utf8(frame.unwrap().message).unwrap();
            let msa = answer
                .split('\r')
                .find_map(|segment| segment.strip_prefix("MSA|"));
            let code = msa.unwrap().split('|').next().unwrap().to_owned();
            return (code, answer);
        }
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the connection was closed without an answer");
        decoder.push(&buffer[..count]);
    }
}
