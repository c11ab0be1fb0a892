//! A trust with its pipeline, a folder, a MESH with practices, and a clock that stands.

pub(crate) mod letters;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use audit_core::PseudonymKey;
use chrono::{DateTime, TimeZone as _, Utc};
use gp_routing::{DemographicsPolicy, PracticeTable, SAMPLE_TABLE, TableLimits, WorkflowChoice};
use letter_delivery::testkit::{ModelStore, TurnedClock};
use letter_delivery::{CopyRecord, Engine, LetterRecord, Policy, TrustKeys};
use letter_gateway::{
    Clock, Folder, Gateway, Mesh, Run, Scanned, SpaceLimits, Summary, SystemEntropy, Trust, Worked,
};
use mesh_testserver::{Mailbox, StoredMessage, TestServer};
use nhs_types::{MailboxId, OdsCode, WorkflowId};
use tempfile::TempDir;

pub(crate) const TRUST: &str = "RXXOT001";
pub(crate) const PRACTICE: &str = "Y99901GP1";
pub(crate) const WORKFLOW: &str = "TOC_OUTP_ATT_DMS";
pub(crate) const SOURCE: &str = "epr";

/// Stands still until it is told to go; and can be set, which is no time that goes by.
pub(crate) struct Hand {
    shown: TurnedClock,
    gone: TurnedClock,
}

impl Hand {
    fn new() -> Self {
        Self {
            shown: TurnedClock::new(start()),
            gone: TurnedClock::new(start()),
        }
    }
}

impl Clock for Hand {
    fn now(&self) -> DateTime<Utc> {
        self.shown.now()
    }

    fn monotonic(&self) -> Option<chrono::Duration> {
        Some(self.gone.now() - start())
    }
}

pub(crate) struct World {
    pub(crate) gateway: Arc<Gateway<ModelStore>>,
    pub(crate) store: Arc<ModelStore>,
    pub(crate) server: TestServer,
    clock: Arc<Hand>,
    folder: TempDir,
    still_for: Duration,
}

pub(crate) fn mailbox(id: &str) -> MailboxId {
    MailboxId::parse(id).unwrap()
}

pub(crate) fn ods(code: &str) -> OdsCode {
    OdsCode::parse(code).unwrap()
}

pub(crate) fn workflow(id: &str) -> WorkflowId {
    WorkflowId::parse(id).unwrap()
}

/// A trust whose letters go where their source says, test patients included.
pub(crate) fn trust() -> Trust {
    let table = PracticeTable::read(SAMPLE_TABLE.as_bytes(), &TableLimits::at_least(1)).unwrap();
    let table = table.dated(start().date_naive());
    let mut trust = Trust::new(ods("RXX"), "Northmoor University Hospitals", table);
    trust.routing.workflows = vec![WorkflowChoice::new(workflow(WORKFLOW), "emis")];
    trust.routing.demographics = DemographicsPolicy::Source;
    trust.routing.allow_synthetic = true;
    trust
}

fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 21, 9, 0, 0).unwrap()
}

async fn server() -> TestServer {
    let practice = |id: &str, code: &str| {
        let mailbox = Mailbox::new(mailbox(id), "practice");
        mailbox.organisation(ods(code)).receives(workflow(WORKFLOW))
    };
    TestServer::builder()
        .mailbox(Mailbox::new(mailbox(TRUST), "trust").organisation(ods("RXX")))
        .mailbox(Mailbox::new(mailbox("STRANGER1"), "stranger"))
        .mailbox(practice(PRACTICE, "Y99901"))
        .mailbox(practice("Y99903GP1", "Y99903"))
        .start()
        .await
        .unwrap()
}

pub(crate) fn keys() -> TrustKeys {
    let key = |byte| PseudonymKey::new([byte; 32]);
    TrustKeys::new(ods("RXX"), key(0xA1), key(0xB2), key(0xC3))
}

fn engine(policy: Policy) -> Engine {
    Engine::new(keys(), policy, Box::new(SystemEntropy::default()))
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(trust(), Policy::default()).await
    }

    pub(crate) async fn with(trust: Trust, policy: Policy) -> Self {
        let server = server().await;
        let store = Arc::new(ModelStore::default());
        let clock = Arc::new(Hand::new());
        let mesh = Mesh::new(server.client(&mailbox(TRUST)).unwrap());
        let time: Arc<dyn Clock> = Arc::<Hand>::clone(&clock);
        let gateway = Gateway::new(trust, Arc::clone(&store), engine(policy), mesh, time);
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("in")).unwrap();
        Self {
            gateway: Arc::new(gateway),
            store,
            server,
            clock,
            folder,
            still_for: Duration::ZERO,
        }
    }

    /// The process died and another begins: store, folder and MESH are as they were.
    pub(crate) fn restart(&mut self) {
        self.restart_with(trust());
    }

    /// The same with other settings.
    pub(crate) fn restart_with(&mut self, trust: Trust) {
        let mesh = Mesh::new(self.server.client(&mailbox(TRUST)).unwrap());
        let time: Arc<dyn Clock> = Arc::<Hand>::clone(&self.clock);
        let engine = engine(Policy::default());
        self.gateway = Arc::new(Gateway::new(
            trust,
            Arc::clone(&self.store),
            engine,
            mesh,
            time,
        ));
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn later(&self, minutes: i64) {
        self.pass(chrono::Duration::minutes(minutes));
    }

    pub(crate) fn pass(&self, by: chrono::Duration) {
        self.clock.shown.turn(by);
        self.clock.gone.turn(by);
    }

    /// Somebody sets the clock.
    pub(crate) fn set_clock_by(&self, by: chrono::Duration) {
        self.clock.shown.turn(by);
    }

    /// Another process on the same store.
    pub(crate) fn another(&self) -> Arc<Gateway<ModelStore>> {
        let mesh = Mesh::new(self.server.client(&mailbox(TRUST)).unwrap());
        let time: Arc<dyn Clock> = Arc::<Hand>::clone(&self.clock);
        let engine = engine(Policy::default());
        let store = Arc::clone(&self.store);
        Arc::new(Gateway::new(trust(), store, engine, mesh, time))
    }

    /// Intake as the free share of the disk allows, in percent.
    pub(crate) fn with_free(self, free: &Arc<std::sync::atomic::AtomicU64>) -> Self {
        let free = Arc::clone(free);
        let gauge = move || Some(free.load(std::sync::atomic::Ordering::Relaxed));
        let Self { gateway, .. } = self;
        let gateway = Arc::into_inner(gateway).expect("nobody else has it yet");
        let gateway = Arc::new(gateway.with_space(SpaceLimits::default(), gauge));
        Self { gateway, ..self }
    }

    pub(crate) fn still_for(mut self, still_for: Duration) -> Self {
        self.still_for = still_for;
        self
    }

    pub(crate) fn source(&self) -> Folder {
        let mut folder = Folder::new(SOURCE, self.path("in"));
        folder.still_for = self.still_for;
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn hand_over(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path("in").join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        names(&self.path(folder))
    }

    pub(crate) async fn scan(&self) -> Scanned {
        self.gateway.scan(&self.source()).await.unwrap()
    }

    pub(crate) async fn work(&self) -> Worked {
        self.gateway.work(None).await.unwrap()
    }

    pub(crate) async fn run_once(&self) -> Summary {
        self.gateway.run_once(&self.run()).await.unwrap()
    }

    pub(crate) fn run(&self) -> Run {
        let mut run = Run::default();
        run.folders = vec![self.source()];
        run
    }

    pub(crate) fn received(&self, practice: &str) -> Vec<StoredMessage> {
        self.server.mailbox(&mailbox(practice))
    }

    pub(crate) fn letters(&self) -> Vec<LetterRecord> {
        self.store.rows().letters.values().cloned().collect()
    }

    /// The only letter there is.
    pub(crate) fn letter(&self) -> LetterRecord {
        let mut letters = self.letters();
        assert_eq!(letters.len(), 1);
        letters.remove(0)
    }

    pub(crate) fn copies(&self) -> Vec<CopyRecord> {
        self.store.rows().copies.values().cloned().collect()
    }

    /// The only copy there is.
    pub(crate) fn copy(&self) -> CopyRecord {
        let mut copies = self.copies();
        assert_eq!(copies.len(), 1);
        copies.remove(0)
    }

    /// The `type`s of the events of the whole ledger.
    pub(crate) fn ledger(&self) -> Vec<String> {
        let rows = self.store.rows();
        let kinds = rows
            .events
            .iter()
            .map(|event| event.event.body.kind.clone());
        kinds.collect()
    }

    pub(crate) fn count(&self, kind: &str) -> usize {
        self.ledger().iter().filter(|one| *one == kind).count()
    }

    /// The ledger verifies, and the rows follow from it.
    pub(crate) fn check(&self) {
        let verification = self.store.verify();
        assert!(verification.is_clean(), "{:?}", verification.faults);
        assert_eq!(self.store.audit(), []);
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
