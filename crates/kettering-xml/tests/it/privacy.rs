//! What a message tells about a patient never shows in Debug, findings or errors.

use kettering_xml::{Clinician, Mode, Payload, PayloadKind, Profile, build, parse};
use nhs_types::{Address, NhsNumber, PersonName, Postcode};

use crate::support::message;

const CANARIES: [&str; 9] = [
    "Quillfeather",
    "Zephyrine",
    "Dowager",
    "9990308241",
    "1958",
    "Hobgoblin Lane",
    "ZZ99",
    "coeliac",
    "Y29lbGlhYw",
];

fn canary() -> kettering_xml::Message {
    let mut message = message();
    message.patient.name =
        PersonName::new("Quillfeather", Some("Zephyrine"), Some("Dowager")).unwrap();
    let postcode = Postcode::parse("ZZ99 3CZ").ok();
    message.patient.address = Address::new(["1 Hobgoblin Lane"], postcode).ok();
    message.payload = Payload::Html("<p>coeliac disease</p>".to_owned());
    message
}

fn assert_silent(shown: &str) {
    for canary in CANARIES {
        assert!(!shown.contains(canary), "{canary} shows in {shown}");
    }
}

#[test]
fn debug_of_messages_is_silent() {
    let message = canary();
    let built = build(&message, &Profile::default()).unwrap();
    let parsed = parse(&built.bytes, Mode::Lenient);
    assert!(parsed.message.is_some());
    assert_silent(&format!("{message:?} {built:?} {parsed:?}"));
}

#[test]
fn refusals_are_silent() {
    let mut message = canary();
    message.patient.name =
        PersonName::new(&"Quillfeather".repeat(5), Some("Zephyrine"), None).unwrap();
    message.header.msg_id.clear();
    message.sender.clinician = None;
    message.payload = Payload::Html("<p hidden>coeliac<img></p>".to_owned());
    let refused = build(&message, &Profile::default()).unwrap_err();
    assert!(refused.findings.findings().len() >= 4);
    assert_silent(&format!("{refused} {refused:?}"));
    message.payload = Payload::binary(PayloadKind::Pdf, b"Y29lbGlhYw==".to_vec());
    let refused = build(&message, &Profile::default()).unwrap_err();
    assert_silent(&format!("{refused} {refused:?}"));
}

#[test]
fn findings_about_broken_messages_are_silent() {
    let built = build(&canary(), &Profile::default()).unwrap();
    let text = String::from_utf8(built.bytes).unwrap();
    for (from, to) in [
        ("9990308241", "Quillfeather 9990308241"),
        ("<Sex>2", "<Sex>Quillfeather"),
        ("19580317", "1958 Zephyrine"),
        ("<PatientId>", "<PatientId>Quillfeather"),
        (
            "Zephyrine<",
            "&Zephyrine-coeliac-is-not-an-entity-at-all-no;<",
        ),
        ("</TextBlock>", "</TextBlock"),
        ("<MsgId>", "<MsgId Status='Quillfeather'>"),
    ] {
        let bad = text.replace(from, to);
        assert_ne!(bad, text);
        let parsed = parse(bad.as_bytes(), Mode::Lenient);
        assert!(!parsed.findings.is_empty());
        assert_silent(&format!("{:?}", parsed.findings));
        for finding in parsed.findings {
            assert_silent(&finding.to_string());
        }
    }
}

#[test]
fn staff_names_do_not_show_in_debug() {
    let mut message = canary();
    message.sender.clinician = Some(Clinician::new("Dr Wintergreen"));
    message.recipient.gp_name = Some("Dr Wintergreen".to_owned());
    message.report.contributor = Some("T Wintergreen".to_owned());
    assert!(!format!("{message:?}").contains("Wintergreen"));
    assert!(NhsNumber::parse("9990308241").is_ok());
}
