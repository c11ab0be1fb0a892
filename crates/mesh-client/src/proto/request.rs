use std::fmt;
use std::fmt::Write as _;

use bytes::Bytes;
use nhs_types::{MailboxId, OdsCode, WorkflowId};

use crate::{LocalId, MessageId, Misuse, Operation, OutgoingMessage, headers};

/// A request as a value: everything but the address of the service and the token.
///
/// ```
/// use mesh_client::proto::Request;
/// use nhs_types::MailboxId;
///
/// let request = Request::inbox(&MailboxId::parse("X26ABC1").unwrap());
/// assert_eq!(request.path, "/messageexchange/X26ABC1/inbox");
/// assert!(request.needs_token());
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Request {
    /// The operation it carries out.
    pub operation: Operation,
    /// The HTTP method.
    pub method: Method,
    /// Path and query, percent-encoded.
    pub path: String,
    /// Headers without `Authorization`, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body, empty for most.
    pub body: Bytes,
}

/// The HTTP methods that the service knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "an HTTP library must map each of them"
)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
}

/// What a client tells about itself in the handshake (mesh-api section 6).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Agent {
    /// Name and version of the program, `name==1.2.3`.
    pub client_version: String,
    /// Name of the operating system.
    pub os_name: String,
    /// Version of the operating system.
    pub os_version: String,
    /// Architecture of the machine.
    pub os_architecture: String,
}

const ACCEPT_V2: &str = "application/vnd.mesh.v2+json";
const DEFAULT_TYPE: &str = "application/octet-stream";
const ROOT: &str = "/messageexchange";

impl Request {
    /// Proves that connection and token work, and tells the service that the mailbox is alive.
    pub fn handshake(mailbox: &MailboxId, agent: &Agent) -> Self {
        let path = format!("{ROOT}/{mailbox}");
        let mut request = Self::new(Operation::Handshake, Method::Post, path);
        request.headers.extend([
            (headers::CLIENT_VERSION, agent.client_version.clone()),
            (headers::OS_NAME, agent.os_name.clone()),
            (headers::OS_VERSION, agent.os_version.clone()),
            (headers::OS_ARCHITECTURE, agent.os_architecture.clone()),
        ]);
        request
    }

    /// Hands a message to the service.
    pub fn send(mailbox: &MailboxId, message: &OutgoingMessage) -> Self {
        let path = format!("{ROOT}/{mailbox}/outbox");
        let mut request = Self::new(Operation::Send, Method::Post, path);
        request.body = message.shared_body();
        request.headers.extend([
            (headers::TO, message.recipient().as_header().to_owned()),
            (headers::WORKFLOW_ID, message.workflow().to_string()),
            (
                headers::CONTENT_TYPE,
                message.content_type().unwrap_or(DEFAULT_TYPE).to_owned(),
            ),
        ]);
        let optional = [
            (headers::LOCAL_ID, message.local_id().map(LocalId::as_str)),
            (
                headers::SUBJECT,
                message.subject().map(|text| text.expose().as_str()),
            ),
            (
                headers::FILE_NAME,
                message.file_name().map(|text| text.expose().as_str()),
            ),
            (headers::MEX_CONTENT_TYPE, message.content_type()),
        ];
        let given = optional
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?.to_owned())));
        request.headers.extend(given);
        request
    }

    /// Lists what waits in the inbox: the first page.
    pub fn inbox(mailbox: &MailboxId) -> Self {
        Self::new(
            Operation::Inbox,
            Method::Get,
            format!("{ROOT}/{mailbox}/inbox"),
        )
    }

    /// Fetches a chunk of a message, counted from 1.
    ///
    /// # Errors
    ///
    /// [`Misuse::PathSegment`] for an id that would leave the inbox.
    pub fn download(mailbox: &MailboxId, id: &MessageId, chunk: u32) -> Result<Self, Misuse> {
        let mut path = format!(
            "{ROOT}/{mailbox}/inbox/{}",
            segment("message id", id.as_str())?
        );
        if chunk > 1 {
            let _ = write!(path, "/{chunk}");
        }
        let mut request = Self::new(Operation::Download, Method::Get, path);
        request
            .headers
            .push((headers::ACCEPT_ENCODING, "gzip".to_owned()));
        Ok(request)
    }

    /// Takes a message out of the inbox for good.
    ///
    /// # Errors
    ///
    /// [`Misuse::PathSegment`] for an id that would leave the inbox.
    pub fn acknowledge(mailbox: &MailboxId, id: &MessageId) -> Result<Self, Misuse> {
        let id = segment("message id", id.as_str())?;
        let path = format!("{ROOT}/{mailbox}/inbox/{id}/status/acknowledged");
        Ok(Self::new(Operation::Acknowledge, Method::Put, path))
    }

    /// Asks about a message by the service's id.
    pub fn track(mailbox: &MailboxId, id: &MessageId) -> Self {
        let id = encode(id.as_str());
        let path = format!("{ROOT}/{mailbox}/outbox/tracking?messageID={id}");
        Self::new(Operation::Track, Method::Get, path)
    }

    /// Asks about messages by the sender's reference.
    ///
    /// # Errors
    ///
    /// [`Misuse::PathSegment`] for an id that would leave the path.
    pub fn track_local(mailbox: &MailboxId, id: &LocalId) -> Result<Self, Misuse> {
        let id = segment("local id", id.as_str())?;
        let path = format!("{ROOT}/{mailbox}/outbox/tracking/{id}");
        Ok(Self::new(Operation::TrackLocal, Method::Get, path))
    }

    /// Asks for the mailboxes of an organisation that take a workflow.
    ///
    /// # Errors
    ///
    /// [`Misuse::PathSegment`] for a workflow that would leave the path.
    pub fn lookup(practice: &OdsCode, workflow: &WorkflowId) -> Result<Self, Misuse> {
        let workflow = segment("workflow id", workflow.as_str())?;
        let path = format!("{ROOT}/endpointlookup/{practice}/{workflow}");
        Ok(Self::new(Operation::Lookup, Method::Get, path))
    }

    /// False for the endpoint lookup, which takes the client certificate alone.
    pub fn needs_token(&self) -> bool {
        self.operation != Operation::Lookup
    }

    /// The texts of this request that must not come out in an error: subject and file name.
    pub fn sensitive_texts(&self) -> impl Iterator<Item = &str> {
        let is_sensitive = |name: &str| matches!(name, headers::SUBJECT | headers::FILE_NAME);
        self.headers
            .iter()
            .filter(move |(name, _)| is_sensitive(name))
            .map(|(_, value)| value.as_str())
    }

    fn new(operation: Operation, method: Method, path: String) -> Self {
        let headers = vec![(headers::ACCEPT, ACCEPT_V2.to_owned())];
        Self {
            operation,
            method,
            path,
            headers,
            body: Bytes::new(),
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Agent {
    /// A program on this kind of machine; the version of the system is not known without asking
    /// the system, so it stays `N/A` until it is set.
    pub fn new(client_version: &str) -> Self {
        Self {
            client_version: client_version.to_owned(),
            os_name: std::env::consts::OS.to_owned(),
            os_version: "N/A".to_owned(),
            os_architecture: std::env::consts::ARCH.to_owned(),
        }
    }
}

/// A dot segment survives percent-encoding and would be resolved on the way.
fn segment(what: &'static str, text: &str) -> Result<String, Misuse> {
    if matches!(text, "." | "..") {
        Err(Misuse::PathSegment { what })
    } else {
        Ok(encode(text))
    }
}

/// Leaves the unreserved characters of RFC 3986 as they are.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox() -> MailboxId {
        MailboxId::parse("x26abc1").unwrap()
    }

    #[test]
    fn every_path_of_mesh_api_section_5() {
        let id = MessageId::parse("20200601122152994285_D59900").unwrap();
        let local = LocalId::parse("a/b?c#d%e").unwrap();
        let workflow = WorkflowId::parse("W/../X").unwrap();
        let paths = [
            Request::handshake(&mailbox(), &Agent::new("c==1")),
            Request::inbox(&mailbox()),
            Request::download(&mailbox(), &id, 1).unwrap(),
            Request::download(&mailbox(), &id, 2).unwrap(),
            Request::acknowledge(&mailbox(), &id).unwrap(),
            Request::track(&mailbox(), &id),
            Request::track_local(&mailbox(), &local).unwrap(),
            Request::lookup(&OdsCode::parse("A99991").unwrap(), &workflow).unwrap(),
        ]
        .map(|request| {
            format!(
                "{:?} {} token={}",
                request.method,
                request.path,
                request.needs_token()
            )
        });
        insta::assert_snapshot!(paths.join("\n"));
    }

    #[test]
    fn a_dot_segment_is_misuse() {
        for text in [".", ".."] {
            let id = MessageId::parse(text).unwrap();
            assert!(Request::download(&mailbox(), &id, 1).is_err());
            assert!(Request::acknowledge(&mailbox(), &id).is_err());
            assert!(Request::track_local(&mailbox(), &LocalId::parse(text).unwrap()).is_err());
            assert_eq!(Request::track(&mailbox(), &id).path.matches('/').count(), 4);
        }
        let workflow = WorkflowId::parse("..").unwrap();
        assert!(Request::lookup(&OdsCode::parse("A99991").unwrap(), &workflow).is_err());
    }

    #[test]
    fn headers_of_a_send() {
        let to = MailboxId::parse("YGM24GP1").unwrap();
        let message = OutgoingMessage::new(to, WorkflowId::parse("W").unwrap(), "body")
            .unwrap()
            .with_local_id(LocalId::parse("L1").unwrap())
            .with_subject("canary subject")
            .unwrap()
            .with_file_name("canary.xml")
            .unwrap()
            .with_content_type("text/xml")
            .unwrap();
        let request = Request::send(&mailbox(), &message);
        let lines = request
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}"));
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
        assert_eq!(
            request.sensitive_texts().collect::<Vec<_>>(),
            ["canary subject", "canary.xml"]
        );
        assert!(!format!("{request:?}").contains("canary"));
    }
}
