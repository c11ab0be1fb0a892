use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

/// A request that the server got, with its token: mailboxes and keys of tests only.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LoggedRequest {
    /// When, by the server's clock.
    pub at: DateTime<Utc>,
    /// The method.
    pub method: String,
    /// The path, as it came.
    pub path: String,
    /// The query, as it came, or nothing.
    pub query: String,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Length of the body.
    pub body_bytes: usize,
    /// Status of the answer; 0 when the connection was closed instead.
    pub status: u16,
}

impl LoggedRequest {
    /// The value of `Authorization`.
    pub fn token(&self) -> Option<&str> {
        self.headers.get("authorization").map(String::as_str)
    }
}
