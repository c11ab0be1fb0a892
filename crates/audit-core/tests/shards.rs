//! A ledger that goes on in another, checked across the seam.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, outside of test functions"
)]

use audit_core::{
    Checkpoint, Data, EventBody, EventId, Hash, Origin, Rule, SHARD_CLOSED, Sequencer,
    ShardOpening, ShardStart, StreamKey, Timestamp, Verification, Verifier, VerifyOptions,
};

const DOOR: StreamKey = StreamKey::from_bytes([1; 16]);

/// A shard being written; the tails of its streams come from the shard before.
struct Shard {
    sequencer: Sequencer,
    events: Vec<Vec<u8>>,
    tails: [(StreamKey, u64, Hash); 2],
}

impl Shard {
    fn new() -> Self {
        Self::after([(StreamKey::LEDGER, 0, Hash::ZERO), (DOOR, 0, Hash::ZERO)])
    }

    fn after(tails: [(StreamKey, u64, Hash); 2]) -> Self {
        Self {
            sequencer: Sequencer::new(),
            events: Vec::new(),
            tails,
        }
    }

    fn add(mut self, stream: StreamKey, kind: &str, data: Data) -> Self {
        let tail = self.tails.iter_mut().find(|tail| tail.0 == stream).unwrap();
        let body = EventBody {
            id: EventId::from_bytes([3; 16]),
            at: Timestamp::from_millis(0),
            stream,
            copy: None,
            lseq: tail.1,
            subject: None,
            kind: kind.to_owned(),
            state: "OPEN".to_owned(),
            actor: "svc:doors".to_owned(),
            data,
        };
        let placed = self.sequencer.append(body, tail.2).unwrap();
        (tail.1, tail.2) = (tail.1 + 1, placed.leaf);
        self.events.push(placed.canonical);
        self
    }

    fn door(self) -> Self {
        self.add(DOOR, "door.opened", Data::new())
    }

    fn opened(self, start: ShardStart, previous: Checkpoint) -> Self {
        let data = ShardOpening::after(start, previous).to_data();
        self.add(StreamKey::LEDGER, start.as_str(), data)
    }

    fn closed(self) -> Self {
        self.add(StreamKey::LEDGER, SHARD_CLOSED, Data::new())
    }

    fn last(&self) -> Checkpoint {
        Checkpoint {
            origin: origin(),
            size: self.sequencer.next_seq(),
            root: self.sequencer.root(),
        }
    }
}

fn origin() -> Origin {
    Origin::parse("ledger.example/doors/2026").unwrap()
}

fn verify(first: &Shard, second: &Shard) -> (Verification, Verification) {
    let mut verifier = Verifier::new(VerifyOptions::default());
    for event in &first.events {
        verifier.event(event);
    }
    let (found, mut next) = verifier.next_shard(origin(), VerifyOptions::default());
    for event in &second.events {
        next.event(event);
    }
    (found, next.finish())
}

fn told(second: &Verification) -> Vec<(Rule, &str)> {
    let faults = second.faults.iter();
    faults
        .map(|fault| (fault.rule, fault.what.as_str()))
        .collect()
}

#[test]
fn streams_go_on_across_a_year() {
    let first = Shard::new().door().door().closed();
    let second = Shard::after(first.tails);
    let second = second.opened(ShardStart::Opened, first.last()).door();
    let (found, next) = verify(&first, &second);
    assert!(found.is_clean() && next.is_clean(), "{:?}", next.faults);
    assert_eq!((found.events, next.events), (3, 2));
}

#[test]
fn v9_a_shard_that_goes_on_from_another_history_is_found() {
    let first = Shard::new().door().closed();
    let other = Shard::new().door().door().closed();
    let second = Shard::after(first.tails).opened(ShardStart::Opened, other.last());
    let (_, next) = verify(&first, &second);
    let what = "the shard's opening does not hold the last checkpoint of the shard before";
    assert_eq!(told(&next), [(Rule::V9, what)]);
}

#[test]
fn v9_a_shard_without_an_opening_or_without_a_closing_before_is_found() {
    let first = Shard::new().door().closed();
    let (_, next) = verify(&first, &Shard::after(first.tails).door());
    assert_eq!(
        told(&next),
        [(Rule::V9, "the shard does not begin with an opening")]
    );
    let open = Shard::new().door();
    let second = Shard::after(open.tails).opened(ShardStart::Opened, open.last());
    let (_, next) = verify(&open, &second);
    assert_eq!(told(&next), [(Rule::V9, "the shard before was not closed")]);
    let (_, next) = verify(&first, &Shard::after(first.tails));
    assert_eq!(next.faults[0].rule, Rule::V9);
}

#[test]
fn a_restored_shard_follows_one_that_could_not_be_closed() {
    let first = Shard::new().door();
    let second = Shard::after(first.tails).opened(ShardStart::Restored, first.last());
    let (_, next) = verify(&first, &second);
    assert!(next.is_clean(), "{:?}", next.faults);
}

#[test]
fn v4_a_stream_that_begins_anew_in_the_next_shard_is_found() {
    let first = Shard::new().door().closed();
    let mut tails = first.tails;
    tails[1] = (DOOR, 0, Hash::ZERO);
    let second = Shard::after(tails).opened(ShardStart::Opened, first.last());
    let (_, next) = verify(&first, &second.door());
    assert_eq!(next.faults[0].rule, Rule::V4);
}
