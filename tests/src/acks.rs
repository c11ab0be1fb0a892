use std::collections::BTreeSet;

/// What a record system handed over, and for what of it it was told "taken".
#[derive(Clone, Debug, Default)]
pub struct Acks {
    submitted: BTreeSet<String>,
    acknowledged: BTreeSet<String>,
}

impl Acks {
    /// Notes a document before it is handed over.
    pub fn submit(&mut self, document: &str) {
        self.submitted.insert(document.to_owned());
    }

    /// Notes an acknowledgement after it was received.
    pub fn acknowledge(&mut self, document: &str) {
        assert!(self.submitted.contains(document), "{document} is not ours");
        self.acknowledged.insert(document.to_owned());
    }

    /// Whether a document was ever handed over.
    pub fn was_submitted(&self, document: &str) -> bool {
        self.submitted.contains(document)
    }

    /// Documents that were handed over.
    pub const fn submitted(&self) -> &BTreeSet<String> {
        &self.submitted
    }

    /// Documents that were acknowledged.
    pub const fn acknowledged(&self) -> &BTreeSet<String> {
        &self.acknowledged
    }
}
