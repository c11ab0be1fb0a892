//! The laboratory of crashes: the real program on a real file system is killed, cut off, starved
//! and lied to, and one oracle judges what is left (reliability-and-security facts 4).
//!
//! Each attack does little by itself; `cargo xtask soak` gives it the large numbers.

mod clock;
mod faults;
#[cfg(unix)]
mod full_disk;
mod kills;
#[cfg(unix)]
mod postgres;
mod power;
