//! Every rule and every reason, as a table that a clinical safety officer can read and sign.

mod demographics;
mod identity;
mod mailbox;
mod practice;
mod release;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use gp_routing::{ReasonCode, WarningCode, decide};
use serde_json::{Value, json};

use crate::support::{case, decided, patched, sample, sent, sent_by_demographics, short};

/// Rule, what is special about the case, the base case, the change.
type Row = (&'static str, &'static str, Value, Value);

fn table_text(rows: Vec<Row>) -> String {
    let mut text = String::new();
    for (rule, what, base, patch) in rows {
        let decision = decided(&patched(&base, &patch));
        let _ = writeln!(
            text,
            "{rule:<5} {what}\n      {}\n      {}\n",
            short(&decision),
            decision.explanation
        );
    }
    text
}

#[test]
fn r1_r2_r2b_r2c_release() {
    insta::assert_snapshot!(table_text(release::rows()));
}

#[test]
fn r3_r4_r5_r6_identity_and_every_number_status() {
    insta::assert_snapshot!(table_text(identity::rows()));
}

#[test]
fn r7_to_r11e_and_r13_demographics() {
    insta::assert_snapshot!(table_text(demographics::rows()));
}

#[test]
fn r12_to_r12g_practice() {
    insta::assert_snapshot!(table_text(practice::rows()));
}

#[test]
fn r14_r15_r16_mailbox_and_due_time() {
    insta::assert_snapshot!(table_text(mailbox::rows()));
}

#[test]
fn gp_routing_13_every_reason_and_warning_has_a_row() {
    let rows = [
        release::rows(),
        identity::rows(),
        demographics::rows(),
        practice::rows(),
        mailbox::rows(),
    ];
    let mut reasons = BTreeSet::new();
    let mut warnings = BTreeSet::new();
    for (_, _, base, patch) in rows.into_iter().flatten() {
        let decision = decided(&patched(&base, &patch));
        reasons.insert(decision.reason);
        warnings.extend(decision.warnings);
    }
    let elsewhere = BTreeSet::from([
        ReasonCode::OkCcRecipient,         // recipients.rs
        ReasonCode::PatientCopySuppressed, // recipients.rs
        ReasonCode::NoRecipient,           // recipients.rs
        ReasonCode::OdsStale,              // below
        ReasonCode::OkManualOverride,      // a person's act, made by the caller
        ReasonCode::RejectedNoNewRoute,    // second tries, made by the caller
    ]);
    let missing: Vec<_> = ReasonCode::ALL
        .iter()
        .filter(|code| !reasons.contains(code))
        .collect();
    assert!(
        missing.iter().all(|code| elsewhere.contains(code)),
        "{missing:?}"
    );
    let warned_elsewhere = [WarningCode::DocLarge, WarningCode::OdsStale];
    let unwarned = WarningCode::ALL
        .iter()
        .filter(|code| !warnings.contains(code));
    assert!(
        unwarned
            .into_iter()
            .all(|code| warned_elsewhere.contains(code))
    );
}

#[test]
fn gp_routing_9_2_a_large_letter_warns_from_one_megabyte() {
    let of = |bytes: u64| {
        short(&decided(&patched(
            &sent(),
            &json!({"letter": {"size_bytes": bytes}}),
        )))
    };
    assert_eq!(of(1_000_000), "SEND OK_REGISTERED_PRACTICE");
    assert_eq!(of(1_000_001), "SEND OK_REGISTERED_PRACTICE +DOC_LARGE");
}

#[test]
fn gp_routing_16_an_old_table_warns_and_a_stale_one_holds_what_is_not_confirmed() {
    let at = |value: &Value, day: &str| {
        short(&decide(&case(value), &sample().dated(day.parse().unwrap())))
    };
    let unconfirmed = sent();
    let confirmed = sent_by_demographics();
    let no_mailbox = patched(
        &confirmed,
        &json!({"mailboxes": {"*": {"KETTERING_OP": []}}}),
    );
    assert_eq!(
        at(&unconfirmed, "2026-11-12"),
        "SEND OK_REGISTERED_PRACTICE"
    );
    assert_eq!(
        at(&unconfirmed, "2026-11-11"),
        "SEND OK_REGISTERED_PRACTICE +ODS_STALE"
    );
    assert_eq!(
        at(&unconfirmed, "2026-10-15"),
        "SEND OK_REGISTERED_PRACTICE +ODS_STALE"
    );
    assert_eq!(at(&unconfirmed, "2026-10-14"), "HOLD ODS_STALE +ODS_STALE");
    assert_eq!(
        at(&confirmed, "2026-10-14"),
        "SEND OK_REGISTERED_PRACTICE +ODS_STALE"
    );
    assert_eq!(at(&no_mailbox, "2026-10-14"), "HOLD ODS_STALE +ODS_STALE");
}

#[test]
fn r12b_a_chain_of_mergers_is_followed_five_steps_and_no_further() {
    let table = chain_table();
    let links: Vec<_> = (0..6)
        .map(|n| json!({"closed": format!("Y9800{n}"), "successor": format!("Y9800{}", n + 1), "effective_from": "2025-01-01"}))
        .collect();
    let from = |code: &str| {
        let patch =
            json!({"patient": {"hospital_practice": code}, "policy": {"successors": links}});
        decide(&case(&patched(&sent(), &patch)), &table)
    };
    let five = from("Y98001");
    assert_eq!(
        short(&five),
        "SEND OK_REGISTERED_PRACTICE +PRACTICE_SUCCEEDED"
    );
    assert_eq!(five.practice.unwrap().code.as_str(), "Y98006");
    assert_eq!(five.evidence.succeeded_from.len(), 5);
    assert!(short(&from("Y98000")).starts_with("HOLD PRACTICE_CLOSED_NO_SUCCESSOR"));
}

/// Six closed practices and a seventh that is open.
fn chain_table() -> gp_routing::PracticeTable {
    let mut text = String::new();
    for n in 0..7 {
        let (closed, status) = if n < 6 { ("20241231", "C") } else { ("", "A") };
        let _ = writeln!(
            text,
            r#""Y9800{n}","SURGERY {n}","Y61","QZ1","","","","","","","19740401","{closed}","{status}","B","99Z","","","","","","","0","","99Z","","4","""#
        );
    }
    gp_routing::PracticeTable::read(text.as_bytes(), &gp_routing::TableLimits::at_least(7)).unwrap()
}
