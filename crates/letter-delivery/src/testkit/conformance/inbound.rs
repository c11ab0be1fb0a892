//! Messages for the trust are kept until they were handed over, and known for ever.

use super::desk::{Desk, MAILBOX};
use super::{Failure, Outcome, Place, conflict, equal, is_true, there};
use crate::engine::Arrival;
use crate::inbound::InboundRecord;
use crate::state::InboundState;
use crate::store::Store as _;

const WORKFLOW: &str = "TOC_DISCH_DMS";

async fn arrive<P: Place>(desk: &mut Desk<P>, id: &str) -> Outcome {
    let content = format!("content of {id}").into_bytes();
    let arrival = Arrival::new(MAILBOX, id, WORKFLOW, content);
    let commit = desk.engine.arrived(desk.now, arrival, false);
    Ok(desk.store()?.commit(commit).await?)
}

async fn stands<P: Place>(desk: &Desk<P>, id: &str) -> Result<InboundRecord, Failure> {
    let key = desk.engine.inbound_key(MAILBOX, id);
    there("the message", desk.store()?.inbound(key).await?)
}

async fn open<P: Place>(desk: &Desk<P>) -> Result<Vec<String>, Failure> {
    let open = desk.store()?.inbound_open(10).await?;
    Ok(open.into_iter().map(|one| one.message_id).collect())
}

/// Its content, its state and when it is tried next outlive the process.
///
/// # Errors
///
/// [`Failure`].
pub async fn a_message_for_the_trust_is_open_until_it_was_handed_over(
    place: impl Place,
) -> Outcome {
    let mut desk = Desk::new(place, 60).await?;
    for id in ["M-1", "M-2", "M-3"] {
        arrive(&mut desk, id).await?;
        desk.now += chrono::Duration::seconds(1);
    }
    desk.reopen().await?;
    let first = stands(&desk, "M-1").await?;
    let content = desk.store()?.payload(first.key, first.content).await?;
    equal("content", content, b"content of M-1".to_vec())?;
    let later = desk.engine.hand_over_later(desk.now, first.clone());
    desk.store()?.commit(later).await?;
    let second = stands(&desk, "M-2").await?;
    let refused = desk.engine.hand_over_refused(desk.now, second, "AR");
    desk.store()?.commit(refused).await?;
    desk.reopen().await?;
    equal(
        "open, held ones last",
        open(&desk).await?,
        ["M-3", "M-1", "M-2"].map(str::to_owned).to_vec(),
    )?;
    equal("tries", stands(&desk, "M-1").await?.tries, 1)?;

    let third = stands(&desk, "M-3").await?;
    let over = desk.engine.handed_over(desk.now, third.clone(), "epr");
    desk.store()?.commit(over).await?;
    equal(
        "state",
        stands(&desk, "M-3").await?.state,
        InboundState::HandedOver,
    )?;
    equal(
        "open",
        open(&desk).await?,
        ["M-1", "M-2"].map(str::to_owned).to_vec(),
    )?;
    let ids = vec!["M-3".to_owned(), "M-1".to_owned()];
    let known = desk.store()?.seen(MAILBOX.to_owned(), ids).await?;
    equal("may be acknowledged", known, vec![Some(true), None])?;

    let stale = desk.engine.handed_over(desk.now, third, "epr");
    conflict("from an old record", desk.store()?.commit(stale).await)?;
    let unknown = desk.engine.inbound_key(MAILBOX, "M-9");
    is_true("unknown", desk.store()?.inbound(unknown).await?.is_none())?;
    desk.assert_clean().await
}

/// Who meets a message a second time writes nothing.
///
/// # Errors
///
/// [`Failure`].
pub async fn a_message_for_the_trust_is_kept_once(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 61).await?;
    arrive(&mut desk, "M-1").await?;
    let before = desk.rows().await?;
    let arrival = Arrival::new(MAILBOX, "M-1", WORKFLOW, b"again".to_vec());
    let commit = desk.engine.arrived(desk.now, arrival, false);
    conflict("again", desk.store()?.commit(commit).await)?;
    equal("rows", desk.rows().await?, before)?;
    desk.assert_clean().await
}
