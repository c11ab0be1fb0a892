//! Bad weather on the wire: every letter stays where the next run finds it, and none arrives twice.

use std::thread::sleep;
use std::time::Duration;

use letterbox_tests::{Letter, Mesh, Site, Way};
use mesh_testserver::{Fault, FaultAction};

const PRACTICE: &str = "YGM24GP1";

fn outbox(action: FaultAction) -> Fault {
    Fault::new("POST", "*/outbox", action)
}

fn everything(action: FaultAction) -> Fault {
    Fault::new("*", "*", action).always()
}

fn html() -> FaultAction {
    FaultAction::Replace {
        status: None,
        headers: vec![("content-type".to_owned(), Some("text/html".to_owned()))],
        body: Some(b"<html><body>Service interruption</body></html>".to_vec()),
    }
}

fn html_without_effect() -> FaultAction {
    FaultAction::Status {
        status: 200,
        headers: vec![("content-type".to_owned(), "text/html".to_owned())],
        body: b"<html><body>Please log in</body></html>".to_vec(),
    }
}

/// Issue "What must be shown" 4.
#[tokio::test(flavor = "multi_thread")]
async fn design_5_2_an_answer_that_is_lost_leaves_one_message_uncertain_then_found() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    mesh.server().fault(outbox(FaultAction::DropAfter));
    site.hand_over(&Letter::new(1));
    let _ = site.run_once().exits(0);

    assert_eq!(mesh.waiting(PRACTICE).len(), 1);
    assert_eq!(mesh.sends(), 1);
    let way = site.ledger().way("1118-0001").await;
    assert_eq!(way.state(), "ACCEPTED");
    let told: Vec<_> = way
        .kinds
        .iter()
        .filter(|kind| kind.starts_with("send."))
        .collect();
    assert_eq!(told, ["send.started", "send.unknown", "send.found"]);
    let _ = site.letterbox(&["audit", "verify"]).exits(0);
}

/// What one send meets, whether MESH took it, and which events follow.
#[tokio::test(flavor = "multi_thread")]
async fn design_5_2_one_fault_of_one_send_is_cleared_up_within_the_run() {
    let found = ["send.started", "send.unknown", "send.found"].as_slice();
    let again = [
        "send.started",
        "send.unknown",
        "send.not_found",
        "send.started",
        "send.accepted",
    ]
    .as_slice();
    let cases = [
        ("drop before", FaultAction::DropBefore, again),
        ("cut", FaultAction::Cut { bytes: 4 }, found),
        ("html with effect", html(), found),
        ("html without effect", html_without_effect(), again),
        ("500", FaultAction::status(500), again),
        (
            "502",
            FaultAction::status_with_body(502, "<h1>Bad Gateway</h1>"),
            again,
        ),
        ("503", FaultAction::status(503), again),
        ("504", FaultAction::status(504), again),
    ];
    let mesh = Mesh::start().await;
    for ((name, action, follows), n) in cases.into_iter().zip(1..) {
        let site = Site::new(&mesh);
        let letter = Letter::new(n);
        mesh.server().fault(outbox(action));
        site.hand_over(&letter);
        let outcome = site.run_once();
        assert_eq!(outcome.code, Some(0), "{name}: {outcome:#?}");
        let way = site.ledger().way(&letter.number).await;
        let sends: Vec<_> = way
            .kinds
            .iter()
            .filter(|kind| kind.starts_with("send."))
            .collect();
        assert_eq!(sends, follows, "{name}");
        assert_eq!(way.state(), "ACCEPTED", "{name}");
        assert_eq!(mesh.collect(PRACTICE).len(), 1, "{name}");
        let _ = site.letterbox(&["audit", "verify"]).exits(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_429_is_tried_again_after_the_time_that_mesh_named() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    mesh.server().fault(outbox(FaultAction::Status {
        status: 429,
        headers: vec![("retry-after".to_owned(), "2".to_owned())],
        body: Vec::new(),
    }));
    site.hand_over(&Letter::new(1));
    let _ = site.run_once().exits(0);
    assert_eq!(site.ledger().way("1118-0001").await.state(), "QUEUED");
    let _ = site.run_once().exits(0);
    assert_eq!(mesh.sends(), 1, "the time that MESH named has not passed");
    sleep(Duration::from_millis(2100));
    let _ = site.run_once().exits(0);
    assert_eq!((mesh.sends(), mesh.waiting(PRACTICE).len()), (2, 1));
    let way = site.ledger().way("1118-0001").await;
    assert_eq!(
        way.count("send.unknown"),
        0,
        "429 is no doubt: nothing was taken"
    );
}

/// MESH as a whole misbehaves: letters are taken, the run says so with exit 4, the next delivers.
#[tokio::test(flavor = "multi_thread")]
async fn a_mesh_that_cannot_be_used_keeps_letters_for_the_next_run() {
    let weather = [
        ("503", FaultAction::status(503)),
        ("500", FaultAction::status(500)),
        ("429", FaultAction::status(429)),
        ("a page", html_without_effect()),
        ("nothing", FaultAction::DropBefore),
    ];
    let mesh = Mesh::start().await;
    for ((name, action), first) in weather.into_iter().zip((1..).step_by(3)) {
        let site = Site::new(&mesh);
        mesh.server().fault(everything(action));
        for n in first..first + 3 {
            site.hand_over(&Letter::new(n));
        }
        let outcome = site.run_once();
        assert_eq!(outcome.code, Some(4), "{name}: {outcome:#?}");
        assert!(
            outcome.stderr.contains("MESH cannot be used"),
            "{name}: {outcome:#?}"
        );
        assert!(
            outcome.stderr.contains("the next run finds them"),
            "{name}: {outcome:#?}"
        );
        assert_eq!(
            site.names("taken").len(),
            3,
            "{name}: letters are taken all the same"
        );

        mesh.server().clear_faults();
        let _ = site.run_once().exits(0);
        assert_eq!(mesh.collect(PRACTICE).len(), 3, "{name}");
        let _ = site.run_once().exits(0);
        let states = site.ledger().states().await;
        assert!(
            states.values().all(|states| states == &["COLLECTED"]),
            "{name}: {states:?}"
        );
        let _ = site.letterbox(&["audit", "verify"]).exits(0);
    }
}

/// Runs until all letters are with MESH; fails the test when that takes longer than it may.
async fn delivered_within(seconds: u32, site: &Site, letters: usize, name: &str) {
    for _ in 0..seconds {
        let _ = site.run_once();
        let ways = site.ledger().ways().await;
        if ways.len() == letters && ways.iter().all(Way::is_accepted) {
            return;
        }
        sleep(Duration::from_secs(1));
    }
    panic!("{name}: {:?}", site.ledger().states().await);
}

/// The greeting goes through, and the uploads do not.
#[tokio::test(flavor = "multi_thread")]
async fn sends_that_all_fail_leave_every_letter_for_the_next_run() {
    let weather = [
        ("503", FaultAction::status(503)),
        ("drop before", FaultAction::DropBefore),
        ("drop after", FaultAction::DropAfter),
        ("cut", FaultAction::Cut { bytes: 2 }),
        ("a page", html_without_effect()),
    ];
    let mesh = Mesh::start().await;
    for ((name, action), first) in weather.into_iter().zip((1..).step_by(4)) {
        let site = Site::new(&mesh);
        site.change_config("ask_again_seconds = 0", "ask_again_seconds = 1");
        mesh.server().fault(outbox(action).always());
        for n in first..first + 4 {
            site.hand_over(&Letter::new(n));
        }
        let _ = site.run_once().exits(0);
        for (document, states) in site.ledger().states().await {
            let known = ["UNCERTAIN", "ACCEPTED"];
            assert!(known.contains(&states[0]), "{name}: {document} {states:?}");
        }
        mesh.server().clear_faults();
        delivered_within(10, &site, 4, name).await;
        assert_eq!(mesh.collect(PRACTICE).len(), 4, "{name}: never two");
        let _ = site.letterbox(&["audit", "verify"]).exits(0);
    }
}

/// audit-and-delivery 4.4: after five failures in a row MESH is left alone for half a minute.
#[tokio::test(flavor = "multi_thread")]
async fn a_mesh_that_fails_again_and_again_is_said_to_be_unusable() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    mesh.server()
        .fault(outbox(FaultAction::status(503)).always());
    for n in 1..=8 {
        site.hand_over(&Letter::new(n));
    }
    let outcome = site.run_once().exits(4);
    assert!(
        outcome.stderr.contains("MESH does not answer"),
        "{outcome:#?}"
    );
    mesh.server().clear_faults();
    delivered_within(45, &site, 8, "503").await;
    assert_eq!(mesh.collect(PRACTICE).len(), 8, "never two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mesh_that_is_not_there_at_all_keeps_letters_for_the_next_run() {
    let mut mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    mesh.stop().await;
    site.hand_over(&Letter::new(1));
    let outcome = site.run_once().exits(4);
    assert!(
        outcome.stderr.contains("MESH cannot be used"),
        "{outcome:#?}"
    );
    assert_eq!(site.names("taken"), ["1118-0001.txt"]);

    let back = Mesh::start().await;
    site.use_mesh(&back);
    let _ = site.run_once().exits(0);
    assert_eq!(back.waiting(PRACTICE).len(), 1);
}

/// MESH dies in the middle: what was sent is known, what was not is sent later, once.
#[tokio::test(flavor = "multi_thread")]
async fn lookups_and_questions_that_fail_hold_nothing_up_for_good() {
    let mesh = Mesh::start().await;
    let paths = ["*/endpointlookup*", "*/outbox/tracking*", "*/inbox"];
    for (path, n) in paths.into_iter().zip(1..) {
        let site = Site::new(&mesh);
        let letter = Letter::new(n);
        mesh.server()
            .fault(Fault::new("GET", path, FaultAction::status(503)).always());
        mesh.server().fault(outbox(FaultAction::DropAfter));
        site.hand_over(&letter);
        let outcome = site.run_once();
        assert!(matches!(outcome.code, Some(0 | 4)), "{path}: {outcome:#?}");
        let held = site.ledger().way(&letter.number).await;
        assert!(
            !held.view.letter.needs_person(),
            "{path}: a passing fault is no duty of a person"
        );
        mesh.server().clear_faults();
        assert!(mesh.collect(PRACTICE).len() <= 1, "{path}");
    }
}
