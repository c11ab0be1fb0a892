use mesh_client::{LocalIdTracking, MessageId, Tracking, TrackingStatus};

use super::{CaseResult, Outcome, Target, case, clear, equal, is_true, new_local_id, text};

pub(super) async fn run(target: &Target, results: &mut Vec<CaseResult>) {
    case(
        results,
        "tracking follows a message (section 14)",
        by_id(target),
    )
    .await;
    case(
        results,
        "an unknown message is not tracked (section 14)",
        unknown(target),
    )
    .await;
    case(
        results,
        "a local id is found: none, one, several (section 18)",
        by_local_id(target),
    )
    .await;
}

async fn by_id(target: &Target) -> Outcome {
    let local_id = new_local_id()?;
    let sender = target.sender()?;
    let message = target.message(b"followed")?.with_local_id(local_id.clone());
    let id = sender.send(&message).await.map_err(text)?;
    let waiting = found(sender.track(&id).await.map_err(text)?)?;
    equal("status", &waiting.status, &TrackingStatus::Accepted)?;
    equal("message id", &waiting.message_id, &id)?;
    equal("local id", waiting.local_id.as_ref(), Some(&local_id))?;
    equal(
        "recipient",
        waiting.recipient.as_ref(),
        Some(target.b.mailbox()),
    )?;
    is_true(
        "it was uploaded before it expires",
        waiting.uploaded_at < waiting.expires_at,
    )?;
    clear(target, &id).await?;
    let collected = found(sender.track(&id).await.map_err(text)?)?;
    equal("status", collected.status, TrackingStatus::Acknowledged)
}

fn found(tracking: Option<Tracking>) -> Result<Tracking, String> {
    tracking.ok_or_else(|| "it is not known".to_owned())
}

async fn unknown(target: &Target) -> Outcome {
    let id = MessageId::parse("20200601122152994285_D59900").map_err(text)?;
    let tracking = target.sender()?.track(&id).await.map_err(text)?;
    is_true("it is not known", tracking.is_none())
}

async fn by_local_id(target: &Target) -> Outcome {
    let local_id = new_local_id()?;
    let sender = target.sender()?;
    let before = sender.track_local(&local_id).await.map_err(text)?;
    equal("before", before, LocalIdTracking::NotFound)?;
    let message = target
        .message(b"asked for")?
        .with_local_id(local_id.clone());
    let first = sender.send(&message).await.map_err(text)?;
    match sender.track_local(&local_id).await.map_err(text)? {
        LocalIdTracking::Found(tracking) => {
            equal("message id", &tracking.message_id, &first)?;
            equal("status", tracking.status, TrackingStatus::Accepted)?;
        }
        other => return Err(format!("after one send: {other:?}")),
    }
    let second = sender.send(&message).await.map_err(text)?;
    let after = sender.track_local(&local_id).await.map_err(text)?;
    clear(target, &first).await?;
    clear(target, &second).await?;
    equal("after two sends", after, LocalIdTracking::Several)
}
