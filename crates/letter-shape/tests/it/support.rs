use std::path::{Path, PathBuf};

use chrono::{TimeZone, Utc};
use clinical_letter::{Letter, ReadOptions, Section};
use letter_shape::{Envelope, ReceiverProfile};
use nhs_types::OdsCode;
use serde_json::{Value, json};

#[expect(clippy::disallowed_methods, reason = "tests read their data")]
pub(crate) fn bytes(file: &Path) -> Vec<u8> {
    std::fs::read(file).unwrap()
}

pub(crate) fn letter_json() -> Value {
    json!({
        "patient": {
            "nhs_number": "9990308241",
            "name": {"family": "O'TESTCASE", "given": "Siân", "title": "Mrs"},
            "birth_date": "1958-03-17", "sex": "F",
            "address": {"lines": ["14 Sample Street", "Exampleton"], "postcode": "ZZ99 3CZ"},
            "hospital_number": "RZZ100017"
        },
        "practice": {
            "code": "Y99001", "name": "Exampleton Surgery", "gp_code": "G1234567",
            "gp_name": {"family": "Specimen", "given": "A", "title": "Dr"}
        },
        "document": {
            "id": "1118-1003", "kind": "outpatient-letter", "title": "Clinic Letter",
            "event_date": "2026-11-18", "signed_at": "2026-11-19T14:32:00+00:00"
        },
        "author": {"id": "C9999998", "name": "Miss P Placeholder", "role": "Consultant Physician"},
        "encounter": {"class": "outpatient", "location": "CLINIC4"},
        "sections": [
            {"heading": "Diagnosis", "text": "Coeliac disease; eGFR < 60 & falling."},
            {"heading": "Medication",
             "text": "Drug\tDose\tChange\nLevothyroxine\t25 µg once daily\tStarted\nClopidogrel\t75 mg\tContinued\nFolic acid\t\tStopped"},
            {"heading": "Results", "preformatted": true,
             "text": "Test        Value   Range\nFerritin      8     13-150\n  (repeat in 6 weeks)"},
            {"heading": null, "text": "Seen with her daughter.\nShe is well.\n\nPlan: ≥ 2 doses, “as before” – €0."}
        ],
        "cc": ["Patient", "Dr B Elsewhere, Other Hospital"]
    })
}

pub(crate) fn letter_of(value: Value) -> Letter {
    serde_json::from_value(value).unwrap()
}

pub(crate) fn letter() -> Letter {
    letter_of(letter_json())
}

pub(crate) fn with_sections(sections: &[(&str, &str)]) -> Letter {
    let mut letter = letter();
    let sections = sections.iter();
    letter.sections = sections
        .map(|(heading, text)| Section::new(heading, *text))
        .collect();
    letter
}

pub(crate) fn envelope() -> Envelope {
    let trust = OdsCode::parse("RZZ").unwrap();
    let practice = OdsCode::parse("Y99001").unwrap();
    let at = Utc.with_ymd_and_hms(2026, 11, 19, 15, 0, 0).unwrap();
    let mut envelope = Envelope::new(
        "7b0f7c52-6f0b-4d37-9a53-2f5f2b0f7a11",
        "1118-1003-v1",
        (trust, "Example Valley NHS Trust"),
        practice,
        "Gastroenterology",
        at,
    );
    envelope.practice_name = Some("Exampleton Surgery".to_owned());
    envelope
}

pub(crate) fn profile(name: &str) -> ReceiverProfile {
    ReceiverProfile::builtin(name).unwrap()
}

/// Every letter that can be read from the corpus of `clinical-letter`, with its file's name.
pub(crate) fn corpus() -> Vec<(String, Letter)> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folder = crates.join("clinical-letter/tests/corpus");
    let mut files: Vec<PathBuf> = Vec::new();
    for kind in ["text", "docx", "hl7", "rtf"] {
        let Ok(entries) = std::fs::read_dir(folder.join(kind)) else {
            println!("skipped: corpus {kind} (not present)");
            continue;
        };
        files.extend(entries.map(|entry| entry.unwrap().path()));
    }
    files.retain(|file| file.extension().is_none_or(|ending| ending != "json"));
    files.sort();
    let mut out = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        for reading in clinical_letter::read(&bytes(&file), &ReadOptions::default()) {
            out.extend(
                reading
                    .into_letter()
                    .ok()
                    .map(|letter| (name.clone(), letter)),
            );
        }
    }
    out
}
