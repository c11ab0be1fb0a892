//! Ledgers to be checked.

use audit_core::{
    Checkpoint, Data, EventBody, EventId, Hash, Origin, Sequencer, Signer, StreamKey, Timestamp,
    Verification, Verifier, VerifyOptions,
};

/// The minute at which event 0 of every ledger here happened.
pub(crate) const START_MS: i64 = 1_770_113_400_000;

/// A ledger in memory.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(crate) events: Vec<Vec<u8>>,
    /// The root at each size.
    pub(crate) roots: Vec<Hash>,
}

impl Ledger {
    /// A ledger whose event `i` belongs to stream `streams[i]`.
    pub(crate) fn of(streams: &[u8]) -> Self {
        let mut sequencer = Sequencer::new();
        let mut tails = vec![(0, Hash::ZERO); 256];
        let mut ledger = Self {
            events: Vec::new(),
            roots: vec![sequencer.root()],
        };
        for stream in streams {
            let tail = &mut tails[usize::from(*stream)];
            let body = body(sequencer.next_seq(), *stream, tail.0);
            let sequenced = sequencer.append(body, tail.1).unwrap();
            *tail = (tail.0 + 1, sequenced.leaf);
            ledger.events.push(sequenced.canonical);
            ledger.roots.push(sequencer.root());
        }
        ledger
    }

    /// The note of the checkpoint at that size.
    pub(crate) fn checkpoint(&self, size: usize) -> String {
        note(size as u64, self.roots[size])
    }

    /// Checks the events against the options.
    pub(crate) fn verify(&self, options: VerifyOptions) -> Verification {
        let mut verifier = Verifier::new(options);
        for event in &self.events {
            verifier.event(event);
        }
        verifier.finish()
    }
}

/// The options with these stored checkpoints and the key that signs them.
pub(crate) fn stored(notes: Vec<String>) -> VerifyOptions {
    VerifyOptions {
        trusted: vec![signer().verifier_key()],
        stored_checkpoints: notes,
        ..VerifyOptions::default()
    }
}

pub(crate) fn note(size: u64, root: Hash) -> String {
    signer()
        .sign(&Checkpoint {
            origin: origin("ledger.example/doors"),
            size,
            root,
        })
        .to_text()
}

pub(crate) fn signer() -> Signer {
    Signer::from_seed("ledger.example/doors", [7; 32]).unwrap()
}

pub(crate) fn origin(name: &str) -> Origin {
    Origin::parse(name).unwrap()
}

/// Event `seq` of a ledger, the `lseq`-th of its stream, a minute after the one before.
pub(crate) fn body(seq: u64, stream: u8, lseq: u64) -> EventBody {
    EventBody {
        id: EventId::from_bytes(u128::from(seq).to_be_bytes()),
        at: Timestamp::from_millis(START_MS + i64::try_from(seq).unwrap() * 60_000),
        stream: StreamKey::from_bytes([stream; 16]),
        copy: None,
        lseq,
        subject: None,
        kind: "door.opened".to_owned(),
        state: "OPEN".to_owned(),
        actor: "svc:doors".to_owned(),
        data: Data::new().with("n", seq),
    }
}
