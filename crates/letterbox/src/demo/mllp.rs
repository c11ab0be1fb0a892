//! The record system's side of MLLP.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use clinical_letter::{MllpDecoder, encode_frame};
use letter_gateway::{Gateway, Mllp};
use letter_store::AnyStore;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::exit::Exit;

const ANSWER_MAX: usize = 64 * 1024;

/// Sends messages over one connection, each after the answer to the one before; gives the codes.
pub(super) async fn send(
    gateway: &Arc<Gateway<AnyStore>>,
    messages: Vec<&[u8]>,
) -> Result<Vec<String>, Exit> {
    let mllp = Mllp::new("epr", SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let listener = mllp.open().await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(Arc::clone(gateway).serve(listener, mllp));
    let mut stream = TcpStream::connect(address).await?;
    let mut decoder = MllpDecoder::new(ANSWER_MAX);
    let mut codes = Vec::new();
    for message in messages {
        stream.write_all(&encode_frame(message)).await?;
        codes.push(answer(&mut stream, &mut decoder).await?);
    }
    server.abort();
    Ok(codes)
}

async fn answer(stream: &mut TcpStream, decoder: &mut MllpDecoder) -> Result<String, Exit> {
    let mut buffer = [0; 1024];
    loop {
        if let Some(Ok(frame)) = decoder.next_frame() {
            return Ok(code(&frame.message));
        }
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Err(Exit::Unavailable("the listener gave no answer".to_owned()));
        }
        decoder.push(buffer.get(..count).unwrap_or_default());
    }
}

/// MSA-1 of an acknowledgement.
fn code(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    let msa = text
        .split('\r')
        .find_map(|segment| segment.strip_prefix("MSA|"));
    msa.and_then(|fields| fields.split('|').next())
        .unwrap_or("?")
        .to_owned()
}
