use serde_json::{Value, json};

use super::Row;
use crate::support::{sent, sent_by_demographics};

#[expect(clippy::too_many_lines, reason = "a table, one row a case")]
pub(super) fn rows() -> Vec<Row> {
    let row = |rule, what, patch: Value| (rule, what, sent(), patch);
    let two = json!({"*": {"KETTERING_OP": ["GPMB002", "GPMB001"]}});
    let choice = |mailbox: &str| json!([{"practice": "Y99901", "workflow": "KETTERING_OP", "mailbox": mailbox}]);
    vec![
        row("R14", "nothing asked yet", json!({"mailboxes": null})),
        row(
            "R14",
            "the first workflow has none, the second was not asked",
            json!({"mailboxes": {"*": {"KETTERING_OP": null}}}),
        ),
        row(
            "R14",
            "the first workflow has one",
            json!({"mailboxes": {"*": {"TOC_FHIR_OP_ATTEN": ["GPMB009"]}}}),
        ),
        row(
            "R14",
            "no workflow has one",
            json!({"mailboxes": {"*": {"KETTERING_OP": []}}}),
        ),
        row(
            "R14",
            "an answer for the practice counts before one for all",
            json!({"mailboxes": {"Y99901": {"KETTERING_OP": ["GPMB777"]}}}),
        ),
        row("R14", "several mailboxes", json!({"mailboxes": two})),
        row(
            "R14",
            "the same mailbox twice",
            json!({"mailboxes": {"*": {"KETTERING_OP": ["GPMB001", "gpmb001"]}}}),
        ),
        row(
            "R14",
            "several, one is configured",
            json!({"mailboxes": two, "policy": {"mailbox_choices": choice("GPMB002")}}),
        ),
        row(
            "R14",
            "several, the configured one is not among them",
            json!({"mailboxes": two, "policy": {"mailbox_choices": choice("GPMB003")}}),
        ),
        row(
            "R14",
            "the lookup failed",
            json!({"mailboxes": {"*": {"KETTERING_OP": {"failed": true}}}}),
        ),
        row(
            "R14",
            "the lookup failed, and the letter is late",
            json!({"mailboxes": {"*": {"KETTERING_OP": {"failed": true}}}, "letter": {"event_at": "2026-11-01"}}),
        ),
        row(
            "R14",
            "no workflow configured",
            json!({"policy": {"workflows": []}}),
        ),
        row(
            "R15",
            "as large as the receiver takes",
            json!({"letter": {"size_bytes": 5_000_000}}),
        ),
        row(
            "R15",
            "one byte larger",
            json!({"letter": {"size_bytes": 5_000_001}}),
        ),
        row("R16", "by the source's word", json!({})),
        (
            "R16",
            "by the national record",
            sent_by_demographics(),
            json!({}),
        ),
        row(
            "11",
            "late",
            json!({"letter": {"event_at": "2026-11-12T14:59:59Z"}}),
        ),
        row(
            "11",
            "due this very moment",
            json!({"letter": {"event_at": "2026-11-12T15:00:00Z"}}),
        ),
        row(
            "17",
            "unknown kind of letter",
            json!({"letter": {"kind": "postcard"}}),
        ),
    ]
}
