//! The port to whatever carries messages.

use std::future::Future;

use crate::keys::LocalId;
use crate::outcome::{AskResult, SendResult, TrackResult};
use crate::record::Address;

/// A message to carry.
#[derive(Clone)]
#[non_exhaustive]
pub struct Outbound {
    /// Where to.
    pub address: Address,
    /// The id to ask by when the answer is lost.
    pub local_id: LocalId,
    /// What kind of bytes.
    pub content_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Outbound {
    /// A message to carry.
    pub const fn new(
        address: Address,
        local_id: LocalId,
        content_type: String,
        bytes: Vec<u8>,
    ) -> Self {
        Self {
            address,
            local_id,
            content_type,
            bytes,
        }
    }
}

impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbound")
            .field("local_id", &self.local_id)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Carries messages; it says what is known of each, and never guesses.
pub trait Transport: Send + Sync {
    /// Makes one attempt. It never repeats one by itself.
    fn send(&self, message: Outbound) -> impl Future<Output = SendResult> + Send;

    /// Asks whether a message with this local id was taken.
    fn ask(&self, local_id: LocalId) -> impl Future<Output = AskResult> + Send;

    /// Asks what became of a message that was taken.
    fn track(&self, message_id: String) -> impl Future<Output = TrackResult> + Send;
}
