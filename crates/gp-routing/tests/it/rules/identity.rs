use serde_json::{Value, json};

use super::Row;
use crate::support::{sent, sent_by_demographics};

#[expect(clippy::too_many_lines, reason = "a table, one row a case")]
pub(super) fn rows() -> Vec<Row> {
    let row = |rule, what, patient: Value| (rule, what, sent(), json!({"patient": patient}));
    let mut rows = vec![
        row("R3", "no NHS number", json!({"nhs_number": null})),
        row("R3", "blank NHS number", json!({"nhs_number": "  "})),
        row(
            "R4",
            "check digit does not hold",
            json!({"nhs_number": "4010232138"}),
        ),
        row(
            "R4",
            "placeholder 0000000000",
            json!({"nhs_number": "0000000000"}),
        ),
        row(
            "R4",
            "placeholder 9999999999",
            json!({"nhs_number": "9999999999"}),
        ),
        row("R4", "nine digits", json!({"nhs_number": "401023213"})),
        row(
            "R4",
            "a letter in the number",
            json!({"nhs_number": "401023213X"}),
        ),
        row(
            "R5",
            "test number, tests not allowed",
            json!({"nhs_number": "9990000018"}),
        ),
        (
            "R5",
            "test number, tests allowed",
            sent(),
            json!({"patient": {"nhs_number": "9990000018"}, "policy": {"allow_synthetic": true}}),
        ),
        row(
            "R6",
            "number of Scotland, address known",
            json!({"nhs_number": "0607230002", "practice_address_known": true}),
        ),
        row(
            "R6",
            "number of Scotland, address unknown",
            json!({"nhs_number": "0607230002"}),
        ),
        row(
            "R6",
            "number of Northern Ireland, address known",
            json!({"nhs_number": "3200000015", "practice_address_known": true}),
        ),
        row(
            "R6",
            "number of Northern Ireland, address unknown",
            json!({"nhs_number": "3200000015"}),
        ),
        row(
            "2.3",
            "number of the Republic of Ireland, only the source to confirm it",
            json!({"nhs_number": "8000000016"}),
        ),
    ];
    for (what, code) in [
        ("status not told", None),
        ("status 01 verified", Some("01")),
        (
            "status 02 not traced, only the source to confirm it",
            Some("02"),
        ),
        (
            "status 03 trace required, only the source to confirm it",
            Some("03"),
        ),
        ("status 04 no match", Some("04")),
        ("status 05 conflict", Some("05")),
        ("status 06 trace in progress", Some("06")),
        ("status 07 no number", Some("07")),
        ("status 08 baby, trace postponed", Some("08")),
        ("status 1 is no code", Some("1")),
        ("status 99 is no code", Some("99")),
    ] {
        rows.push(row("2.4", what, json!({"number_status": code})));
    }
    let confirmed = json!({"patient": {"number_status": "02"}});
    rows.push((
        "2.4",
        "status 02 not traced, the national record confirms it",
        sent_by_demographics(),
        confirmed,
    ));
    rows
}
