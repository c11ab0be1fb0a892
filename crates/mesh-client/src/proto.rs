//! The protocol without I/O: requests as values, and readers of answers.
//!
//! A program with an HTTP library of its own sends a [`Request`], makes an [`Answer`] of what
//! comes back and hands it to the reader of the operation; the crate's own client does just
//! that. Every reader takes any bytes and never panics.
//!
//! ```
//! use mesh_client::proto::{self, Answer};
//!
//! let body = br#"{"messages": ["20200601122152994285_D59900"]}"#;
//! let answer = Answer::new(200, [("Content-Type", &b"application/json"[..])], body.to_vec());
//! let page = proto::read_inbox(&answer)?;
//! assert_eq!(page.messages.len(), 1);
//! assert_eq!(page.next, None);
//! # Ok::<(), mesh_client::Error>(())
//! ```

mod answer;
mod assembly;
mod damage;
mod gzip;
mod json;
mod problem;
mod request;

pub use answer::{
    Answer, InboxPage, read_acknowledged, read_handshake, read_inbox, read_lookup, read_sent,
    read_tracked, read_tracked_local, refusal,
};
pub use assembly::{Assembly, Step};
pub use damage::Damage;
pub use gzip::{decode_body, decode_gzip};
pub use json::{parse_inbox, parse_lookup, parse_message_id, parse_tracking};
pub use problem::{Problem, parse_problem};
pub use request::{Agent, Method, Request};
