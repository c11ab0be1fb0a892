//! The client against the server: tokens, secrets, whole downloads, reports.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeSet;
use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use mesh_client::{
    Disposition, Error, LocalId, MessageId, MessageKind, OutgoingMessage, TrackingStatus,
};
use mesh_testserver::{Fault, FaultAction, ReportNotice, TestServer};
use nhs_types::{MailboxId, WorkflowId};

fn trust() -> MailboxId {
    MailboxId::parse("RT9OT001").unwrap()
}

fn practice() -> MailboxId {
    MailboxId::parse("YGM24GP1").unwrap()
}

fn workflow() -> WorkflowId {
    WorkflowId::parse("TOC_OUTP_ATT_DMS").unwrap()
}

fn letter() -> OutgoingMessage {
    OutgoingMessage::new(practice(), workflow(), "a letter").unwrap()
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn header(name: &str, value: Option<&str>) -> (String, Option<String>) {
    (name.to_owned(), value.map(str::to_owned))
}

#[tokio::test]
async fn every_attempt_has_a_token_of_its_own_mesh_api_section_4() {
    let server = TestServer::start().await.unwrap();
    let client = server.client(&trust()).unwrap();
    server.fault(Fault::new("POST", "*/outbox", FaultAction::status(429)).times(2));
    for _ in 0..3 {
        let _ = client.send(&letter()).await;
    }
    let id = server.mailbox(&practice())[0].id.clone();
    let _ = client.handshake().await;
    let _ = client.track(&id).await;
    let log = server.log();
    let tokens: Vec<_> = log.iter().map(|request| request.token().unwrap()).collect();
    assert_eq!(tokens.len(), 5);
    assert_eq!(tokens.iter().collect::<BTreeSet<_>>().len(), 5);
    assert_eq!(
        log.iter().map(|request| request.status).collect::<Vec<_>>(),
        [429, 429, 202, 200, 200]
    );
}

#[tokio::test]
async fn a_failed_request_is_never_repeated_by_the_client() {
    let server = TestServer::start().await.unwrap();
    let client = server.client(&trust()).unwrap();
    client.handshake().await.unwrap();
    server.clear_log();
    for action in [
        FaultAction::DropBefore,
        FaultAction::DropAfter,
        FaultAction::status(503),
    ] {
        server.fault(Fault::new("*", "*", action));
    }
    for _ in 0..3 {
        client.send(&letter()).await.unwrap_err();
    }
    assert_eq!(server.log().len(), 3);
}

#[tokio::test]
async fn the_lookup_carries_no_token() {
    let server = TestServer::start().await.unwrap();
    let client = server.client(&trust()).unwrap();
    let code = nhs_types::OdsCode::parse("A99992").unwrap();
    let workflow = WorkflowId::parse("TOC_FHIR_OP_ATTEN").unwrap();
    assert_eq!(client.lookup(&code, &workflow).await.unwrap().len(), 2);
    assert_eq!(server.log()[0].token(), None);
}

#[tokio::test]
async fn neither_secrets_nor_sensitive_headers_come_out() {
    let server = TestServer::start().await.unwrap();
    let client = server.client(&trust()).unwrap();
    let message = letter()
        .with_subject("Canary Subject for CANARY, NHS Number: 9990000018")
        .unwrap()
        .with_file_name("canary-file.xml")
        .unwrap();
    let echo = "refused: Canary Subject for CANARY, NHS Number: 9990000018 in canary-file.xml, \
                trust:pass word&1, TestKey, GPPROVIDER_9990000018_19670126_CANARY";
    let json = format!(r#"{{"detail":[{{"event":"SEND","code":"06","msg":"{echo}"}}]}}"#);
    let mut shown = format!("{client:?} {message:?} {:?}", server.credentials(&trust()));
    for body in [json.as_str(), echo, "<html>canary-file.xml</html>"] {
        for status in [202, 400, 403, 417, 500] {
            server.fault(Fault::new(
                "*",
                "*",
                FaultAction::status_with_body(status, body),
            ));
            let error = client.send(&message).await.unwrap_err();
            shown.push_str(&format!("{error} {error:?} {:?}\n", error.disposition()));
        }
    }
    for log in server.log() {
        shown = shown.replace("\\", "");
        let hash = log.token().unwrap().rsplit(':').next().unwrap().to_owned();
        assert!(!shown.contains(&hash));
    }
    for secret in [
        "anary",
        "CANARY",
        "9990000018",
        "pass word",
        "TestKey",
        "a letter",
        "1967",
    ] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[tokio::test]
async fn a_message_in_chunks_comes_whole_mesh_api_section_10() {
    let server = TestServer::start().await.unwrap();
    let client = server.client(&trust()).unwrap();
    let chunks = vec![b"first ".to_vec(), vec![b'x'; 50_000], b" last".to_vec()];
    let id = server.deliver(&practice(), &trust(), &workflow(), chunks.clone());
    let message = client.download(&id).await.unwrap();
    assert_eq!(message.body, chunks.concat());
    assert!(matches!(message.kind, MessageKind::Data));
    let paths: Vec<_> = server
        .log()
        .iter()
        .map(|request| request.path.clone())
        .collect();
    assert!(
        paths[0].ends_with(id.as_str()) && paths[2].ends_with("/3"),
        "{paths:?}"
    );
}

#[tokio::test]
async fn chunks_that_do_not_fit_are_refused_mesh_api_section_10() {
    let server = TestServer::start().await.unwrap();
    let client = server.client(&trust()).unwrap();
    let chunks = vec![vec![b'a'; 9000], vec![b'b'; 9000], vec![b'c'; 9000]];
    let id = server.deliver(&practice(), &trust(), &workflow(), chunks);
    let replace =
        |status: Option<u16>, headers: Vec<(String, Option<String>)>| FaultAction::Replace {
            status,
            headers,
            body: None,
        };
    let wrong = [
        ("*", replace(Some(200), vec![])),
        ("*", replace(None, vec![header("mex-chunk-range", None)])),
        (
            "*",
            replace(None, vec![header("mex-chunk-range", Some("1:2"))]),
        ),
        (
            "*",
            replace(None, vec![header("mex-total-chunks", Some("4"))]),
        ),
        (
            "*",
            replace(None, vec![header("mex-messageid", Some("ANOTHER"))]),
        ),
        ("*/2", replace(Some(200), vec![])),
        (
            "*/2",
            replace(None, vec![header("mex-chunk-range", Some("3:3"))]),
        ),
        ("*/2", replace(None, vec![header("mex-chunk-range", None)])),
        ("*/2", FaultAction::Cut { bytes: 20 }),
        ("*/2", FaultAction::Flip),
        ("*/3", replace(Some(206), vec![])),
        ("*/3", FaultAction::status(404)),
        ("*/3", FaultAction::DropBefore),
    ];
    for (path, action) in wrong {
        server.clear_faults();
        server.fault(Fault::new("GET", path, action.clone()));
        assert!(client.download(&id).await.is_err(), "{path} {action:?}");
    }
    server.clear_faults();
    assert_eq!(client.download(&id).await.unwrap().body.len(), 27_000);
}

#[tokio::test]
async fn a_body_without_an_end_mark_is_not_believed() {
    let server = TestServer::start().await.unwrap();
    let client = server.client(&trust()).unwrap();
    let id = server.deliver(
        &practice(),
        &trust(),
        &workflow(),
        vec![b"a letter".to_vec()],
    );
    let packed = gzip(b"a letter");
    let bodies = [
        packed[..packed.len() - 1].to_vec(),
        packed[..10].to_vec(),
        [packed.clone(), b"rest".to_vec()].concat(),
        b"a letter".to_vec(),
        Vec::new(),
    ];
    for body in bodies {
        let body = Some(body);
        server.fault(Fault::new(
            "GET",
            "*",
            FaultAction::Replace {
                status: None,
                headers: Vec::new(),
                body,
            },
        ));
        let error = client.download(&id).await.unwrap_err();
        assert!(matches!(error, Error::Unusable { .. }), "{error:?}");
        assert_eq!(error.disposition(), Disposition::Retry { after: None });
    }
    let two = [gzip(b"a letter in "), gzip(b"two members")].concat();
    let headers = Vec::new();
    let action = FaultAction::Replace {
        status: None,
        headers,
        body: Some(two),
    };
    server.fault(Fault::new("GET", "*", action));
    assert_eq!(
        client.download(&id).await.unwrap().body,
        b"a letter in two members"
    );
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_and_stays() {
    let server = TestServer::start().await.unwrap();
    let builder = server.client_builder(&trust()).unwrap();
    let client = builder.message_size_max(10_000).build().unwrap();
    let fits = server.deliver(&practice(), &trust(), &workflow(), vec![vec![b'a'; 10_000]]);
    let large = server.deliver(
        &practice(),
        &trust(),
        &workflow(),
        vec![vec![b'a'; 5000]; 3],
    );
    assert_eq!(client.download(&fits).await.unwrap().body.len(), 10_000);
    let error = client.download(&large).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::Refused, "{error}");
    assert!(client.inbox().await.unwrap().contains(&large));
}

#[tokio::test]
async fn what_nobody_collects_comes_back_as_a_report_mesh_api_section_13() {
    let server = TestServer::start().await.unwrap();
    let client = server.client(&trust()).unwrap();
    let local_id = LocalId::parse("L0123456789ABCDEF0123").unwrap();
    let id = client
        .send(&letter().with_local_id(local_id.clone()))
        .await
        .unwrap();
    let report = server.undeliverable(&id).unwrap();
    assert_eq!(client.inbox().await.unwrap(), std::slice::from_ref(&report));
    let message = client.download(&report).await.unwrap();
    let found = message.report().unwrap();
    assert_eq!(found.linked_message_id.as_ref(), Some(&id));
    assert_eq!(found.local_id.as_ref(), Some(&local_id));
    assert_eq!((found.code.as_str(), found.event.as_str()), ("14", "SEND"));
    assert!(message.body.is_empty());
    client.acknowledge(&report).await.unwrap();
    assert!(client.inbox().await.unwrap().is_empty());
    let tracking = client.track(&id).await.unwrap().unwrap();
    assert_eq!(tracking.status, TrackingStatus::Undeliverable);
    assert_eq!(tracking.is_success, Some(false));
    let gone = server
        .client(&practice())
        .unwrap()
        .download(&id)
        .await
        .unwrap_err();
    assert_eq!(
        (gone.status(), gone.disposition()),
        (Some(410), Disposition::Refused)
    );
}

#[tokio::test]
async fn a_report_about_routing_keeps_its_code() {
    let server = TestServer::start().await.unwrap();
    let client = server.client(&trust()).unwrap();
    client.send(&letter()).await.unwrap();
    let failed = server.mailbox(&practice()).remove(0);
    let notice = ReportNotice::new("EPL-151", "No mailbox matched").event("TRANSFER");
    let id = server.report(&trust(), notice.about(&failed));
    let message = client.download(&id).await.unwrap();
    let report = message.report().unwrap();
    assert_eq!(
        report.code.advice(),
        Some(mesh_client::Advice::OtherChannel)
    );
    assert_eq!(report.event, "TRANSFER");
    assert_eq!(report.linked_message_id, Some(failed.id));
}

#[tokio::test]
async fn a_clock_that_is_off_is_named_in_the_refusal() {
    let server = TestServer::start().await.unwrap();
    let client = server.client(&trust()).unwrap();
    let late = chrono::DateTime::from(std::time::SystemTime::now()) + chrono::TimeDelta::hours(3);
    server.set_clock(Some(late));
    let error = client.handshake().await.unwrap_err();
    let skew = error.refusal().unwrap().clock_skew.unwrap();
    assert!((skew - chrono::TimeDelta::hours(3)).abs() < chrono::TimeDelta::minutes(1));
    let text = error.to_string();
    assert!(
        text.contains("check mailbox id, mailbox password, shared key and clock"),
        "{text}"
    );
    assert!(text.ends_with("s behind the service's"), "{text}");
    server.set_clock(None);
    client.handshake().await.unwrap();
}

#[tokio::test]
async fn the_first_page_has_500_and_collecting_makes_room() {
    let server = TestServer::start().await.unwrap();
    let client = server.client(&practice()).unwrap();
    for _ in 0..501 {
        server.deliver(
            &trust(),
            &practice(),
            &workflow(),
            vec![b"a letter".to_vec()],
        );
    }
    assert_eq!(client.inbox().await.unwrap().len(), 500);
    assert_eq!(server.collect(&practice()).len(), 501);
    assert!(client.inbox().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_workflow_that_is_not_registered_is_417_with_17() {
    let builder = TestServer::builder().sample_mailboxes().check_workflows();
    let server = builder.start().await.unwrap();
    let other = WorkflowId::parse("LOCAL_ENF_TEST").unwrap();
    let message = OutgoingMessage::new(practice(), other, "a letter").unwrap();
    let error = server
        .client(&trust())
        .unwrap()
        .send(&message)
        .await
        .unwrap_err();
    assert_eq!(
        error.code().and_then(mesh_client::ErrorCode::advice),
        Some(mesh_client::Advice::FixConfiguration)
    );
    assert_eq!(error.disposition(), Disposition::Refused);
}

#[tokio::test]
async fn a_server_that_is_shut_down_is_gone() {
    let server = TestServer::start().await.unwrap();
    let client = server.client(&trust()).unwrap();
    client.handshake().await.unwrap();
    server.shutdown().await;
    let error = client.handshake().await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::Retry { after: None });
    assert!(client.track(&MessageId::parse("M").unwrap()).await.is_err());
}
