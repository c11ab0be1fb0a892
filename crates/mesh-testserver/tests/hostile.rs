//! A service that breaks the protocol below our test server's reach: reliability-and-security
//! section 7. TLS is right, what is said inside is written by hand.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use mesh_client::{Client, Disposition, Error, MessageId, OutgoingMessage, TrustAnchors};
use mesh_testserver::TestServer;
use nhs_types::{MailboxId, WorkflowId};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What is written, and the pause after each piece.
#[derive(Clone)]
struct Script {
    pieces: Vec<Vec<u8>>,
    pause: Duration,
    /// Whether the last piece is repeated until the client goes away.
    is_endless: bool,
}

impl Script {
    fn once(text: &str) -> Self {
        Self {
            pieces: vec![text.into()],
            pause: Duration::ZERO,
            is_endless: false,
        }
    }
}

/// Answers every connection with the script, after it has read something.
async fn hostile(script: Script) -> (TestServer, Client) {
    let server = TestServer::start().await.unwrap();
    let pair = &server.certificates().server;
    let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    tokio::spawn(accept(
        listener,
        TlsAcceptor::from(Arc::new(config)),
        script,
    ));
    let mailbox = MailboxId::parse("RT9OT001").unwrap();
    let trust = TrustAnchors::from_pem(server.certificates().ca.as_bytes()).unwrap();
    let client = Client::builder(&url, server.credentials(&mailbox).unwrap())
        .trust(trust)
        .read_timeout(Duration::from_millis(300))
        .total_timeout(Duration::from_millis(900))
        .build()
        .unwrap();
    (server, client)
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, script: Script) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, script) = (acceptor.clone(), script.clone());
        tokio::spawn(async move {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            let mut request = [0_u8; 4096];
            let _ = stream.read(&mut request).await;
            let last = script.pieces.last().cloned().unwrap_or_default();
            for piece in &script.pieces {
                let _ = stream.write_all(piece).await;
                let _ = stream.flush().await;
                tokio::time::sleep(script.pause).await;
            }
            while script.is_endless && stream.write_all(&last).await.is_ok() {
                let _ = stream.flush().await;
                tokio::time::sleep(script.pause).await;
            }
            let _ = stream.shutdown().await;
        });
    }
}

fn message() -> OutgoingMessage {
    let to = MailboxId::parse("YGM24GP1").unwrap();
    OutgoingMessage::new(to, WorkflowId::parse("W").unwrap(), "a letter").unwrap()
}

fn id() -> MessageId {
    MessageId::parse("M1").unwrap()
}

const OK: &str = "HTTP/1.1 200 OK\r\nmex-messageid: M1\r\n";

/// A send must be uncertain and a download tried again, and neither may hang.
async fn fails(script: Script) -> (Error, Error) {
    let (_server, client) = hostile(script).await;
    let start = Instant::now();
    let send = client.send(&message()).await.unwrap_err();
    let download = client.download(&id()).await.unwrap_err();
    assert_eq!(send.disposition(), Disposition::Uncertain, "{send:?}");
    assert_ne!(
        download.disposition(),
        Disposition::Uncertain,
        "{download:?}"
    );
    assert!(
        start.elapsed() < Duration::from_secs(110),
        "{:?}",
        start.elapsed()
    );
    (send, download)
}

#[tokio::test]
async fn nothing_at_all() {
    let (send, download) = fails(Script::once("")).await;
    assert!(matches!(send, Error::Lost { .. }), "{send:?}");
    assert!(matches!(download, Error::Lost { .. }), "{download:?}");
}

#[tokio::test]
async fn no_http() {
    fails(Script::once("220 smtp.example ready\r\n")).await;
}

#[tokio::test]
async fn a_body_shorter_than_its_length() {
    let text = format!("{OK}content-length: 100\r\n\r\n{{\"message_id\":\"M1\"}}");
    let (_, download) = fails(Script::once(&text)).await;
    assert!(matches!(download, Error::Lost { .. }), "{download:?}");
}

#[tokio::test]
async fn chunked_coding_that_breaks_off() {
    let text = format!("{OK}transfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n");
    fails(Script::once(&text)).await;
}

#[tokio::test]
async fn a_body_that_ends_with_the_connection_is_no_whole_letter() {
    let (_server, client) =
        hostile(Script::once(&format!("{OK}\r\na letter, or half of it"))).await;
    let error = client.download(&id()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "download: status 200, but nothing tells where the body ends"
    );
    assert_eq!(error.disposition(), Disposition::Retry { after: None });
}

#[tokio::test]
async fn silence_in_the_middle_of_the_body() {
    let begin = format!("{OK}content-length: 100\r\n\r\nabc").into_bytes();
    let pause = Duration::from_secs(5);
    fails(Script {
        pieces: vec![begin],
        pause,
        is_endless: false,
    })
    .await;
}

#[tokio::test]
async fn a_byte_at_a_time_is_ended_by_the_total_timeout() {
    let begin = format!("{OK}content-length: 100000\r\n\r\n").into_bytes();
    let pause = Duration::from_millis(100);
    let script = Script {
        pieces: vec![begin, b"x".to_vec()],
        pause,
        is_endless: true,
    };
    let (_server, client) = hostile(script).await;
    let start = Instant::now();
    let error = client.send(&message()).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::Uncertain, "{error}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn headers_without_end() {
    let begin = b"HTTP/1.1 200 OK\r\n".to_vec();
    let more = format!("x: {}\r\n", "y".repeat(60_000)).into_bytes();
    let script = Script {
        pieces: vec![begin, more],
        pause: Duration::ZERO,
        is_endless: true,
    };
    fails(script).await;
}

#[tokio::test]
async fn ten_thousand_headers() {
    let mut text = OK.to_owned();
    for number in 0..10_000 {
        text.push_str(&format!("x-{number}: y\r\n"));
    }
    text.push_str("content-length: 0\r\n\r\n");
    fails(Script::once(&text)).await;
}

#[tokio::test]
async fn an_announced_size_over_the_limit_is_not_read() {
    let text = format!("{OK}content-length: 99999999999\r\n\r\nabc");
    let (_, download) = fails(Script::once(&text)).await;
    assert_eq!(download.disposition(), Disposition::Refused, "{download}");
}

#[tokio::test]
async fn interim_answers_without_end() {
    let more = b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec();
    let pause = Duration::from_millis(1);
    let (_server, client) = hostile(Script {
        pieces: vec![more],
        pause,
        is_endless: true,
    })
    .await;
    let error = client.send(&message()).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::Uncertain, "{error}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let text = "HTTP/1.1 307 Go\r\nconnection: close\r\nlocation: https://elsewhere.invalid/\r\ncontent-length: 0\r\n\r\n";
    let (send, download) = fails(Script::once(text)).await;
    assert_eq!((send.status(), download.status()), (Some(307), Some(307)));
}
