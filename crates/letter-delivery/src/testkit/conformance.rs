//! One suite of cases for every [`Store`]: ours, the model, a stranger's.
//!
//! Each case is an async function over a [`Place`]; the caller brings the runtime. The macro
//! [`store_conformance!`](crate::store_conformance) makes a test of each:
//!
//! ```
//! use letter_delivery::testkit::{ModelPlace, ready};
//! letter_delivery::store_conformance!(Some(ModelPlace::default()), ready);
//! # fn main() {}
//! ```

mod answers;
mod changes;
mod contents;
mod desk;
mod feeds;
mod inbound;
mod random;
mod stops;
mod work;

use std::fmt;
use std::future::Future;

use audit_core::StreamKey;

use crate::store::{Store, StoreError};

pub use answers::{
    an_answer_alone_is_a_change, an_answer_is_kept_with_what_it_tells_of_and_its_key_is_used_once,
};
pub use changes::{
    a_commit_with_an_error_in_its_middle_leaves_nothing, a_document_shows_the_letter_that_stands,
    a_letter_goes_its_whole_way_and_every_event_has_its_place,
    a_record_made_from_an_old_one_is_a_conflict, a_stream_that_moved_on_is_a_conflict,
    an_empty_commit_writes_nothing, changes_at_the_same_time_are_all_durable,
    notes_about_the_ledger_get_their_place_from_the_store,
    versions_of_a_document_cannot_overtake_each_other,
};
pub use contents::{
    a_content_comes_back_byte_for_byte_and_to_its_letter_only,
    a_copy_is_found_by_its_message_first_and_by_local_id_then,
    messages_that_were_dealt_with_are_known, what_is_durable_is_there_after_an_end,
    what_was_erased_is_gone_and_its_events_stay,
};
pub use feeds::{a_feed_goes_on_where_it_was, the_ledger_is_read_in_pages_without_gap_or_double};
pub use inbound::{
    a_message_for_the_trust_is_kept_once, a_message_for_the_trust_is_open_until_it_was_handed_over,
};
pub use random::any_order_of_changes_and_ends_verifies;
pub use stops::{
    a_lift_frees_what_is_parked_and_nothing_else, a_stop_set_meanwhile_refuses_the_send,
    stops_are_there_after_an_end_and_have_their_own_numbers,
};
pub use work::{
    a_lease_ends_at_its_time_and_its_old_holder_is_fenced, a_lease_lasts_as_long_as_it_is_renewed,
    a_refused_lease_writes_nothing, audit_3_2_d_timers_keep_their_time_when_the_clock_is_set,
    audit_4_6_a_destination_has_so_many_in_flight, audit_4_6_a_pace_outlives_an_end,
    audit_4_6_lanes_take_turns, nobody_gets_a_piece_of_work_twice,
    the_latest_version_is_the_latest_that_counts,
    work_is_due_at_its_time_and_may_be_pulled_forward,
    work_that_nobody_claimed_has_no_token_that_fits, work_that_waited_longest_comes_first,
};

/// Where the store of one case is: a folder, a schema, a value in memory.
///
/// What a store has beside the port, so that a case can look at what is really there.
pub trait Place {
    /// The store.
    type Store: Store + 'static;

    /// Opens the store: empty the first time, and afterwards with all that is durable. Every
    /// handle before this one was let go.
    fn open(&mut self) -> impl Future<Output = Result<Self::Store, Failure>>;

    /// Every value of every row, in any stable order: equal when nothing was written in between.
    fn rows(&self, store: &Self::Store) -> impl Future<Output = Result<Vec<String>, Failure>>;

    /// The canonical events of a stream, in order. A store whose sequencer follows later waits
    /// for it here.
    fn history(
        &self,
        store: &Self::Store,
        stream: StreamKey,
    ) -> impl Future<Output = Result<Vec<Vec<u8>>, Failure>>;

    /// Verifies ledger and rows with the store's own means.
    fn verify(&self, store: &Self::Store) -> impl Future<Output = Result<(), Failure>>;
}

/// What a case found wrong, or why it could not be tried.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// In words.
    pub fn new(what: impl fmt::Display) -> Self {
        Self(what.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(error)
    }
}

/// How a case ends.
type Outcome = Result<(), Failure>;

/// Makes a test of each case of the conformance suite.
///
/// The first argument makes a new [`Place`](crate::testkit::conformance::Place), as an `Option`:
/// with `None` the counterpart is not present, and the cases are skipped. The second is a function
/// that runs a future to its end. Invoke it in a module of its own.
#[macro_export]
macro_rules! store_conformance {
    ($place:expr, $block_on:path) => {
        $crate::store_conformance!(@each $place, $block_on:
            a_letter_goes_its_whole_way_and_every_event_has_its_place,
            a_commit_with_an_error_in_its_middle_leaves_nothing,
            an_empty_commit_writes_nothing,
            a_stream_that_moved_on_is_a_conflict,
            a_record_made_from_an_old_one_is_a_conflict,
            versions_of_a_document_cannot_overtake_each_other,
            a_document_shows_the_letter_that_stands,
            changes_at_the_same_time_are_all_durable,
            notes_about_the_ledger_get_their_place_from_the_store,
            nobody_gets_a_piece_of_work_twice,
            a_lease_ends_at_its_time_and_its_old_holder_is_fenced,
            a_refused_lease_writes_nothing,
            work_that_nobody_claimed_has_no_token_that_fits,
            work_is_due_at_its_time_and_may_be_pulled_forward,
            work_that_waited_longest_comes_first,
            audit_4_6_lanes_take_turns,
            audit_4_6_a_destination_has_so_many_in_flight,
            audit_4_6_a_pace_outlives_an_end,
            a_lease_lasts_as_long_as_it_is_renewed,
            audit_3_2_d_timers_keep_their_time_when_the_clock_is_set,
            the_latest_version_is_the_latest_that_counts,
            a_stop_set_meanwhile_refuses_the_send,
            a_lift_frees_what_is_parked_and_nothing_else,
            stops_are_there_after_an_end_and_have_their_own_numbers,
            an_answer_is_kept_with_what_it_tells_of_and_its_key_is_used_once,
            an_answer_alone_is_a_change,
            the_ledger_is_read_in_pages_without_gap_or_double,
            a_feed_goes_on_where_it_was,
            a_message_for_the_trust_is_open_until_it_was_handed_over,
            a_message_for_the_trust_is_kept_once,
            messages_that_were_dealt_with_are_known,
            a_copy_is_found_by_its_message_first_and_by_local_id_then,
            a_content_comes_back_byte_for_byte_and_to_its_letter_only,
            what_is_durable_is_there_after_an_end,
            what_was_erased_is_gone_and_its_events_stay,
            any_order_of_changes_and_ends_verifies,
        );
    };
    (@each $place:expr, $block_on:path: $($case:ident,)*) => {
        $(
            #[test]
            fn $case() {
                let Some(place) = $place else {
                    return;
                };
                let case = $crate::testkit::conformance::$case(place);
                if let Err(failure) = $block_on(case) {
                    panic!("{failure}");
                }
            }
        )*
    };
}

fn equal<T: PartialEq + fmt::Debug>(what: &str, got: T, expected: T) -> Outcome {
    if got == expected {
        Ok(())
    } else {
        Err(Failure(format!(
            "{what}: got {got:?}, expected {expected:?}"
        )))
    }
}

fn is_true(what: &str, holds: bool) -> Outcome {
    if holds {
        Ok(())
    } else {
        Err(Failure(format!("not so: {what}")))
    }
}

fn there<T>(what: &str, value: Option<T>) -> Result<T, Failure> {
    value.ok_or_else(|| Failure(format!("missing: {what}")))
}

fn conflict(what: &str, result: Result<(), StoreError>) -> Outcome {
    match result {
        Err(StoreError::Conflict) => Ok(()),
        other => Err(Failure(format!("{what}: got {other:?}, expected Conflict"))),
    }
}

fn fenced(what: &str, result: Result<(), StoreError>) -> Outcome {
    match result {
        Err(StoreError::Fenced) => Ok(()),
        other => Err(Failure(format!("{what}: got {other:?}, expected Fenced"))),
    }
}
