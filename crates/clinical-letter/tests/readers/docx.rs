//! Word files: section 7.1 element by element.

use super::support::{one, outcome, run, sections, warnings, word, word_parts, word_with, zipped};

/// The text of the plan.
fn plan(blocks: &str) -> String {
    let reading = one(&word(blocks));
    assert_eq!(reading.reason.as_str(), "ok", "{:?}", reading.findings);
    sections(&reading).join("|").replace("Plan: ", "")
}

#[test]
fn section_7_1_the_plain_file_is_sent() {
    assert_eq!(outcome(&word(&run("Rest."))), "send ok");
    assert_eq!(plan(&run("  5  mg “daily” – µ ")), "  5  mg “daily” – µ");
}

#[test]
fn section_7_1_fields_show_their_results_only() {
    let field = "<w:p><w:r><w:t>a </w:t><w:fldChar w:fldCharType='begin'/></w:r>\
        <w:r><w:instrText>IF </w:instrText><w:fldChar w:fldCharType='begin'/><w:instrText>X</w:instrText>\
        <w:fldChar w:fldCharType='separate'/><w:t>inner</w:t><w:fldChar w:fldCharType='end'/></w:r>\
        <w:r><w:fldChar w:fldCharType='separate'/><w:t>result</w:t><w:fldChar w:fldCharType='end'/><w:t> b</w:t></w:r></w:p>";
    assert_eq!(plan(field), "a result b");
    let open = "<w:p><w:r><w:fldChar w:fldCharType='begin'/></w:r></w:p>";
    assert_eq!(
        outcome(&word(&format!("{open}{}", run("lost")))),
        "reject malformed"
    );
}

#[test]
fn section_7_1_form_fields_show_their_state() {
    let field = |data: &str| {
        format!(
            "<w:p><w:r><w:fldChar w:fldCharType='begin'><w:ffData>{data}</w:ffData></w:fldChar></w:r><w:r><w:fldChar w:fldCharType='end'/><w:t> smoker</w:t></w:r></w:p>"
        )
    };
    assert_eq!(
        plan(&field("<w:checkBox><w:checked/></w:checkBox>")),
        "☒ smoker"
    );
    assert_eq!(
        plan(&field("<w:checkBox><w:default w:val='0'/></w:checkBox>")),
        "☐ smoker"
    );
    let list = "<w:ddList><w:result w:val='1'/><w:listEntry w:val='never'/><w:listEntry w:val='ex'/></w:ddList>";
    assert_eq!(plan(&field(list)), "ex smoker");
}

#[test]
fn section_7_1_alternate_content_is_read_once() {
    let alternate = |prefix: &str| {
        format!(
            "<w:p><w:r><mc:AlternateContent><mc:Choice Requires='{prefix}'><w:t>choice</w:t></mc:Choice><mc:Fallback><w:t>fallback</w:t></mc:Fallback></mc:AlternateContent></w:r></w:p>"
        )
    };
    assert_eq!(plan(&alternate("wps")), "choice");
    assert_eq!(plan(&alternate("new")), "fallback");
    assert_eq!(plan(&alternate("wps new")), "fallback");
}

#[test]
fn section_7_1_a_text_box_follows_its_paragraph() {
    let drawing = "<w:p><w:r><w:t>before</w:t><w:pict><v:shape><v:textbox><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent></v:textbox></v:shape></w:pict><w:t> after</w:t></w:r></w:p>";
    assert_eq!(plan(drawing), "before after\nboxed");
}

#[test]
fn section_7_1_hidden_text_is_dropped_and_told() {
    let hidden = "<w:p><w:r><w:t>seen</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>unseen</w:t></w:r><w:r><w:rPr><w:vanish w:val='0'/></w:rPr><w:t> too</w:t></w:r></w:p>";
    let reading = one(&word(hidden));
    assert_eq!(sections(&reading), ["Plan: seen too"]);
    assert_eq!(warnings(&reading), ["hidden-text-dropped"]);
}

#[test]
fn section_7_1_symbols_breaks_and_mathematics() {
    let mixed = "<w:p><w:r><w:sym w:font='Symbol' w:char='F0B3'/><w:t>5</w:t><w:noBreakHyphen/><w:softHyphen/><w:cr/><w:tab/></w:r><m:oMath><m:r><m:t>x+1</m:t></m:r></m:oMath></w:p>";
    assert_eq!(plan(mixed), "≥5\u{2011}\n\tx+1");
    let unknown = "<w:p><w:r><w:sym w:font='Symbol' w:char='F0FF'/></w:r></w:p>";
    assert_eq!(warnings(&one(&word(unknown))), ["symbol-unknown"]);
}

#[test]
fn section_7_1_tables_nested_and_single_celled() {
    let cell = |inner: &str| format!("<w:tc>{inner}</w:tc>");
    let row = |cells: &[String]| format!("<w:tr>{}</w:tr>", cells.concat());
    let table = |rows: &[String]| format!("<w:tbl>{}</w:tbl>", rows.concat());
    let inner = table(&[row(&[cell(&run("x")), cell(&run("y"))])]);
    let two = cell(&format!("{}{}", run("a"), run("b")));
    assert_eq!(
        plan(&table(&[row(&[two.clone(), cell(&inner)])])),
        "a b\tx y"
    );
    assert_eq!(plan(&table(&[row(&[two])])), "a\nb");
}

#[test]
fn section_7_1_content_controls_drop_their_placeholder() {
    let control = |properties: &str| {
        format!(
            "<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent>{}</w:sdtContent></w:sdt>",
            run("in")
        )
    };
    assert_eq!(plan(&control("")), "in");
    assert_eq!(
        plan(&format!("{}{}", control("<w:showingPlcHdr/>"), run("out"))),
        "out"
    );
}

#[test]
fn section_7_1_every_kind_of_tracked_change_holds() {
    let deleted_mark = "<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr><w:r><w:t>a</w:t></w:r></w:p><w:p><w:r><w:t>b</w:t></w:r></w:p>";
    let reading = one(&word(deleted_mark));
    assert_eq!(reading.reason.as_str(), "tracked-changes");
    assert_eq!(sections(&reading), ["Plan: ab"]);
    let refused = &reading.document.sections_rejected_view;
    assert_eq!(refused[0].text.expose(), "a\nb");
    for change in [
        "<w:p><w:ins><w:r><w:t>x</w:t></w:r></w:ins></w:p>",
        "<w:p><w:moveFrom><w:r><w:t>x</w:t></w:r></w:moveFrom></w:p>",
        "<w:tbl><w:tr><w:trPr><w:del/></w:trPr><w:tc><w:p/></w:tc></w:tr></w:tbl>",
    ] {
        assert_eq!(outcome(&word(change)), "hold tracked-changes", "{change}");
    }
    let formatting =
        "<w:p><w:r><w:rPr><w:rPrChange><w:rPr/></w:rPrChange></w:rPr><w:t>x</w:t></w:r></w:p>";
    assert_eq!(plan(formatting), "x");
}

#[test]
fn section_7_1_footnotes_stand_at_the_end() {
    let mark = "<w:p><w:r><w:t>See</w:t><w:footnoteReference w:id='2'/></w:r></w:p>";
    let note = format!("<w:footnote w:id='2'>{}</w:footnote>", run("NICE NG1"));
    let reading = one(&word_with(mark, "footnotes", &note));
    assert_eq!(sections(&reading), ["Plan: See[1]", ": [1] NICE NG1"]);
    assert_eq!(
        outcome(&word_with(mark, "footnotes", "")),
        "reject malformed"
    );
}

#[test]
fn section_8_header_and_footer_must_name_the_same_patient() {
    let header = |text: &str| outcome(&word_with(&run("Rest."), "header", &run(text)));
    assert_eq!(header("NHS No: 999 030 9256"), "send ok");
    assert_eq!(header("Private and confidential"), "send ok");
    assert_eq!(header("NHS No: 999 001 2377"), "hold patient-mismatch");
    assert_eq!(
        header("Patient: Mr Piotr KOWALCZYK"),
        "hold patient-mismatch"
    );
    assert_eq!(header("Date of birth: 11/10/1960"), "hold patient-mismatch");
}

#[test]
fn section_2_a_draft_watermark_wins_over_the_signature() {
    let watermark =
        "<w:p><w:r><w:pict><v:shape><v:textpath string='DRAFT'/></v:shape></w:pict></w:r></w:p>";
    let bytes = word_with(&run("Rest."), "header", watermark);
    assert_eq!(outcome(&bytes), "hold not-authenticated");
}

#[test]
fn section_2_a_signature_must_come_last() {
    let quoted = format!(
        "{}{}",
        run("Electronically signed by Dr Y, Locum, 18/11/2026 10:00"),
        run("More text")
    );
    let reading = one(&word(&quoted));
    assert_eq!(reading.document.author.name.as_deref(), Some("Dr X"));
}

#[test]
fn section_9_active_content_is_held() {
    for active in [
        "<w:p><w:r><w:object/></w:r></w:p>",
        "<w:altChunk/>",
        "<w:p><w:fldSimple w:instr=' DDEAUTO c:\\x '/></w:p>",
        "<w:p><w:r><w:fldChar w:fldCharType='begin'/><w:instrText>IncludeText x</w:instrText><w:fldChar w:fldCharType='separate'/><w:fldChar w:fldCharType='end'/></w:r></w:p>",
    ] {
        assert_eq!(outcome(&word(active)), "hold active-content", "{active}");
    }
    let part = |name: &str, text: &str| {
        outcome(&zipped(&word_parts(&run("x"), &[(name, text.to_owned())])))
    };
    assert_eq!(part("word/vbaProject.bin", "x"), "hold active-content");
    assert_eq!(part("word/embeddings/o.bin", "x"), "hold active-content");
    let types = "<Types><Override ContentType='application/vnd.ms-word.document.macroEnabled.main+xml'/></Types>";
    assert_eq!(part("[Content_Types].xml", types), "hold active-content");
    let link = |kind: &str| {
        format!(
            "<Relationships><Relationship Id='r9' Type='x/{kind}' TargetMode='External' Target='http://x'/></Relationships>"
        )
    };
    let rels = "word/_rels/document.xml.rels";
    assert_eq!(part(rels, &link("attachedTemplate")), "hold active-content");
    assert_eq!(part(rels, &link("hyperlink")), "send ok");
}

#[test]
fn a_clinicians_words_are_never_taken_for_labels() {
    let document = |lines: &[&str]| {
        let text = lines.iter().map(|line| run(line)).collect::<String>();
        let parts = word_parts("", &[]);
        let (_, xml) = parts
            .into_iter()
            .find(|(name, _)| name == "word/document.xml")
            .unwrap();
        let plan = "<w:p><w:pPr><w:outlineLvl w:val='1'/></w:pPr><w:r><w:t>Plan</w:t></w:r></w:p>";
        assert!(xml.contains(plan));
        zipped(&word_parts(
            "",
            &[("word/document.xml", xml.replace(plan, &text))],
        ))
    };
    let kept = |lines: &[&str]| sections(&one(&document(lines))).join("|");
    assert_eq!(
        kept(&["Dear Dr Low", "GP: please stop aspirin"]),
        ": Dear Dr Low\nGP: please stop aspirin"
    );
    assert_eq!(
        kept(&["GP: please stop aspirin"]),
        ": GP: please stop aspirin"
    );
    assert_eq!(
        kept(&["Dear Dr Low", "Ward: moved to 7"]),
        ": Dear Dr Low\nWard: moved to 7"
    );
    assert_eq!(
        kept(&["Sex: F  Allergies: penicillin"]),
        ": Sex: F  Allergies: penicillin"
    );
    assert_eq!(
        outcome(&document(&["Patient: Mr A OTHER", "Rest."])),
        "hold patient-mismatch"
    );
}
