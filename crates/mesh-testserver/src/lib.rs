//! An in-process NHS MESH service with mutual TLS and faults, for tests.
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
