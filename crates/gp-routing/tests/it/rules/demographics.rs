use serde_json::{Value, json};

use super::Row;
use crate::support::{sent, sent_by_demographics};

#[expect(clippy::too_many_lines, reason = "a table, one row a case")]
pub(super) fn rows() -> Vec<Row> {
    let row = |rule, what, person: Value| {
        (
            rule,
            what,
            sent_by_demographics(),
            json!({"demographics": person}),
        )
    };
    let required = json!({"policy": {"demographics": "required"}});
    let fallback = |updated: &str| json!({"demographics": {"status": 503}, "policy": {"hospital_fallback_days": 30}, "patient": {"hospital_practice_updated": updated}});
    let mut rows = vec![
        (
            "R7",
            "national record required, not asked yet",
            sent(),
            required,
        ),
        row(
            "R7",
            "asked yesterday",
            json!({"fetched_at": "2026-11-18T23:00:00Z"}),
        ),
        row(
            "R7",
            "asked this morning",
            json!({"fetched_at": "2026-11-19T08:00:00Z"}),
        ),
        row(
            "R8",
            "400 the number is invalid",
            json!({"status": 400, "code": "INVALID_RESOURCE_ID"}),
        ),
        row(
            "R8",
            "400 our question is wrong",
            json!({"status": 400, "code": "INVALID_VALUE"}),
        ),
        row("R8", "401", json!({"status": 401, "code": "ACCESS_DENIED"})),
        row("R8", "403", json!({"status": 403, "code": "ACCESS_DENIED"})),
        row(
            "R8",
            "404 no such patient",
            json!({"status": 404, "code": "RESOURCE_NOT_FOUND"}),
        ),
        row(
            "R8",
            "404 number withdrawn",
            json!({"status": 404, "code": "INVALIDATED_RESOURCE"}),
        ),
        row(
            "R8",
            "408",
            json!({"status": 408, "code": "UNABLE_TO_CALL_SERVICE"}),
        ),
        row(
            "R8",
            "429",
            json!({"status": 429, "code": "TOO_MANY_REQUESTS"}),
        ),
        row("R8", "503", json!({"status": 503})),
        row("R8", "no answer at all", json!({"status": 0})),
        row(
            "R8",
            "200, several patients match",
            json!({"code": "TOO_MANY_MATCHES"}),
        ),
        (
            "R8",
            "503, the hospital's practice is recent and may stand in",
            sent_by_demographics(),
            fallback("2026-11-01"),
        ),
        (
            "R8",
            "503, the hospital's practice is too old to stand in",
            sent_by_demographics(),
            fallback("2026-10-01"),
        ),
        (
            "R8",
            "503 where the policy goes by the source",
            sent(),
            json!({"demographics": {"status": 503}}),
        ),
        row(
            "R9",
            "the number was replaced by another",
            json!({"nhs_number": "4000000004"}),
        ),
        row(
            "R10",
            "the record has no number",
            json!({"nhs_number": null}),
        ),
        row(
            "R10",
            "another date of birth",
            json!({"birth_date": "1951-03-08"}),
        ),
        row(
            "R10",
            "only the year of birth",
            json!({"birth_date": "1951"}),
        ),
        row("R10", "another family name", json!({"family": "HOLDEN"})),
        row("R10", "no family name", json!({"family": null})),
        row(
            "R10",
            "the name differs in case, accent and hyphen alone",
            json!({"family": "Ash-Wörth"}),
        ),
        row(
            "R11",
            "restricted",
            json!({"security": "R", "practice": null}),
        ),
        row("R11", "very restricted", json!({"security": "V"})),
        (
            "R11",
            "restricted, where the policy goes by the source",
            sent_by_demographics(),
            json!({"policy": {"demographics": "source"}, "demographics": {"security": "R"}}),
        ),
        row(
            "R11b",
            "the patient has died",
            json!({"deceased": "2026-11-10"}),
        ),
        (
            "R11b",
            "the source knows that the patient has died",
            sent(),
            json!({"patient": {"deceased": true}}),
        ),
        row("R11d", "no practice", json!({"practice": null})),
        row(
            "R11d",
            "the registration ended yesterday",
            json!({"practice_end": "2026-11-18"}),
        ),
        row(
            "R11d",
            "the registration ends today",
            json!({"practice_end": "2026-11-19"}),
        ),
        row(
            "R11d",
            "the registration begins tomorrow",
            json!({"practice_start": "2026-11-20"}),
        ),
        row(
            "R11e",
            "the record names a pseudo practice",
            json!({"practice": "V81997"}),
        ),
        (
            "R13",
            "the hospital names another practice",
            sent_by_demographics(),
            json!({"patient": {"hospital_practice": "Y99902"}}),
        ),
    ];
    for removal in ["SCT", "NIT", "EMB", "TRA", "ORR", "DEA", "XYZ"] {
        let person = json!({"demographics": {"practice": null, "removal": removal}});
        rows.push((
            "R11c",
            "removed from the list, address unknown",
            sent_by_demographics(),
            person,
        ));
    }
    for removal in ["SCT", "NIT"] {
        let person = json!({"demographics": {"practice": null, "removal": removal}, "patient": {"practice_address_known": true}});
        rows.push((
            "R11c",
            "removed from the list, address known",
            sent_by_demographics(),
            person,
        ));
    }
    rows
}
