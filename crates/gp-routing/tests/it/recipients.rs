//! Several recipients: one decision each, one send to each organisation (gp-routing 10, 17).

use gp_routing::Outcome;
use serde_json::{Value, json};

use crate::support::{all_decided, patched, sent, sent_by_demographics, short};

fn decided(base: &Value, recipients: Value, patch: &Value) -> Vec<String> {
    let with = patched(base, &json!({"letter": {"recipients": recipients}}));
    let decisions = all_decided(&patched(&with, patch));
    decisions
        .iter()
        .map(|decision| {
            let code = decision
                .practice
                .as_ref()
                .map_or("-", |practice| practice.code.as_str());
            format!("{code} {}", short(decision))
        })
        .collect()
}

#[test]
fn gp_routing_10_without_a_list_the_registered_practice_alone() {
    let decisions = all_decided(&sent());
    assert_eq!(decisions.len(), 1);
    assert_eq!(decisions[0].outcome, Outcome::Send);
}

#[test]
fn gp_routing_10_the_registered_practice_comes_first_and_is_never_left_out() {
    let copies = json!([{"ods_code": "Y99902"}, "registered_practice"]);
    let expected = [
        "Y99901 SEND OK_REGISTERED_PRACTICE",
        "Y99902 SEND OK_CC_RECIPIENT",
    ];
    assert_eq!(decided(&sent(), copies, &json!({})), expected);
    assert_eq!(
        decided(&sent(), json!([{"ods_code": "Y99902"}]), &json!({})),
        expected
    );
}

#[test]
fn gp_routing_10_a_copy_goes_by_its_own_workflow() {
    let copies =
        json!([{"ods_code": "RR8", "workflow": {"workflow": "TRUST_LETTER", "format": "pdf"}}]);
    let asked = decided(&sent(), copies.clone(), &json!({}));
    assert_eq!(asked[1], "RR8 NEED NEED_MAILBOX");
    let answered = decided(
        &sent(),
        copies,
        &json!({"mailboxes": {"RR8": {"TRUST_LETTER": ["RR8MB1"]}}}),
    );
    assert_eq!(answered[1], "RR8 SEND OK_CC_RECIPIENT");
}

#[test]
fn gp_routing_17_the_same_practice_twice_is_one_send() {
    let copies =
        json!(["gp", {"ods_code": "y99901"}, {"ods_code": "Y99902"}, {"ods_code": "Y99902"}]);
    let expected = [
        "Y99901 SEND OK_REGISTERED_PRACTICE",
        "Y99902 SEND OK_CC_RECIPIENT",
    ];
    assert_eq!(decided(&sent(), copies, &json!({})), expected);
}

#[test]
fn gp_routing_17_a_branch_or_a_closed_practice_is_the_same_as_its_practice() {
    let policy = json!({"policy": {"successors": [{"closed": "Y99910", "successor": "Y99901", "effective_from": "2024-04-01"}]}});
    let copies = json!([{"ods_code": "Y99901001"}, {"ods_code": "Y99910"}]);
    assert_eq!(
        decided(&sent(), copies, &policy),
        ["Y99901 SEND OK_REGISTERED_PRACTICE"]
    );
}

#[test]
fn gp_routing_17_an_empty_list_is_held() {
    assert_eq!(
        decided(&sent(), json!([]), &json!({})),
        ["- HOLD NO_RECIPIENT"]
    );
}

#[test]
fn gp_routing_10_one_that_fails_does_not_block_another() {
    let copies = json!([{"ods_code": "Y99911"}, {"ods_code": "Y98765"}, {"ods_code": "Y99903"}]);
    let expected = [
        "Y99901 SEND OK_REGISTERED_PRACTICE",
        "Y99911 HOLD PRACTICE_CLOSED_NO_SUCCESSOR",
        "- HOLD PRACTICE_UNKNOWN",
        "Y99903 SEND OK_CC_RECIPIENT",
    ];
    assert_eq!(decided(&sent(), copies, &json!({})), expected);
}

#[test]
fn r2_a_declined_copy_is_not_got_round_by_a_copy_to_the_same_practice() {
    let decline = json!({"letter": {"gp_copy": "declined", "decline": {"by": "Dr A", "at": "2026-11-18", "why": "asked"}}});
    let copies = json!([{"ods_code": "Y99901"}, {"ods_code": "Y99901002"}, {"ods_code": "Y99902"}]);
    let withheld = decided(&sent(), copies, &decline);
    assert_eq!(withheld[0], "- WITHHOLD GP_COPY_DECLINED");
    assert_eq!(withheld[1], "Y99901 WITHHOLD GP_COPY_DECLINED");
    assert_eq!(withheld[2], "Y99902 SEND OK_CC_RECIPIENT");
}

#[test]
fn r2_nor_through_the_successor_of_the_practice() {
    let patch = json!({
        "letter": {"gp_copy": "declined", "decline": {"by": "Dr A", "at": "2026-11-18", "why": "asked"}},
        "patient": {"hospital_practice": "Y99910"},
        "policy": {"successors": [{"closed": "Y99910", "successor": "Y99902", "effective_from": "2024-04-01"}]}
    });
    let withheld = decided(&sent(), json!([{"ods_code": "Y99902"}]), &patch);
    assert_eq!(withheld[1], "Y99902 WITHHOLD GP_COPY_DECLINED");
}

#[test]
fn r1_to_r5_hold_for_copies_too() {
    let copies = || json!([{"ods_code": "Y99902"}]);
    let unsigned = decided(&sent(), copies(), &json!({"letter": {"signed_off": false}}));
    assert_eq!(unsigned, ["- HOLD NOT_SIGNED_OFF", "- HOLD NOT_SIGNED_OFF"]);
    let invalid = decided(
        &sent(),
        copies(),
        &json!({"patient": {"nhs_number": "4010232138"}}),
    );
    assert_eq!(invalid, ["- HOLD NHSNO_INVALID", "- HOLD NHSNO_INVALID"]);
    let sensitive = decided(&sent(), copies(), &json!({"letter": {"specialty": "360"}}));
    assert_eq!(sensitive[1], "- HOLD SENSITIVE_NEEDS_DECISION");
}

#[test]
fn r7_r11_hold_for_copies_too() {
    let copies = || json!([{"ods_code": "Y99902"}, "patient"]);
    let base = sent_by_demographics();
    let unasked = decided(&base, copies(), &json!({"demographics": null}));
    assert_eq!(unasked[1], "- NEED NEED_DEMOGRAPHICS");
    let restricted = decided(&base, copies(), &json!({"demographics": {"security": "R"}}));
    assert_eq!(restricted[1], "- HOLD PDS_RESTRICTED");
    let down = decided(&base, copies(), &json!({"demographics": {"status": 503}}));
    assert_eq!(down[1], "- HOLD PDS_UNAVAILABLE");
}

#[test]
fn r12e_r12f_r12g_for_copies() {
    let to = |code: &str, policy: Value| {
        decided(
            &sent(),
            json!([{"ods_code": code}]),
            &json!({"policy": policy}),
        )
        .remove(1)
    };
    assert_eq!(to("Y99930", json!({})), "Y99930 SEND OK_CC_RECIPIENT");
    assert_eq!(
        to("Y99930", json!({"deny_practices": ["Y99930"]})),
        "Y99930 HOLD PRACTICE_NOT_GP_TYPE"
    );
    assert_eq!(
        to("RR8", json!({"deny_practices": ["RR8"]})),
        "RR8 HOLD PRACTICE_NOT_GP_TYPE"
    );
    assert_eq!(
        to("Y99920", json!({})),
        "Y99920 HOLD PRACTICE_SECURE_SETTING"
    );
    assert_eq!(to("JER999", json!({})), "JER999 ALT JURISDICTION_ISLANDS");
    assert_eq!(to("V81999", json!({})), "- HOLD PRACTICE_PSEUDO_CODE");
}

#[test]
fn gp_routing_10_copies_to_the_patient() {
    let with = |base: &Value, patch: Value| decided(base, json!(["patient"]), &patch).remove(1);
    let on = |patch: Value| patched(&json!({"policy": {"patient_copies": true}}), &patch);
    assert_eq!(
        with(&sent(), json!({})),
        "- WITHHOLD PATIENT_COPY_SUPPRESSED"
    );
    assert_eq!(with(&sent(), on(json!({}))), "- ALT OK_CC_RECIPIENT");
    assert_eq!(
        with(&sent(), on(json!({"patient": {"deceased": true}}))),
        "- WITHHOLD PATIENT_COPY_SUPPRESSED"
    );
    let base = sent_by_demographics();
    assert_eq!(
        with(&base, on(json!({"demographics": {"deceased": "2026"}}))),
        "- WITHHOLD PATIENT_COPY_SUPPRESSED +PATIENT_DECEASED"
    );
    assert_eq!(
        with(&base, on(json!({"demographics": {"security": "R"}}))),
        "- WITHHOLD PATIENT_COPY_SUPPRESSED"
    );
}
