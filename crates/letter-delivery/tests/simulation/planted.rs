//! Every planted bug is found, and by the rule that is meant to find it.

use crate::bug::Bug;
use crate::check::rule;
use crate::plan::LETTERS;
use crate::{SEEDS, play};

/// The first seed that finds the bug must find it by one of these rules.
fn is_found(bug: Bug, rules: &[&str]) {
    let found = (0..SEEDS).find_map(|seed| {
        let (held, _) = play(seed, LETTERS, Some(bug));
        held.err().map(|violation| (seed, violation))
    });
    let Some((seed, violation)) = found else {
        panic!("{bug:?} was not found in {SEEDS} seeds");
    };
    eprintln!("{bug:?} is found by seed {seed}: {violation}");
    assert!(
        rules.contains(&violation.rule),
        "{bug:?} is found by another rule: {violation}"
    );
}

#[test]
fn effect_before_commit() {
    is_found(Bug::EffectBeforeCommit, &[rule::DURABLE_FIRST]);
}

#[test]
fn resend_without_asking() {
    is_found(Bug::ResendWithoutAsking, &[rule::DOUBLE]);
}

#[test]
fn local_id_reused() {
    is_found(Bug::LocalIdReused, &[rule::LOCAL_ID]);
}

#[test]
fn lease_not_fenced() {
    is_found(Bug::LeaseNotFenced, &[rule::FENCED]);
}

#[test]
fn mesh_acknowledged_before_commit() {
    is_found(Bug::MeshAckedBeforeCommit, &[rule::REPORT_KEPT]);
}

#[test]
fn seen_set_skipped() {
    is_found(Bug::SeenSetSkipped, &[rule::MET_ONCE]);
}

#[test]
fn event_without_its_outbox_row() {
    is_found(Bug::EventWithoutWork, &[rule::OPEN_HAS_WORK]);
}

#[test]
fn timer_by_wall_clock() {
    let rules = [rule::DOUBLE, rule::FORGOTTEN, rule::LIVENESS];
    is_found(Bug::TimerByWallClock, &rules);
}

#[test]
fn anomaly_dropped() {
    is_found(Bug::AnomalyDropped, &[rule::REPORT_RECORDED]);
}

#[test]
fn old_version_sent_after_a_new_one() {
    is_found(Bug::OldAfterNew, &[rule::ORDER]);
}

#[test]
fn breaker_spends_attempts() {
    is_found(Bug::BreakerSpends, &[rule::NO_FAILURE_BY_OUTAGE]);
}

#[test]
fn suppression_not_checked_at_send() {
    is_found(Bug::SuppressionNotChecked, &[rule::STOPPED]);
}
