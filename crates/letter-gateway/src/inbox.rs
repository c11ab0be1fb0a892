//! What lies in the trust's mailbox: reports about our sends are ours, all else is left alone.

use audit_core::Data;
use letter_delivery::{Commit, CopyRecord, LocalId, Report, SeenMessage, Store, StoreError};
use mesh_client::{MessageId, MessageKind, ReceivedMessage};

use crate::inbound::InboundRoute;
use crate::{Gateway, GatewayError, measure};

/// What a look into the mailbox found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Polled {
    /// Reports about our sends, recorded and acknowledged.
    pub reports: usize,
    /// Messages of others, or of workflows that are not ours: left where they are.
    pub left_alone: usize,
    /// Messages that could not be read this time.
    pub failed: usize,
    /// Messages for the trust that were taken in.
    pub received: usize,
    /// Messages that the trust's own systems took.
    pub handed_over: usize,
    /// Messages that they refused for good, held for a person.
    pub held: usize,
}

impl<S: Store + 'static> Gateway<S> {
    /// Looks into the mailbox once. Nothing is acknowledged before its event is durable.
    ///
    /// # Errors
    ///
    /// [`GatewayError::Mesh`] when the mailbox cannot be listed, [`GatewayError::Store`] when
    /// nothing can be recorded.
    pub async fn poll(&self) -> Result<Polled, GatewayError> {
        let ids = self.mesh.client().inbox().await?;
        let names = ids.iter().map(|id| id.as_str().to_owned()).collect();
        let seen = self.store.seen(self.mailbox().to_string(), names).await?;
        let mut polled = Polled::default();
        for (id, seen) in ids.into_iter().zip(seen) {
            match seen {
                Some(true) => self.acknowledge(&id, &mut polled).await,
                Some(false) if !self.may_be_ours_now(&id) => polled.left_alone += 1,
                None if self.is_waiting(&id).await? => {}
                known => match self.meet(&id, known.is_some(), &mut polled).await {
                    // One damaged row keeps no other message.
                    Err(GatewayError::Store(error @ StoreError::Corrupt(_))) => {
                        polled.failed += 1;
                        tracing::error!(%error, "a message of the inbox cannot be dealt with");
                    }
                    other => other?,
                },
            }
        }
        Ok(polled)
    }

    async fn meet(
        &self,
        id: &MessageId,
        is_known: bool,
        polled: &mut Polled,
    ) -> Result<(), GatewayError> {
        let message = match self.mesh.client().download(id).await {
            Ok(message) => message,
            Err(error) => {
                tracing::warn!(%error, "a message of the inbox could not be downloaded");
                polled.failed += 1;
                return Ok(());
            }
        };
        match (self.report_of(&message), self.copy_of(&message).await?) {
            (Some(report), Some(copy)) => {
                let now = self.now();
                let commit = self.decide(|engine| engine.reported(now, copy, report));
                if self.is_recorded(commit, polled).await? {
                    measure::met(self.mailbox(), "report");
                    polled.reports += 1;
                    self.acknowledge(id, polled).await;
                }
            }
            (None, _) if self.route_for(&message).is_some() => {
                return self.receive(id, message, polled).await;
            }
            // It was left alone before, and noted then.
            _ if is_known => polled.left_alone += 1,
            (report, _) => {
                let commit = self.left_alone(&message, report.is_some());
                if self.is_recorded(commit, polled).await? {
                    measure::met(self.mailbox(), "left-alone");
                    polled.left_alone += 1;
                }
            }
        }
        Ok(())
    }

    fn route_for(&self, message: &ReceivedMessage) -> Option<&InboundRoute> {
        self.route_of(message.workflow.as_ref().map(|one| one.as_str()))
    }

    /// Durable first; MESH is told now, or when it was handed over.
    async fn receive(
        &self,
        id: &MessageId,
        message: ReceivedMessage,
        polled: &mut Polled,
    ) -> Result<(), GatewayError> {
        let Some(route) = self.route_for(&message) else {
            return Ok(());
        };
        if let Err(error) = self.may_take() {
            tracing::warn!(%error, "a message for the trust stays in MESH for now");
            polled.failed += 1;
            return Ok(());
        }
        match self.take_in(message, route).await {
            Ok(acknowledge) => {
                measure::met(self.mailbox(), "inbound");
                polled.received += 1;
                if acknowledge {
                    self.acknowledge(id, polled).await;
                }
                Ok(())
            }
            // Another process was faster.
            Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// A copy that moved on meanwhile is met again at the next look, and nobody else waits.
    async fn is_recorded(&self, commit: Commit, polled: &mut Polled) -> Result<bool, GatewayError> {
        match self.store.commit(commit).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => {
                polled.failed += 1;
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn seen(&self, id: &MessageId, ours: bool) -> SeenMessage {
        SeenMessage::new(self.mailbox().to_string(), id.as_str(), ours, self.now())
    }

    fn report_of(&self, message: &ReceivedMessage) -> Option<Report> {
        let MessageKind::Report(report) = &message.kind else {
            return None;
        };
        let about = report
            .linked_message_id
            .as_ref()
            .map(|id| id.as_str().to_owned());
        let seen = self.seen(&message.message_id, true);
        Some(Report::new(
            seen,
            format!("mesh-{}", report.code.as_str()),
            about,
        ))
    }

    /// The copy a report is about: by the message that failed first, then by our local id.
    async fn copy_of(&self, message: &ReceivedMessage) -> Result<Option<CopyRecord>, GatewayError> {
        let MessageKind::Report(report) = &message.kind else {
            return Ok(None);
        };
        let linked = report
            .linked_message_id
            .as_ref()
            .map(|id| id.as_str().to_owned());
        let local = report
            .local_id
            .as_ref()
            .and_then(|id| LocalId::parse(id.as_str()));
        Ok(self.store.copy_by_message(linked, local).await?)
    }

    /// Design rule 8: a mailbox may be shared. What is not ours stays, is counted, and is noted
    /// once.
    fn left_alone(&self, message: &ReceivedMessage, report: bool) -> Commit {
        let kind = if report {
            "inbox.report_unmatched"
        } else {
            "inbox.left_alone"
        };
        let mut data = Data::new().with("message_id", message.message_id.as_str());
        if let Some(workflow) = &message.workflow {
            data.insert("workflow", workflow.as_str());
        }
        tracing::warn!(
            kind,
            "a message of the inbox is not ours and was left alone"
        );
        let mut commit = self.decide(|engine| engine.note(self.now(), kind, data));
        commit.seen.push(self.seen(&message.message_id, false));
        commit
    }

    /// An acknowledgement that fails is made again at the next look: the message is known.
    pub(crate) async fn acknowledge(&self, id: &MessageId, polled: &mut Polled) {
        if let Err(error) = self.mesh.client().acknowledge(id).await {
            tracing::warn!(%error, "a message of the inbox could not be acknowledged");
            polled.failed += 1;
        }
    }
}
