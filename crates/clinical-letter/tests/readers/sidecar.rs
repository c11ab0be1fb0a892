//! The sidecar of design section 8.

use clinical_letter::Sidecar;

use super::support::{corpus, one, report_with};

fn sidecar(json: &str) -> Sidecar {
    serde_json::from_str(json).unwrap()
}

fn applied(bytes: &[u8], json: &str) -> String {
    let mut reading = one(bytes);
    sidecar(json).apply(&mut reading);
    format!("{} {}", reading.disposition, reading.reason)
}

fn plain(json: &str) -> String {
    applied(&corpus("text/t01-clinic-plain.txt"), json)
}

#[test]
fn design_8_a_sidecar_that_agrees_changes_nothing() {
    assert_eq!(plain("{}"), "send ok");
    let all = r#"{"source":"EPR","document_id":"1118-0042","version":"2","class":"outpatient-letter",
        "event_at":"2026-11-18T10:00:00Z","signed_off_at":"2026-11-19T14:32:00+00:00",
        "signed_by":"Dr Yusuf Abubakar","recipients":["Y99901"],"release":true,
        "patient":{"nhs_number":"999 001 2377","family":"Ashworth","birth_date":"1951-03-07"}}"#;
    assert_eq!(plain(all), "send ok");
}

#[test]
fn design_8_a_sidecar_that_disagrees_holds() {
    for json in [
        r#"{"document_id":"1118-0043"}"#,
        r#"{"class":"discharge-summary"}"#,
        r#"{"event_at":"2026-11-17T10:00:00Z"}"#,
        r#"{"signed_off_at":"2026-11-19T14:33:00Z"}"#,
        r#"{"recipients":["Y99902"]}"#,
        r#"{"patient":{"nhs_number":"9990037116"}}"#,
        r#"{"patient":{"family":"Winter"}}"#,
        r#"{"patient":{"birth_date":"1951-07-03"}}"#,
        r#"{"patient":{"hospital_number":"X"}}"#,
    ] {
        assert_eq!(plain(json), "hold sidecar-disagrees", "{json}");
    }
    assert_eq!(plain(r#"{"release":false}"#), "suppress restricted");
}

#[test]
fn design_8_a_sidecar_fills_what_the_document_does_not_say() {
    let signature =
        "<Electronically signed by Dr Yusuf Abubakar, Consultant Rheumatologist>  19/11/26 1432";
    let unsigned = report_with(signature, "");
    let signed = r#"{"signed_off_at":"2026-11-19T14:32:00Z","signed_by":"Dr Y"}"#;
    assert_eq!(applied(&unsigned, signed), "send ok");
    let numberless = report_with("Report #: 1118-0042", "");
    assert_eq!(applied(&numberless, r#"{"document_id":"A1"}"#), "send ok");
    let homeless = report_with(" (Y99901)", "");
    assert_eq!(
        applied(&homeless, r#"{"recipients":["Y99901"]}"#),
        "send ok"
    );
    let nameless = report_with("NHS No: 999 001 2377", "NHS No:");
    assert_eq!(
        applied(&nameless, r#"{"patient":{"nhs_number":"9990012377"}}"#),
        "send ok"
    );
}

#[test]
fn design_8_a_sidecar_signs_no_draft() {
    let signed = r#"{"signed_off_at":"2026-11-19T14:32:00Z"}"#;
    for name in [
        "text/t05-draft-unsigned.txt",
        "text/t14-dictated-not-signed.txt",
        "hl7/h07-mdm-t02-not-authenticated.hl7",
    ] {
        assert_eq!(
            applied(&corpus(name), signed),
            "hold not-authenticated",
            "{name}"
        );
    }
}

#[test]
fn design_8_the_version_reaches_the_letter() {
    let mut reading = one(&corpus("text/t01-clinic-plain.txt"));
    sidecar(r#"{"version":"3"}"#).apply(&mut reading);
    assert_eq!(
        reading.into_letter().unwrap().document.version.as_deref(),
        Some("3")
    );
}

#[test]
fn design_8_unknown_members_are_refused_with_their_name() {
    let error = serde_json::from_str::<Sidecar>(r#"{"documentid":"1"}"#).unwrap_err();
    assert!(error.to_string().contains("documentid"));
}
