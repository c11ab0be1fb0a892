//! What happens to letters: hand-over by sidecar and MLLP, versions, withdrawals, reports.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use letterbox_tests::{Letter, Mesh, Plan, Site, TrustPlan};
use mesh_testserver::{Fault, FaultAction, ReportNotice};
use nhs_types::{MailboxId, WorkflowId};

use crate::mllp;

const PRACTICE: &str = "YGM24GP1";
const WORDS: &str = "OUTPATIENT CLINIC LETTER - RHEUMATOLOGY\n";

fn cancelled(letter: &Letter) -> String {
    let banner = format!("** CANCELLED - ENTERED IN ERROR **\n{WORDS}REASON: wrong patient\n");
    letter.to_text().replace(WORDS, &banner)
}

/// A fault that keeps the first send back for a while: nothing was taken.
fn later() -> Fault {
    let headers = vec![("retry-after".to_owned(), "1".to_owned())];
    let action = FaultAction::Status {
        status: 429,
        headers,
        body: Vec::new(),
    };
    Fault::new("POST", "*/outbox", action)
}

#[tokio::test(flavor = "multi_thread")]
async fn design_8_a_sidecar_says_what_the_document_does_not() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    site.change_config("still_for_seconds = 0", "still_for_seconds = 3600");
    let silent = Letter::new(1).unsigned().to_text();
    let silent = silent.replace("Report #: 1118-0001\n", "");
    site.put("letter.txt", &silent);
    let _ = site.run_once().exits(0);
    assert_eq!(
        site.names("in"),
        ["letter.txt"],
        "it is not ready without its sidecar"
    );

    site.put(
        "letter.txt.json",
        r#"{"source":"EPR","document_id":"S-77","signed_off_at":"2025-11-19T14:32:00Z",
            "signed_by":"Dr Yusuf Abubakar"}"#,
    );
    let outcome = site.run_once();
    let way = site.ledger().way("S-77").await;
    assert_eq!(
        way.state(),
        "ACCEPTED",
        "{outcome:#?} {:?}",
        way.view.letter.reason
    );
    assert_eq!(site.names("taken"), ["letter.txt", "letter.txt.json"]);
    assert_eq!(mesh.waiting(PRACTICE).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sidecar_that_keeps_a_letter_from_the_gp() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    site.put("letter.txt", Letter::new(1).to_text());
    site.put("letter.json", r#"{"release":false}"#);
    let _ = site.run_once().exits(0);
    assert_eq!(site.ledger().way("1118-0001").await.state(), "WITHHELD");
    assert!(mesh.waiting(PRACTICE).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_is_handed_over_again_is_known() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    for _ in 0..3 {
        site.hand_over(&Letter::new(1));
        let _ = site.run_once().exits(0);
    }
    assert_eq!(mesh.sends(), 1);
    assert_eq!(site.ledger().states().await["1118-0001"], ["ACCEPTED"]);
    assert_eq!(site.names("taken").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_waits_and_its_signed_version_goes() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    site.hand_over(&Letter::new(1).unsigned());
    let _ = site.run_once().exits(0);
    assert_eq!(site.ledger().way("1118-0001").await.state(), "DRAFT_SEEN");
    assert!(mesh.waiting(PRACTICE).is_empty());
    let worklist = site.letterbox(&["worklist"]).exits(0).stdout;
    assert_eq!(
        worklist, "nothing needs a person\n",
        "it is on its author's list"
    );

    site.hand_over(&Letter::new(1));
    let _ = site.run_once().exits(0);
    assert_eq!(site.ledger().way("1118-0001").await.state(), "ACCEPTED");
    assert_eq!(mesh.waiting(PRACTICE).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_version_supersedes_one_that_has_not_left() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    mesh.server().fault(later());
    site.hand_over(&Letter::new(1).saying("Methotrexate 15 mg."));
    let _ = site.run_once().exits(0);
    assert_eq!(site.ledger().way("1118-0001").await.state(), "QUEUED");

    site.hand_over(&Letter::new(1).saying("Methotrexate 10 mg."));
    sleep(Duration::from_millis(1100));
    let _ = site.run_once().exits(0);
    let mut states = site.ledger().states().await["1118-0001"].clone();
    states.sort_unstable();
    assert_eq!(states, ["ACCEPTED", "SUPERSEDED"]);
    let messages = mesh.waiting(PRACTICE);
    assert_eq!(messages.len(), 1);
    let body = String::from_utf8(messages[0].body()).unwrap();
    assert!(body.contains("Methotrexate 10 mg") && !body.contains("Methotrexate 15 mg"));
    let _ = site.letterbox(&["audit", "verify"]).exits(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_version_follows_one_that_has_left() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    site.hand_over(&Letter::new(1).saying("Methotrexate 15 mg."));
    let _ = site.run_once().exits(0);
    site.hand_over(&Letter::new(1).saying("Methotrexate 10 mg."));
    let outcome = site.run_once();
    assert!(matches!(outcome.code, Some(0 | 3)), "{outcome:#?}");
    let bodies = mesh.collect(PRACTICE);
    assert_eq!(bodies.len(), 2, "{:?}", site.ledger().states().await);
    assert_ne!(bodies[0].local_id, bodies[1].local_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_before_the_send_keeps_it_here() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    mesh.server().fault(later());
    let letter = Letter::new(1);
    site.hand_over(&letter);
    let _ = site.run_once().exits(0);
    site.put("cancel.txt", cancelled(&letter));
    sleep(Duration::from_millis(1100));
    let _ = site.run_once().exits(0);
    assert_eq!(site.ledger().way("1118-0001").await.state(), "WITHDRAWN");
    assert!(mesh.waiting(PRACTICE).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_after_the_send_is_a_persons_duty() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    let letter = Letter::new(1);
    site.hand_over(&letter);
    let _ = site.run_once().exits(0);
    site.put("cancel.txt", cancelled(&letter));
    let outcome = site.run_once().exits(3);
    assert!(
        outcome.stderr.contains("letterbox worklist"),
        "{outcome:#?}"
    );
    let needs = site.letterbox(&["worklist", "--json"]).exits(0).json();
    assert_eq!(needs.len(), 1, "{needs:#?}");
    assert_eq!(needs[0]["state"], "WITHDRAWAL_DUE");
    assert_eq!(
        needs[0]["next_action"],
        "tell the practice that it is withdrawn"
    );
}

/// Design rule 8: a mailbox may be shared.
#[tokio::test(flavor = "multi_thread")]
async fn design_5_8_only_reports_about_our_sends_are_acknowledged() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    site.hand_over(&Letter::new(1));
    let _ = site.run_once().exits(0);
    let sent = &mesh.waiting(PRACTICE)[0];
    let server = mesh.server();
    let mailbox = |id| MailboxId::parse(id).unwrap();
    let report = server.undeliverable(&sent.id).unwrap();
    let ours = mailbox("RT9OT001");
    let workflow = WorkflowId::parse("SOMEBODY_ELSES").unwrap();
    let foreign = server.deliver(
        &mailbox("X26ABC1"),
        &ours,
        &workflow,
        vec![b"theirs".to_vec()],
    );
    let unmatched = server.report(
        &ours,
        ReportNotice::new("14", "about a message of another system"),
    );

    let answer = &site.letterbox(&["run", "--once", "--json"]).exits(3).json()[0];
    assert_eq!(
        (&answer["reports"], &answer["left_alone"]),
        (&1.into(), &2.into()),
        "{answer}"
    );
    let left: Vec<_> = mesh
        .waiting("RT9OT001")
        .into_iter()
        .map(|message| message.id)
        .collect();
    assert_eq!(left, [foreign, unmatched]);
    assert!(!left.contains(&report));
    let way = site.ledger().way("1118-0001").await;
    // Tracking says that it came back, and then the report says why: recorded, and marked as dup.
    assert_eq!(
        (way.state(), way.count("transport.undelivered")),
        ("RETURNED", 2)
    );
    let again = &site.letterbox(&["run", "--once", "--json"]).exits(3).json()[0];
    assert_eq!(
        (&again["reports"], &again["left_alone"]),
        (&0.into(), &2.into()),
        "{again}"
    );
    let _ = site.letterbox(&["audit", "verify"]).exits(0);
}

fn listening() -> (Plan, std::net::SocketAddr) {
    let address = mllp::free_address();
    let mut trust = TrustPlan::first();
    trust.listen = Some(address);
    "look_every_seconds = 1\npoll_every_seconds = 1".clone_into(&mut trust.delivery);
    (
        Plan {
            trusts: vec![trust],
            ..Plan::default()
        },
        address,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_over_mllp_are_answered_when_they_are_durable() {
    let mesh = Mesh::start().await;
    let (plan, address) = listening();
    let site = Site::planned(&mesh, plan);
    let running = site.start(&["run"]);
    let mut stream = mllp::connect(address);
    let letter = Letter::new(1);
    let (code, answer) = mllp::send(&mut stream, &letter.to_hl7("T02", "C1"));
    assert_eq!(code, "AA", "{answer}");
    assert!(answer.contains("|C1"), "it names the message: {answer}");
    let (code, _) = mllp::send(&mut stream, &letter.to_hl7("T02", "C2"));
    assert_eq!(code, "AA", "known already");
    let (code, answer) = mllp::send(&mut stream, &letter.to_hl7("T77", "C3"));
    assert_eq!(code, "AR", "{answer}");
    let (code, _) = mllp::send(&mut stream, &Letter::new(2).unsigned().to_hl7("T02", "C4"));
    assert_eq!(code, "AA", "a draft is taken, and waits");

    let begin = Instant::now();
    while mesh.waiting(PRACTICE).is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(20));
        sleep(Duration::from_millis(50));
    }
    let outcome = running.terminate().exits(0);
    assert!(
        outcome.stderr.contains("running; end it with"),
        "{outcome:#?}"
    );
    let ways = site.ledger().states().await;
    assert_eq!(ways["1118-0001"].len(), 1);
    assert_eq!(ways["1118-0002"], ["DRAFT_SEEN"]);
    assert_eq!(mesh.collect(PRACTICE).len(), 1);
    let _ = site.letterbox(&["audit", "verify"]).exits(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_made_durable_is_answered_ae() {
    let mesh = Mesh::start().await;
    let (plan, address) = listening();
    let site = Site::planned(&mesh, plan);
    let running = site.start(&["run"]);
    let mut stream = mllp::connect(address);
    let (code, _) = mllp::send(&mut stream, &Letter::new(1).to_hl7("T02", "C1"));
    assert_eq!(code, "AA");
    let db = rusqlite::Connection::open(site.path("data/rt9.db")).unwrap();
    db.busy_timeout(Duration::from_secs(5)).unwrap();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (code, answer) = mllp::send(&mut stream, &Letter::new(2).to_hl7("T02", "C2"));
    assert_eq!(code, "AE", "{answer}");
    db.execute_batch("ROLLBACK").unwrap();
    let (code, _) = mllp::send(&mut stream, &Letter::new(2).to_hl7("T02", "C2"));
    assert_eq!(code, "AA", "sent again, it is taken");
    let _ = running.terminate().exits(0);
    assert_eq!(site.ledger().states().await["1118-0002"].len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_goes_on_takes_sends_and_follows_up() {
    let mesh = Mesh::start().await;
    let (plan, _) = listening();
    let site = Site::planned(&mesh, plan);
    let running = site.start(&["run"]);
    for n in 1..=3 {
        site.hand_over(&Letter::new(n));
        sleep(Duration::from_millis(300));
    }
    let begin = Instant::now();
    while mesh.waiting(PRACTICE).len() < 3 {
        assert!(begin.elapsed() < Duration::from_secs(20));
        sleep(Duration::from_millis(50));
    }
    let returned = mesh.waiting(PRACTICE)[0].clone();
    let _ = mesh.server().undeliverable(&returned.id);
    while !mesh.waiting("RT9OT001").is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(20));
        sleep(Duration::from_millis(50));
    }
    let _ = running.terminate().exits(0);
    let states = site.ledger().states().await;
    let count = |state| states.values().filter(|states| states[0] == state).count();
    assert_eq!((count("ACCEPTED"), count("RETURNED")), (2, 1));
    let signed = site
        .letterbox(&["audit", "verify", "--json"])
        .exits(0)
        .json();
    assert_eq!(
        signed[0]["checkpoint_size"], signed[0]["events"],
        "signed when it ended"
    );
    assert!(fs::read_dir(site.part("in")).unwrap().next().is_none());
}
