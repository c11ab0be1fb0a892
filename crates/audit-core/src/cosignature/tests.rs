use serde_json::Value;

use super::*;
use crate::VerifierKey;

fn worked() -> Value {
    serde_json::from_str(include_str!("../../tests/data/worked-ledger.json")).unwrap()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap()
}

fn witness() -> WitnessKey {
    WitnessKey::parse(text(&worked(), "witness_vkey")).unwrap()
}

/// The worked checkpoint over 8 events, without its cosignature, and the line of it.
fn signed() -> (SignedCheckpoint, String) {
    let worked = worked();
    let key = VerifierKey::parse(text(&worked, "ledger_vkey")).unwrap();
    let last = worked["checkpoints"].as_array().unwrap().last().unwrap();
    let signed = SignedCheckpoint::parse(text(last, "note"), &[key]).unwrap();
    (signed, text(last, "cosignature_line").to_owned())
}

#[test]
fn section_5_3_worked_cosignature() {
    let (mut signed, line) = signed();
    assert_eq!(signed.cosignatures(&[witness()]), Ok(Vec::new()));
    let cosignature = signed.add_cosignature(&line, &witness()).unwrap();
    assert_eq!(cosignature.witness, "witness.example/w1");
    assert_eq!(cosignature.at_unix_seconds, 1_770_113_700);
    assert!(signed.to_text().ends_with(&line));
    assert_eq!(signed.cosignatures(&[witness()]), Ok(vec![cosignature]));
    assert_eq!(signed.cosignature_lines(&[witness()]), line);
    assert_eq!(signed.cosignature_lines(&[]), "");
    let before = signed.clone();
    signed.add_cosignature(&line, &witness()).unwrap();
    assert_eq!(signed, before, "the same line is kept once");
}

#[test]
fn a_cosignature_of_another_checkpoint_or_time_is_refused() {
    let (mut signed, line) = signed();
    let worked = worked();
    let bad = || CheckpointError::BadSignature {
        signer: "witness.example/w1".to_owned(),
    };
    let other = text(&worked["checkpoints"][2], "cosignature_line");
    assert_eq!(signed.add_cosignature(other, &witness()), Err(bad()));
    let later = line.replace("AAAABpgcqk", "AAAABpgcql");
    assert_ne!(later, line);
    assert_eq!(signed.add_cosignature(&later, &witness()), Err(bad()));
    assert_eq!(
        signed.add_cosignature("\u{2014} witness.example/w1 IDJKvgAA\n", &witness()),
        Err(bad())
    );
    assert_eq!(
        signed.add_cosignature("\u{2014} w AAAAAAA=\n", &witness()),
        Err(CheckpointError::Untrusted)
    );
    assert!(signed.add_cosignature("", &witness()).is_err());
    assert_eq!(signed.cosignatures(&[witness()]), Ok(Vec::new()));
}

#[test]
fn k_of_n_witnesses() {
    let (mut signed, line) = signed();
    let silent = "w2+00000000+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X";
    assert!(WitnessKey::parse(silent).is_err(), "the id must fit");
    let one = WitnessPolicy::new(vec![witness(), witness()], 1).unwrap();
    assert_eq!(one.witnesses().len(), 1);
    let not_met = QuorumError::NotMet { got: 0, quorum: 1 };
    assert_eq!(one.check(&signed), Err(not_met));
    signed.add_cosignature(&line, &witness()).unwrap();
    assert_eq!(one.check(&signed).unwrap().len(), 1);
    let impossible = QuorumError::Impossible { quorum: 2, of: 1 };
    let two = WitnessPolicy::new(vec![witness(), witness()], 2);
    assert_eq!(two.unwrap_err(), impossible);
    let none = WitnessPolicy::new(Vec::new(), 0).unwrap();
    assert_eq!(none.check(&signed), Ok(Vec::new()));
}

#[test]
fn a_ledgers_key_is_no_witness_key() {
    let worked = worked();
    let error = WitnessKey::parse(text(&worked, "ledger_vkey")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "key of signature type 0x01: expected 0x04"
    );
}
