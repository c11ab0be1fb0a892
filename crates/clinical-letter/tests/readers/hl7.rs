//! HL7 v2: statuses, events, identities, pieces, fields.

use clinical_letter::{ReadOptions, read};

use super::support::{changed, message_with, one, outcome, sections, warnings};

fn with(from: &str, to: &str) -> String {
    outcome(&message_with(from, to))
}

#[test]
fn section_5_every_status_and_its_outcome() {
    let signed = |status: &str| with("|||||AU||AV|", &format!("|||||{status}||AV|"));
    assert_eq!(signed("LA"), "send ok");
    for status in ["PA", "DO", "DI", "IP", "IN", "", "XX"] {
        assert_eq!(signed(status), "hold not-authenticated", "{status}");
    }
    let available = |code: &str| with("|AU||AV|", &format!("|AU||{code}|"));
    assert_eq!(available(""), "send ok");
    assert_eq!(available("UN"), "hold not-final");
    assert_eq!(available("OB"), "hold not-final");
    assert_eq!(available("CA"), "suppress cancelled");
    assert_eq!(with("|AU||AV|", "|AU|V|AV|"), "suppress restricted");
    assert_eq!(with("|AU||AV|", "|AU|U|AV|"), "send ok");
}

#[test]
fn section_5_every_event_and_its_outcome() {
    let event = |code: &str| with("MDM^T02^MDM_T02", &format!("MDM^{code}^X"));
    for code in ["T02", "T04", "T08"] {
        assert_eq!(event(code), "send ok", "{code}");
    }
    for code in ["T06", "T10"] {
        assert_eq!(
            event(code),
            "hold incomplete-document",
            "{code} without a parent"
        );
    }
    for code in ["T01", "T03", "T05", "T07", "T09"] {
        assert_eq!(event(code), "hold incomplete-document", "{code}");
    }
    assert_eq!(event("T11"), "withdraw cancelled");
    assert_eq!(event("T12"), "reject unsupported-event");
    assert_eq!(with("MDM^T02", "ADT^A01"), "reject unsupported-event");
}

#[test]
fn section_5_a_status_change_to_ca_takes_back_and_new_content_with_ca_is_suppressed() {
    let with_event = |event: &str| {
        let text = String::from_utf8(message_with("|AU||AV|", "|AU||CA|")).unwrap();
        outcome(text.replace("MDM^T02", &format!("MDM^{event}")).as_bytes())
    };
    assert_eq!(with_event("T03"), "withdraw cancelled");
    assert_eq!(with_event("T04"), "withdraw cancelled");
    for event in ["T02", "T06", "T08", "T10"] {
        assert_eq!(with_event(event), "suppress cancelled", "{event}");
    }
}

#[test]
fn section_4_observation_statuses() {
    let status = |code: &str| with("4 weeks||||||F", &format!("4 weeks||||||{code}"));
    assert_eq!(status("C"), "send ok");
    assert_eq!(status(""), "send ok");
    assert_eq!(status("P"), "hold not-final");
    assert_eq!(status("W"), "hold patient-mismatch");
}

#[test]
fn section_4_live_messages_only() {
    assert_eq!(with("CTL0001|P|", "CTL0001|T|"), "reject processing-id");
    assert_eq!(with("CTL0001|P|", "CTL0001||"), "reject processing-id");
    assert_eq!(with("|CTL0001|", "||"), "reject malformed");
    let mut options = ReadOptions::default();
    options.live_processing_ids = vec!["T".to_owned()];
    let test = read(&message_with("CTL0001|P|", "CTL0001|T|"), &options);
    assert_eq!(test[0].reason.as_str(), "ok");
}

#[test]
fn section_8_segments_that_must_be_there() {
    assert_eq!(with("\rPID|", "\rXID|"), "reject segment-missing");
    assert_eq!(with("\rTXA|", "\rXXA|"), "reject segment-missing");
    assert_eq!(with("\rOBX|", "\rZBX|"), "hold incomplete-document");
    assert_eq!(with("\rPD1|", "\rXD1|"), "hold no-gp-practice");
}

#[test]
fn section_4_numbers_in_pid_3() {
    let id = |text: &str| with("9990581398^^^NHS^NH", text);
    assert_eq!(id("999 058 1398^^^NHS"), "send ok");
    assert_eq!(id("9990581398^^^X^NH"), "send ok");
    assert_eq!(
        id("9990581398^^^X&2.16.840.1.113883.2.1.4.1&ISO"),
        "send ok"
    );
    assert_eq!(id("9990581398^^^RXX^PI"), "hold no-patient");
    assert_eq!(id("9990581389^^^NHS^NH"), "hold nhs-number-invalid");
    assert_eq!(id("\"\"^^^NHS^NH"), "hold no-patient");
    let two = "9990581398^^^NHS^NH~9990593760^^^NHS^NH";
    assert_eq!(id(two), "hold nhs-number-conflict");
    assert_eq!(id("9990581398^^^NHS^NH~9990581398^^^NHS^NH"), "send ok");
}

#[test]
fn section_4_legal_names_home_addresses_and_deaths() {
    let bytes = message_with(
        "ASHBY^Noor^^^Mrs^^L",
        "KHAN^Noor^^^^^A~ASHBY^Noor^Jane^^Mrs^^L",
    );
    let patient = one(&bytes).document.patient;
    assert_eq!(patient.family.unwrap().expose(), "ASHBY");
    assert_eq!(patient.given.unwrap().expose(), "Noor Jane");
    let home = message_with("14 Mill Lane^", "Work 1^^^^X1 1XX^^B~14 Mill Lane^");
    assert_eq!(
        one(&home).document.patient.address.expose()[0],
        "14 Mill Lane"
    );
    let died = message_with(
        "|||||||||||||||||||||NSTS01",
        "||||||||||||||||||20261101|Y||NSTS01",
    );
    assert_eq!(warnings(&one(&died)), ["patient-deceased"]);
    assert_eq!(
        with("||19620202|", "||20261120|"),
        "hold birth-date-invalid"
    );
    assert_eq!(with("||19620202|", "||1962|"), "hold birth-date-invalid");
}

#[test]
fn section_4_the_signing_time_is_found_wherever_it_stands() {
    let signer = "GMC^^^^^^202611191432";
    let signed_at = |to: &str| one(&message_with(signer, to)).document.document.signed_at;
    let usual = signed_at(signer).unwrap();
    assert_eq!(signed_at("GMC^202611191432"), Some(usual));
    assert_eq!(signed_at("GMC"), None);
    assert_eq!(with(signer, "GMC"), "hold signature-unclear");
    let later = format!("{signer}~C1^LOW^A^^^^^^^^^^^^202611201000");
    assert_eq!(
        signed_at(&later).unwrap().to_rfc3339(),
        "2026-11-20T10:00:00+00:00"
    );
}

#[test]
fn section_3_repetitions_in_text_are_lines_and_spaces_stay() {
    let bytes = message_with("Iron deficiency anaemia", "  Iron~~  deficiency");
    assert_eq!(
        sections(&one(&bytes))[0],
        "DIAGNOSIS:   Iron\n\n  deficiency"
    );
}

#[test]
fn section_3_a_message_with_its_own_delimiters_reads_the_same() {
    let text = String::from_utf8(message_with("\\T\\", "+T+")).unwrap();
    let own: String = text
        .chars()
        .map(|c| match c {
            '|' => '#',
            '^' => '*',
            '~' => '!',
            '\\' => '+',
            '&' => '%',
            other => other,
        })
        .collect();
    let reading = one(own.as_bytes());
    assert_eq!(reading.reason.as_str(), "ok", "{:?}", reading.findings);
    assert!(sections(&reading)[1].contains("BD % recheck"));
}

#[test]
fn section_4_content_that_is_not_read_is_held() {
    assert_eq!(with("OBX|2|TX|", "OBX|2|RP|"), "hold reference-pointer");
    assert_eq!(with("OBX|2|TX|", "OBX|2|NM|"), "hold incomplete-document");
}

const PIECES: &str = "hl7/h03-mdm-t02-ed-pdf-chunks.hl7";

#[test]
fn section_4_pieces_of_a_file_must_fit() {
    let piece = |from: &str, to: &str| outcome(&changed(PIECES, from, to));
    assert_eq!(piece("OBX|3|ED", "OBX|4|ED"), "hold attachment-invalid");
    assert_eq!(
        piece("OBX|2|ED|CL", "OBX|2|ED|XX"),
        "hold attachment-invalid"
    );
    assert_eq!(piece("JVBERi0", "JVBERi%"), "hold attachment-invalid");
    assert_eq!(piece("JVBERi0", "XVBERi0"), "hold attachment-invalid");
    assert_eq!(piece("^Base64^", "^Uue^"), "hold attachment-invalid");
    let wrapped = one(&changed(PIECES, "JVBERi0", "JVBE\\X0D0A\\Ri0"));
    assert_eq!(
        wrapped.document.attachment.unwrap().expose_bytes().len(),
        60_715
    );
}

#[test]
fn section_8_a_report_inside_the_content_must_be_about_the_same_patient() {
    let inner = |number: &str| {
        let rule = "-".repeat(72);
        let lines = [rule.as_str(), number, rule.as_str(), "TITLE"];
        let text = lines.join("\\.br\\");
        with("Iron deficiency anaemia", &text)
    };
    assert_eq!(inner("NHS No: 999 058 1398"), "send ok");
    assert_eq!(inner("NHS No: 999 001 2377"), "hold patient-mismatch");
}

#[test]
fn section_4_several_messages_in_a_file_give_a_reading_each() {
    let two = [message_with("CTL0001", "A"), message_with("CTL0001", "B")].concat();
    let readings = read(&two, &ReadOptions::default());
    let ids = readings
        .iter()
        .map(|one| one.document.document.control_id.as_deref().unwrap());
    assert_eq!(ids.collect::<Vec<_>>(), ["A", "B"]);
    assert_eq!(
        readings[0].document.document.sender.as_deref(),
        Some("MEDITECH|RXX")
    );
}

#[test]
fn section_6_a_frame_that_was_cut_off_is_rejected_and_the_next_is_read() {
    let whole = message_with("CTL0001", "A");
    let half = &whole[..200];
    let stream = [b"\x0b", half, b"\r\x0b", &whole[..], b"\x1c\r"].concat();
    let readings = read(&stream, &ReadOptions::default());
    let reasons = readings.iter().map(|one| one.reason.as_str());
    assert_eq!(reasons.collect::<Vec<_>>(), ["malformed", "ok"]);
}

const REPORT: &str = "hl7/h09-oru-r01-ed-rtf.hl7";

#[test]
fn section_4_reports_that_are_not_final_are_held() {
    let text = "OBX|1|TX|DS||Stable.||||||F\r";
    let report = |status: &str| {
        let bytes = changed(
            REPORT,
            "202611191432|||F",
            &format!("202611191432|||{status}"),
        );
        let bytes = String::from_utf8(bytes).unwrap();
        let cut = bytes.find("OBX|").unwrap();
        outcome(format!("{}{text}", &bytes[..cut]).as_bytes())
    };
    assert_eq!(report("F"), "send ok");
    assert_eq!(report("C"), "send ok");
    assert_eq!(report("P"), "hold not-final");
}
