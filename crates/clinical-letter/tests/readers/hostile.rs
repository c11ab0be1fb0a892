//! Limits of section 9, each at the limit and one past it, and files made to do harm.

use clinical_letter::{ReadOptions, encode_frame, read};

use super::support::{changed, corpus, message_with, outcome, run, word, word_parts, zipped};

fn reason(bytes: &[u8], options: &ReadOptions) -> String {
    read(bytes, options).remove(0).reason.as_str().to_owned()
}

#[test]
fn limits_file_size() {
    let bytes = corpus("text/t01-clinic-plain.txt");
    let mut options = ReadOptions::default();
    options.limits.file_bytes = bytes.len();
    assert_eq!(reason(&bytes, &options), "ok");
    options.limits.file_bytes -= 1;
    assert_eq!(reason(&bytes, &options), "too-large");
}

#[test]
fn limits_pages() {
    let bytes = corpus("text/t02-discharge-two-pages.txt");
    let mut options = ReadOptions::default();
    options.limits.pages = 2;
    assert_eq!(reason(&bytes, &options), "ok");
    options.limits.pages = 1;
    assert_eq!(reason(&bytes, &options), "too-large");
}

#[test]
fn limits_messages() {
    let two = [message_with("CTL0001", "A"), message_with("CTL0001", "B")].concat();
    let mut options = ReadOptions::default();
    options.limits.messages = 2;
    assert_eq!(read(&two, &options).len(), 2);
    options.limits.messages = 1;
    assert_eq!(reason(&two, &options), "too-large");
}

#[test]
fn limits_messages_of_frames_too() {
    let frame = encode_frame(&message_with("CTL0001", "A"));
    let mut options = ReadOptions::default();
    options.limits.messages = 2;
    assert_eq!(read(&frame.repeat(2), &options).len(), 2);
    assert_eq!(read(&frame.repeat(3), &options).len(), 1);
    assert_eq!(reason(&frame.repeat(3), &options), "too-large");
    let cut_off = [frame.as_slice(), &b"\x0b\r".repeat(500_000)].concat();
    assert_eq!(reason(&cut_off, &ReadOptions::default()), "too-large");
}

#[test]
fn limits_zip_entries() {
    let bytes = word(&run("x"));
    let mut options = ReadOptions::default();
    options.limits.zip_entries = 3;
    assert_eq!(reason(&bytes, &options), "ok");
    options.limits.zip_entries = 2;
    assert_eq!(reason(&bytes, &options), "too-large");
}

#[test]
fn limits_zip_entry_and_total() {
    let parts = word_parts(&run("x"), &[]);
    let largest = parts
        .iter()
        .map(|(_, text)| text.len() as u64)
        .max()
        .unwrap();
    let bytes = zipped(&parts);
    let mut options = ReadOptions::default();
    options.limits.zip_entry_bytes = largest;
    assert_eq!(reason(&bytes, &options), "ok");
    options.limits.zip_entry_bytes = largest - 1;
    assert_eq!(reason(&bytes, &options), "too-large");

    // The package's relationships are read twice: for active content, and to find the document.
    let of = |name: &str| {
        parts
            .iter()
            .find(|(known, _)| known == name)
            .unwrap()
            .1
            .len() as u64
    };
    let total = of("[Content_Types].xml") + 2 * of("_rels/.rels") + of("word/document.xml");
    let mut options = ReadOptions::default();
    options.limits.zip_total_bytes = total;
    assert_eq!(reason(&bytes, &options), "ok");
    options.limits.zip_total_bytes = total - 1;
    assert_eq!(reason(&bytes, &options), "too-large");
}

#[test]
fn section_9_a_zip_bomb_is_refused_by_its_ratio() {
    let bomb = word(&run(&" ".repeat(8 * 1024 * 1024)));
    assert!(bomb.len() < 64 * 1024);
    assert_eq!(outcome(&bomb), "reject too-large");
}

#[test]
fn section_9_names_that_leave_their_folder_and_document_types() {
    let evil = |name: &str| outcome(&zipped(&word_parts(&run("x"), &[(name, "x".to_owned())])));
    assert_eq!(evil("../evil.xml"), "reject malformed");
    assert_eq!(evil("word/../../evil.xml"), "reject malformed");
    assert_eq!(evil("word\\evil.xml"), "reject malformed");
    let bomb = "<!DOCTYPE x [<!ENTITY a 'aa'>]><w:document/>".to_owned();
    let parts = word_parts("", &[("word/document.xml", bomb)]);
    assert_eq!(outcome(&zipped(&parts)), "reject xml-dtd");
}

#[test]
fn section_9_a_damaged_or_deep_word_file_is_refused() {
    let bytes = corpus("docx/w01-headings.docx");
    assert_ne!(outcome(&bytes[..bytes.len() / 2]), "send ok");
    let deep = format!(
        "{}{}",
        "<w:sdt><w:sdtContent>".repeat(130),
        "</w:sdtContent></w:sdt>".repeat(130)
    );
    assert_eq!(outcome(&word(&deep)), "reject too-deep");
}

#[test]
fn section_1_formats_without_a_reader_are_held() {
    for (bytes, expected) in [
        (&b"{\\rtf1 x}"[..], "hold unsupported-format"),
        (b"%PDF-1.7 x", "hold unsupported-format"),
        (b"<!DOCTYPE html><p>x", "hold unsupported-format"),
        (b"PK\x03\x04rest", "hold unsupported-format"),
        (b"II*\0rest", "hold unsupported-format"),
        (
            b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0",
            "hold encrypted",
        ),
        (b"", "reject empty"),
    ] {
        assert_eq!(outcome(bytes), expected);
    }
}

#[test]
fn section_9_an_attached_rtf_that_is_nested_too_deep_holds() {
    // `{` as hex, in the place of the base64 of the corpus' message.
    let name = "hl7/h09-oru-r01-ed-rtf.hl7";
    let text = String::from_utf8(changed(name, "^Base64^", "^A^")).unwrap();
    let cut = text.find("^A^").unwrap() + 3;
    let deep = format!("{}{{\\E\\rtf1 {}||||||F\r", &text[..cut], "{".repeat(2_000));
    assert_eq!(outcome(deep.as_bytes()), "hold attachment-invalid");
}
