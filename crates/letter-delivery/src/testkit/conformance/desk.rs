//! A desk that takes letters in and works them off, with seeded outcomes.

use audit_core::{Data, Event, StreamKey};
use chrono::{DateTime, Duration, Utc};
use nhs_types::{MailboxId, NhsNumber, OdsCode, Sensitive, WorkflowId};

use super::{Failure, Outcome, Place, equal, there};
use crate::claim::ClaimRequest;
use crate::commit::{Commit, SeenMessage};
use crate::engine::{
    Engine, Entropy as _, Intake, Job, Policy, Prepared, PreparedCopy, Report, ShapedCopy, TakenAs,
};
use crate::outcome::{AskResult, Disposition, Route, SendResult, TrackResult};
use crate::record::Address;
use crate::store::{Claimed, DocumentView, Store as _};
use crate::testkit::{SeededDice, keys};

pub(super) const MAILBOX: &str = "RXXOT001";
/// The source of all documents.
const SOURCE: &str = "epr";
/// Patients of the test range.
const NUMBERS: [&str; 2] = ["9990308241", "9999999484"];

pub(super) struct Desk<P: Place> {
    place: P,
    store: Option<P::Store>,
    pub(super) engine: Engine,
    pub(super) now: DateTime<Utc>,
    pub(super) dice: SeededDice,
    /// Whether all outcomes are good, or drawn.
    pub(super) is_lucky: bool,
    documents: u32,
}

impl<P: Place> Desk<P> {
    pub(super) async fn new(mut place: P, seed: u64) -> Result<Self, Failure> {
        let store = Some(place.open().await?);
        let entropy = Box::new(SeededDice::new(seed));
        Ok(Self {
            place,
            store,
            engine: Engine::new(keys(), Policy::default(), entropy),
            now: DateTime::UNIX_EPOCH + Duration::days(20_487),
            dice: SeededDice::new(seed),
            is_lucky: true,
            documents: 0,
        })
    }

    pub(super) fn store(&self) -> Result<&P::Store, Failure> {
        there("the store", self.store.as_ref())
    }

    pub(super) async fn reopen(&mut self) -> Outcome {
        self.store = None;
        self.store = Some(self.place.open().await?);
        Ok(())
    }

    pub(super) async fn rows(&self) -> Result<Vec<String>, Failure> {
        self.place.rows(self.store()?).await
    }

    pub(super) async fn verify(&self) -> Outcome {
        self.place.verify(self.store()?).await
    }

    /// The places of a stream's events.
    pub(super) async fn places(&self, stream: StreamKey) -> Result<Vec<u64>, Failure> {
        let history = self.place.history(self.store()?, stream).await?;
        let lseq = |bytes: &Vec<u8>| Event::parse(bytes).map(|event| event.body.lseq);
        let places: Result<Vec<u64>, _> = history.iter().map(lseq).collect();
        places.map_err(Failure::new)
    }

    pub(super) async fn document(&self, document: &str) -> Result<Option<DocumentView>, Failure> {
        let key = self.engine.keys().document(SOURCE, document);
        Ok(self.store()?.document(key).await?)
    }

    /// A document that must be there.
    pub(super) async fn known(&self, document: &str) -> Result<DocumentView, Failure> {
        there(document, self.document(document).await?)
    }

    pub(super) fn intake(&mut self, document: &str, text: &str) -> Intake {
        let mut content = [0; 32];
        SeededDice::new(0).split(text).fill(&mut content);
        let raw = text.as_bytes().to_vec();
        let mut intake = Intake::new(SOURCE, document, Disposition::Send, "ok", content, raw);
        let number = NUMBERS.get(self.dice.below(NUMBERS.len()));
        intake.patient = number.and_then(|number| NhsNumber::parse(number).ok());
        intake.letter = Some(Sensitive::new(format!("neutral {text}").into()));
        intake
    }

    /// Takes a document in, as a source would hand it over.
    pub(super) async fn take(&mut self, document: &str, text: &str) -> Result<TakenAs, Failure> {
        let intake = self.intake(document, text);
        self.take_in(intake).await
    }

    pub(super) async fn take_in(&mut self, intake: Intake) -> Result<TakenAs, Failure> {
        let known = self.document(&intake.document).await?;
        let taken = self.engine.intake(self.now, intake, known, None);
        self.store()?.commit(taken.commit).await?;
        Ok(taken.as_what)
    }

    /// A commit that takes a new letter in.
    pub(super) fn new_letter(&mut self) -> Commit {
        self.documents += 1;
        let document = format!("DOC-{:05}", self.documents);
        let intake = self.intake(&document, &format!("text of {document}"));
        self.engine.intake(self.now, intake, None, None).commit
    }

    pub(super) fn request(&mut self, limit: usize) -> ClaimRequest {
        let until = self.now + self.engine.policy().lease;
        ClaimRequest::new(self.now, until, self.engine.lease_tokens(limit))
    }

    pub(super) async fn claim(&mut self, limit: usize) -> Result<Vec<Claimed>, Failure> {
        let request = self.request(limit);
        Ok(self.store()?.claim(request).await?)
    }

    /// Claims one piece of work, which must be there.
    pub(super) async fn claim_one(&mut self) -> Result<Claimed, Failure> {
        let claimed = self.claim(1).await?;
        there("work that is due", claimed.into_iter().next())
    }

    /// Claims and carries out; how many pieces of work there were.
    pub(super) async fn work(&mut self, limit: usize) -> Result<usize, Failure> {
        let claimed = self.claim(limit).await?;
        let count = claimed.len();
        for claimed in claimed {
            let begun = self.engine.begin(self.now, claimed);
            self.store()?.commit(begun.commit).await?;
            let Some(order) = begun.order else { continue };
            let commit = self.outcome(order.claimed, &order.job);
            self.store()?.commit(commit).await?;
        }
        Ok(count)
    }

    /// Works until nothing is due.
    pub(super) async fn work_off(&mut self) -> Outcome {
        while self.work(16).await? > 0 {}
        Ok(())
    }

    pub(super) fn outcome(&mut self, claimed: Claimed, job: &Job) -> Commit {
        let draw = if self.is_lucky {
            9
        } else {
            self.dice.below(10)
        };
        match job {
            Job::Prepare => self.engine.prepared(self.now, claimed, prepared(draw)),
            Job::Send { .. } => {
                let result = self.sent(draw);
                self.engine.sent(self.now, claimed, result)
            }
            Job::Ask { .. } => {
                let result = self.asked(draw);
                self.engine.asked(self.now, claimed, result)
            }
            Job::Track { .. } => self.engine.tracked(self.now, claimed, tracked(draw)),
        }
    }

    fn sent(&mut self, draw: usize) -> SendResult {
        let code = "EPL-153".to_owned();
        match draw {
            0 => SendResult::Refused { code },
            1 | 2 => SendResult::Unknown { code },
            3 => SendResult::Retry {
                after: None,
                code,
                unreachable: false,
            },
            _ => SendResult::Accepted {
                message_id: self.message_id(),
            },
        }
    }

    fn asked(&mut self, draw: usize) -> AskResult {
        match draw {
            0 => AskResult::Several,
            1..4 => AskResult::NotFound,
            4 => AskResult::Unavailable,
            _ => AskResult::Found {
                message_id: self.message_id(),
            },
        }
    }

    fn message_id(&mut self) -> String {
        format!("2026020310{:016X}", self.dice.draw())
    }

    /// A report that a document's first copy could not be delivered, if it was sent.
    pub(super) async fn report(&mut self, document: &str) -> Outcome {
        let view = self.document(document).await?;
        let copies = view.map(|view| view.copies).unwrap_or_default();
        let mut sent = copies.into_iter().filter(|copy| copy.message_id.is_some());
        let Some(copy) = sent.next() else {
            return Ok(());
        };
        let id = format!("REPORT-{:016X}", self.dice.draw());
        let message = SeenMessage::new(MAILBOX, id, true, self.now);
        let report = Report::new(message, "14", copy.message_id.clone());
        let commit = self.engine.reported(self.now, copy, report);
        Ok(self.store()?.commit(commit).await?)
    }

    /// The work of all letters is done, and the store is whole, also when opened anew.
    pub(super) async fn assert_clean(&mut self) -> Outcome {
        self.verify().await?;
        let before = self.rows().await?;
        self.reopen().await?;
        self.verify().await?;
        equal("rows after opening anew", self.rows().await?, before)
    }
}

fn tracked(draw: usize) -> TrackResult {
    match draw {
        0 => TrackResult::Undelivered {
            code: "14".to_owned(),
        },
        1 => TrackResult::Unknown,
        2 => TrackResult::Unavailable,
        3..6 => TrackResult::Waiting,
        _ => TrackResult::Collected,
    }
}

fn prepared(draw: usize) -> Prepared {
    let copies: &[&str] = match draw {
        0 => {
            return Prepared::Stopped {
                route: Route::Hold,
                reason: "AMBIGUOUS".to_owned(),
                evidence: Data::new(),
            };
        }
        1 => {
            return Prepared::Later {
                reason: "MESH_LOOKUP_FAILED".to_owned(),
                after: Duration::minutes(1),
            };
        }
        2 => &["A81001", "A81002"],
        _ => &["A81001"],
    };
    Prepared::Copies(
        copies
            .iter()
            .filter_map(|practice| copy_for(practice))
            .collect(),
    )
}

fn copy_for(practice: &str) -> Option<PreparedCopy> {
    let address = Address::new(
        OdsCode::parse(practice).ok()?,
        MailboxId::parse("YGM24GP1").ok()?,
        WorkflowId::parse("TOC_FHIR_OP_ATTEN").ok()?,
        "emis",
    );
    let bytes = format!("artefact for {practice}").into_bytes();
    let shaped = ShapedCopy::new(bytes, "text/xml", Data::new());
    Some(PreparedCopy::new(address, Data::new(), Ok(shaped)))
}
