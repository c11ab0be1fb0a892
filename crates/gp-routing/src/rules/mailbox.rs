//! R12c, R14, R15, R16: which mailbox takes the letter, and by which workflow?

use std::collections::BTreeSet;

use nhs_types::{MailboxId, OdsCode, WorkflowId};

use super::{Road, Ruled, Stop, Trail};
use crate::{
    Lookup, MailboxAnswer, Practice, PracticeStatus, PracticeType, ReasonCode, WarningCode,
    WorkflowChoice,
};

/// R14 and R16: the first workflow for which the practice has one mailbox.
pub(super) fn road(
    trail: &mut Trail<'_>,
    code: &OdsCode,
    workflows: &[WorkflowChoice],
    practice: Option<&Practice>,
) -> Ruled<Road> {
    if workflows.is_empty() {
        return Err(Stop::hold(ReasonCode::NoWorkflow));
    }
    for choice in workflows {
        if let Some(mailbox) = r14_mailbox(trail, code, &choice.workflow)? {
            if practice.is_some_and(|practice| practice.status() == PracticeStatus::Dormant) {
                trail.warn(WarningCode::PracticeDormant);
            }
            return Ok(Road {
                reason: ReasonCode::OkRegisteredPractice,
                mailbox,
                workflow: choice.clone(),
            });
        }
    }
    Err(no_mailbox(trail, practice))
}

/// R14: none, one or several mailboxes for one workflow; a failed lookup is tried again.
fn r14_mailbox(
    trail: &mut Trail<'_>,
    practice: &OdsCode,
    workflow: &WorkflowId,
) -> Ruled<Option<MailboxId>> {
    match trail.case.mailboxes.answer(practice, workflow) {
        None => Err(Stop::need(
            ReasonCode::NeedMailbox,
            Lookup::Mailbox {
                practice: practice.clone(),
                workflow: workflow.clone(),
            },
        )),
        Some(MailboxAnswer::Failed) => Err(Stop::passing(ReasonCode::MeshLookupFailed)),
        Some(MailboxAnswer::Found { mailboxes, at }) => {
            trail.evidence.lookup_at = at.or(Some(trail.case.now));
            match mailboxes.len() {
                0 => Ok(None),
                1 => Ok(mailboxes.first().cloned()),
                _ => chosen(trail, practice, workflow, mailboxes).map(Some),
            }
        }
    }
}

/// Of several mailboxes the one configured, if it is among them; never the first.
fn chosen(
    trail: &Trail<'_>,
    practice: &OdsCode,
    workflow: &WorkflowId,
    mailboxes: &BTreeSet<MailboxId>,
) -> Ruled<MailboxId> {
    let choices = &trail.case.policy.mailbox_choices;
    let configured: BTreeSet<_> = choices
        .iter()
        .filter(|choice| choice.practice == *practice && choice.workflow == *workflow)
        .map(|choice| &choice.mailbox)
        .filter(|mailbox| mailboxes.contains(mailbox))
        .collect();
    match configured.first() {
        Some(mailbox) if configured.len() == 1 => Ok((*mailbox).clone()),
        _ => Err(Stop::hold(ReasonCode::MeshMultipleMailboxes)),
    }
}

/// What becomes of a letter that no mailbox takes: paper, unless the practice is in doubt.
fn no_mailbox(trail: &Trail<'_>, practice: Option<&Practice>) -> Stop {
    let dormant = |practice: &Practice| practice.status() == PracticeStatus::Dormant;
    let secure = |practice: &Practice| practice.practice_type() == PracticeType::Secure;
    if practice.is_some_and(dormant) {
        Stop::hold(ReasonCode::PracticeDormant)
    } else if practice.is_some_and(secure) {
        Stop::hold(ReasonCode::PracticeSecureSetting)
    } else if trail.table_is_stale() {
        Stop::hold(ReasonCode::OdsStale)
    } else {
        Stop::alt(ReasonCode::MeshNoMailbox)
    }
}

/// R15: larger than the receiver takes.
pub(super) fn r15_size(trail: &mut Trail<'_>) -> Ruled {
    let bytes = trail.case.letter.size_bytes.unwrap_or_default();
    let policy = &trail.case.policy;
    if bytes > policy.receiver_limit_bytes {
        return Err(Stop::alt(ReasonCode::DocTooLarge));
    }
    if bytes > policy.large_document_bytes {
        trail.warn(WarningCode::DocLarge);
    }
    Ok(())
}
