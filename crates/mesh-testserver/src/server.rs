use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use mesh_client::{Client, ClientBuilder, Credentials, MessageId, TlsIdentity, TrustAnchors};
use nhs_types::{MailboxId, WorkflowId};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::http::serve;
use crate::state::State;
use crate::store::blank;
use crate::{Builder, Certificates, Fault, LoggedRequest, ReportNotice, StoredMessage};

/// A MESH service in this process, on a free port of the loopback interface.
///
/// It runs on the caller's tokio runtime until it is dropped or [`shutdown`](Self::shutdown).
#[derive(Debug)]
pub struct TestServer {
    state: Arc<Mutex<State>>,
    certificates: Certificates,
    port: u16,
    accepting: JoinHandle<()>,
}

impl TestServer {
    /// Starts a server with the mailboxes of [`Builder::sample_mailboxes`] and the shared key
    /// `TestKey`.
    ///
    /// # Errors
    ///
    /// When no port is free or certificates cannot be made.
    pub async fn start() -> io::Result<Self> {
        Self::builder().sample_mailboxes().start().await
    }

    /// Sets a server up from nothing.
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) async fn run(state: State, server_names: &[String]) -> io::Result<Self> {
        let certificates = Certificates::make(server_names)?;
        let acceptor = TlsAcceptor::from(Arc::new(tls(&certificates)?));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let state = Arc::new(Mutex::new(state));
        let accepting = tokio::spawn(accept(listener, acceptor, Arc::clone(&state)));
        Ok(Self {
            state,
            certificates,
            port,
            accepting,
        })
    }

    /// Address of the server, `https://localhost:…`.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// The certificates that were made for it.
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// The shared key of its environment.
    pub fn shared_key(&self) -> Vec<u8> {
        self.lock().shared_key.clone()
    }

    /// Credentials of one of its mailboxes.
    pub fn credentials(&self, mailbox: &MailboxId) -> Option<Credentials> {
        let state = self.lock();
        Some(state.store.mailbox(mailbox)?.credentials(&state.shared_key))
    }

    /// A client builder for one of its mailboxes, with the right certificates.
    pub fn client_builder(&self, mailbox: &MailboxId) -> Option<ClientBuilder> {
        let pair = &self.certificates.client;
        let identity = TlsIdentity::from_pem(pair.certificate.as_bytes(), pair.key.as_bytes());
        let trust = TrustAnchors::from_pem(self.certificates.ca.as_bytes());
        let builder = Client::builder(&self.url(), self.credentials(mailbox)?);
        Some(builder.identity(identity.ok()?).trust(trust.ok()?))
    }

    /// A client for one of its mailboxes; `None` when it has no such mailbox.
    pub fn client(&self, mailbox: &MailboxId) -> Option<Client> {
        self.client_builder(mailbox)?.build().ok()
    }

    /// What waits in a mailbox, oldest first.
    pub fn mailbox(&self, mailbox: &MailboxId) -> Vec<StoredMessage> {
        self.lock().store.waiting(mailbox).cloned().collect()
    }

    /// Takes everything out of a mailbox and acknowledges it, as a practice's system does.
    pub fn collect(&self, mailbox: &MailboxId) -> Vec<StoredMessage> {
        let mut state = self.lock();
        let now = state.now();
        let collected: Vec<_> = state.store.waiting(mailbox).cloned().collect();
        for message in &collected {
            state.store.acknowledge(&message.id, now);
        }
        collected
    }

    /// A message by its id, wherever it is.
    pub fn message(&self, id: &MessageId) -> Option<StoredMessage> {
        self.lock().store.message(id).cloned()
    }

    /// Puts a message into a mailbox, in the chunks that it is to be downloaded in.
    pub fn deliver(
        &self,
        from: &MailboxId,
        to: &MailboxId,
        workflow: &WorkflowId,
        chunks: Vec<Vec<u8>>,
    ) -> MessageId {
        let mut state = self.lock();
        let mut message = blank(to.clone(), state.now());
        message.from = Some(from.clone());
        message.workflow = Some(workflow.clone());
        message.chunks = chunks.into_iter().map(Bytes::from).collect();
        state.store.deliver(message)
    }

    /// Puts a report into a mailbox.
    pub fn report(&self, to: &MailboxId, notice: ReportNotice) -> MessageId {
        let mut state = self.lock();
        let now = state.now();
        state.store.report(to, notice, now)
    }

    /// Does with a message what the service does after five days: it leaves the inbox, and its
    /// sender gets a report with code 14, whose id is given.
    pub fn undeliverable(&self, id: &MessageId) -> Option<MessageId> {
        let mut state = self.lock();
        let now = state.now();
        state.store.undeliverable(id, now)
    }

    /// Adds a rule that makes it misbehave.
    pub fn fault(&self, fault: Fault) {
        self.lock().faults.push(fault);
    }

    /// Takes all such rules away.
    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// The requests that it got, oldest first; of very many, the last.
    pub fn log(&self) -> Vec<LoggedRequest> {
        self.lock().log.iter().cloned().collect()
    }

    /// Empties the log.
    pub fn clear_log(&self) {
        self.lock().log.clear();
    }

    /// Sets its clock to a time at which it stands still, or with `None` to the system's.
    /// Certificates are checked by the system's clock all the same.
    pub fn set_clock(&self, at: Option<DateTime<Utc>>) {
        self.lock().fixed_time = at;
    }

    /// Stops it: open connections are closed, what waited is gone.
    pub async fn shutdown(mut self) {
        self.accepting.abort();
        let _ = (&mut self.accepting).await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Connections live in this task, so that ending it ends them.
async fn accept(listener: TcpListener, acceptor: TlsAcceptor, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve(stream, acceptor.clone(), Arc::clone(&state)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// TLS that demands a client certificate of its own authority.
fn tls(certificates: &Certificates) -> io::Result<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    let read = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).map_err(io::Error::other);
    roots
        .add(read(&certificates.ca)?)
        .map_err(io::Error::other)?;
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(io::Error::other)?;
    let key = PrivateKeyDer::from_pem_slice(certificates.server.key.as_bytes())
        .map_err(io::Error::other)?;
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![read(&certificates.server.certificate)?], key)
        .map_err(io::Error::other)
}
