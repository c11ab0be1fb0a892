//! Where the planted bugs are planted.

use letter_delivery::{Claimed, Commit, CopyState, SendResult};

use crate::bug::Bug;
use crate::world::World;

/// In a change on its way to the store.
pub(crate) fn plant(world: &mut World, commit: &mut Commit) {
    match world.plan.bug {
        Some(Bug::LeaseNotFenced) => commit.fence = None,
        Some(Bug::EventWithoutWork) if !commit.events.is_empty() && world.dice.chance(20) => {
            commit.work.clear();
        }
        Some(Bug::AnomalyDropped) => drop_anomalies(commit),
        _ => {}
    }
}

fn drop_anomalies(commit: &mut Commit) {
    let dropped: Vec<_> = commit
        .events
        .extract_if(.., |body| body.kind == "anomaly")
        .map(|body| body.stream)
        .collect();
    for stream in dropped {
        let of_stream = commit.copies.iter_mut().filter(|copy| copy.key == stream);
        of_stream.for_each(|copy| copy.events -= 1);
    }
}

/// In what is known when a send begins.
pub(crate) fn look_away(world: &World, mut claimed: Claimed) -> Claimed {
    match (world.plan.bug, &mut claimed.copy) {
        (Some(Bug::OldAfterNew), Some(copy)) => {
            claimed.latest_version = claimed.letter.version;
            copy.supersede_pending = false;
        }
        (Some(Bug::SuppressionNotChecked), Some(copy)) if copy.state == CopyState::Queued => {
            copy.withdraw_pending = false;
            copy.pending = None;
        }
        _ => {}
    }
    claimed
}

/// In what an answer of MESH is taken for.
pub(crate) fn misread(world: &World, result: SendResult) -> SendResult {
    match (world.plan.bug, result) {
        (Some(Bug::ResendWithoutAsking), SendResult::Unknown { code }) => SendResult::Retry {
            after: None,
            code,
            unreachable: true,
        },
        (
            Some(Bug::BreakerSpends),
            SendResult::Retry {
                after,
                code,
                unreachable: true,
            },
        ) => SendResult::Retry {
            after,
            code,
            unreachable: false,
        },
        (_, result) => result,
    }
}
