use serde_json::{Value, json};

use super::Row;
use crate::support::sent;

pub(super) fn rows() -> Vec<Row> {
    let told = json!({"by": "Dr A", "at": "2026-11-18T12:00:00Z", "why": "patient asked"});
    let row = |rule, what, letter: Value| (rule, what, sent(), json!({"letter": letter}));
    vec![
        row("R1", "not signed off", json!({"signed_off": false})),
        row(
            "R1",
            "nothing said about a signature",
            json!({"signed_off": null}),
        ),
        row(
            "R2",
            "GP copy declined; who, when and why told",
            json!({"gp_copy": "declined", "decline": told}),
        ),
        row(
            "R2b",
            "GP copy declined, nothing told",
            json!({"gp_copy": "declined"}),
        ),
        row(
            "R2b",
            "GP copy declined, the reason is blank",
            json!({"gp_copy": "declined", "decline": {"by": "Dr A", "at": "2026-11-18", "why": " "}}),
        ),
        row(
            "R2b",
            "GP copy to be sent, and a decline recorded",
            json!({"gp_copy": "send", "decline": told}),
        ),
        row(
            "R2c",
            "sexual health clinic, no consent recorded",
            json!({"specialty": "360"}),
        ),
        row(
            "R2c",
            "sexual health clinic, consent refused",
            json!({"specialty": "360", "consent": false}),
        ),
        row(
            "R2c",
            "sexual health clinic, consent recorded",
            json!({"specialty": "360", "consent": true}),
        ),
        row(
            "R2c",
            "another clinic, consent not asked",
            json!({"specialty": "410"}),
        ),
    ]
}
