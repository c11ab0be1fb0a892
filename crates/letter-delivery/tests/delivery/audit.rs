//! What the audit of a ledger finds: rules V5, V11 and V12.

use audit_core::{Data, Event, Hash, StreamKey};
use letter_delivery::{
    CopyState, LedgerAudit, LedgerFault, LetterState, NewPayload, PayloadId, PayloadKind,
    TrackResult,
};

use crate::world::{World, accepted, signed, to_one};
use letter_delivery::testkit::ModelRows;

fn collected() -> ModelRows {
    let mut world = World::queued();
    world.send(accepted("M-1"));
    world.track(TrackResult::Collected);
    world.take(signed("D-2", "another"));
    let note = world
        .engine
        .note(world.now, "table.taken", Data::new().with("rows", 3));
    world.commit(note).unwrap();
    world.check();
    world.store.rows().clone()
}

fn rules(faults: &[LedgerFault]) -> Vec<(&'static str, Option<u64>)> {
    faults.iter().map(|fault| (fault.rule, fault.seq)).collect()
}

#[test]
fn a_sound_ledger_has_no_fault() {
    assert_eq!(collected().audit(), []);
    assert_eq!(LedgerAudit::new().finish(), []);
}

#[test]
fn v12_a_changed_state_of_a_letter() {
    let mut rows = collected();
    let letter = rows.letters.values_mut().next().unwrap();
    letter.state = LetterState::Suppressed;
    let faults = rows.audit();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].rule, "V12");
    assert!(faults[0].seq.is_some() && faults[0].what.contains("disagrees"));
}

#[test]
fn v12_a_changed_state_of_a_copy() {
    let mut rows = collected();
    rows.copies.values_mut().next().unwrap().state = CopyState::Filed;
    assert_eq!(rules(&rows.audit()), [("V12", Some(8))]);
}

#[test]
fn v12_a_changed_place_where_a_hold_goes_on() {
    let mut rows = World::held_in_doubt().store.rows().clone();
    assert_eq!(rows.audit(), []);
    rows.copies.values_mut().next().unwrap().resume = Some(CopyState::Queued);
    assert_eq!(rules(&rows.audit())[0].0, "V12");
}

#[test]
fn v12_a_row_that_is_gone() {
    let mut rows = collected();
    let (key, _) = rows.copies.pop_first().unwrap();
    let faults = rows.audit();
    assert_eq!(rules(&faults), [("V12", Some(8))]);
    assert_eq!(faults[0].what, format!("copy {key} has events and no row"));
    rows.letters.clear();
    assert_eq!(rows.audit().len(), 3);
}

#[test]
fn v12_a_row_without_events() {
    let mut rows = collected();
    let mut ghost = rows.letters.values().next().unwrap().clone();
    ghost.key = StreamKey::from_bytes([7; 16]);
    rows.letters.insert(ghost.key, ghost);
    assert_eq!(rules(&rows.audit()), [("V12", None)]);
}

/// The ledger as it would be with this event after the last one of its first copy.
fn with_event(kind: &str, state: &str) -> Vec<LedgerFault> {
    let rows = collected();
    let mut audit = LedgerAudit::new();
    rows.events
        .iter()
        .for_each(|event| audit.event(&event.event));
    let copy = rows.copies.values().next().unwrap();
    let mut body = rows.of(copy.key).last().unwrap().clone();
    body.lseq += 1;
    body.kind = kind.to_owned();
    body.state = state.to_owned();
    let seq = u64::try_from(rows.events.len()).unwrap();
    audit.event(&Event {
        seq,
        prev: Hash::ZERO,
        body,
    });
    rows.letters.values().for_each(|row| audit.letter(row));
    rows.copies.values().for_each(|row| audit.copy(row));
    audit.finish()
}

#[test]
fn v12_an_event_too_many() {
    let faults = with_event("superseded", "COLLECTED");
    assert_eq!(rules(&faults), [("V12", Some(12))]);
}

#[test]
fn v5_a_forged_transition() {
    for (kind, state, what) in [
        (
            "send.started",
            "SENDING",
            "send.started is not allowed there",
        ),
        (
            "superseded",
            "SUPERSEDED",
            "superseded does not lead to SUPERSEDED",
        ),
        (
            "transport.collected",
            "COLLECTED",
            "transport.collected is not allowed there",
        ),
        (
            "no.such.event",
            "COLLECTED",
            "no.such.event is not allowed there",
        ),
        ("superseded", "NOWHERE", "no such state: NOWHERE"),
        ("anomaly", "FILED", "anomaly does not lead to FILED"),
    ] {
        let faults = with_event(kind, state);
        assert_eq!(faults[0].rule, "V5", "{kind} > {state}");
        assert_eq!(faults[0].what, what);
    }
}

#[test]
fn v5_a_stream_that_begins_in_the_middle() {
    let rows = collected();
    let mut event = rows.events[6].event.clone();
    event.body.stream = StreamKey::from_bytes([7; 16]);
    let mut audit = LedgerAudit::new();
    audit.event(&event);
    assert_eq!(rules(&audit.finish()), [("V5", Some(6)), ("V12", Some(6))]);
}

#[test]
fn v11_a_content_that_was_not_recorded() {
    let mut rows = collected();
    let letter = *rows.letters.keys().next().unwrap();
    let id = PayloadId::from_random([9; 16]);
    let ghost = NewPayload::new(id, letter, PayloadKind::Source, [0; 16], b"ghost".to_vec());
    rows.payloads.insert(id, ghost);
    assert_eq!(rules(&rows.audit()), [("V11", None)]);
}

#[test]
fn v11_a_content_that_was_changed_by_a_byte() {
    for index in 0..collected().payloads.len() {
        let mut rows = collected();
        let payload = rows.payloads.values_mut().nth(index).unwrap();
        payload.bytes[0] ^= 1;
        assert_eq!(rules(&rows.audit()), [("V11", None)], "{:?}", rows.payloads);
    }
}

/// H8: the content of one letter must not pass as that of another.
#[test]
fn v11_h8_contents_of_two_letters_that_were_swapped() {
    let mut world = World::new();
    for number in ["D-1", "D-2"] {
        world.take(signed(number, &format!("letter {number}")));
        world.prepare(to_one());
    }
    let mut rows = world.store.rows().clone();
    assert_eq!(rows.audit(), []);
    let one = world.letter_key("D-1", 1);
    let other = world.letter_key("D-2", 1);
    for payload in rows.payloads.values_mut() {
        payload.letter = if payload.letter == one { other } else { one };
    }
    let faults = rows.audit();
    assert_eq!(faults.len(), rows.payloads.len());
    assert!(faults.iter().all(|fault| fault.rule == "V11"));
}
