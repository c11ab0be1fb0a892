//! Documents are handed over, and asked about, over HTTP.

mod answer;
mod connection;
mod entry;
mod letters;
mod multipart;
mod outcomes;
mod query;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::GatewayError;

pub use entry::{Entry, EntryError};

/// A door that a source's own system comes to over HTTP/1.1.
///
/// # Handing over
///
/// `POST /v1/letters` with `Content-Type: multipart/form-data` and two parts, each once:
///
/// | part | holds |
/// | --- | --- |
/// | `letter` | what the record system says beside the document: the same JSON as a sidecar |
/// | `document` | the document as it is: text, Word, RTF, PDF, one HL7 v2 message |
///
/// ```text
/// curl --cert tie.pem --key tie.key --cacert trust-ca.pem -H 'Idempotency-Key: 8e03978e-40d5' \
///   -F 'letter={"document_id":"W-0001"};type=application/json' -F document=@W-0001.docx \
///   https://letterbox.example:8443/v1/letters
/// ```
///
/// The answer comes when the letter is durable, and not before:
///
/// | code | when | body |
/// | --- | --- | --- |
/// | 201 | taken, with `Location`; also when it is held for a person | see below |
/// | 200 | the same content of the same document is here already | see below |
/// | 400 | not what this page says: the multipart body, the `letter` part, the key | problem |
/// | 401, 403 | no token, or not the right one | problem |
/// | 404, 405, 415 | no such place; not so; not a form | problem |
/// | 408, 413, 431 | too slow, too large, too many headers | problem |
/// | 409 | the same document is being taken at this moment: repeat after `Retry-After` | problem |
/// | 422 | no document that can be read, or the key was used for something else | problem |
/// | 500, 503 | damaged store; store short of space or out of reach: repeat after `Retry-After` | problem |
///
/// `{"letter":"0c…","taken":"letter|duplicate|withdrawal","state":"PARSED","held":false,
/// "reason":"…","findings":[{"rule":"…","severity":"…","place":"…","message":"…"}]}`; `state` and
/// `reason` are left out where there is none. A problem is `application/problem+json` (RFC 9457)
/// with `type`, `title`, `status`, `code` and, for a document, `findings`. No answer repeats
/// anything of a patient.
///
/// # Repeating
///
/// With the header `Idempotency-Key` (1 to 255 visible ASCII characters, new for each letter) a
/// source may repeat a hand-over whose answer it did not get, as often as it likes and for ever:
/// the same key with the same two parts gets the same answer again, word for word, and takes
/// nothing. The same key with other parts is refused with 422 `idempotency-key-reused`. An answer
/// of 4xx or 5xx is not kept: mended, the hand-over may come under the same key. Without a key
/// the document's number and content tell a repetition: it is answered 200.
///
/// # Asking
///
/// `GET /v1/letters/{id}` and `GET /v1/letters?document=NUMBER[&source=NAME]` answer
/// `{"lines":[…]}`, the members of `letterbox status --json`; the source is that of the door where
/// none is named.
///
/// `GET /v1/outcomes?after=CURSOR[&limit=N][&source=NAME]` answers `{"outcomes":[…],"next":CURSOR}`,
/// what a [`Feed`](crate::Feed) tells, in the ledger's order. Begin without `after`, then ask after
/// `next`; when that is the cursor you asked after, there is nothing more for now.
///
/// # Who may enter
///
/// See [`Entry`]. Other addresses than loopback are opened with TLS only.
///
/// Source: design sections 5 (rules 1 and 12) and 8; audit-and-delivery facts 4.3.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Http {
    /// The source's name: document numbers are unique within one source.
    pub source: String,
    /// Where to listen.
    pub address: SocketAddr,
    /// Who may enter.
    pub entry: Entry,
    /// Largest document.
    pub document_max: usize,
    /// Largest head of a request: its line and headers.
    pub head_max: usize,
    /// How many connections there may be at once; others wait to be accepted.
    pub connections_max: usize,
    /// How long a connection may take to greet, where there is TLS.
    pub greet_within: Duration,
    /// How long a head may take to come, and how long a connection may wait for its next request.
    pub head_within: Duration,
    /// How long a body may pause between bytes.
    pub pause_max: Duration,
    /// How long a whole body may take to come.
    pub body_within: Duration,
}

const DOCUMENT_MAX: usize = 32 * 1024 * 1024;
const HEAD_MAX: usize = 64 * 1024;
const CONNECTIONS_MAX: usize = 32;
const GREET_WITHIN: Duration = Duration::from_secs(10);
const HEAD_WITHIN: Duration = Duration::from_secs(30);
const PAUSE_MAX: Duration = Duration::from_secs(30);
const BODY_WITHIN: Duration = Duration::from_secs(120);

impl Http {
    /// A door with the facts' limits (source-documents 9, reliability-and-security 7).
    pub fn new(source: impl Into<String>, address: SocketAddr, entry: Entry) -> Self {
        Self {
            source: source.into(),
            address,
            entry,
            document_max: DOCUMENT_MAX,
            head_max: HEAD_MAX,
            connections_max: CONNECTIONS_MAX,
            greet_within: GREET_WITHIN,
            head_within: HEAD_WITHIN,
            pause_max: PAUSE_MAX,
            body_within: BODY_WITHIN,
        }
    }

    /// Opens the door.
    ///
    /// # Errors
    ///
    /// [`GatewayError::Exposed`] for another address than loopback without TLS,
    /// [`GatewayError::Listen`] when the address is taken or not ours.
    pub async fn open(&self) -> Result<TcpListener, GatewayError> {
        let address = self.address;
        if !address.ip().is_loopback() && !self.entry.is_encrypted() {
            return Err(GatewayError::Exposed { address });
        }
        TcpListener::bind(address)
            .await
            .map_err(|cause| GatewayError::Listen { address, cause })
    }

    /// The largest body: the document, what is said beside it, and what holds the two together.
    const fn body_max(&self) -> usize {
        self.document_max
            .saturating_add(letters::LETTER_MAX)
            .saturating_add(multipart::FRAME_MAX)
    }
}
