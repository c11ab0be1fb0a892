//! Lanes and lines of work, as both stores write them.

use letter_delivery::{Lane, StoreError, WorkKind};
use nhs_types::MailboxId;

pub(crate) fn lane(stored: &str) -> Result<Lane, StoreError> {
    Lane::parse(stored).ok_or_else(|| StoreError::Corrupt("a lane that is not known".to_owned()))
}

/// What is done in a line, and the mailbox that it sends to.
pub(crate) fn kind_and_destination(
    line: &str,
) -> Result<(WorkKind, Option<MailboxId>), StoreError> {
    if let Some(kind) = WorkKind::parse(line) {
        return Ok((kind, None));
    }
    let mailbox = MailboxId::parse(line)
        .map_err(|_| StoreError::Corrupt("a line of work that is not known".to_owned()))?;
    Ok((WorkKind::Send, Some(mailbox)))
}
