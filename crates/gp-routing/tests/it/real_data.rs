//! The real practice file, read where it lies; skipped where it is not.

use gp_routing::{Dialect, PracticeTable, TableLimits, decide};
use serde_json::{Value, json};

use crate::support::{case, patched, sent, sent_by_demographics, shared, short};

const REAL: &str = "ods/epraccur_2025-09.csv";
const NEWER: &str = "ods/dse_epraccur_constructed_sample.csv";

fn real() -> Option<PracticeTable> {
    let bytes = shared(REAL)?;
    Some(PracticeTable::read(&bytes, &TableLimits::default()).unwrap())
}

#[test]
fn gp_routing_19_counts_of_the_real_file() {
    let Some(table) = real() else { return };
    let counts = table.counts();
    assert_eq!(counts.rows, 16_685);
    assert_eq!(
        (
            counts.active,
            counts.closed,
            counts.dormant,
            counts.proposed
        ),
        (12_440, 4_024, 218, 3)
    );
    assert_eq!(counts.active_gp_practices, 6_618);
    assert_eq!(table.dialect(), Dialect::Legacy);
    let active = |prefix: char| {
        let gp = |practice: &&gp_routing::Practice| {
            practice.status() == gp_routing::PracticeStatus::Active
                && practice.practice_type() == gp_routing::PracticeType::GpPractice
                && practice.code().as_str().starts_with(prefix)
        };
        table.practices().filter(gp).count()
    };
    assert_eq!((active('W'), active('Y')), (398, 308));
}

#[test]
fn gp_routing_17_damaged_copies_of_the_real_file_are_refused() {
    let Some(bytes) = shared(REAL) else { return };
    let limits = TableLimits::default();
    for cut in [1, 2, 10, 100, 1_000, 1_000_000] {
        let refusal = PracticeTable::read(&bytes[..bytes.len() - cut], &limits).unwrap_err();
        assert!(refusal.to_string().contains("cut short"), "{refusal}");
    }
    let mut lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    lines.truncate(15_000);
    let mut previous = limits.clone();
    previous.previous_rows = Some(16_685);
    let refusal = PracticeTable::read(&lines.concat(), &previous).unwrap_err();
    assert!(refusal.to_string().contains("ODS-SHRUNK"), "{refusal}");
    lines.truncate(4_999);
    let refusal = PracticeTable::read(&lines.concat(), &limits).unwrap_err();
    assert!(refusal.to_string().contains("ODS-ROWS"), "{refusal}");
}

#[test]
fn gp_routing_4_3_the_constructed_sample_of_the_newer_dialect() {
    let Some(bytes) = shared(NEWER) else { return };
    let table = PracticeTable::read(&bytes, &TableLimits::at_least(15)).unwrap();
    assert_eq!(table.dialect(), Dialect::DataSearchExport);
    let counts = table.counts();
    assert_eq!((counts.rows, counts.active, counts.closed), (15, 13, 2));
    assert_eq!(counts.active_gp_practices, 10);
}

fn routed(table: &PracticeTable, base: &Value, patch: &Value) -> String {
    short(&decide(&case(&patched(base, patch)), table))
}

#[test]
fn examples_1_to_5_with_the_real_rows() {
    let Some(table) = real() else { return };
    let at = |code: &str| json!({"today": "2025-11-20", "letter": {"event_at": "2025-11-19"}, "patient": {"hospital_practice": code}});
    let source = |code: &str| routed(&table, &sent(), &at(code));
    assert_eq!(source("C81010"), "SEND OK_REGISTERED_PRACTICE");
    let moved = patched(
        &at("A82019"),
        &json!({"demographics": {"practice": "A81004"}}),
    );
    assert_eq!(
        routed(&table, &sent_by_demographics(), &moved),
        "SEND OK_REGISTERED_PRACTICE +PAS_PRACTICE_DIFFERS"
    );
    assert_eq!(source("A82019"), "HOLD PRACTICE_CLOSED_NO_SUCCESSOR");
    let merger = json!({"policy": {"successors": [{"closed": "A82019", "successor": "A81004", "effective_from": "2025-05-01"}]}});
    assert_eq!(
        routed(&table, &sent(), &patched(&at("A82019"), &merger)),
        "SEND OK_REGISTERED_PRACTICE +PRACTICE_SUCCEEDED"
    );
    let none = json!({"mailboxes": {"*": {"KETTERING_OP": []}}});
    assert_eq!(
        routed(&table, &sent(), &patched(&at("Y00001"), &none)),
        "ALT MESH_NO_MAILBOX"
    );
    assert_eq!(
        source("W00206"),
        "SEND OK_REGISTERED_PRACTICE",
        "the legacy file alone lets it through"
    );
    let denied = json!({"policy": {"deny_practices": ["W00206"]}});
    assert_eq!(
        routed(&table, &sent(), &patched(&at("W00206"), &denied)),
        "HOLD PRACTICE_NOT_GP_TYPE"
    );
}

#[test]
fn gp_routing_4_2_traps_of_the_real_file() {
    let Some(table) = real() else { return };
    let source = |code: &str| {
        routed(
            &table,
            &sent(),
            &json!({"patient": {"hospital_practice": code}}),
        )
    };
    assert_eq!(source("GUE010"), "ALT JURISDICTION_ISLANDS");
    assert_eq!(source("JER002"), "ALT JURISDICTION_ISLANDS");
    assert_eq!(source("Y00361"), "HOLD PRACTICE_NOT_GP_TYPE");
    let allowed = json!({"patient": {"hospital_practice": "Y00361"}, "policy": {"allow_practices": ["Y00361"]}});
    assert_eq!(
        routed(&table, &sent(), &allowed),
        "SEND OK_REGISTERED_PRACTICE"
    );
}
