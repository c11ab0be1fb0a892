//! The process may die between any two steps: nothing taken is lost, nothing is sent twice.

use letter_delivery::{CopyState, LetterState};
use mesh_testserver::{Fault, FaultAction};

use crate::support::letters::{Message, report};
use crate::support::{PRACTICE, World};
use letter_delivery::testkit::Trouble;

/// More than the commits that one letter's way takes.
const COMMITS: usize = 14;

#[tokio::test]
async fn a_death_at_any_commit_leaves_each_letter_once_at_the_practice() {
    let mut died = 0;
    for after in 0..COMMITS {
        let mut world = World::new().await;
        world.hand_over("a.txt", report("D-1", "One"));
        world.hand_over("b.hl7", Message::new("D-2", "Two").bytes());
        world.store.set(Trouble::DiesAfter(after));
        let run = world.run();
        let ended = world.gateway.run_once(&run).await;
        let failed = ended.is_err() || ended.is_ok_and(|summary| summary.failed > 0);
        died += usize::from(failed);
        world.store.set(Trouble::None);
        world.restart();
        // A lease runs out; a doubt is asked about after a minute.
        for _ in 0..6 {
            world.later(6);
            world.run_once().await;
        }
        let message = format!("after {after} commits");
        assert_eq!(world.letters().len(), 2, "{message}");
        assert_eq!(world.received(PRACTICE).len(), 2, "{message}");
        assert!(
            world
                .copies()
                .iter()
                .all(|copy| copy.state == CopyState::Accepted),
            "{message}"
        );
        assert_eq!(world.files("in").len(), 0, "{message}");
        world.check();
    }
    assert!(died >= 6, "the process died on its way {died} times");
}

#[tokio::test]
async fn issue_4_4_a_lost_answer_makes_one_message_and_a_ledger_that_says_so() {
    let world = World::new().await;
    world.hand_over("a.txt", report("D-1", "One"));
    world
        .server
        .fault(Fault::new("POST", "*/outbox", FaultAction::DropAfter));
    let summary = world.run_once().await;
    assert_eq!(
        (summary.attempts, summary.accepted, summary.uncertain),
        (1, 0, 1)
    );
    assert_eq!(world.copy().state, CopyState::Uncertain);
    world.later(1);
    world.run_once().await;
    assert_eq!(world.copy().state, CopyState::Accepted);
    assert_eq!(world.received(PRACTICE).len(), 1);
    assert_eq!(
        (world.count("send.unknown"), world.count("send.found")),
        (1, 1)
    );
    world.check();
}

#[tokio::test]
async fn a_cancellation_during_a_send_loses_neither_the_answer_nor_itself() {
    let world = World::new().await;
    let letter = Message::new("D-1", "One");
    world.hand_over("a.hl7", letter.bytes());
    world.scan().await;
    let slow = FaultAction::Delay(std::time::Duration::from_millis(400));
    world.server.fault(Fault::new("POST", "*/outbox", slow));
    let gateway = std::sync::Arc::clone(&world.gateway);
    let sending = tokio::spawn(async move { gateway.work(None).await.unwrap() });
    while world.copies().first().map(|copy| copy.state) != Some(CopyState::Sending) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let mut cancel = Message::new("D-1", "");
    (cancel.event, cancel.availability) = ("T11", "CA");
    world.hand_over("b.hl7", cancel.bytes());
    assert_eq!(world.scan().await.taken, 1);
    assert_eq!(sending.await.unwrap().accepted, 1);
    assert_eq!(world.copy().state, CopyState::WithdrawalDue);
    assert!(world.copy().message_id.is_some());
    world.check();
}

#[tokio::test]
async fn a_version_that_overtakes_a_queued_one_goes_alone() {
    let world = World::new().await;
    world
        .server
        .fault(Fault::new("POST", "*/outbox", FaultAction::status(429)));
    world.hand_over("a.hl7", Message::new("D-1", "One").bytes());
    world.run_once().await;
    assert_eq!(world.received(PRACTICE).len(), 0);
    world.hand_over("b.hl7", Message::new("D-1", "Two").bytes());
    for _ in 0..3 {
        world.later(30);
        world.run_once().await;
    }
    assert_eq!(world.received(PRACTICE).len(), 1);
    let states: Vec<_> = world.letters().iter().map(|letter| letter.state).collect();
    assert!(states.contains(&LetterState::Routed), "{states:?}");
    world.check();
}
