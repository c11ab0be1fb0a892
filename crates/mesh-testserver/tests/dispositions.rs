//! Every operation under every fault: what the caller is told to do (design rule 2, mesh-api
//! section 17).
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fmt::Write as _;
use std::time::Duration;

use mesh_client::{Client, Disposition, Error, LocalId, MessageId, OutgoingMessage};
use mesh_testserver::{Fault, FaultAction, TestServer};
use nhs_types::{MailboxId, OdsCode, WorkflowId};

const SILENCE: &str = "no answer in time";

const OPERATIONS: [&str; 8] = [
    "handshake",
    "send",
    "inbox",
    "download",
    "acknowledge",
    "track",
    "track_local",
    "lookup",
];

struct Bench {
    server: TestServer,
    client: Client,
    sent: MessageId,
}

fn mailbox(id: &str) -> MailboxId {
    MailboxId::parse(id).unwrap()
}

fn workflow() -> WorkflowId {
    WorkflowId::parse("TOC_OUTP_ATT_DMS").unwrap()
}

fn message() -> OutgoingMessage {
    OutgoingMessage::new(
        mailbox("YGM24GP1"),
        workflow(),
        "a letter that is long enough to cut",
    )
    .unwrap()
    .with_local_id(LocalId::parse("L1").unwrap())
}

impl Bench {
    async fn new() -> Self {
        let server = TestServer::start().await.unwrap();
        let trust = mailbox("RT9OT001");
        let client = server.client(&trust).unwrap();
        let once = message().with_local_id(LocalId::parse("L0").unwrap());
        let sent = client.send(&once).await.unwrap();
        Self {
            server,
            client,
            sent,
        }
    }

    async fn run(&self, operation: &str) -> Result<(), Error> {
        self.run_with(&self.client, operation).await
    }

    async fn run_with(&self, client: &Client, operation: &str) -> Result<(), Error> {
        let letter = vec![b"an answer of the practice".to_vec()];
        let (from, to) = (mailbox("YGM24GP1"), mailbox("RT9OT001"));
        let received = self.server.deliver(&from, &to, &workflow(), letter);
        match operation {
            "handshake" => client.handshake().await,
            "send" => client.send(&message()).await.map(drop),
            "inbox" => client.inbox().await.map(drop),
            "download" => client.download(&received).await.map(drop),
            "acknowledge" => client.acknowledge(&received).await,
            "track" => client.track(&self.sent).await.map(drop),
            "track_local" => client
                .track_local(&LocalId::parse("L0").unwrap())
                .await
                .map(drop),
            _ => client
                .lookup(&OdsCode::parse("A99991").unwrap(), &workflow())
                .await
                .map(drop),
        }
    }
}

fn word(outcome: &Result<(), Error>) -> String {
    match outcome {
        Ok(()) => "ok".to_owned(),
        Err(error) => match error.disposition() {
            Disposition::Retry { after: None } => "retry".to_owned(),
            Disposition::Retry { after: Some(after) } => format!("retry in {} s", after.as_secs()),
            Disposition::Refused => "refused".to_owned(),
            Disposition::Uncertain => "uncertain".to_owned(),
            Disposition::Misuse => "misuse".to_owned(),
        },
    }
}

fn status_after(status: u16, name: &str, value: &str) -> FaultAction {
    let headers = vec![(name.to_owned(), value.to_owned())];
    FaultAction::Status {
        status,
        headers,
        body: Vec::new(),
    }
}

fn body(text: &str) -> FaultAction {
    FaultAction::Replace {
        status: None,
        headers: Vec::new(),
        body: Some(text.into()),
    }
}

fn faults() -> Vec<(String, FaultAction)> {
    let mut faults: Vec<(String, FaultAction)> = Vec::new();
    for status in [
        204, 301, 307, 400, 401, 403, 404, 406, 408, 410, 413, 417, 422, 423, 425, 429, 500, 502,
        503, 504,
    ] {
        faults.push((format!("status {status}"), FaultAction::status(status)));
    }
    faults.push((
        "429, Retry-After 7".to_owned(),
        status_after(429, "Retry-After", "7"),
    ));
    faults.push((
        "503, Retry-After 7".to_owned(),
        status_after(503, "Retry-After", "7"),
    ));
    faults.push((
        "503, Retry-After a day".to_owned(),
        status_after(503, "Retry-After", "86400"),
    ));
    let html = FaultAction::status_with_body(502, "<html>Bad gateway</html>");
    faults.push(("502 with HTML".to_owned(), html));
    let page = FaultAction::status_with_body(404, "<html>No such page</html>");
    faults.push(("404 with HTML".to_owned(), page));
    let login = FaultAction::status_with_body(200, "<html>Please log in</html>");
    faults.push(("200 with HTML".to_owned(), login));
    faults.push(("success without content".to_owned(), body("")));
    faults.push((
        "success with JSON of another shape".to_owned(),
        body("{\"messages\":7}"),
    ));
    faults.push((
        "closed before the effect".to_owned(),
        FaultAction::DropBefore,
    ));
    faults.push(("closed after the effect".to_owned(), FaultAction::DropAfter));
    faults.push(("answer cut".to_owned(), FaultAction::Cut { bytes: 3 }));
    faults.push(("answer damaged".to_owned(), FaultAction::Flip));
    let silence = FaultAction::Delay(Duration::from_millis(1500));
    faults.push((SILENCE.to_owned(), silence));
    faults
}

#[tokio::test]
async fn operation_by_fault() {
    let bench = Bench::new().await;
    let impatient = bench.server.client_builder(&mailbox("RT9OT001")).unwrap();
    let impatient = impatient
        .connect_timeout(Duration::from_secs(1))
        .read_timeout(Duration::from_millis(200))
        .total_timeout(Duration::from_millis(250))
        .build()
        .unwrap();
    let mut table = format!("{:38}", "");
    for operation in OPERATIONS {
        let _ = write!(table, "{operation:17}");
    }
    for (name, action) in faults() {
        let _ = write!(table, "\n{name:38}");
        for operation in OPERATIONS {
            bench.server.clear_faults();
            bench.server.fault(Fault::new("*", "*", action.clone()));
            let client = if name == SILENCE {
                &impatient
            } else {
                &bench.client
            };
            let outcome = bench.run_with(client, operation).await;
            let _ = write!(table, "{:17}", word(&outcome));
        }
    }
    let lines: Vec<_> = table.lines().map(str::trim_end).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn before_the_first_byte_everything_may_be_tried_again() {
    let bench = Bench::new().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://localhost:{}", closed.local_addr().unwrap().port());
    drop(closed);
    let trust = mesh_client::TrustAnchors::from_pem(bench.server.certificates().ca.as_bytes());
    let credentials = bench.server.credentials(&mailbox("RT9OT001")).unwrap();
    let client = Client::builder(&address, credentials)
        .trust(trust.unwrap())
        .build()
        .unwrap();
    let bench = Bench { client, ..bench };
    for operation in OPERATIONS {
        let outcome = bench.run(operation).await;
        assert_eq!(word(&outcome), "retry", "{operation}: {outcome:?}");
        assert!(matches!(outcome, Err(Error::Unreachable { .. })));
    }
}

#[tokio::test]
async fn a_host_name_that_does_not_exist_is_no_connection() {
    let bench = Bench::new().await;
    let trust = mesh_client::TrustAnchors::from_pem(bench.server.certificates().ca.as_bytes());
    let credentials = bench.server.credentials(&mailbox("RT9OT001")).unwrap();
    let client = Client::builder("https://no-such-host.invalid", credentials)
        .trust(trust.unwrap())
        .build()
        .unwrap();
    let error = client.send(&message()).await.unwrap_err();
    assert_eq!(
        error.disposition(),
        Disposition::Retry { after: None },
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_never_shakes_hands_is_no_connection() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://localhost:{}", silent.local_addr().unwrap().port());
    let bench = Bench::new().await;
    let builder = Client::builder(
        &address,
        bench.server.credentials(&mailbox("RT9OT001")).unwrap(),
    );
    let trust = mesh_client::TrustAnchors::from_pem(bench.server.certificates().ca.as_bytes());
    let builder = builder
        .trust(trust.unwrap())
        .connect_timeout(Duration::from_millis(200));
    let error = builder.build().unwrap().send(&message()).await.unwrap_err();
    assert_eq!(
        error.disposition(),
        Disposition::Retry { after: None },
        "{error}"
    );
    assert_eq!(
        error.to_string(),
        "send: no connection to the service: connecting took too long"
    );
}

#[tokio::test]
async fn a_lost_answer_leaves_one_message_that_can_be_asked_for() {
    let bench = Bench::new().await;
    bench.server.collect(&mailbox("YGM24GP1"));
    let local_id = LocalId::parse("L2").unwrap();
    let letter = message().with_local_id(local_id.clone());
    bench
        .server
        .fault(Fault::new("POST", "*/outbox", FaultAction::DropAfter));
    let error = bench.client.send(&letter).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::Uncertain);
    let waiting = bench.server.mailbox(&mailbox("YGM24GP1"));
    assert_eq!(waiting.len(), 1);
    match bench.client.track_local(&local_id).await.unwrap() {
        mesh_client::LocalIdTracking::Found(found) => assert_eq!(found.message_id, waiting[0].id),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn misuse_sends_nothing() {
    let bench = Bench::new().await;
    bench.server.clear_log();
    let dots = bench
        .client
        .download(&MessageId::parse("..").unwrap())
        .await
        .unwrap_err();
    assert_eq!(dots.disposition(), Disposition::Misuse);
    let dots = bench
        .client
        .track_local(&LocalId::parse(".").unwrap())
        .await
        .unwrap_err();
    assert_eq!(dots.disposition(), Disposition::Misuse);
    assert!(bench.server.log().is_empty());
}
