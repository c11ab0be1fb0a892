//! What the practice gets is a Kettering message, and says what was signed.

use kettering_xml::{Mode, parse};
use letterbox_tests::{Letter, Mesh, Site};

/// The words of a letter that its practice must read.
const WORDS: [&str; 6] = [
    "Seropositive rheumatoid arthritis",
    "DIAGNOSIS",
    "PLAN FOR GP",
    "three-monthly FBC, U&E and LFT monitoring",
    "temperature < 38 and > 36",
    "Méniere’s",
];

async fn delivered(letters: &[Letter]) -> Vec<Vec<u8>> {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    for letter in letters {
        site.hand_over(letter);
    }
    let _ = site.run_once().exits(0);
    let messages = mesh.collect("YGM24GP1");
    messages
        .iter()
        .map(mesh_testserver::StoredMessage::body)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_practice_gets_parses_strictly_and_holds_the_letters_words() {
    let note = "Home temperature < 38 and > 36. Méniere’s excluded.";
    let letter = Letter::new(7).saying(note);
    let bodies = delivered(std::slice::from_ref(&letter)).await;
    assert_eq!(bodies.len(), 1);
    let parsed = parse(&bodies[0], Mode::Strict);
    assert!(parsed.findings.is_empty(), "{:?}", parsed.findings);
    let message = parsed.message.expect("a message");
    assert_eq!(message.report.report_type, "Outpatient Letter");

    let payload = parsed.payload.expect("a document");
    let html = String::from_utf8(payload.bytes).unwrap();
    let read = letter_shape::visible_text(&html);
    for words in WORDS {
        assert!(read.contains(words), "{words} is not in: {read}");
    }
    let text = String::from_utf8(bodies[0].clone()).unwrap();
    for value in [&letter.nhs_number, "ASHWORTH", "A99991", "RT9"] {
        assert!(text.contains(value), "{value}");
    }
}

/// K-V01: no two messages have an id in common.
#[tokio::test(flavor = "multi_thread")]
async fn k_v01_every_message_has_ids_of_its_own() {
    let letters: Vec<_> = (1..=5).map(Letter::new).collect();
    let bodies = delivered(&letters).await;
    let mut ids: Vec<String> = Vec::new();
    for body in bodies {
        let message = parse(&body, Mode::Strict).message.expect("a message");
        ids.push(format!("{:?}", message.header));
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5);
}
