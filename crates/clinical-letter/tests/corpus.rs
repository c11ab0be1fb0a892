//! The corpus of source letters: which cases read as expected today. A case that passed and stops
//! passing changes the snapshot, and so fails.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test may fail and read files"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clinical_letter::{ReadOptions, Reading, read};
use serde_json::Value;

/// Members that describe the case, or what only a system with a memory can say.
const NOT_COMPARED: &[&str] = &["file", "why", "frames", "releases"];

/// Names are compared without regard to case, as the corpus' README says.
const CASELESS: &[&str] = &["patient.family", "patient.given", "patient.title"];

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn cases(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(corpus().join(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let is_case = |path: &PathBuf| !path.to_string_lossy().ends_with(".expected.json");
    let mut cases: Vec<PathBuf> = paths.filter(is_case).collect();
    cases.sort();
    cases
}

fn expected_of(case: &Path) -> Value {
    let path = format!("{}.expected.json", case.display());
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The places where what was read differs from what is expected. Absent and null are the same.
fn differences(expected: &Value, got: &Value, place: &str, found: &mut Vec<String>) {
    match expected {
        Value::Object(members) => {
            for (name, value) in members {
                let inner = if place.is_empty() {
                    name.clone()
                } else {
                    format!("{place}.{name}")
                };
                if !NOT_COMPARED.contains(&inner.as_str()) {
                    differences(value, &got[name], &inner, found);
                }
            }
        }
        Value::String(text) if CASELESS.contains(&place) => {
            let same = got.as_str().map(str::to_lowercase) == Some(text.to_lowercase());
            found.extend((!same).then(|| place.to_owned()));
        }
        _ if expected != got => {
            eprintln!("{place}: expected {expected}, got {got}");
            found.push(place.to_owned());
        }
        _ => {}
    }
}

fn outcome(value: &Value) -> String {
    let word = |name: &str| value[name].as_str().unwrap_or("-").to_owned();
    format!("{} {}", word("disposition"), word("reason"))
}

fn compare(case: &Path) -> (String, String, Vec<String>) {
    let expected = expected_of(case);
    let readings = read(&std::fs::read(case).unwrap(), &ReadOptions::default());
    let got: Vec<Value> = readings
        .iter()
        .map(|one| serde_json::to_value(one.to_json()).unwrap())
        .collect();
    let mut found = Vec::new();
    for one in &got {
        differences(&expected, one, "", &mut found);
    }
    let frames = expected["frames"].as_array();
    let expected_count = frames.map_or(1, Vec::len);
    found.extend((got.len() != expected_count).then(|| "messages".to_owned()));
    for (frame, one) in frames.into_iter().flatten().zip(&got) {
        differences(frame, &one["document"], "frame", &mut found);
    }
    found.sort();
    found.dedup();
    let mut outcomes: Vec<String> = got.iter().map(outcome).collect();
    outcomes.dedup();
    (outcome(&expected), outcomes.join(", "), found)
}

fn table(folder: &str) -> String {
    let mut table = String::from("file | expected | got | passes\n");
    for case in cases(folder) {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let (expected, got, found) = compare(&case);
        let passes = match found.len() {
            0 => "yes".to_owned(),
            1..=6 => format!("no: {}", found.join(", ")),
            many => format!("no: {many} members differ"),
        };
        writeln!(table, "{name} | {expected} | {got} | {passes}").unwrap();
    }
    table
}

#[test]
fn corpus_text() {
    insta::assert_snapshot!(table("text"));
}

#[test]
fn corpus_docx() {
    insta::assert_snapshot!(table("docx"));
}

#[test]
fn corpus_hl7() {
    insta::assert_snapshot!(table("hl7"));
}

#[test]
fn corpus_rtf_and_doc_are_held_until_they_have_a_reader() {
    insta::assert_snapshot!(format!("{}{}", table("rtf"), table("doc")));
}

#[test]
fn every_case_expected_to_be_sent_becomes_a_letter_and_no_other() {
    for folder in ["text", "docx", "hl7"] {
        for case in cases(folder) {
            let sends = expected_of(&case)["disposition"] == "send";
            let readings = read(&std::fs::read(&case).unwrap(), &ReadOptions::default());
            for reading in readings {
                assert_eq!(
                    Reading::into_letter(reading).is_ok(),
                    sends,
                    "{}",
                    case.display()
                );
            }
        }
    }
}
