//! Documents come as HL7 v2 messages over MLLP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Europe::London;
use clinical_letter::{
    AckCode, AckError, Disposition, Format, Frame, MllpDecoder, MllpError, Reason, acknowledge,
    encode_frame, sniff,
};
use letter_delivery::Store;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::accept::serve_each;
use crate::take::{OnReject, Receipt};
use crate::{Gateway, GatewayError};

/// A listener for HL7 v2 messages in MLLP frames (source-documents facts 6).
///
/// MLLP itself is not encrypted: listen on loopback or on a private network.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Mllp {
    /// The source's name: document numbers are unique within one source.
    pub source: String,
    /// Where to listen.
    pub address: SocketAddr,
    /// Largest frame.
    pub frame_max: usize,
    /// How long a connection may be silent, and how long it may leave an answer unread.
    pub idle_max: Duration,
    /// How many connections there may be at once.
    pub connections_max: usize,
}

const FRAME_MAX: usize = 32 * 1024 * 1024;
const IDLE_MAX: Duration = Duration::from_secs(300);
const CONNECTIONS_MAX: usize = 32;
/// How long the last byte of a frame may be missing after its end byte.
const LAST_BYTE_MAX: Duration = Duration::from_millis(500);
const READ_BYTES: usize = 16 * 1024;

impl Mllp {
    /// A listener with the facts' limits.
    pub fn new(source: impl Into<String>, address: SocketAddr) -> Self {
        Self {
            source: source.into(),
            address,
            frame_max: FRAME_MAX,
            idle_max: IDLE_MAX,
            connections_max: CONNECTIONS_MAX,
        }
    }

    /// Opens the listener.
    ///
    /// # Errors
    ///
    /// [`GatewayError::Listen`] when the address is taken or not ours.
    pub async fn open(&self) -> Result<TcpListener, GatewayError> {
        TcpListener::bind(self.address)
            .await
            .map_err(|cause| GatewayError::Listen {
                address: self.address,
                cause,
            })
    }
}

impl<S: Store + 'static> Gateway<S> {
    /// Answers connections until its task is ended; a message is answered AA only when it is
    /// durable.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, mllp: Mllp) {
        let connections_max = mllp.connections_max;
        let mllp = Arc::new(mllp);
        serve_each(listener, connections_max, |stream| {
            let (gateway, mllp) = (Arc::clone(&self), Arc::clone(&mllp));
            async move {
                if let Err(error) = gateway.converse(stream, &mllp).await {
                    tracing::warn!(%error, source = mllp.source, "a connection broke off");
                }
            }
        })
        .await;
    }

    async fn converse(&self, mut stream: TcpStream, mllp: &Mllp) -> std::io::Result<()> {
        let mut decoder = MllpDecoder::new(mllp.frame_max);
        let mut buffer = vec![0; READ_BYTES];
        loop {
            while let Some(frame) = decoder.next_frame() {
                self.answer(&mut stream, mllp, frame).await?;
            }
            let waits = if decoder.lacks_last_byte() {
                LAST_BYTE_MAX
            } else {
                mllp.idle_max
            };
            match tokio::time::timeout(waits, stream.read(&mut buffer)).await {
                Ok(Ok(0)) => break,
                Ok(Ok(count)) => decoder.push(buffer.get(..count).unwrap_or_default()),
                Ok(Err(error)) => return Err(error),
                Err(_) if decoder.lacks_last_byte() => {
                    if let Some(frame) = decoder.finish() {
                        self.answer(&mut stream, mllp, frame).await?;
                    }
                }
                Err(_) => return Ok(()),
            }
        }
        match decoder.finish() {
            // A frame that was cut off is never processed and never answered.
            Some(Err(MllpError::CutOff)) | None => Ok(()),
            Some(frame) => self.answer(&mut stream, mllp, frame).await,
        }
    }

    async fn answer(
        &self,
        stream: &mut TcpStream,
        mllp: &Mllp,
        frame: Result<Frame, MllpError>,
    ) -> std::io::Result<()> {
        let (message, code, error) = match frame {
            Ok(frame) => {
                let (code, error) = self.take_message(mllp, frame.message.clone()).await;
                (frame.message, code, error)
            }
            Err(MllpError::CutOff) => return Ok(()),
            Err(_) => {
                let (code, error) = self.turn_away(mllp, Reason::TooLarge).await;
                (Vec::new(), code, error)
            }
        };
        let now = self.now();
        let control_id = format!("LB{}", now.timestamp_micros());
        let local = now.with_timezone(&London).fixed_offset();
        let answer = acknowledge(&message, code, error, &control_id, local);
        let answer = encode_frame(&answer);
        let written = async {
            stream.write_all(&answer).await?;
            stream.flush().await
        };
        // Who never reads its answers must not keep a place for ever.
        tokio::time::timeout(mllp.idle_max, written)
            .await
            .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
    }

    async fn take_message(&self, mllp: &Mllp, message: Vec<u8>) -> (AckCode, Option<AckError>) {
        match sniff(&message) {
            Format::Hl7v2 => {}
            Format::Empty => return self.turn_away(mllp, Reason::Empty).await,
            // Whatever else it is, its sender cannot be answered about it as HL7.
            _ => return self.turn_away(mllp, Reason::Malformed).await,
        }
        let taken = self.take(&mllp.source, message, None, OnReject::Refuse);
        match taken.await {
            Ok(receipts) => told(&receipts),
            Err(error) => failed(mllp, &error),
        }
    }

    /// Refuses what is no message, once the ledger says so.
    async fn turn_away(&self, mllp: &Mllp, reason: Reason) -> (AckCode, Option<AckError>) {
        match self.note_refusal(&mllp.source, reason.as_str()).await {
            Ok(()) => (AckCode::Reject, AckError::for_reason(reason)),
            Err(error) => failed(mllp, &error),
        }
    }
}

/// A passing fault here: the sender keeps the message and sends it again.
fn failed(mllp: &Mllp, error: &GatewayError) -> (AckCode, Option<AckError>) {
    tracing::error!(%error, source = mllp.source, "a message could not be taken");
    (AckCode::Error, Some(AckError::INTERNAL))
}

/// What the sender is told: AR when anything in the frame can never be accepted.
fn told(receipts: &[Receipt]) -> (AckCode, Option<AckError>) {
    let rejected = receipts
        .iter()
        .find(|receipt| receipt.disposition == Disposition::Reject);
    match rejected {
        Some(receipt) => (AckCode::Reject, AckError::for_reason(receipt.reason)),
        None => (AckCode::Accept, None),
    }
}
