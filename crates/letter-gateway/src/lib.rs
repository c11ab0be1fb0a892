//! The pipeline of a letter as a library: intake, routing, shaping, sending over MESH, following
//! up.
//!
//! A [`Gateway`] carries the letters of one trust. It takes documents from a [`Folder`] or over
//! MLLP, reads them, decides which practice gets them, shapes them for its GP system, sends them,
//! and asks what became of them. It executes what the engine of `letter-delivery` decides; every
//! step is durable before the next one shows.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use letter_delivery::{Engine, Policy, Store};
//! use letter_gateway::{Gateway, Mesh, Run, SystemClock, SystemEntropy, Trust};
//!
//! # async fn example<S: Store + 'static>(
//! #     trust: Trust, store: Arc<S>, keys: letter_delivery::TrustKeys, client: mesh_client::Client,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::new(keys, Policy::default(), Box::new(SystemEntropy::default()));
//! let gateway =
//!     Arc::new(Gateway::new(trust, store, engine, Mesh::new(client), Arc::new(SystemClock)));
//! let mut run = Run::default();
//! run.folders = vec![letter_gateway::Folder::new("epr", "/srv/letters/in")];
//! let summary = gateway.run_once(&run).await?;
//! println!("{} documents taken, {} letters accepted", summary.taken, summary.accepted);
//! # Ok(())
//! # }
//! ```
//!
//! # Scope
//!
//! | module | holds |
//! | --- | --- |
//! | `trust` | [`Trust`]: one trust's settings, as values |
//! | `gateway` | [`Gateway`], [`GatewayError`] |
//! | `reader`, `take` | reading and intake of one hand-over: [`Receipt`] |
//! | `folder`, `mllp`, `http` | where documents come from: [`Folder`], [`Mllp`], [`Http`] |
//! | `witness` | a witness of the ledger, asked over HTTP: [`WitnessAddress`] |
//! | `feed` | sources are told what became of their letters: [`Feed`] |
//! | `inbound` | what others send to the trust is handed to its own system: [`InboundRoute`] |
//! | `status` | where a letter is: [`StatusLine`] |
//! | `prepare` | routing, lookups and shaping |
//! | `work` | the engine's orders, carried out side by side |
//! | `mesh`, `directory`, `inbox` | MESH as transport, as directory, and what lies in the mailbox |
//! | `run` | [`Run`], once or for ever |
//! | `measure` | what is counted, by the `metrics` facade: [`describe_metrics`] |
//! | `shell` | the operating system's clock and randomness |
//! | `space` | [`SpaceLimits`]: no intake while the disk is short |
//!
//! Not here: SQL, configuration files, the process' environment.

mod accept;
mod directory;
mod feed;
mod folder;
mod gateway;
mod http;
mod inbound;
mod inbox;
mod measure;
mod mesh;
mod mllp;
mod prepare;
mod reader;
mod run;
mod shell;
mod space;
mod status;
mod take;
mod trust;
mod witness;
mod work;

pub use feed::{Begin, Feed, FeedError, OutcomeLine, Receiver, Told, Webhook, WebhookError};
pub use folder::{Folder, Scanned};
pub use gateway::{Gateway, GatewayError};
pub use http::{Entry, EntryError, Http};
pub use inbound::{Acknowledge, InboundRoute};
pub use inbox::Polled;
pub use measure::describe_metrics;
pub use mesh::Mesh;
pub use mllp::Mllp;
pub use run::{Run, Summary};
pub use shell::{Clock, SystemClock, SystemEntropy};
pub use space::{Space, SpaceLimits};
pub use status::StatusLine;
pub use take::{OnReject, Receipt};
pub use trust::Trust;
pub use witness::WitnessAddress;
pub use work::Worked;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
