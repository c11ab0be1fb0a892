use super::*;
use crate::{Checkpoint, Origin, Signer};

const LINE: &str = "\u{2014} witness.example/w1 IDJKvgAAAABpgcqkVaFXOgTmBOBlh1IWkC8/UrhLc+5x4cHWCP0KhWIdckKL4DQW0+r4Xi2uSzGsUogQWVdW8+iVDLlF8FdPhKsoAw==\n";

fn witness() -> WitnessKey {
    let key = "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X";
    WitnessKey::parse(key).unwrap()
}

/// The worked checkpoint over 8 events.
fn signed() -> SignedCheckpoint {
    let mut seed = [0; 32];
    seed.iter_mut().zip(0..).for_each(|(byte, n)| *byte = n);
    let root = Hash::parse("8e22614c951fe0ec6e420972a4815dbb90dddc169de4d3aa899e6362115cc448");
    let checkpoint = Checkpoint {
        origin: Origin::parse("ledger.example/rzz/2026").unwrap(),
        size: 8,
        root: root.unwrap(),
    };
    let signer = Signer::from_seed("ledger.example/rzz/2026", seed).unwrap();
    signer.sign(&checkpoint)
}

#[test]
fn a_request_has_the_old_size_the_proof_and_the_checkpoint() {
    let proof = [Hash::ZERO, Hash::from_bytes([1; 32])];
    let body = witness_request(5, &proof, &signed()).unwrap();
    let expected = format!(
        "old 5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\
         AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n\n{}",
        signed().to_text()
    );
    assert_eq!(body, expected);
}

#[test]
fn the_limit_of_a_proof_and_one_past_it() {
    let hashes = vec![Hash::ZERO; PROOF_HASHES_MAX + 1];
    assert!(witness_request(5, &hashes[1..], &signed()).is_ok());
    let hashes = witness_request(5, &hashes, &signed()).unwrap_err();
    assert_eq!(hashes, WitnessError::ProofTooLong { hashes: 64 });
}

#[test]
fn each_answer_says_what_to_do() {
    for (status, body, error) in [
        (400, "", WitnessError::Malformed),
        (403, "", WitnessError::UntrustedKey),
        (404, "", WitnessError::UnknownOrigin),
        (409, "5\n", WitnessError::OtherSize { size: 5 }),
        (409, "0", WitnessError::OtherSize { size: 0 }),
        (409, "five", WitnessError::Unexpected { status: 409 }),
        (409, "05", WitnessError::Unexpected { status: 409 }),
        (422, "", WitnessError::Inconsistent),
        (500, LINE, WitnessError::Unexpected { status: 500 }),
        (302, "", WitnessError::Unexpected { status: 302 }),
        (
            200,
            "\u{2014} w AAAAAAA=\n",
            CheckpointError::Untrusted.into(),
        ),
    ] {
        let mut asked = signed();
        let answer = read_cosigned(status, body, &mut asked, &witness());
        assert_eq!(answer, Err(error), "{status} {body}");
        assert_eq!(asked, signed());
    }
}

#[test]
fn a_cosigned_checkpoint_holds_both_signatures() {
    let mut asked = signed();
    let cosignature = read_cosigned(200, LINE, &mut asked, &witness()).unwrap();
    assert_eq!(cosignature.witness, "witness.example/w1");
    assert_eq!(asked.to_text(), format!("{}{LINE}", signed().to_text()));
}
