//! Benches of the workspace: how long the work of one letter takes, and of many.
//!
//! `cargo xtask bench` runs them; each file in `benches/` names its question. Our side of
//! `cargo xtask race` is the program `race-mesh`.

mod backlog;

pub use backlog::{Plan, Seen, play};
