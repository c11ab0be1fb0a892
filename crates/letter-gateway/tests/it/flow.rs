//! How work flows: side by side, in turn, within limits, and to an end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use letter_delivery::{CopyState, Lane, Policy};
use letter_gateway::Space;
use mesh_testserver::{Fault, FaultAction};

use crate::mllp::Line;
use crate::support::letters::{Message, report, report_for};
use crate::support::{PRACTICE, World, trust};

const OTHER: &str = "Y99903GP1";

fn slow(millis: u64) -> FaultAction {
    FaultAction::Delay(Duration::from_millis(millis))
}

async fn soon(what: &str, mut is_true: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if is_true() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never became true that {what}");
}

fn hand_over(world: &World, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let text = report(&format!("D-{number}"), "One");
        world.hand_over(&format!("{number:04}.txt"), text);
    }
}

fn sending(world: &World) -> usize {
    let copies = world.copies();
    let open = copies
        .iter()
        .filter(|copy| copy.state == CopyState::Sending);
    open.count()
}

#[tokio::test]
async fn audit_4_6_a_slow_send_delays_no_other() {
    let world = World::new().await;
    hand_over(&world, 0..40);
    world.scan().await;
    let fault = Fault::new("POST", "*/outbox", slow(20_000));
    world.server.fault(fault);
    let gateway = Arc::clone(&world.gateway);
    let working = tokio::spawn(async move { gateway.work(None).await });
    soon("all others were sent", || {
        world.received(PRACTICE).len() == 39
    })
    .await;
    soon("they are recorded", || sending(&world) == 1).await;
    working.abort();
}

#[tokio::test]
async fn audit_4_6_a_mailbox_has_four_in_flight_and_another_is_not_delayed() {
    let world = World::new().await;
    hand_over(&world, 0..12);
    world.scan().await;
    let fault = Fault::new("POST", "*/outbox", slow(20_000)).times(4);
    world.server.fault(fault);
    let gateway = Arc::clone(&world.gateway);
    let working = tokio::spawn(async move { gateway.work(None).await });
    soon("four are on their way", || sending(&world) == 4).await;
    let practice = "OAK ROAD SURGERY (Y99903)";
    world.hand_over("other.txt", report_for("D-99", "One", practice));
    world.scan().await;
    soon("the other has its letter", || {
        world.received(OTHER).len() == 1
    })
    .await;
    assert_eq!((sending(&world), world.received(PRACTICE).len()), (4, 0));
    working.abort();
}

#[tokio::test]
async fn audit_4_6_a_replay_keeps_its_pace_and_today_does_not_wait_for_it() {
    let world = World::new().await;
    hand_over(&world, 0..5);
    let mut backlog = world.source();
    backlog.lane = Lane::Replay;
    assert_eq!(world.gateway.scan(&backlog).await.unwrap().taken, 5);
    assert_eq!(world.work().await.accepted, 1);
    hand_over(&world, 5..8);
    world.scan().await;
    assert_eq!(world.work().await.accepted, 3, "today has no pace");
    for _ in 0..2 {
        world.pass(chrono::Duration::seconds(59));
        assert_eq!(world.work().await.accepted, 0);
        world.pass(chrono::Duration::seconds(1));
        assert_eq!(world.work().await.accepted, 1, "one a minute");
    }
    let spent = world.copies().iter().map(|copy| copy.spent).sum::<u32>();
    assert_eq!(spent, 0, "what is put off spends nothing");
    world.check();
}

/// Reliability facts 2, rules 7 and 9: what goes on has its time, and then the next run finds it.
#[tokio::test]
async fn a_stop_gives_what_goes_on_its_time_and_then_its_leases_back() {
    let mut world = World::new().await;
    hand_over(&world, 0..3);
    world
        .server
        .fault(Fault::new("POST", "*/outbox", slow(60_000)).times(2));
    let mut run = world.run();
    run.look_every = Duration::from_millis(10);
    run.stop_within = Duration::from_millis(300);
    let stop = soon("two hang and one was sent", || {
        sending(&world) == 2 && world.received(PRACTICE).len() == 1
    });
    let summary = world.gateway.run_until(&run, stop).await.unwrap();
    assert_eq!((summary.accepted, summary.given_back), (1, 2));
    world.restart();
    assert_eq!(world.work().await.claimed, 2, "no lease is left behind");
    let uncertain = |copy: &letter_delivery::CopyRecord| copy.state == CopyState::Uncertain;
    assert_eq!(
        world.copies().iter().filter(|copy| uncertain(copy)).count(),
        2
    );
    for _ in 0..3 {
        world.later(6);
        world.run_once().await;
    }
    assert_eq!(
        world.received(PRACTICE).len(),
        3,
        "nothing lost, nothing twice"
    );
    world.check();
}

#[tokio::test]
async fn a_lease_is_renewed_while_its_work_goes_on() {
    let mut policy = Policy::default();
    policy.lease = chrono::Duration::seconds(3);
    let world = World::with(trust(), policy).await;
    hand_over(&world, 0..1);
    world.scan().await;
    world
        .server
        .fault(Fault::new("POST", "*/outbox", slow(20_000)));
    let gateway = Arc::clone(&world.gateway);
    let working = tokio::spawn(async move { gateway.work(None).await });
    soon("it is being sent", || sending(&world) == 1).await;
    let other = world.another();
    let until = || {
        world
            .store
            .rows()
            .work
            .values()
            .next()
            .and_then(|row| row.lease)
    };
    for _ in 0..2 {
        let held = until().unwrap();
        world.pass(chrono::Duration::seconds(2));
        soon("the lease was renewed", || {
            until().is_some_and(|now| now.1 > held.1)
        })
        .await;
    }
    assert_eq!(
        other.work(None).await.unwrap().claimed,
        0,
        "it is still held"
    );
    assert_eq!(sending(&world), 1);
    working.abort();
}

/// Facts 3.2 d and 4.6 of reliability: no storm of timers, no timer that sleeps, and it is told.
#[tokio::test]
async fn w_clk_a_clock_that_is_set_by_a_day_moves_every_timer_with_it() {
    for by in [chrono::Duration::days(1), chrono::Duration::days(-1)] {
        let world = World::new().await;
        hand_over(&world, 0..3);
        world.scan().await;
        world
            .server
            .fault(Fault::new("POST", "*/outbox", FaultAction::status(429)).times(3));
        assert_eq!(world.work().await.attempts, 3);
        world.set_clock_by(by);
        assert_eq!(world.work().await.attempts, 0, "no storm");
        assert_eq!(world.count("clock.jump"), 1);
        world.later(1);
        assert_eq!(world.work().await.accepted, 3, "none sleeps for a day");
        assert_eq!(world.count("clock.jump"), 1, "it is told once");
        world.check();
    }
}

/// W-DISK and reliability facts 4.4: refused with an answer that says "again later", nothing half
/// written, what was taken goes on, and intake by itself once there is space.
#[tokio::test]
async fn w_disk_intake_is_refused_while_the_disk_is_short_and_sending_goes_on() {
    let free = Arc::new(AtomicU64::new(50));
    let world = World::new().await.with_free(&free);
    hand_over(&world, 0..2);
    world.scan().await;
    let line = Line::open(&world).await;
    hand_over(&world, 2..4);
    let before = world.ledger().len();
    for (percent, space) in [(4, Space::Refusing), (0, Space::Refusing)] {
        free.store(percent, Ordering::Relaxed);
        assert_eq!(world.gateway.space(), space);
        let error = world.gateway.scan(&world.source()).await.unwrap_err();
        assert!(
            error.to_string().contains("% of the disk is free"),
            "{error}"
        );
        assert_eq!(world.files("in").len(), 2, "files stay where they are");
        let answer = line.tell(&Message::new("D-9", "One").bytes()).await;
        assert_eq!(
            answer, "AE CTL0001",
            "source-documents facts 6: a passing fault"
        );
        assert!(world.gateway.may_take().is_err());
    }
    assert_eq!(world.ledger().len(), before, "nothing is half written");
    assert_eq!(world.work().await.accepted, 2, "what was taken goes on");
    free.store(5, Ordering::Relaxed);
    assert_eq!(world.gateway.space(), Space::Critical);
    assert_eq!(world.scan().await.taken, 2, "by itself");
    assert_eq!(
        line.tell(&Message::new("D-9", "One").bytes()).await,
        "AA CTL0001"
    );
    assert_eq!(world.work().await.accepted, 3);
    world.check();
}
