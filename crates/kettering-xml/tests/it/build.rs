//! Building: what comes out, and the rules of the column B (facts, section 15).

use kettering_xml::{
    Built, Clinician, ControlCharacters, Dialect, Encoding, EventTime, Limits, Message, Mode,
    Payload, PayloadKind, Profile, Refused, build, parse,
};
use nhs_types::{OdsCode, PersonName, Severity};

use crate::support::{at, day, message, pdf};

fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn docman() -> Profile {
    let mut profile = Profile::default();
    profile.encoding = Encoding::Latin1;
    profile.doctype = true;
    profile
}

fn good(message: &Message, profile: &Profile) -> Built {
    build(message, profile).unwrap()
}

fn refused(message: &Message) -> Vec<String> {
    refused_by(message, &Profile::default())
}

fn refused_by(message: &Message, profile: &Profile) -> Vec<String> {
    let Refused { findings, .. } = build(message, profile).unwrap_err();
    let errors = findings
        .into_iter()
        .filter(|f| f.severity == Severity::Error);
    errors.map(|f| f.rule.to_string()).collect()
}

fn warned(message: &Message, profile: &Profile) -> Vec<String> {
    let findings = good(message, profile).findings.into_iter();
    findings.map(|f| f.rule.to_string()).collect()
}

fn with_html(html: &str) -> Message {
    let mut message = message();
    message.payload = Payload::Html(html.to_owned());
    message
}

#[test]
fn an_html_letter_in_utf_8() {
    let built = good(&message(), &Profile::default());
    assert!(built.findings.is_empty());
    insta::assert_snapshot!(String::from_utf8(built.bytes).unwrap());
}

#[test]
fn an_html_letter_for_the_edt_server() {
    let mut message = with_html("<html><body><p>Siân Ŵyn: 5 µg ≥ “2” €]]> done</p></body></html>");
    message.patient.name = PersonName::new("Tŷ-Coch", Some("Siân"), None).unwrap();
    let built = good(&message, &docman());
    assert!(built.findings.is_empty());
    insta::assert_snapshot!(text(&built.bytes));
}

#[test]
fn a_pdf_by_a_junior() {
    let mut message = message();
    message.payload = Payload::binary(PayloadKind::Pdf, pdf());
    message.sender.boss = Some(Clinician::new("Dr B Consultant"));
    message.patient.address = None;
    message.patient.sex = None;
    let built = good(&message, &Profile::default());
    insta::assert_snapshot!(String::from_utf8(built.bytes).unwrap());
}

#[test]
fn plain_text_is_escaped() {
    let mut message = message();
    message.payload = Payload::Text("BP 120/80 & eGFR < 60\r\nŷ > €\n".to_owned());
    let built = good(&message, &docman());
    assert!(text(&built.bytes).contains("BP 120/80 &amp; eGFR &lt; 60\n&#375; &gt; &#8364;\n"));
    let found = parse(&built.bytes, Mode::Strict).payload.unwrap();
    assert_eq!(found.text(), Some("BP 120/80 & eGFR < 60\nŷ > €\n"));
}

#[test]
fn the_same_message_gives_the_same_bytes() {
    for profile in [Profile::default(), docman()] {
        assert_eq!(
            good(&message(), &profile).bytes,
            good(&message(), &profile).bytes
        );
    }
}

#[test]
fn what_was_built_is_read_as_the_same_message() {
    for profile in [Profile::default(), docman()] {
        let parsed = parse(&good(&message(), &profile).bytes, Mode::Strict);
        assert!(parsed.findings.is_empty());
        assert_eq!(parsed.message, Some(message()));
    }
}

#[test]
fn status_and_urgency_are_written() {
    let mut message = message();
    message.header.urgency = kettering_xml::Urgency::High;
    message.header.status = kettering_xml::MessageStatus::Test;
    let built = good(&message, &Profile::default());
    assert!(text(&built.bytes).contains("<ReportMsg MsgStatus=\"Test\" MsgUrgency=\"High\" "));
    assert_eq!(parse(&built.bytes, Mode::Strict).message, Some(message));
}

#[test]
fn an_address_is_cut_at_five_lines() {
    let lines = ["1", "2", "3", "4", "5", "6"];
    let mut message = message();
    message.patient.address = nhs_types::Address::new(lines, None).ok();
    let built = text(&good(&message, &Profile::default()).bytes);
    assert_eq!(
        built.matches("<UnstructAddressLine>").count(),
        Limits::ADDRESS_LINES_MAX
    );
}

#[test]
fn classic_is_refused_until_it_is_built() {
    let mut profile = Profile::default();
    profile.dialect = Dialect::Classic;
    assert_eq!(refused_by(&message(), &profile), ["K-S06"]);
}

#[test]
fn k_w02_controls_are_cleaned_with_a_warning_or_refused() {
    let mut message = with_html("<p>line\u{B}break 7\u{1E}day</p>");
    message.report.report_type = "Clinic\u{7} letter".to_owned();
    let built = good(&message, &Profile::default());
    assert_eq!(
        built.findings.findings()[0].to_string(),
        "warning K-W02 at whole: 3 characters that XML 1.0 forbids, such as the control characters of Word"
    );
    let found = parse(&built.bytes, Mode::Strict);
    assert_eq!(
        found.payload.unwrap().text(),
        Some("<p>line\nbreak 7\u{2011}day</p>")
    );
    let mut profile = Profile::default();
    profile.control_characters = ControlCharacters::Refuse;
    assert_eq!(refused_by(&message, &profile), ["K-W02"]);
}

#[test]
fn k_w07_c1_characters_are_repaired_with_a_warning() {
    let message = with_html("<p>patient\u{92}s</p>");
    assert_eq!(warned(&message, &docman()), ["K-W07"]);
    let found = parse(&good(&message, &Profile::default()).bytes, Mode::Strict);
    assert_eq!(found.payload.unwrap().text(), Some("<p>patient’s</p>"));
}

#[test]
fn k_s02_required_values_that_are_empty() {
    for change in [
        |m: &mut Message| m.header.msg_id.clear(),
        |m: &mut Message| m.header.sender = "  ".to_owned(),
        |m: &mut Message| m.header.recipient.clear(),
        |m: &mut Message| m.report.report_id.clear(),
        |m: &mut Message| m.report.report_type.clear(),
        |m: &mut Message| m.sender.org_name.clear(),
        |m: &mut Message| m.patient.name = PersonName::new("Mononym", None, None).unwrap(),
    ] {
        let mut message = message();
        change(&mut message);
        assert_eq!(refused(&message), ["K-S02"]);
    }
}

#[test]
fn k_s02_what_only_the_dtd_wants_is_a_warning_where_it_is_named() {
    let mut message = message();
    message.recipient.gp_name = None;
    assert!(warned(&message, &Profile::default()).is_empty());
    assert_eq!(warned(&message, &docman()), ["K-S02"]);
}

#[test]
fn k_v06_no_nhs_number() {
    let mut message = message();
    message.patient.nhs_number = None;
    assert_eq!(refused(&message), ["K-V06"]);
    let mut profile = Profile::default();
    profile.allow_missing_nhs_number = true;
    assert_eq!(warned(&message, &profile), ["K-V06"]);
    let built = good(&message, &profile);
    assert!(text(&built.bytes).contains("<IdValue>9999999999</IdValue>"));
}

#[test]
fn k_v08_lengths_at_their_limits() {
    type Set = fn(&mut Message, String);
    let fields: [(usize, Set); 9] = [
        (50, |m, s| {
            m.patient.name = PersonName::new(&s, Some("A"), None).unwrap();
        }),
        (50, |m, s| {
            m.patient.name = PersonName::new("B", Some(&s), None).unwrap();
        }),
        (50, |m, s| m.report.report_id = s),
        (255, |m, s| m.report.report_type = s),
        (15, |m, s| m.report.report_code = Some(s)),
        (255, |m, s| m.report.contributor = Some(s)),
        (255, |m, s| m.sender.department = s),
        (255, |m, s| m.sender.org_name = s),
        (255, |m, s| m.recipient.gp_name = Some(s)),
    ];
    for (most, set) in fields {
        let mut message = message();
        set(&mut message, "ŵ".repeat(most));
        assert!(
            build(&message, &Profile::default()).is_ok(),
            "{most} characters"
        );
        set(&mut message, "ŵ".repeat(most + 1));
        assert_eq!(refused(&message), ["K-V08"], "{most} characters and one");
    }
}

#[test]
fn k_v11_an_event_that_ends_before_it_begins() {
    let mut message = message();
    message.report.event_end = Some(EventTime::from(at(10, 29)));
    assert_eq!(refused(&message), ["K-V11"]);
    message.report.event_end = Some(EventTime::from(at(10, 30)));
    assert!(build(&message, &Profile::default()).is_ok());
}

#[test]
fn k_v12_an_event_before_the_birth() {
    let mut message = message();
    message.patient.birth_date =
        nhs_types::BirthDate::from_date(day().succ_opt().unwrap()).unwrap();
    assert_eq!(refused(&message), ["K-V12"]);
    message.patient.birth_date = nhs_types::BirthDate::from_date(day()).unwrap();
    assert!(build(&message, &Profile::default()).is_ok());
}

#[test]
fn k_v13_a_code_longer_than_the_format_takes() {
    let mut message = message();
    message.recipient.practice = OdsCode::parse(&"A".repeat(10)).unwrap();
    assert!(build(&message, &Profile::default()).is_ok());
    message.recipient.practice = OdsCode::parse(&"A".repeat(11)).unwrap();
    assert_eq!(refused(&message), ["K-V08", "K-V13"]);
}

#[test]
fn k_v14_a_gp_code_of_another_kind_is_a_warning() {
    let mut message = message();
    message.recipient.gp_code = Some("C1234567".to_owned());
    assert_eq!(warned(&message, &Profile::default()), ["K-V14"]);
}

#[test]
fn k_v16_source_type_at_its_limit() {
    let mut message = message();
    message.report.source_type = 9_999;
    assert!(build(&message, &Profile::default()).is_ok());
    message.report.source_type = 10_000;
    assert_eq!(refused(&message), ["K-V16"]);
}

#[test]
fn k_v17_nobody_signed() {
    let mut message = message();
    message.sender.clinician = None;
    assert_eq!(refused(&message), ["K-V17"]);
    message.sender.boss = Some(Clinician::new("Dr B Consultant"));
    assert!(build(&message, &Profile::default()).is_ok());
}

#[test]
fn k_v18_no_department() {
    let mut message = message();
    message.sender.department = " ".to_owned();
    assert_eq!(refused(&message), ["K-V18"]);
}

#[test]
fn k_p01_an_empty_document() {
    for payload in [
        Payload::Html(String::new()),
        Payload::Text(" \n".to_owned()),
        Payload::binary(PayloadKind::Pdf, Vec::new()),
    ] {
        let mut message = message();
        message.payload = payload;
        assert_eq!(refused(&message), ["K-P01"]);
    }
}

#[test]
fn k_p02_text_that_looks_like_a_broken_file() {
    let mut message = message();
    message.payload = Payload::Text("JVBERi0 is how a PDF begins.".to_owned());
    assert_eq!(refused(&message), ["K-P02", "K-P05"]);
}

#[test]
fn k_p03_a_kind_the_receiver_does_not_take() {
    let mut message = message();
    message.payload = Payload::binary(PayloadKind::Doc, b"\xD0\xCF\x11\xE0 word".to_vec());
    assert_eq!(refused(&message), ["K-P03"]);
    let mut profile = Profile::default();
    profile.payload_kinds.push(PayloadKind::Doc);
    assert!(build(&message, &profile).is_ok());
}

#[test]
fn k_p04_sizes_at_their_limits() {
    let padded = |length: usize| {
        let mut html = "<p>x</p>".to_owned();
        html.push_str(&" ".repeat(length - html.len()));
        with_html(&html)
    };
    let mut profile = Profile::default();
    (profile.payload_warn_bytes, profile.payload_max_bytes) = (100, 200);
    assert!(warned(&padded(100), &profile).is_empty());
    assert_eq!(warned(&padded(101), &profile), ["K-P04"]);
    assert_eq!(warned(&padded(200), &profile), ["K-P04"]);
    assert_eq!(refused_by(&padded(201), &profile), ["K-P04"]);
    let (warn, max) = (Limits::PAYLOAD_WARN, Limits::PAYLOAD_MAX);
    assert_eq!(
        (
            Profile::default().payload_warn_bytes,
            Profile::default().payload_max_bytes
        ),
        (warn, max)
    );
}

#[test]
fn k_p05_a_document_that_would_be_read_as_another_kind() {
    let mut text = message();
    text.payload = Payload::Text("<60 mL/min".to_owned());
    assert_eq!(refused(&text), ["K-P05"]);
    assert_eq!(refused(&with_html("no tag at the start <p>")), ["K-P05"]);
    let mut named = message();
    named.payload = Payload::binary(PayloadKind::Pdf, b"plain words".to_vec());
    assert_eq!(refused(&named), ["K-P05"]);
}

#[test]
fn k_p05_encoded_twice() {
    let mut message = message();
    message.payload = Payload::binary(PayloadKind::Pdf, b"JVBERi0xLjcKJSVFT0YK".to_vec());
    assert_eq!(refused(&message), ["K-P05"]);
}

#[test]
fn k_p07_html_that_a_receiver_may_not_show() {
    let mut warn = Profile::default();
    warn.unsafe_html = Severity::Warning;
    for html in [
        "<p><IMG src='x'></p>",
        "<p style='display : none'>x</p>",
        "<p style='position:absolute'>x</p>",
        "<script>x</script>",
        "<link rel='stylesheet' href='x'>",
        "<td background='x'>",
        "<style>p { }</style>",
    ] {
        assert_eq!(refused(&with_html(html)), ["K-P07"], "{html}");
        assert_eq!(warned(&with_html(html), &warn), ["K-P07"], "{html}");
    }
    for html in [
        "<p>images and scripts</p>",
        "<p>x &lt;img&gt;</p>",
        "<pre>a</pre>",
    ] {
        assert!(
            warned(&with_html(html), &Profile::default()).is_empty(),
            "{html}"
        );
    }
}

#[test]
fn k_p08_the_end_of_a_section_within_html() {
    let message = with_html("<p>a]]>b]]]]>c]]</p>");
    let built = good(&message, &Profile::default());
    let found = parse(&built.bytes, Mode::Strict).payload.unwrap();
    assert_eq!(found.text(), Some("<p>a]]>b]]]]>c]]</p>"));
}

#[test]
fn k_p09_an_encrypted_pdf_and_k_p10_a_cut_one() {
    let with = |bytes: &[u8]| {
        let mut message = message();
        message.payload = Payload::binary(PayloadKind::Pdf, bytes.to_vec());
        refused(&message)
    };
    let whole = String::from_utf8(pdf()).unwrap();
    assert_eq!(
        with(whole.replace("/Root", "/Encrypt 2 0 R /Root").as_bytes()),
        ["K-P09"]
    );
    assert_eq!(with(&whole.as_bytes()[..40]), ["K-P10"]);
}

#[test]
fn k_p10_a_cut_tiff() {
    let mut profile = Profile::default();
    profile.payload_kinds.push(PayloadKind::Tiff);
    let with = |bytes: &[u8]| {
        let mut message = message();
        message.payload = Payload::binary(PayloadKind::Tiff, bytes.to_vec());
        message
    };
    assert!(build(&with(b"II*\0\x08\0\0\0\0\0"), &profile).is_ok());
    assert!(build(&with(b"MM\0*\0\0\0\x08\0\0"), &profile).is_ok());
    for cut in [
        &b"II*\0\x08\0\0\0\0"[..],
        b"II*\0\x04\0\0\0\0\0",
        b"MM\0*\0\0",
    ] {
        assert_eq!(refused_by(&with(cut), &profile), ["K-P10"]);
    }
}

#[test]
fn k_v08_only_the_recipients_code_is_bounded() {
    let mut message = message();
    message.recipient.gp_code = Some("G".repeat(15));
    assert_eq!(warned(&message, &Profile::default()), ["K-V14"]);
    message.recipient.gp_code = Some("G".repeat(16));
    assert_eq!(refused(&message), ["K-V08"]);
    message.recipient.gp_code = None;
    message.sender.clinician.as_mut().unwrap().code = Some("C".repeat(40));
    assert!(warned(&message, &Profile::default()).is_empty());
}
