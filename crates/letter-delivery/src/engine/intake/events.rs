//! The events of a document that arrived, and of those that it meets.

use audit_core::{Data, salted_digest};
use nhs_types::Sensitive;

use super::version::{OLDER, remember};
use super::{Intake, Writer};
use crate::commit::{DocumentChange, NewPayload, PayloadKind};
use crate::copy::CopyEvent;
use crate::engine::write::time_text;
use crate::letter::LetterEvent;
use crate::outcome::Disposition;
use crate::record::{CopyRecord, LetterRecord, Pending, tell};
use crate::state::{CopyState, LetterState};
use crate::step::Step;
use crate::store::DocumentView;

/// A cancellation that waited until it was known whether MESH has the copy.
pub(in crate::engine) const CANCELLED: &str = "cancelled";
/// A suppression that waited for the same.
const SUPPRESSED: &str = "suppressed";
/// It had left before that was known: the practice must be told.
const SUPPRESSED_TOO_LATE: &str = "suppressed-too-late";
/// What a person must know of a copy that had been sent to somebody before it was sent anew.
const EARLIER_SERIES: &str = "it had been sent before in another series: the practice must be told";

impl Writer<'_> {
    pub(super) fn take(
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
        let disposition = match (doubt, intake.disposition) {
            // "It is here already" of something that is not: a person must look.
            (Some(_), _) | (None, Disposition::Duplicate) => Disposition::Hold,
            (None, disposition) => disposition,
        };
        let reason = doubt.unwrap_or(&intake.reason);
        if doubt == Some(OLDER) {
            self.letter(letter, LetterEvent::SignedOff, None, first);
            self.letter(letter, LetterEvent::Superseded, doubt, second);
            return;
        }
        if disposition == Disposition::Draft {
            for (name, value) in second.iter() {
                first.insert(name, value.clone());
            }
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

    pub(in crate::engine) fn keep(
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

    /// A late older version is recorded as such; the one that stands goes on standing.
    pub(super) fn stands(
        &mut self,
        view: DocumentView,
        older: [u8; 32],
        change: &mut DocumentChange,
    ) {
        let mut letter = view.letter;
        remember(&mut letter, older);
        change.letter = letter.key;
        change.content = view.content;
        self.commit.letters.push(letter);
    }

    pub(super) fn supersede(&mut self, view: DocumentView, by: &LetterRecord) {
        let data = || Data::new().with("superseded_by", by.key.to_string());
        let mut letter = view.letter;
        if letter.state != LetterState::DraftSeen {
            self.letter(&mut letter, LetterEvent::Superseded, None, data());
            if letter.state == LetterState::Superseded {
                self.done(letter.key);
            }
            self.commit.letters.push(letter);
        }
        for mut copy in view.copies {
            self.copy(&mut copy, CopyEvent::Superseded, None, data());
            copy.supersede_pending = copy.is_in_doubt();
            if copy.state == CopyState::Superseded {
                self.done(copy.key);
            }
            self.commit.copies.push(copy);
        }
    }

    pub(in crate::engine) fn withdraw_copy(&mut self, copy: &mut CopyRecord, reason: Option<&str>) {
        let event = if copy.pending == Some(Pending::Withdraw) {
            CopyEvent::PersonWithdrawn
        } else {
            CopyEvent::WithdrawReceived
        };
        self.copy(copy, event, reason, Data::new());
        copy.withdraw_pending = copy.is_in_doubt();
        if !copy.withdraw_pending {
            copy.pending = None;
        }
        if matches!(copy.state, CopyState::Withdrawn) {
            self.tell_of_earlier_series(copy);
            self.done(copy.key);
        }
    }

    /// What was never sent in this series may have been in an earlier one.
    pub(in crate::engine) fn tell_of_earlier_series(&self, copy: &mut CopyRecord) {
        if copy.series > 1 && copy.message_id.is_none() && copy.accepted_at.is_some() {
            tell(&mut copy.alert, EARLIER_SERIES);
        }
    }

    /// A person suppressed it while it was not known whether MESH has it; now it is.
    pub(in crate::engine) fn suppress_copy(&mut self, copy: &mut CopyRecord) {
        copy.pending = None;
        let suppressed = CopyEvent::PersonSuppressed.step(Some(copy.position()));
        if matches!(suppressed, Step::Moved(_)) {
            self.copy(
                copy,
                CopyEvent::PersonSuppressed,
                Some(SUPPRESSED),
                Data::new(),
            );
            self.done(copy.key);
        } else {
            let event = CopyEvent::PersonWithdrawn;
            self.copy(copy, event, Some(SUPPRESSED_TOO_LATE), Data::new());
        }
    }

    /// Carries through what waited for an answer of MESH, once there is one. A queued copy is
    /// left to the last look before it is sent.
    pub(in crate::engine) fn carry_through(&mut self, copy: &mut CopyRecord) {
        if copy.is_in_doubt() || copy.state == CopyState::Queued {
            return;
        }
        if copy.withdraw_pending {
            self.withdraw_copy(copy, Some(CANCELLED));
        } else if copy.pending == Some(Pending::Suppress) {
            self.suppress_copy(copy);
        } else if copy.supersede_pending && copy.state == CopyState::Failed {
            self.copy(copy, CopyEvent::Superseded, None, Data::new());
        }
        copy.supersede_pending = false;
    }
}
