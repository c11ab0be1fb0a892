//! The store on a real PostgreSQL server.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside of test functions"
)]

mod crash;
mod find;
mod open;
mod port;
mod sequencer;
mod support;
mod tamper;
mod tls;
mod workers;
