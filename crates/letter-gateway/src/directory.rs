//! Which mailbox takes which workflow for a practice: asked of MESH, and remembered for a while.

use std::sync::PoisonError;

use chrono::{DateTime, Duration, Utc};
use letter_delivery::Store;
use nhs_types::{MailboxId, OdsCode, WorkflowId};

use crate::Gateway;

/// An answer that MESH gave.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) mailboxes: Vec<MailboxId>,
    pub(crate) at: DateTime<Utc>,
}

/// How long an answer with a mailbox is believed (gp-routing facts 16).
const FOUND_LASTS: Duration = Duration::hours(24);
/// How long an answer without one is believed.
const NONE_LASTS: Duration = Duration::hours(1);

impl Known {
    fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        let lasts = if self.mailboxes.is_empty() {
            NONE_LASTS
        } else {
            FOUND_LASTS
        };
        now - self.at < lasts
    }
}

impl<S: Store + 'static> Gateway<S> {
    /// The mailboxes of a practice that take a workflow; `None` when MESH could not be asked.
    pub(crate) async fn mailboxes(
        &self,
        practice: &OdsCode,
        workflow: &WorkflowId,
    ) -> Option<Known> {
        let now = self.now();
        let key = (practice.clone(), workflow.clone());
        let known = self
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned();
        if let Some(known) = known.filter(|known| known.is_fresh(now)) {
            return Some(known);
        }
        match self.mesh.client().lookup(practice, workflow).await {
            Ok(endpoints) => {
                let mailboxes = endpoints
                    .into_iter()
                    .map(|endpoint| endpoint.mailbox)
                    .collect();
                let known = Known { mailboxes, at: now };
                let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                all.insert(key, known.clone());
                Some(known)
            }
            Err(error) => {
                tracing::warn!(%error, %practice, %workflow, "a mailbox lookup failed");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gp_routing_16_found_lasts_a_day_and_none_an_hour() {
        let at = DateTime::<Utc>::UNIX_EPOCH;
        let found = Known {
            mailboxes: vec![MailboxId::parse("A1").unwrap()],
            at,
        };
        let none = Known {
            mailboxes: Vec::new(),
            at,
        };
        assert!(found.is_fresh(at + Duration::hours(24) - Duration::seconds(1)));
        assert!(!found.is_fresh(at + Duration::hours(24)));
        assert!(none.is_fresh(at + Duration::hours(1) - Duration::seconds(1)));
        assert!(!none.is_fresh(at + Duration::hours(1)));
    }
}
