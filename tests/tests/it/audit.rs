//! What an auditor gets, and can check without us.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};

use audit_core::{
    Checkpoint, EventProofs, Hash, SignedCheckpoint, VerifierKey, verify_consistency,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use letterbox_tests::{Letter, Mesh, Outcome, Site};
use rcgen::SigningKey as _;
use sha2::Digest as _;

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

/// Another account's process guards the key; the program asks it, and trusts what it signed.
#[tokio::test(flavor = "multi_thread")]
async fn section_5_4_a_process_of_its_own_signs_and_never_signs_less() {
    let (_mesh, site) = site().await;
    site.write_secret("signer.key", &"7a".repeat(32));
    let name = "letterbox.invalid/rt9";
    let guard = ["audit", "signer", "--key", "signer.key", "--name", name];
    let key = site.letterbox(&guard).exits(0).stdout;
    let signer = site.path("signer.sh");
    let letterbox = site.command(&[]).get_program().to_str().unwrap().to_owned();
    let call = format!(
        "#!/bin/sh\nexec {letterbox} {} --state signed.txt\n",
        guard.join(" ")
    );
    site.write("signer.sh", call);
    site.set_mode("signer.sh", 0o700);
    site.change_config(
        "[trust.routing]",
        &format!(
            "[trust.ledger]\nsigner = [\"{}\"]\nsigner_key = \"{}\"\nanchor_file = \
             \"anchors.txt\"\n\n[trust.routing]",
            signer.display(),
            key.trim_end()
        ),
    );
    site.hand_over(&Letter::new(4));
    let _ = site.run_once().exits(0);
    let said = site.letterbox(&["audit", "checkpoint"]).exits(0).stdout;
    let trusted = [VerifierKey::parse(key.trim_end()).unwrap()];
    let signed = SignedCheckpoint::parse(&said, &trusted).unwrap();
    let found = &site
        .letterbox(&["audit", "verify", "--json"])
        .exits(0)
        .json()[0];
    assert_eq!(
        found["checkpoint_size"].as_u64(),
        Some(signed.checkpoint().size)
    );

    let anchors = fs::read_to_string(site.path("anchors.txt")).unwrap();
    let words: Vec<_> = anchors.lines().next().unwrap().split(' ').collect();
    assert_eq!((words.len(), words[0]), (3, name));

    let state = fs::read_to_string(site.path("signed.txt")).unwrap();
    let size = signed.checkpoint().size;
    assert_eq!(state, signed.checkpoint().body());
    // As if the store had been an older one: the signer remembers.
    site.write(
        "signed.txt",
        state.replacen(&format!("\n{size}\n"), "\n99999\n", 1),
    );
    site.hand_over(&Letter::new(5));
    let refused = site.run_once();
    assert_ne!(refused.code, Some(0));
    assert!(refused.stderr.contains("signed before"), "{refused:#?}");
}

/// A witness with a real key, that demands a proof from what it saw last (C2SP tlog-witness).
struct TestWitness {
    port: u16,
    key: String,
    sizes: Arc<Mutex<Vec<u64>>>,
}

const WITNESS: &str = "witness.example/w1";

impl TestWitness {
    fn start(ledger: VerifierKey) -> Self {
        let signing = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let mut public = vec![4];
        public.extend_from_slice(signing.public_key_raw());
        let id = sha2::Sha256::digest([WITNESS.as_bytes(), b"\n", &public].concat());
        let id: [u8; 4] = id[..4].try_into().unwrap();
        let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let key = format!("{WITNESS}+{hex}+{}", BASE64_STANDARD.encode(&public));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&sizes);
        std::thread::spawn(move || {
            let mut last: Option<Checkpoint> = None;
            for socket in listener.incoming() {
                let mut socket = socket.unwrap();
                let body = request(&mut socket);
                let (status, answer) = cosign(&body, &ledger, &mut last, &signing, id);
                if status == 200 {
                    seen.lock().unwrap().push(last.as_ref().unwrap().size);
                }
                let length = answer.len();
                let answer = format!(
                    "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n\
                     {answer}"
                );
                socket.write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { port, key, sizes }
    }
}

fn request(socket: &mut std::net::TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let read = socket.read(&mut chunk).unwrap();
        bytes.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.to_ascii_lowercase();
        let length = length.split("content-length: ").nth(1).unwrap();
        let length: usize = length.lines().next().unwrap().parse().unwrap();
        if body.len() >= length {
            assert!(head.starts_with("POST /add-checkpoint "), "{head}");
            return body.to_owned();
        }
    }
}

fn cosign(
    body: &str,
    ledger: &VerifierKey,
    last: &mut Option<Checkpoint>,
    signing: &rcgen::KeyPair,
    id: [u8; 4],
) -> (u16, String) {
    let (head, note) = body.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    let old: u64 = lines
        .next()
        .unwrap()
        .strip_prefix("old ")
        .unwrap()
        .parse()
        .unwrap();
    let signed = SignedCheckpoint::parse(note, std::slice::from_ref(ledger)).unwrap();
    let next = signed.checkpoint();
    let held = last.as_ref().map_or(0, |last| last.size);
    if old != held {
        return (409, format!("{held}\n"));
    }
    if let Some(last) = last {
        let hash = |line: &str| {
            Hash::from_bytes(BASE64_STANDARD.decode(line).unwrap().try_into().unwrap())
        };
        let proof: Vec<_> = lines.map(hash).collect();
        if verify_consistency(old, next.size, &last.root, &next.root, &proof).is_err() {
            return (422, String::new());
        }
    }
    let time = 1_770_113_700_u64;
    let message = format!("cosignature/v1\ntime {time}\n{}", next.body());
    let signature = signing.sign(message.as_bytes()).unwrap();
    let value = [&id[..], &time.to_be_bytes(), &signature].concat();
    *last = Some(next.clone());
    (
        200,
        format!("\u{2014} {WITNESS} {}\n", BASE64_STANDARD.encode(value)),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn section_5_3_a_witness_sees_every_checkpoint_and_its_proof() {
    let (_mesh, site) = site().await;
    let witness = TestWitness::start(key(&site));
    site.change_config(
        "[trust.routing]",
        &format!(
            "[trust.ledger]\nwitnesses_needed = 1\n[[trust.ledger.witness]]\nurl = \
             \"http://127.0.0.1:{}\"\nkey = \"{}\"\n\n[trust.routing]",
            witness.port, witness.key
        ),
    );
    for n in 4..7 {
        site.hand_over(&Letter::new(n));
        let done = site.run_once().exits(0);
        assert!(!done.stderr.contains("witness"), "{done:#?}");
    }
    let sizes = witness.sizes.lock().unwrap().clone();
    assert_eq!(sizes.len(), 3, "{sizes:?}");
    assert!(sizes.is_sorted(), "{sizes:?}");

    // A key that is none is a fault of the configuration.
    site.change_config(&witness.key, "witness.example/w2+00000000+AAAA");
    let _ = site.run_once().exits(2);
}
