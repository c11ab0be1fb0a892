//! The store on a real file, driven by the real engine.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside of test functions"
)]

mod attacks;
mod backup;
mod changes;
mod crash;
mod damage;
mod erase;
mod find;
mod full;
mod ledger;
mod load;
mod open;
mod port;
mod random;
mod rebuild;
mod releases;
mod restore;
mod sign;
mod support;
mod tamper;
