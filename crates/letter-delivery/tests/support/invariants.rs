//! What must hold of the rows at any time, whatever happened.

use std::collections::BTreeMap;

use audit_core::{EventBody, StreamKey};
use letter_delivery::{
    Balance, CopyRecord, CopyState, LetterState, LocalId, Owner, Standing, StateKind, WorkKind,
};

use letter_delivery::testkit::ModelRows;

/// Events that allow another attempt: MESH proved or said that nothing was taken, or a recorded
/// decision was made.
const ALLOWS_ANOTHER: [&str; 6] = [
    "send.retryable",
    "send.not_found",
    "send.unresolved_resend",
    "person.resend",
    "person.reroute",
    "auto.reroute",
];

pub(crate) fn check(rows: &ModelRows) {
    balance(rows);
    work_for_all_that_is_open(rows);
    for stream in rows.letters.keys() {
        ends_stay(rows, *stream, |state| {
            LetterState::parse(state).map(LetterState::kind)
        });
    }
    for copy in rows.copies.values() {
        ends_stay(rows, copy.key, |state| {
            CopyState::parse(state).map(CopyState::kind)
        });
        attempts(rows, copy);
        assert!(
            rows.letters.contains_key(&copy.letter),
            "a copy has its letter"
        );
    }
}

/// What came in is what stands somewhere: no letter is lost, none appears, and none stands in two
/// places (audit-and-delivery facts 9).
fn balance(rows: &ModelRows) {
    let mut first: BTreeMap<StreamKey, bool> = BTreeMap::new();
    let bodies = rows.events.iter().map(|event| &event.event.body);
    for body in bodies.filter(|body| body.stream != StreamKey::LEDGER) {
        first
            .entry(body.stream)
            .or_insert_with(|| body.copy.is_some());
    }
    let letters = first.values().filter(|is_copy| !**is_copy).count();
    let mut balance = Balance::default();
    for letter in rows.letters.values() {
        balance.add(letter.standing(&rows.copies_of(letter.key)));
    }
    let last = |stream: &StreamKey| rows.of(*stream).last().map(|body| body.state.clone());
    let drafts = rows
        .letters
        .keys()
        .filter(|key| last(key).as_deref() == Some("DRAFT_SEEN"));
    let taken = u64::try_from(letters - drafts.count()).unwrap();
    assert_eq!(taken, balance.total(), "taken = the sum of all places");
    let by_place: u64 = Standing::ALL.iter().map(|place| balance.of(*place)).sum();
    assert_eq!(by_place, balance.total());
    assert_eq!(first.len() - letters, rows.copies.len());
    for letter in rows.letters.values() {
        let copies = rows.copies_of(letter.key).len();
        assert_eq!(copies, usize::try_from(letter.copies).unwrap());
        assert_eq!(copies > 0, letter.state == LetterState::Routed);
    }
}

/// Rule 4 of the house: whatever the service owns has work that moves it on, and nothing else has.
fn work_for_all_that_is_open(rows: &ModelRows) {
    let kind = |stream| rows.work.get(stream).map(|row| row.work.kind);
    for letter in rows.letters.values() {
        let due = (letter.state == LetterState::Parsed).then_some(WorkKind::Prepare);
        assert_eq!(kind(&letter.key), due, "letter {}", letter.state);
    }
    for copy in rows.copies.values() {
        let has = kind(&copy.key);
        match copy.state {
            CopyState::Routed => assert_eq!(has, Some(WorkKind::Reroute)),
            CopyState::Queued | CopyState::Sending => assert_eq!(has, Some(WorkKind::Send)),
            CopyState::Uncertain => assert_eq!(has, Some(WorkKind::Ask)),
            CopyState::Accepted if copy.message_id.is_some() => {
                assert_eq!(has, Some(WorkKind::Track));
            }
            CopyState::WithdrawalDue => assert!(matches!(has, None | Some(WorkKind::Track))),
            state => assert_eq!(has, None, "copy {state}"),
        }
        let is_open = matches!(copy.state.kind(), StateKind::Open | StateKind::NeedsPerson);
        assert!(!is_open || copy.duty().owner != Owner::Nobody);
        assert!(!is_open || copy.act_by().is_some());
    }
}

fn ends_stay(rows: &ModelRows, stream: StreamKey, kind: impl Fn(&str) -> Option<StateKind>) {
    let mut ended: Option<&str> = None;
    for body in rows.of(stream) {
        if let Some(state) = ended {
            assert_eq!(body.state, state, "{} after an end", body.kind);
        }
        let kind = kind(&body.state).expect("a state of the table");
        ended = (kind == StateKind::Ended).then_some(body.state.as_str());
    }
}

/// At most one attempt is open, none follows one whose outcome is not known, and the local id is
/// that of the series.
fn attempts(rows: &ModelRows, copy: &CopyRecord) {
    let mut allowed = true;
    for body in rows.of(copy.key) {
        if body.kind == "send.started" {
            assert!(
                allowed,
                "a second attempt without an answer: {:?}",
                rows.kinds(copy.key)
            );
            allowed = false;
            assert_eq!(
                body.data.text("local_id"),
                Some(local_id(body, copy).as_str())
            );
        }
        allowed |= ALLOWS_ANOTHER.contains(&body.kind.as_str());
    }
}

fn local_id(body: &EventBody, copy: &CopyRecord) -> LocalId {
    let series = body.data.int("series").and_then(|n| u32::try_from(n).ok());
    LocalId::of(copy.letter, copy.number, series.expect("a series"))
}
