use serde_json::{Value, json};

use super::Row;
use crate::support::sent;

#[expect(clippy::too_many_lines, reason = "a table, one row a case")]
pub(super) fn rows() -> Vec<Row> {
    let at = |rule, what, code: &str| {
        (
            rule,
            what,
            sent(),
            json!({"patient": {"hospital_practice": code}}),
        )
    };
    let with = |rule, what, code: &str, policy: Value| {
        (
            rule,
            what,
            sent(),
            json!({"patient": {"hospital_practice": code}, "policy": policy}),
        )
    };
    let merged = |from: &str, to: &str, day: &str| json!({"closed": from, "successor": to, "effective_from": day, "source": "ICB letter"});
    vec![
        at("R11d", "the source names no practice", ""),
        at("R11e", "the source names V81999", "V81999"),
        at("R11e", "the source names UNK", "UNK"),
        at("R12", "code not in the table", "Y98765"),
        at("R12", "no code but words", "see notes"),
        at("R12", "a letter O for a zero", "Y9990O"),
        at(
            "R12",
            "small letters and spaces are the same code",
            " y99901 ",
        ),
        at("3.1", "code of a branch surgery", "Y99901002"),
        at("R12b", "closed, no successor declared", "Y99910"),
        with(
            "R12b",
            "closed, successor declared",
            "Y99910",
            json!({"successors": [merged("Y99910", "Y99901", "2024-04-01")]}),
        ),
        with(
            "R12b",
            "closed, successor from tomorrow",
            "Y99910",
            json!({"successors": [merged("Y99910", "Y99901", "2026-11-20")]}),
        ),
        with(
            "R12b",
            "closed, two different successors",
            "Y99910",
            json!({"successors": [merged("Y99910", "Y99901", "2024-04-01"), merged("Y99910", "Y99902", "2024-04-01")]}),
        ),
        with(
            "R12b",
            "closed, the successor closed too and has one",
            "Y99910",
            json!({"successors": [merged("Y99910", "Y99911", "2024-04-01"), merged("Y99911", "Y99902", "2025-10-01")]}),
        ),
        with(
            "R12b",
            "closed, successors in a circle",
            "Y99910",
            json!({"successors": [merged("Y99910", "Y99911", "2024-04-01"), merged("Y99911", "Y99910", "2025-10-01")]}),
        ),
        with(
            "R12b",
            "closed, the successor is not in the table",
            "Y99910",
            json!({"successors": [merged("Y99910", "Y98765", "2024-04-01")]}),
        ),
        with(
            "R12b",
            "closed, the successor is a prison",
            "Y99910",
            json!({"successors": [merged("Y99910", "Y99920", "2024-04-01")]}),
        ),
        at("R12c", "dormant, its mailbox takes letters", "Y99912"),
        (
            "R12c",
            "dormant, no mailbox",
            sent(),
            json!({"patient": {"hospital_practice": "Y99912"}, "mailboxes": {"*": {"KETTERING_OP": []}}}),
        ),
        at("R12d", "proposed", "Y99913"),
        at("R12d", "opens on a later day", "Y99914"),
        at("R12e", "pharmacy", "Y99930"),
        at("R12e", "out of hours service", "Y99931"),
        at("R12e", "walk-in centre", "Y99932"),
        at(
            "R12e",
            "special allocation scheme, not on the allow list",
            "Y99933",
        ),
        with(
            "R12e",
            "special allocation scheme on the allow list",
            "Y99933",
            json!({"allow_practices": ["Y99933"]}),
        ),
        with(
            "R12e",
            "GP practice on the deny list",
            "Y99901",
            json!({"deny_practices": ["Y99901"]}),
        ),
        with(
            "R12e",
            "on both lists",
            "Y99901",
            json!({"deny_practices": ["Y99901"], "allow_practices": ["Y99901"]}),
        ),
        at("R12e", "Isle of Man", "Y99940"),
        at("R12e", "Wales", "W99901"),
        at("R12f", "prison", "Y99920"),
        at("R12f", "young offenders", "Y99921"),
        with(
            "R12f",
            "prison on the allow list of practices only",
            "Y99920",
            json!({"allow_practices": ["Y99920"]}),
        ),
        with(
            "R12f",
            "prison, secure settings allowed",
            "Y99920",
            json!({"allow_secure_settings": true}),
        ),
        (
            "R12f",
            "prison, secure settings allowed, no mailbox",
            sent(),
            json!({"patient": {"hospital_practice": "Y99920"}, "policy": {"allow_secure_settings": true}, "mailboxes": {"*": {"KETTERING_OP": []}}}),
        ),
        at("R12g", "Guernsey", "GUE999"),
        at("R12g", "Jersey", "JER999"),
    ]
}
