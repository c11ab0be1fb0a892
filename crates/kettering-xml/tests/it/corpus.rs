//! Every example and every invalid input with its verdict (facts, sections 16 to 18).

use std::fmt::Write as _;
use std::path::PathBuf;

use kettering_xml::{Mode, Parsed, PayloadKind, parse};

use crate::support::{bytes, data, html_words, shared};

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(data().join(folder)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn verdict(parsed: &Parsed) -> String {
    let found = parsed.findings.findings().iter();
    let found: Vec<String> = found
        .map(|f| format!("{} {}", f.severity, f.rule))
        .collect();
    let kind = parsed.payload.as_ref().map_or("-", |p| p.kind.as_str());
    let dialect = parsed.dialect.map_or("-", |dialect| dialect.as_str());
    format!("{dialect} {kind} [{}]", found.join(", "))
}

#[test]
fn verdicts() {
    let mut table = String::new();
    for folder in ["examples", "invalid"] {
        for file in files(folder) {
            let bytes = bytes(&file);
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            writeln!(table, "{name}").unwrap();
            for mode in [Mode::Lenient, Mode::Strict] {
                let shown = verdict(&parse(&bytes, mode));
                writeln!(table, "  {mode:?}: {shown}").unwrap();
            }
        }
    }
    insta::assert_snapshot!(table);
}

fn findings(name: &str, mode: Mode) -> Vec<String> {
    let parsed = parse(&bytes(&data().join(name)), mode);
    let found = parsed.findings.findings().iter();
    found
        .map(|f| format!("{} {}", f.severity, f.rule))
        .collect()
}

/// The column "Build" of facts, section 17: strict reading judges as building does.
#[test]
fn strict_reading_refuses_what_building_would() {
    for file in files("invalid") {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let parsed = parse(&bytes(&file), Mode::Strict);
        // Not an error without a receiver's profile.
        let open = ["i12", "i20", "i21"]
            .iter()
            .any(|start| name.starts_with(start));
        assert_eq!(parsed.findings.has_errors(), !open, "{name}");
    }
}

#[test]
fn examples_become_messages_by_value() {
    for file in files("examples") {
        let parsed = parse(&bytes(&file), Mode::Lenient);
        let edt = parsed.dialect == Some(kettering_xml::Dialect::Edt);
        assert_eq!(parsed.message.is_some(), edt, "{}", file.display());
    }
}

#[test]
fn k04_and_k05_are_the_same_letter() {
    let read = |name: &str| {
        let bytes = bytes(&data().join("examples").join(name));
        let parsed = parse(&bytes, Mode::Strict);
        html_words(parsed.payload.unwrap().text().unwrap())
    };
    let utf8 = read("k04-special-characters-utf8.xml");
    assert_eq!(utf8, read("k05-special-characters-latin1.xml"));
    assert!(utf8.contains('€'), "{utf8}");
}

#[test]
fn k_p08_k06_joins_the_split_end() {
    let bytes = bytes(&data().join("examples/k06-cdata-split.xml"));
    let payload = parse(&bytes, Mode::Strict).payload.unwrap();
    assert_eq!(payload.text().unwrap().matches("]]>").count(), 1);
}

#[test]
fn k_s09_i22_gives_both_documents() {
    let bytes = bytes(&data().join("invalid/i22-two-text-items.xml"));
    let parsed = parse(&bytes, Mode::Lenient);
    assert_eq!(parsed.payload.unwrap().kind, PayloadKind::Html);
    assert_eq!(parsed.further_payloads.len(), 1);
    assert_eq!(parsed.further_payloads[0].text(), Some("second"));
}

#[test]
fn k_p02_i09_gives_the_raw_text() {
    let bytes = bytes(&data().join("invalid/i09-bad-base64.xml"));
    let payload = parse(&bytes, Mode::Lenient).payload.unwrap();
    assert_eq!(payload.carried, kettering_xml::Carried::BrokenBase64);
    assert!(payload.bytes.starts_with(b"JVBERi0"));
}

#[test]
fn k_w04_i01_has_the_no_break_space_and_k_w07_i12_the_quote() {
    let text = |name: &str| {
        let bytes = bytes(&data().join("invalid").join(name));
        let parsed = parse(&bytes, Mode::Lenient);
        let payload = parsed.payload.unwrap();
        format!(
            "{}{:?}",
            payload.text().unwrap(),
            all_text(&parsed.root.unwrap())
        )
    };
    assert!(text("i01-undefined-entity.xml").contains("\\u{a0}"));
    assert!(text("i12-win1252-in-latin1.xml").contains('’'));
    assert!(text("i13-utf8-declared-latin1-bytes.xml").contains("Siân"));
}

fn all_text(element: &kettering_xml::Element) -> Vec<String> {
    let below = element.children().iter().flat_map(all_text);
    std::iter::once(element.text().to_owned())
        .chain(below)
        .collect()
}

/// Facts, section 18.
#[test]
fn the_public_sample_is_read_with_its_faults() {
    let Some(file) = shared("data/kettering/KetteringExample.xml") else {
        return;
    };
    let parsed = parse(&bytes(&file), Mode::Lenient);
    let ids: Vec<String> = parsed
        .findings
        .findings()
        .iter()
        .map(|f| f.rule.to_string())
        .collect();
    let count = |id: &str| ids.iter().filter(|found| *found == id).count();
    assert_eq!(["K-V02", "K-V04", "K-V17"].map(count), [4, 1, 1], "{ids:?}");
    assert_eq!(ids.len(), 6 + count("K-V13"), "{ids:?}");
    assert!(count("K-V13") > 0 && !parsed.findings.has_errors());
    assert_eq!(parsed.payload.unwrap().kind, PayloadKind::Text);
}

#[test]
fn lenient_reading_only_warns_of_what_can_be_lived_with() {
    for name in [
        "i03-nhs-check-digit",
        "i08-familyname-too-long",
        "i23-no-clinician-name",
    ] {
        let found = findings(&format!("invalid/{name}.xml"), Mode::Lenient);
        assert!(
            found.iter().all(|f| f.starts_with("warning")),
            "{name}: {found:?}"
        );
    }
}
