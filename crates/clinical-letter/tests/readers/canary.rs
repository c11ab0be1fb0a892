//! Nothing of the patient in `Debug`, findings or refusals (design rule 12).

use clinical_letter::{ReadOptions, read};

use super::support::{all, corpus, report_with};

const SECRETS: &[&str] = &[
    "9990012377",
    "999 001 2377",
    "ASHWORTH",
    "MARGARET",
    "1951",
    "Mill Lane",
    "NM1 4ZZ",
    "RXX100037",
    "arthritis",
    "Methotrexate",
    "RHEUMATOLOGY",
];

fn assert_silent(shown: &str) {
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{secret} is shown");
    }
}

#[test]
fn rule_12_debug_of_reading_source_and_letter_shows_no_patient() {
    let bytes = corpus("text/t01-clinic-plain.txt");
    let reading = read(&bytes, &ReadOptions::default()).remove(0);
    assert_silent(&format!("{reading:?} {:?}", reading.document));
    assert_silent(&format!("{:?}", reading.into_letter().unwrap()));
}

#[test]
fn rule_12_findings_show_no_patient_whatever_is_wrong() {
    let damages = [
        ("999 001 2377", "999 001 2373"),
        ("07/03/1951", "07/13/1951"),
        ("(Y99901)", "(ASHWORTH, MARGARET)"),
        ("PAGE 1 of 1", "PAGE 1 of 2"),
        ("OUTPATIENT CLINIC", "** CANCELLED **\r\nOUTPATIENT CLINIC"),
    ];
    for (from, to) in damages {
        let reading = read(&report_with(from, to), &ReadOptions::default()).remove(0);
        let shown: Vec<String> = reading
            .findings
            .findings()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert!(!shown.is_empty(), "{to}");
        assert_silent(&shown.join("\n"));
    }
}

#[test]
fn rule_12_no_reading_of_the_corpus_shows_its_patient() {
    for (name, bytes) in all() {
        for reading in read(&bytes, &ReadOptions::default()) {
            let shown = format!("{reading:?}");
            let patient = &reading.document.patient;
            let secrets = [
                &patient.nhs_number,
                &patient.family,
                &patient.hospital_number,
            ];
            for secret in secrets.into_iter().flatten() {
                assert!(!shown.contains(secret.expose().as_str()), "{name}");
            }
        }
    }
}
