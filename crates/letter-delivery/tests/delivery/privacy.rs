//! Rule 12 of the house: nothing that identifies a patient in events, debug output or errors.

use letter_delivery::{Outbound, StoreError};
use nhs_types::NhsNumber;

use crate::world::{World, accepted, address, signed, to_one};

const CANARIES: [&str; 3] = ["9999999484", "CANARY-NAME", "DOC-CANARY"];

fn assert_clean(shown: &str, what: &str) {
    for canary in CANARIES {
        assert!(!shown.contains(canary), "{what} shows {canary}");
    }
}

#[test]
fn design_5_rule_12_events_and_debug_output_name_nobody() {
    let mut world = World::new();
    let mut intake = signed("DOC-CANARY", "Dear CANARY-NAME");
    intake.patient = Some(NhsNumber::parse("9999999484").unwrap());
    let shown = format!("{:?}{:?}", intake.raw, intake.patient);
    assert_clean(&shown, "an intake");
    let taken = world.decide(intake);
    assert_clean(&format!("{taken:?}"), "what became of it");
    world.commit(taken.commit).unwrap();
    world.prepare(to_one());
    world.send(accepted("M-1"));

    let rows = world.store.rows();
    for event in &rows.events {
        let text = String::from_utf8(event.canonical.clone()).unwrap();
        assert_clean(&text, "an event");
    }
    assert_clean(&format!("{rows:?}"), "the rows");
    assert_clean(&format!("{:?}", world.engine), "the engine");
    drop(rows);
    let copy = world.copy("DOC-CANARY", 1);
    let bytes = b"Dear CANARY-NAME".to_vec();
    let outbound = Outbound::new(address(), copy.local_id, "text/plain".to_owned(), bytes);
    assert_clean(&format!("{outbound:?}"), "a message");
    world.check();
}

#[test]
fn errors_say_what_to_do_and_name_nobody() {
    let errors = [
        StoreError::Conflict,
        StoreError::Fenced,
        StoreError::Unavailable("disk full".to_owned()),
        StoreError::Corrupt("row 7".to_owned()),
    ];
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(texts.join("\n"));
}
