use audit_core::{EventId, Hash, Timestamp};
use serde_json::json;

use super::super::*;
use super::*;

fn body(lseq: u64, state: &str) -> EventBody {
    EventBody {
        id: EventId::from_bytes([1; 16]),
        at: Timestamp::from_millis(0),
        stream: StreamKey::from_bytes([7; 16]),
        copy: None,
        lseq,
        subject: None,
        kind: "routed".to_owned(),
        state: state.to_owned(),
        actor: "svc:letterbox".to_owned(),
        data: Data::new(),
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other}"),
    }
}

/// The record after events that carry each step from one value to the next.
fn folded(steps: &[Value]) -> Value {
    let mut fold = Fold::default();
    let mut before = Map::new();
    for (lseq, after) in (0..).zip(steps) {
        let mut event = body(lseq, after["state"].as_str().unwrap());
        let after = object(after.clone());
        add_changes(&mut event, before, &after);
        before = after;
        let event = event.sequenced(lseq, Hash::ZERO);
        let again = Event::parse(&event.to_canonical().unwrap()).unwrap();
        fold.event(&again);
    }
    Value::Object(fold.members)
}

#[test]
fn a_record_is_folded_from_what_its_events_carry() {
    let first = json!({
        "key": "07".repeat(16), "state": "PARSED", "subject": null, "events": 1,
        "document": (0..32).collect::<Vec<u8>>(), "due_at": "2026-02-03T10:10:00.123456789Z",
        "reason": "why", "copies": 2, "cancelled": false,
        "address": {"practice": "Y12345", "closes_on": "collected"},
    });
    let mut second = first.clone();
    second["state"] = json!("ROUTED");
    second["events"] = json!(2);
    second["reason"] = Value::Null;
    second["address"]["practice"] = json!("Y54321");
    assert_eq!(folded(std::slice::from_ref(&first)), first);
    assert_eq!(folded(&[first, second.clone()]), second);
}

#[test]
fn only_what_changed_is_carried() {
    let before = object(json!({"a": 1, "b": 2, "c": 3, "state": "X"}));
    let after = object(json!({"a": 1, "b": 5, "c": null, "d": null, "state": "Y"}));
    let mut event = body(1, "Y");
    add_changes(&mut event, before, &after);
    let row = Data::new().with("b", 5);
    assert_eq!(event.data.get(ROW), Some(&DataValue::Map(row)));
    let gone = DataValue::List(vec![DataValue::from("c")]);
    assert_eq!(event.data.get(GONE), Some(&gone));
}

#[test]
fn what_an_event_cannot_say_is_left_to_the_row_that_is_held() {
    let after = object(json!({
        "text": "a\nb", "large": u64::MAX, "half": 0.5, "long": "x".repeat(CARRIED_BYTES_MAX),
        "fits": true,
    }));
    let mut event = body(0, "X");
    add_changes(&mut event, Map::new(), &after);
    let row = Data::new().with("fits", true);
    assert_eq!(event.data.get(ROW), Some(&DataValue::Map(row)));
    assert!(event.to_canonical().is_ok());
}

#[test]
fn the_limit_of_what_is_carried_and_one_past_it() {
    let text = |length| object(json!({"text": "x".repeat(length)}));
    let mut at_limit = body(0, "X");
    // Two bytes are the quotes.
    add_changes(&mut at_limit, Map::new(), &text(CARRIED_BYTES_MAX - 2));
    assert!(at_limit.data.get(ROW).is_some());
    let mut past = body(0, "X");
    add_changes(&mut past, Map::new(), &text(CARRIED_BYTES_MAX - 1));
    assert!(past.data.get(ROW).is_none());
}
