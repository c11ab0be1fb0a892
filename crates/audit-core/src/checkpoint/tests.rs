use proptest::prelude::*;

use super::*;
use crate::{NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX, empty_root};

const BODY: &str = "ledger.example/a\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";

fn checkpoint(origin: &str, size: u64, root: u8) -> Checkpoint {
    Checkpoint {
        origin: Origin::parse(origin).unwrap(),
        size,
        root: Hash::from_bytes([root; 32]),
    }
}

fn signer(name: &str, seed: u8) -> Signer {
    Signer::from_seed(name, [seed; 32]).unwrap()
}

#[test]
fn section_5_3_the_three_lines() {
    let read = Checkpoint::parse(BODY).unwrap();
    assert_eq!(
        (read.origin.as_str(), read.size, read.root),
        ("ledger.example/a", 7, empty_root())
    );
    assert_eq!(read.body(), BODY);
}

#[test]
fn c2sp_the_tree_note_of_the_go_sum_database() {
    let body = "go.sum database tree\n123456789012\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n";
    let read = Checkpoint::parse(body).unwrap();
    assert_eq!(read.size, 123_456_789_012);
    assert_eq!(read.body(), body);
}

#[test]
fn section_5_3_other_bodies_are_refused_with_the_line() {
    let root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    for (body, line) in [
        (String::new(), 1),
        ("a".to_owned(), 1),
        (format!("\n7\n{root}\n"), 1),
        ("a\n".to_owned(), 2),
        (format!("a\n\n{root}\n"), 2),
        (format!("a\n07\n{root}\n"), 2),
        (format!("a\n00\n{root}\n"), 2),
        (format!("a\n+7\n{root}\n"), 2),
        (format!("a\n-7\n{root}\n"), 2),
        (format!("a\n7 \n{root}\n"), 2),
        (format!("a\n18446744073709551616\n{root}\n"), 2),
        ("a\n7\n".to_owned(), 3),
        (format!("a\n7\n{root}"), 3),
        ("a\n7\n47DEQpj8\n".to_owned(), 3),
        (format!("a\n7\n{}\n", root.replace("FU=", "FV=")), 3),
        (format!("a\n7\n{}\n", root.trim_end_matches('=')), 3),
        (format!("a\n7\n{root}\nextension\n"), 4),
    ] {
        let error = Checkpoint::parse(&body).unwrap_err();
        assert!(
            matches!(error, CheckpointError::Malformed { line: at, .. } if at == line),
            "{body:?}: {error}"
        );
    }
    assert!(Checkpoint::parse(&format!("a\n18446744073709551615\n{root}\n")).is_ok());
}

#[test]
fn origin_limit() {
    let longest = "o".repeat(ORIGIN_BYTES_MAX);
    assert!(Origin::parse(&longest).is_ok());
    assert!(Origin::parse(&format!("{longest}o")).is_err());
    assert!(Origin::parse("").is_err() && Origin::parse("a\nb").is_err());
    assert_eq!("a/b".parse::<Origin>().unwrap().to_string(), "a/b");
}

#[test]
fn v8_what_may_follow_what() {
    let earlier = checkpoint("a", 5, 1);
    assert_eq!(checkpoint("a", 5, 1).follows(&earlier), Ok(()));
    assert_eq!(checkpoint("a", 6, 2).follows(&earlier), Ok(()));
    assert_eq!(
        checkpoint("a", 5, 2).follows(&earlier),
        Err(CheckpointError::Forked { size: 5 })
    );
    assert_eq!(
        checkpoint("a", 4, 1).follows(&earlier),
        Err(CheckpointError::Shrunk { from: 5, to: 4 })
    );
    assert_eq!(
        checkpoint("b", 6, 2).follows(&earlier),
        Err(CheckpointError::OtherOrigin)
    );
}

#[test]
fn c2sp_two_trusted_keys_of_one_name_and_id_are_ambiguous() {
    let signer = signer("a", 1);
    let note = signer.sign(&checkpoint("a", 1, 1)).to_text();
    let keys = [signer.verifier_key(), signer.verifier_key()];
    let error = SignedCheckpoint::parse(&note, &keys).unwrap_err();
    assert_eq!(
        error,
        CheckpointError::AmbiguousKey {
            signer: "a".to_owned()
        }
    );
}

#[test]
fn c2sp_keys_that_share_a_name_or_an_id_only_are_unknown() {
    let signer = signer("a", 1);
    let note = signer.sign(&checkpoint("a", 1, 1)).to_text();
    let other = self::signer("a", 2);
    assert_eq!(
        SignedCheckpoint::parse(&note, &[other.verifier_key()]),
        Err(CheckpointError::Untrusted)
    );
    assert_eq!(
        SignedCheckpoint::parse(&note, &[]),
        Err(CheckpointError::Untrusted)
    );
    let both = [other.verifier_key(), signer.verifier_key()];
    assert!(SignedCheckpoint::parse(&note, &both).is_ok());
}

#[test]
fn c2sp_one_wrong_signature_of_a_trusted_key_refuses_the_note() {
    let (good, wrong) = (signer("a", 1), signer("b", 2));
    let note = good.sign(&checkpoint("a", 1, 1)).to_text();
    let other = wrong.sign(&checkpoint("a", 2, 2)).to_text();
    let line = other.split_once("\n\n").unwrap().1;
    let text = format!("{note}{line}");
    assert!(SignedCheckpoint::parse(&text, &[good.verifier_key()]).is_ok());
    let both = [good.verifier_key(), wrong.verifier_key()];
    let error = SignedCheckpoint::parse(&text, &both).unwrap_err();
    assert_eq!(
        error,
        CheckpointError::BadSignature {
            signer: "b".to_owned()
        }
    );
}

#[test]
fn c2sp_a_signature_that_is_repeated_counts_once_and_a_wrong_repetition_refuses() {
    let signer = signer("a", 1);
    let note = signer.sign(&checkpoint("a", 1, 1)).to_text();
    let line = note.split_once("\n\n").unwrap().1;
    let keys = [signer.verifier_key()];
    let read = SignedCheckpoint::parse(&format!("{note}{line}"), &keys).unwrap();
    assert_eq!(read.signers().collect::<Vec<_>>(), ["a"]);

    let other = signer.sign(&checkpoint("a", 2, 1)).to_text();
    let line = other.split_once("\n\n").unwrap().1;
    assert!(SignedCheckpoint::parse(&format!("{note}{line}"), &keys).is_err());
}

#[test]
fn note_limits() {
    let signer = signer("a", 1);
    let keys = [signer.verifier_key()];
    let note = signer.sign(&checkpoint("a", 1, 1)).to_text();
    let line = "\u{2014} stranger AAAAAAA=\n";
    let most = format!("{note}{}", line.repeat(NOTE_SIGNATURES_MAX - 1));
    assert!(SignedCheckpoint::parse(&most, &keys).is_ok());
    assert_eq!(
        SignedCheckpoint::parse(&format!("{most}{line}"), &keys),
        Err(CheckpointError::TooManySignatures {
            max: NOTE_SIGNATURES_MAX
        })
    );

    // The value is 4n characters long: the name takes what is left over.
    let around = "\u{2014} n \n".len();
    let value = (NOTE_BYTES_MAX - note.len() - around) / 4 * 4;
    let name = "n".repeat(1 + NOTE_BYTES_MAX - note.len() - around - value);
    let longest = format!("{note}\u{2014} {name} {}\n", "A".repeat(value));
    assert_eq!(longest.len(), NOTE_BYTES_MAX);
    assert!(SignedCheckpoint::parse(&longest, &keys).is_ok());
    let longer = longest.replacen(" n", " nn", 1);
    assert_eq!(
        SignedCheckpoint::parse(&longer, &keys),
        Err(CheckpointError::TooLong {
            bytes: NOTE_BYTES_MAX + 1,
            max: NOTE_BYTES_MAX
        })
    );
}

proptest! {
    #[test]
    fn checkpoints_round_trip(origin in "[!-~é ]{1,40}", size: u64, root: [u8; 32]) {
        let checkpoint = Checkpoint {
            origin: Origin::parse(&origin).unwrap(),
            size,
            root: Hash::from_bytes(root),
        };
        prop_assert_eq!(Checkpoint::parse(&checkpoint.body()), Ok(checkpoint));
    }

    #[test]
    fn any_changed_character_of_a_signed_checkpoint_is_refused(
        at: prop::sample::Index, to in "[ -~\n]",
    ) {
        let signer = signer("a", 1);
        let note = signer.sign(&checkpoint("ledger.example/a", 77, 9)).to_text();
        let at = at.index(note.len());
        prop_assume!(note.is_char_boundary(at) && note.is_char_boundary(at + 1));
        prop_assume!(note.as_bytes()[at] != to.as_bytes()[0]);
        let mut changed = note;
        changed.replace_range(at..=at, &to);
        prop_assert!(SignedCheckpoint::parse(&changed, &[signer.verifier_key()]).is_err());
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}|[—a +/=\n]{0,60}") {
        prop_assert!(SignedCheckpoint::parse(&text, &[]).is_err());
    }
}
