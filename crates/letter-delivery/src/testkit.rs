//! For those who write a [`Store`](crate::Store) or a [`Transport`](crate::Transport), and for tests
//! of what embeds the engine: a model store, seeded dice, a clock to turn, and one suite of cases
//! for every store. The feature `testkit`; nothing here belongs into a program.
//!
//! ```
//! use letter_delivery::testkit::{ModelStore, Trouble, ready};
//! use letter_delivery::{Commit, SeenMessage, Store as _, StoreError};
//!
//! let store = ModelStore::default();
//! store.set(Trouble::Unavailable);
//! let refused = ready(store.commit(Commit::default()));
//! assert!(matches!(refused, Err(StoreError::Unavailable(_))));
//! ```
//!
//! A store proves itself with [`store_conformance!`](crate::store_conformance): each case becomes
//! a test of its own.

mod clock;
pub mod conformance;
mod dice;
mod model;
mod trouble;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use audit_core::PseudonymKey;
use nhs_types::OdsCode;

use crate::keys::TrustKeys;

pub use clock::TurnedClock;
pub use dice::SeededDice;
pub use model::{ModelPlace, ModelRows, ModelStore, ModelWork};
pub use trouble::Trouble;

/// The value of a future that never waits, such as those of the [`ModelStore`].
///
/// # Panics
///
/// When the future waits.
#[expect(clippy::panic, reason = "a misuse in a test must be seen")]
pub fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a future of a test that must not wait waits"),
    }
}

/// The keys of a trust that does not exist: known to all, so for tests only.
#[expect(
    clippy::missing_panics_doc,
    clippy::expect_used,
    reason = "the code is a constant"
)]
pub fn keys() -> TrustKeys {
    let key = |byte| PseudonymKey::new([byte; 32]);
    let trust = OdsCode::parse("RZZ").expect("an organisation's code");
    TrustKeys::new(trust, key(0xA1), key(0xB2), key(0xC3))
}
