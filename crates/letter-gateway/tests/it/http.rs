//! Hand-over and questions over HTTP (design section 8; audit-and-delivery facts 4.3).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use letter_delivery::LetterState;
use letter_gateway::{Entry, GatewayError, Http};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::support::letters::{Message, report};
use crate::support::{SOURCE, World};
use letter_delivery::testkit::Trouble;

const TOKEN: &str = "6f1c0b7e9a5d4c3b8f2e1d0c9b8a7f6e";

struct Door {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

struct Said {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn code(&self) -> String {
        assert!(
            self.head.contains("application/problem+json"),
            "{}",
            self.head
        );
        self.json()["code"].as_str().unwrap().to_owned()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines();
        lines
            .filter_map(|line| line.split_once(": "))
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

impl Door {
    async fn open(world: &World) -> Self {
        Self::with(world, |_| {}).await
    }

    async fn with(world: &World, change: impl FnOnce(&mut Http)) -> Self {
        let entry = Entry::by_token(TOKEN.as_bytes()).unwrap();
        let mut http = Http::new(SOURCE, ([127, 0, 0, 1], 0).into(), entry);
        change(&mut http);
        let listener = http.open().await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(Arc::clone(&world.gateway).serve_http(listener, http));
        Self { address, serving }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn send(&self, head: &str, body: &[u8]) -> Said {
        let mut stream = self.connect().await;
        let head = format!(
            "{head}\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let sent = [head.as_bytes(), body].concat();
        // A refused client may be cut off while it still sends.
        let _ = stream.write_all(&sent).await;
        hear(&mut stream).await.expect("an answer")
    }

    async fn get(&self, path: &str) -> Said {
        self.send(&format!("GET {path} HTTP/1.1\r\n{}", bearer()), b"")
            .await
    }

    async fn post(&self, letter: &str, document: &[u8], key: Option<&str>) -> Said {
        let key = key
            .map(|key| format!("\r\nIdempotency-Key: {key}"))
            .unwrap_or_default();
        let head = format!("POST /v1/letters HTTP/1.1\r\n{}\r\n{FORM}{key}", bearer());
        self.send(
            &head,
            &form(&[("letter", letter.as_bytes()), ("document", document)]),
        )
        .await
    }
}

fn bearer() -> String {
    format!("Authorization: Bearer {TOKEN}")
}

const FORM: &str = "Content-Type: multipart/form-data; boundary=----XbX7";

fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, content) in parts {
        let head = format!("------XbX7\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"------XbX7--\r\n");
    body
}

/// What came until the connection was closed; nothing when that was nothing.
async fn hear(stream: &mut TcpStream) -> Option<Said> {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), async {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            bytes.extend_from_slice(&buffer[..count]);
        }
    });
    read.await.expect("the connection is closed in the end");
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1)?.parse().unwrap();
    Some(Said {
        status,
        head,
        body: bytes[end + 4..].to_vec(),
    })
}

#[tokio::test]
async fn design_5_rule_1_created_comes_when_the_letter_is_durable_with_its_place() {
    let world = World::new().await;
    let door = Door::open(&world).await;
    let said = door
        .post("{}", report("1118-1001", "Rest").as_bytes(), None)
        .await;
    assert_eq!(said.status, 201);
    let letter = world.letter();
    assert_eq!(letter.state, LetterState::Parsed);
    let id = letter.key.to_string();
    let body = said.json();
    assert_eq!(body["letter"], id.as_str());
    assert_eq!(
        (body["taken"].as_str(), body["state"].as_str()),
        (Some("letter"), Some("PARSED"))
    );
    assert_eq!(body["held"], false);
    assert_eq!(said.header("location"), Some(&*format!("/v1/letters/{id}")));
    assert_eq!(said.header("cache-control"), Some("no-store"));
    world.check();
}

#[tokio::test]
async fn audit_4_3_the_same_content_again_is_a_duplicate_and_makes_no_letter() {
    let world = World::new().await;
    let door = Door::open(&world).await;
    let text = report("1118-1001", "Rest");
    let first = door.post("{}", text.as_bytes(), None).await;
    let again = door.post("{}", text.as_bytes(), None).await;
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(again.json()["taken"], "duplicate");
    assert_eq!(again.json()["letter"], first.json()["letter"]);
    assert_eq!(world.letters().len(), 1);
}

#[tokio::test]
async fn what_is_held_is_created_with_the_reason() {
    let world = World::new().await;
    let door = Door::open(&world).await;
    let text = report("1118-1001", "Rest").replace("999 001 2377", "999 001 2378");
    let said = door.post("{}", text.as_bytes(), None).await;
    assert_eq!(said.status, 201);
    let body = said.json();
    assert_eq!(
        (body["held"].as_bool(), body["state"].as_str()),
        (Some(true), Some("HELD"))
    );
    assert_eq!(body["reason"], "nhs-number-invalid");
    assert!(!body["findings"].as_array().unwrap().is_empty());
    assert!(!String::from_utf8(said.body).unwrap().contains("2378"));
}

#[tokio::test]
async fn audit_4_3_another_content_of_the_same_version_is_held_with_that_reason() {
    let world = World::new().await;
    let door = Door::open(&world).await;
    let with = r#"{"version":"1"}"#;
    door.post(with, report("1118-1001", "Rest").as_bytes(), None)
        .await;
    let said = door
        .post(with, report("1118-1001", "Run").as_bytes(), None)
        .await;
    assert_eq!(said.status, 201);
    assert_eq!(said.json()["reason"], "content-changed-same-version");
    assert_eq!(said.json()["held"], true);
}

#[tokio::test]
async fn a_draft_and_a_cancellation_are_told_as_what_they_are() {
    let world = World::new().await;
    let door = Door::open(&world).await;
    let mut draft = Message::new("1118-1001", "Rest");
    draft.completion = "DO";
    let said = door.post("{}", &draft.bytes(), None).await;
    assert_eq!(
        (said.status, said.json()["state"].as_str()),
        (201, Some("DRAFT_SEEN"))
    );
    let mut cancel = Message::new("1118-1001", "");
    (cancel.event, cancel.completion, cancel.availability) = ("T11", "AU", "CA");
    let said = door.post("{}", &cancel.bytes(), None).await;
    assert_eq!(
        (said.status, said.json()["taken"].as_str()),
        (201, Some("withdrawal"))
    );
}

#[tokio::test]
async fn the_letter_part_says_what_the_document_does_not_and_a_contradiction_is_held() {
    let world = World::new().await;
    let door = Door::open(&world).await;
    let said = door
        .post(
            r#"{"document_id":"OTHER-1"}"#,
            report("1118-1001", "Rest").as_bytes(),
            None,
        )
        .await;
    assert_eq!(
        (said.status, said.json()["held"].as_bool()),
        (201, Some(true))
    );
    let said = door
        .post(
            r#"{"release":false}"#,
            report("1118-1002", "Rest").as_bytes(),
            None,
        )
        .await;
    assert_eq!(
        (said.status, said.json()["state"].as_str()),
        (201, Some("WITHHELD"))
    );
}

#[tokio::test]
async fn a_key_repeated_with_the_same_parts_gets_the_same_answer_and_takes_nothing() {
    let world = World::new().await;
    let door = Door::open(&world).await;
    let text = report("1118-1001", "Rest");
    let first = door.post("{}", text.as_bytes(), Some("k-1")).await;
    let events = world.ledger().len();
    let again = door.post("{}", text.as_bytes(), Some("k-1")).await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.body, again.body);
    assert_eq!(first.header("location"), again.header("location"));
    assert_eq!(world.ledger().len(), events);
    // The letter went on meanwhile; the answer is the one that was given.
    world.work().await;
    assert_eq!(
        door.post("{}", text.as_bytes(), Some("k-1")).await.body,
        first.body
    );
    // Another door, another namespace.
    let other = Door::with(&world, |http| http.source = "other".to_owned()).await;
    assert_eq!(
        other
            .post("{}", report("1118-1009", "x").as_bytes(), Some("k-1"))
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn a_key_used_for_other_parts_is_refused() {
    let world = World::new().await;
    let door = Door::open(&world).await;
    let text = report("1118-1001", "Rest");
    door.post("{}", text.as_bytes(), Some("k-1")).await;
    for (letter, document) in [
        ("{}", report("1118-1002", "Rest")),
        (r#"{"version":"2"}"#, text.clone()),
        ("{} ", text.clone()),
    ] {
        let said = door.post(letter, document.as_bytes(), Some("k-1")).await;
        assert_eq!(
            (said.status, &*said.code()),
            (422, "idempotency-key-reused")
        );
    }
    // A duplicate under a key of its own binds that key too.
    assert_eq!(
        door.post("{}", text.as_bytes(), Some("k-2")).await.status,
        200
    );
    let said = door
        .post("{}", report("1118-1003", "Rest").as_bytes(), Some("k-2"))
        .await;
    assert_eq!(said.status, 422);
    assert_eq!(world.letters().len(), 1);
}

#[tokio::test]
async fn a_refused_hand_over_may_be_mended_under_its_key() {
    let world = World::new().await;
    let door = Door::open(&world).await;
    assert_eq!(door.post("{}", b"", Some("k-1")).await.status, 422);
    assert_eq!(door.post("{]", b"x", Some("k-1")).await.status, 400);
    let said = door
        .post("{}", report("1118-1001", "Rest").as_bytes(), Some("k-1"))
        .await;
    assert_eq!(said.status, 201);
}

#[tokio::test]
async fn many_at_once_under_one_key_make_one_letter() {
    let world = World::new().await;
    let door = Arc::new(Door::open(&world).await);
    let text = report("1118-1001", "Rest");
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (door, text) = (Arc::clone(&door), text.clone());
        calls.spawn(async move { door.post("{}", text.as_bytes(), Some("k-1")).await });
    }
    let mut bodies = Vec::new();
    while let Some(said) = calls.join_next().await {
        let said = said.unwrap();
        assert!([201, 409].contains(&said.status), "{}", said.status);
        if said.status == 201 {
            bodies.push(said.body);
        }
    }
    assert!(bodies.windows(2).all(|two| two[0] == two[1]) && !bodies.is_empty());
    assert_eq!(world.letters().len(), 1);
}

#[tokio::test]
async fn what_is_no_document_is_refused_with_rule_codes_and_noted() {
    let world = World::new().await;
    let door = Door::open(&world).await;
    let said = door.post("{}", b"", None).await;
    assert_eq!((said.status, &*said.code()), (422, "empty"));
    let mut two = Message::new("1118-1001", "Rest").bytes();
    two.extend_from_slice(&Message::new("1118-1002", "Rest").bytes());
    let said = door.post("{}", &two, None).await;
    assert_eq!((said.status, &*said.code()), (422, "malformed"));
    assert_eq!(said.json()["findings"][0]["rule"], "several-messages");
    assert_eq!(world.count("intake.refused"), 2);
    assert!(world.letters().is_empty());
}

#[tokio::test]
async fn who_has_no_token_learns_nothing_and_leaves_nothing() {
    let world = World::new().await;
    let door = Door::open(&world).await;
    let document = report("1118-1001", "Rest");
    let body = form(&[("letter", b"{}"), ("document", document.as_bytes())]);
    for wrong in [
        "",
        "\r\nAuthorization: Bearer 6f1c0b7e9a5d4c3b8f2e1d0c9b8a7f6f",
        "\r\nAuthorization: Basic x",
    ] {
        for path in ["/v1/letters", "/v1/letters/00", "/nowhere"] {
            let said = door
                .send(&format!("POST {path} HTTP/1.1{wrong}\r\n{FORM}"), &body)
                .await;
            assert_eq!((said.status, &*said.code()), (401, "not-authorised"));
            assert_eq!(said.header("www-authenticate"), Some("Bearer"));
        }
    }
    assert!(world.ledger().is_empty());
}

#[tokio::test]
async fn places_and_methods_that_are_not_there_are_told_so() {
    let world = World::new().await;
    let door = Door::open(&world).await;
    let unknown = "a".repeat(32);
    for (line, status, code) in [
        ("PUT /v1/letters", 405, "not-allowed"),
        (
            &*format!("DELETE /v1/letters/{unknown}"),
            405,
            "not-allowed",
        ),
        ("GET /", 404, "not-found"),
        ("GET /v1/lettersx", 404, "not-found"),
        ("GET /v1/letters/xyz", 404, "not-found"),
        (&*format!("GET /v1/letters/{unknown}"), 404, "not-found"),
        ("GET /v1/letters", 400, "query-wrong"),
        ("GET /v1/letters?document=1&x=2", 400, "query-wrong"),
        ("GET /v1/letters?document=1&document=2", 400, "query-wrong"),
        ("GET /v1/letters?document=%zz", 400, "query-wrong"),
    ] {
        let said = door
            .send(&format!("{line} HTTP/1.1\r\n{}", bearer()), b"")
            .await;
        assert_eq!((said.status, &*said.code()), (status, code), "{line}");
        assert_eq!(said.json()["status"], status);
    }
}

#[tokio::test]
async fn bodies_against_the_contract_are_told_what_is_wrong() {
    let world = World::new().await;
    let door = Door::open(&world).await;
    let letter: (&str, &[u8]) = ("letter", b"{}");
    let document: (&str, &[u8]) = ("document", b"x");
    let wrong: (&str, &[u8]) = ("letter", b"{\"documentid\":1}");
    let json = "Content-Type: application/json";
    for (headers, body, status, code) in [
        (json, b"{}".to_vec(), 415, "not-a-form"),
        ("X: y", form(&[letter]), 415, "not-a-form"),
        (FORM, vec![], 400, "multipart-wrong"),
        (FORM, form(&[letter]), 400, "multipart-wrong"),
        (FORM, form(&[document]), 400, "multipart-wrong"),
        (FORM, form(&[letter, letter]), 400, "multipart-wrong"),
        (
            FORM,
            form(&[letter, document, ("more", b"")]),
            400,
            "multipart-wrong",
        ),
        (FORM, form(&[wrong, document]), 400, "letter-wrong"),
        (
            FORM,
            form(&[("letter", b""), document]),
            400,
            "letter-wrong",
        ),
    ] {
        let head = format!("POST /v1/letters HTTP/1.1\r\n{}\r\n{headers}", bearer());
        let said = door.send(&head, &body).await;
        assert_eq!((said.status, &*said.code()), (status, code), "{headers}");
    }
    let said = door.post(r#"{"documentid":"CANARY"}"#, b"x", None).await;
    let detail = said.json()["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains("documentid") && !detail.contains("CANARY"),
        "{detail}"
    );
    assert!(world.ledger().is_empty());
}

#[tokio::test]
async fn limit_idempotency_key_of_255_characters() {
    let world = World::new().await;
    let door = Door::open(&world).await;
    let text = report("1118-1001", "Rest");
    let of = |key: String| {
        let door = &door;
        let text = &text;
        async move { door.post("{}", text.as_bytes(), Some(&key)).await }
    };
    assert_eq!(of("k".repeat(255)).await.status, 201);
    assert_eq!(of("k".repeat(256)).await.code(), "idempotency-key-wrong");
    assert_eq!(of("a b".to_owned()).await.code(), "idempotency-key-wrong");
    assert_eq!(of(String::new()).await.code(), "idempotency-key-wrong");
    assert_eq!(
        of("a\r\nIdempotency-Key: b".to_owned()).await.code(),
        "idempotency-key-wrong"
    );
}

#[tokio::test]
async fn limit_document() {
    let world = World::new().await;
    let text = report("1118-1001", "Rest");
    let door = Door::with(&world, |http| http.document_max = text.len()).await;
    assert_eq!(door.post("{}", text.as_bytes(), None).await.status, 201);
    let said = door.post("{}", format!("{text}\n").as_bytes(), None).await;
    assert_eq!((said.status, &*said.code()), (413, "too-large"));
}

#[tokio::test]
async fn limit_letter_part_of_one_mebibyte() {
    let world = World::new().await;
    let door = Door::open(&world).await;
    let text = report("1118-1001", "Rest");
    let padded = |bytes: usize| format!("{{}}{}", " ".repeat(bytes - 2));
    assert_eq!(
        door.post(&padded(1024 * 1024), text.as_bytes(), None)
            .await
            .status,
        201
    );
    let said = door
        .post(&padded(1024 * 1024 + 1), text.as_bytes(), None)
        .await;
    assert_eq!((said.status, &*said.code()), (413, "too-large"));
}

#[tokio::test]
async fn limit_body_announced_or_in_chunks() {
    let world = World::new().await;
    let door = Door::with(&world, |http| http.document_max = 0).await;
    let limit = 1024 * 1024 + 16 * 1024;
    let head = format!("POST /v1/letters HTTP/1.1\r\n{}\r\n{FORM}", bearer());
    // At the limit the body is read, and is no form; past it, it is not even read.
    assert_eq!(
        door.send(&head, &vec![b'x'; limit]).await.code(),
        "multipart-wrong"
    );
    assert_eq!(
        door.send(&head, &vec![b'x'; limit + 1]).await.code(),
        "too-large"
    );
    for (more, code) in [(0, "multipart-wrong"), (1, "too-large")] {
        let mut stream = door.connect().await;
        let start = format!(
            "{head}\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
            limit + more
        );
        let mut sent = start.into_bytes();
        sent.extend(vec![b'x'; limit + more]);
        sent.extend_from_slice(b"\r\n0\r\n\r\n");
        let _ = stream.write_all(&sent).await;
        assert_eq!(hear(&mut stream).await.unwrap().code(), code);
    }
}

#[tokio::test]
async fn limit_head() {
    let world = World::new().await;
    let door = Door::with(&world, |http| http.head_max = 16 * 1024).await;
    let with = |bytes: usize| {
        format!(
            "GET /v1/letters?document=1 HTTP/1.1\r\n{}\r\nX: {}",
            bearer(),
            "h".repeat(bytes)
        )
    };
    assert_eq!(door.send(&with(15 * 1024), b"").await.status, 200);
    assert_eq!(door.send(&with(17 * 1024), b"").await.status, 431);
    let many = |count: usize| {
        format!(
            "GET /v1/letters?document=1 HTTP/1.1\r\n{}{}",
            bearer(),
            "\r\nX: 1".repeat(count)
        )
    };
    assert_eq!(
        door.send(&many(96), b"").await.status,
        200,
        "and Authorization, Host, Connection, Content-Length"
    );
    assert_eq!(door.send(&many(97), b"").await.status, 431);
}

#[tokio::test]
async fn limit_connections_others_wait_their_turn() {
    let world = World::new().await;
    let door = Door::with(&world, |http| http.connections_max = 1).await;
    let first = door.connect().await;
    let mut second = door.connect().await;
    let request = format!(
        "GET /v1/letters?document=1 HTTP/1.1\r\n{}\r\nHost: x\r\nConnection: close\r\n\r\n",
        bearer()
    );
    second.write_all(request.as_bytes()).await.unwrap();
    let mut byte = [0];
    let waits = tokio::time::timeout(Duration::from_millis(200), second.read(&mut byte)).await;
    assert!(waits.is_err(), "there is one place, and it is taken");
    drop(first);
    assert_eq!(hear(&mut second).await.unwrap().status, 200);
}

#[tokio::test]
async fn security_7_a_head_that_comes_too_slowly_frees_its_place() {
    let world = World::new().await;
    let door = Door::with(&world, |http| {
        http.connections_max = 1;
        http.head_within = Duration::from_millis(200);
    })
    .await;
    let mut slow = door.connect().await;
    slow.write_all(b"GET /v1/let").await.unwrap();
    assert!(hear(&mut slow).await.is_none_or(|said| said.status == 408));
    assert_eq!(door.get("/v1/letters?document=1").await.status, 200);
}

#[tokio::test]
async fn security_7_a_body_that_pauses_or_drips_is_given_up() {
    let world = World::new().await;
    let head = format!(
        "POST /v1/letters HTTP/1.1\r\n{}\r\n{FORM}\r\nHost: x\r\nContent-Length: 1000\r\n\r\n",
        bearer()
    );
    let door = Door::with(&world, |http| http.pause_max = Duration::from_millis(200)).await;
    let mut pauses = door.connect().await;
    pauses.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(hear(&mut pauses).await.unwrap().code(), "too-slow");
    let door = Door::with(&world, |http| http.body_within = Duration::from_millis(300)).await;
    let drips = door.connect().await;
    let (mut from, mut to) = drips.into_split();
    to.write_all(head.as_bytes()).await.unwrap();
    let dripping = tokio::spawn(async move {
        while to.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let mut heard = [0; 12];
    let read = tokio::time::timeout(Duration::from_secs(5), from.read_exact(&mut heard)).await;
    dripping.abort();
    read.unwrap().unwrap();
    assert_eq!(&heard, b"HTTP/1.1 408");
    assert!(world.ledger().is_empty());
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    let world = World::new().await;
    let door = Door::open(&world).await;
    let mut stream = door.connect().await;
    let text = report("1118-1001", "Rest");
    let body = form(&[("letter", b"{}"), ("document", text.as_bytes())]);
    let head = format!(
        "POST /v1/letters HTTP/1.1\r\n{}\r\n{FORM}\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
        bearer(),
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body[..body.len() - 9]).await.unwrap();
    stream.shutdown().await.unwrap();
    assert!(
        hear(&mut stream)
            .await
            .is_none_or(|said| said.status == 400)
    );
    assert!(world.ledger().is_empty());
}

#[tokio::test]
async fn bytes_that_are_no_http_break_nothing() {
    let world = World::new().await;
    let door = Door::open(&world).await;
    for junk in [
        &b"\x16\x03\x01\x02\x00\x01"[..],
        b"\0\0\0\0",
        b"GET\r\n\r\n",
        b"POST /v1/letters HTTP/9.9\r\n\r\n",
        b"\x0bMSH|^~\\&|\x1c\r",
    ] {
        let mut stream = door.connect().await;
        stream.write_all(junk).await.unwrap();
        stream.shutdown().await.unwrap();
        assert!(
            hear(&mut stream)
                .await
                .is_none_or(|said| said.status >= 400)
        );
    }
    assert_eq!(door.get("/v1/letters?document=1").await.status, 200);
}

#[tokio::test]
async fn two_lengths_or_a_length_and_chunks_are_refused() {
    let world = World::new().await;
    let door = Door::open(&world).await;
    for framing in [
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: -1",
    ] {
        let mut stream = door.connect().await;
        let head = format!(
            "POST /v1/letters HTTP/1.1\r\n{}\r\nHost: x\r\n{framing}\r\n\r\n12345",
            bearer()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        assert_eq!(hear(&mut stream).await.unwrap().status, 400, "{framing}");
    }
    assert!(world.ledger().is_empty());
}

#[tokio::test]
async fn a_store_that_is_short_asks_to_come_again() {
    let world = World::new().await;
    let door = Door::open(&world).await;
    let text = report("1118-1001", "Rest");
    world.store.set(Trouble::Unavailable);
    let said = door.post("{}", text.as_bytes(), Some("k")).await;
    assert_eq!((said.status, &*said.code()), (503, "store-unavailable"));
    assert_eq!(said.header("retry-after"), Some("30"));
    world.store.set(Trouble::Conflicts(100));
    let said = door.post("{}", text.as_bytes(), Some("k")).await;
    assert_eq!((said.status, said.header("retry-after")), (409, Some("1")));
    world.store.set(Trouble::None);
    assert_eq!(
        door.post("{}", text.as_bytes(), Some("k")).await.status,
        201
    );
}

#[tokio::test]
async fn a_letter_is_asked_about_by_id_and_by_its_documents_number() {
    let world = World::new().await;
    let door = Door::open(&world).await;
    let said = door
        .post("{}", report("1118-1001", "Rest").as_bytes(), None)
        .await;
    let place = said.header("location").unwrap().to_owned();
    let lines = door.get(&place).await.json();
    assert_eq!(lines["lines"][0]["state"], "PARSED");
    assert_eq!(lines["lines"][0]["trust"], "RXX");
    world.work().await;
    let lines = door
        .get(&format!("/v1/letters?document=1118-1001&source={SOURCE}"))
        .await
        .json();
    let line = &lines["lines"][0];
    assert_eq!(
        (line["state"].as_str(), line["copy"].as_u64()),
        (Some("ACCEPTED"), Some(1))
    );
    assert_eq!(
        (line["practice"].as_str(), line["document"].as_str()),
        (Some("Y99901"), Some("1118-1001"))
    );
    let none = door
        .get("/v1/letters?document=1118-1001&source=other")
        .await;
    assert_eq!(
        (none.status, none.json()["lines"].as_array().unwrap().len()),
        (200, 0)
    );
    assert_eq!(world.ledger().len(), world.store.rows().events.len());
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let world = World::new().await;
    let door = Door::open(&world).await;
    let mut stream = door.connect().await;
    let get = format!(
        "GET /v1/letters?document=1 HTTP/1.1\r\n{}\r\nHost: x\r\n\r\n",
        bearer()
    );
    let last = get.replace("Host: x", "Host: x\r\nConnection: close");
    stream
        .write_all(format!("{get}{last}").as_bytes())
        .await
        .unwrap();
    let said = hear(&mut stream).await.unwrap();
    let text = format!("{}{}", said.head, String::from_utf8(said.body).unwrap());
    assert_eq!(text.matches("HTTP/1.1 200").count(), 2, "{text}");
}

#[tokio::test]
async fn only_an_encrypted_door_opens_to_the_network() {
    let entry = Entry::by_token(TOKEN.as_bytes()).unwrap();
    let exposed = Http::new(SOURCE, ([0, 0, 0, 0], 0).into(), entry)
        .open()
        .await;
    assert!(
        matches!(exposed, Err(GatewayError::Exposed { .. })),
        "{exposed:?}"
    );
    let taken = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let entry = Entry::by_token(TOKEN.as_bytes()).unwrap();
    let busy = Http::new(SOURCE, taken.local_addr().unwrap(), entry)
        .open()
        .await;
    assert!(matches!(busy, Err(GatewayError::Listen { .. })), "{busy:?}");
}

#[tokio::test]
async fn outcomes_are_asked_for_in_pages_and_by_source() {
    let world = World::new().await;
    let door = Door::open(&world).await;
    for n in 1..=3 {
        let text = report(&format!("1118-100{n}"), "Rest").replace("999 001 2377", "999 001 2378");
        door.post("{}", text.as_bytes(), None).await;
    }
    let whole = door.get("/v1/outcomes").await.json();
    assert_eq!(whole["outcomes"].as_array().unwrap().len(), 3);
    assert_eq!(whole["outcomes"][0]["outcome"], "held");
    let (mut after, mut paged) = (0, Vec::new());
    loop {
        let page = door
            .get(&format!("/v1/outcomes?after={after}&limit=1"))
            .await
            .json();
        paged.extend(page["outcomes"].as_array().unwrap().clone());
        let next = page["next"].as_u64().unwrap();
        if next == after {
            break;
        }
        after = next;
    }
    assert_eq!(&paged, whole["outcomes"].as_array().unwrap());
    assert_eq!(whole["next"], after);
    let last = paged[1]["cursor"].as_u64().unwrap();
    let rest = door.get(&format!("/v1/outcomes?after={last}")).await.json();
    assert_eq!(rest["outcomes"].as_array().unwrap(), &paged[2..]);
    let other = door.get("/v1/outcomes?source=lab").await.json();
    assert_eq!(other["outcomes"].as_array().unwrap().len(), 0);
    assert_eq!(
        door.get("/v1/outcomes?limit=1001").await.code(),
        "query-wrong"
    );
    let post = door
        .send(&format!("POST /v1/outcomes HTTP/1.1\r\n{}", bearer()), b"")
        .await;
    assert_eq!(post.code(), "not-allowed");
}
