//! Once and for ever: a run ends, tells what it did, and recovers.

use std::time::Duration;

use letter_delivery::CopyState;
use letter_gateway::{Mllp, Run};
use mesh_testserver::{Fault, FaultAction};

use crate::support::letters::{Message, draft, report, report_for};
use crate::support::{PRACTICE, TRUST, World, mailbox};
use letter_delivery::testkit::Trouble;

async fn soon(what: &str, mut is_true: impl FnMut() -> bool) {
    for _ in 0..600 {
        if is_true() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never became true that {what}");
}

#[tokio::test]
async fn a_single_run_takes_sends_and_shows_what_was_collected() {
    let world = World::new().await;
    world.hand_over("a.txt", report("D-1", "One"));
    world.hand_over(
        "b.txt",
        report_for("D-2", "Two", "THE BRIDGE SURGERY (Y99902)"),
    );
    world.hand_over("c.txt", draft("D-3"));
    world.hand_over("d.txt", "");
    let summary = world.run_once().await;
    assert_eq!((summary.taken, summary.refused, summary.held), (4, 1, 1));
    assert_eq!(
        (summary.attempts, summary.accepted, summary.mesh_fault),
        (1, 1, None)
    );
    world.server.collect(&mailbox(PRACTICE));
    world.later(1);
    world.run_once().await;
    assert_eq!(world.copy().state, CopyState::Collected);
    world.check();
}

#[tokio::test]
async fn a_single_run_waits_a_moment_for_files_that_were_just_put_there() {
    let world = World::new().await.still_for(Duration::from_millis(80));
    world.hand_over("a.txt", report("D-1", "One"));
    let summary = world.run_once().await;
    assert_eq!(
        (summary.taken, summary.waiting, summary.accepted),
        (1, 0, 1)
    );
}

#[tokio::test]
async fn issue_without_mesh_documents_are_taken_and_the_next_run_sends_them() {
    for answer in [
        FaultAction::status(503),
        FaultAction::status_with_body(200, "<html>Sign in</html>"),
        FaultAction::DropBefore,
    ] {
        let world = World::new().await;
        world.hand_over("a.txt", report("D-1", "One"));
        world
            .server
            .fault(Fault::new("*", "*", answer.clone()).always());
        let summary = world.run_once().await;
        assert_eq!((summary.taken, summary.attempts), (1, 0), "{answer:?}");
        assert!(summary.mesh_fault.is_some());
        world.server.clear_faults();
        assert_eq!(world.run_once().await.accepted, 1);
    }
}

#[tokio::test]
async fn audit_4_4_the_breaker_opens_after_five_and_letters_keep_their_attempts() {
    let world = World::new().await;
    for number in 0..20 {
        world.hand_over(
            &format!("{number:02}.txt"),
            report(&format!("D-{number}"), "One"),
        );
    }
    world
        .server
        .fault(Fault::new("POST", "*/outbox", FaultAction::DropBefore).always());
    let summary = world.run_once().await;
    assert_eq!(summary.taken, 20);
    assert!((5..=16).contains(&summary.attempts), "{summary:?}");
    assert!(summary.mesh_fault.unwrap().contains("does not answer"));
    let queued = world
        .copies()
        .iter()
        .filter(|copy| copy.attempts == 0)
        .count();
    assert!(queued >= 4);
    world.server.clear_faults();
    for _ in 0..8 {
        world.later(10);
        world.run_once().await;
    }
    assert_eq!(world.received(PRACTICE).len(), 20);
    world.check();
}

#[tokio::test]
async fn work_that_is_put_off_is_not_done_again_in_the_same_run() {
    let world = World::new().await;
    world
        .server
        .fault(Fault::new("POST", "*/outbox", FaultAction::status(429)).always());
    world.hand_over("a.txt", report("D-1", "One"));
    let ended = tokio::time::timeout(Duration::from_secs(20), world.run_once());
    assert_eq!(ended.await.unwrap().attempts, 1);
    let asked = Fault::new("GET", "*/outbox/tracking*", FaultAction::status(503)).always();
    world.server.fault(asked);
    let ended = tokio::time::timeout(Duration::from_secs(20), world.run_once());
    assert_eq!(ended.await.unwrap().attempts, 0);
}

#[tokio::test]
async fn wrong_settings_of_ours_stop_the_sending_and_spend_no_letter() {
    let world = World::new().await;
    world.hand_over("a.txt", report("D-1", "One"));
    world
        .server
        .fault(Fault::new("POST", "*/outbox", FaultAction::status(403)));
    let summary = world.run_once().await;
    assert_eq!((summary.attempts, summary.accepted), (1, 0));
    let copy = world.copy();
    assert_eq!((copy.state, copy.spent), (CopyState::Queued, 0));
    assert!(summary.mesh_fault.is_some());
}

#[tokio::test]
async fn work_that_breaks_off_is_told_and_looked_at_anew_when_its_lease_ran_out() {
    let world = World::new().await;
    world.hand_over("a.txt", report("D-1", "One"));
    world.scan().await;
    world.store.set(Trouble::Breaks);
    let summary = world.run_once().await;
    assert_eq!((summary.broken, summary.accepted), (1, 0));
    world.store.set(Trouble::None);
    assert_eq!(world.run_once().await.accepted, 0, "the lease still runs");
    world.later(3);
    assert_eq!(world.run_once().await.accepted, 1);
    world.check();
}

/// A run that goes on, in a hurry.
fn hurry(world: &World) -> Run {
    let mut run = world.run();
    run.look_every = Duration::from_millis(10);
    run.poll_every = Duration::from_millis(10);
    run
}

async fn run_while<F: Future<Output = ()>>(world: &World, run: &Run, during: F) {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = world.gateway.run_until(run, async {
        let _ = stopped.await;
    });
    let during = async {
        during.await;
        let _ = stop.send(());
    };
    let (ended, ()) = tokio::join!(running, during);
    ended.unwrap();
}

#[tokio::test]
async fn a_run_takes_from_folder_and_mllp_until_it_is_stopped() {
    let world = World::new().await;
    let mut run = hurry(&world);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    run.listeners = vec![Mllp::new("tie", address)];
    run_while(&world, &run, async {
        world.hand_over("a.txt", report("D-1", "One"));
        soon("the first letter arrived", || {
            world.received(PRACTICE).len() == 1
        })
        .await;
        let frame = clinical_letter::encode_frame(&Message::new("D-2", "Two").bytes());
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, &frame)
            .await
            .unwrap();
        soon("the second letter arrived", || {
            world.received(PRACTICE).len() == 2
        })
        .await;
    })
    .await;
    assert!(
        tokio::net::TcpStream::connect(address).await.is_err(),
        "the listener is closed"
    );
    world.check();
}

#[tokio::test]
async fn after_a_fault_of_mesh_a_run_greets_it_again_soon_and_goes_on() {
    let world = World::new().await;
    let run = hurry(&world);
    let inbox = format!("/messageexchange/{TRUST}/inbox");
    run_while(&world, &run, async {
        world.hand_over("a.txt", report("D-1", "One"));
        soon("the first letter arrived", || {
            world.received(PRACTICE).len() == 1
        })
        .await;
        world
            .server
            .fault(Fault::new("GET", &inbox, FaultAction::status(503)));
        let failed = || world.server.log().iter().any(|one| one.status == 503);
        for _ in 0..20 {
            world.later(1);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        soon("the poll failed", failed).await;
        world.hand_over("b.txt", report("D-2", "Two"));
        for _ in 0..20 {
            world.later(1);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        soon("the second letter arrived", || {
            world.received(PRACTICE).len() == 2
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_stop_ends_a_backlog_after_what_was_begun() {
    let world = World::new().await;
    for number in 0..40 {
        world.hand_over(
            &format!("{number:02}.txt"),
            report(&format!("D-{number}"), "One"),
        );
    }
    let slow = FaultAction::Delay(Duration::from_millis(100));
    world
        .server
        .fault(Fault::new("POST", "*/outbox", slow).always());
    let run = hurry(&world);
    run_while(&world, &run, async {
        soon("sending began", || !world.received(PRACTICE).is_empty()).await;
    })
    .await;
    let sent = world.received(PRACTICE).len();
    assert!((1..40).contains(&sent), "{sent} were sent");
    assert!(
        world
            .copies()
            .iter()
            .all(|copy| copy.state != CopyState::Sending)
    );
    assert_eq!(
        world.run_once().await.accepted,
        40 - sent,
        "the next run finds the rest"
    );
}

#[tokio::test]
async fn a_run_that_cannot_begin_says_so() {
    let world = World::new().await;
    let mut run = hurry(&world);
    run.folders[0].inbox = world.path("missing");
    let ended = world.gateway.run_until(&run, std::future::pending()).await;
    assert!(ended.unwrap_err().to_string().contains("missing"));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut run = hurry(&world);
    run.listeners = vec![Mllp::new("tie", taken.local_addr().unwrap())];
    let ended = world.gateway.run_until(&run, std::future::pending()).await;
    assert!(ended.unwrap_err().to_string().contains("cannot listen"));
}

/// What is taken while the clock is wrong is due when it was taken, not when the clock says so
/// again: a forward jump that is noticed late must not put it off, nor a jump back.
#[tokio::test]
async fn w_clk_a_letter_taken_while_the_clock_is_wrong_waits_for_no_day() {
    let day = chrono::Duration::days(1);
    for (first, second) in [(day, -day), (-day, day)] {
        let world = World::new().await;
        world.work().await;
        world.set_clock_by(first);
        world.hand_over("a.txt", report("D-1", "One"));
        world.scan().await;
        assert_eq!(world.count("clock.jump"), 1);
        world.set_clock_by(second);
        world.work().await;
        assert_eq!(world.count("clock.jump"), 2);
        assert_eq!(world.received(PRACTICE).len(), 1, "{first}");
        world.check();
    }
}

#[tokio::test]
async fn w_clk_a_letter_taken_right_after_a_jump_is_not_moved_with_the_timers() {
    let world = World::new().await;
    world.work().await;
    world.set_clock_by(chrono::Duration::days(1));
    world.hand_over("a.txt", report("D-1", "One"));
    world.scan().await;
    world.work().await;
    assert_eq!(world.count("clock.jump"), 1);
    assert_eq!(world.received(PRACTICE).len(), 1);
    world.check();
}
