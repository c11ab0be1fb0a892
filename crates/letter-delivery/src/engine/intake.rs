//! A document arrives.

mod events;
mod version;

use audit_core::{Data, StreamKey, SubjectKey};
use chrono::{DateTime, Utc};
use nhs_types::{NhsNumber, Sensitive};

use super::{Engine, Writer};
use crate::commit::{Commit, Lane, NewReference, PayloadKind};
use crate::keys::RefKind;
use crate::letter::LetterEvent;
use crate::outcome::Disposition;
use crate::record::{CopyRecord, LetterRecord, tell};
use crate::state::LetterState;
use crate::store::DocumentView;
use version::{OLDER, document_change, doubt, is_draft_of_next, is_known, remember, supersedes};

pub(super) use events::CANCELLED;

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
    /// Whose turn its work has: a backlog never delays today's letters.
    pub lane: Lane,
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
            lane: Lane::Today,
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
    /// The letter it is, or that it is about.
    pub letter: StreamKey,
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

/// What a person must know when a document is cancelled or withheld of which a version went.
const EARLIER_LEFT: &str = "an earlier version had left: the practice must be told";

/// What a person must know of a cancellation that nothing was known to have left for, after a
/// restore.
const MAY_HAVE_LEFT: &str = "it may have left before the store was restored: ask the practice";

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
        let content = self.fingerprint(&intake);
        match known {
            Some(view) if is_known(&intake, content, &view) => Taken {
                commit: Commit::default(),
                as_what: TakenAs::Duplicate,
                letter: view.letter.key,
            },
            view if intake.disposition == Disposition::Withdraw => {
                self.withdraw(now, intake, content, view)
            }
            Some(view) if is_draft_of_next(&intake, &view) => self.draft_of_next(now, view),
            view => self.take_letter(now, intake, content, view, replaced),
        }
    }

    /// The same content signed after it was a draft, or cancelled after it was signed, is news.
    fn fingerprint(&self, intake: &Intake) -> [u8; 32] {
        match intake.disposition {
            Disposition::Draft => self.keys.content_as("draft", &intake.content),
            Disposition::Withdraw => self.keys.content_as("withdrawal", &intake.content),
            _ => self.keys.content(&intake.content),
        }
    }

    /// A draft of the next version leaves the signed one as it is.
    fn draft_of_next(&mut self, now: DateTime<Utc>, view: DocumentView) -> Taken {
        let mut letter = view.letter;
        let mut writer = self.writer(now);
        writer.letter(&mut letter, LetterEvent::DraftSeen, None, Data::new());
        let (key, as_what) = (letter.key, TakenAs::Letter(letter.state));
        writer.commit.letters.push(letter);
        Taken {
            commit: writer.commit,
            as_what,
            letter: key,
        }
    }

    /// Whether a document bears the number of one that is about another patient: it must not
    /// become a version of that.
    pub fn is_of_another_patient(&self, intake: &Intake, known: &DocumentView) -> bool {
        let patients = self.subject(intake).zip(known.letter.subject);
        patients.is_some_and(|(new, old)| new != old)
    }

    fn take_letter(
        &mut self,
        now: DateTime<Utc>,
        intake: Intake,
        content: [u8; 32],
        known: Option<DocumentView>,
        replaced: Option<DocumentView>,
    ) -> Taken {
        let expected = known.as_ref().map(|view| view.latest);
        let doubt = doubt(&intake, known.as_ref());
        let (mut letter, earlier) = self.record_for(now, &intake, known);
        let mut change = document_change(expected, content, &letter);
        let references = self.references(&intake, &letter);
        let content_id = self.payload_id();
        let source_id = self.payload_id();
        letter.subject = self.subject(&intake).or(letter.subject);
        let mut writer = self.writer(now);
        writer.commit.references = references;
        writer.take(&mut letter, intake, (source_id, content_id), doubt);
        match earlier {
            Some(view) if doubt == Some(OLDER) => {
                writer.stands(view, content, &mut change);
            }
            view if supersedes(letter.state) => {
                let document = letter.document;
                let other = replaced.filter(|view| view.letter.document != document);
                for view in view.into_iter().chain(other) {
                    writer.supersede(view, &letter);
                }
            }
            _ => {}
        }
        match letter.state {
            LetterState::Parsed => writer.work(letter.preparation(now)),
            // What must not go to the practice went there in an earlier version.
            LetterState::Withheld if letter.earlier_left => tell(&mut letter.alert, EARLIER_LEFT),
            _ => {}
        }
        writer.commit.document = Some(change);
        let (key, as_what) = (letter.key, TakenAs::Letter(letter.state));
        writer.commit.letters.push(letter);
        Taken {
            commit: writer.commit,
            as_what,
            letter: key,
        }
    }

    /// The record that the document is taken into, and the letter that stood before it.
    fn record_for(
        &self,
        now: DateTime<Utc>,
        intake: &Intake,
        known: Option<DocumentView>,
    ) -> (LetterRecord, Option<DocumentView>) {
        let Some(view) = known else {
            return (self.new_record(now, intake, 1), None);
        };
        if view.letter.state == LetterState::DraftSeen {
            let mut letter = view.letter;
            remember(&mut letter, view.content);
            letter.taken_at = now;
            return (letter, None);
        }
        let mut letter = self.new_record(now, intake, view.latest.saturating_add(1));
        letter.cancelled = view.letter.cancelled;
        letter.earlier.clone_from(&view.letter.earlier);
        remember(&mut letter, view.content);
        letter.earlier_left =
            view.letter.earlier_left || view.copies.iter().any(CopyRecord::may_have_left);
        (letter, Some(view))
    }

    fn subject(&self, intake: &Intake) -> Option<SubjectKey> {
        let number = intake.patient.as_ref();
        number.map(|number| self.keys.patient(number))
    }

    fn withdraw(
        &mut self,
        now: DateTime<Utc>,
        intake: Intake,
        content: [u8; 32],
        known: Option<DocumentView>,
    ) -> Taken {
        let expected = known.as_ref().map(|view| view.latest);
        let (mut letter, copies) = match known {
            Some(view) => {
                let mut letter = view.letter;
                remember(&mut letter, view.content);
                (letter, view.copies)
            }
            None => (self.new_record(now, &intake, 1), Vec::new()),
        };
        letter.cancelled = true;
        if letter.earlier_left {
            tell(&mut letter.alert, EARLIER_LEFT);
        }
        if self.policy.restored_at.is_some() && copies.iter().all(|copy| !copy.may_have_left()) {
            tell(&mut letter.alert, MAY_HAVE_LEFT);
        }
        let change = document_change(expected, content, &letter);
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
        let key = letter.key;
        writer.commit.letters.push(letter);
        for mut copy in copies {
            writer.withdraw_copy(&mut copy, reason);
            writer.commit.copies.push(copy);
        }
        Taken {
            commit: writer.commit,
            as_what: TakenAs::Withdrawal,
            letter: key,
        }
    }

    fn new_record(&self, now: DateTime<Utc>, intake: &Intake, version: u32) -> LetterRecord {
        LetterRecord {
            key: self.keys.letter(&intake.source, &intake.document, version),
            document: self.keys.document(&intake.source, &intake.document),
            version,
            source_version: intake.version,
            subject: self.subject(intake),
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
            lane: intake.lane,
            cancelled: false,
            earlier_left: false,
            earlier: Vec::new(),
            alert: None,
            reroute: None,
            vote: None,
            erased_at: None,
            events: 0,
        }
    }

    fn references(&self, intake: &Intake, letter: &LetterRecord) -> Vec<NewReference> {
        let reference = |kind: RefKind, value: &str| {
            NewReference::new(
                kind,
                letter.key,
                self.keys.reference(kind, value),
                value.to_owned(),
            )
        };
        let is_first = letter.events == 0;
        let is_other_patient = is_first || letter.subject != self.subject(intake);
        let document = is_first.then(|| reference(RefKind::Document, &intake.document));
        let number = intake.patient.as_ref().filter(|_| is_other_patient);
        let number = number.map(|number| reference(RefKind::NhsNumber, number.expose()));
        document.into_iter().chain(number).collect()
    }
}
