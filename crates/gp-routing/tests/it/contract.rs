//! The JSON contract of `route --case` (design section 8), in and out.

use gp_routing::{CaseFile, decide};
use serde_json::{Value, json};

use crate::support::{NOW, all_decided, case, decided, patched, sample, sent};

fn refusal(value: &Value) -> String {
    serde_json::from_value::<CaseFile>(value.clone())
        .unwrap_err()
        .to_string()
}

#[test]
fn a_send_in_full() {
    insta::assert_json_snapshot!(decided(&sent()));
}

#[test]
fn a_hold_in_full() {
    let patch = json!({"patient": {"hospital_practice": "Y99910"}});
    insta::assert_json_snapshot!(decided(&patched(&sent(), &patch)));
}

#[test]
fn a_need_in_full() {
    insta::assert_json_snapshot!(decided(&patched(&sent(), &json!({"mailboxes": null}))));
}

#[test]
fn the_codes_for_the_ledger() {
    let patch = json!({
        "patient": {"hospital_practice": "Y99910"},
        "policy": {"successors": [{"closed": "Y99910", "successor": "Y99901", "effective_from": "2024-04-01", "source": "ICB letter"}]}
    });
    insta::assert_debug_snapshot!(decided(&patched(&sent(), &patch)).ledger_codes());
}

#[test]
fn unknown_members_are_refused_with_their_name() {
    for (path, patch) in [
        ("colour", json!({"colour": 1})),
        ("sigend_off", json!({"letter": {"sigend_off": true}})),
        ("nhs_no", json!({"patient": {"nhs_no": "1"}})),
        ("gp", json!({"demographics": {"gp": "Y99901"}})),
        ("worklfows", json!({"policy": {"worklfows": []}})),
        (
            "fromat",
            json!({"policy": {"workflows": [{"workflow": "W", "fromat": "x"}]}}),
        ),
        (
            "odscode",
            json!({"letter": {"recipients": [{"odscode": "Y99901"}]}}),
        ),
    ] {
        let text = refusal(&patched(&sent(), &patch));
        assert!(text.contains(&format!("unknown field `{path}`")), "{text}");
    }
}

#[test]
fn a_number_without_quotes_is_refused_and_not_repeated() {
    for patch in [
        json!({"patient": {"nhs_number": 4_010_232_137_u64}}),
        json!({"demographics": {"nhs_number": 4_010_232_137_u64}}),
        json!({"patient": {"family": -4_010_232_137_i64}}),
        json!({"letter": {"recipients": [4_010_232_137_u64]}}),
    ] {
        let text = refusal(&patched(&sent(), &patch));
        assert!(text.contains("must be a text in quotes"), "{text}");
        assert!(!text.contains("4010232137"), "{text}");
    }
}

#[test]
fn wrong_values_are_refused_and_not_repeated() {
    for patch in [
        json!({"letter": {"gp_copy": "CANARY"}}),
        json!({"letter": {"event_at": "CANARY"}}),
        json!({"letter": {"recipients": ["CANARY"]}}),
        json!({"patient": {"birth_date": "CANARY"}}),
        json!({"mailboxes": {"*": {"W": "CANARY"}}}),
        json!({"policy": {"deny_practices": ["CANARY CANARY"]}}),
    ] {
        let text = refusal(&patched(&sent(), &patch));
        assert!(!text.contains("CANARY"), "{text}");
    }
}

#[test]
fn days_and_times_are_read_and_days_begin_in_london() {
    let at = |today: &str| {
        case(&patched(&sent(), &json!({"today": today})))
            .now
            .to_rfc3339()
    };
    assert_eq!(at("2026-11-19"), "2026-11-19T00:00:00+00:00");
    assert_eq!(at("2026-07-01"), "2026-06-30T23:00:00+00:00");
    assert_eq!(at("2026-07-01T10:00:00+01:00"), "2026-07-01T09:00:00+00:00");
    let without = case(&patched(&sent(), &json!({"today": null})));
    assert_eq!(
        without.now,
        NOW.parse::<chrono::DateTime<chrono::Utc>>().unwrap()
    );
}

#[test]
fn workflows_may_be_texts_alone() {
    let decision = decided(&patched(
        &sent(),
        &json!({"policy": {"workflows": ["KETTERING_OP"]}}),
    ));
    assert_eq!(decision.workflow.unwrap().as_str(), "KETTERING_OP");
    assert_eq!(decision.format, None);
}

#[test]
fn a_letter_alone_is_a_case_and_held_by_the_default_policy() {
    let file: CaseFile = serde_json::from_value(
        json!({"letter": {"signed_off": true}, "patient": {"nhs_number": "9990000018"}}),
    )
    .unwrap();
    let decision = decide(&file.into_case(NOW.parse().unwrap()), &sample());
    assert_eq!(decision.reason.as_str(), "NHSNO_SYNTHETIC");
    assert_eq!(decision.due_at, None);
    assert_eq!(
        decision.review_at.unwrap().to_rfc3339(),
        "2026-11-20T15:00:00+00:00"
    );
}

#[test]
fn a_hold_is_reviewed_within_a_day_and_at_once_when_late() {
    let review = |event: &str| {
        let patch =
            json!({"letter": {"signed_off": false, "kind": "discharge", "event_at": event}});
        all_decided(&patched(&sent(), &patch))[0]
            .review_at
            .unwrap()
            .to_rfc3339()
    };
    assert_eq!(review("2026-11-19T14:00:00Z"), "2026-11-20T14:00:00+00:00");
    assert_eq!(review("2026-11-17T14:00:00Z"), "2026-11-19T15:00:00+00:00");
    assert_eq!(review("2026-11-25T14:00:00Z"), "2026-11-20T15:00:00+00:00");
}

#[test]
fn design_9_a_failed_lookup_is_retried_until_the_letter_is_due() {
    let retry = |event: &str| {
        let patch = json!({"letter": {"event_at": event}, "mailboxes": {"*": {"KETTERING_OP": {"failed": true}}}});
        decided(&patched(&sent(), &patch))
            .retry_until
            .map(|at| at.to_rfc3339())
    };
    assert_eq!(
        retry("2026-11-18T10:00:00Z").as_deref(),
        Some("2026-11-25T10:00:00+00:00")
    );
    assert_eq!(retry("2026-11-01T10:00:00Z"), None);
}
