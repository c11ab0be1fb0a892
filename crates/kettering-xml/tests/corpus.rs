//! Every example and every invalid input with its verdict (facts, sections 16 to 18).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use kettering_xml::{Mode, Parsed, parse};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(data().join(folder)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn verdict(parsed: &Parsed) -> String {
    let found = parsed.findings.findings().iter();
    let found: Vec<String> = found.map(|f| format!("{} {}", f.severity, f.rule)).collect();
    let kind = parsed.payload.as_ref().map_or("-", |p| p.kind.as_str());
    let dialect = parsed.dialect.map_or("-", |dialect| dialect.as_str());
    format!("{dialect} {kind} [{}]", found.join(", "))
}

#[test]
fn verdicts() {
    let mut table = String::new();
    for folder in ["examples", "invalid"] {
        for file in files(folder) {
            let bytes = std::fs::read(&file).unwrap();
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
