//! The second implementation of the rules, in Python, comes to the same verdict as ours on clean
//! folders and on folders that were tampered with, and names the same places.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests, outside of test functions; the other implementation reads files"
)]

#[path = "support/folder.rs"]
mod folder;
#[path = "support/ledger.rs"]
mod ledger;

use std::{path::Path, process::Command};

use audit_core::{
    EventProofs, InclusionProofFile, SignedCheckpoint, TileTree, Timestamp, Verification,
    VerifyOptions,
};
use folder::Folder;
use ledger::{Ledger, START_MS, signer, stored};
use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};
use serde_json::{Value, json};

const AUDITOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/auditor/ledger_auditor.py");

/// How many folders are tampered with.
fn rounds() -> u32 {
    let rounds = std::env::var("LETTERBOX_TAMPER_ROUNDS");
    rounds.map_or(24, |rounds| rounds.parse::<u32>().unwrap() / 10)
}

/// Whether Python is here; said aloud when it is not.
fn has_python() -> bool {
    let here = Command::new("python3").arg("--version").output().is_ok();
    if !here {
        println!("skipped: python3 (not present)");
        assert!(std::env::var_os("CI").is_none(), "CI runs the auditor");
    }
    here
}

/// What the auditor says, and its exit code.
fn audit(arguments: &[&str]) -> (Value, Option<i32>) {
    let key = signer().verifier_key().to_string();
    let output = Command::new("python3")
        .arg(AUDITOR)
        .args(arguments)
        .args(["--json", "--key", &key])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let found = serde_json::from_slice(&output.stdout);
    (
        found.unwrap_or_else(|error| panic!("{error}: {said}")),
        output.status.code(),
    )
}

/// Both verdicts, without the words.
fn verdicts(folder: &Folder, external: Option<&str>, now: Option<&str>) -> (Value, Value) {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("export");
    write(folder, &root);
    let kept = place.path().join("kept");
    let mut arguments = vec!["verify", root.to_str().unwrap()];
    if let Some(external) = external {
        std::fs::write(&kept, external).unwrap();
        arguments.extend(["--checkpoint", kept.to_str().unwrap()]);
    }
    if let Some(now) = now {
        arguments.extend(["--now", now]);
    }
    let (mut theirs, code) = audit(&arguments);
    let options = VerifyOptions {
        external_checkpoints: external.iter().map(|text| (*text).to_owned()).collect(),
        now: now.map(|now| Timestamp::parse(now).unwrap()),
        ..stored(Vec::new())
    };
    let ours = folder.verify(options);
    assert_eq!(code, Some(i32::from(!ours.is_clean())), "{theirs}");
    for fault in theirs["faults"].as_array_mut().unwrap() {
        fault.as_object_mut().unwrap().remove("what");
    }
    (without_words(&ours), theirs)
}

fn without_words(found: &Verification) -> Value {
    let faults = found.faults.iter();
    let faults: Vec<_> = faults
        .map(|fault| json!({"rule": fault.rule.as_str(), "seq": fault.seq}))
        .collect();
    json!({
        "clean": found.is_clean(), "events": found.events, "root": found.root.to_string(),
        "checkpoint_size": found.checkpoint_size, "faults": faults,
        "provable_to": found.provable_to,
    })
}

fn write(folder: &Folder, root: &Path) {
    for (path, bytes) in &folder.files {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

const EVENTS: usize = 300;
const SIZES: [usize; 4] = [1, 130, 256, EVENTS];

fn whole() -> Ledger {
    let streams: Vec<u8> = (0..EVENTS).map(|n| u8::try_from(n % 7).unwrap()).collect();
    Ledger::of(&streams)
}

#[test]
fn a_clean_export_is_clean_to_both() {
    if !has_python() {
        return;
    }
    for size in [0, 1, 8, 256, 257, EVENTS] {
        let ledger = Ledger::of(&vec![3; size]);
        let folder = Folder::of(&ledger, &[size]);
        let newest = ledger.checkpoint(size);
        assert!(ledger.verify(stored(vec![newest.clone()])).is_clean());
        let (ours, theirs) = verdicts(&folder, Some(&newest), Some("2026-02-03T10:20:00.000Z"));
        assert_eq!(ours, theirs, "{size}");
        assert_eq!(ours["clean"], Value::Bool(true), "{ours}");
    }
}

#[test]
fn v7_v8_v9_v10_are_judged_alike() {
    if !has_python() {
        return;
    }
    let ledger = whole();
    let folder = Folder::of(&ledger, &[1, 200]);
    let late = Timestamp::from_millis(START_MS + 300 * 60_000 + 7_200_000).to_string();
    let forged = ledger.checkpoint(200).replacen("\n200\n", "\n201\n", 1);
    let other = Ledger::of(&[9; 200]).checkpoint(200);
    let shrinking = Folder::of(&ledger, &[256, 100, EVENTS]);
    for (folder, external, now) in [
        (&folder, None, Some(late.as_str())),
        (&folder, Some(forged.as_str()), None),
        (&folder, Some(other.as_str()), None),
        (&folder, Some("no checkpoint"), None),
        (&shrinking, None, None),
    ] {
        let (ours, theirs) = verdicts(folder, external, now);
        assert_eq!(ours, theirs, "{external:?} {now:?}");
    }
    let cut = Folder::of(&Ledger::of(&[1, 2, 3]), &[3]);
    let newest = Ledger::of(&[1, 2, 3, 1]).checkpoint(4);
    let (ours, theirs) = verdicts(&cut, Some(&newest), None);
    assert_eq!(ours, theirs);
    assert_eq!(ours["faults"][0]["rule"], "V9");
}

#[test]
fn audit_6_tampered_exports_are_judged_alike() {
    if !has_python() {
        return;
    }
    let mut rng = Random(TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let ledger = whole();
    for round in 0..rounds() {
        let (folder, what) = tampered(&ledger, &mut rng);
        let (ours, theirs) = verdicts(&folder, None, None);
        assert_eq!(ours, theirs, "round {round}: {what}");
        assert_eq!(ours["clean"], Value::Bool(false), "round {round}: {what}");
    }
}

struct Random(TestRng);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.0.next_u64() % end as u64).unwrap()
    }
}

/// A folder after one change, and what it was.
fn tampered(ledger: &Ledger, rng: &mut Random) -> (Folder, String) {
    if rng.below(2) == 0 {
        return forged(ledger, rng);
    }
    let mut folder = Folder::of(ledger, &SIZES);
    let paths: Vec<String> = folder.files.keys().cloned().collect();
    let path = paths[rng.below(paths.len())].clone();
    let other = paths
        .iter()
        .find(|other| folder.files[*other] != folder.files[&path]);
    let other = folder.files[other.unwrap()].clone();
    let file = folder.files.get_mut(&path).unwrap();
    let at = rng.below(file.len());
    // A folder with fewer of its older checkpoints is as good: there only bits are flipped.
    let kind = if path == "checkpoints" {
        3
    } else {
        rng.below(4)
    };
    let what = match kind {
        0 => {
            file.truncate(at);
            format!("{path} was cut at {at}")
        }
        1 => {
            *file = other;
            format!("{path} was swapped")
        }
        2 => {
            folder.files.remove(&path);
            format!("{path} was deleted")
        }
        _ => {
            let bit = rng.below(8);
            file[at] ^= 1 << bit;
            format!("bit {bit} of byte {at} of {path} was flipped")
        }
    };
    (folder, what)
}

/// A folder by a forger without the key, whose tiles fit the changed events.
fn forged(ledger: &Ledger, rng: &mut Random) -> (Folder, String) {
    let mut changed = ledger.clone();
    let events = &mut changed.events;
    let at = rng.below(EVENTS - 1);
    let other = rng.below(EVENTS - 1);
    let what = match rng.below(4) {
        0 => {
            events[at].clone_from(&ledger.events[other + usize::from(other == at)]);
            format!("event {at} was replaced")
        }
        1 => {
            events.swap(at, at + 1);
            format!("events {at} and the next were swapped")
        }
        2 => {
            let text = String::from_utf8(events[at].clone()).unwrap();
            events[at] = text.replace("opened", "closed").into_bytes();
            format!("event {at} was rewritten")
        }
        _ => {
            let place = rng.below(events[at].len());
            events[at][place] ^= 1;
            format!("byte {place} of event {at} was flipped")
        }
    };
    (Folder::of(&changed, &SIZES), what)
}

#[test]
fn a_file_of_proofs_is_judged_alike() {
    if !has_python() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("letter.proofs");
    let check = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let trusted = [signer().verifier_key()];
        let ours = EventProofs::parse(text, &trusted).is_ok_and(|proofs| proofs.check().is_ok());
        let (theirs, code) = audit(&["proof", path.to_str().unwrap()]);
        assert_eq!(theirs["clean"], Value::Bool(ours), "{theirs}");
        assert_eq!(code, Some(i32::from(!ours)));
        (ours, theirs)
    };
    let text = proofs(&whole(), 3);
    let (clean, found) = check(&text);
    assert!(clean, "{found}");
    let events = found["events"].as_array().unwrap();
    assert_eq!(events.len(), EVENTS.div_ceil(7));
    assert_eq!(events[1]["seq"], 10);

    let mut rng = Random(TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let short = proofs(&Ledger::of(&[1, 3, 3]), 3);
    for _ in 0..rounds() / 4 {
        let mut bytes = short.clone().into_bytes();
        let at = rng.below(bytes.len());
        bytes[at] ^= 1 << rng.below(7);
        if let Ok(text) = String::from_utf8(bytes) {
            let _ = check(&text);
        }
    }
}

fn proofs(ledger: &Ledger, stream: usize) -> String {
    let size = ledger.events.len();
    let folder = Folder::of(ledger, &[size]);
    let mut tree = TileTree::new(size as u64, |tile: &_| folder.read(tile));
    let trusted = [signer().verifier_key()];
    let note = ledger.checkpoint(size);
    let signed = SignedCheckpoint::parse(&note, &trusted).unwrap();
    let of_stream = format!("\"letter\":\"{}\"", format!("{stream:02}").repeat(16));
    let is_of_stream = |event: &[u8]| String::from_utf8_lossy(event).contains(&of_stream);
    let mut proofs = Vec::new();
    for (index, event) in (0..).zip(&ledger.events) {
        if is_of_stream(event) {
            let path = tree.inclusion_proof(index).unwrap();
            let mut proof = InclusionProofFile::new(index, path, signed.clone());
            proof.extra = Some(event.clone());
            proofs.push(proof);
        }
    }
    EventProofs::new(proofs).to_text()
}

#[test]
fn a_wrong_call_is_told_apart_from_a_wrong_ledger() {
    if !has_python() {
        return;
    }
    let call = |arguments: &[&str]| {
        let mut command = Command::new("python3");
        command.arg(AUDITOR).args(arguments);
        command.output().unwrap().status.code()
    };
    assert_eq!(call(&[]), Some(2));
    assert_eq!(call(&["verify", ".", "--key", "no key"]), Some(2));
    let key = signer().verifier_key().to_string();
    assert_eq!(call(&["proof", "/no/such/file", "--key", &key]), Some(2));
    assert_eq!(call(&["verify", "/no/such/folder", "--key", &key]), Some(1));
}
