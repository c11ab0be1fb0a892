use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use letter_store::PostgresSettings;
use mesh_testserver::StoredMessage;

use crate::verdict::{self, Received, Seen};
use crate::{Dice, Ledger, Mesh, Plan, Site, Source, TrustPlan, Way, Wrong};

/// Where the letters go.
const PRACTICE: &str = "YGM24GP1";
/// Where the trust's reports wait.
const TRUST: &str = "RT9OT001";
/// Answers that were lost in a row may have MESH left alone for half a minute.
const SETTLES_WITHIN: Duration = Duration::from_secs(75);
const SETTLE_AGAIN: Duration = Duration::from_millis(100);
/// Violations that are shown; one cause has many.
const SHOWN: usize = 8;

/// A site under attack, with the record system before it and the practice behind it, and the one
/// oracle that every attack is judged by.
#[derive(Debug)]
pub struct Siege {
    /// The site.
    pub site: Site,
    /// The record system.
    pub source: Source,
    /// Where its letters are, when that is not a file of the site.
    pub database: Option<PostgresSettings>,
    seen: Seen,
    received: Received,
    returned: Received,
    wrong: Vec<Wrong>,
}

/// What came of an attack.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Verdict {
    /// Letters that went through.
    pub letters: usize,
    /// Of these, acknowledged to the record system.
    pub acknowledged: usize,
    /// Sends whose answer was not known for a while.
    pub doubts: usize,
    /// Letters that the practice has more than once, all reported by the ledger.
    pub doubles: usize,
    /// What must not be.
    pub wrong: Vec<Wrong>,
}

impl Verdict {
    /// Fails the test when anything is wrong.
    pub fn assert_clean(&self, when: &str) {
        let shown: Vec<String> = self
            .wrong
            .iter()
            .take(SHOWN)
            .map(ToString::to_string)
            .collect();
        let count = self.wrong.len();
        assert!(
            shown.is_empty(),
            "{when}: {count} wrong:\n{}",
            shown.join("\n")
        );
    }

    /// Adds another attack's.
    pub fn add(&mut self, other: Self) {
        self.letters += other.letters;
        self.acknowledged += other.acknowledged;
        self.doubts += other.doubts;
        self.doubles += other.doubles;
        self.wrong.extend(other.wrong);
    }
}

/// Also when a test fails in between: the thread that feeds must not go on for ever.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn local_id_of(message: &StoredMessage) -> String {
    let local_id = message.local_id.as_ref();
    let local_id = local_id.expect("every send has a local id");
    local_id.as_str().to_owned()
}

impl Siege {
    /// Letters come over MLLP while something happens; what it is given says whether as many as
    /// were wanted were acknowledged. When it is over no more are sent.
    pub fn while_fed<T>(
        &mut self,
        messages: u32,
        happens: impl FnOnce(&dyn Fn() -> bool) -> T,
    ) -> T {
        let stop = AtomicBool::new(false);
        let source = &mut self.source;
        thread::scope(|scope| {
            let stopping = StopAtEnd(&stop);
            let feeding = scope.spawn(|| source.send(messages, &stop));
            let value = happens(&|| feeding.is_finished());
            drop(stopping);
            value
        })
    }

    /// A plan with a listener for the record system.
    pub fn plan(source: &Source) -> Plan {
        let mut trust = TrustPlan::first();
        trust.listen = Some(source.listen);
        "look_every_seconds = 1\n".clone_into(&mut trust.delivery);
        Plan {
            trusts: vec![trust],
            ..Plan::default()
        }
    }

    /// A new site for letters from number `first` on. Sieges that follow each other on a MESH must
    /// not share numbers; at the same time there is but one.
    pub fn new(mesh: &Mesh, first: u32) -> Self {
        let source = Source::new(first);
        let site = Site::planned(mesh, Self::plan(&source));
        Self::of(site, source)
    }

    /// A site that stands.
    pub fn of(site: Site, source: Source) -> Self {
        Self {
            site,
            source,
            database: None,
            seen: Seen::default(),
            received: Received::new(),
            returned: Received::new(),
            wrong: Vec::new(),
        }
    }

    /// Goes on with a copy of the site, as a power cut left it.
    pub fn move_to(&mut self, folder: PathBuf) {
        self.site = self.site.copied_to(folder);
    }

    /// What was found wrong up to now.
    pub fn wrong(&self) -> &[Wrong] {
        &self.wrong
    }

    /// Whether a letter that was acknowledged is not there.
    pub fn has_lost(&self) -> bool {
        let mut wrong = self.wrong.iter();
        wrong.any(|wrong| matches!(wrong, Wrong::Lost(_)))
    }

    /// The practice takes what waits for it; of some messages MESH says that nobody took them.
    pub fn collect(&mut self, mesh: &Mesh, dice: &mut Dice) {
        for message in mesh.waiting(PRACTICE) {
            if dice.between(0, 10) == 0 {
                self.send_back(mesh, &message);
            }
        }
        self.take(mesh);
    }

    /// The first letter that waits for the practice comes back; the practice takes the others.
    pub fn return_one(&mut self, mesh: &Mesh) {
        if let Some(message) = mesh.waiting(PRACTICE).first() {
            self.send_back(mesh, message);
        }
        self.take(mesh);
    }

    fn send_back(&mut self, mesh: &Mesh, message: &StoredMessage) {
        if mesh.server().undeliverable(&message.id).is_some() {
            let local_id = local_id_of(message);
            *self.received.entry(local_id.clone()).or_default() += 1;
            *self.returned.entry(local_id).or_default() += 1;
        }
    }

    fn take(&mut self, mesh: &Mesh) {
        for message in mesh.collect(PRACTICE) {
            *self.received.entry(local_id_of(&message)).or_default() += 1;
        }
    }

    /// Judges the store as the crash left it, before anything could mend it.
    pub async fn judge(&mut self, mesh: &Mesh) {
        self.source.look_into(&self.site);
        // Before the first start has come that far there is no store, and nothing was promised.
        if self.database.is_none() && !self.site.path("data/rt9.db").exists() {
            let wrong = verdict::always(self.source.acks(), &[], &self.received);
            self.wrong.extend(wrong);
            return;
        }
        let mut received = self.received.clone();
        for message in mesh.waiting(PRACTICE) {
            *received.entry(local_id_of(&message)).or_default() += 1;
        }
        match self.ways().await {
            Ok(ways) => {
                let wrong = verdict::always(self.source.acks(), &ways, &received);
                self.wrong.extend(wrong);
                let forgot = self.seen.see(&ways);
                self.wrong.extend(forgot);
            }
            Err(why) => self.wrong.push(Wrong::Unclean(why)),
        }
        self.verify();
    }

    fn verify(&mut self) {
        let verified = self.site.letterbox(&["audit", "verify"]);
        if verified.code != Some(0) {
            self.wrong.push(Wrong::Unclean(verified.said()));
        }
    }

    async fn ways(&self) -> Result<Vec<Way>, String> {
        let key = self.site.path("secrets/rt9.key");
        let ledger = match &self.database {
            Some(at) => Ledger::try_connect(at.clone(), &key).await?,
            None => Ledger::try_open(&self.site.path("data/rt9.db"), &key)?,
        };
        ledger.try_ways().await
    }

    /// Is not judged: it only leaves the mailboxes as the next siege must find them.
    pub fn leave(mut self, mesh: &Mesh) {
        self.take(mesh);
        let _ = mesh.collect(TRUST);
    }

    /// Lets it run in peace until all is at rest, and judges. MESH is asked about each copy once
    /// a minute at most, so some are not yet known to be collected.
    pub async fn settle(mut self, mesh: &Mesh) -> Verdict {
        mesh.server().clear_faults();
        let begin = Instant::now();
        let ways = loop {
            let run = self.site.run_once();
            self.take(mesh);
            let ways = self.ways().await;
            let open = self.still_open(mesh, ways.as_deref().unwrap_or_default());
            if let (Ok(ways), None) = (&ways, &open) {
                break ways.clone();
            }
            if begin.elapsed() > SETTLES_WITHIN || ways.is_err() {
                let (why, said) = (ways.err().or(open), run.said());
                self.wrong
                    .push(Wrong::Unsettled(format!("{why:?}\n{said}")));
                break Vec::new();
            }
            thread::sleep(SETTLE_AGAIN);
        };
        self.verdict(&ways)
    }

    fn still_open(&self, mesh: &Mesh, ways: &[Way]) -> Option<String> {
        let waiting = self.site.names("in");
        if !waiting.is_empty() {
            return Some(format!("in the folder: {waiting:?}"));
        }
        if !mesh.waiting(TRUST).is_empty() {
            return Some("reports wait in the mailbox".to_owned());
        }
        let open: Vec<String> = ways
            .iter()
            .filter(|way| !way.is_at_rest())
            .map(|way| format!("{}: {:?}", way.document, way.kinds))
            .collect();
        (!open.is_empty()).then(|| format!("{open:#?}"))
    }

    fn verdict(mut self, ways: &[Way]) -> Verdict {
        self.source.look_into(&self.site);
        self.verify();
        let (doubles, wrong) = verdict::at_rest(&self.source, ways, &self.received, &self.returned);
        self.wrong.extend(wrong);
        let forgot = self.seen.see(ways);
        self.wrong.extend(forgot);
        self.wrong.extend(verdict::balance(&self.site, ways));
        Verdict {
            letters: ways.len(),
            acknowledged: self.source.acks().acknowledged().len(),
            doubts: ways.iter().map(|way| way.count("send.unknown")).sum(),
            doubles,
            wrong: self.wrong,
        }
    }
}
