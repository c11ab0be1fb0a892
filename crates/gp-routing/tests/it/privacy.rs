//! No decision names a patient, whatever stood in the case.

use gp_routing::decide_all;
use serde_json::{Value, json};

use crate::support::{case, patched, sample, sent, sent_by_demographics};

const CANARIES: [&str; 6] = [
    "CANARYNAME",
    "CANARYOTHER",
    "4010232137",
    "401 023 2137",
    "1951",
    "CANARYWHY",
];

#[test]
fn no_canary_in_explanation_debug_json_or_ledger_codes() {
    let letters = [
        json!({}),
        json!({"signed_off": false}),
        json!({"specialty": "360"}),
        json!({"gp_copy": "declined", "decline": {"by": "CANARYOTHER", "at": "2026-11-18", "why": "CANARYWHY"}}),
        json!({"recipients": ["patient", {"ods_code": "Y99902"}]}),
    ];
    let patients = [
        json!({}),
        json!({"nhs_number": "CANARYNAME"}),
        json!({"number_status": "CANARYNAME"}),
        json!({"hospital_practice": "CANARYNAME"}),
        json!({"hospital_practice": "CANARYNAME CANARYOTHER"}),
    ];
    let people = [
        json!({}),
        json!({"family": "CANARYOTHER"}),
        json!({"practice": "CANARYNAME"}),
        json!({"security": "CANARYNAME"}),
        json!({"removal": "CANARYNAME", "practice": null}),
    ];
    for base in [sent(), sent_by_demographics()] {
        for letter in &letters {
            for patient in &patients {
                people
                    .iter()
                    .for_each(|person| refuse_canaries(&named(&base, letter, patient, person)));
            }
        }
    }
}

/// A case whose patient has the canary's name, with one thing changed in each part.
fn named(base: &Value, letter: &Value, patient: &Value, person: &Value) -> Value {
    let patient = patched(&json!({"family": "CANARYNAME"}), patient);
    let value = patched(base, &json!({"letter": letter, "patient": patient}));
    if base.get("demographics").is_none() {
        return value;
    }
    let person = patched(&json!({"family": "CANARYNAME"}), person);
    patched(&value, &json!({"demographics": person}))
}

fn refuse_canaries(value: &Value) {
    for decision in decide_all(&case(value), &sample()) {
        let json = serde_json::to_string(&decision).unwrap();
        let shown = format!(
            "{} {decision:?} {json} {:?}",
            decision.explanation,
            decision.ledger_codes()
        );
        for canary in CANARIES {
            assert!(!shown.contains(canary), "{canary} in {shown}");
        }
    }
}

#[test]
fn debug_of_a_case_shows_no_patient() {
    let named =
        json!({"patient": {"family": "CANARYNAME"}, "demographics": {"family": "CANARYOTHER"}});
    let shown = format!("{:?}", case(&patched(&sent_by_demographics(), &named)));
    for canary in CANARIES {
        assert!(!shown.contains(canary), "{canary} in {shown}");
    }
}
