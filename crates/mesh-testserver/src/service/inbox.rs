use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use mesh_client::{MessageId, TrackingStatus};
use nhs_types::MailboxId;
use serde_json::json;

use super::answers::{Problem, Reply};
use super::{Call, decode};
use crate::StoredMessage;
use crate::state::State;

/// A page of version 1, and of version 2 unless another size is asked for.
const PAGE: usize = 500;
const PAGE_MIN: usize = 10;
const PAGE_MAX: usize = 5000;

/// `links.next` is a path with query, already encoded (mesh-api section 9).
pub(super) fn list(state: &State, call: &Call, mailbox: &MailboxId) -> Result<Reply, Problem> {
    let page = page_size(call)?;
    let from = parameter(call, "continue_from");
    let waiting = state
        .store
        .waiting(mailbox)
        .map(|message| message.id.as_str());
    let mut ids: Vec<&str> = waiting
        .filter(|id| from.as_deref().is_none_or(|from| *id > from))
        .take(page + 1)
        .collect();
    let has_more = ids.len() > page;
    ids.truncate(page);
    if !call.is_v2() {
        return Ok(Reply::json(200, &json!({ "messages": ids })));
    }
    let own = format!("/messageexchange/{mailbox}/inbox?max_results={page}");
    let mut links = json!({ "self": own });
    if let (true, Some(last), Some(links)) = (has_more, ids.last(), links.as_object_mut()) {
        links.insert(
            "next".to_owned(),
            json!(format!("{own}&continue_from={last}")),
        );
    }
    let count = state.store.waiting(mailbox).count();
    Ok(Reply::json(
        200,
        &json!({ "messages": ids, "links": links, "approx_inbox_count": count }),
    ))
}

pub(super) fn count(state: &State, mailbox: &MailboxId) -> Reply {
    let count = state.store.waiting(mailbox).count();
    Reply::json(
        200,
        &json!({ "count": count, "internalID": "test", "allResultsIncluded": true }),
    )
}

pub(super) fn download(
    state: &State,
    call: &Call,
    mailbox: &MailboxId,
    id: &str,
    chunk: &str,
) -> Result<Reply, Problem> {
    let message = own_message(state, mailbox, id)?;
    if message.status != TrackingStatus::Accepted {
        return Err(Problem::new(410, "RECEIVE", "", "Message is gone"));
    }
    let number = chunk.parse::<usize>().ok().filter(|number| *number >= 1);
    let number = number.ok_or_else(Problem::unknown_message)?;
    let part = message
        .chunks
        .get(number - 1)
        .ok_or_else(Problem::unknown_message)?;
    let status = if number < message.chunks.len() {
        206
    } else {
        200
    };
    let reply = describe(Reply::empty(status), message, number);
    Ok(packed(reply, call, part))
}

pub(super) fn acknowledge(
    state: &mut State,
    call: &Call,
    mailbox: &MailboxId,
    id: &str,
) -> Result<Reply, Problem> {
    let id = own_message(state, mailbox, id)?.id.clone();
    let now = state.now();
    state.store.acknowledge(&id, now);
    if call.is_v2() {
        return Ok(Reply::empty(200));
    }
    Ok(Reply::json(200, &json!({ "messageId": id.as_str() })))
}

fn own_message<'a>(
    state: &'a State,
    mailbox: &MailboxId,
    id: &str,
) -> Result<&'a StoredMessage, Problem> {
    let id = MessageId::parse(&id.to_ascii_uppercase()).map_err(|_| Problem::unknown_message())?;
    let message = state
        .store
        .message(&id)
        .ok_or_else(Problem::unknown_message)?;
    if message.to != *mailbox {
        return Err(Problem::new(
            403,
            "RECEIVE",
            "",
            "Not the recipient of this message",
        ));
    }
    Ok(message)
}

fn describe(reply: Reply, message: &StoredMessage, number: usize) -> Reply {
    let local_id = message.local_id.as_ref().map(|id| id.as_str());
    let workflow = message.workflow.as_ref().map(|id| id.as_str());
    let subject = message.subject.as_ref().map(|text| text.expose().as_str());
    let file_name = message
        .file_name
        .as_ref()
        .map(|text| text.expose().as_str());
    let reply = reply
        .with("mex-messageid", message.id.as_str())
        .with("mex-to", message.to.as_str())
        .with("mex-addresstype", "ALL")
        .with("mex-version", "1.0")
        .with_optional("mex-workflowid", workflow)
        .with_optional("mex-localid", local_id)
        .with_optional("mex-subject", subject)
        .with(
            "mex-statustimestamp",
            &message.status_at.format("%Y%m%d%H%M%S").to_string(),
        );
    if let Some(report) = &message.report {
        return reply
            .with("mex-messagetype", "REPORT")
            .with("mex-chunk-range", "1:0")
            .with("mex-total-chunks", "0")
            .with_optional(
                "mex-linkedmsgid",
                report.linked_message_id.as_ref().map(|id| id.as_str()),
            )
            .with("mex-statusevent", &report.event)
            .with("mex-statuscode", &report.code)
            .with("mex-statusdescription", &report.description)
            .with("mex-statussuccess", "ERROR");
    }
    let total = message.chunks.len();
    let default_name = format!("{}.dat", message.id);
    reply
        .with("mex-messagetype", "DATA")
        .with("mex-chunk-range", &format!("{number}:{total}"))
        .with("mex-total-chunks", &total.to_string())
        .with_optional("mex-from", message.from.as_ref().map(|id| id.as_str()))
        .with("mex-filename", file_name.unwrap_or(&default_name))
        .with("mex-statusevent", "TRANSFER")
        .with("mex-statuscode", "00")
        .with("mex-statussuccess", "SUCCESS")
        .with(
            "content-type",
            message
                .content_type
                .as_deref()
                .unwrap_or("application/octet-stream"),
        )
}

/// Packs each part by itself, when the client takes gzip, as the official sandbox does.
fn packed(reply: Reply, call: &Call, part: &Bytes) -> Reply {
    let takes_gzip = call
        .header("accept-encoding")
        .is_some_and(|names| names.contains("gzip"));
    if !takes_gzip || part.is_empty() {
        return reply.with_body(part.clone());
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder.write_all(part).and_then(|()| encoder.finish());
    match packed {
        Ok(packed) => reply
            .with("content-encoding", "gzip")
            .with("mex-content-compressed", "Y")
            .with_body(Bytes::from(packed)),
        Err(_) => Reply::empty(500),
    }
}

fn page_size(call: &Call) -> Result<usize, Problem> {
    let Some(text) = parameter(call, "max_results") else {
        return Ok(PAGE);
    };
    match text.parse() {
        Ok(size) if (PAGE_MIN..=PAGE_MAX).contains(&size) => Ok(size),
        _ => Err(Problem::new(400, "", "", "max_results must be 10 to 5000")),
    }
}

pub(super) fn parameter(call: &Call, name: &str) -> Option<String> {
    call.query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key == name).then(|| decode(value))
    })
}
