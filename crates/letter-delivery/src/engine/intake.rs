//! A document arrives.

use audit_core::{Data, salted_digest};
use chrono::{DateTime, Utc};
use nhs_types::{NhsNumber, Sensitive};

use super::write::time_text;
use super::{Engine, Writer};
use crate::commit::{Commit, DocumentChange, NewPayload, NewReference, PayloadKind, WorkKind};
use crate::copy::CopyEvent;
use crate::keys::RefKind;
use crate::letter::LetterEvent;
use crate::outcome::Disposition;
use crate::record::{CopyRecord, LetterRecord};
use crate::state::{CopyState, LetterState};
use crate::store::DocumentView;

/// A document as reading left it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Intake {
    /// The source, as configured; document numbers are unique within one.
    pub source: String,
    /// The document's number in its source.
    pub document: String,
    /// Its version, where the source counts versions.
    pub version: Option<u32>,
    /// What reading decided.
    pub disposition: Disposition,
    /// The reason, as a code.
    pub reason: String,
    /// The class, such as `discharge-summary`.
    pub class: String,
    /// The patient's number, if one was read.
    pub patient: Option<NhsNumber>,
    /// When it was signed.
    pub signed_at: Option<DateTime<Utc>>,
    /// When the contract wants it with the practice.
    pub due_at: Option<DateTime<Utc>>,
    /// SHA-256 of what was read, so that the same content is known again in another envelope.
    pub content: [u8; 32],
    /// The bytes the source handed over.
    pub raw: Sensitive<Vec<u8>>,
    /// The neutral letter, where one could be made.
    pub letter: Option<Sensitive<Vec<u8>>>,
    /// The number of the document it replaces.
    pub replaces: Option<String>,
    /// Codes of warnings.
    pub warnings: Vec<String>,
}

impl Intake {
    /// A document with what every document has.
    pub fn new(
        source: impl Into<String>,
        document: impl Into<String>,
        disposition: Disposition,
        reason: impl Into<String>,
        content: [u8; 32],
        raw: Vec<u8>,
    ) -> Self {
        Self {
            source: source.into(),
            document: document.into(),
            version: None,
            disposition,
            reason: reason.into(),
            class: "unknown".to_owned(),
            patient: None,
            signed_at: None,
            due_at: None,
            content,
            raw: Sensitive::new(raw),
            letter: None,
            replaces: None,
            warnings: Vec::new(),
        }
    }
}

/// What becomes of a document that arrived.
#[derive(Debug)]
#[non_exhaustive]
pub struct Taken {
    /// What to make durable before the source is told.
    pub commit: Commit,
    /// What it is to us.
    pub as_what: TakenAs,
}

/// What a document that arrived is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the source must be told which")]
pub enum TakenAs {
    /// A letter, in this state.
    Letter(LetterState),
    /// The same content is here already: nothing to do.
    Duplicate,
    /// It cancelled what was here.
    Withdrawal,
}

/// A version that was known already, with other content, where the source counts versions.
const CHANGED: &str = "content-changed-same-version";
/// New content of a document that its source had cancelled.
const CANCELLED_BEFORE: &str = "cancelled-before";
/// A version older than one that is here.
const OLDER: &str = "older-than-known";

impl Engine {
    /// Takes a document in: decides whether it is new, a version, a double or a cancellation.
    ///
    /// `known` is the document's row, `replaced` that of the document it says it replaces. On
    /// [`StoreError::Conflict`](crate::StoreError::Conflict) read both again and call again.
    pub fn intake(
        &mut self,
        now: DateTime<Utc>,
        intake: Intake,
        known: Option<DocumentView>,
        replaced: Option<DocumentView>,
    ) -> Taken {
        let fingerprint = self.keys.content(&intake.content);
        match known {
            Some(view) if view.content == fingerprint => Taken {
                commit: Commit::default(),
                as_what: TakenAs::Duplicate,
            },
            view if intake.disposition == Disposition::Withdraw => self.withdraw(now, intake, view),
            view => self.take_letter(now, intake, view, replaced),
        }
    }

    fn take_letter(
        &mut self,
        now: DateTime<Utc>,
        intake: Intake,
        known: Option<DocumentView>,
        replaced: Option<DocumentView>,
    ) -> Taken {
        let expected = known.as_ref().map(|view| view.latest);
        let draft = known
            .as_ref()
            .filter(|view| view.letter.state == LetterState::DraftSeen);
        let doubt = doubt(&intake, known.as_ref());
        let mut letter = match draft {
            Some(view) => view.letter.clone(),
            None => self.new_record(now, &intake, expected.map_or(1, |latest| latest + 1)),
        };
        let change = self.document_change(&intake, expected, &letter);
        let references = self.references(&intake, &letter);
        let content_id = self.payload_id();
        let source_id = self.payload_id();
        let mut writer = self.writer(now);
        writer.commit.document = Some(change);
        writer.commit.references = references;
        writer.take(&mut letter, intake, (source_id, content_id), doubt);
        if letter.state == LetterState::Parsed {
            writer.work(letter.key, WorkKind::Prepare, now);
        }
        if supersedes(letter.state) {
            let earlier = known.filter(|_| draft_is_not(&letter, expected));
            for view in earlier.into_iter().chain(replaced) {
                writer.supersede(view, &letter);
            }
        }
        let as_what = TakenAs::Letter(letter.state);
        writer.commit.letters.push(letter);
        Taken {
            commit: writer.commit,
            as_what,
        }
    }

    fn withdraw(
        &mut self,
        now: DateTime<Utc>,
        intake: Intake,
        known: Option<DocumentView>,
    ) -> Taken {
        let expected = known.as_ref().map(|view| view.latest);
        let (mut letter, copies) = match known {
            Some(view) => (view.letter, view.copies),
            None => (self.new_record(now, &intake, 1), Vec::new()),
        };
        let change = self.document_change(&intake, expected, &letter);
        let references = self.references(&intake, &letter);
        let source_id = self.payload_id();
        let mut writer = self.writer(now);
        writer.commit.document = Some(change);
        writer.commit.references = references;
        let digest = writer.keep(letter.key, PayloadKind::Source, source_id, intake.raw);
        let data = Data::new().with("payload_digest", digest);
        let reason = Some(intake.reason.as_str());
        writer.letter(&mut letter, LetterEvent::WithdrawReceived, reason, data);
        writer.done(letter.key);
        writer.commit.letters.push(letter);
        for mut copy in copies {
            writer.withdraw_copy(&mut copy, reason);
            writer.commit.copies.push(copy);
        }
        Taken {
            commit: writer.commit,
            as_what: TakenAs::Withdrawal,
        }
    }

    fn new_record(&self, now: DateTime<Utc>, intake: &Intake, version: u32) -> LetterRecord {
        LetterRecord {
            key: self.keys.letter(&intake.source, &intake.document, version),
            document: self.keys.document(&intake.source, &intake.document),
            version,
            source_version: intake.version,
            subject: intake
                .patient
                .as_ref()
                .map(|number| self.keys.patient(number)),
            state: LetterState::SignedOff,
            resume: None,
            reason: None,
            source: intake.source.clone(),
            class: intake.class.clone(),
            content: None,
            signed_at: intake.signed_at,
            due_at: intake.due_at,
            entered_at: now,
            taken_at: now,
            copies: 0,
            events: 0,
        }
    }

    fn document_change(
        &self,
        intake: &Intake,
        expected: Option<u32>,
        letter: &LetterRecord,
    ) -> DocumentChange {
        DocumentChange {
            key: letter.document,
            expected,
            latest: letter.version,
            letter: letter.key,
            content: self.keys.content(&intake.content),
        }
    }

    fn references(&self, intake: &Intake, letter: &LetterRecord) -> Vec<NewReference> {
        if letter.events > 0 {
            return Vec::new();
        }
        let reference = |kind: RefKind, value: &str| {
            NewReference::new(
                kind,
                letter.key,
                self.keys.reference(kind, value),
                value.to_owned(),
            )
        };
        let number = intake.patient.as_ref().map(NhsNumber::expose);
        let number = number.map(|number| reference(RefKind::NhsNumber, number));
        std::iter::once(reference(RefKind::Document, &intake.document))
            .chain(number)
            .collect()
    }
}

/// Why a version must not simply follow the one that is known.
fn doubt(intake: &Intake, known: Option<&DocumentView>) -> Option<&'static str> {
    let known = &known?.letter;
    if known.state == LetterState::Withdrawn {
        return Some(CANCELLED_BEFORE);
    }
    match (intake.version, known.source_version) {
        (Some(new), Some(old)) if new == old && known.state != LetterState::DraftSeen => {
            Some(CHANGED)
        }
        (Some(new), Some(old)) if new < old => Some(OLDER),
        _ => None,
    }
}

/// Whether a letter in this state takes the place of earlier versions that have not left.
const fn supersedes(state: LetterState) -> bool {
    matches!(
        state,
        LetterState::Parsed | LetterState::Held | LetterState::Withheld
    )
}

fn draft_is_not(letter: &LetterRecord, latest: Option<u32>) -> bool {
    latest != Some(letter.version)
}

impl Writer<'_> {
    fn take(
        &mut self,
        letter: &mut LetterRecord,
        intake: Intake,
        (source_id, content_id): (crate::PayloadId, crate::PayloadId),
        doubt: Option<&'static str>,
    ) {
        letter.source_version = intake.version;
        letter.signed_at = intake.signed_at;
        letter.due_at = intake.due_at;
        letter.class.clone_from(&intake.class);
        let digest = self.keep(letter.key, PayloadKind::Source, source_id, intake.raw);
        let mut first = Data::new()
            .with("source", intake.source)
            .with("class", intake.class)
            .with("payload_digest", digest);
        if let Some(due) = intake.due_at {
            first.insert("due", time_text(due));
        }
        let mut second = Data::new();
        if !intake.warnings.is_empty() {
            second.insert("warnings", intake.warnings.join(","));
        }
        if let Some(content) = intake.letter {
            second.insert(
                "letter_digest",
                self.keep(letter.key, PayloadKind::Letter, content_id, content),
            );
            letter.content = Some(content_id);
        }
        let disposition = match doubt {
            Some(_) if intake.disposition != Disposition::Draft => Disposition::Hold,
            _ => intake.disposition,
        };
        let reason = doubt.unwrap_or(&intake.reason);
        if doubt == Some(OLDER) {
            self.letter(letter, LetterEvent::SignedOff, None, first);
            self.letter(letter, LetterEvent::Superseded, doubt, second);
            return;
        }
        let mut data = Some(first);
        for event in disposition.events() {
            let why = matches!(
                event,
                LetterEvent::ParseFailed | LetterEvent::Withheld | LetterEvent::DraftSeen
            );
            let next = data.take().unwrap_or_else(|| std::mem::take(&mut second));
            self.letter(letter, *event, why.then_some(reason), next);
        }
    }

    fn keep(
        &mut self,
        letter: audit_core::StreamKey,
        kind: PayloadKind,
        id: crate::PayloadId,
        bytes: Sensitive<Vec<u8>>,
    ) -> String {
        let salt = self.random();
        let digest = salted_digest(&salt, bytes.expose()).to_string();
        let payload = NewPayload::new(id, letter, kind, salt, bytes.into_exposed());
        self.commit.payloads.push(payload);
        digest
    }

    fn supersede(&mut self, view: DocumentView, by: &LetterRecord) {
        let data = || Data::new().with("superseded_by", by.key.to_string());
        let mut letter = view.letter;
        if !matches!(letter.state, LetterState::DraftSeen) {
            self.letter(&mut letter, LetterEvent::Superseded, None, data());
            if letter.state == LetterState::Superseded {
                self.done(letter.key);
            }
            self.commit.letters.push(letter);
        }
        for mut copy in view.copies {
            self.copy(&mut copy, CopyEvent::Superseded, None, data());
            if copy.state == CopyState::Superseded {
                self.done(copy.key);
            }
            self.commit.copies.push(copy);
        }
    }

    pub(super) fn withdraw_copy(&mut self, copy: &mut CopyRecord, reason: Option<&str>) {
        self.copy(copy, CopyEvent::WithdrawReceived, reason, Data::new());
        copy.withdraw_pending = matches!(copy.state, CopyState::Sending | CopyState::Uncertain);
        if matches!(copy.state, CopyState::Withdrawn) {
            self.done(copy.key);
        }
    }
}
