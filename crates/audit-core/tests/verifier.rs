//! What each rule of a verification finds (audit-and-delivery 6).

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside of test functions"
)]

#[path = "support/ledger.rs"]
mod ledger;

use audit_core::{
    Checkpoint, Event, FAULTS_PER_RULE_MAX, Rule, Signer, Timestamp, UNSIGNED_AGE_MS, Verification,
    VerifyOptions,
};
use ledger::{Ledger, START_MS, body, note, origin, signer, stored};

const STREAMS: [u8; 8] = [1, 1, 2, 1, 2, 3, 1, 2];

fn rules(verification: &Verification) -> Vec<Rule> {
    verification.faults.iter().map(|fault| fault.rule).collect()
}

fn ledger_with_notes() -> (Ledger, VerifyOptions) {
    let ledger = Ledger::of(&STREAMS);
    let notes = [0, 3, 3, 8].map(|size| ledger.checkpoint(size)).to_vec();
    (ledger, stored(notes))
}

#[test]
fn a_ledger_as_it_was_written_is_clean() {
    let (ledger, options) = ledger_with_notes();
    let verification = ledger.verify(options);
    assert!(verification.is_clean(), "{:?}", verification.faults);
    assert_eq!((verification.events, verification.provable_to), (8, 8));
    assert_eq!(verification.root, ledger.roots[8]);
}

#[test]
fn an_empty_ledger_is_clean() {
    let verification = Ledger::of(&[]).verify(VerifyOptions::default());
    assert!(verification.is_clean());
    assert_eq!(verification.root, audit_core::empty_root());
    assert_eq!(
        (verification.checkpoint_size, verification.provable_to),
        (None, 0)
    );
}

#[test]
fn v2_bytes_that_are_no_canonical_event() {
    let (mut ledger, options) = ledger_with_notes();
    ledger.events[5].insert(1, b' ');
    let verification = ledger.verify(options);
    assert_eq!(rules(&verification), [Rule::V2, Rule::V6]);
    assert_eq!(verification.faults[0].seq, Some(5));
    assert_eq!(verification.provable_to, 3);
    assert_eq!(
        verification.faults[0].to_string(),
        "V2 at event 5: not a canonical event: expected {\"actor\": at byte 0"
    );
}

#[test]
fn v3_a_number_that_is_left_out() {
    let mut ledger = Ledger::of(&[1, 1, 1]);
    let mut event = Event::parse(&ledger.events[2]).unwrap();
    event.seq = 3;
    ledger.events[2] = event.to_canonical().unwrap();
    let verification = ledger.verify(VerifyOptions::default());
    assert_eq!(rules(&verification), [Rule::V3]);
    assert_eq!(
        verification.faults[0].to_string(),
        "V3 at event 3: seq 3 stands where 2 was due"
    );
}

#[test]
fn v4_a_stream_with_a_gap_names_the_stream() {
    let mut ledger = Ledger::of(&[1, 2, 1, 2]);
    let mut event = Event::parse(&ledger.events[3]).unwrap();
    event.body.lseq = 7;
    ledger.events[3] = event.to_canonical().unwrap();
    let verification = ledger.verify(VerifyOptions::default());
    assert_eq!(rules(&verification), [Rule::V4]);
    assert_eq!(
        verification.faults[0].to_string(),
        "V4 at event 3: stream 02020202020202020202020202020202: lseq 7 stands where 1 was due"
    );
}

#[test]
fn v4_a_changed_event_shows_at_the_next_of_its_stream_even_without_a_checkpoint() {
    let mut ledger = Ledger::of(&[1, 2, 1, 2]);
    let mut event = Event::parse(&ledger.events[1]).unwrap();
    event.body.state = "SHUT".to_owned();
    ledger.events[1] = event.to_canonical().unwrap();
    let verification = ledger.verify(VerifyOptions::default());
    assert_eq!(rules(&verification), [Rule::V4]);
    assert_eq!(verification.faults[0].seq, Some(3));
    assert!(
        verification.faults[0]
            .what
            .contains("leaf hash of event 1,")
    );
}

#[test]
fn v4_the_first_event_of_a_stream_follows_nothing() {
    let mut ledger = Ledger::of(&[1]);
    let event = body(0, 1, 0).sequenced(0, ledger.roots[1]);
    ledger.events[0] = event.to_canonical().unwrap();
    let verification = ledger.verify(VerifyOptions::default());
    assert_eq!(rules(&verification), [Rule::V4]);
    assert!(
        verification.faults[0]
            .what
            .ends_with("prev of the first event is not zeros")
    );
}

#[test]
fn v6_a_changed_last_event_is_found_by_the_checkpoint_alone() {
    let (mut ledger, options) = ledger_with_notes();
    let mut event = Event::parse(&ledger.events[7]).unwrap();
    event.body.actor = "user:x".to_owned();
    ledger.events[7] = event.to_canonical().unwrap();
    let verification = ledger.verify(options);
    assert_eq!(rules(&verification), [Rule::V6]);
    assert_eq!(verification.provable_to, 3);
    assert_eq!(
        verification.faults[0].to_string(),
        "V6 at event 3: the root over the first 8 events is not that of stored checkpoint 4; only \
         the first 3 are proven"
    );
}

#[test]
fn v6_a_ledger_that_was_cut_behind_a_checkpoint() {
    let (mut ledger, options) = ledger_with_notes();
    ledger.events.truncate(7);
    let verification = ledger.verify(options);
    assert_eq!(rules(&verification), [Rule::V6]);
    assert_eq!(
        verification.faults[0].what,
        "stored checkpoint 4 covers 8 events, but the ledger holds 7"
    );
    assert_eq!(
        (verification.checkpoint_size, verification.provable_to),
        (Some(8), 3)
    );
}

#[test]
fn v7_checkpoints_that_nobody_trusted_signed() {
    let ledger = Ledger::of(&STREAMS);
    let stranger = Signer::from_seed("ledger.example/doors", [8; 32]).unwrap();
    let checkpoint = Checkpoint {
        origin: origin("ledger.example/doors"),
        size: 8,
        root: ledger.roots[8],
    };
    let verification = ledger.verify(stored(vec![stranger.sign(&checkpoint).to_text()]));
    assert_eq!(rules(&verification), [Rule::V7]);
    assert_eq!(
        verification.faults[0].to_string(),
        "V7: stored checkpoint 1, of 8 events: no signature by a trusted key"
    );
    assert_eq!(
        (verification.checkpoint_size, verification.provable_to),
        (None, 0)
    );
}

#[test]
fn v7_a_signature_that_was_moved_to_another_checkpoint() {
    let (ledger, mut options) = ledger_with_notes();
    let note = ledger.checkpoint(8);
    let signature = note.split_once("\n\n").unwrap().1.to_owned();
    let other = ledger.checkpoint(3);
    let body = other.split_once("\n\n").unwrap().0;
    options.stored_checkpoints = vec![format!("{body}\n\n{signature}")];
    assert_eq!(rules(&ledger.verify(options)), [Rule::V7]);
}

#[test]
fn v7_a_stored_checkpoint_that_is_none() {
    let ledger = Ledger::of(&STREAMS);
    let verification = ledger.verify(stored(vec!["Mrs Canary".to_owned()]));
    assert_eq!(rules(&verification), [Rule::V7]);
    assert!(!verification.faults[0].what.contains("Canary"));
}

#[test]
fn v8_checkpoints_that_shrink() {
    let ledger = Ledger::of(&STREAMS);
    let notes = [3, 8, 5].map(|size| ledger.checkpoint(size)).to_vec();
    let verification = ledger.verify(stored(notes));
    assert_eq!(rules(&verification), [Rule::V8]);
    assert_eq!(
        verification.faults[0].to_string(),
        "V8: stored checkpoint 3 after stored checkpoint 2: the ledger went from 8 events back to 5"
    );
}

#[test]
fn v8_two_roots_at_one_size() {
    let ledger = Ledger::of(&STREAMS);
    let verification = ledger.verify(stored(vec![ledger.checkpoint(8), note(8, ledger.roots[7])]));
    assert_eq!(rules(&verification), [Rule::V8, Rule::V6]);
    assert_eq!(verification.provable_to, 8);
}

#[test]
fn v8_a_checkpoint_of_another_ledger() {
    let ledger = Ledger::of(&STREAMS);
    let checkpoint = Checkpoint {
        origin: origin("ledger.example/gates"),
        size: 8,
        root: ledger.roots[8],
    };
    let foreign = signer().sign(&checkpoint).to_text();
    let mut options = stored(vec![ledger.checkpoint(3)]);
    options.external_checkpoints = vec![foreign];
    assert_eq!(rules(&ledger.verify(options)), [Rule::V8]);
}

#[test]
fn v9_a_rewritten_ledger_with_the_stolen_key_meets_the_checkpoint_kept_elsewhere() {
    let kept_elsewhere = Ledger::of(&STREAMS).checkpoint(6);
    let rewritten = Ledger::of(&[1, 1, 2, 1, 2, 4, 1, 2]);
    let mut options = stored(vec![rewritten.checkpoint(8)]);
    assert!(rewritten.verify(options.clone()).is_clean());
    options.external_checkpoints = vec![kept_elsewhere];
    let verification = rewritten.verify(options);
    assert_eq!(rules(&verification), [Rule::V9]);
}

#[test]
fn v9_a_ledger_that_was_cut_with_its_checkpoints() {
    let ledger = Ledger::of(&STREAMS);
    let cut = Ledger::of(&STREAMS[..5]);
    let mut options = stored(vec![cut.checkpoint(5)]);
    options.external_checkpoints = vec![ledger.checkpoint(8)];
    let verification = cut.verify(options);
    assert_eq!(rules(&verification), [Rule::V9]);
    assert_eq!(
        verification.faults[0].what,
        "external checkpoint 1 covers 8 events, but the ledger holds 5"
    );
}

#[test]
fn v9_a_checkpoint_kept_elsewhere_proves_by_itself() {
    let ledger = Ledger::of(&STREAMS);
    let mut options = stored(Vec::new());
    options.external_checkpoints = vec![ledger.checkpoint(6)];
    let verification = ledger.verify(options);
    assert!(verification.is_clean());
    assert_eq!(
        (verification.checkpoint_size, verification.provable_to),
        (None, 6)
    );
}

#[test]
fn v10_at_the_limit_and_one_past_it() {
    let ledger = Ledger::of(&STREAMS);
    let sixth_at = START_MS + 6 * 60_000;
    for (late_ms, expected) in [(0, vec![]), (1, vec![Rule::V10])] {
        let mut options = stored(vec![ledger.checkpoint(6)]);
        let age = i64::try_from(UNSIGNED_AGE_MS).unwrap();
        options.now = Some(Timestamp::from_millis(sixth_at + age + late_ms));
        let verification = ledger.verify(options);
        assert_eq!(rules(&verification), expected);
        assert!(verification.faults.iter().all(|fault| fault.seq == Some(6)));
    }
}

#[test]
fn v10_without_any_checkpoint_and_with_a_limit_of_ones_own() {
    let ledger = Ledger::of(&STREAMS);
    let mut options = stored(Vec::new());
    options.now = Some(Timestamp::from_millis(START_MS + 60_000 + 10_001));
    options.max_unsigned_age_ms = 10_000;
    let verification = ledger.verify(options);
    assert_eq!(
        verification.faults[0].to_string(),
        "V10 at event 0: 2 events after the last checkpoint are older than an unsigned event may be"
    );
}

#[test]
fn v10_a_checkpoint_that_nobody_trusted_signed_covers_nothing() {
    let ledger = Ledger::of(&STREAMS);
    let mut options = stored(vec![ledger.checkpoint(8)]);
    options.trusted.clear();
    options.now = Some(Timestamp::from_millis(i64::MAX));
    let verification = ledger.verify(options);
    assert_eq!(rules(&verification), [Rule::V7, Rule::V10]);
    assert_eq!(verification.faults[1].seq, Some(0));
}

#[test]
fn faults_past_the_limit_of_a_rule_are_counted() {
    for (events, told, left_out) in [
        (FAULTS_PER_RULE_MAX, 100, 0),
        (FAULTS_PER_RULE_MAX + 1, 100, 1),
    ] {
        let ledger = Ledger {
            events: vec![Vec::new(); events],
            roots: Vec::new(),
        };
        let verification = ledger.verify(VerifyOptions::default());
        assert_eq!(
            (verification.faults.len(), verification.faults_left_out),
            (told, left_out)
        );
    }
}

#[test]
fn faults_never_repeat_what_events_hold() {
    let mut ledger = Ledger::of(&STREAMS);
    for event in &mut ledger.events {
        let text = String::from_utf8(event.clone()).unwrap();
        *event = text.replace("OPEN", "Mrs Canary\n").into_bytes();
    }
    for fault in ledger.verify(stored(vec![ledger.checkpoint(8)])).faults {
        assert!(!fault.to_string().contains("Canary"), "{fault}");
    }
}
