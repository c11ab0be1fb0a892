//! What several fuzz targets share.

use audit_core::VerifierKey;
use clinical_letter::{ReadOptions, read};
use letter_shape::{Envelope, ReceiverProfile, shape};
use mesh_client::proto::Answer;
use nhs_types::OdsCode;

/// The public key of the worked ledger, whose checkpoints are seeds.
pub const LEDGER_KEY: &str =
    "ledger.example/rzz/2026+51c1a2c0+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";

/// Reads bytes as a document. Every reading has a verdict, and a letter that may be sent is
/// shaped with a proof that nothing was lost, or is refused.
pub fn read_and_shape(data: &[u8]) {
    let readings = read(data, &ReadOptions::default());
    assert!(!readings.is_empty(), "a document without a verdict");
    for reading in readings {
        if let Ok(letter) = reading.into_letter() {
            let profile = ReceiverProfile::new("fuzz");
            if let Ok(shaped) = shape(&letter, &profile, &envelope()) {
                assert!(shaped.proof.is_exact());
            }
        }
    }
}

/// An answer of MESH in JSON.
pub fn answer(status: u16, body: &[u8]) -> Answer {
    let headers = [("content-type", b"application/json".as_slice())];
    Answer::new(status, headers, body.to_vec())
}

/// [`LEDGER_KEY`], read.
pub fn ledger_key() -> VerifierKey {
    VerifierKey::parse(LEDGER_KEY).expect("the published key is good")
}

fn envelope() -> Envelope {
    let code = |code| OdsCode::parse(code).expect("a code of the samples");
    let now = chrono::DateTime::UNIX_EPOCH;
    Envelope::new(
        "M-1",
        "R-1",
        (code("RZZ"), "Trust"),
        code("Y99001"),
        "Clinic",
        now,
    )
}
