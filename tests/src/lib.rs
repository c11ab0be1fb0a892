//! The stage for tests of the whole program: a folder with everything a trust sets up, a MESH, and
//! `letterbox` as a process of its own.
//!
//! ```no_run
//! # async fn show() {
//! use letterbox_tests::{Letter, Mesh, Site};
//!
//! let mesh = Mesh::start().await;
//! let site = Site::new(&mesh);
//! site.hand_over(&Letter::new(1));
//! assert_eq!(site.letterbox(&["run", "--once"]).code, Some(0));
//! # }
//! ```
//!
//! # Scope
//!
//! | module | holds |
//! | --- | --- |
//! | `program` | [`Outcome`], [`Running`]: the built program, started with a time limit |
//! | `mesh` | [`Mesh`]: what a site must know of a MESH service; the test server or the sandbox |
//! | `site` | [`Site`]: configuration, secrets, certificates, folders, practice table |
//! | `letter` | [`Letter`]: valid letters as report text, HL7 messages and Word files |
//! | `ledger` | [`Ledger`]: what a site's store says, through the store's own API |
//! | `dice` | [`Dice`]: random numbers from a seed that is printed |
//! | `source`, `acks` | [`Source`]: a record system that remembers what it was told; [`Acks`] |
//! | `siege`, `verdict` | [`Siege`]: a site under attack, and the one oracle of all attacks |
//! | `disk` | [`MemoryDisk`], [`ImageDisk`]: disks that fill up, disks whose power is cut |
//! | `strace` | [`Injection`]: the program with system calls that fail |
//! | `clock` | [`FakeClock`]: a clock that is moved while the program runs |
//! | `budget` | [`Budget`]: how much a test does, and where its figures go |
//!
//! The program is `target/<profile>/letterbox` beside the test that runs; when it is missing, or
//! older than a source it was built from, `cargo build -p letterbox` is run first. `LETTERBOX_PROGRAM` names another one to
//! test. A fault of the
//! stage is a failed test, so everything here panics instead of returning errors.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "the stage of tests: what goes wrong here is a failed test"
)]

mod acks;
mod budget;
mod clock;
mod dice;
mod disk;
mod ledger;
mod letter;
mod mesh;
mod program;
mod siege;
mod site;
mod source;
mod strace;
mod verdict;

pub use acks::Acks;
pub use budget::Budget;
pub use clock::FakeClock;
pub use dice::Dice;
pub use disk::{ImageDisk, MemoryDisk};
pub use ledger::{Ledger, Way};
pub use letter::{Letter, nhs_number};
pub use mesh::Mesh;
pub use program::{Outcome, Running, letterbox};
pub use siege::{Siege, Verdict};
pub use site::{Plan, Site, TrustPlan};
pub use source::{Source, free_address};
pub use strace::{Injection, can_inject};
pub use verdict::Wrong;
