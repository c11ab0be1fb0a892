use serde_json::Value;

use super::*;
use crate::Checkpoint;

#[path = "../../tests/support/shared.rs"]
mod shared;

fn vectors() -> Option<Value> {
    let text = shared::read("data/tlog/signed-note.json")?;
    Some(serde_json::from_str(&text).unwrap())
}

fn text<'v>(vector: &'v Value, name: &str) -> &'v str {
    vector[name].as_str().unwrap()
}

#[test]
fn c2sp_published_notes_are_read_and_verified() {
    let Some(vectors) = vectors() else { return };
    for vector in vectors["good"].as_array().unwrap() {
        let whole = format!("{}\n{}", text(vector, "text"), text(vector, "sig_line"));
        let note = Note::parse(&whole).unwrap();
        assert_eq!(note.text(), text(vector, "text"));
        assert_eq!(note.to_text(), whole);
        let vkey = text(vector, "vkey");

        let key = VerifierKey::parse(vkey).unwrap();
        assert_eq!(
            note.verify(&[key]).unwrap(),
            [vkey.split_once('+').unwrap().0]
        );
    }
}

#[test]
fn c2sp_published_signatures_are_made_again() {
    let Some(vectors) = vectors() else { return };
    let secret = text(&vectors, "signing_key_for_peter")
        .splitn(5, '+')
        .last()
        .unwrap();
    let secret = BASE64_STANDARD.decode(secret).unwrap();
    let signer = Signer::from_seed("PeterNeumann", secret[1..].try_into().unwrap()).unwrap();
    let vector = &vectors["good"][0];
    let note = Note::sign(text(vector, "text").to_owned(), &signer);
    assert_eq!(
        note.to_text(),
        format!("{}\n{}", text(vector, "text"), text(vector, "sig_line"))
    );
    assert_eq!(signer.verifier_key().to_string(), text(vector, "vkey"));
}

#[test]
fn c2sp_published_malformed_notes_are_refused() {
    let Some(vectors) = vectors() else { return };
    for vector in vectors["malformed"].as_array().unwrap() {
        let error = Note::parse(vector.as_str().unwrap()).unwrap_err();
        assert!(
            matches!(error, CheckpointError::Malformed { .. }),
            "{vector}: {error}"
        );
    }
}

#[test]
fn c2sp_the_published_checkpoints_are_read() {
    let Some(vectors) = vectors() else { return };
    let tree = &vectors["tree_note"];
    let checkpoint = Checkpoint::parse(text(tree, "body")).unwrap();
    assert_eq!(Some(checkpoint.size), tree["size"].as_u64());
    assert_eq!(checkpoint.body(), text(tree, "body"));
    let note = text(&vectors, "checkpoint_format_example");
    let (checkpoint, read) = crate::checkpoint::read_unproven(note).unwrap();
    assert_eq!(checkpoint.origin.as_str(), "example.com/behind-the-sofa");
    assert_eq!(checkpoint.size, 20_852_163);
    assert_eq!(read.to_text(), note);
}

#[test]
fn c2sp_the_published_bad_signature_is_refused() {
    let Some(vectors) = vectors() else { return };
    let key = VerifierKey::parse(text(&vectors["good"][0], "vkey")).unwrap();
    let note = Note::parse(text(&vectors, "bad_signature_note")).unwrap();
    let error = note.verify(&[key]).unwrap_err();
    assert_eq!(
        error,
        CheckpointError::BadSignature {
            signer: "PeterNeumann".to_owned()
        }
    );
}

#[test]
fn a_note_of_several_paragraphs_ends_at_its_last_empty_line() {
    let signer = Signer::from_seed("n", [1; 32]).unwrap();
    let note = Note::sign("one\n\ntwo\n".to_owned(), &signer);
    assert_eq!(Note::parse(&note.to_text()).unwrap(), note);
}

#[test]
fn malformed_notes_are_refused_with_the_line() {
    let line = "\u{2014} n AAAAAAA=\n";
    for (note, at) in [
        (String::new(), 0),
        ("text\n".to_owned(), 1),
        ("text\n\n".to_owned(), 3),
        (format!("text\n\n{line}other\n"), 4),
        (format!("text\n\n{}", line.trim_end()), 3),
        (format!("te\u{1}xt\n\n{line}"), 1),
        (format!("text\r\n\n{line}"), 1),
        (format!("text\n\n{}", line.replace('\u{2014}', "-")), 3),
        (format!("text\n\n{}", line.replace(" n ", "  ")), 3),
        (format!("text\n\n{}", line.replace(" n ", " n+n ")), 3),
        (format!("text\n\n{}", line.replace(" n ", " n\u{a0}n ")), 3),
        (
            format!("text\n\n{}", line.replace("AAAAAAA=", "AAAAAA==")),
            3,
        ),
        (
            format!("text\n\n{}", line.replace("AAAAAAA=", "AAAAAAA")),
            3,
        ),
    ] {
        let error = Note::parse(&note).unwrap_err();
        assert!(
            matches!(error, CheckpointError::Malformed { line, .. } if line == at),
            "{note:?}: {error}"
        );
    }
}
