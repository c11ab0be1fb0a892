//! Letters to start from, and what a reading says.

use std::io::{Cursor, Write as _};
use std::path::Path;

use clinical_letter::{ReadOptions, Reading, read};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

pub(super) fn corpus(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    std::fs::read(folder.join(name)).unwrap()
}

/// All source files of the corpus, by name.
pub(super) fn all() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for folder in ["text", "docx", "hl7", "rtf", "doc"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/corpus")
            .join(folder);
        for entry in std::fs::read_dir(path).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if !name.ends_with(".json") {
                files.push((
                    format!("{folder}/{name}"),
                    corpus(&format!("{folder}/{name}")),
                ));
            }
        }
    }
    files.sort();
    files
}

pub(super) fn one(bytes: &[u8]) -> Reading {
    let mut readings = read(bytes, &ReadOptions::default());
    assert_eq!(readings.len(), 1);
    readings.remove(0)
}

/// Disposition and reason.
pub(super) fn outcome(bytes: &[u8]) -> String {
    let reading = one(bytes);
    format!("{} {}", reading.disposition, reading.reason)
}

pub(super) fn warnings(reading: &Reading) -> Vec<&'static str> {
    reading.warnings.iter().map(|one| one.as_str()).collect()
}

/// Headings and texts, as `heading: text`.
pub(super) fn sections(reading: &Reading) -> Vec<String> {
    let all = reading.document.sections.iter();
    all.map(|one| {
        let heading = one.heading.as_ref().map_or("", |heading| heading.expose());
        format!("{heading}: {}", one.text.expose())
    })
    .collect()
}

/// A report of the corpus with one text put in the place of another.
pub(super) fn report_with(from: &str, to: &str) -> Vec<u8> {
    changed("text/t01-clinic-plain.txt", from, to)
}

/// A message of the corpus with one text put in the place of another.
pub(super) fn message_with(from: &str, to: &str) -> Vec<u8> {
    changed("hl7/h01-mdm-t02-tx-lines.hl7", from, to)
}

pub(super) fn changed(name: &str, from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(corpus(name)).unwrap();
    assert!(text.contains(from), "{from} is not in {name}");
    text.replace(from, to).into_bytes()
}

pub(super) const HEAD: &str = "<w:p><w:pPr><w:pStyle w:val='Heading1'/></w:pPr><w:r><w:t>Clinic Letter</w:t></w:r></w:p>\
<w:p><w:r><w:t>Patient: Mrs Eleanor MARSH</w:t><w:br/><w:t>NHS No: 999 030 9256</w:t><w:br/>\
<w:t>Date of birth: 10/10/1960</w:t><w:br/><w:t>Practice: HAWTHORN (Y99901)</w:t><w:br/>\
<w:t>Clinic date: 18/11/2026</w:t><w:br/><w:t>Document no: W-1</w:t></w:r></w:p>\
<w:p><w:pPr><w:outlineLvl w:val='1'/></w:pPr><w:r><w:t>Plan</w:t></w:r></w:p>";

const SIGNED: &str =
    "<w:p><w:r><w:t>Electronically signed by Dr X, Locum, 19/11/2026 14:32</w:t></w:r></w:p>";

const SPACES: &str = "xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main' \
xmlns:mc='http://schemas.openxmlformats.org/markup-compatibility/2006' \
xmlns:wps='http://schemas.microsoft.com/office/word/2010/wordprocessingShape' \
xmlns:v='urn:schemas-microsoft-com:vml' xmlns:new='urn:unheard-of' \
xmlns:m='http://schemas.openxmlformats.org/officeDocument/2006/math'";

const TYPES: &str = "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>";
const ROOTS: &str = "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'><Relationship Id='r' Type='x/officeDocument' Target='word/document.xml'/></Relationships>";

/// The parts of a Word file whose plan holds the given blocks, signed.
pub(super) fn word_parts(blocks: &str, more: &[(&str, String)]) -> Vec<(String, String)> {
    let document =
        format!("<w:document {SPACES}><w:body>{HEAD}{blocks}{SIGNED}</w:body></w:document>");
    let mut parts = vec![
        ("[Content_Types].xml".to_owned(), TYPES.to_owned()),
        ("_rels/.rels".to_owned(), ROOTS.to_owned()),
        ("word/document.xml".to_owned(), document),
    ];
    for (name, text) in more {
        parts.retain(|(known, _)| known != name);
        parts.push(((*name).to_owned(), text.clone()));
    }
    parts
}

pub(super) fn word(blocks: &str) -> Vec<u8> {
    zipped(&word_parts(blocks, &[]))
}

/// A Word file with a part that the document refers to.
pub(super) fn word_with(blocks: &str, kind: &str, inner: &str) -> Vec<u8> {
    let links = format!(
        "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'><Relationship Id='r1' Type='x/{kind}' Target='{kind}.xml'/></Relationships>"
    );
    let root = format!("<w:{kind} {SPACES}>{inner}</w:{kind}>");
    zipped(&word_parts(
        blocks,
        &[
            ("word/_rels/document.xml.rels", links),
            (&format!("word/{kind}.xml"), root),
        ],
    ))
}

pub(super) fn zipped(parts: &[(String, String)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(name.as_str(), SimpleFileOptions::default())
            .unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

pub(super) fn run(text: &str) -> String {
    format!("<w:p><w:r><w:t xml:space='preserve'>{text}</w:t></w:r></w:p>")
}
