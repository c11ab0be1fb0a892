use std::fs;

use mesh_testserver::sandbox::Sandbox;
use mesh_testserver::{PemPair, StoredMessage, TestServer};
use nhs_types::MailboxId;

/// What a site must know of a MESH service; and, when it is ours, the service itself.
#[derive(Debug)]
pub struct Mesh {
    /// Its address.
    pub url: String,
    /// The CA of its certificate.
    pub ca: String,
    /// A client certificate that it accepts.
    pub client: String,
    /// The key of that certificate.
    pub client_key: String,
    /// The shared key.
    pub shared_key: String,
    server: Option<TestServer>,
}

impl Mesh {
    /// Starts a test server with its sample mailboxes.
    pub async fn start() -> Self {
        Self::of(TestServer::start().await.unwrap())
    }

    /// Takes over a test server.
    pub fn of(server: TestServer) -> Self {
        let certificates = server.certificates().clone();
        let PemPair {
            certificate, key, ..
        } = certificates.client;
        Self {
            url: server.url(),
            ca: certificates.ca,
            client: certificate,
            client_key: key,
            shared_key: String::from_utf8(server.shared_key()).unwrap(),
            server: Some(server),
        }
    }

    /// What the official sandbox told when it started.
    pub fn sandbox(sandbox: &Sandbox) -> Self {
        let value = |name| sandbox.value(name).unwrap_or_else(|| panic!("no {name}"));
        let file = |name| fs::read_to_string(value(name)).unwrap();
        Self {
            url: value("MESH_URL").to_owned(),
            ca: file("MESH_CA"),
            client: file("MESH_CLIENT_CERT"),
            client_key: file("MESH_CLIENT_KEY"),
            shared_key: value("MESH_SHARED_KEY").to_owned(),
            server: None,
        }
    }

    /// The test server.
    pub fn server(&self) -> &TestServer {
        self.server
            .as_ref()
            .expect("a test server, not the sandbox")
    }

    /// What waits in a mailbox of the test server.
    pub fn waiting(&self, mailbox: &str) -> Vec<StoredMessage> {
        self.server().mailbox(&MailboxId::parse(mailbox).unwrap())
    }

    /// Takes everything out of a mailbox, as a practice's system does.
    pub fn collect(&self, mailbox: &str) -> Vec<StoredMessage> {
        self.server().collect(&MailboxId::parse(mailbox).unwrap())
    }

    /// Stops the test server: nothing answers on its port any more.
    pub async fn stop(&mut self) {
        self.server.take().expect("a test server").shutdown().await;
    }

    /// How many uploads a test server got.
    pub fn sends(&self) -> usize {
        let log = self.server().log();
        let sends = log.iter();
        sends
            .filter(|request| request.method == "POST" && request.path.ends_with("/outbox"))
            .count()
    }
}
