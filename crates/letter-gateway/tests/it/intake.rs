//! Taking: durable first, once each, and every change seen.

use clinical_letter::Disposition;
use letter_delivery::{LetterState, TakenAs};
use letter_gateway::{GatewayError, OnReject, Receipt};

use crate::support::letters::{Message, PDF_MESSAGE, draft, report};
use crate::support::{SOURCE, World};
use letter_delivery::testkit::Trouble;

impl World {
    async fn take(&self, bytes: impl Into<Vec<u8>>) -> Vec<Receipt> {
        let taken = self
            .gateway
            .take(SOURCE, bytes.into(), None, OnReject::Hold);
        taken.await.unwrap()
    }

    async fn take_one(&self, bytes: impl Into<Vec<u8>>) -> Receipt {
        let mut receipts = self.take(bytes).await;
        assert_eq!(receipts.len(), 1);
        receipts.remove(0)
    }
}

const NEW: Option<TakenAs> = Some(TakenAs::Letter(LetterState::Parsed));
const HELD: Option<TakenAs> = Some(TakenAs::Letter(LetterState::Held));

#[tokio::test]
async fn rule_1_a_receipt_is_given_only_when_the_letter_is_durable() {
    let world = World::new().await;
    world.store.set(Trouble::Unavailable);
    let taken = world
        .gateway
        .take(SOURCE, report("D-1", "Rest").into(), None, OnReject::Hold);
    assert!(matches!(taken.await, Err(GatewayError::Store(_))));
    assert_eq!(world.letters().len(), 0);
    world.store.set(Trouble::None);
    let receipt = world.take_one(report("D-1", "Rest")).await;
    assert_eq!((receipt.taken, receipt.needs_person()), (NEW, false));
    assert_eq!(world.letter().state, LetterState::Parsed);
    world.check();
}

#[tokio::test]
async fn an_intake_that_meets_another_decides_anew_and_gives_up_after_five() {
    let world = World::new().await;
    world.store.set(Trouble::Conflicts(4));
    assert_eq!(world.take_one(report("D-1", "Rest")).await.taken, NEW);
    world.store.set(Trouble::Conflicts(5));
    let taken = world
        .gateway
        .take(SOURCE, report("D-2", "Rest").into(), None, OnReject::Hold);
    assert!(matches!(taken.await, Err(GatewayError::Store(_))));
}

#[tokio::test]
async fn source_documents_5_key_2_a_message_resent_in_a_new_envelope_is_a_duplicate() {
    let world = World::new().await;
    let first = Message::new("1118-1001", "Recheck FBC");
    assert_eq!(world.take_one(first.bytes()).await.taken, NEW);
    let mut resent = first.clone();
    (resent.control, resent.made_at) = ("CTL9999", "20261120080000");
    assert_eq!(
        world.take_one(resent.bytes()).await.taken,
        Some(TakenAs::Duplicate)
    );
    let framed = clinical_letter::encode_frame(&resent.bytes());
    assert_eq!(world.take_one(framed).await.taken, Some(TakenAs::Duplicate));
    let lines = String::from_utf8(resent.bytes())
        .unwrap()
        .replace('\r', "\n");
    assert_eq!(world.take_one(lines).await.taken, Some(TakenAs::Duplicate));
    assert_eq!(world.letters().len(), 1);
}

#[tokio::test]
async fn any_change_of_content_is_a_new_version_and_no_duplicate() {
    let first = Message::new("1118-1001", "Recheck FBC");
    let change = |change: fn(&mut Message)| {
        let mut message = first.clone();
        message.control = "CTL0002";
        change(&mut message);
        message
    };
    let changed = [
        change(|m| m.body = "Recheck FBC in 4 weeks".to_owned()),
        change(|m| m.family = "ASHBEE"),
        change(|m| m.birth = "19620203"),
        change(|m| m.practice = "THE BRIDGE SURGERY^^Y99902"),
        change(|m| m.specialty = "300"),
        change(|m| m.signed_at = "202611191500"),
        change(|m| m.completion = "LA"),
    ];
    for message in changed {
        let world = World::new().await;
        world.take_one(first.bytes()).await;
        let receipt = world.take_one(message.bytes()).await;
        assert_eq!(receipt.taken, NEW, "{message:?}");
        assert_eq!(world.letters().len(), 2);
        world.check();
    }
}

#[tokio::test]
async fn one_number_for_two_patients_is_held_and_neither_takes_the_place_of_the_other() {
    let world = World::new().await;
    let first = Message::new("1118-1001", "Recheck FBC");
    world.take_one(first.bytes()).await;
    let mut other = first.clone();
    (other.control, other.nhs_number) = ("CTL0002", "9990012377");
    let held = Some(TakenAs::Letter(LetterState::Held));
    assert_eq!(world.take_one(other.bytes()).await.taken, held);
    assert_eq!(
        world.take_one(other.bytes()).await.taken,
        Some(TakenAs::Duplicate)
    );
    let letters = world.letters();
    assert_eq!(letters.len(), 2, "{letters:#?}");
    let states: Vec<_> = letters.iter().map(|one| one.state).collect();
    assert!(states.contains(&LetterState::Parsed), "{states:?}");
    world.check();
}

#[tokio::test]
async fn a_pdf_letter_is_the_same_in_other_chunks_and_another_with_one_other_byte() {
    let world = World::new().await;
    assert_eq!(world.take_one(PDF_MESSAGE).await.taken, NEW);
    let text = String::from_utf8(PDF_MESSAGE.to_vec()).unwrap();
    assert_eq!(
        world.take_one(in_one_chunk(&text)).await.taken,
        Some(TakenAs::Duplicate)
    );
    let other = text.replacen("JVBERi0xLjQK", "JVBERi0xLjUK", 1);
    assert_eq!(world.take_one(other).await.taken, NEW);
    assert_eq!(world.letters().len(), 2);
}

/// Joins the base64 of all OBX segments in the first.
fn in_one_chunk(message: &str) -> String {
    let (chunks, rest): (Vec<&str>, Vec<&str>) = message
        .split('\r')
        .partition(|line| line.starts_with("OBX"));
    let data = |line: &&str| {
        line.split('^')
            .nth(6)
            .unwrap()
            .split('|')
            .next()
            .unwrap()
            .to_owned()
    };
    let head = chunks[0].rsplit_once("^Base64^").unwrap().0;
    let joined: String = chunks.iter().map(data).collect();
    let rest = rest.join("\r");
    format!("{}\r{head}^Base64^{joined}||||||F\r", rest.trim_end())
}

#[tokio::test]
async fn two_messages_in_one_file_are_two_letters_each_with_its_own_bytes() {
    let world = World::new().await;
    let (one, two) = (
        Message::new("A-1", "One").bytes(),
        Message::new("A-2", "Two").bytes(),
    );
    let receipts = world.take([one.clone(), two.clone()].concat()).await;
    assert_eq!(
        receipts.iter().map(|r| r.taken).collect::<Vec<_>>(),
        [NEW, NEW]
    );
    let rows = world.store.rows();
    let kept = rows
        .payloads
        .values()
        .filter(|row| row.kind.as_str() == "source");
    let mut kept: Vec<Vec<u8>> = kept.map(|row| row.bytes.clone()).collect();
    kept.sort();
    assert_eq!(kept, [one, two]);
}

#[tokio::test]
async fn two_broken_messages_in_one_file_are_both_kept() {
    let world = World::new().await;
    let broken =
        |text: &str| format!("MSH|^~\\&|EPR|RXX|TIE|RXX|2026||MDM^T02|C1|P|2.4\rZZZ|{text}\r");
    let receipts = world.take([broken("one"), broken("two")].concat()).await;
    assert_eq!(
        receipts.iter().map(|r| r.taken).collect::<Vec<_>>(),
        [HELD, HELD]
    );
    assert_eq!(world.letters().len(), 2);
}

#[tokio::test]
async fn when_the_second_message_meets_a_full_disk_the_first_is_known_at_the_next_try() {
    let world = World::new().await;
    let file = [
        Message::new("A-1", "One").bytes(),
        Message::new("A-2", "Two").bytes(),
    ]
    .concat();
    world.store.set(Trouble::DiesAfter(1));
    let taken = world
        .gateway
        .take(SOURCE, file.clone(), None, OnReject::Hold);
    taken.await.unwrap_err();
    world.store.set(Trouble::None);
    let receipts = world.take(file).await;
    let taken: Vec<_> = receipts.iter().map(|r| r.taken).collect();
    assert_eq!(taken, [Some(TakenAs::Duplicate), NEW]);
}

#[tokio::test]
async fn a_draft_waits_and_its_signature_makes_it_a_letter() {
    let world = World::new().await;
    let receipt = world.take_one(draft("D-1")).await;
    assert_eq!(receipt.taken, Some(TakenAs::Letter(LetterState::DraftSeen)));
    assert_eq!(
        world.take_one(draft("D-1")).await.taken,
        Some(TakenAs::Duplicate)
    );
    assert_eq!(world.take_one(report("D-1", "Rest")).await.taken, NEW);
    assert_eq!(world.letter().state, LetterState::Parsed);
}

#[tokio::test]
async fn a_cancelled_document_is_withdrawn_also_when_the_notice_is_resent() {
    let world = World::new().await;
    let letter = Message::new("D-1", "Rest");
    world.take_one(letter.bytes()).await;
    let mut cancel = Message::new("D-1", "");
    (cancel.event, cancel.completion, cancel.availability) = ("T11", "AU", "CA");
    assert_eq!(
        world.take_one(cancel.bytes()).await.taken,
        Some(TakenAs::Withdrawal)
    );
    cancel.control = "CTL0007";
    assert_eq!(
        world.take_one(cancel.bytes()).await.taken,
        Some(TakenAs::Duplicate)
    );
    assert_eq!(world.letter().state, LetterState::Withdrawn);
    world.check();
}

#[tokio::test]
async fn what_is_no_document_is_kept_for_a_person_or_noted_as_its_source_can_be_told() {
    let world = World::new().await;
    let receipt = world.take_one(*b"  \n").await;
    assert_eq!(
        (receipt.disposition, receipt.taken),
        (Disposition::Reject, HELD)
    );
    assert!(receipt.needs_person());
    let refused = world
        .gateway
        .take(SOURCE, b" ".to_vec(), None, OnReject::Refuse);
    assert_eq!(refused.await.unwrap()[0].taken, None);
    assert_eq!(
        (world.letters().len(), world.count("intake.refused")),
        (1, 1)
    );
}

#[tokio::test]
async fn an_unreadable_file_under_the_same_number_is_known_by_its_bytes() {
    let world = World::new().await;
    let take = async |bytes: &[u8]| {
        let sidecar = serde_json::from_str(r#"{"document_id":"S-1"}"#).unwrap();
        let taken = world
            .gateway
            .take(SOURCE, bytes.to_vec(), Some(sidecar), OnReject::Hold);
        taken.await.unwrap().remove(0).taken
    };
    assert_eq!(take(b"%PDF-1.4 first").await, HELD);
    assert_eq!(take(b"%PDF-1.4 first").await, Some(TakenAs::Duplicate));
    assert_eq!(take(b"%PDF-1.4 other").await, HELD);
}
