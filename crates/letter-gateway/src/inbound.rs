//! What others send to the trust is kept, and handed to its own system.

mod body;
mod folder;

use std::sync::PoisonError;

use letter_delivery::{Arrival, InboundRecord, InboundState, Store, StoreError};
use mesh_client::{MessageId, ReceivedMessage};
use nhs_types::WorkflowId;

use crate::feed::{NotTaken, Receiver, Session, line};
use crate::inbox::Polled;
use crate::{Gateway, GatewayError};
use body::InboundBody;

/// Which messages of the trust's mailbox are ours, and which system of the trust gets them.
///
/// Design section 5, rule 8: a mailbox may be shared. A workflow that no route names is left
/// alone, counted, and noted once.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InboundRoute {
    /// The workflows that are ours.
    pub workflows: Vec<WorkflowId>,
    /// Who gets their messages.
    ///
    /// A folder gets the content as `ID.message`, and then `ID.json`, which says what it is: take
    /// a message when its JSON is there. An HL7 listener gets `MDM^T02` with the content in one
    /// `OBX` of type `ED`, base64. An HTTP address gets the content as the body of a `POST`, with
    /// `Letterbox-Message-Id`, `Letterbox-Workflow`, `Letterbox-From`, `Letterbox-Mailbox` and the
    /// signature that a [`Webhook`](crate::Webhook) has. Each may get a message more than once,
    /// under the same id.
    pub to: Receiver,
    /// When MESH is told that we have a message.
    pub acknowledge: Acknowledge,
}

impl InboundRoute {
    /// Acknowledged when handed over.
    pub const fn new(workflows: Vec<WorkflowId>, to: Receiver) -> Self {
        Self {
            workflows,
            to,
            acknowledge: Acknowledge::HandedOver,
        }
    }
}

/// When MESH is told that we have a message: it then forgets it, and tells its sender "collected".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a choice of two")]
pub enum Acknowledge {
    /// When the trust's own system has it. Its sender sees "collected" only then, and MESH tells
    /// it when that takes days.
    #[default]
    HandedOver,
    /// When it is durable here. Its sender sees "collected" although nobody at the trust may see
    /// it for as long as the trust's own system is down: choose it where messages must not wait
    /// in MESH, and watch the work list.
    Stored,
}

/// How many messages are handed over in one look.
const AT_ONCE: usize = 200;

impl<S: Store + 'static> Gateway<S> {
    /// Whether any workflow is ours.
    pub(crate) fn takes_inbound(&self) -> bool {
        !self.trust.inbound.is_empty()
    }

    pub(crate) fn route_of(&self, workflow: Option<&str>) -> Option<&InboundRoute> {
        let workflow = workflow?;
        let mut routes = self.trust.inbound.iter();
        routes.find(|route| route.workflows.iter().any(|one| one.as_str() == workflow))
    }

    /// Whether a message was taken in and waits to be handed over.
    pub(crate) async fn is_waiting(&self, id: &MessageId) -> Result<bool, StoreError> {
        if !self.takes_inbound() {
            return Ok(false);
        }
        let mailbox = self.mailbox().as_str();
        let key = self.decide(|engine| engine.inbound_key(mailbox, id.as_str()));
        Ok(self.store.inbound(key).await?.is_some())
    }

    /// Whether a message that was a stranger's may have become ours by the configuration: looked
    /// at once in the life of a process.
    pub(crate) fn may_be_ours_now(&self, id: &MessageId) -> bool {
        let strangers = &self.strangers;
        let mut strangers = strangers.lock().unwrap_or_else(PoisonError::into_inner);
        self.takes_inbound() && strangers.insert(id.as_str().to_owned())
    }

    /// Takes a message in; whether MESH may be told already.
    pub(crate) async fn take_in(
        &self,
        message: ReceivedMessage,
        route: &InboundRoute,
    ) -> Result<bool, StoreError> {
        let workflow = message.workflow.as_ref().map(|one| one.as_str());
        let mut arrival = Arrival::new(
            self.mailbox().as_str(),
            message.message_id.as_str(),
            workflow.unwrap_or_default(),
            message.body,
        );
        arrival.from = message.from.map(|from| from.to_string());
        let at_once = route.acknowledge == Acknowledge::Stored;
        let now = self.now();
        let commit = self.decide(|engine| engine.arrived(now, arrival, at_once));
        self.store.commit(commit).await?;
        Ok(at_once)
    }

    /// Hands over what waits for the trust's own systems, and tells MESH of what they took.
    ///
    /// # Errors
    ///
    /// [`GatewayError::Store`] when nothing can be read or recorded. A system that is down is no
    /// error: its messages are tried again, later each time, and keep back no others.
    pub async fn hand_over_inbound(&self) -> Result<Polled, GatewayError> {
        let mut polled = Polled::default();
        if !self.takes_inbound() {
            return Ok(polled);
        }
        let now = self.now();
        let open = self.store.inbound_open(AT_ONCE).await?;
        let due = |one: &InboundRecord| one.state == InboundState::Received && one.next_at <= now;
        let mut session = Session::default();
        let mut down = Vec::new();
        for record in open.into_iter().filter(due) {
            let Some(route) = self.route_of(Some(&record.workflow)) else {
                tracing::warn!("a message waits whose workflow is not configured any more");
                continue;
            };
            if down.contains(&record.workflow) {
                continue;
            }
            let workflow = record.workflow.clone();
            match self.hand_one_over(route, &mut session, record).await {
                Ok(Handed::Over(id)) => {
                    polled.handed_over += 1;
                    if let Ok(id) = MessageId::parse(&id) {
                        self.acknowledge(&id, &mut polled).await;
                    }
                }
                Ok(Handed::Held) => polled.held += 1,
                Ok(Handed::Later) => down.push(workflow),
                // Another process was faster, or one row is damaged: neither keeps the others.
                Err(StoreError::Conflict) => {}
                Err(error @ StoreError::Corrupt(_)) => {
                    polled.failed += 1;
                    tracing::error!(%error, "an inbound message cannot be handed over");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(polled)
    }

    async fn hand_one_over(
        &self,
        route: &InboundRoute,
        session: &mut Session,
        record: InboundRecord,
    ) -> Result<Handed, StoreError> {
        let content = self.store.payload(record.key, record.content).await?;
        let body = InboundBody::of(self.trust.code.as_str(), &record, &content);
        let given = match &route.to {
            Receiver::Folder(folder) => folder::put(folder, &body, content).await,
            Receiver::Mllp(line) => {
                let message = body.as_hl7(&content, self.now(), self.trust.live);
                line.tell(session, &message, &body.control_id()).await
            }
            Receiver::Webhook(webhook) => webhook.post(&body.headers(), content, self.now()).await,
        };
        let now = self.now();
        let (commit, handed) = match given {
            Ok(()) => {
                let id = record.message_id.clone();
                let to = route.to.kind();
                let commit = self.decide(|engine| engine.handed_over(now, record, to));
                (commit, Handed::Over(id))
            }
            Err(NotTaken::Now(why)) => {
                tracing::warn!(why, "an inbound message waits for the trust's own system");
                let commit = self.decide(|engine| engine.hand_over_later(now, record));
                (commit, Handed::Later)
            }
            Err(NotTaken::Ever(why)) => {
                tracing::error!(
                    why,
                    "the trust's own system refused an inbound message for good"
                );
                let commit = self.decide(|engine| engine.hand_over_refused(now, record, &why));
                (commit, Handed::Held)
            }
        };
        self.store.commit(commit).await?;
        Ok(handed)
    }
}

/// What became of one message.
enum Handed {
    /// Its system has it: MESH may be told of this id.
    Over(String),
    /// Its system will never take it: a person looks.
    Held,
    /// Its system is down.
    Later,
}

#[cfg(test)]
mod tests;
