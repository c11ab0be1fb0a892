//! A schema in a server of its own, workers on it, and a raw look into it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use audit_core::{Data, Signer};
use chrono::{DateTime, Utc};
use letter_delivery::testkit::{SeededDice, keys};
use letter_delivery::{
    Address, AskResult, ClaimRequest, Claimed, Commit, CopyRecord, CopyState, Disposition, Engine,
    Entropy as _, Intake, Job, Policy, Prepared, PreparedCopy, SendResult, ShapedCopy, Store as _,
    StoreError, TrackResult,
};
use letter_store::testkit::Cluster;
use letter_store::{MasterKey, PostgresStore, StatusFilter, VerifyAgainst};
use nhs_types::{MailboxId, NhsNumber, OdsCode, Sensitive, WorkflowId};
use tokio_postgres::{Client, NoTls};

pub(crate) const SCHEMA: &str = "rxx";
pub(crate) const ORIGIN: &str = "ledger.example/rxx";

pub(crate) fn key() -> MasterKey {
    MasterKey::from_hex(&"5a".repeat(32)).unwrap()
}

pub(crate) fn start() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + chrono::Duration::days(20_487)
}

pub(crate) async fn open(cluster: &Cluster) -> PostgresStore {
    let settings = cluster.settings(SCHEMA);
    PostgresStore::open(settings, &key()).await.unwrap()
}

/// A connection as an administrator of the database has one.
pub(crate) async fn raw(cluster: &Cluster) -> Client {
    raw_at(&cluster.url()).await
}

pub(crate) async fn raw_at(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let sql = format!("SET search_path TO {SCHEMA}");
    client.batch_execute(&sql).await.unwrap();
    client
}

/// Everything in the schema, as text.
pub(crate) async fn dump(client: &Client) -> Vec<String> {
    let sql =
        "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1";
    let mut all = Vec::new();
    for table in client.query(sql, &[]).await.unwrap() {
        let table: String = table.get(0);
        let sql = format!("SELECT '{table} ' || t::text FROM {table} t ORDER BY 1");
        let rows = client.query(&sql, &[]).await.unwrap();
        all.extend(rows.iter().map(|row| row.get::<_, String>(0)));
    }
    all
}

pub(crate) fn run<F: Future>(case: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.unwrap().block_on(case)
}

pub(crate) fn signer() -> Signer {
    Signer::from_seed(ORIGIN, key().signer_seed()).unwrap()
}

pub(crate) fn against() -> VerifyAgainst {
    VerifyAgainst {
        trusted: vec![signer().verifier_key()],
        ..VerifyAgainst::default()
    }
}

pub(crate) async fn assert_clean(store: &PostgresStore) {
    let verification = store.verify(against()).await.unwrap();
    assert!(verification.is_clean(), "{:?}", verification.faults);
}

/// Waits until something is so; with a word about it when it does not become so.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    for _ in 0..600 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it took too long: {what}");
}

/// A MESH that takes every message, tells what it has, and remembers who sent what.
#[derive(Default)]
pub(crate) struct Mesh(Mutex<BTreeMap<String, Vec<String>>>);

impl Mesh {
    fn messages(&self) -> MutexGuard<'_, BTreeMap<String, Vec<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, copy: &CopyRecord) -> String {
        let mut messages = self.messages();
        let count: usize = messages.values().map(Vec::len).sum();
        let id = format!("2026020310{count:016X}");
        let of_copy = messages.entry(copy.local_id.as_str().to_owned());
        of_copy.or_default().push(id.clone());
        id
    }

    fn ask(&self, copy: &CopyRecord) -> AskResult {
        match self
            .messages()
            .get(copy.local_id.as_str())
            .map(Vec::as_slice)
        {
            None | Some([]) => AskResult::NotFound,
            Some([one]) => AskResult::Found {
                message_id: one.clone(),
            },
            Some(_) => AskResult::Several,
        }
    }

    /// How many messages there are for each local id.
    pub(crate) fn counts(&self) -> Vec<usize> {
        self.messages().values().map(Vec::len).collect()
    }
}

/// One who works: an engine, and dice of its own.
pub(crate) struct Worker {
    pub(crate) engine: Engine,
    dice: SeededDice,
}

impl Worker {
    pub(crate) fn new(seed: u64) -> Self {
        let entropy = Box::new(SeededDice::new(seed));
        Self {
            engine: Engine::new(keys(), Policy::default(), entropy),
            dice: SeededDice::new(seed),
        }
    }

    /// A commit that takes a new letter in.
    pub(crate) fn letter(&mut self, document: &str) -> Commit {
        let mut content = [0; 32];
        self.dice.fill(&mut content);
        let raw = format!("text of {document}").into_bytes();
        let mut intake = Intake::new("epr", document, Disposition::Send, "ok", content, raw);
        intake.patient = NhsNumber::parse("9990308241").ok();
        intake.letter = Some(Sensitive::new(b"neutral".to_vec()));
        self.engine.intake(start(), intake, None, None).commit
    }

    pub(crate) fn request(&mut self, now: DateTime<Utc>, limit: usize) -> ClaimRequest {
        let until = now + self.engine.policy().lease;
        ClaimRequest::new(now, until, self.engine.lease_tokens(limit))
    }

    /// Claims and carries out; how many pieces of work there were.
    pub(crate) async fn work(
        &mut self,
        store: &PostgresStore,
        mesh: &Mesh,
        now: DateTime<Utc>,
    ) -> Result<usize, StoreError> {
        let request = self.request(now, 4);
        let claimed = store.claim(request).await?;
        let count = claimed.len();
        for claimed in claimed {
            self.carry_out(store, mesh, now, claimed).await?;
        }
        Ok(count)
    }

    async fn carry_out(
        &mut self,
        store: &PostgresStore,
        mesh: &Mesh,
        now: DateTime<Utc>,
        claimed: Claimed,
    ) -> Result<(), StoreError> {
        let begun = self.engine.begin(now, claimed);
        match store.commit(begun.commit).await {
            Ok(()) => {}
            // Another has it, or it moved on: it is looked at anew.
            Err(StoreError::Fenced | StoreError::Conflict) => return Ok(()),
            Err(error) => return Err(error),
        }
        let Some(order) = begun.order else {
            return Ok(());
        };
        let commit = self.outcome(mesh, now, order.claimed, &order.job);
        match store.commit(commit).await {
            Err(StoreError::Fenced | StoreError::Conflict) => Ok(()),
            other => other,
        }
    }

    fn outcome(&mut self, mesh: &Mesh, now: DateTime<Utc>, claimed: Claimed, job: &Job) -> Commit {
        let copy = claimed.copy.clone();
        match (job, copy) {
            (Job::Send { .. }, Some(copy)) => {
                let message_id = mesh.send(&copy);
                let result = SendResult::Accepted { message_id };
                self.engine.sent(now, claimed, result)
            }
            (Job::Ask { .. }, Some(copy)) => self.engine.asked(now, claimed, mesh.ask(&copy)),
            (Job::Track { .. }, _) => self.engine.tracked(now, claimed, TrackResult::Waiting),
            _ => {
                let copies = Prepared::Copies(vec![copy_for("A81001")]);
                self.engine.prepared(now, claimed, copies)
            }
        }
    }
}

fn copy_for(practice: &str) -> PreparedCopy {
    let address = Address::new(
        OdsCode::parse(practice).unwrap(),
        MailboxId::parse("YGM24GP1").unwrap(),
        WorkflowId::parse("TOC_FHIR_OP_ATTEN").unwrap(),
        "emis",
    );
    let bytes = format!("artefact for {practice}").into_bytes();
    let shaped = ShapedCopy::new(bytes, "text/xml", Data::new());
    PreparedCopy::new(address, Data::new(), Ok(shaped))
}

/// How many copies are with MESH, and how many letters there are.
pub(crate) async fn accepted(store: &PostgresStore) -> (usize, usize) {
    let views = store.letters(StatusFilter::default()).await.unwrap();
    let copies = views.iter().flat_map(|view| &view.copies);
    let accepted = copies.filter(|copy| copy.state == CopyState::Accepted);
    (accepted.count(), views.len())
}
