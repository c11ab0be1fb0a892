//! A document is taken: read, decided on, made durable, and only then is its source told.

mod content;

use std::sync::Arc;

use audit_core::{Data, StreamKey};
use chrono::{DateTime, TimeZone as _, Utc};
use chrono_tz::Europe::London;
use clinical_letter::{Disposition, DocumentKind, Reading, Reason, Relation, Sidecar, read};
use gp_routing::{Case, LetterFacts, LetterKind, PatientFacts, decide};
use letter_delivery::{
    HandOverAnswer, Intake, Lane, LetterState, Store, StoreError, Taken, TakenAs,
};
use nhs_types::{Finding, Location, Report, Sensitive};
use sha2::{Digest as _, Sha256};

use crate::prepare::unbroken;
use crate::reader::{READ_MAX, Raw, raw_parts, read_apart};
use crate::{Gateway, GatewayError, measure};
use content::{content_digest, name_of};

/// What to do with bytes that are no document at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a source either can be told, or cannot"
)]
pub enum OnReject {
    /// Nobody would be told: keep them, held for a person.
    Hold,
    /// The source is told in the answer: note the refusal only.
    Refuse,
}

/// What became of one message or document, durable by now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Receipt {
    /// What reading decided.
    pub disposition: Disposition,
    /// Why.
    pub reason: Reason,
    /// What it is to us; `None` when it was refused and not kept.
    pub taken: Option<TakenAs>,
    /// The number that an HL7 message carries for its answer.
    pub control_id: Option<String>,
    /// What was found while reading.
    pub findings: Report,
    /// The letter it is, or that it is about; `None` when it was refused.
    pub letter: Option<StreamKey>,
    /// Why the letter stands where it stands, as a code; `None` where that needs no reason.
    pub why: Option<String>,
}

impl Receipt {
    fn note(&mut self, taken: &Taken) {
        self.taken = Some(taken.as_what);
        self.letter = Some(taken.letter);
        let mut letters = taken.commit.letters.iter();
        let letter = letters.find(|letter| letter.key == taken.letter);
        self.why = letter.and_then(|letter| letter.reason.clone());
    }

    /// Whether a person must look at it.
    pub fn needs_person(&self) -> bool {
        matches!(self.taken, Some(TakenAs::Letter(LetterState::Held)))
    }
}

/// How often an intake is decided anew when another one was faster.
const CONFLICTS_MAX: usize = 5;

/// What a source hands over, and how it is to be answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HandOver<'a> {
    pub(crate) source: &'a str,
    pub(crate) on_reject: OnReject,
    /// What tells two hand-overs without any content apart, such as a file's name and time.
    pub(crate) origin: &'a str,
    /// What the source calls this hand-over, where it is to be told the same when it repeats it.
    pub(crate) once: Option<&'a Once>,
    /// Whether it must be one message.
    pub(crate) single: bool,
    /// Whose turn its letters have.
    pub(crate) lane: Lane,
}

impl<'a> HandOver<'a> {
    pub(crate) const fn new(source: &'a str, on_reject: OnReject) -> Self {
        Self {
            source,
            on_reject,
            origin: "",
            once: None,
            single: false,
            lane: Lane::Today,
        }
    }
}

/// A hand-over of one message, whose answer is kept with what it tells of.
#[derive(Debug)]
pub(crate) struct Once {
    pub(crate) key: [u8; 32],
    pub(crate) content: [u8; 32],
    /// The answer that a receipt becomes.
    pub(crate) told: fn(&Receipt) -> (u16, String),
}

/// The reason of a document with the number of another patient's.
const OTHER_PATIENT: &str = "number-of-another-patient";

/// What could not be read, by the name it is held under and the reason.
#[derive(Debug)]
struct Unread<'a> {
    document: String,
    content: [u8; 32],
    reason: &'static str,
    what: &'a str,
}

/// The reason of a hand-over with several messages where only one is understood.
const SEVERAL: &str = "several-messages";

/// The reason of what no reader could read to its end.
const READER_FAILED: &str = "reader-failed";

impl<S: Store + 'static> Gateway<S> {
    /// Takes the bytes of one hand-over: one receipt for each message in them.
    ///
    /// When this returns, everything in the receipts is durable; the source may be told. Bytes
    /// that break a reader are kept, and held for a person with the reason `reader-failed`.
    ///
    /// # Errors
    ///
    /// [`GatewayError::Store`] when nothing could be made durable: the source must not be told
    /// that it was taken, and keeps it.
    pub async fn take(
        &self,
        source: &str,
        bytes: Vec<u8>,
        sidecar: Option<Sidecar>,
        on_reject: OnReject,
    ) -> Result<Vec<Receipt>, GatewayError> {
        let from = HandOver::new(source, on_reject);
        self.take_from(from, bytes, sidecar).await
    }

    /// Counts what [`take_now`](Self::take_now) took, and what it could not.
    #[tracing::instrument(name = "letter.take", skip_all, fields(source = from.source))]
    pub(crate) async fn take_from(
        &self,
        from: HandOver<'_>,
        bytes: Vec<u8>,
        sidecar: Option<Sidecar>,
    ) -> Result<Vec<Receipt>, GatewayError> {
        let receipts = match self.may_take() {
            Ok(()) => self.take_now(from, bytes, sidecar).await,
            Err(error) => Err(error),
        };
        match &receipts {
            Ok(receipts) => {
                self.woken.notify_one();
                receipts
                    .iter()
                    .for_each(|one| measure::taken(self.mailbox(), from.source, one.taken));
            }
            Err(_) => measure::not_taken(self.mailbox(), from.source),
        }
        receipts
    }

    async fn take_now(
        &self,
        from: HandOver<'_>,
        bytes: Vec<u8>,
        sidecar: Option<Sidecar>,
    ) -> Result<Vec<Receipt>, GatewayError> {
        let number = sidecar.as_ref().and_then(|one| one.document_id.clone());
        let options = self.trust.reading.clone();
        let reader = move |bytes: &[u8]| {
            let mut readings = read(bytes, &options);
            for reading in &mut readings {
                if let Some(sidecar) = &sidecar {
                    sidecar.apply(reading);
                }
            }
            readings
        };
        let bytes = Arc::new(bytes);
        match read_apart(&bytes, READ_MAX, reader).await {
            Some(readings) if from.single && readings.len() > 1 => self.refuse_several(from).await,
            Some(readings) => self.take_all(from, &bytes, readings).await,
            None => self.keep_unread(from, &bytes, number).await,
        }
    }

    /// One answer cannot speak of several letters, of which some may be held and others not.
    async fn refuse_several(&self, from: HandOver<'_>) -> Result<Vec<Receipt>, GatewayError> {
        self.note_refusal(from.source, SEVERAL).await?;
        let mut findings = Report::new();
        let what = "one hand-over is one letter: hand each message over by itself";
        findings.add(Finding::error(SEVERAL, Location::Whole, what));
        Ok(vec![Receipt {
            disposition: Disposition::Reject,
            reason: Reason::Malformed,
            taken: None,
            control_id: None,
            findings,
            letter: None,
            why: None,
        }])
    }

    async fn take_all(
        &self,
        from: HandOver<'_>,
        bytes: &[u8],
        readings: Vec<Reading>,
    ) -> Result<Vec<Receipt>, GatewayError> {
        let mut receipts = Vec::with_capacity(readings.len());
        let raws = raw_parts(bytes, readings.len());
        for (reading, raw) in readings.into_iter().zip(raws) {
            receipts.push(self.take_one(from, raw, reading).await?);
        }
        Ok(receipts)
    }

    /// What broke a reader may be a letter all the same: it is kept, and a person looks.
    async fn keep_unread(
        &self,
        from: HandOver<'_>,
        bytes: &[u8],
        number: Option<String>,
    ) -> Result<Vec<Receipt>, GatewayError> {
        let content: [u8; 32] = Sha256::digest(bytes).into();
        let unread = Unread {
            document: number.unwrap_or_else(|| name_of(&content)),
            content,
            reason: READER_FAILED,
            what: "no reader could read this to its end",
        };
        self.hold_unread(from, unread, bytes.to_vec()).await
    }

    async fn hold_unread(
        &self,
        from: HandOver<'_>,
        unread: Unread<'_>,
        raw: Vec<u8>,
    ) -> Result<Vec<Receipt>, GatewayError> {
        let Unread {
            document,
            content,
            reason,
            what,
        } = unread;
        let held = letter_delivery::Disposition::Hold;
        let mut intake = Intake::new(from.source, document, held, reason, content, raw);
        intake.lane = from.lane;
        let mut findings = Report::new();
        findings.add(Finding::error(reason, Location::Whole, what));
        let mut receipt = Receipt {
            disposition: Disposition::Hold,
            reason: Reason::Malformed,
            taken: None,
            control_id: None,
            findings,
            letter: None,
            why: None,
        };
        self.intake(from, intake, &mut receipt).await?;
        Ok(vec![receipt])
    }

    /// A file that is no hand-over by the contract: held under a name made of its own, so that
    /// it stands on the work list until a person looked.
    pub(crate) async fn hold_file(
        &self,
        from: HandOver<'_>,
        reason: &'static str,
        raw: Vec<u8>,
    ) -> Result<(), GatewayError> {
        let content: [u8; 32] = Sha256::digest(from.origin).into();
        let document = name_of(&content);
        let unread = Unread {
            document,
            content,
            reason,
            what: reason,
        };
        self.hold_unread(from, unread, raw).await.map(drop)
    }

    async fn take_one(
        &self,
        from: HandOver<'_>,
        raw: Raw,
        reading: Reading,
    ) -> Result<Receipt, GatewayError> {
        let source = from.source;
        let mut receipt = Receipt {
            disposition: reading.disposition,
            reason: reading.reason,
            taken: None,
            control_id: reading.document.document.control_id.clone(),
            findings: reading.findings.clone(),
            letter: None,
            why: None,
        };
        if reading.disposition == Disposition::Reject && from.on_reject == OnReject::Refuse {
            self.note_refusal(source, reading.reason.as_str()).await?;
            return Ok(receipt);
        }
        let intake = self.intake_of(from, raw, reading);
        self.intake(from, intake, &mut receipt).await?;
        tracing::info!(
            reason = receipt.reason.as_str(),
            source,
            "a document was taken"
        );
        Ok(receipt)
    }

    /// The ledger says that something was handed over and not kept.
    pub(crate) async fn note_refusal(
        &self,
        source: &str,
        reason: &str,
    ) -> Result<(), GatewayError> {
        let data = Data::new().with("source", source).with("reason", reason);
        let commit = self.decide(|engine| engine.note(self.now(), "intake.refused", data));
        Ok(self.store.commit(commit).await?)
    }

    /// Decides with what the store knows, and again when another intake was faster.
    async fn intake(
        &self,
        from: HandOver<'_>,
        mut intake: Intake,
        receipt: &mut Receipt,
    ) -> Result<(), GatewayError> {
        for _ in 0..CONFLICTS_MAX {
            let key =
                self.decide(|engine| engine.keys().document(&intake.source, &intake.document));
            let known = self.store.document(key).await?;
            if let Some(view) = &known
                && self.decide(|engine| engine.is_of_another_patient(&intake, view))
            {
                self.set_apart(&mut intake);
                continue;
            }
            let replaced = match &intake.replaces {
                Some(parent) => {
                    let key = self.decide(|engine| engine.keys().document(&intake.source, parent));
                    self.store.document(key).await?
                }
                None => None,
            };
            self.watch_clock().await?;
            let now = self.now();
            let mut taken =
                self.decide(|engine| engine.intake(now, intake.clone(), known, replaced));
            receipt.note(&taken);
            if let Some(once) = from.once {
                let (status, body) = (once.told)(receipt);
                let answer = HandOverAnswer::new(once.key, once.content, status, body, now);
                taken.commit.answers.push(answer);
            }
            match self.store.commit(taken.commit).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// Two patients under one number: this one is held under a name of its own, and neither
    /// takes the place of the other.
    fn set_apart(&self, intake: &mut Intake) {
        let patient = intake.patient.as_ref();
        let patient = patient.map(|number| self.decide(|engine| engine.keys().patient(number)));
        let name = patient.map_or_else(|| name_of(&intake.content), |key| key.to_string());
        intake.document = format!("{} ({name})", intake.document);
        intake.disposition = letter_delivery::Disposition::Hold;
        intake.reason = OTHER_PATIENT.to_owned();
        intake.replaces = None;
    }

    fn intake_of(&self, from: HandOver<'_>, raw: Raw, reading: Reading) -> Intake {
        let disposition = disposition_of(&reading);
        let content = content_digest(&reading, &raw, from.origin);
        let document = reading.document.number().map(str::to_owned);
        let document = document.unwrap_or_else(|| name_of(&content));
        let reason = reading.reason.as_str();
        let raw = raw.bytes;
        let mut intake = Intake::new(from.source, document, disposition, reason, content, raw);
        intake.lane = from.lane;
        let facts = &reading.document;
        intake.class = facts
            .document
            .kind
            .as_ref()
            .map_or("unknown", |kind| kind.as_str())
            .to_owned();
        intake.patient = facts.patient.valid_nhs_number();
        intake.signed_at = facts.document.signed_at.map(|at| at.to_utc());
        intake.due_at = self.due_at(&reading);
        intake.warnings = reading
            .warnings
            .iter()
            .map(|w| w.as_str().to_owned())
            .collect();
        if facts.document.relation == Relation::Replacement {
            intake.replaces.clone_from(&facts.document.parent_id);
        }
        if let Ok(letter) = reading.into_letter() {
            intake.version = letter
                .document
                .version
                .as_deref()
                .and_then(|v| v.parse().ok());
            intake.letter = serde_json::to_vec(&letter).ok().map(Sensitive::new);
        }
        intake
    }

    /// The contract's time, counted from the event; routing knows the rule.
    fn due_at(&self, reading: &Reading) -> Option<DateTime<Utc>> {
        let facts = &reading.document.document;
        let mut letter = LetterFacts::new(letter_kind(facts.kind.as_ref()));
        letter.event_at = event_at(
            facts.event_at.map(|at| at.to_utc()),
            facts.document_date,
            facts.signed_at.map(|at| at.to_utc()),
        );
        letter.event_at?;
        let case = Case::new(
            self.now(),
            letter,
            PatientFacts::default(),
            self.trust.routing.clone(),
        );
        let practices = self.practices();
        unbroken(|| decide(&case, &practices).due_at).flatten()
    }
}

/// The time a letter is about: as given, else the start of its day in London, else when it was
/// signed. An early start makes an early due time: the safe side.
pub(crate) fn event_at(
    at: Option<DateTime<Utc>>,
    day: Option<chrono::NaiveDate>,
    signed_at: Option<DateTime<Utc>>,
) -> Option<DateTime<Utc>> {
    let midnight = day.map(|day| day.and_time(chrono::NaiveTime::MIN));
    let of_day = midnight.and_then(|start| London.from_local_datetime(&start).earliest());
    at.or_else(|| of_day.map(|start| start.to_utc()))
        .or(signed_at)
}

/// The kind by which due times and recipients are decided.
pub(crate) fn letter_kind(kind: Option<&DocumentKind>) -> LetterKind {
    match kind {
        Some(DocumentKind::DischargeSummary) => LetterKind::Discharge,
        Some(DocumentKind::EdAttendance) => LetterKind::Emergency,
        Some(DocumentKind::OutpatientLetter) => LetterKind::Outpatient,
        Some(_) => LetterKind::Other,
        None => LetterKind::Unknown,
    }
}

/// An unsigned document is a draft: it ages on its author's list, not on the service desk's.
fn disposition_of(reading: &Reading) -> letter_delivery::Disposition {
    use letter_delivery::Disposition as To;
    match reading.disposition {
        Disposition::Hold if reading.reason == Reason::NotAuthenticated => To::Draft,
        Disposition::Send => To::Send,
        Disposition::Hold => To::Hold,
        Disposition::Suppress => To::Suppress,
        Disposition::Withdraw => To::Withdraw,
        Disposition::Duplicate => To::Duplicate,
        Disposition::Reject => To::Reject,
    }
}

#[cfg(test)]
mod tests;
