//! A case that is sent, patches that change one thing of it, and the shared reference data.

use std::path::{Path, PathBuf};

use gp_routing::{
    Case, CaseFile, Decision, PracticeTable, SAMPLE_TABLE, TableLimits, decide, decide_all,
};
use serde_json::{Value, json};

/// The day of all cases: a Thursday.
pub(crate) const NOW: &str = "2026-11-19T15:00:00Z";

pub(crate) fn sample() -> PracticeTable {
    PracticeTable::read(SAMPLE_TABLE.as_bytes(), &TableLimits::at_least(1)).unwrap()
}

/// A signed clinic letter of an English patient of Y99901, which has one mailbox.
pub(crate) fn sent() -> Value {
    json!({
        "today": NOW,
        "letter": {"kind": "outpatient", "signed_off": true, "event_at": "2026-11-18T10:00:00Z"},
        "patient": {
            "nhs_number": "4010232137", "number_status": "01", "family": "Ashworth",
            "birth_date": "1951-03-07", "hospital_practice": "Y99901"
        },
        "mailboxes": {"*": {"TOC_FHIR_OP_ATTEN": [], "KETTERING_OP": ["GPMB001"]}},
        "policy": {
            "demographics": "source",
            "workflows": [
                {"workflow": "TOC_FHIR_OP_ATTEN", "format": "fhir"},
                {"workflow": "KETTERING_OP", "format": "kettering"}
            ]
        }
    })
}

/// The same letter where the national record is asked, and confirms everything.
pub(crate) fn sent_by_demographics() -> Value {
    patched(
        &sent(),
        &json!({
            "policy": {"demographics": "required"},
            "demographics": {
                "status": 200, "nhs_number": "4010232137", "security": "U",
                "practice": "Y99901", "practice_start": "2010-04-01",
                "family": "ASHWORTH", "birth_date": "1951-03-07"
            }
        }),
    )
}

/// Merges a patch into a case: objects member by member, `null` takes a member away.
pub(crate) fn patched(base: &Value, patch: &Value) -> Value {
    let (Value::Object(base), Value::Object(patch)) = (base, patch) else {
        return patch.clone();
    };
    let mut merged = base.clone();
    for (name, value) in patch {
        let below = base.get(name).filter(|below| below.is_object());
        match (value, below) {
            (Value::Null, _) => drop(merged.remove(name)),
            (value, Some(below)) => drop(merged.insert(name.clone(), patched(below, value))),
            (value, None) => drop(merged.insert(name.clone(), value.clone())),
        }
    }
    Value::Object(merged)
}

pub(crate) fn case(value: &Value) -> Case {
    let file: CaseFile = serde_json::from_value(value.clone()).unwrap();
    file.into_case(NOW.parse().unwrap())
}

pub(crate) fn decided(value: &Value) -> Decision {
    decide(&case(value), &sample())
}

pub(crate) fn all_decided(value: &Value) -> Vec<Decision> {
    decide_all(&case(value), &sample())
}

/// `SEND OK_REGISTERED_PRACTICE` and the warnings.
pub(crate) fn short(decision: &Decision) -> String {
    let mut text = format!("{} {}", decision.outcome.as_str(), decision.reason);
    for warning in &decision.warnings {
        text.push_str(" +");
        text.push_str(warning.as_str());
    }
    text
}

/// A file of the shared reference data, or a note that the test is skipped.
#[expect(
    clippy::disallowed_methods,
    reason = "tests read reference data that is not kept here"
)]
pub(crate) fn shared(file: &str) -> Option<Vec<u8>> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = |folder: &Path| -> PathBuf { folder.join("shared").join("data").join(file) };
    let found = manifest.ancestors().map(beside).find(|path| path.is_file());
    let Some(path) = found else {
        println!("skipped: {file} (not present)");
        return None;
    };
    Some(std::fs::read(path).unwrap())
}
