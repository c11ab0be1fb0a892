use proptest::prelude::*;

use super::*;

const B: &str = "XbX";

fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, content) in parts {
        body.extend_from_slice(format!("--{B}\r\n").as_bytes());
        let head = format!("Content-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{B}--\r\n").as_bytes());
    body
}

fn read(body: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Wrong> {
    let parts = parts(B, body)?.into_iter();
    Ok(parts
        .map(|part| (part.name, part.content.to_vec()))
        .collect())
}

#[test]
fn a_form_is_taken_apart() {
    let body = form(&[("letter", b"{}"), ("document", b"a\r\n--Xb\r\nc\r")]);
    let parts = read(&body).unwrap();
    assert_eq!(parts[0], ("letter".to_owned(), b"{}".to_vec()));
    assert_eq!(
        parts[1],
        ("document".to_owned(), b"a\r\n--Xb\r\nc\r".to_vec())
    );
}

#[test]
fn a_document_may_hold_what_begins_like_a_boundary() {
    let content: &[u8] = b"\r\n--XbXtail\r\n--XbX-\r\n--XbX--tail";
    let parts = read(&form(&[("document", content)])).unwrap();
    assert_eq!(parts[0].1, content);
}

#[test]
fn what_clients_write_into_a_head_is_understood() {
    let body = b"--XbX\r\ncontent-disposition: FORM-DATA; filename=\"a \\\"name=x\\\"; b.docx\"; \
        name=document\r\nContent-Type: application/octet-stream\r\n\
        Content-Transfer-Encoding: BINARY\r\n\r\n\r\n--XbX--";
    assert_eq!(
        read(body).unwrap(),
        [("document".to_owned(), Vec::new())],
        "an empty content, and no line after the last boundary"
    );
}

#[test]
fn what_is_no_form_is_refused_in_words() {
    let text = String::from_utf8(form(&[("letter", b"{}")])).unwrap();
    let cases = [
        ("", "does not begin"),
        (text.trim_start_matches('-'), "does not begin"),
        (&text.replace("--XbX--", "--XbX-"), "last boundary"),
        (&text.replace("--XbX\r\n", "--XbX \r\n"), "end its line"),
        (&text.replace("name=", "named="), "no name"),
        (&text.replace("form-data", "attachment"), "no name"),
        (&text.replace("\r\n\r\n", "\r\n"), "does not end"),
        (&text.replace("Disposition:", "Disposition"), "no header"),
        (
            &text.replace("\r\n\r\n", "\r\nContent-Transfer-Encoding: base64\r\n\r\n"),
            "encoded",
        ),
    ];
    for (body, says) in cases {
        let why = read(body.as_bytes()).unwrap_err();
        assert!(why.contains(says), "{says}: {why}");
    }
}

#[test]
fn limit_parts() {
    let part: (&str, &[u8]) = ("x", b"1");
    assert_eq!(read(&form(&[part; PARTS_MAX])).unwrap().len(), PARTS_MAX);
    let why = read(&form(&[part; PARTS_MAX + 1])).unwrap_err();
    assert!(why.contains("too many"), "{why}");
}

#[test]
fn limit_head_of_a_part() {
    let with = |bytes: usize| {
        let fixed = "Content-Disposition: form-data; name=\"x\"\r\nX: \r\n\r\n".len();
        let padding = "p".repeat(bytes - fixed);
        let head = format!("Content-Disposition: form-data; name=\"x\"\r\nX: {padding}\r\n\r\n");
        read(format!("--{B}\r\n{head}1\r\n--{B}--").as_bytes())
    };
    assert!(with(HEAD_MAX).is_ok());
    assert!(with(HEAD_MAX + 1).unwrap_err().contains("too long"));
}

#[test]
fn limit_boundary_of_70_characters() {
    let of = |text: &str| boundary(&format!("multipart/form-data; boundary={text}"));
    assert!(of(&"b".repeat(BOUNDARY_MAX)).is_some());
    assert_eq!(of(&"b".repeat(BOUNDARY_MAX + 1)), None);
    assert_eq!(of("\"\""), None);
    assert_eq!(
        of("\"a b'()+_,-./:=?\"").as_deref(),
        Some("a b'()+_,-./:=?")
    );
    assert_eq!(of("a\"b"), None);
    assert_eq!(
        boundary("Multipart/Form-Data; charset=utf-8; Boundary=x").as_deref(),
        Some("x")
    );
    assert_eq!(boundary("multipart/mixed; boundary=x"), None);
    assert_eq!(boundary("multipart/form-data"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_content_goes_round(letter in "[ -~]{0,40}", document: Vec<u8>) {
        let body = form(&[("letter", letter.as_bytes()), ("document", &document)]);
        let parts = read(&body).unwrap();
        prop_assert_eq!(&parts[0].1, letter.as_bytes());
        prop_assert_eq!(&parts[1].1, &document);
    }

    #[test]
    fn no_bytes_break_it(body: Vec<u8>, cut in 0_usize..400, flip in 0_usize..400) {
        let _ = read(&body);
        let mut form = form(&[("letter", b"{}"), ("document", b"abc")]);
        if let Some(byte) = form.get_mut(flip) {
            *byte ^= 0x20;
        }
        form.truncate(cut);
        let _ = read(&form);
    }
}
