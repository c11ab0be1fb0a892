mod builder;
mod failure;
mod source;
mod tls;
mod transport;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use nhs_types::{MailboxId, OdsCode, WorkflowId};

pub use builder::ClientBuilder;
pub use tls::{TlsError, TlsIdentity, TrustAnchors};

use crate::proto::{self, Agent, Answer, Assembly, Request, Step};
use crate::{
    Credentials, Endpoint, LocalId, LocalIdTracking, MessageId, OutgoingMessage, ReceivedMessage,
    Result, Tracking,
};
use transport::Transport;

/// One mailbox at one MESH service, over mutual TLS.
///
/// Cheap to clone; clones share the connections. Every request carries a token of its own, and
/// none is repeated inside the client: what to do after a failure is told by
/// [`Error::disposition`](crate::Error::disposition) and decided by the caller.
#[derive(Clone, Debug)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    transport: Transport,
    agent: Agent,
    message_size_max: usize,
}

impl Client {
    /// Begins a client for the service at `base_url`, for instance
    /// `https://msg.intspineservices.nhs.uk`.
    pub fn builder(base_url: &str, credentials: Credentials) -> ClientBuilder {
        ClientBuilder::new(base_url, credentials)
    }

    /// The mailbox that acts.
    pub fn mailbox(&self) -> &MailboxId {
        self.inner.transport.mailbox()
    }

    /// The service's clock less ours, as the last answer told it.
    ///
    /// Tokens are refused from two hours on; whoever checks an installation should speak up at
    /// minutes.
    pub fn clock_skew(&self) -> Option<TimeDelta> {
        self.inner.transport.clock_skew()
    }

    /// Proves connection, certificate, password and key, and tells the service that the mailbox
    /// is alive: at least once in 24 hours (mesh-api section 6).
    ///
    /// # Errors
    ///
    /// [`Error::is_configuration`](crate::Error::is_configuration) tells what a person must put
    /// right.
    pub async fn handshake(&self) -> Result<()> {
        let request = Request::handshake(self.mailbox(), &self.inner.agent);
        proto::read_handshake(&self.success(request).await?)
    }

    /// Sends a message and gives the id that the service gave it. Store the id before anything
    /// else is done.
    ///
    /// The service does not recognise a message that comes twice (mesh-api section 18): after
    /// [`Disposition::Uncertain`](crate::Disposition::Uncertain) ask with
    /// [`track_local`](Self::track_local) first.
    ///
    /// # Errors
    ///
    /// Any; `Retry` only when nothing was taken.
    pub async fn send(&self, message: &OutgoingMessage) -> Result<MessageId> {
        let request = Request::send(self.mailbox(), message);
        proto::read_sent(&self.success(request).await?)
    }

    /// Lists what waits in the inbox: one page, up to 500. Listing changes nothing; an id stays
    /// until it is acknowledged.
    ///
    /// # Errors
    ///
    /// Never `Uncertain`.
    pub async fn inbox(&self) -> Result<Vec<MessageId>> {
        let answer = self.success(Request::inbox(self.mailbox())).await?;
        Ok(proto::read_inbox(&answer)?.messages)
    }

    /// Fetches a message, all of its chunks, unpacked and checked. It stays in the inbox until
    /// [`acknowledge`](Self::acknowledge).
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`](crate::Error::Unusable) when a part is cut, damaged or does not fit
    /// (`Retry`), or the whole is larger than the limit (`Refused`). Never `Uncertain`.
    pub async fn download(&self, id: &MessageId) -> Result<ReceivedMessage> {
        let mut assembly = Assembly::new(id.clone(), self.inner.message_size_max);
        let mut chunk = 1;
        loop {
            let request = Request::download(self.mailbox(), id, chunk)?;
            match assembly.take(self.success(request).await?)? {
                Step::Complete(message) => return Ok(message),
                Step::Fetch(rest, next) => (assembly, chunk) = (rest, next),
            }
        }
    }

    /// Takes a message out of the inbox for good: only after it was stored durably.
    ///
    /// # Errors
    ///
    /// Never `Uncertain`: doing it again does no harm. A 404 or 410 after an earlier try means
    /// that it is done.
    pub async fn acknowledge(&self, id: &MessageId) -> Result<()> {
        let request = Request::acknowledge(self.mailbox(), id)?;
        proto::read_acknowledged(&self.success(request).await?)
    }

    /// Asks how far a sent message came; `None` when the service does not know it.
    ///
    /// # Errors
    ///
    /// Never `Uncertain`.
    pub async fn track(&self, id: &MessageId) -> Result<Option<Tracking>> {
        let answer = self
            .answer(Request::track(self.mailbox(), id), &[404])
            .await?;
        proto::read_tracked(&answer)
    }

    /// Asks whether a message with this local id arrived, and how far it came.
    ///
    /// # Errors
    ///
    /// Never `Uncertain`.
    pub async fn track_local(&self, id: &LocalId) -> Result<LocalIdTracking> {
        let request = Request::track_local(self.mailbox(), id)?;
        proto::read_tracked_local(&self.answer(request, &[300, 404]).await?)
    }

    /// Asks which mailboxes take a workflow for an organisation: none, one, or several, among
    /// which nothing here chooses.
    ///
    /// # Errors
    ///
    /// Never `Uncertain`.
    pub async fn lookup(
        &self,
        organisation: &OdsCode,
        workflow: &WorkflowId,
    ) -> Result<Vec<Endpoint>> {
        let request = Request::lookup(organisation, workflow)?;
        proto::read_lookup(&self.success(request).await?)
    }

    async fn success(&self, request: Request) -> Result<Answer> {
        self.answer(request, &[]).await
    }

    /// One attempt. Statuses in `also` are answers of this operation, no failures.
    async fn answer(&self, request: Request, also: &[u16]) -> Result<Answer> {
        self.inner.transport.exchange(&request, also).await
    }
}

/// Time for a whole exchange besides what its bytes need.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(60);

/// Time for TCP and TLS together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest silence while an answer is awaited or read.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Largest message that is taken in, unpacked.
const MESSAGE_SIZE_MAX: usize = 256 * 1024 * 1024;
