use mesh_client::authorization;
use serde_json::Value;

use super::*;
use crate::store::blank;
use crate::{Mailbox, StoredMessage};

fn mailbox(id: &str) -> MailboxId {
    MailboxId::parse(id).unwrap()
}

fn state() -> State {
    let mut state = State {
        shared_key: b"key".to_vec(),
        ..State::default()
    };
    state.fixed_time = Some("2026-11-21T21:00:00Z".parse().unwrap());
    let workflow = nhs_types::WorkflowId::parse("W").unwrap();
    let practice = nhs_types::OdsCode::parse("A99991").unwrap();
    state.store.add(Mailbox::new(mailbox("A1"), "a"));
    state.store.add(
        Mailbox::new(mailbox("B1"), "b")
            .organisation(practice)
            .receives(workflow),
    );
    state
}

fn call(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Call {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Call {
        method: method.to_owned(),
        path: format!("/messageexchange/{path}"),
        query: query.to_owned(),
        headers: headers.collect(),
        body: Bytes::from(body.to_owned()),
        is_too_large: false,
    }
}

const V2: (&str, &str) = ("accept", "application/vnd.mesh.v2+json");
const V1: (&str, &str) = ("accept", "application/vnd.mesh.v1+json");

fn json(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap()
}

fn deliver(state: &mut State) -> StoredMessage {
    let mut message = blank(mailbox("B1"), state.now());
    message.from = Some(mailbox("A1"));
    message.local_id = mesh_client::LocalId::parse("L1").ok();
    message.chunks = vec![Bytes::from_static(b"letter")];
    let id = state.store.deliver(message);
    state.store.message(&id).unwrap().clone()
}

#[test]
fn a_send_answers_in_the_version_that_was_asked_for() {
    let mut state = state();
    for (accept, member) in [
        (V2, "message_id"),
        (V1, "messageID"),
        (("x", "y"), "messageID"),
    ] {
        let headers = [accept, ("mex-to", "B1"), ("mex-workflowid", "W")];
        let reply = answer(&mut state, &call("POST", "A1/outbox", &headers, "letter"));
        assert_eq!(reply.status, 202);
        assert!(json(&reply)[member].is_string(), "{accept:?}");
    }
    assert_eq!(state.store.waiting(&mailbox("B1")).count(), 3);
}

#[test]
fn what_a_send_is_refused_for_mesh_api_section_17() {
    let mut state = state();
    state.checks_workflows = true;
    let mut refuse = |headers: &[(&str, &str)], body: &str| {
        let reply = answer(&mut state, &call("POST", "A1/outbox", headers, body));
        let json = json(&reply);
        let code = json["errorCode"].as_str().unwrap_or_default().to_owned();
        (reply.status, code)
    };
    let (to, workflow) = (("mex-to", "B1"), ("mex-workflowid", "W"));
    let code = |text: &str| text.to_owned();
    assert_eq!(refuse(&[workflow], "x"), (400, code("")));
    assert_eq!(refuse(&[to], "x"), (400, code("")));
    assert_eq!(refuse(&[to, workflow], ""), (417, code("02")));
    assert_eq!(
        refuse(&[("mex-to", "NOBODY"), workflow], "x"),
        (417, code("12"))
    );
    assert_eq!(
        refuse(&[to, ("mex-workflowid", "OTHER")], "x"),
        (417, code("17"))
    );
    assert_eq!(
        refuse(&[to, workflow, ("mex-from", "B1")], "x"),
        (417, code("07"))
    );
    let chunk = ("mex-chunk-range", "1:2");
    assert_eq!(
        refuse(&[to, workflow, chunk], "x"),
        (417, code("InvalidHeaderChunks"))
    );
    let brotli = ("content-encoding", "br");
    let encoding = code("UnsupportedContentEncoding");
    assert_eq!(refuse(&[to, workflow, brotli], "x"), (422, encoding));
    let packed = ("content-encoding", "gzip");
    assert_eq!(refuse(&[to, workflow, packed], "no gzip").0, 417);
    assert_eq!(refuse(&[to, workflow], "x"), (202, code("")));
}

#[test]
fn a_body_over_the_limit_is_413() {
    let mut state = state();
    let mut call = call(
        "POST",
        "A1/outbox",
        &[("mex-to", "B1"), ("mex-workflowid", "W")],
        "",
    );
    call.is_too_large = true;
    assert_eq!(answer(&mut state, &call).status, 413);
}

#[test]
fn a_handshake_names_the_header_that_is_missing() {
    let mut state = state();
    let reply = answer(
        &mut state,
        &call("POST", "A1", &[V2, ("mex-osname", "x")], ""),
    );
    assert_eq!(reply.status, 400);
    assert_eq!(json(&reply)["detail"][0]["loc"][1], "mex-clientversion");
    assert_eq!(
        answer(&mut state, &call("GET", "A1", &[V2], "")).status,
        200
    );
}

#[test]
fn pages_of_the_inbox_follow_each_other_mesh_api_section_9() {
    let mut state = state();
    let sent: Vec<_> = (0..25)
        .map(|_| deliver(&mut state).id.to_string())
        .collect();
    let mut next = "B1/inbox?max_results=10".to_owned();
    let mut listed = Vec::new();
    for size in [10, 10, 5] {
        let page = json(&answer(&mut state, &call("GET", &next, &[V2], "")));
        let ids = page["messages"].as_array().unwrap();
        assert_eq!(
            (ids.len(), page["approx_inbox_count"].as_u64()),
            (size, Some(25))
        );
        listed.extend(ids.iter().map(|id| id.as_str().unwrap().to_owned()));
        let link = page["links"]["next"].as_str().unwrap_or_default();
        next = link.trim_start_matches("/messageexchange/").to_owned();
    }
    assert_eq!((listed, next.as_str()), (sent, ""));
}

#[test]
fn page_size_at_its_limits() {
    let mut state = state();
    let mut status = |size: &str| {
        answer(
            &mut state,
            &call("GET", &format!("B1/inbox?max_results={size}"), &[V2], ""),
        )
        .status
    };
    assert_eq!(
        [status("9"), status("10"), status("5000"), status("5001")],
        [400, 200, 200, 400]
    );
    assert_eq!(status("many"), 400);
}

#[test]
fn a_download_is_packed_only_when_asked_for() {
    let mut state = state();
    let path = format!("B1/inbox/{}", deliver(&mut state).id);
    let plain = answer(&mut state, &call("GET", &path, &[V2], ""));
    assert_eq!(plain.body.as_ref(), b"letter");
    let packed = answer(
        &mut state,
        &call("GET", &path, &[V2, ("accept-encoding", "gzip")], ""),
    );
    assert!(
        packed
            .headers
            .contains(&("content-encoding".to_owned(), "gzip".to_owned()))
    );
    assert_eq!(
        mesh_client::proto::decode_gzip(&packed.body, 100).unwrap(),
        b"letter"
    );
    let beyond = answer(&mut state, &call("GET", &format!("{path}/2"), &[V2], ""));
    assert_eq!(beyond.status, 404);
    let foreign = answer(
        &mut state,
        &call("GET", &path.replace("B1", "A1"), &[V2], ""),
    );
    assert_eq!(foreign.status, 403);
}

#[test]
fn tracking_in_both_versions_mesh_api_section_14() {
    let mut state = state();
    let message = deliver(&mut state);
    let path = format!("A1/outbox/tracking?messageID={}", message.id);
    let v2 = json(&answer(&mut state, &call("GET", &path, &[V2], "")));
    assert_eq!(
        (v2["status"].as_str(), v2["status_success"].as_bool()),
        (Some("accepted"), Some(true))
    );
    let v1 = json(&answer(&mut state, &call("GET", &path, &[V1], "")));
    assert_eq!(
        (v1["status"].as_str(), v1["fileSize"].as_u64()),
        (Some("Accepted"), Some(6))
    );
    let by_receiver = path.replace("A1", "B1");
    assert_eq!(
        answer(&mut state, &call("GET", &by_receiver, &[V2], "")).status,
        404
    );
    let local =
        |state: &mut State| answer(state, &call("GET", "A1/outbox/tracking/L1", &[V2], "")).status;
    assert_eq!(local(&mut state), 200);
    deliver(&mut state);
    assert_eq!(local(&mut state), 300);
}

#[test]
fn a_lookup_in_both_versions_mesh_api_section_15() {
    let mut state = state();
    let path = "endpointlookup/A99991/W";
    let v2 = json(&answer(&mut state, &call("GET", path, &[V2], "")));
    assert_eq!(v2["results"][0]["mailbox_id"], "B1");
    let v1 = json(&answer(&mut state, &call("GET", path, &[], "")));
    assert_eq!(v1["results"][0]["address"], "B1");
    assert!(mailbox_of(&call("GET", path, &[], "")).is_none());
}

#[test]
fn the_token_must_be_the_mailboxs_own() {
    let mut state = state();
    let credentials = state
        .store
        .mailbox(&mailbox("A1"))
        .unwrap()
        .credentials(b"key");
    let token = authorization(&credentials, "n", 0, state.now());
    let own = call("GET", "A1/inbox", &[("authorization", token.expose())], "");
    let foreign = call("GET", "B1/inbox", &[("authorization", token.expose())], "");
    assert_eq!(check_token(&mut state, &foreign).unwrap_err().status, 403);
    assert!(check_token(&mut state, &own).is_ok());
    assert_eq!(check_token(&mut state, &own).unwrap_err().status, 403);
}

#[test]
fn unknown_paths_are_404() {
    let mut state = state();
    for path in ["", "A1/nothing", "A1/outbox/x/2", "%2e%2e/x", "a b/inbox"] {
        assert_eq!(
            answer(&mut state, &call("GET", path, &[], "")).status,
            404,
            "{path}"
        );
    }
    let mut other = call("GET", "x", &[], "");
    other.path = "/elsewhere".to_owned();
    assert_eq!(answer(&mut state, &other).status, 404);
}

#[test]
fn percent_encoding_is_undone_once() {
    assert_eq!(decode("a%2Fb%252F"), "a/b%2F");
    assert_eq!(decode("100%"), "100%");
    assert_eq!(decode("%zz%4"), "%zz%4");
    assert_eq!(decode("%C3%A9"), "é");
}
