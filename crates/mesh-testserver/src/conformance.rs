//! One suite of cases for every MESH service: this crate's server, the official sandbox, an
//! environment of the real one.
//!
//! The cases leave the mailboxes as they found them, apart from messages that a failing case
//! left behind. Local ids are new in each run.

mod exchange;
mod identity;
mod lookup;
mod tracking;

use std::fmt::Debug;
use std::future::Future;
use std::time::SystemTime;

use mesh_client::{
    Client, ClientBuilder, Credentials, LocalId, MessageId, OutgoingMessage, TlsIdentity,
    TrustAnchors,
};
use nhs_types::{MailboxId, OdsCode, WorkflowId};

/// The service that the cases run against.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Target {
    /// Its address.
    pub base_url: String,
    /// A client certificate that it accepts.
    pub identity: TlsIdentity,
    /// One that it does not accept, if there is one at hand.
    pub stranger: Option<TlsIdentity>,
    /// What its own certificate leads to.
    pub trust: TrustAnchors,
    /// The mailbox that sends.
    pub a: Credentials,
    /// The mailbox that receives.
    pub b: Credentials,
    /// An organisation for which a lookup of `workflow` gives one mailbox, that of `b`.
    pub organisation: OdsCode,
    /// A workflow that `a` may send to `b`.
    pub workflow: WorkflowId,
}

/// How a case ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CaseResult {
    /// What was tried, with the section of mesh-api that says so.
    pub name: &'static str,
    /// What was wrong, if anything was.
    pub outcome: Result<(), String>,
}

type Outcome = Result<(), String>;

impl Target {
    /// A target without a certificate that it refuses; set `stranger` when there is one.
    pub fn new(
        base_url: &str,
        (identity, trust): (TlsIdentity, TrustAnchors),
        (a, b): (Credentials, Credentials),
        (organisation, workflow): (OdsCode, WorkflowId),
    ) -> Self {
        let base_url = base_url.to_owned();
        Self {
            base_url,
            identity,
            stranger: None,
            trust,
            a,
            b,
            organisation,
            workflow,
        }
    }

    fn builder(&self, credentials: &Credentials) -> ClientBuilder {
        Client::builder(&self.base_url, credentials.clone()).trust(self.trust.clone())
    }

    fn client(&self, credentials: &Credentials) -> Result<Client, String> {
        self.builder(credentials)
            .identity(self.identity.clone())
            .build()
            .map_err(text)
    }

    fn sender(&self) -> Result<Client, String> {
        self.client(&self.a)
    }

    fn receiver(&self) -> Result<Client, String> {
        self.client(&self.b)
    }

    fn message(&self, body: &[u8]) -> Result<OutgoingMessage, String> {
        let to: MailboxId = self.b.mailbox().clone();
        OutgoingMessage::new(to, self.workflow.clone(), body).map_err(text)
    }
}

/// Runs every case, one after the other.
pub async fn run_all(target: &Target) -> Vec<CaseResult> {
    let mut results = Vec::new();
    identity::run(target, &mut results).await;
    exchange::run(target, &mut results).await;
    tracking::run(target, &mut results).await;
    lookup::run(target, &mut results).await;
    results
}

async fn case(
    results: &mut Vec<CaseResult>,
    name: &'static str,
    case: impl Future<Output = Outcome>,
) {
    results.push(CaseResult {
        name,
        outcome: Box::pin(case).await,
    });
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn equal<T: PartialEq + Debug>(what: &str, got: T, expected: T) -> Outcome {
    if got == expected {
        Ok(())
    } else {
        Err(format!("{what}: got {got:?}, expected {expected:?}"))
    }
}

fn is_true(what: &str, holds: bool) -> Outcome {
    if holds {
        Ok(())
    } else {
        Err(format!("not so: {what}"))
    }
}

/// A local id that no run used before.
fn new_local_id() -> Result<LocalId, String> {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_err(text)?;
    LocalId::parse(&format!("L{:020X}", since.as_nanos())).map_err(text)
}

/// Takes a message out of the receiver's inbox.
async fn clear(target: &Target, id: &MessageId) -> Outcome {
    target.receiver()?.acknowledge(id).await.map_err(text)
}
