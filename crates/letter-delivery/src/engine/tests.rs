use audit_core::PseudonymKey;
use chrono::{Duration, TimeZone as _};
use nhs_types::{MailboxId, OdsCode, WorkflowId};

use super::*;
use crate::{
    Address, Claimed, CopyEvent, CopyRecord, CopyState, Disposition, LetterRecord, LetterState,
    Work, WorkKind,
};

struct Fixed;

impl Entropy for Fixed {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 2, 3, 10, 0, 0).unwrap()
}

fn engine() -> Engine {
    let key = |byte| PseudonymKey::new([byte; 32]);
    let trust = OdsCode::parse("RZZ").unwrap();
    let keys = TrustKeys::new(trust, key(1), key(2), key(3));
    Engine::new(keys, Policy::default(), Box::new(Fixed))
}

fn parsed(engine: &mut Engine) -> LetterRecord {
    let raw = b"a letter".to_vec();
    let intake = Intake::new("epr", "D-1", Disposition::Send, "ok", [1; 32], raw);
    let mut taken = engine.intake(start(), intake, None, None);
    taken.commit.letters.remove(0)
}

fn prepared(engine: &mut Engine, letter: LetterRecord) -> Commit {
    let address = Address::new(
        OdsCode::parse("A81001").unwrap(),
        MailboxId::parse("A81001OT001").unwrap(),
        WorkflowId::parse("TRANSFER_OF_CARE").unwrap(),
        "edt-html",
    );
    let shaped = ShapedCopy::new(b"<letter/>".to_vec(), "application/xml", Data::new());
    let copies = vec![PreparedCopy::new(address, Data::new(), Ok(shaped))];
    let work = Work::new(letter.key, WorkKind::Prepare, start());
    let token = engine.lease_tokens(1).remove(0);
    let claimed = Claimed::new(work, token, letter, None, 1);
    engine.prepared(start(), claimed, Prepared::Copies(copies))
}

fn queued(engine: &mut Engine) -> CopyRecord {
    let letter = parsed(engine);
    prepared(engine, letter).copies.remove(0)
}

/// Applies these events, a minute apart, and gives back what was recorded.
fn apply(engine: &mut Engine, copy: &mut CopyRecord, events: &[CopyEvent]) -> Vec<EventBody> {
    let mut recorded = Vec::new();
    for (minute, event) in (1..).zip(events) {
        let mut writer = engine.writer(start() + Duration::minutes(minute));
        writer.copy(copy, *event, None, Data::new());
        recorded.extend(writer.commit.events);
    }
    recorded
}

const TO_FILED: [CopyEvent; 5] = [
    CopyEvent::SendStarted,
    CopyEvent::SendAccepted,
    CopyEvent::TransportCollected,
    CopyEvent::AckPositive,
    CopyEvent::GpFiled,
];

#[test]
fn audit_3_3_a_copy_is_closed_when_its_promise_is_first_kept() {
    use crate::ClosesOn::{Acknowledged, Collected, Filed};
    for (closes_on, minute) in [(Collected, 3), (Acknowledged, 4), (Filed, 5)] {
        let mut engine = engine();
        let mut copy = queued(&mut engine);
        copy.address.closes_on = closes_on;
        apply(&mut engine, &mut copy, &TO_FILED);
        assert_eq!(copy.state, CopyState::Filed);
        assert_eq!(copy.closed_at, Some(start() + Duration::minutes(minute)));
    }
}

#[test]
fn audit_3_2_a_contradiction_after_a_good_end_keeps_it_and_tells_a_person() {
    let mut engine = engine();
    let mut copy = queued(&mut engine);
    apply(&mut engine, &mut copy, &TO_FILED);
    let late = [
        CopyEvent::AckNegative,
        CopyEvent::TransportUndelivered,
        CopyEvent::AckNegative,
    ];
    let events = apply(&mut engine, &mut copy, &late);
    assert_eq!(copy.state, CopyState::Filed);
    assert!(copy.closed_at.is_some() && copy.needs_person());
    let told = "contradiction: ack.negative; contradiction: transport.undelivered";
    assert_eq!(copy.alert.as_deref(), Some(told));
    assert_eq!(events.len(), 3, "each is recorded");
    assert!(
        events
            .iter()
            .all(|event| event.data.flag("conflict") == Some(true))
    );
    assert!(events.iter().all(|event| event.state == "FILED"));
}

#[test]
fn audit_3_2_an_acknowledgement_may_overtake_the_collection() {
    let mut engine = engine();
    let mut copy = queued(&mut engine);
    let events = [
        CopyEvent::SendStarted,
        CopyEvent::AckPositive,
        CopyEvent::TransportCollected,
    ];
    let recorded = apply(&mut engine, &mut copy, &events);
    assert_eq!(copy.state, CopyState::Acked, "never backwards");
    assert_eq!(
        recorded.len(),
        2,
        "what is known already is counted, not recorded"
    );
}

#[test]
fn audit_3_2_rule_b_what_a_letter_does_not_allow_is_kept_and_told() {
    let mut engine = engine();
    let mut letter = parsed(&mut engine);
    letter.state = LetterState::Withheld;
    let commit = prepared(&mut engine, letter);
    assert!(
        commit.copies.is_empty() && commit.payloads.is_empty(),
        "it goes to nobody"
    );
    assert_eq!(commit.events.len(), 1);
    assert_eq!(commit.events[0].kind, ANOMALY);
    assert_eq!(commit.events[0].data.text("event"), Some("routed"));
    let letter = &commit.letters[0];
    assert_eq!((letter.state, letter.copies), (LetterState::Withheld, 0));
    assert_eq!(letter.alert.as_deref(), Some("unexpected: routed"));
    assert!(letter.needs_person());
}

#[test]
fn event_ids_are_of_version_7_and_hold_the_time() {
    let mut engine = engine();
    let id = write::event_id(start(), &mut engine.entropy).to_string();
    assert_eq!(id, "019c22f1-d500-7707-8707-070707070707");
}
