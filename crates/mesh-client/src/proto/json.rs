use nhs_types::{MailboxId, OdsCode, WorkflowId};
use serde_json::Value;

use super::{Damage, InboxPage};
use crate::times::parse_time;
use crate::{Endpoint, ErrorCode, LocalId, MessageId, Tracking, TrackingStatus};

/// Reads the body of an inbox answer, version 1 or 2 (mesh-api section 9).
///
/// # Errors
///
/// [`Damage::NotJson`] and [`Damage::Member`]; one bad id spoils the page, since leaving it out
/// would lose a message without a word.
pub fn parse_inbox(body: &[u8]) -> Result<InboxPage, Damage> {
    let json = object(body)?;
    let bad = || Damage::Member { member: "messages" };
    let ids = json
        .get("messages")
        .and_then(Value::as_array)
        .ok_or_else(bad)?;
    let id = |value: &Value| value.as_str().and_then(|id| MessageId::parse(id).ok());
    let messages = ids
        .iter()
        .map(id)
        .collect::<Option<Vec<_>>>()
        .ok_or_else(bad)?;
    let next = json.get("links").and_then(|links| text(links, &["next"]));
    let approximate_count = json.get("approx_inbox_count").and_then(Value::as_u64);
    Ok(InboxPage {
        messages,
        next,
        approximate_count,
    })
}

/// Reads the message id from the answer to a send, version 1 or 2.
///
/// # Errors
///
/// [`Damage::NotJson`] and [`Damage::Member`].
pub fn parse_message_id(body: &[u8]) -> Result<MessageId, Damage> {
    id_of(&object(body)?)
}

/// Reads the body of a tracking answer, version 1 or 2 (mesh-api section 14).
///
/// # Errors
///
/// [`Damage::NotJson`] and, when there is no message id, [`Damage::Member`].
pub fn parse_tracking(body: &[u8]) -> Result<Tracking, Damage> {
    let json = object(body)?;
    let word = |names: &[&str]| text(&json, names);
    let time = |names: &[&str]| text(&json, names).and_then(|at| parse_time(&at));
    let status = word(&["status"]).map_or_else(
        || TrackingStatus::Other(String::new()),
        |status| TrackingStatus::parse(&status),
    );
    Ok(Tracking {
        message_id: id_of(&json)?,
        local_id: word(&["local_id", "localId"]).and_then(|id| LocalId::parse(&id).ok()),
        workflow: word(&["workflow_id", "workflowId"]).and_then(|id| WorkflowId::parse(&id).ok()),
        status,
        is_success: success(&json),
        status_code: word(&["status_code", "statusCode"]).map(|code| ErrorCode::new(&code)),
        event: word(&["status_event", "statusEvent"]),
        description: word(&[
            "status_description",
            "statusDescription",
            "failureDiagnostic",
        ]),
        status_at: time(&["status_timestamp", "statusTimestamp"]),
        uploaded_at: time(&["upload_timestamp", "uploadTimestamp"]),
        expires_at: time(&["expiry_time", "expiryTime"]),
        recipient: word(&["recipient"]).and_then(|id| MailboxId::parse(&id).ok()),
        recipient_name: word(&["recipient_name", "recipientName"]),
        recipient_ods_code: word(&["recipient_ods_code", "meshRecipientOdsCode"])
            .and_then(|code| OdsCode::parse(&code).ok()),
    })
}

/// Reads the body of an endpoint lookup, version 1 or 2 (mesh-api section 15).
///
/// # Errors
///
/// [`Damage::NotJson`] and [`Damage::Member`]; one unreadable mailbox spoils the answer, since
/// without it a lookup with two mailboxes would look certain.
pub fn parse_lookup(body: &[u8]) -> Result<Vec<Endpoint>, Damage> {
    let json = object(body)?;
    let bad = || Damage::Member { member: "results" };
    // The official description shows a single result as an object without a list.
    let results = match json.get("results") {
        Some(Value::Array(results)) => results.as_slice(),
        Some(result @ Value::Object(_)) => std::slice::from_ref(result),
        _ => return Err(bad()),
    };
    let endpoint = |value: &Value| {
        let mailbox = text(value, &["mailbox_id", "address"])?;
        let name = text(value, &["mailbox_name", "description"]);
        Some(Endpoint {
            mailbox: MailboxId::parse(&mailbox).ok()?,
            name,
        })
    };
    results
        .iter()
        .map(endpoint)
        .collect::<Option<Vec<_>>>()
        .ok_or_else(bad)
}

/// The first of several names that holds a text which is not empty.
pub(super) fn text(json: &Value, names: &[&str]) -> Option<String> {
    let values = names.iter().filter_map(|name| json.get(*name)?.as_str());
    values
        .map(str::trim)
        .find(|value| !value.is_empty())
        .map(str::to_owned)
}

fn object(body: &[u8]) -> Result<Value, Damage> {
    match serde_json::from_slice(body) {
        Ok(json @ Value::Object(_)) => Ok(json),
        _ => Err(Damage::NotJson),
    }
}

fn id_of(json: &Value) -> Result<MessageId, Damage> {
    text(json, &["message_id", "messageID", "messageId"])
        .and_then(|id| MessageId::parse(&id).ok())
        .ok_or(Damage::Member {
            member: "message_id",
        })
}

/// A truth value in version 2, `SUCCESS` or `ERROR` in version 1.
fn success(json: &Value) -> Option<bool> {
    match json
        .get("status_success")
        .or_else(|| json.get("statusSuccess"))?
    {
        Value::Bool(success) => Some(*success),
        Value::String(word) if word.eq_ignore_ascii_case("SUCCESS") => Some(true),
        Value::String(word) if word.eq_ignore_ascii_case("ERROR") => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
