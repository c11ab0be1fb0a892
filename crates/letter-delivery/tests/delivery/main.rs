//! The life of letters and copies against a model store.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside of test functions"
)]

#[path = "../support/invariants.rs"]
mod invariants;
#[path = "../support/world.rs"]
mod world;

mod audit;
mod conformance;
mod decisions;
mod intake;
mod machines;
mod orders;
mod prepare;
mod privacy;
mod properties;
mod restore;
mod sending;
mod tracking;
mod uncertain;
mod withdrawal;
