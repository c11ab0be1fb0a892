use super::line::{control_id, message};
use super::*;

fn body() -> OutcomeBody {
    OutcomeBody {
        cursor: 42,
        outcome: "held",
        says: "held for a person",
        at: "2026-11-21T09:14:00.000Z".to_owned(),
        trust: "RXX".to_owned(),
        source: "EPR|1".to_owned(),
        document: Some("W^0001".to_owned()),
        version: 2,
        source_version: None,
        class: "outpatient-letter".to_owned(),
        letter: "0c".repeat(16),
        copy: Some(1),
        state: "HELD".to_owned(),
        reason: Some("nhs-number-invalid".to_owned()),
        practice: Some("A81001".to_owned()),
        mailbox: None,
        message_id: None,
    }
}

#[test]
fn an_outcome_as_hl7_names_the_document_and_escapes_what_it_repeats() {
    let now = "2026-11-21T09:14:00Z".parse().unwrap();
    let text = String::from_utf8(message(&body(), now, true)).unwrap();
    let letter = "0c".repeat(16);
    let expected = [
        "MSH|^~\\&|LETTERBOX|RXX|EPR\\F\\1|RXX|20261121091400+0000||MDM^T03^MDM_T01|LBO42|P|2.4||||||UNICODE UTF-8",
        "EVN|T03|20261121091400+0000",
        "PID|1",
        "PV1|1|N",
        "TXA|1|outpatient-letter||||||||||W\\S\\0001",
        &format!("ZLO|1|held|held for a person|nhs-number-invalid|HELD|A81001|||{letter}|1|2|42"),
        "",
    ]
    .join("\r");
    assert_eq!(text, expected);
    assert_eq!(control_id(&body()), "LBO42");
    let test = String::from_utf8(message(&body(), now, false)).unwrap();
    assert!(test.contains("|LBO42|T|2.4"));
}

#[test]
fn an_outcome_as_hl7_is_read_by_our_own_reader_and_is_no_letter() {
    let now = "2026-11-21T09:14:00Z".parse().unwrap();
    let message = message(&body(), now, true);
    let readings = clinical_letter::read(&message, &clinical_letter::ReadOptions::default());
    let [reading] = readings.as_slice() else {
        panic!("one message");
    };
    assert_eq!(reading.document.number(), Some("W^0001"));
    assert_ne!(reading.disposition, clinical_letter::Disposition::Send);
}
