//! Design rule 8: a shared mailbox; and nothing is acknowledged before it is durable.

use letter_delivery::{CopyState, StoreError};
use letter_gateway::GatewayError;
use mesh_testserver::{Fault, FaultAction, ReportNotice};

use crate::support::letters::report;
use crate::support::{PRACTICE, TRUST, WORKFLOW, World, mailbox, workflow};
use letter_delivery::testkit::Trouble;

impl World {
    async fn sent(number: &str) -> Self {
        let world = Self::new().await;
        world.hand_over("a.txt", report(number, "Rest"));
        world.scan().await;
        assert_eq!(world.work().await.accepted, 1);
        world
    }

    fn inbox(&self) -> usize {
        self.received(TRUST).len()
    }

    async fn poll(&self) -> (usize, usize, usize) {
        let polled = self.gateway.poll().await.unwrap();
        (polled.reports, polled.left_alone, polled.failed)
    }
}

#[tokio::test]
async fn mesh_api_13_a_report_about_our_send_is_recorded_then_acknowledged() {
    let world = World::sent("D-1").await;
    let sent = world.received(PRACTICE)[0].id.clone();
    world.server.undeliverable(&sent).unwrap();
    world.store.set(Trouble::Unavailable);
    let error = world.gateway.poll().await.unwrap_err();
    assert!(matches!(
        error,
        GatewayError::Store(StoreError::Unavailable(_))
    ));
    assert_eq!(world.inbox(), 1, "not durable, so not acknowledged");
    world.store.set(Trouble::None);
    assert_eq!(world.poll().await, (1, 0, 0));
    assert_eq!(world.inbox(), 0);
    let copy = world.copy();
    assert_eq!(
        (copy.state, copy.reason.as_deref()),
        (CopyState::Returned, Some("mesh-14"))
    );
    world.check();
}

#[tokio::test]
async fn mesh_api_13_a_report_is_matched_by_its_local_id_where_the_message_is_not_known() {
    let world = World::new().await;
    world.hand_over("a.txt", report("D-1", "Rest"));
    world.scan().await;
    world
        .server
        .fault(Fault::new("POST", "*/outbox", FaultAction::DropAfter));
    assert_eq!(world.work().await.uncertain, 1);
    assert_eq!(world.copy().state, CopyState::Uncertain);
    let sent = world.received(PRACTICE)[0].id.clone();
    world.server.undeliverable(&sent).unwrap();
    assert_eq!(world.poll().await, (1, 0, 0));
    assert_eq!(world.copy().state, CopyState::Returned);
    world.check();
}

#[tokio::test]
async fn rule_8_what_is_not_ours_is_left_alone_noted_once_and_counted_each_time() {
    let world = World::sent("D-1").await;
    let (stranger, ours) = (mailbox("STRANGER1"), mailbox(TRUST));
    let letter = vec![b"a letter of another system".to_vec()];
    world
        .server
        .deliver(&stranger, &ours, &workflow(WORKFLOW), letter);
    world
        .server
        .report(&ours, ReportNotice::new("14", "of another system's send"));
    for _ in 0..3 {
        assert_eq!(world.poll().await, (0, 2, 0));
        assert_eq!(world.inbox(), 2);
    }
    assert_eq!(world.count("inbox.left_alone"), 1);
    assert_eq!(world.count("inbox.report_unmatched"), 1);
    let downloads = world.server.log();
    let downloads = downloads.iter().filter(|one| one.path.contains("/inbox/"));
    assert_eq!(downloads.count(), 2, "each is looked at once");
}

#[tokio::test]
async fn an_acknowledgement_that_failed_is_made_again_and_the_report_counted_once() {
    let world = World::sent("D-1").await;
    let sent = world.received(PRACTICE)[0].id.clone();
    world.server.undeliverable(&sent).unwrap();
    world
        .server
        .fault(Fault::new("PUT", "*/inbox/*", FaultAction::status(503)));
    assert_eq!(world.poll().await, (1, 0, 1));
    assert_eq!(world.inbox(), 1);
    assert_eq!(world.poll().await, (0, 0, 0));
    assert_eq!(
        (world.inbox(), world.count("transport.undelivered")),
        (0, 1)
    );
}

#[tokio::test]
async fn a_message_that_cannot_be_had_or_recorded_keeps_nobody_waiting() {
    let world = World::sent("D-1").await;
    let sent = world.received(PRACTICE)[0].id.clone();
    world.server.report(
        &mailbox(TRUST),
        ReportNotice::new("14", "of another system's send"),
    );
    world.server.undeliverable(&sent).unwrap();
    world
        .server
        .fault(Fault::new("GET", "*/inbox/*", FaultAction::status(500)));
    assert_eq!(world.poll().await, (1, 0, 1));
    world.store.set(Trouble::Conflicts(1));
    assert_eq!(world.poll().await, (0, 0, 1));
    assert_eq!(world.poll().await, (0, 1, 0));
}
