//! Reading with serde goes through the same checks as `parse`, and errors never repeat the input.
#![cfg(feature = "serde")]

use nhs_types::{
    Address, BirthDate, Finding, Location, MailboxId, NhsNumber, OdsCode, PersonName, Postcode,
    Report, Sensitive, Severity, Sex, WorkflowId,
};
use serde_json::json;

fn refuses<T: serde::de::DeserializeOwned>(value: &str) -> bool {
    serde_json::from_str::<T>(&json!(value).to_string()).is_err()
}

#[test]
fn nothing_invalid_can_be_read() {
    assert!(refuses::<NhsNumber>("9434765918"));
    assert!(refuses::<NhsNumber>("9999999999"));
    assert!(refuses::<OdsCode>("A8 001"));
    assert!(refuses::<MailboxId>("../x"));
    assert!(refuses::<WorkflowId>("A\r\nB"));
    assert!(refuses::<Postcode>("nowhere"));
    assert!(refuses::<BirthDate>("1959-02-29"));
    assert!(refuses::<Sex>("?"));
    assert!(serde_json::from_value::<PersonName>(json!({"family": ""})).is_err());
    assert!(serde_json::from_value::<PersonName>(json!({"family": "A", "nick": "B"})).is_err());
    assert!(serde_json::from_value::<Address>(json!({"lines": ["a\nb"]})).is_err());
}

#[test]
fn values_go_round() {
    let name = PersonName::new("D'SOUZA", Some("Anaïs"), Some("Ms")).unwrap();
    let back: PersonName = serde_json::from_str(&serde_json::to_string(&name).unwrap()).unwrap();
    assert_eq!(back, name);

    let address = Address::new(["Rose Cottage"], Postcode::parse("NM8 8ZZ").ok()).unwrap();
    let back: Address = serde_json::from_str(&serde_json::to_string(&address).unwrap()).unwrap();
    assert_eq!(back, address);

    let number = NhsNumber::parse("999 001 2377").unwrap();
    assert_eq!(serde_json::to_value(number).unwrap(), json!("9990012377"));
    let wrapped: Sensitive<NhsNumber> = serde_json::from_value(json!("9990012377")).unwrap();
    assert_eq!(wrapped, Sensitive::new(number));
}

#[test]
fn findings_have_the_four_members_of_the_contract() {
    let report: Report = [
        Finding::error("K-S06", Location::Named("ReportMsg".into()), "no directory"),
        Finding::warning("bom", Location::Offset(0), "a byte order mark"),
        Finding::new("n", Severity::Note, Location::Line(2), "worth knowing"),
        Finding::error("w", Location::Whole, "all of it"),
    ]
    .into_iter()
    .collect();
    let value = serde_json::to_value(&report).unwrap();
    let first = json!({"rule": "K-S06", "severity": "error", "place": "ReportMsg", "message": "no directory"});
    assert_eq!(value[0], first);
    assert_eq!(serde_json::from_value::<Report>(value).unwrap(), report);
}

#[test]
fn an_error_never_repeats_what_was_read() {
    let error = serde_json::from_str::<NhsNumber>("\"943 476 5918\"")
        .unwrap_err()
        .to_string();
    assert!(!error.contains("943") && !error.contains("5918"), "{error}");
    let error = serde_json::from_str::<BirthDate>("\"1959-02-29\"")
        .unwrap_err()
        .to_string();
    assert!(!error.contains("1959"), "{error}");
}
