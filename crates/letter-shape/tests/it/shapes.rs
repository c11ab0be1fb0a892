//! What comes out, for each kind of letter and receiver.

use clinical_letter::{Attachment, DocumentKind, Letter, Relation};
use kettering_xml::{Mode, PayloadKind, parse};
use letter_shape::{
    HtmlSubset, Method, ReceiverProfile, ShapeError, Shaped, Words, prove, render_html, shape,
    source_words,
};
use nhs_types::{OdsCode, PersonName, Sensitive};

use crate::support::{envelope, letter, letter_json, letter_of, profile, with_sections};

fn shaped(letter: &Letter, name: &str) -> Shaped {
    let shaped = shape(letter, &profile(name), &envelope()).unwrap();
    assert!(shaped.proof.is_exact());
    shaped
}

fn text(shaped: &Shaped) -> String {
    shaped
        .artefact
        .bytes
        .iter()
        .map(|byte| char::from(*byte))
        .collect()
}

fn header(shaped: &Shaped) -> String {
    let parsed = parse(&shaped.artefact.bytes, Mode::Strict);
    let report = parsed.message.unwrap().report;
    let end = report.event_end.map(|end| end.to_string());
    format!(
        "{} | {} | {} | {}-{} | {}",
        report.report_id,
        report.report_type,
        report.report_code.unwrap(),
        report.event_date,
        end.unwrap_or_default(),
        report.created,
    )
}

#[test]
fn a_clinic_letter_for_emis() {
    let shaped = shaped(&letter(), "emis");
    assert!(shaped.findings.is_empty());
    assert_eq!(shaped.artefact.content_type, "application/xml");
    assert_eq!(
        shaped.artefact.file_name,
        "kettering_7b0f7c52-6f0b-4d37-9a53-2f5f2b0f7a11.xml"
    );
    insta::assert_snapshot!(String::from_utf8(shaped.artefact.bytes).unwrap());
}

#[test]
fn a_clinic_letter_for_docman() {
    insta::assert_snapshot!(text(&shaped(&letter(), "docman-edt")));
}

#[test]
fn the_page_for_systmone() {
    insta::assert_snapshot!(render_html(&letter(), HtmlSubset::SystmOne));
}

#[test]
fn every_kind_of_letter_says_what_it_is() {
    let mut lines = Vec::new();
    for kind in [
        "discharge-summary",
        "outpatient-letter",
        "ed-attendance",
        "hospital-letter",
        "radiotherapy",
    ] {
        let mut letter = letter();
        letter.document.kind = DocumentKind::from(kind);
        lines.push(format!("{kind}: {}", header(&shaped(&letter, "emis"))));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_discharge_carries_its_stay() {
    let mut value = letter_json();
    value["document"]["kind"] = "discharge-summary".into();
    value["encounter"] = serde_json::json!({"class": "inpatient", "admitted": "2026-11-10", "discharged": "2026-11-18"});
    let shaped = shaped(&letter_of(value), "medicus");
    assert!(
        header(&shaped).contains("| DISCH | 20261110-20261118 |"),
        "{}",
        header(&shaped)
    );
    assert!(text(&shaped).contains("<td>10-Nov-2026</td>"));
}

#[test]
fn times_are_those_of_a_clock_in_the_united_kingdom() {
    let mut value = letter_json();
    value["document"]["event_at"] = "2026-07-01T09:30:00+00:00".into();
    value["document"]["event_date"] = "2026-07-01".into();
    value["document"]["signed_at"] = "2026-07-01T23:30:00+00:00".into();
    let shaped = shaped(&letter_of(value), "emis");
    assert!(
        header(&shaped).ends_with("202607011030- | 202607020030"),
        "{}",
        header(&shaped)
    );
    assert!(text(&shaped).contains("01-Jul-2026 10:30"));
    assert!(text(&shaped).contains("02-Jul-2026 00:30"));
}

#[test]
fn a_replacement_says_so_at_the_top_and_in_its_type() {
    let mut letter = letter();
    letter.document.relation = Relation::Replacement;
    letter.document.parent = Some("1118-0999".to_owned());
    letter.change_reason = Some(Sensitive::new("Wrong dose in the first".to_owned()));
    let shaped = shaped(&letter, "emis");
    assert!(header(&shaped).contains("Outpatient Letter (amended)"));
    let text = text(&shaped);
    let notice = text
        .find("This replaces the letter with document number 1118-0999.")
        .unwrap();
    assert!(notice < text.find("NHS number").unwrap());
    assert!(text.contains("Reason: Wrong dose in the first"));
}

#[test]
fn an_addendum_and_an_edit_say_so() {
    let mut letter = letter();
    letter.document.relation = Relation::Addendum;
    letter.document.parent = Some("1118-0999".to_owned());
    let added = shaped(&letter, "systmone");
    assert!(header(&added).contains("(addendum)"));
    assert!(text(&added).contains("Addendum to the letter with document number 1118-0999."));
    letter.document.relation = Relation::Edit;
    assert!(text(&shaped(&letter, "emis")).contains("This replaces an earlier version"));
}

#[test]
fn images_that_are_not_shown_are_told() {
    let mut letter = letter();
    letter.images = 2;
    assert!(text(&shaped(&letter, "emis")).contains("Images in the original, not shown here: 2"));
}

#[test]
fn the_same_letter_gives_the_same_bytes() {
    for name in ReceiverProfile::BUILTIN {
        assert_eq!(shaped(&letter(), name), shaped(&letter(), name));
    }
}

#[test]
fn the_gp_is_named_only_at_the_practice_of_the_source() {
    let mut elsewhere = envelope();
    elsewhere.practice = OdsCode::parse("Y99002").unwrap();
    let shaped = shape(&letter(), &profile("emis"), &elsewhere).unwrap();
    let message = parse(&shaped.artefact.bytes, Mode::Strict).message.unwrap();
    assert_eq!(
        (message.recipient.gp_code, message.recipient.gp_name),
        (None, None)
    );
    assert_eq!(message.recipient.practice.as_str(), "Y99002");
}

#[test]
fn a_file_name_cannot_lead_out_of_its_folder() {
    let mut envelope = envelope();
    envelope.msg_id = "../../etc/x y".to_owned();
    let shaped = shape(&letter(), &profile("emis"), &envelope).unwrap();
    assert_eq!(shaped.artefact.file_name, "kettering_etcxy.xml");
}

fn pdf(body: &str) -> Vec<u8> {
    format!("%PDF-1.7\n{body}\n%%EOF\n").into_bytes()
}

fn with_pdf(bytes: Vec<u8>) -> Letter {
    let mut letter = letter();
    letter.sections.clear();
    letter.attachment = Some(Attachment::new("application/pdf", bytes));
    letter
}

#[test]
fn a_pdf_passes_through_with_its_bytes_proven() {
    for name in ReceiverProfile::BUILTIN {
        let letter = with_pdf(pdf("signed page"));
        let shaped = shaped(&letter, name);
        assert_eq!(shaped.proof.method, Method::Bytes);
        assert_eq!(
            shaped.proof.source_digest,
            letter.attachment.unwrap().sha256()
        );
        let payload = parse(&shaped.artefact.bytes, Mode::Strict).payload.unwrap();
        assert_eq!(
            (payload.kind, payload.bytes),
            (PayloadKind::Pdf, pdf("signed page"))
        );
    }
}

#[test]
fn another_pdf_is_not_the_signed_one() {
    let shaped = shaped(&with_pdf(pdf("signed page")), "emis");
    let proof = prove(&with_pdf(pdf("other page")), &shaped.artefact.bytes).unwrap();
    assert!(!proof.is_exact());
    let proof = prove(&letter(), &shaped.artefact.bytes).unwrap();
    assert!(!proof.is_exact(), "a text letter is not proven by a PDF");
    let text = self::shaped(&letter(), "emis");
    let proof = prove(&with_pdf(pdf("signed page")), &text.artefact.bytes).unwrap();
    assert!(!proof.is_exact(), "a PDF letter is not proven by a page");
}

#[test]
fn k_p09_k_p10_files_that_cannot_be_shown_are_refused() {
    for bytes in [pdf("/Encrypt 1 0 R"), b"%PDF-1.7 cut".to_vec()] {
        let error = shape(&with_pdf(bytes), &profile("emis"), &envelope()).unwrap_err();
        assert!(matches!(error, ShapeError::Refused { .. }), "{error}");
    }
}

#[test]
fn k_p03_word_goes_only_where_it_is_taken() {
    let mut letter = with_pdf(Vec::new());
    let word = b"PK\x03\x04....word/document.xml".to_vec();
    let media = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    letter.attachment = Some(Attachment::new(media, word));
    assert!(shape(&letter, &profile("emis"), &envelope()).is_ok());
    let error = shape(&letter, &profile("systmone"), &envelope()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "refused by the rules of the format or the receiver: K-P03 at ClinicalReport/TextItem/TextBlock"
    );
}

#[test]
fn what_cannot_be_shaped_yet_says_so() {
    let mut both = letter();
    both.attachment = Some(Attachment::new("application/pdf", pdf("x")));
    let mut strange = with_pdf(Vec::new());
    strange.attachment = Some(Attachment::new("audio/mpeg", vec![1]));
    for letter in [both, strange] {
        let error = shape(&letter, &profile("emis"), &envelope()).unwrap_err();
        assert!(matches!(error, ShapeError::Unsupported { .. }), "{error}");
    }
}

#[test]
fn k_s02_k_v17_k_v18_what_the_format_needs_is_asked_for() {
    let mut nameless = letter();
    nameless.patient.name = PersonName::new("Mononym", None, None).unwrap();
    let mut unsigned = letter();
    unsigned.author.name = None;
    let mut homeless = envelope();
    homeless.department.clear();
    for (letter, envelope, rule) in [
        (nameless, envelope(), "K-S02"),
        (unsigned, envelope(), "K-V17"),
        (letter(), homeless, "K-V18"),
    ] {
        match shape(&letter, &profile("emis"), &envelope).unwrap_err() {
            ShapeError::Refused { findings } => assert!(findings.holds(rule), "{findings:?}"),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn the_size_of_a_message_at_its_limit() {
    let mut small = profile("emis");
    small.artefact_max_bytes = shaped(&letter(), "emis").artefact.bytes.len();
    assert!(shape(&letter(), &small, &envelope()).is_ok());
    small.artefact_max_bytes -= 1;
    match shape(&letter(), &small, &envelope()).unwrap_err() {
        ShapeError::Refused { findings } => assert!(findings.holds("SHAPE-SIZE")),
        other => panic!("{other}"),
    }
}

#[test]
fn a_long_letter_goes_whole() {
    let page = "One two three four five six seven eight nine ten.\n".repeat(60);
    let sections: Vec<(&str, &str)> = (0..30).map(|_| ("Heading", page.as_str())).collect();
    let shaped = shaped(&with_sections(&sections), "systmone");
    assert!(shaped.proof.source_words > 18_000);
    assert_eq!(shaped.proof.source_words, shaped.proof.artefact_words);
}

#[test]
fn forty_columns_and_an_empty_section_keep_their_words() {
    let row = (0..40)
        .map(|n| format!("c{n}"))
        .collect::<Vec<_>>()
        .join("\t");
    let letter = with_sections(&[
        ("Wide", &row),
        ("Empty", ""),
        ("Signs", "<b>&amp; <!-- --> ]]>"),
    ]);
    for name in ReceiverProfile::BUILTIN {
        let page = text(&shaped(&letter, name));
        assert_eq!(page.matches("<td>c").count(), 40);
        assert!(page.contains("Empty</h2>"));
    }
}

/// SystmOne was seen to strip most tags: what is left must still be the letter.
#[test]
fn words_stay_apart_where_every_tag_is_stripped() {
    for subset in [HtmlSubset::Standard, HtmlSubset::SystmOne] {
        let html = render_html(&letter(), subset);
        let (_, body) = html.split_once("<body>").unwrap();
        let mut text = String::new();
        for part in body.split('<') {
            text.push_str(part.split_once('>').map_or(part, |(_, text)| text));
        }
        let text = text
            .replace("&nbsp;", " ")
            .replace("&lt;", "<")
            .replace("&amp;", "&");
        assert_eq!(Words::of(&text), source_words(&letter()));
    }
}

/// Facts, sections 12 and 10: what SystmOne survives.
#[test]
fn only_elements_of_the_subset_are_written() {
    const SIMPLE: [&str; 17] = [
        "html", "head", "title", "body", "h1", "h2", "h3", "p", "br", "b", "table", "tr", "td",
        "ul", "li", "hr", "a",
    ];
    let html = render_html(&letter(), HtmlSubset::SystmOne);
    for tag in html.split('<').skip(1) {
        let name = tag
            .trim_start_matches('/')
            .split(['>', ' '])
            .next()
            .unwrap();
        assert!(SIMPLE.contains(&name), "{name}");
    }
    assert!(!html.contains("style") && !html.contains("class"));
}

#[test]
fn short_rows_are_filled_up_to_a_limit() {
    let wide = |columns: usize| format!("{}\na\tb", vec!["c"; columns].join("\t"));
    let cells = |columns: usize| {
        let letter = with_sections(&[("T", &wide(columns))]);
        let html = render_html(&letter, HtmlSubset::Standard);
        html.matches("&nbsp;").count()
    };
    assert_eq!((cells(64), cells(65), cells(2)), (62, 62, 0));
}

#[test]
fn k_w02_control_characters_are_told_or_refused() {
    let letter = with_sections(&[(
        "Plan",
        "line\u{B}break, 7\u{1E}day, patient\u{92}s\r\nnext\u{FFFE}",
    )]);
    let shaped = shaped(&letter, "emis");
    let found = shaped.findings.findings();
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].to_string(),
        "warning K-W02 at whole: 4 control characters were replaced by what they mean, or dropped"
    );
    assert!(
        String::from_utf8(shaped.artefact.bytes)
            .unwrap()
            .contains("7\u{2011}day, patient’s")
    );
    let mut strict = profile("emis");
    strict.kettering.control_characters = kettering_xml::ControlCharacters::Refuse;
    let error = shape(&letter, &strict, &envelope()).unwrap_err();
    assert!(error.to_string().contains("K-W02"));
    assert!(shape(&self::letter(), &strict, &envelope()).is_ok());
}
