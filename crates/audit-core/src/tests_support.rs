//! Events and a key for unit tests.

use crate::{Data, EventBody, EventId, Signer, StreamKey, Timestamp};

pub(crate) fn body(stream: u8, lseq: u64) -> EventBody {
    EventBody {
        id: EventId::from_bytes([stream; 16]),
        at: Timestamp::from_millis(0),
        stream: StreamKey::from_bytes([stream; 16]),
        copy: None,
        lseq,
        subject: None,
        kind: "door.opened".to_owned(),
        state: "OPEN".to_owned(),
        actor: "svc:doors".to_owned(),
        data: Data::new(),
    }
}

pub(crate) fn signer() -> Signer {
    Signer::from_seed("ledger.example/doors", [7; 32]).unwrap()
}
