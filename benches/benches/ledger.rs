//! How long does the verification of a ledger of 100,000 events take, and the signing of its end?

#![expect(
    clippy::expect_used,
    reason = "a bench whose sample is bad has no figure to give"
)]

use std::hint::black_box;

use audit_core::{
    Checkpoint, Data, EventBody, EventId, Hash, Origin, PseudonymKey, Sequencer, Signer, StreamKey,
    Timestamp, Verifier, VerifyOptions,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const EVENTS: u64 = 100_000;

/// A letter that arrives has about as many events as this.
const EVENTS_OF_A_STREAM: u64 = 8;

/// How long does it take to check every rule over 100,000 events and a signed checkpoint?
fn verifying(criterion: &mut Criterion) {
    let (events, options) = ledger();
    let clean = verify(&events, options.clone());
    assert!(clean, "the ledger of the bench is not clean");
    let mut group = criterion.benchmark_group("ledger");
    group
        .throughput(Throughput::Elements(EVENTS))
        .sample_size(10);
    group.bench_function("verify 100,000 events", |bencher| {
        bencher.iter(|| verify(black_box(&events), options.clone()));
    });
    group.finish();
}

fn verify(events: &[Vec<u8>], options: VerifyOptions) -> bool {
    let mut verifier = Verifier::new(options);
    for event in events {
        verifier.event(event);
    }
    verifier.finish().is_clean()
}

fn ledger() -> (Vec<Vec<u8>>, VerifyOptions) {
    let key = PseudonymKey::new([1; 32]);
    let mut sequencer = Sequencer::new();
    let mut events = Vec::new();
    let mut prev = Hash::ZERO;
    for number in 0..EVENTS {
        let lseq = number % EVENTS_OF_A_STREAM;
        let stream = key.stream_key(&["letter", &(number / EVENTS_OF_A_STREAM).to_string()]);
        let prev_of_stream = if lseq == 0 { Hash::ZERO } else { prev };
        let event = sequencer.sequence(body(number, lseq, stream), prev_of_stream);
        let event = event.expect("the body can be written");
        prev = event.leaf_hash().expect("and hashed");
        events.push(event.to_canonical().expect("and written"));
    }
    let signer = Signer::from_seed("ledger.example/bench", [2; 32]).expect("a good name");
    let origin = Origin::parse("ledger.example/bench").expect("a good origin");
    let root = sequencer.root();
    let signed = signer.sign(&Checkpoint {
        origin,
        size: EVENTS,
        root,
    });
    let options = VerifyOptions {
        trusted: vec![signer.verifier_key()],
        stored_checkpoints: vec![signed.to_text()],
        ..VerifyOptions::default()
    };
    (events, options)
}

fn body(number: u64, lseq: u64, stream: StreamKey) -> EventBody {
    EventBody {
        id: EventId::from_bytes(u128::from(number).to_be_bytes()),
        at: Timestamp::parse("2026-02-03T10:10:00.000Z").expect("a time"),
        stream,
        copy: None,
        lseq,
        subject: None,
        kind: "copy.submitted".to_owned(),
        state: "SUBMITTED".to_owned(),
        actor: "svc:letters".to_owned(),
        data: Data::new()
            .with("attempt", 1)
            .with("mailbox", "Y99901OT001")
            .with("workflow", "TOC_OUTP_ATT_DMS"),
    }
}

criterion_group!(benches, verifying);
criterion_main!(benches);
