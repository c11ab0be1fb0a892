//! Nothing about the patient shows in Debug, errors or file names.

use letter_shape::{ShapeError, prove, shape, source_words};
use nhs_types::{Address, PersonName, Postcode};

use crate::support::{envelope, letter, profile};

const CANARIES: [&str; 8] = [
    "Quillfeather",
    "Zephyrine",
    "9990308241",
    "999 030 8241",
    "Hobgoblin",
    "ZZ99",
    "Coeliac",
    "Clopidogrel",
];

fn canary() -> clinical_letter::Letter {
    let mut letter = letter();
    letter.patient.name = PersonName::new("Quillfeather", Some("Zephyrine"), None).unwrap();
    letter.patient.address =
        Address::new(["1 Hobgoblin Lane"], Postcode::parse("ZZ99 3CZ").ok()).unwrap();
    letter
}

fn assert_silent(shown: &str) {
    for canary in CANARIES {
        assert!(!shown.contains(canary), "{canary} shows in {shown}");
    }
}

#[test]
fn what_was_shaped_is_silent() {
    let shaped = shape(&canary(), &profile("emis"), &envelope()).unwrap();
    assert_silent(&format!("{shaped:?} {:?}", source_words(&canary())));
}

#[test]
fn a_proof_with_differences_is_silent() {
    let shaped = shape(&canary(), &profile("emis"), &envelope()).unwrap();
    let proof = prove(&letter(), &shaped.artefact.bytes).unwrap();
    assert!(proof.header > 0 && proof.changed > 0 && !proof.differences.is_empty());
    let error = ShapeError::Differs(Box::new(proof));
    assert_silent(&format!("{error} {error:?}"));
}

#[test]
fn refusals_are_silent() {
    let mut letter = canary();
    letter.patient.name = PersonName::new(&"Quillfeather".repeat(6), None, None).unwrap();
    letter.author.name = None;
    let error = shape(&letter, &profile("emis"), &envelope()).unwrap_err();
    assert!(matches!(error, ShapeError::Refused { .. }));
    assert_silent(&format!("{error} {error:?}"));
}
