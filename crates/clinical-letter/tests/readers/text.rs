//! Report text: pages, heads, encodings, signatures.

use super::support::{changed, corpus, one, outcome, report_with, sections, warnings};

const TWO_PAGES: &str = "text/t02-discharge-two-pages.txt";

#[test]
fn rule_1_pages_must_be_whole_and_of_one_patient() {
    let page = |from: &str, to: &str| outcome(&changed(TWO_PAGES, from, to));
    assert_eq!(
        page("PAGE 2 of 2", "PAGE 2 of 3"),
        "hold incomplete-document"
    );
    assert_eq!(
        page("PAGE 2 of 2", "PAGE 3 of 2"),
        "hold incomplete-document"
    );
    let line = "PATIENT: BRAITHWAITE,COLIN   UNIT #: RXX100074";
    assert_eq!(
        page(line, "PATIENT: WINTER,ROBIN   UNIT #: RXX100074"),
        "hold patient-mismatch"
    );
    assert_eq!(
        page(line, "PATIENT: BRAITHWAITE,COLIN   UNIT #: RXX1"),
        "hold patient-mismatch"
    );
    assert_eq!(page(line, "PATIENT: Braithwaite,Colin"), "send ok");
    let first = String::from_utf8(corpus(TWO_PAGES)).unwrap();
    let first = first.split('\u{c}').next().unwrap();
    assert_eq!(outcome(first.as_bytes()), "hold incomplete-document");
    assert_eq!(
        outcome(&changed(TWO_PAGES, "\u{c}", "")),
        "hold incomplete-document"
    );
}

#[test]
fn rule_2_a_text_without_a_head_is_no_report() {
    assert_eq!(outcome(b"To whom it may concern"), "reject malformed");
    assert_eq!(outcome(b"abc\0def and more"), "reject malformed");
    assert_eq!(outcome(b" \r\n\x0c "), "reject empty");
}

#[test]
fn rule_3_two_numbers_or_two_names_in_one_head() {
    let head = |more: &str| {
        outcome(&report_with(
            "DOB: 07/03/1951",
            &format!("DOB: 07/03/1951   {more}"),
        ))
    };
    assert_eq!(head("NHS: 9990012377"), "send ok");
    assert_eq!(head("NHS: 9990037116"), "hold nhs-number-conflict");
    assert_eq!(head("Name: WINTER,ROBIN"), "hold patient-mismatch");
}

#[test]
fn rule_6_a_signature_counts_only_at_the_end() {
    let signature =
        "<Electronically signed by Dr Yusuf Abubakar, Consultant Rheumatologist>  19/11/26 1432";
    let quoted = format!("{signature}\r\nBut see the later note.");
    assert_eq!(
        outcome(&report_with(signature, &quoted)),
        "hold signature-unclear"
    );
    assert_eq!(
        outcome(&report_with(signature, "")),
        "hold not-authenticated"
    );
    let undated = signature.replace("  19/11/26 1432", "");
    assert_eq!(
        outcome(&report_with(signature, &undated)),
        "hold signature-unclear"
    );
    let draft = report_with(
        "OUTPATIENT CLINIC",
        "*** PRELIMINARY ***\r\nOUTPATIENT CLINIC",
    );
    assert_eq!(outcome(&draft), "hold not-authenticated");
    let banner = report_with("RUN USER: HIM.BKG", "RUN USER: HIM.BKG   DRAFT");
    assert_eq!(outcome(&banner), "hold not-authenticated");
}

#[test]
fn two_letters_run_together_are_never_sent_as_one() {
    let unchanged = "OUTPATIENT CLINIC";
    let first = report_with(unchanged, unchanged);
    let other = report_with("999 001 2377", "999 058 1398");
    let run_together = [other.as_slice(), b"\r\n", first.as_slice()].concat();
    assert_eq!(outcome(&run_together), "hold patient-mismatch");
}

#[test]
fn section_8_the_gravest_decides_and_all_is_told() {
    let text = String::from_utf8(report_with(
        "OUTPATIENT CLINIC",
        "** DO NOT SEND TO GP **\r\nOUTPATIENT CLINIC",
    ))
    .unwrap();
    let text = text
        .replace("999 001 2377", "999 001 2378")
        .replace("07/03/1951", "31/02/1951");
    let reading = one(text.as_bytes());
    assert_eq!(
        format!("{} {}", reading.disposition, reading.reason),
        "suppress restricted"
    );
    for rule in ["restricted", "nhs-number-invalid", "birth-date-invalid"] {
        assert!(reading.findings.holds(rule), "{rule}");
    }
    assert_eq!(reading.document.patient.dob, None);
}

#[test]
fn section_8_the_earliest_check_gives_the_reason() {
    let text = String::from_utf8(report_with("999 001 2377", "999 001 2378")).unwrap();
    let text = text.replace("(Y99901)", "").replace("<Electronically", "<");
    assert_eq!(outcome(text.as_bytes()), "hold nhs-number-invalid");
    assert_eq!(
        outcome(&report_with("Report #: 1118-0042", "")),
        "hold no-document-number"
    );
}

#[test]
fn section_2_encodings() {
    let utf16: Vec<u8> = String::from_utf8(corpus("text/t01-clinic-plain.txt"))
        .unwrap()
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let reading = one(&[b"\xFF\xFE", &utf16[..]].concat());
    assert_eq!(reading.reason.as_str(), "ok");
    assert_eq!(reading.document.encoding.as_deref(), Some("utf-16le"));
    assert_eq!(warnings(&reading), ["bom"]);
    let torn = one(&report_with("weekly", "wee\u{b}kly\u{7}"));
    assert_eq!(warnings(&torn), ["control-characters-dropped"]);
    assert!(sections(&torn)[1].contains("wee\nkly"));
}

#[test]
fn section_2_an_unknown_title_is_a_hospital_letter_with_a_warning() {
    let reading = one(&report_with("OUTPATIENT CLINIC LETTER", "OPINION"));
    assert_eq!(warnings(&reading), ["unknown-document-type"]);
    let letter = reading.into_letter().unwrap();
    assert_eq!(letter.document.kind.as_str(), "hospital-letter");
    assert_eq!(letter.document.title.expose(), "OPINION - RHEUMATOLOGY");
}

#[test]
fn a_clinicians_words_are_never_taken_for_marks_or_labels() {
    let texts = |from: &str, to: &str| {
        let reading = one(&report_with(from, to));
        assert_eq!(
            reading.reason.as_str(),
            "ok",
            "{to}: {:?}",
            reading.findings
        );
        sections(&reading).join("\n")
    };
    let plan = "Please continue three-monthly FBC, U&E and LFT monitoring.";
    assert!(
        texts(plan, "Physiotherapy:\r\nRestricted\r\nCancelled").ends_with("Restricted\nCancelled")
    );
    assert!(texts(plan, "X-ray\r\nReport: normal").ends_with("X-ray\nReport: normal"));
    assert!(texts(plan, "Report: 2 lesions").ends_with("PLAN FOR GP: Report: 2 lesions"));
    let date = "CLINIC DATE: 18/11/26";
    let kept = |line: &str| texts(date, &format!("{date}\r\n{line}"));
    assert!(kept("** ALLERGIC TO PENICILLIN **").contains("** ALLERGIC TO PENICILLIN **"));
    assert!(kept("REASON: chest pain").contains("REASON: chest pain"));
    assert!(texts(date, &format!("{date}   Allergies: penicillin")).contains("penicillin"));
}

#[test]
fn rule_3_what_no_label_leads_to_is_told() {
    let reading = one(&report_with("SEX: F", "SEX: F   ALLERGY: PENICILLIN"));
    assert_eq!(warnings(&reading), ["head-not-read"]);
}
