//! A desk that takes letters in and works them off, with seeded outcomes, on a real store.

use std::path::PathBuf;

use audit_core::{Data, Signer, StreamKey};
use chrono::{DateTime, Duration, TimeZone as _, Utc};
pub(crate) use letter_delivery::testkit::SeededDice as Seeded;
use letter_delivery::{
    Address, AskResult, ClaimRequest, Claimed, Commit, Disposition, Engine, Entropy, Intake, Job,
    Policy, Prepared, PreparedCopy, Report, Route, SeenMessage, SendResult, ShapedCopy, Store as _,
    StoreError, TakenAs, TrackResult,
};
use letter_store::{MasterKey, SqliteStore, StoreVerification, VerifyAgainst};
use nhs_types::{MailboxId, NhsNumber, OdsCode, WorkflowId};
use tempfile::TempDir;

pub(crate) const MAILBOX: &str = "RXXOT001";
pub(crate) const ORIGIN: &str = "ledger.example/rxx";
/// Patients of the test range.
pub(crate) const NUMBERS: [&str; 2] = ["9990308241", "9999999484"];

pub(crate) struct Desk {
    pub(crate) folder: TempDir,
    pub(crate) key: MasterKey,
    pub(crate) engine: Engine,
    pub(crate) now: DateTime<Utc>,
    pub(crate) dice: Seeded,
    /// Whether outcomes are drawn, or all good.
    pub(crate) is_lucky: bool,
    store: Option<SqliteStore>,
    documents: u32,
}

impl Desk {
    pub(crate) fn new(seed: u64) -> Self {
        let key = MasterKey::from_hex(&"5a".repeat(32)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("rxx.db"), &key).unwrap();
        let engine = engine(&key, seed);
        let now = Utc.with_ymd_and_hms(2026, 2, 3, 10, 10, 0).unwrap();
        Self {
            folder,
            key,
            engine,
            now,
            dice: Seeded::new(seed),
            is_lucky: true,
            store: Some(store),
            documents: 0,
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("rxx.db")
    }

    pub(crate) fn store(&self) -> &SqliteStore {
        self.store.as_ref().unwrap()
    }

    /// Ends the store; its files stay.
    pub(crate) fn close(&mut self) {
        self.store = None;
    }

    /// Goes on with the store of a folder.
    pub(crate) fn use_store(&mut self, folder: TempDir, key: MasterKey) {
        self.store = None;
        (self.folder, self.key) = (folder, key);
        let _ = self.reopen();
    }

    pub(crate) fn reopen(&mut self) -> &SqliteStore {
        self.store = None;
        let store = SqliteStore::open(&self.path(), &self.key).unwrap();
        self.store.insert(store)
    }

    pub(crate) fn intake(&mut self, document: &str, text: &str) -> Intake {
        let mut content = [0; 32];
        Seeded::new(hash(text)).fill(&mut content);
        let bytes = text.as_bytes().to_vec();
        let mut intake = Intake::new("epr", document, Disposition::Send, "ok", content, bytes);
        intake.patient = Some(NhsNumber::parse(NUMBERS[self.dice.below(2)]).unwrap());
        intake.letter = Some(nhs_types::Sensitive::new(format!("neutral {text}").into()));
        intake
    }

    /// Takes a document in, as a source would hand it over.
    pub(crate) async fn take(&mut self, document: &str, text: &str) -> TakenAs {
        let intake = self.intake(document, text);
        let key = self.engine.keys().document("epr", document);
        let known = self.store().document(key).await.unwrap();
        let taken = self.engine.intake(self.now, intake, known, None);
        self.store().commit(taken.commit).await.unwrap();
        taken.as_what
    }

    /// A commit that takes a new letter in.
    pub(crate) fn new_letter(&mut self) -> Commit {
        self.documents += 1;
        let document = format!("DOC-{:05}", self.documents);
        let intake = self.intake(&document, &format!("text of {document}"));
        self.engine.intake(self.now, intake, None, None).commit
    }

    pub(crate) fn request(&mut self, limit: usize) -> ClaimRequest {
        let until = self.now + self.engine.policy().lease;
        ClaimRequest::new(self.now, until, self.engine.lease_tokens(limit))
    }

    pub(crate) async fn claim(&mut self, limit: usize) -> Vec<Claimed> {
        let request = self.request(limit);
        self.store().claim(request).await.unwrap()
    }

    /// Claims and carries out; how many pieces of work there were.
    pub(crate) async fn work(&mut self, limit: usize) -> usize {
        let claimed = self.claim(limit).await;
        let count = claimed.len();
        for claimed in claimed {
            let begun = self.engine.begin(self.now, claimed);
            self.store().commit(begun.commit).await.unwrap();
            let Some(order) = begun.order else { continue };
            let commit = self.outcome(order.claimed, order.job);
            self.store().commit(commit).await.unwrap();
        }
        count
    }

    /// Works until nothing is due.
    pub(crate) async fn work_off(&mut self) {
        while self.work(16).await > 0 {}
    }

    pub(crate) fn outcome(&mut self, claimed: Claimed, job: Job) -> Commit {
        let draw = if self.is_lucky {
            9
        } else {
            self.dice.below(10)
        };
        let code = || "EPL-153".to_owned();
        match job {
            Job::Prepare => {
                let prepared = Self::prepared(draw);
                self.engine.prepared(self.now, claimed, prepared)
            }
            Job::Send { .. } => {
                let result = match draw {
                    0 => SendResult::Refused { code: code() },
                    1 | 2 => SendResult::Unknown { code: code() },
                    3 => SendResult::Retry {
                        after: None,
                        code: code(),
                        unreachable: false,
                    },
                    _ => SendResult::Accepted {
                        message_id: self.message_id(),
                    },
                };
                self.engine.sent(self.now, claimed, result)
            }
            Job::Ask { .. } => {
                let result = match draw {
                    0 => AskResult::Several,
                    1..4 => AskResult::NotFound,
                    4 => AskResult::Unavailable,
                    _ => AskResult::Found {
                        message_id: self.message_id(),
                    },
                };
                self.engine.asked(self.now, claimed, result)
            }
            Job::Track { .. } => {
                let result = match draw {
                    0 => TrackResult::Undelivered { code: code() },
                    1 => TrackResult::Unknown,
                    2 => TrackResult::Unavailable,
                    3..6 => TrackResult::Waiting,
                    _ => TrackResult::Collected,
                };
                self.engine.tracked(self.now, claimed, result)
            }
        }
    }

    fn message_id(&mut self) -> String {
        format!("2026020310{:016X}", self.dice.draw())
    }

    fn prepared(draw: usize) -> Prepared {
        match draw {
            0 => Prepared::Stopped {
                route: Route::Hold,
                reason: "AMBIGUOUS".to_owned(),
                evidence: Data::new(),
            },
            1 => Prepared::Later {
                reason: "MESH_LOOKUP_FAILED".to_owned(),
                after: Duration::minutes(1),
            },
            2 => Prepared::Copies(vec![copy_for("A81001"), copy_for("A81002")]),
            _ => Prepared::Copies(vec![copy_for("A81001")]),
        }
    }

    /// A report about the first copy that was accepted.
    pub(crate) async fn report(&mut self, stream: StreamKey) -> Result<(), StoreError> {
        let views = self.store().letters(Default::default()).await.unwrap();
        let copies = views.into_iter().flat_map(|view| view.copies);
        let copy = copies.into_iter().find(|copy| copy.key == stream).unwrap();
        let id = format!("REPORT-{:08X}", self.dice.below(usize::MAX));
        let message = SeenMessage::new(MAILBOX, id, true, self.now);
        let about = copy.message_id.clone();
        let commit = self
            .engine
            .reported(self.now, copy, Report::new(message, "14", about));
        self.store().commit(commit).await
    }

    pub(crate) fn signer(&self) -> Signer {
        Signer::from_seed(ORIGIN, self.key.signer_seed()).unwrap()
    }

    pub(crate) async fn sign(&self) -> Option<String> {
        let store = self.store();
        store.sign(self.signer(), self.now).await.unwrap()
    }

    pub(crate) fn against(&self) -> VerifyAgainst {
        VerifyAgainst {
            trusted: vec![self.signer().verifier_key()],
            ..VerifyAgainst::default()
        }
    }

    pub(crate) async fn verify(&self) -> StoreVerification {
        self.store().verify(self.against()).await.unwrap()
    }

    pub(crate) async fn assert_clean(&self) {
        let verification = self.verify().await;
        assert!(verification.is_clean(), "{:?}", verification.faults);
    }

    /// A raw connection to the database, as someone with the file would have.
    pub(crate) fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path()).unwrap()
    }
}

pub(crate) fn engine(key: &MasterKey, seed: u64) -> Engine {
    let keys = key.trust_keys(OdsCode::parse("RXX").unwrap());
    Engine::new(keys, Policy::default(), Box::new(Seeded::new(seed)))
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

fn hash(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}
