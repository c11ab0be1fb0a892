use std::collections::BTreeMap;
use std::fmt;

use letter_delivery::CopyState;

use crate::{Acks, Site, Source, Way};

/// Something that must never be true after a crash (reliability-and-security facts 4).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wrong {
    /// (a) A document was acknowledged, and is not there.
    Lost(String),
    /// (a) What was seen of a letter's way is not on it any more.
    Shrunk(String),
    /// (b) A letter that nobody handed over, or one of two from one document.
    Stranger(String),
    /// (c) The ledger does not verify.
    Unclean(String),
    /// (d) MESH holds a message of no attempt that the ledger knows, or a double it does not report.
    UnknownAtMesh(String),
    /// (e) The sums do not agree.
    Unbalanced(String),
    /// (f) It does not come to rest by itself.
    Unsettled(String),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(what) => write!(f, "acknowledged and lost: {what}"),
            Self::Shrunk(what) => write!(f, "forgot what it had shown: {what}"),
            Self::Stranger(what) => write!(f, "never handed over: {what}"),
            Self::Unclean(what) => write!(f, "the ledger does not verify: {what}"),
            Self::UnknownAtMesh(what) => write!(f, "the ledger does not tell it: {what}"),
            Self::Unbalanced(what) => write!(f, "the sums do not agree: {what}"),
            Self::Unsettled(what) => write!(f, "it does not come to rest: {what}"),
        }
    }
}

/// Messages that MESH took for the practices, by their local id.
pub(crate) type Received = BTreeMap<String, usize>;

/// What was seen of each letter's way up to now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(BTreeMap<String, Vec<String>>);

impl Seen {
    /// What was seen before must still be there, in its order; what is new is noted.
    pub(crate) fn see(&mut self, ways: &[Way]) -> Vec<Wrong> {
        let mut wrong = Vec::new();
        let now: BTreeMap<&str, &Vec<String>> = ways
            .iter()
            .map(|way| (way.document.as_str(), &way.kinds))
            .collect();
        for (document, before) in &self.0 {
            let kinds = now.get(document.as_str()).copied();
            if !kinds.is_some_and(|kinds| kinds.starts_with(before)) {
                wrong.push(Wrong::Shrunk(format!(
                    "{document}: {before:?}, now {kinds:?}"
                )));
            }
        }
        for (document, kinds) in now {
            self.0.insert(document.to_owned(), kinds.clone());
        }
        wrong
    }
}

/// What must hold at every moment, right after a crash too.
pub(crate) fn always(acks: &Acks, ways: &[Way], received: &Received) -> Vec<Wrong> {
    let mut wrong = presence(acks, ways);
    let copies: BTreeMap<&str, &Way> = ways
        .iter()
        .flat_map(|way| {
            way.view
                .copies
                .iter()
                .map(move |copy| (copy.local_id.as_str(), way))
        })
        .collect();
    for (local_id, count) in received {
        match copies.get(local_id.as_str()) {
            None => wrong.push(Wrong::UnknownAtMesh(format!(
                "{count} of {local_id}, no copy"
            ))),
            Some(way) if way.count("send.started") < *count => wrong.push(Wrong::UnknownAtMesh(
                format!("{} arrived {count} times: {:?}", way.document, way.kinds),
            )),
            Some(_) => {}
        }
    }
    wrong
}

/// Oracle (a) and (b).
fn presence(acks: &Acks, ways: &[Way]) -> Vec<Wrong> {
    let mut letters: BTreeMap<&str, usize> = BTreeMap::new();
    for way in ways {
        *letters.entry(way.document.as_str()).or_default() += 1;
    }
    let lost = acks.acknowledged().iter();
    let lost = lost.filter(|document| !letters.contains_key(document.as_str()));
    let strangers = letters.iter();
    let strangers =
        strangers.filter(|(document, count)| **count > 1 || !acks.was_submitted(document));
    lost.map(|document| Wrong::Lost(document.clone()))
        .chain(
            strangers.map(|(document, count)| Wrong::Stranger(format!("{count} of {document:?}"))),
        )
        .collect()
}

/// What must hold once it came to rest. Gives the doubles that the ledger reports, too.
pub(crate) fn at_rest(
    source: &Source,
    ways: &[Way],
    received: &Received,
    returned: &Received,
) -> (usize, Vec<Wrong>) {
    let mut wrong = always(source.acks(), ways, received);
    for document in source.acks().submitted() {
        let is_known = ways.iter().any(|way| way.document == *document);
        if !is_known && source.unanswered() != Some(document) {
            wrong.push(Wrong::Unsettled(format!("{document} was never taken")));
        }
    }
    let mut doubles = 0;
    for way in ways {
        match arrived(way, received) {
            Ok(times) => doubles += usize::from(times > 1),
            Err(what) => wrong.push(what),
        }
        wrong.extend(attempts(way));
        wrong.extend(told_back(way, returned));
    }
    (doubles, wrong)
}

/// Oracle (d): whether the practice has it more than once, which the ledger must then report.
fn arrived(way: &Way, received: &Received) -> Result<usize, Wrong> {
    let Some(copy) = way.view.copies.first() else {
        return Err(Wrong::Unsettled(format!("{} has no copy", way.document)));
    };
    let times = received.get(copy.local_id.as_str()).copied().unwrap_or(0);
    let is_told = copy.alert.is_some() || way.count("send.multiple") > 0;
    if times == 0 || (times > 1 && !is_told) {
        let (document, kinds) = (&way.document, &way.kinds);
        let what = format!("{document} arrived {times} times: {kinds:?}");
        return Err(Wrong::UnknownAtMesh(what));
    }
    Ok(times)
}

/// Oracle (e) for one copy: every attempt that was begun has exactly one end; a report that the
/// message came back may be the end of one whose answer nobody heard.
fn attempts(way: &Way) -> Option<Wrong> {
    let ends = [
        "send.accepted",
        "send.refused",
        "send.retryable",
        "send.unknown",
    ];
    let begun = way.count("send.started");
    let ended: usize = ends.iter().map(|kind| way.count(kind)).sum();
    let came_back = way.count("transport.undelivered");
    let is_balanced = begun == ended || (begun == ended + 1 && came_back > 0);
    let (document, kinds) = (&way.document, &way.kinds);
    let what = || format!("{document}: {begun} begun, {ended} ended: {kinds:?}");
    (!is_balanced).then(|| Wrong::Unbalanced(what()))
}

/// A report that we took out of our mailbox must be in the ledger.
fn told_back(way: &Way, returned: &Received) -> Option<Wrong> {
    let copy = way.view.copies.first()?;
    let is_returned = returned.contains_key(copy.local_id.as_str());
    let what = || format!("{} came back and is {}", way.document, way.state());
    (is_returned && copy.state != CopyState::Returned).then(|| Wrong::Lost(what()))
}

/// Oracle (e) for the whole: the list that people read has each letter and copy once, and the
/// same ones as the store.
pub(crate) fn balance(site: &Site, ways: &[Way]) -> Option<Wrong> {
    let status = site.letterbox(&["status", "--json"]);
    let mut listed: BTreeMap<String, usize> = BTreeMap::new();
    for line in status.json() {
        let document = line["document"].as_str().unwrap_or_default();
        let state = line["state"].as_str().unwrap_or_default();
        *listed.entry(format!("{document} {state}")).or_default() += 1;
    }
    let held = ways
        .iter()
        .map(|way| format!("{} {}", way.document, way.state()));
    let held: BTreeMap<String, usize> = held.map(|line| (line, 1)).collect();
    (listed != held).then(|| Wrong::Unbalanced(format!("listed {listed:?}, held {held:?}")))
}
