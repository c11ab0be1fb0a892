//! What a document that arrived is to the one that is known.

use super::Intake;
use crate::commit::DocumentChange;
use crate::outcome::Disposition;
use crate::record::LetterRecord;
use crate::state::LetterState;
use crate::store::DocumentView;

/// A version that was known already, with other content, where the source counts versions.
const CHANGED: &str = "content-changed-same-version";
/// New content of a document that its source had cancelled.
const CANCELLED_BEFORE: &str = "cancelled-before";
/// A version older than one that is here.
pub(super) const OLDER: &str = "older-than-known";

/// How many earlier contents of a document are remembered.
const EARLIER_MAX: usize = 64;

pub(super) fn document_change(
    expected: Option<u32>,
    content: [u8; 32],
    letter: &LetterRecord,
) -> DocumentChange {
    DocumentChange {
        key: letter.document,
        latest: expected.map_or(letter.version, |latest| latest.max(letter.version)),
        expected,
        letter: letter.key,
        content,
    }
}

/// Whether this content is here already (audit-and-delivery facts 4.3).
///
/// Where the source counts versions, earlier content under a later number is a new version. A
/// cancellation is only known when it is the last that was heard.
pub(super) fn is_known(intake: &Intake, content: [u8; 32], view: &DocumentView) -> bool {
    let letter = &view.letter;
    let is_later = matches!(
        (intake.version, letter.source_version),
        (Some(new), Some(old)) if new > old
    );
    let is_replay = letter.earlier.contains(&content)
        && intake.disposition != Disposition::Withdraw
        && !letter.cancelled
        && !is_later;
    view.content == content || is_replay || intake.disposition == Disposition::Duplicate
}

pub(super) fn is_draft_of_next(intake: &Intake, view: &DocumentView) -> bool {
    intake.disposition == Disposition::Draft && view.letter.state != LetterState::DraftSeen
}

/// Keeps the fingerprint of a content that another one follows.
pub(super) fn remember(letter: &mut LetterRecord, content: [u8; 32]) {
    if letter.earlier.contains(&content) {
        return;
    }
    letter.earlier.push(content);
    let excess = letter.earlier.len().saturating_sub(EARLIER_MAX);
    letter.earlier.drain(..excess);
}

/// Why a version must not simply follow the one that is known.
pub(super) fn doubt(intake: &Intake, known: Option<&DocumentView>) -> Option<&'static str> {
    let known = &known?.letter;
    if known.cancelled {
        return Some(CANCELLED_BEFORE);
    }
    if known.state == LetterState::DraftSeen {
        return None;
    }
    match (intake.version, known.source_version) {
        (Some(new), Some(old)) if new == old => Some(CHANGED),
        (Some(new), Some(old)) if new < old => Some(OLDER),
        _ => None,
    }
}

/// Whether a letter in this state takes the place of earlier versions that have not left.
pub(super) const fn supersedes(state: LetterState) -> bool {
    matches!(
        state,
        LetterState::Parsed | LetterState::Held | LetterState::Withheld
    )
}
