//! MESH as the transport, the directory of mailboxes, and the inbox.

use letter_delivery::{AskResult, LocalId, Outbound, SendResult, TrackResult, Transport};
use mesh_client::{
    Client, Disposition, Error, LocalIdTracking, MessageId, OutgoingMessage, Tracking,
    TrackingStatus,
};

use crate::measure;

/// A trust's own mailbox on MESH.
#[derive(Debug)]
pub struct Mesh {
    client: Client,
}

impl Mesh {
    /// Uses a client for the trust's mailbox.
    pub const fn new(client: Client) -> Self {
        Self { client }
    }

    /// The client.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    async fn try_send(&self, message: Outbound) -> Result<MessageId, Error> {
        let address = message.address;
        let local_id = mesh_client::LocalId::parse(message.local_id.as_str());
        let mut outgoing = OutgoingMessage::new(address.mailbox, address.workflow, message.bytes)?
            .with_content_type(&message.content_type)?;
        if let Ok(local_id) = local_id {
            outgoing = outgoing.with_local_id(local_id);
        }
        self.client.send(&outgoing).await
    }
}

impl Transport for Mesh {
    #[tracing::instrument(
        name = "mesh.send",
        skip_all,
        fields(local_id = message.local_id.as_str(), bytes = message.bytes.len())
    )]
    async fn send(&self, message: Outbound) -> SendResult {
        let began = tokio::time::Instant::now();
        let result = match self.try_send(message).await {
            Ok(id) => SendResult::Accepted {
                message_id: id.as_str().to_owned(),
            },
            Err(error) => send_result(&error),
        };
        measure::attempt(self.client.mailbox(), &result, began.elapsed());
        result
    }

    #[tracing::instrument(name = "mesh.ask", skip_all, fields(local_id = local_id.as_str()))]
    async fn ask(&self, local_id: LocalId) -> AskResult {
        let result = self.ask_by(local_id).await;
        measure::asked(self.client.mailbox(), &result);
        result
    }

    #[tracing::instrument(name = "mesh.track", skip_all, fields(message_id = message_id.as_str()))]
    async fn track(&self, message_id: String) -> TrackResult {
        let result = self.track_by(message_id).await;
        measure::tracked(self.client.mailbox(), &result);
        result
    }
}

impl Mesh {
    async fn ask_by(&self, local_id: LocalId) -> AskResult {
        let Ok(local_id) = mesh_client::LocalId::parse(local_id.as_str()) else {
            return AskResult::Unavailable;
        };
        match self.client.track_local(&local_id).await {
            Ok(LocalIdTracking::Found(tracking)) => found(&tracking),
            Ok(LocalIdTracking::NotFound) => AskResult::NotFound,
            Ok(LocalIdTracking::Several) => AskResult::Several,
            Err(error) => {
                tracing::warn!(%error, "MESH could not be asked about a doubtful send");
                match error.disposition() {
                    Disposition::Retry { .. } | Disposition::Uncertain => AskResult::Unreachable,
                    _ if error.is_configuration() => AskResult::Unreachable,
                    Disposition::Refused | Disposition::Misuse => AskResult::Unavailable,
                }
            }
        }
    }

    async fn track_by(&self, message_id: String) -> TrackResult {
        let Ok(message_id) = MessageId::parse(&message_id) else {
            return TrackResult::Unknown;
        };
        match self.client.track(&message_id).await {
            Ok(Some(tracking)) => track_result(&tracking),
            Ok(None) => TrackResult::Unknown,
            Err(error) => {
                tracing::warn!(%error, "MESH could not be asked about a sent message");
                TrackResult::Unavailable
            }
        }
    }
}

/// An upload that never finished was never taken: it may be sent anew.
fn found(tracking: &Tracking) -> AskResult {
    match tracking.status {
        TrackingStatus::Uploading => AskResult::NotFound,
        _ => AskResult::Found {
            message_id: tracking.message_id.as_str().to_owned(),
        },
    }
}

fn track_result(tracking: &Tracking) -> TrackResult {
    let code = || {
        // As a report names it, so that both say the same.
        let named = tracking.status_code.as_ref();
        named.map_or_else(
            || "undelivered".to_owned(),
            |code| format!("mesh-{}", code.as_str()),
        )
    };
    match tracking.status {
        TrackingStatus::Acknowledged => TrackResult::Collected,
        TrackingStatus::Undeliverable | TrackingStatus::Error => {
            TrackResult::Undelivered { code: code() }
        }
        _ => TrackResult::Waiting,
    }
}

/// What a failed send means: only what surely was not taken may be tried again.
fn send_result(error: &Error) -> SendResult {
    let code = code_of(error);
    tracing::warn!(%error, "a send did not succeed");
    match error.disposition() {
        Disposition::Retry { after } => SendResult::Retry {
            after: after.and_then(|after| chrono::Duration::from_std(after).ok()),
            code,
            unreachable: error.status().is_none(),
        },
        Disposition::Uncertain => SendResult::Unknown { code },
        Disposition::Refused | Disposition::Misuse if error.is_configuration() => {
            SendResult::Blocked { code }
        }
        Disposition::Refused | Disposition::Misuse => SendResult::Refused { code },
    }
}

fn code_of(error: &Error) -> String {
    match (error.code(), error.status()) {
        (Some(code), _) => format!("mesh-{}", code.as_str()),
        (None, Some(status)) => format!("http-{status}"),
        (None, None) => match error {
            Error::Unreachable { .. } => "unreachable".to_owned(),
            Error::Certificate { .. } => "certificate".to_owned(),
            Error::Misuse(_) => "misuse".to_owned(),
            _ => "answer-lost".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_client::Misuse;

    #[test]
    fn a_call_that_is_wrong_refuses_its_letter() {
        let error = Error::Misuse(Misuse::EmptyBody);
        assert_eq!(
            send_result(&error),
            SendResult::Refused {
                code: "misuse".to_owned()
            }
        );
    }
}
