//! Canonical event bytes, version 1 (audit-and-delivery 5.1): restricted JSON with one form only.

mod read;
mod reader;
mod sink;
mod write;

pub(crate) use read::{Form, Scanned, scan};
pub(crate) use sink::{Skip, Tree};
pub(crate) use write::write;

/// What `,"prev":"<64 digits>","seq":<16 digits>` adds to a body.
pub(crate) const POSITION_BYTES_MAX: usize = 74 + 23;

/// Why `actor` and `type` must look as they do; shared by writer and reader.
pub(crate) const ACTOR: &str = "`svc:<name>` or `user:<pseudonym>`";
pub(crate) const KIND: &str = "a type that is not empty";

pub(crate) fn is_actor(text: &str) -> bool {
    text.strip_prefix("svc:")
        .or_else(|| text.strip_prefix("user:"))
        .is_some_and(|name| !name.is_empty())
}
