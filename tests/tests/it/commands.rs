//! Every command: its answer, its JSON (design section 8) and its exit code (section 6).

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use letterbox_tests::{Letter, Mesh, Outcome, Plan, Running, Site, letterbox};
use serde_json::{Value, json};
use tempfile::TempDir;

fn in_folder(folder: &Path, arguments: &[&str]) -> Outcome {
    Running::start(&mut letterbox(folder, arguments)).wait()
}

pub(crate) fn members(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

pub(crate) fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member]
        .as_str()
        .unwrap_or_else(|| panic!("no {member} in {value}"))
}

/// A folder beside the workspace, which a user's clone has not.
fn shared(path: &str) -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let path = workspace.parent()?.join("shared").join(path);
    if !path.exists() {
        println!("skipped: {} (not present)", path.file_name()?.display());
        return None;
    }
    Some(path)
}

#[test]
fn the_demo_shows_the_whole_way_and_ends_verified() {
    let folder = TempDir::new().unwrap();
    let begin = Instant::now();
    let outcome = in_folder(folder.path(), &["demo"]).exits(0);
    assert!(begin.elapsed().as_secs() < 20);
    for part in [
        "The way of each letter",
        "What needs a person",
        "The ledger",
        "root ",
        "verified",
        "Try next",
    ] {
        assert!(outcome.stdout.contains(part), "{part}: {outcome:#?}");
    }
    assert!(!outcome.stdout.contains("NOT CLEAN"));
    assert!(
        outcome
            .stdout
            .matches("collected by the practice's system")
            .count()
            >= 3,
        "{outcome:#?}"
    );
    assert_eq!(outcome.stderr, "");
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        0,
        "nothing is left behind"
    );
}

#[test]
fn a_kept_demo_can_be_looked_into() {
    let folder = TempDir::new().unwrap();
    let _ = in_folder(folder.path(), &["demo", "--keep", "kept"]).exits(0);
    let kept = folder.path().join("kept");
    let lines = in_folder(&kept, &["status", "--json"]).exits(0).json();
    assert!(lines.len() >= 8, "{lines:#?}");
    assert!(
        lines
            .iter()
            .filter(|line| line["state"] == "COLLECTED")
            .count()
            >= 3
    );
    let needs = in_folder(&kept, &["worklist", "--json"]).exits(0).json();
    assert!(!needs.is_empty());
    let config = kept.join("letterbox.toml").to_string_lossy().into_owned();
    let verified = in_folder(folder.path(), &["--config", &config, "audit", "verify"]).exits(0);
    assert!(verified.stdout.contains("verified"), "{verified:#?}");
    let again = in_folder(folder.path(), &["demo", "--keep", "kept"]).exits(2);
    assert!(again.stderr.contains("choose another folder"), "{again:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn init_makes_what_only_needs_certificates_and_secrets() {
    let folder = TempDir::new().unwrap();
    let said = in_folder(folder.path(), &["init", "lb"]).exits(0).stdout;
    assert!(said.contains("is ready. Next:"), "{said}");
    let made = folder.path().join("lb");
    for part in [
        "letterbox.toml",
        "in",
        "taken",
        "refused",
        "data",
        "secrets/trust.key",
        "tls",
    ] {
        assert!(made.join(part).exists(), "{part}");
    }
    let again = in_folder(folder.path(), &["init", "lb"]).exits(2);
    assert!(again.stderr.contains("is there already"), "{again:#?}");
    let checked = in_folder(&made, &["check"]).exits(1);
    assert!(
        checked.stdout.contains("ok    configuration"),
        "{checked:#?}"
    );
    assert!(checked.stdout.contains("FAIL  certificate"), "{checked:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_tells_a_line_for_each_thing_and_what_is_out_of_reach() {
    let mut mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    let lines = site.letterbox(&["check", "--json"]).exits(0).json();
    let checks: Vec<_> = lines.iter().map(|line| text(line, "check")).collect();
    let expected = [
        "configuration",
        "certificate",
        "practice table",
        "disk",
        "RT9 inbox of epr",
        "RT9 taken of epr",
        "RT9 refused of epr",
        "RT9 store",
        "RT9 mailbox RT9OT001",
        "clock",
    ];
    assert_eq!(checks, expected);
    assert!(
        lines
            .iter()
            .all(|line| ["ok", "warn"].contains(&text(line, "verdict"))),
        "{lines:#?}"
    );
    mesh.stop().await;
    fs::remove_dir(site.part("in")).unwrap();
    let outcome = site.letterbox(&["check"]).exits(4);
    assert!(
        outcome.stdout.contains("FAIL  RT9 inbox of epr"),
        "{outcome:#?}"
    );
    assert!(
        outcome.stdout.contains("FAIL  RT9 mailbox RT9OT001"),
        "{outcome:#?}"
    );
}

/// The corpus through the program: members as the expected files say (design section 8).
#[test]
fn letter_read_says_what_the_corpus_expects() {
    let folder = TempDir::new().unwrap();
    let corpus =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/clinical-letter/tests/corpus");
    let mut read = 0;
    for kind in ["text", "docx", "hl7"] {
        for entry in fs::read_dir(corpus.join(kind)).unwrap() {
            let path = entry.unwrap().path().to_string_lossy().into_owned();
            if path.ends_with(".expected.json") {
                continue;
            }
            let expected = fs::read_to_string(format!("{path}.expected.json")).unwrap();
            let expected: Value = serde_json::from_str(&expected).unwrap();
            let outcome = in_folder(folder.path(), &["letter", "read", &path, "--json"]);
            compare(&path, &expected, &outcome);
            read += 1;
        }
    }
    assert!(read >= 30, "only {read} files");
}

fn compare(path: &str, expected: &Value, outcome: &Outcome) {
    let lines = outcome.json();
    for got in &lines {
        for member in ["disposition", "reason"] {
            assert_eq!(
                got[member], expected[member],
                "{path} {member}: {outcome:#?}"
            );
        }
        for member in ["unique_id", "title", "relation", "document_date"] {
            let known = &expected["document"][member];
            assert!(
                known.is_null() || got["document"][member] == *known,
                "{path} {member}"
            );
        }
        assert!(got["findings"].is_array(), "{path}");
        for finding in got["findings"].as_array().unwrap() {
            assert_eq!(
                members(finding),
                ["message", "place", "rule", "severity"],
                "{path}"
            );
        }
        if expected["disposition"] == "send" && expected["sections"].is_array() {
            assert_eq!(got["sections"], expected["sections"], "{path}");
            let number = &expected["patient"]["nhs_number"];
            assert_eq!(got["patient"]["nhs_number"], *number, "{path}");
        }
    }
    let code = match expected["disposition"].as_str().unwrap() {
        "reject" => 1,
        "hold" => 3,
        _ => 0,
    };
    assert_eq!(outcome.code, Some(code), "{path}");
}

#[test]
fn letter_read_tells_a_person_what_was_understood() {
    let folder = TempDir::new().unwrap();
    let letter = Letter::new(1);
    fs::write(folder.path().join("letter.txt"), letter.to_text()).unwrap();
    let said = in_folder(folder.path(), &["letter", "read", "letter.txt"])
        .exits(0)
        .stdout;
    assert!(
        said.starts_with("send (ok)\n  document  1118-0001\n"),
        "{said}"
    );
    assert!(said.contains(&letter.note), "{said}");
    fs::write(folder.path().join("nothing.txt"), "").unwrap();
    let _ = in_folder(folder.path(), &["letter", "read", "nothing.txt"]).exits(1);
    let _ = in_folder(folder.path(), &["letter", "read", "nowhere.txt"]).exits(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn route_makes_one_decision_and_explains_it() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    let case = |practice: &str, mailboxes: Value| {
        json!({
            "today": "2026-11-20",
            "letter": {"kind": "outpatient", "signed_off": true, "event_at": "2026-11-18"},
            "patient": {"nhs_number": "9990012377", "family": "CANARYNAME", "hospital_practice": practice},
            "mailboxes": {practice: {"TOC_OUTP_ATT_DMS": mailboxes}},
            "policy": {"demographics": "source", "allow_synthetic": true, "workflows": ["TOC_OUTP_ATT_DMS"]},
        })
        .to_string()
    };
    site.write("case.json", case("A99991", json!(["YGM24GP1"])));
    let answer = &site
        .letterbox(&["route", "--case", "case.json", "--json"])
        .exits(0)
        .json()[0];
    assert_eq!(
        (text(answer, "outcome"), text(answer, "mailbox")),
        ("SEND", "YGM24GP1")
    );
    for member in [
        "reason",
        "warnings",
        "practice",
        "workflow",
        "due_at",
        "evidence",
        "explanation",
    ] {
        assert!(answer.get(member).is_some(), "{member}: {answer}");
    }
    assert!(!answer.to_string().contains("CANARYNAME"));

    site.write("case.json", case("Y99910", json!([])));
    let said = site
        .letterbox(&["route", "--case", "case.json"])
        .exits(0)
        .stdout;
    assert!(!said.starts_with("SEND"), "a closed practice: {said}");
    site.write("case.json", r#"{"letter":{},"pacient":{}}"#);
    let outcome = site.letterbox(&["route", "--case", "case.json"]).exits(2);
    assert!(outcome.stderr.contains("pacient"), "{outcome:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ods_import_takes_the_real_table() {
    let mesh = Mesh::start().await;
    let site = Site::planned(
        &mesh,
        Plan {
            practices: None,
            ..Plan::default()
        },
    );
    let Some(table) = shared("data/ods/epraccur_2025-09.csv") else {
        return;
    };
    site.change_config("minimum_rows = 5", "minimum_rows = 5000");
    let table = table.to_string_lossy().into_owned();
    let answer = &site
        .letterbox(&["ods", "import", &table, "--json"])
        .exits(0)
        .json()[0];
    assert!(
        answer["active_gp_practices"].as_u64().unwrap() > 5000,
        "{answer}"
    );
    site.write("few.csv", gp_routing::SAMPLE_TABLE);
    let _ = site.letterbox(&["ods", "import", "few.csv"]).exits(1);
    let again = &site
        .letterbox(&["ods", "import", &table, "--json"])
        .exits(0)
        .json()[0];
    assert_eq!(again, answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn status_and_worklist_show_where_letters_are() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    let nothing = site.letterbox(&["status"]).exits(0).stdout;
    assert_eq!(nothing, "no letters\n");
    site.hand_over(&Letter::new(1));
    site.hand_over(&Letter::new(2).to("Y99910"));
    let _ = site.run_once().exits(3);

    let lines = site.letterbox(&["status", "--json"]).exits(0).json();
    let sent = lines
        .iter()
        .find(|line| line["document"] == "1118-0001")
        .unwrap();
    for member in [
        "letter",
        "copy",
        "document",
        "state",
        "practice",
        "mailbox",
        "message_id",
        "signed_at",
        "accepted_at",
        "due_at",
        "attempts",
        "owner",
        "next_action",
    ] {
        assert!(sent.get(member).is_some(), "{member}: {sent}");
    }
    assert!(
        sent.get("closed_at").is_none(),
        "what is not known is absent: {sent}"
    );
    let of = |arguments: &[&str]| {
        let outcome = site
            .letterbox(&[&["status", "--json"], arguments].concat())
            .exits(0);
        outcome
            .json()
            .iter()
            .map(|line| text(line, "document").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&["--document", "1118-0002"]), ["1118-0002"]);
    assert_eq!(of(&["--practice", "a99991"]), ["1118-0001"]);
    assert_eq!(of(&["--state", "accepted"]), ["1118-0001"]);
    assert_eq!(of(&[text(sent, "letter")]), ["1118-0001"]);
    assert!(of(&["--document", "none"]).is_empty());
    let _ = site.letterbox(&["status", "not-an-id"]).exits(2);
    let unknown = site.letterbox(&["status", "--state", "lost"]).exits(2);
    assert!(unknown.stderr.contains("HELD"), "{unknown:#?}");

    let needs = site.letterbox(&["worklist", "--json"]).exits(0).json();
    assert_eq!(needs.len(), 1);
    assert_eq!(
        (text(&needs[0], "document"), text(&needs[0], "owner")),
        ("1118-0002", "service desk")
    );
    let table = site.letterbox(&["worklist"]).exits(0).stdout;
    assert!(
        table.starts_with("document") && table.contains("1118-0002"),
        "{table}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn run_says_in_json_what_it_did() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    site.hand_over(&Letter::new(1));
    site.hand_over(&Letter::new(2).unsigned());
    let answer = &site.letterbox(&["run", "--once", "--json"]).exits(0).json()[0];
    for (member, count) in [
        ("taken", 2),
        ("accepted", 1),
        ("drafts", 1),
        ("needs_person", 0),
    ] {
        assert_eq!(answer[member], count, "{member}: {answer}");
    }
    assert_eq!(
        (text(answer, "trust"), &answer["mesh_fault"]),
        ("RT9", &Value::Null)
    );
}
