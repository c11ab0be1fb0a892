//! What an auditor gets, and can check without us.

use std::fs;
use std::process::Command;

use audit_core::{EventProofs, SignedCheckpoint, VerifierKey};
use letterbox_tests::{Letter, Mesh, Outcome, Site};

const AUDITOR: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../crates/audit-core/auditor/ledger_auditor.py"
);

/// A site through which a few letters went.
async fn site() -> (Mesh, Site) {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    for n in 1..=3 {
        site.hand_over(&Letter::new(n));
    }
    let _ = site.run_once().exits(0);
    (mesh, site)
}

fn key(site: &Site) -> VerifierKey {
    let said = site.letterbox(&["audit", "checkpoint", "--key"]).exits(0);
    VerifierKey::parse(said.stdout.trim_end()).unwrap()
}

fn letter(site: &Site) -> String {
    let status = site.letterbox(&["status", "--json"]).exits(0);
    status.json()[0]["letter"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn design_6_a_checkpoint_is_printed_as_it_is_kept() {
    let (_mesh, site) = site().await;
    let said = site.letterbox(&["audit", "checkpoint"]).exits(0);
    let signed = SignedCheckpoint::parse(&said.stdout, &[key(&site)]).unwrap();
    assert!(signed.checkpoint().size > 20);
    site.write("kept.txt", &said.stdout);
    let _ = site
        .letterbox(&["audit", "verify", "--checkpoint", "kept.txt"])
        .exits(0);
    let json = &site
        .letterbox(&["audit", "checkpoint", "--json"])
        .exits(0)
        .json()[0];
    assert_eq!(json["checkpoint"].as_str(), Some(said.stdout.as_str()));
    assert_eq!(json["size"].as_u64(), Some(signed.checkpoint().size));
    assert_eq!(json["key"].as_str(), Some(key(&site).to_string().as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn design_6_a_letter_is_proven_by_one_file_and_the_key() {
    let (_mesh, site) = site().await;
    let id = letter(&site);
    let said = site.letterbox(&["audit", "prove", &id]).exits(0);
    let proofs = EventProofs::parse(&said.stdout, &[key(&site)]).unwrap();
    let events = proofs.check().unwrap();
    let kinds: Vec<_> = events
        .iter()
        .map(|event| event.body.kind.as_str())
        .collect();
    for kind in [
        "epr.signed_off",
        "routed",
        "rendered",
        "send.started",
        "send.accepted",
    ] {
        assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
    }
    for proof in proofs.proofs() {
        let bytes = proof.to_text().len();
        assert!(bytes <= 2_048, "{bytes}");
    }
    for (id, code) in [("00".repeat(16), 1), ("no-id".to_owned(), 2)] {
        let _ = site.letterbox(&["audit", "prove", &id]).exits(code);
    }
    if has_python() {
        site.write("letter.proofs", &said.stdout);
        let found = auditor(&site, &["proof", "letter.proofs"]);
        assert_eq!(found.0, Some(0), "{}", found.1);
        assert_eq!(found.1.lines().count(), events.len());
        site.write(
            "letter.proofs",
            said.stdout.replacen("index 1", "index 2", 1),
        );
        assert_eq!(auditor(&site, &["proof", "letter.proofs"]).0, Some(1));
    }
}

fn export(site: &Site, code: i32) -> Outcome {
    site.letterbox(&["audit", "export", "export", "--json"])
        .exits(code)
}

fn verify_folder(site: &Site) -> Outcome {
    site.letterbox(&["audit", "verify", "--folder", "export", "--json"])
}

#[tokio::test(flavor = "multi_thread")]
async fn design_6_an_export_grows_and_is_clean_to_both_implementations() {
    let (_mesh, site) = site().await;
    let first = export(&site, 0).json()[0]["events"].as_u64().unwrap();
    for n in 4..40 {
        site.hand_over(&Letter::new(n));
    }
    let _ = site.run_once().exits(0);
    let second = &export(&site, 0).json()[0];
    let events = second["events"].as_u64().unwrap();
    assert_eq!(second["new"].as_u64(), Some(events - first));
    assert!(events > 256, "{events}");
    assert!(site.path("export/tile/entries/000").exists());
    assert!(!site.path("export/tile/entries/000.p").exists());

    let found = &verify_folder(&site).exits(0).json()[0];
    assert_eq!(found["events"].as_u64(), Some(events));
    assert_eq!(found["root"], second["root"]);
    if has_python() {
        let (code, said) = auditor(&site, &["verify", "export"]);
        assert_eq!(code, Some(0), "{said}");
        assert!(
            said.starts_with(&format!("clean: {events} events")),
            "{said}"
        );
    }

    // One bit of an event in the middle.
    let path = site.path("export/tile/entries/000");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let found = verify_folder(&site).exits(1);
    let place = &found.json()[0]["faults"][0]["seq"];
    assert!(place.is_u64(), "{place}");
    if has_python() {
        let (code, said) = auditor(&site, &["verify", "export", "--json"]);
        assert_eq!(code, Some(1), "{said}");
        let theirs: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!(theirs["faults"][0]["seq"], *place);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_goes_into_no_folder_of_something_else() {
    let (_mesh, site) = site().await;
    site.write("export/holiday.jpg", "jpg");
    let refused = export(&site, 2);
    assert!(refused.stderr.contains("other files"), "{refused:#?}");
    fs::remove_file(site.path("export/holiday.jpg")).unwrap();
    let _ = export(&site, 0);
    let note = fs::read_to_string(site.path("export/checkpoint")).unwrap();
    site.write("export/checkpoint", note.replacen('\n', "\n1", 1));
    let _ = export(&site, 1);
    site.write("export/checkpoint", note);
    let entries = site.path("export/tile/entries/000.p");
    let partial = fs::read_dir(entries)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    fs::remove_file(&partial).unwrap();
    let refused = export(&site, 1);
    assert!(refused.stderr.contains("is missing"), "{refused:#?}");
}

/// Rule 14: who looked and who exported stands in the ledger, by the account of the system.
#[tokio::test(flavor = "multi_thread")]
async fn proofs_and_exports_are_events_too() {
    let (_mesh, site) = site().await;
    let _ = site.letterbox(&["audit", "prove", &letter(&site)]).exits(0);
    let _ = export(&site, 0);
    let _ = export(&site, 0);
    let bundle = fs::read_dir(site.path("export/tile/entries/000.p")).unwrap();
    let texts: Vec<_> = bundle
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect();
    let newest = texts.iter().max_by_key(|text| text.len()).unwrap();
    for kind in ["\"type\":\"audit.proved\"", "\"type\":\"audit.exported\""] {
        assert!(newest.contains(kind), "{kind}");
    }
    assert!(newest.contains("\"actor\":\"user:"), "a person exported");
}

#[tokio::test(flavor = "multi_thread")]
async fn design_6_rows_that_are_lost_are_rebuilt_and_the_letters_go_on() {
    let (mesh, site) = site().await;
    let before = site.letterbox(&["status", "--json"]).exits(0);
    let untouched = &site
        .letterbox(&["audit", "rebuild", "--json"])
        .exits(0)
        .json()[0];
    assert_eq!(untouched["mended"].as_u64(), Some(0), "{untouched}");
    let db = rusqlite::Connection::open(site.path("data/rt9.db")).unwrap();
    db.execute_batch(
        "DELETE FROM work; DELETE FROM copy; DELETE FROM letter; DELETE FROM document",
    )
    .unwrap();
    drop(db);
    let _ = site.letterbox(&["audit", "verify"]).exits(1);
    let done = &site
        .letterbox(&["audit", "rebuild", "--json"])
        .exits(0)
        .json()[0];
    assert_eq!(done["records"].as_u64(), Some(6), "{done}");
    assert_eq!(done["lost"].as_u64(), Some(0), "{done}");
    let _ = site.letterbox(&["audit", "verify"]).exits(0);
    let after = site.letterbox(&["status", "--json"]).exits(0);
    assert_eq!(after.stdout, before.stdout);

    let collected = mesh.collect("YGM24GP1");
    let _ = site.run_once().exits(0);
    let status = site
        .letterbox(&["status", "--state", "COLLECTED", "--json"])
        .exits(0);
    assert_eq!(status.stdout.lines().count(), collected.len());
    assert_eq!(mesh.sends(), 3, "nothing was sent twice");
    let _ = site.letterbox(&["audit", "verify"]).exits(0);
}

fn has_python() -> bool {
    let here = Command::new("python3").arg("--version").output().is_ok();
    if !here {
        println!("skipped: python3 (not present)");
        assert!(std::env::var_os("CI").is_none(), "CI runs the auditor");
    }
    here
}

/// The exit code and the answer of the second implementation.
fn auditor(site: &Site, arguments: &[&str]) -> (Option<i32>, String) {
    let key = key(site).to_string();
    let mut command = Command::new("python3");
    command.arg(AUDITOR).args(arguments).args(["--key", &key]);
    let output = command.current_dir(site.folder()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), said)
}
