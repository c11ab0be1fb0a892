//! The NHS MESH API for a client: the protocol without I/O, and an async client over it.
//!
//! MESH takes a message for a mailbox and keeps it until the recipient's system collects it.
//! This crate sends and collects, and tells after every failure what may be done next
//! ([`Disposition`]): a message whose answer was lost is [`Disposition::Uncertain`], never
//! retried behind the caller's back.
//!
//! ```
//! # #[cfg(feature = "client")]
//! # async fn letter(ca: &[u8], certificate: &[u8], key: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
//! use mesh_client::{Client, Credentials, Disposition, LocalId, OutgoingMessage, Secret};
//! use mesh_client::{TlsIdentity, TrustAnchors};
//! use nhs_types::{MailboxId, WorkflowId};
//!
//! let trust = MailboxId::parse("RT9OT001")?;
//! let credentials = Credentials::new(trust, Secret::new("password"), Secret::new("shared key"));
//! let client = Client::builder("https://msg.intspineservices.nhs.uk", credentials)
//!     .identity(TlsIdentity::from_pem(certificate, key)?)
//!     .trust(TrustAnchors::from_pem(ca)?)
//!     .build()?;
//! client.handshake().await?;
//!
//! let practice = MailboxId::parse("YGM24GP1")?;
//! let workflow = WorkflowId::parse("TOC_OUTP_ATT_DMS")?;
//! let message = OutgoingMessage::new(practice, workflow, "<letter/>")?
//!     .with_local_id(LocalId::parse("L0123456789ABCDEF0123")?);
//! match client.send(&message).await {
//!     Ok(id) => println!("accepted as {id}"),
//!     Err(error) if error.disposition() == Disposition::Uncertain => println!("ask: {error}"),
//!     Err(error) => println!("not sent: {error}"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Scope
//!
//! | module | holds |
//! | --- | --- |
//! | `ids`, `code` | [`MessageId`], [`LocalId`], [`ErrorCode`] |
//! | `secret`, `token` | [`Credentials`], [`authorization`] |
//! | `outgoing`, `received`, `tracking` | what is sent, what comes back |
//! | `disposition`, `error` | what failed, and what may be done next |
//! | [`proto`] | requests and readers of answers as plain values |
//! | `client` | `Client` over HTTPS with mutual TLS (feature `client`) |
//!
//! Not here: when to send, poll or try again; what a payload means; storage. Not here yet:
//! sending in chunks, further inbox pages and filters, patient addresses, proxies.
//!
//! A download is complete and checked or it is an error: chunk ranges, lengths, packing and
//! checksums of every part must fit, so that a message which is acknowledged was had whole.
//!
//! # Features
//!
//! `client`: the async client (tokio, reqwest, rustls with ring). It installs no process-wide
//! crypto provider and trusts only the certificates that it is given.

mod code;
mod disposition;
mod error;
mod headers;
mod ids;
mod outgoing;
pub mod proto;
mod received;
mod secret;
mod times;
mod token;
mod tracking;

#[cfg(feature = "client")]
mod client;

#[cfg(feature = "client")]
pub use client::{Client, ClientBuilder, TlsError, TlsIdentity, TrustAnchors};
pub use code::{Advice, ErrorCode};
pub use disposition::{Disposition, Operation};
pub use error::{CertificateFault, Error, Refusal, Result};
pub use ids::{LocalId, MessageId, ParseLocalIdError, ParseMessageIdError};
pub use outgoing::{Misuse, OutgoingMessage, Recipient};
pub use received::{MessageKind, ReceivedMessage, Report};
pub use secret::{Credentials, Secret};
pub use token::{Token, authorization};
pub use tracking::{Endpoint, LocalIdTracking, Tracking, TrackingStatus};
