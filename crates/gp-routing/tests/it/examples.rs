//! The worked examples of gp-routing section 18, with invented practices; those about rows of
//! the real table stand in `real_data`.

use serde_json::{Value, json};

use crate::support::{decided, patched, sent, sent_by_demographics, short};

fn national(patch: &Value) -> String {
    short(&decided(&patched(&sent_by_demographics(), patch)))
}

#[test]
fn example_1_ordinary() {
    let patch = json!({
        "patient": {"nhs_number": "9991234004"}, "demographics": {"nhs_number": "9991234004"},
        "policy": {"allow_synthetic": true},
        "mailboxes": {"*": {"TOC_FHIR_OP_ATTEN": ["GPMB001"]}}
    });
    let decision = decided(&patched(&sent_by_demographics(), &patch));
    assert_eq!(short(&decision), "SEND OK_REGISTERED_PRACTICE");
    assert_eq!(decision.workflow.unwrap().as_str(), "TOC_FHIR_OP_ATTEN");
}

#[test]
fn example_2_moved() {
    let patch = json!({"patient": {"hospital_practice": "Y99902"}, "demographics": {"practice_start": "2026-11-12"}});
    assert_eq!(
        national(&patch),
        "SEND OK_REGISTERED_PRACTICE +PAS_PRACTICE_DIFFERS"
    );
}

#[test]
fn example_3_closed_with_and_without_successor() {
    let closed =
        json!({"patient": {"hospital_practice": "Y99911"}, "demographics": {"practice": "Y99911"}});
    assert_eq!(national(&closed), "HOLD PRACTICE_CLOSED_NO_SUCCESSOR");
    let merger = json!({"policy": {"successors": [{"closed": "Y99911", "successor": "Y99902", "effective_from": "2025-10-01"}]}});
    assert_eq!(
        national(&patched(&closed, &merger)),
        "SEND OK_REGISTERED_PRACTICE +PRACTICE_SUCCEEDED"
    );
}

#[test]
fn example_4_island() {
    let patch = json!({"patient": {"hospital_practice": "Y99940"}, "mailboxes": {"*": {"KETTERING_OP": []}}});
    assert_eq!(
        short(&decided(&patched(&sent(), &patch))),
        "ALT MESH_NO_MAILBOX"
    );
}

#[test]
fn example_6_restricted() {
    let patch = json!({"demographics": {"security": "R", "practice": null, "deceased": "2010-10-22T00:00:00+00:00"}});
    assert_eq!(national(&patch), "HOLD PDS_RESTRICTED +PATIENT_DECEASED");
}

#[test]
fn example_7_contradictory_record() {
    let person = json!({"demographics": {"practice": "Y12345", "practice_end": "2021-12-31", "removal": "SCT", "deceased": "2010-10-22"}});
    assert_eq!(national(&person), "HOLD DEREGISTERED_SCT +PATIENT_DECEASED");
    let address = json!({"patient": {"practice_address_known": true}});
    assert_eq!(
        national(&patched(&person, &address)),
        "ALT DEREGISTERED_SCT +PATIENT_DECEASED"
    );
}

#[test]
fn example_8_minimal_record() {
    let patch = json!({"demographics": {"family": null, "birth_date": null, "practice": null, "security": null}});
    assert_eq!(national(&patch), "HOLD PDS_DEMOGRAPHIC_MISMATCH");
}

#[test]
fn example_9_two_mailboxes() {
    let patch = json!({"mailboxes": {"*": {"TOC_FHIR_OP_ATTEN": ["GPMB001", "GPMB002"]}}});
    assert_eq!(national(&patch), "HOLD MESH_MULTIPLE_MAILBOXES");
}

#[test]
fn example_10_second_format() {
    let decision = decided(&sent_by_demographics());
    assert_eq!(decision.workflow.unwrap().as_str(), "KETTERING_OP");
    assert_eq!(decision.format.as_deref(), Some("kettering"));
}

#[test]
fn example_11_pseudo_code() {
    let source = json!({"patient": {"hospital_practice": "V81997"}});
    assert_eq!(
        national(&source),
        "SEND OK_REGISTERED_PRACTICE +PAS_PRACTICE_DIFFERS"
    );
    assert_eq!(
        national(&json!({"demographics": {"practice": "V81997"}})),
        "HOLD PRACTICE_PSEUDO_CODE +PAS_PRACTICE_DIFFERS"
    );
    assert_eq!(
        short(&decided(&patched(&sent(), &source))),
        "HOLD PRACTICE_PSEUDO_CODE"
    );
}

#[test]
fn example_12_consent() {
    let clinic = json!({"letter": {"specialty": "360"}});
    assert_eq!(national(&clinic), "HOLD SENSITIVE_NEEDS_DECISION");
    let consent = json!({"letter": {"consent": true}});
    assert_eq!(
        national(&patched(&clinic, &consent)),
        "SEND OK_REGISTERED_PRACTICE"
    );
}
