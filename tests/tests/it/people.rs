//! People decide, stop and look: through the real program, beside a run that goes on.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use audit_core::{Event, StreamKey};
use letter_delivery::{Actor, Store as _};
use letterbox_tests::{Letter, Mesh, Outcome, Running, Site, nhs_number};
use mesh_testserver::{Fault, FaultAction};
use serde_json::Value;

use crate::commands::text;

const PRACTICE: &str = "YGM24GP1";
const TITLE: &str = "OUTPATIENT CLINIC LETTER - RHEUMATOLOGY\n";

/// The program, run by somebody who logged in with this account; nothing where the system keeps
/// no account of a login.
pub(crate) fn by(account: u32, site: &Site, arguments: &[&str]) -> Option<Outcome> {
    let program = site.command(arguments);
    let script = "echo \"$1\" > /proc/self/loginuid 2>/dev/null || exit 99; shift; exec \"$@\"";
    let mut command = Command::new("sh");
    command
        .args(["-c", script, "sh", &account.to_string()])
        .arg(program.get_program())
        .args(program.get_args())
        .current_dir(site.folder());
    let outcome = Running::start(&mut command).wait();
    if outcome.code == Some(99) {
        println!("skipped: loginuid (not present)");
        return None;
    }
    Some(outcome)
}

/// The program with something on its standard input.
fn with_input(site: &Site, arguments: &[&str], input: &str) -> Outcome {
    let mut child = site
        .command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    Outcome::of(&output)
}

/// The id of the only letter with this number.
fn id(site: &Site, number: &str) -> String {
    let lines = site.letterbox(&["status", "--json", "--document", number]);
    let lines = lines.exits(0).json();
    text(&lines[0], "letter").to_owned()
}

/// All events, in the ledger's order.
fn events(site: &Site) -> Vec<Event> {
    let db = rusqlite::Connection::open(site.path("data/rt9.db")).unwrap();
    let mut rows = db.prepare("SELECT bytes FROM event ORDER BY seq").unwrap();
    let rows = rows.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    rows.map(|bytes| Event::parse(&bytes.unwrap()).unwrap())
        .collect()
}

fn summary(number: u32) -> String {
    Letter::new(number)
        .to_text()
        .replace(TITLE, "INPATIENT DISCHARGE SUMMARY\n")
}

/// A site with one letter that MESH refused for good.
fn failed(mesh: &Mesh) -> Site {
    let site = Site::new(mesh);
    mesh.server()
        .fault(Fault::new("POST", "*/outbox", FaultAction::status(400)));
    site.hand_over(&Letter::new(1));
    let _ = site.run_once().exits(3);
    site
}

/// Design section 5, rule 9: effective before the next send, with intake going on, surviving a
/// restart, and what was stopped goes on when it is lifted.
#[tokio::test(flavor = "multi_thread")]
async fn design_5_rule_9_a_stop_set_while_letters_are_queued_holds_within_one_send() {
    const LETTERS: u32 = 40;
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    let slow = FaultAction::Delay(Duration::from_millis(300));
    mesh.server()
        .fault(Fault::new("POST", "*/outbox", slow).always());
    for number in 0..LETTERS {
        site.hand_over(&Letter::new(number));
    }
    let run = site.start(&["run"]);
    let begin = Instant::now();
    while mesh.sends() == 0 {
        assert!(begin.elapsed() < Duration::from_secs(60), "nothing is sent");
        std::thread::sleep(Duration::from_millis(5));
    }
    let said = site.letterbox(&["stop", "set", "--all", "--reason", "wrong-template"]);
    assert!(said.exits(0).stdout.contains("stop 1 stands"));
    site.hand_over(&Letter::new(LETTERS));
    let taken = || async { site.ledger().ways().await.len() };
    while taken().await <= usize::try_from(LETTERS).unwrap() {
        assert!(begin.elapsed() < Duration::from_secs(60), "intake goes on");
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = run.terminate().exits(0);
    let _ = site.run_once();

    let events = events(&site);
    let stopped = events
        .iter()
        .position(|event| event.body.kind == "stop.set");
    let after = &events[stopped.unwrap()..];
    let begun = after
        .iter()
        .filter(|event| event.body.kind == "send.started");
    assert_eq!(begun.count(), 0, "no send begins after the stop");
    let sent = mesh.waiting(PRACTICE).len();
    let waiting = site.letterbox(&["status", "--json", "--state", "QUEUED"]);
    let waiting = waiting.exits(0).json();
    assert_eq!(sent + waiting.len(), usize::try_from(LETTERS + 1).unwrap());
    assert!(
        waiting.len() > 1,
        "some were still queued: {sent} were sent"
    );
    for line in &waiting {
        assert_eq!(
            (text(line, "reason"), &line["attempts"]),
            ("stopped", &Value::from(0))
        );
    }
    let worklist = site.letterbox(&["worklist"]);
    assert!(worklist.stderr.contains("stop 1 stands"), "{worklist:#?}");

    let lifted = site.letterbox(&["stop", "lift", "1", "--reason", "mended"]);
    assert!(lifted.exits(0).stdout.contains("is lifted"));
    let _ = site.run_once().exits(0);
    assert_eq!(
        mesh.waiting(PRACTICE).len(),
        usize::try_from(LETTERS + 1).unwrap()
    );
    let _ = site.letterbox(&["audit", "verify"]).exits(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_of_one_class_lets_the_others_go() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    let set = [
        "stop",
        "set",
        "--class",
        "discharge-summary",
        "--reason",
        "wrong-dose",
    ];
    let _ = site.letterbox(&set).exits(0);
    let again = site.letterbox(&set).exits(0);
    assert!(again.stderr.contains("stood already"), "{again:#?}");
    site.hand_over(&Letter::new(1));
    site.put("summary.txt", summary(2));
    let _ = site.run_once();
    let states = site.ledger().states().await;
    assert_eq!(states["1118-0001"], ["ACCEPTED"]);
    assert_eq!(states["1118-0002"], ["QUEUED"]);
    let listed = site.letterbox(&["stop", "list", "--json"]).exits(0).json();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["scope"]["class"], "discharge-summary");
    assert_eq!(listed[0]["stands"], true);
    let _ = site
        .letterbox(&["stop", "lift", "1", "--reason", "over"])
        .exits(0);
    assert_eq!(
        site.letterbox(&["stop", "list"]).exits(0).stdout,
        "no stop stands\n"
    );
    let all = site.letterbox(&["stop", "list", "--lifted", "--json"]);
    assert_eq!(text(&all.exits(0).json()[0], "lift_reason"), "over");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_letter_is_on_the_work_list_with_what_can_be_done_and_is_sent_anew() {
    let mesh = Mesh::start().await;
    let site = failed(&mesh);
    let worklist = site.letterbox(&["worklist", "--json"]).exits(0).json();
    let possible = ["resend", "reroute", "withdraw", "suppress"];
    let told = worklist[0]["possible"].as_array().unwrap();
    assert!(
        possible
            .iter()
            .all(|kind| told.contains(&Value::from(*kind))),
        "{told:?}"
    );
    let letter = id(&site, "1118-0001");
    let resent = site.letterbox(&[
        "letter",
        "resend",
        &letter,
        "--reason",
        "mailbox-mended",
        "--json",
    ]);
    assert_eq!(text(&resent.exits(0).json()[0], "state"), "QUEUED");
    let _ = site.run_once().exits(0);
    assert_eq!(mesh.waiting(PRACTICE).len(), 1);
    let way = site.ledger().way("1118-0001").await;
    assert_eq!((way.state(), way.view.copies[0].series), ("ACCEPTED", 2));
}

/// Design section 5, rule 14: the account stands in the ledger as a pseudonym, never as it is.
#[tokio::test(flavor = "multi_thread")]
async fn design_5_rule_14_decisions_looks_and_searches_carry_the_account() {
    let mesh = Mesh::start().await;
    let site = failed(&mesh);
    let letter = id(&site, "1118-0001");
    let Some(resent) = by(
        4711,
        &site,
        &["letter", "resend", &letter, "--reason", "mended"],
    ) else {
        return;
    };
    let _ = resent.exits(0);
    let _ = by(4711, &site, &["status", &letter]).unwrap().exits(0);
    let events = events(&site);
    let actor = |kind: &str| {
        let event = events.iter().rev().find(|event| event.body.kind == kind);
        event
            .unwrap_or_else(|| panic!("no {kind}"))
            .body
            .actor
            .clone()
    };
    let person = actor("person.resend");
    assert!(Actor::parse(&person).is_some_and(|actor| actor.is_person()));
    assert!(!person.contains("4711"));
    assert_eq!(
        actor("letter.viewed"),
        person,
        "the same account, the same pseudonym"
    );
    assert_ne!(actor("letters.searched"), person, "another one searched");
    assert_eq!(actor("queued"), "svc:letterbox");
}

/// Facts 3.2: two accounts suppress a discharge summary, and one account is never two people.
#[tokio::test(flavor = "multi_thread")]
async fn audit_3_2_two_accounts_suppress_a_discharge_summary() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    let _ = site
        .letterbox(&["stop", "set", "--all", "--reason", "wrong-patient"])
        .exits(0);
    site.put("summary.txt", summary(1));
    let _ = site.run_once();
    let letter = id(&site, "1118-0001");
    let suppress = ["letter", "suppress", &letter, "--reason", "wrong-patient"];
    let approve = ["letter", "approve", &letter, "--reason", "wrong-patient"];
    let Some(first) = by(1001, &site, &suppress) else {
        return;
    };
    let first = first.exits(3);
    assert!(first.stderr.contains("two people"), "{first:#?}");
    let waits = site.letterbox(&["worklist", "--json"]).exits(0).json();
    assert!(
        text(&waits[0], "next_action").contains("second person"),
        "{waits:?}"
    );
    for again in [&suppress, &approve] {
        let refused = by(1001, &site, again).unwrap().exits(3);
        assert!(refused.stderr.contains("a colleague"), "{refused:#?}");
    }
    assert_eq!(site.ledger().way("1118-0001").await.state(), "QUEUED");
    let _ = by(1002, &site, &approve).unwrap().exits(0);
    assert_eq!(site.ledger().way("1118-0001").await.state(), "SUPPRESSED");
    let _ = site
        .letterbox(&["stop", "lift", "1", "--reason", "over"])
        .exits(0);
    let _ = site.run_once().exits(0);
    assert!(mesh.waiting(PRACTICE).is_empty(), "it never went");
    let none = site.letterbox(&["worklist"]).exits(0).stdout;
    assert_eq!(none, "nothing needs a person\n");
    let _ = site.letterbox(&["audit", "verify"]).exits(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_for_a_practice_without_a_mailbox_goes_where_a_person_says() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    site.hand_over(&Letter::new(1).to("A99998"));
    let _ = site.run_once().exits(3);
    let letter = id(&site, "1118-0001");
    let code = site.ledger().way("1118-0001").await.view.letter.state;
    assert_eq!(code.as_str(), "HELD");
    let reroute = [
        "letter",
        "reroute",
        &letter,
        "--to",
        "A99991",
        "--reason",
        "patient-moved",
    ];
    let rerouted = site.letterbox(&reroute);
    let said = rerouted.said();
    assert_eq!(rerouted.code, Some(0), "{said}");
    let outcome = site.run_once();
    let way = site.ledger().way("1118-0001").await;
    assert_eq!(
        way.state(),
        "ACCEPTED",
        "{outcome:#?} {:?}",
        way.view.letter.reason
    );
    assert_eq!(mesh.waiting(PRACTICE).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_returned_letter_is_told_rejected_telephoned_and_resolved() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    for number in [1, 2] {
        site.hand_over(&Letter::new(number));
    }
    let _ = site.run_once().exits(0);
    let _ = mesh.collect(PRACTICE);
    let _ = site.run_once().exits(0);
    let first = id(&site, "1118-0001");
    let second = id(&site, "1118-0002");
    let rejected = [
        "letter",
        "rejected",
        &first,
        "--not-our-patient",
        "--reason",
        "moved-away",
    ];
    let lines = site.letterbox(&[&rejected[..], &["--json"]].concat());
    assert_eq!(text(&lines.exits(0).json()[0], "state"), "RETURNED");
    let telephoned = [
        "letter",
        "telephoned",
        &second,
        "--said",
        "filed",
        "--reason",
        "asked",
    ];
    let lines = site.letterbox(&[&telephoned[..], &["--json"]].concat());
    assert_eq!(text(&lines.exits(0).json()[0], "state"), "FILED");
    // A refusal after that is a contradiction: the state stays, and a person looks into it.
    let _ = site
        .letterbox(&["letter", "rejected", &second, "--reason", "not-filed"])
        .exits(0);
    let open = site.letterbox(&["worklist", "--json"]).exits(0).json();
    assert_eq!(open.len(), 2);
    let _ = site
        .letterbox(&["letter", "resolve", &second, "--reason", "misheard"])
        .exits(0);
    let open = site.letterbox(&["worklist", "--json"]).exits(0).json();
    assert_eq!(
        open.len(),
        1,
        "resolving takes the alert away, and never a letter"
    );
    let not = site.letterbox(&["letter", "resolve", &first, "--reason", "misheard"]);
    let _ = not.exits(1);
    let _ = site.letterbox(&["audit", "verify"]).exits(0);
}

/// What shared a fault is listed with where it is, and taken back: what has not left never goes,
/// and the practices that have it are named.
#[tokio::test(flavor = "multi_thread")]
async fn design_5_rule_9_affected_lists_what_shared_a_fault_and_takes_it_back() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    site.hand_over(&Letter::new(1));
    let _ = site.run_once().exits(0);
    let _ = mesh.collect(PRACTICE);
    let _ = site.run_once().exits(0);
    let _ = site
        .letterbox(&[
            "stop",
            "set",
            "--profile",
            "emis",
            "--reason",
            "garbled-table",
        ])
        .exits(0);
    site.hand_over(&Letter::new(2));
    let _ = site.run_once();
    let stop = ["affected", "--stop", "1", "--from", "2020-01-01"];
    let lines = site
        .letterbox(&[&stop[..], &["--json"]].concat())
        .exits(0)
        .json();
    let standing: Vec<&str> = lines.iter().map(|line| text(line, "standing")).collect();
    assert_eq!(standing, ["collected_only", "in_flight"]);
    let later = site.letterbox(&["affected", "--from", "2120-01-01"]);
    assert_eq!(later.exits(0).stdout, "nothing shared it\n");
    let other = site.letterbox(&["affected", "--profile", "medicus", "--from", "2020-01-01"]);
    assert_eq!(other.exits(0).stdout, "nothing shared it\n");

    let taken_back = site.letterbox(&[&stop[..], &["--withdraw", "garbled-table"]].concat());
    let taken_back = taken_back.exits(3);
    let notice = "tell A99991 that these are withdrawn: 1118-0001";
    assert!(taken_back.stdout.contains(notice), "{taken_back:#?}");
    let states = site.ledger().states().await;
    assert_eq!(states["1118-0001"], ["WITHDRAWAL_DUE"]);
    assert_eq!(states["1118-0002"], ["WITHDRAWN"]);
    let _ = site
        .letterbox(&["stop", "lift", "1", "--reason", "mended"])
        .exits(0);
    let letter = id(&site, "1118-0001");
    let _ = site
        .letterbox(&[
            "letter",
            "telephoned",
            &letter,
            "--said",
            "told",
            "--reason",
            "garbled",
        ])
        .exits(0);
    assert_eq!(site.ledger().way("1118-0001").await.state(), "WITHDRAWN");
    let _ = site.run_once().exits(0);
    assert!(mesh.waiting(PRACTICE).is_empty());
}

/// Rule 12 of the house: an NHS number never stands among the arguments.
#[tokio::test(flavor = "multi_thread")]
async fn design_5_rule_12_letters_of_a_person_are_found_by_a_number_from_the_standard_input() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    for number in [1, 2] {
        site.hand_over(&Letter::new(number));
    }
    let _ = site.run_once().exits(0);
    let search = ["status", "--nhs-number", "--json"];
    let found = with_input(&site, &search, &format!("{}\n", nhs_number(2))).exits(0);
    let lines = found.json();
    assert_eq!(lines.len(), 1);
    assert_eq!(text(&lines[0], "document"), "1118-0002");
    assert!(!found.said().contains(&nhs_number(2)));
    let nobody = with_input(&site, &search, &nhs_number(77)).exits(0);
    assert_eq!(nobody.stdout, "");
    let wrong = with_input(&site, &search, "943 476 5918\n").exits(2);
    assert!(wrong.stderr.contains("standard input"), "{wrong:#?}");
    assert!(!wrong.stderr.contains("943"), "{wrong:#?}");
    let searched: Vec<_> = events(&site)
        .into_iter()
        .filter(|event| event.body.kind == "letters.searched")
        .collect();
    assert_eq!(searched.len(), 2);
    assert!(
        searched
            .iter()
            .all(|event| event.body.stream == StreamKey::LEDGER)
    );
    assert!(
        searched
            .iter()
            .all(|event| event.body.data.text("searched").is_some())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_by_time_source_class_and_number_of_letters() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    for number in 1..=3 {
        site.hand_over(&Letter::new(number));
    }
    site.put("summary.txt", summary(4));
    let _ = site.run_once();
    let count = |arguments: &[&str]| {
        let lines = site.letterbox(&[&["status", "--json"], arguments].concat());
        lines.exits(0).json().len()
    };
    assert_eq!(count(&[]), 4);
    assert_eq!(count(&["--limit", "2"]), 2);
    assert_eq!(count(&["--class", "discharge-summary"]), 1);
    assert_eq!(
        count(&["--class", "outpatient-letter", "--state", "accepted"]),
        3
    );
    assert_eq!(count(&["--source", "nobody"]), 0);
    assert_eq!(count(&["--from", "2020-01-01", "--to", "2020-01-02"]), 0);
    assert_eq!(count(&["--from", "2020-01-01"]), 4);
    let more = site.letterbox(&["status", "--limit", "2"]).exits(0);
    assert!(more.stderr.contains("there are more"), "{more:#?}");
}

/// What is asked (`ID` is the letter's), the exit code, and part of what is said.
const REFUSED: &[(&str, i32, &str)] = &[
    ("letter resend ID --reason Jones", 2, "a reason is a code"),
    ("letter resend ID", 2, "--reason"),
    ("letter resend 1118-0001 --reason x", 2, "no letter's id"),
    (
        "letter resend 00000000000000000000000000000000 --reason x",
        2,
        "there is no letter",
    ),
    ("letter resend ID --reason x --copy 7", 2, "no copy 7"),
    ("letter approve ID --reason x", 1, "possible: resend"),
    ("letter reroute ID --reason x", 2, "--to"),
    ("letter reroute ID --to ? --reason x", 2, "--to"),
    ("letter telephoned ID --said hm --reason x", 2, "received"),
    ("stop set --reason x", 2, "--all"),
    ("stop set --all --class c --reason x", 2, "cannot be used"),
    ("stop lift 9 --reason x", 1, "no stop 9 stands"),
    ("affected", 2, "--from"),
    ("affected --from yesterday", 2, "is no time"),
    ("affected --stop 9 --from 2020-01-01", 2, "has no stop 9"),
    ("status --from 1/2/2026", 2, "is no time"),
    ("status --nhs-number ID", 2, "cannot be used"),
];

#[tokio::test(flavor = "multi_thread")]
async fn decisions_that_cannot_be_taken() {
    let mesh = Mesh::start().await;
    let site = failed(&mesh);
    let letter = id(&site, "1118-0001");
    for (asked, code, says) in REFUSED {
        let arguments = asked.replace("ID", &letter);
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let outcome = site.letterbox(&arguments);
        assert_eq!(outcome.code, Some(*code), "{asked}: {outcome:#?}");
        assert!(outcome.stderr.contains(says), "{asked}: {outcome:#?}");
    }
    let way = site.ledger().way("1118-0001").await;
    assert_eq!(way.state(), "FAILED", "nothing of that did anything");
}

/// A decision is a short write of its own: the run that works on the same store goes on.
#[tokio::test(flavor = "multi_thread")]
async fn decisions_are_taken_beside_a_run() {
    let mesh = Mesh::start().await;
    let site = failed(&mesh);
    let run = site.start(&["run"]);
    let letter = id(&site, "1118-0001");
    let _ = site
        .letterbox(&["letter", "resend", &letter, "--reason", "mended"])
        .exits(0);
    let begin = Instant::now();
    while mesh.waiting(PRACTICE).is_empty() {
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "the run sends it"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = run.terminate().exits(0);
    let copy = &site.ledger().way("1118-0001").await.view.copies[0];
    let stored = site.ledger();
    let bytes = stored.store().payload(copy.letter, copy.artefact.unwrap());
    assert!(!bytes.await.unwrap().is_empty());
}
