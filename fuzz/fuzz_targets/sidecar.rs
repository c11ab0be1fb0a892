//! Any JSON as a sidecar, applied to a letter that is good without it.
#![no_main]

use clinical_letter::{ReadOptions, Sidecar, read};
use libfuzzer_sys::fuzz_target;

const LETTER: &[u8] = include_bytes!("../seeds/letter_text/t01-clinic-plain.txt");

fuzz_target!(|data: &[u8]| {
    let Ok(sidecar) = serde_json::from_slice::<Sidecar>(data) else {
        return;
    };
    let json = serde_json::to_vec(&sidecar).expect("what was read can be written");
    assert_eq!(
        serde_json::from_slice::<Sidecar>(&json).expect("and read again"),
        sidecar
    );
    for mut reading in read(LETTER, &ReadOptions::default()) {
        sidecar.apply(&mut reading);
        drop(reading.into_letter());
    }
});
