//! What a source was told about a hand-over, so that it can be told the same again.

use chrono::{DateTime, Utc};

/// An answer to a hand-over, kept under the key that its source gave.
///
/// It is written with what it tells of, or not at all. Key and content are keyed digests; the body
/// says nothing about a patient.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HandOverAnswer {
    /// The key, from [`TrustKeys::hand_over`](crate::TrustKeys::hand_over).
    pub key: [u8; 32],
    /// The fingerprint of what was handed over, from
    /// [`TrustKeys::content`](crate::TrustKeys::content).
    pub content: [u8; 32],
    /// The answer's code, as its protocol counts.
    pub status: u16,
    /// The answer.
    pub body: String,
    /// When it was given.
    pub at: DateTime<Utc>,
}

impl HandOverAnswer {
    /// An answer.
    pub const fn new(
        key: [u8; 32],
        content: [u8; 32],
        status: u16,
        body: String,
        at: DateTime<Utc>,
    ) -> Self {
        Self {
            key,
            content,
            status,
            body,
            at,
        }
    }
}
