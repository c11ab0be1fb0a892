//! The store on a real PostgreSQL server.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, outside of test functions"
)]

mod find;
mod port;
mod support;
