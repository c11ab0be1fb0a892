//! The events, read once in the order of the ledger.

use audit_core::{Event, Verifier};

use super::Check;

/// Members of an event's data that hold the digest of a content.
const DIGESTS: [&str; 3] = ["payload_digest", "letter_digest", "artefact_digest"];
/// The member that holds the id of a report.
const REPORT: &str = "report";

/// An event as its row holds it; what stands in a column of another kind is not there.
pub(crate) struct EventRow<'a> {
    pub(crate) seq: u64,
    pub(crate) stream: &'a [u8],
    pub(crate) lseq: Option<i64>,
    pub(crate) leaf: &'a [u8],
    pub(crate) bytes: &'a [u8],
}

impl Check {
    /// V1: the digest kept with each event; the rest is the verifier's and the ledger audit's.
    pub(crate) fn event(&mut self, row: &EventRow<'_>, verifier: &mut Verifier) {
        verifier.event(row.bytes);
        for (subtree, hash) in verifier.last_subtrees() {
            self.subtree(*subtree, hash);
        }
        if verifier.last_leaf().as_bytes().as_slice() != row.leaf {
            let what = "the event does not have the digest it was stored with";
            self.fault("V1", Some(row.seq), what);
        }
        let Ok(event) = Event::parse(row.bytes) else {
            return;
        };
        let is_placed = event.seq == row.seq
            && i64::try_from(event.body.lseq).ok() == row.lseq
            && event.body.stream.as_bytes().as_slice() == row.stream;
        if !is_placed {
            let what = "the event lies at another place than it says";
            self.fault("V1", Some(row.seq), what);
        }
        self.follow(&event);
    }

    /// Follows an event, whether or not it has its final place.
    pub(crate) fn follow(&mut self, event: &Event) {
        self.note(event);
        self.ledger.event(event);
    }

    /// Notes which rows must be there because of this event.
    fn note(&mut self, event: &Event) {
        let data = &event.body.data;
        for digest in DIGESTS.iter().filter_map(|name| data.text(name)) {
            self.recorded.insert(digest.to_owned(), event.seq);
        }
        if let Some(report) = data.text(REPORT) {
            self.reports.insert(report.to_owned(), event.seq);
        }
    }
}
