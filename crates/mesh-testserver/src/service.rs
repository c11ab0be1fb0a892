mod answers;
mod inbox;
mod lookup;
mod outbox;

use std::collections::BTreeMap;

use bytes::Bytes;
use nhs_types::MailboxId;

use crate::state::State;
use crate::token;
use answers::{Problem, Reply};

pub(crate) use answers::Reply as ServiceReply;

/// A request, read to its end.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Bytes,
    /// The body was longer than a request may be and is not kept.
    pub(crate) is_too_large: bool,
}

/// Path segments after `/messageexchange` that are no mailbox.
const NOT_MAILBOXES: [&str; 3] = ["_ping", "endpointlookup", "workflowsearch"];

const HANDSHAKE_HEADERS: [&str; 3] = ["mex-clientversion", "mex-osname", "mex-osversion"];

impl Call {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    fn is_v2(&self) -> bool {
        let accept = self.header("accept").unwrap_or_default();
        accept.contains("vnd.mesh.v") && !accept.contains("vnd.mesh.v1")
    }

    fn segments(&self) -> Vec<String> {
        self.path.split('/').skip(1).map(decode).collect()
    }
}

/// The mailbox whose token the request must carry, if any.
pub(crate) fn mailbox_of(call: &Call) -> Option<MailboxId> {
    let segments = call.segments();
    let name = segments
        .get(1)
        .filter(|name| !NOT_MAILBOXES.contains(&name.as_str()))?;
    MailboxId::parse(name).ok()
}

/// Refuses a request whose token is not good.
pub(crate) fn check_token(state: &mut State, call: &Call) -> Result<(), Reply> {
    let Some(mailbox) = mailbox_of(call) else {
        return Ok(());
    };
    token::check(state, &mailbox, call.header("authorization"))
        .map_err(|text| Problem::new(403, "", "", text).reply(call))
}

/// Carries out a request whose token was checked.
pub(crate) fn answer(state: &mut State, call: &Call) -> Reply {
    if call.is_too_large {
        return Reply::empty(413);
    }
    let segments = call.segments();
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    let [root, rest @ ..] = parts.as_slice() else {
        return Reply::empty(404);
    };
    if *root != "messageexchange" {
        return Reply::empty(404);
    }
    let method = call.method.as_str();
    let outcome = match (method, rest) {
        ("GET", ["_ping"]) => Ok(Reply::json(200, &serde_json::json!({ "status": "ok" }))),
        ("GET", ["endpointlookup", ods, workflow]) => lookup::endpoints(state, call, ods, workflow),
        (_, [name, rest @ ..]) => match MailboxId::parse(name) {
            Ok(mailbox) => of_mailbox(state, call, &mailbox, rest),
            Err(_) => Ok(Reply::empty(404)),
        },
        _ => Ok(Reply::empty(404)),
    };
    outcome.unwrap_or_else(|problem| problem.reply(call))
}

fn of_mailbox(
    state: &mut State,
    call: &Call,
    mailbox: &MailboxId,
    rest: &[&str],
) -> Result<Reply, Problem> {
    match (call.method.as_str(), rest) {
        ("POST" | "GET", []) => handshake(call, mailbox),
        ("GET", ["inbox"]) => inbox::list(state, call, mailbox),
        ("GET", ["count"]) => Ok(inbox::count(state, mailbox)),
        ("GET" | "HEAD", ["inbox", id]) => inbox::download(state, call, mailbox, id, "1"),
        ("GET", ["inbox", id, chunk]) => inbox::download(state, call, mailbox, id, chunk),
        ("PUT", ["inbox", id, "status", "acknowledged"]) => {
            inbox::acknowledge(state, call, mailbox, id)
        }
        ("POST", ["outbox"]) => outbox::send(state, call, mailbox),
        ("GET", ["outbox", "tracking"]) => outbox::track(state, call, mailbox),
        ("GET", ["outbox", "tracking", local_id]) => outbox::track_local(state, mailbox, local_id),
        _ => Ok(Reply::empty(404)),
    }
}

/// The three headers are demanded, as in the official description (mesh-api section 6).
fn handshake(call: &Call, mailbox: &MailboxId) -> Result<Reply, Problem> {
    if call.method == "POST" {
        let missing = HANDSHAKE_HEADERS
            .iter()
            .find(|name| call.header(name).is_none());
        if let Some(name) = missing {
            return Err(Problem::missing(name));
        }
    }
    if call.is_v2() {
        return Ok(Reply::empty(200));
    }
    Ok(Reply::json(
        200,
        &serde_json::json!({ "mailboxId": mailbox.as_str() }),
    ))
}

/// Undoes percent-encoding; what is not well encoded stays as it is.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let digits = after
            .get(..2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match digits {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(b'%');
                rest = after;
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;
