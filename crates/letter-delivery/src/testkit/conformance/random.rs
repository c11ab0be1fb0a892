//! Whatever happens in whatever order, the store stays whole.

use chrono::Duration;

use super::desk::Desk;
use super::{Outcome, Place};

/// How many things happen.
const STEPS: usize = 150;
/// How many documents come and come again.
const DOCUMENTS: usize = 8;

/// Documents and their versions, work with every outcome, abandoned claims, reports, ends.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn any_order_of_changes_and_ends_verifies(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 22).await?;
    desk.is_lucky = false;
    for _ in 0..STEPS {
        step(&mut desk).await?;
    }
    desk.assert_clean().await
}

async fn step<P: Place>(desk: &mut Desk<P>) -> Outcome {
    let document = format!("D-{}", desk.dice.below(DOCUMENTS));
    match desk.dice.below(20) {
        0..5 => {
            let text = format!("text {} of {document}", desk.dice.below(4));
            desk.take(&document, &text).await?;
        }
        5..13 => {
            let limit = desk.dice.below(9);
            desk.work(limit).await?;
        }
        // Claims and dies: the work comes back when its lease ends.
        13 => drop(desk.claim(3).await?),
        14..18 => {
            let minutes = desk.dice.between(1, 600);
            desk.now += Duration::minutes(i64::from(minutes));
        }
        18 => desk.report(&document).await?,
        _ => desk.reopen().await?,
    }
    Ok(())
}
