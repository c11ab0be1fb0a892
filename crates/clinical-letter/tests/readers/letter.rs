//! Letters as JSON: what is stored comes back, and what is no letter is refused.

use clinical_letter::{Letter, ReadOptions, read};
use serde_json::{Value, json};

use super::support::{all, corpus, one};

fn letter() -> Letter {
    one(&corpus("text/t07-replacement.txt"))
        .into_letter()
        .unwrap()
}

#[test]
fn every_letter_of_the_corpus_goes_round() {
    let mut count = 0;
    for (name, bytes) in all() {
        for reading in read(&bytes, &ReadOptions::default()) {
            let Ok(letter) = reading.into_letter() else {
                continue;
            };
            let text = serde_json::to_string(&letter).unwrap();
            assert_eq!(
                serde_json::from_str::<Letter>(&text).unwrap(),
                letter,
                "{name}"
            );
            count += 1;
        }
    }
    assert_eq!(count, 23);
}

#[test]
fn the_shape_of_a_letter_in_json() {
    insta::assert_json_snapshot!(letter());
}

#[test]
fn what_is_no_letter_is_refused() {
    let change = |pointer: &str, value: Value| {
        let mut stored = serde_json::to_value(letter()).unwrap();
        *stored.pointer_mut(pointer).unwrap() = value;
        serde_json::from_value::<Letter>(stored).map_err(|why| why.to_string())
    };
    let refused = |pointer, value| change(pointer, value).unwrap_err();
    assert!(change("/patient/sex", json!("M")).is_ok());
    assert!(refused("/patient/nhs_number", json!("9990012378")).contains("check digit"));
    assert!(refused("/patient/birth_date", json!("1951-02-30")).contains("calendar"));
    assert!(refused("/sections", json!([])).contains("needs a section"));
    assert!(
        refused("/sections", json!([{"heading": "A", "text": " "}])).contains("needs a section")
    );
    assert!(refused("/document/id", json!(" ")).contains("document number"));
    assert!(refused("/document/parent", json!(null)).contains("parent"));
    assert!(refused("/document/relation", json!("cancel")).contains("cancellation"));
    assert!(refused("/author", json!({"nom": "x"})).contains("nom"));
}

#[test]
fn an_attachment_whose_digest_does_not_fit_is_refused() {
    let sent = one(&corpus("hl7/h03-mdm-t02-ed-pdf-chunks.hl7"))
        .into_letter()
        .unwrap();
    let mut stored = serde_json::to_value(&sent).unwrap();
    stored["attachment"]["base64"] = json!("JVBERi0=");
    let why = serde_json::from_value::<Letter>(stored).unwrap_err();
    assert!(why.to_string().contains("sha256"));
}

#[test]
fn a_held_reading_gives_itself_back() {
    let reading = one(&corpus("text/t05-draft-unsigned.txt"));
    let back = reading.clone().into_letter().unwrap_err();
    assert_eq!(back, reading);
    assert_eq!(back.document.number(), Some("1118-0101"));
}
