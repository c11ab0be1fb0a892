//! An NHS MESH service in the process of a test: mutual TLS, one-use tokens, faults on demand.
//!
//! It speaks the API of the real service (both versions of its answers) on a free loopback port,
//! with certificates made when it starts. What a test wants to know it asks the server directly:
//! what waits in a mailbox, which requests came, with which tokens.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use mesh_client::{Disposition, OutgoingMessage};
//! use mesh_testserver::{Fault, FaultAction, TestServer};
//! use nhs_types::{MailboxId, WorkflowId};
//!
//! let server = TestServer::start().await?;
//! let (trust, practice) = (MailboxId::parse("RT9OT001")?, MailboxId::parse("YGM24GP1")?);
//! let client = server.client(&trust).ok_or("no such mailbox")?;
//!
//! server.fault(Fault::new("POST", "*/outbox", FaultAction::DropAfter));
//! let workflow = WorkflowId::parse("TOC_OUTP_ATT_DMS")?;
//! let letter = OutgoingMessage::new(practice.clone(), workflow, "<letter/>")?;
//! let error = client.send(&letter).await.unwrap_err();
//! assert_eq!(error.disposition(), Disposition::Uncertain);
//! assert_eq!(server.collect(&practice)[0].body(), b"<letter/>");
//! # Ok(())
//! # }
//! ```
//!
//! # Scope
//!
//! | module | holds |
//! | --- | --- |
//! | `builder`, `mailbox` | setting a server up |
//! | `server` | [`TestServer`]: starting, looking in, stopping |
//! | `http` | TLS, HTTP and the faults that break connections |
//! | `service`, `token`, `store` | the API, without I/O |
//! | `fault`, `log` | [`Fault`], [`LoggedRequest`] |
//! | [`conformance`] | one suite of cases for every MESH service |
//! | `sandbox` | the official sandbox as a process (feature `sandbox`) |
//!
//! Handshake, send, inbox with pages, download in chunks, acknowledge, tracking by both ids,
//! endpoint lookup, reports. Not here: anything durable. Not here yet: sending in chunks, inbox
//! filters, patient addresses, workflow search.

mod builder;
mod certificates;
pub mod conformance;
mod fault;
mod http;
mod log;
mod mailbox;
mod message;
#[cfg(feature = "sandbox")]
pub mod sandbox;
mod server;
mod service;
mod state;
mod store;
mod token;

pub use builder::Builder;
pub use certificates::{Certificates, PemPair};
pub use fault::{Fault, FaultAction};
pub use log::LoggedRequest;
pub use mailbox::Mailbox;
pub use message::{ReportNotice, StoredMessage};
pub use server::TestServer;
