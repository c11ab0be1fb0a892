use super::*;
use crate::Hash;

fn at(origin: &str, size: u64, root: u8) -> Checkpoint {
    Checkpoint {
        origin: Origin::parse(origin).unwrap(),
        size,
        root: Hash::from_bytes([root; 32]),
    }
}

#[test]
fn section_5_4_never_a_smaller_size_nor_another_root() {
    let mut before = SignedBefore::default();
    before.permit(&at("a", 8, 1)).unwrap();
    before.permit(&at("a", 8, 1)).unwrap();
    let shrunk = CheckpointError::Shrunk { from: 8, to: 7 };
    assert_eq!(before.permit(&at("a", 7, 1)), Err(shrunk));
    let forked = CheckpointError::Forked { size: 8 };
    assert_eq!(before.permit(&at("a", 8, 2)), Err(forked));
    before.permit(&at("a", 9, 2)).unwrap();
    before.permit(&at("b", 1, 1)).unwrap();
    assert!(
        before.permit(&at("a", 8, 1)).is_err(),
        "also after another ledger"
    );
}

#[test]
fn what_was_kept_is_read_again_and_what_is_torn_is_refused() {
    let mut before = SignedBefore::default();
    assert_eq!(SignedBefore::parse(""), Ok(before.clone()));
    before.permit(&at("a", 8, 1)).unwrap();
    before.permit(&at("b", 80, 2)).unwrap();
    let text = before.to_text();
    assert_eq!(text.lines().count(), 6);
    assert_eq!(SignedBefore::parse(&text), Ok(before));
    for cut in 1..text.len() {
        let kept = text.get(..cut).unwrap();
        let torn = SignedBefore::parse(kept);
        let whole = kept.ends_with("=\n");
        assert_eq!(torn.is_ok(), whole, "{cut}");
    }
}

#[test]
fn an_answer_is_the_checkpoint_that_was_asked_for() {
    let signer = Signer::from_seed("a", [7; 32]).unwrap();
    let key = signer.verifier_key();
    let asked = at("a", 8, 1);
    let answer = signer.sign(&asked).to_text();
    assert_eq!(
        read_signed(&answer, &asked, &key).unwrap().to_text(),
        answer
    );
    let other = CheckpointError::OtherCheckpoint { size: 8 };
    assert_eq!(read_signed(&answer, &at("a", 9, 1), &key), Err(other));
    let stranger = Signer::from_seed("b", [8; 32]).unwrap().verifier_key();
    assert_eq!(
        read_signed(&answer, &asked, &stranger),
        Err(CheckpointError::Untrusted)
    );
}
