use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use letter_delivery::InboundRecord;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::line;

/// What is said beside an inbound message. A subject and a file name may hold patient data, and
/// are not repeated.
#[derive(Clone, Debug, Serialize)]
pub(super) struct InboundBody {
    pub(super) trust: String,
    pub(super) message_id: String,
    pub(super) mailbox: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<String>,
    pub(super) workflow: String,
    pub(super) received_at: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
    /// Our own name of it, the same each time it is handed over.
    pub(super) inbound: String,
}

impl InboundBody {
    pub(super) fn of(trust: &str, record: &InboundRecord, content: &[u8]) -> Self {
        let digest = Sha256::digest(content);
        Self {
            trust: trust.to_owned(),
            message_id: record.message_id.clone(),
            mailbox: record.mailbox.clone(),
            from: record.from.clone(),
            workflow: record.workflow.clone(),
            received_at: record
                .received_at
                .to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            bytes: record.bytes,
            sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            inbound: record.key.to_string(),
        }
    }

    /// The same for the same message always: 20 characters at most (HL7 v2.4, MSH-10).
    pub(super) fn control_id(&self) -> String {
        let name: String = self.inbound.chars().take(16).collect();
        format!("LBI{name}")
    }

    pub(super) fn headers(&self) -> Vec<(&'static str, String)> {
        let from = self.from.clone().unwrap_or_default();
        vec![
            ("content-type", "application/octet-stream".to_owned()),
            ("letterbox-message-id", self.message_id.clone()),
            ("letterbox-workflow", self.workflow.clone()),
            ("letterbox-from", from),
            ("letterbox-mailbox", self.mailbox.clone()),
            ("letterbox-received-at", self.received_at.clone()),
            ("idempotency-key", self.inbound.clone()),
        ]
    }

    /// `MDM^T02` with the content in base64. Whom it is about is for its receiver to read.
    pub(super) fn as_hl7(&self, content: &[u8], now: DateTime<Utc>, live: bool) -> Vec<u8> {
        let (at, processing) = (line::time(now), line::processing(live));
        let safe = line::safe;
        let segments = [
            format!(
                "MSH|^~\\&|LETTERBOX|{trust}|INBOUND|{trust}|{at}||MDM^T02^MDM_T02|{}|{processing}\
                 |2.4||||||UNICODE UTF-8",
                self.control_id(),
                trust = safe(&self.trust)
            ),
            format!("EVN|T02|{at}"),
            "PID|1".to_owned(),
            "PV1|1|N".to_owned(),
            format!(
                "TXA|1|{}||||||||||{}",
                safe(&self.workflow),
                safe(&self.message_id)
            ),
            format!(
                "OBX|1|ED|{}^{}^99MESH||^application^octet-stream^Base64^{}||||||F",
                safe(&self.workflow),
                safe(self.from.as_deref().unwrap_or_default()),
                STANDARD.encode(content)
            ),
        ];
        let mut message = segments.join("\r");
        message.push('\r');
        message.into_bytes()
    }
}
