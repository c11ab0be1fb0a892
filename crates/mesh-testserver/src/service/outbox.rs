use bytes::Bytes;
use chrono::TimeDelta;
use mesh_client::proto::decode_body;
use mesh_client::{LocalId, MessageId, TrackingStatus};
use nhs_types::{MailboxId, Sensitive, WorkflowId};
use serde_json::{Value, json};

use super::Call;
use super::answers::{Problem, Reply};
use super::inbox::parameter;
use crate::StoredMessage;
use crate::http::BODY_MAX;
use crate::state::State;
use crate::store::blank;

/// Days after which a message that nobody collects leaves the inbox (mesh-api section 19).
const EXPIRY: TimeDelta = TimeDelta::days(5);

pub(super) fn send(state: &mut State, call: &Call, from: &MailboxId) -> Result<Reply, Problem> {
    let (to, workflow) = addressed(call, from)?;
    if call.body.is_empty() {
        return Err(Problem::new(
            417,
            "COLLECT",
            "02",
            "Data file is missing or inaccessible",
        ));
    }
    let body = unpacked(call)?;
    let mut message = blank(recipient(state, to, &workflow)?, state.now());
    let sensitive = |name: &str| {
        call.header(name)
            .map(|text| Sensitive::new(text.to_owned()))
    };
    message.from = Some(from.clone());
    message.workflow = Some(workflow);
    message.local_id = call
        .header("mex-localid")
        .and_then(|id| LocalId::parse(id).ok());
    message.subject = sensitive("mex-subject");
    message.file_name = sensitive("mex-filename");
    message.content_type = call
        .header("mex-content-type")
        .or_else(|| call.header("content-type"))
        .map(str::to_owned);
    message.chunks = vec![body];
    let id = state.store.deliver(message);
    let member = if call.is_v2() {
        "message_id"
    } else {
        "messageID"
    };
    Ok(Reply::json(202, &json!({ member: id.as_str() })))
}

/// Checks the headers, which come before the body in every refusal.
fn addressed<'a>(call: &'a Call, from: &MailboxId) -> Result<(&'a str, WorkflowId), Problem> {
    let to = call
        .header("mex-to")
        .ok_or_else(|| Problem::missing("mex-to"))?;
    let workflow = call
        .header("mex-workflowid")
        .ok_or_else(|| Problem::missing("mex-workflowid"))?;
    let workflow = WorkflowId::parse(workflow)
        .map_err(|_| Problem::new(400, "TRANSFER", "06", "MalformedControlFile"))?;
    if call
        .header("mex-from")
        .is_some_and(|own| !own.eq_ignore_ascii_case(from.as_str()))
    {
        return Err(Problem::new(
            417,
            "SEND",
            "07",
            "From address does not match",
        ));
    }
    if call
        .header("mex-chunk-range")
        .is_some_and(|range| range != "1:1")
    {
        let text = "sending in chunks is not built";
        return Err(Problem::new(417, "SEND", "InvalidHeaderChunks", text));
    }
    Ok((to, workflow))
}

fn unpacked(call: &Call) -> Result<Bytes, Problem> {
    match call.header("content-encoding") {
        None => Ok(call.body.clone()),
        Some(encoding) if encoding.eq_ignore_ascii_case("gzip") => {
            decode_body(Some("gzip"), call.body.to_vec(), BODY_MAX)
                .map(Bytes::from)
                .map_err(|damage| {
                    Problem::new(417, "SEND", "Invalid file format", &damage.to_string())
                })
        }
        Some(_) => Err(Problem::new(
            422,
            "SEND",
            "UnsupportedContentEncoding",
            "Unsupported content encoding",
        )),
    }
}

fn recipient(state: &State, to: &str, workflow: &WorkflowId) -> Result<MailboxId, Problem> {
    let unknown = || Problem::new(417, "SEND", "12", "Unregistered to address");
    let to = MailboxId::parse(to).map_err(|_| unknown())?;
    let mailbox = state.store.mailbox(&to).ok_or_else(unknown)?;
    if state.checks_workflows && !mailbox.receives.contains(workflow) {
        let text = "Workflow Id is not one currently supported for this messaging endpoint";
        return Err(Problem::new(417, "SEND", "17", text));
    }
    Ok(to)
}

pub(super) fn track(state: &State, call: &Call, from: &MailboxId) -> Result<Reply, Problem> {
    let id = parameter(call, "messageID").ok_or_else(|| Problem::missing("messageID"))?;
    let id = MessageId::parse(&id.to_ascii_uppercase()).map_err(|_| Problem::unknown_message())?;
    let message = state
        .store
        .message(&id)
        .filter(|message| message.from.as_ref() == Some(from));
    let message = message.ok_or_else(Problem::unknown_message)?;
    let body = if call.is_v2() {
        v2(state, message)
    } else {
        v1(state, message)
    };
    Ok(Reply::json(200, &body))
}

/// Deprecated by the service, and answered in version 1 whatever is asked for.
pub(super) fn track_local(
    state: &State,
    from: &MailboxId,
    local_id: &str,
) -> Result<Reply, Problem> {
    let local_id = LocalId::parse(local_id).map_err(|_| Problem::unknown_message())?;
    match state.store.sent_as(from, &local_id) {
        [] => Err(Problem::unknown_message()),
        [id] => {
            let message = state
                .store
                .message(id)
                .ok_or_else(Problem::unknown_message)?;
            Ok(Reply::json(200, &v1(state, message)))
        }
        _ => Ok(Reply::json(
            300,
            &json!({ "messageID": "", "errorDescription": "Multiple messages match" }),
        )),
    }
}

fn v2(state: &State, message: &StoredMessage) -> Value {
    let iso = "%Y-%m-%dT%H:%M:%S%.6f";
    let recipient = state.store.mailbox(&message.to);
    let organisation = recipient.and_then(|mailbox| mailbox.organisation.as_ref());
    json!({
        "message_id": message.id.as_str(),
        "local_id": message.local_id.as_ref().map(LocalId::as_str),
        "workflow_id": message.workflow.as_ref().map(WorkflowId::as_str),
        "expiry_time": (message.uploaded_at + EXPIRY).format(iso).to_string(),
        "upload_timestamp": message.uploaded_at.format(iso).to_string(),
        "recipient": message.to.as_str(),
        "recipient_name": recipient.map(|mailbox| mailbox.name.as_str()),
        "recipient_ods_code": organisation.map(|code| code.as_str()),
        "status": word(&message.status),
        "status_success": message.status != TrackingStatus::Undeliverable,
        "status_timestamp": message.status_at.format(iso).to_string(),
    })
}

fn v1(state: &State, message: &StoredMessage) -> Value {
    let compact = "%Y%m%d%H%M%S";
    let recipient = state.store.mailbox(&message.to);
    let organisation = recipient.and_then(|mailbox| mailbox.organisation.as_ref());
    let status = word(&message.status);
    let (first, rest) = status.split_at_checked(1).unwrap_or(("", status));
    let is_failed = message.status == TrackingStatus::Undeliverable;
    json!({
        "messageId": message.id.as_str(),
        "dtsId": message.id.as_str(),
        "localId": message.local_id.as_ref().map(LocalId::as_str),
        "workflowId": message.workflow.as_ref().map(WorkflowId::as_str),
        "expiryTime": (message.uploaded_at + EXPIRY).format(compact).to_string(),
        "uploadTimestamp": message.uploaded_at.format(compact).to_string(),
        "recipient": message.to.as_str(),
        "recipientName": recipient.map(|mailbox| mailbox.name.as_str()),
        "meshRecipientOdsCode": organisation.map(|code| code.as_str()),
        "status": format!("{}{rest}", first.to_ascii_uppercase()),
        "statusSuccess": if is_failed { "ERROR" } else { "SUCCESS" },
        "statusTimestamp": message.status_at.format(compact).to_string(),
        "fileSize": message.chunks.iter().map(Bytes::len).sum::<usize>(),
        "chunkCount": message.chunks.len(),
    })
}

fn word(status: &TrackingStatus) -> &str {
    match status {
        TrackingStatus::Uploading => "uploading",
        TrackingStatus::Accepted => "accepted",
        TrackingStatus::Acknowledged => "acknowledged",
        TrackingStatus::Undeliverable => "undeliverable",
        TrackingStatus::Other(word) => word,
        _ => "error",
    }
}
