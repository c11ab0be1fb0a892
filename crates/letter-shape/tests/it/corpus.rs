//! Every letter that can be read goes the whole way, for every receiver, without a false alarm.

use letter_shape::{ReceiverProfile, ShapeError, shape};

use crate::support::{corpus, envelope, profile};

#[test]
fn no_false_alarm_over_the_corpus() {
    let letters = corpus();
    let mut shaped = 0;
    for (name, letter) in &letters {
        for receiver in ReceiverProfile::BUILTIN {
            match shape(letter, &profile(receiver), &envelope()) {
                Ok(done) => {
                    assert!(done.proof.is_exact(), "{name}");
                    shaped += 1;
                }
                Err(ShapeError::Differs(proof)) => panic!("{name} for {receiver}: {proof:?}"),
                Err(other) => panic!("{name} for {receiver}: {other}"),
            }
        }
    }
    println!("{} letters, {shaped} artefacts", letters.len());
    assert_eq!(shaped, letters.len() * ReceiverProfile::BUILTIN.len());
}
