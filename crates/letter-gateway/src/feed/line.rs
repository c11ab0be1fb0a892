//! Outcomes as HL7 v2 messages over MLLP.

use std::net::SocketAddr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Europe::London;
use clinical_letter::{Delimiters, MllpDecoder, encode_frame, escape};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{NotTaken, OutcomeBody, Session};

/// An HL7 v2 listener that takes outcomes: `MDM^T03` in an MLLP frame, version 2.4.
///
/// T03 tells of a document's status and carries no content, so nothing at the receiver can be
/// written over. `TXA-12` is the document's number in its source. What became of it stands in a
/// segment of our own, which the standard has others ignore:
///
/// ```text
/// MSH|^~\&|LETTERBOX|RXX|EPR|RXX|20261121091400+0000||MDM^T03^MDM_T01|LBO42|P|2.4||||||UNICODE UTF-8
/// EVN|T03|20261121091400+0000
/// PID|1
/// PV1|1|N
/// TXA|1|outpatient-letter||||||||||W-0001
/// ZLO|1|accepted|MESH took it for the practice||ACCEPTED|A81001|A81001OT001|20261121…|0c…|1|1|42
/// ```
///
/// `ZLO`: set id, outcome, the same in words, reason, state, practice, mailbox, MESH message id,
/// letter, copy, version, cursor. The control id is `LBO` and the cursor: the same for the same
/// outcome always, so a receiver knows what it was told before. `TXA-17` is empty, for the source
/// knows better. AA goes on, AE and silence try again, AR is final (source-documents facts 6).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OutcomeLine {
    /// Where it listens. MLLP is not encrypted: loopback or a private network.
    pub address: SocketAddr,
    /// How long it may take to connect.
    pub connect_within: Duration,
    /// How long it may take to answer.
    pub answer_within: Duration,
}

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Longest answer.
const ANSWER_MAX: usize = 64 * 1024;

impl OutcomeLine {
    /// A listener with the usual patience.
    pub const fn new(address: SocketAddr) -> Self {
        Self {
            address,
            connect_within: CONNECT_WITHIN,
            answer_within: ANSWER_WITHIN,
        }
    }

    /// One message in flight, and its answer matched by its control id.
    pub(crate) async fn tell(
        &self,
        session: &mut Session,
        message: &[u8],
        control_id: &str,
    ) -> Result<(), NotTaken> {
        let mut stream = match session.line.take() {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        let asked = exchange(&mut stream, message);
        let answer = match timeout(self.answer_within, asked).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(NotTaken::Now(error.to_string())),
            Err(_) => return Err(NotTaken::Now("it did not answer in time".to_owned())),
        };
        understand(&answer, control_id)?;
        session.line = Some(stream);
        Ok(())
    }

    async fn connect(&self) -> Result<TcpStream, NotTaken> {
        match timeout(self.connect_within, TcpStream::connect(self.address)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(NotTaken::Now(error.to_string())),
            Err(_) => Err(NotTaken::Now("it could not be reached in time".to_owned())),
        }
    }
}

async fn exchange(stream: &mut TcpStream, message: &[u8]) -> std::io::Result<Vec<u8>> {
    use std::io::{Error, ErrorKind};
    stream.write_all(&encode_frame(message)).await?;
    stream.flush().await?;
    let mut decoder = MllpDecoder::new(ANSWER_MAX);
    let mut buffer = [0; 4096];
    loop {
        if let Some(frame) = decoder.next_frame() {
            let wrong = |_| Error::new(ErrorKind::InvalidData, "its answer is no frame");
            return frame.map(|frame| frame.message).map_err(wrong);
        }
        match stream.read(&mut buffer).await? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            count => decoder.push(buffer.get(..count).unwrap_or_default()),
        }
    }
}

/// What the answer means. Nothing of it is repeated but its code.
fn understand(answer: &[u8], control_id: &str) -> Result<(), NotTaken> {
    let text = String::from_utf8_lossy(answer);
    let mut segments = text.split(['\r', '\n']);
    let msa = segments.find_map(|segment| segment.strip_prefix("MSA|"));
    let mut fields = msa.unwrap_or_default().split('|');
    let (code, about) = (fields.next(), fields.next());
    if about != Some(control_id) {
        return Err(NotTaken::Now(
            "it answered about another message".to_owned(),
        ));
    }
    match code {
        Some("AA" | "CA") => Ok(()),
        Some("AR" | "CR") => Err(NotTaken::Ever("AR".to_owned())),
        _ => Err(NotTaken::Now("it answered with an error".to_owned())),
    }
}

pub(super) fn control_id(body: &OutcomeBody) -> String {
    format!("LBO{}", body.cursor)
}

/// The message about an outcome.
pub(super) fn message(body: &OutcomeBody, now: DateTime<Utc>, live: bool) -> Vec<u8> {
    let maybe = |text: &Option<String>| safe(text.as_deref().unwrap_or_default());
    let (at, processing) = (time(now), processing(live));
    let (trust, source) = (safe(&body.trust), safe(&body.source));
    let copy = body.copy.map(|copy| copy.to_string()).unwrap_or_default();
    let segments = [
        format!(
            "MSH|^~\\&|LETTERBOX|{trust}|{source}|{trust}|{at}||MDM^T03^MDM_T01|{}|{processing}\
             |2.4||||||UNICODE UTF-8",
            control_id(body)
        ),
        format!("EVN|T03|{at}"),
        "PID|1".to_owned(),
        "PV1|1|N".to_owned(),
        format!(
            "TXA|1|{}||||||||||{}",
            safe(&body.class),
            maybe(&body.document)
        ),
        format!(
            "ZLO|1|{}|{}|{}|{}|{}|{}|{}|{}|{copy}|{}|{}",
            body.outcome,
            body.says,
            maybe(&body.reason),
            safe(&body.state),
            maybe(&body.practice),
            maybe(&body.mailbox),
            maybe(&body.message_id),
            body.letter,
            body.version,
            body.cursor
        ),
    ];
    let mut message = segments.join("\r");
    message.push('\r');
    message.into_bytes()
}

pub(crate) fn safe(text: &str) -> String {
    escape(text, &Delimiters::default())
}

pub(crate) fn time(now: DateTime<Utc>) -> String {
    let local = now.with_timezone(&London);
    local.format("%Y%m%d%H%M%S%z").to_string()
}

pub(crate) const fn processing(live: bool) -> &'static str {
    if live { "P" } else { "T" }
}
