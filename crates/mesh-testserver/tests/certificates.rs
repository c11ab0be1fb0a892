//! Mutual TLS, with every certificate that can be wrong (mesh-api section 2).
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use mesh_client::{
    CertificateFault, Client, Disposition, Error, OutgoingMessage, TlsIdentity, TrustAnchors,
};
use mesh_testserver::{PemPair, TestServer};
use nhs_types::{MailboxId, WorkflowId};

fn mailbox() -> MailboxId {
    MailboxId::parse("RT9OT001").unwrap()
}

fn message() -> OutgoingMessage {
    let workflow = WorkflowId::parse("TOC_OUTP_ATT_DMS").unwrap();
    OutgoingMessage::new(MailboxId::parse("YGM24GP1").unwrap(), workflow, "a letter").unwrap()
}

fn identity(pair: &PemPair) -> TlsIdentity {
    TlsIdentity::from_pem(pair.certificate.as_bytes(), pair.key.as_bytes()).unwrap()
}

fn client(server: &TestServer, identity: Option<TlsIdentity>, ca: &str) -> Client {
    let trust = TrustAnchors::from_pem(ca.as_bytes()).unwrap();
    let credentials = server.credentials(&mailbox()).unwrap();
    let builder = Client::builder(&server.url(), credentials).trust(trust);
    match identity {
        Some(identity) => builder.identity(identity).build().unwrap(),
        None => builder.build().unwrap(),
    }
}

/// Tries a send and a read, both of which must fail alike, and gives the text.
async fn refused(client: &Client) -> (CertificateFault, String) {
    let send = client.send(&message()).await.unwrap_err();
    let read = client.inbox().await.unwrap_err();
    for error in [&send, &read] {
        assert_eq!(error.disposition(), Disposition::Refused, "{error:?}");
        assert!(error.is_configuration());
    }
    let text = send.to_string();
    match send {
        Error::Certificate { fault, .. } => (fault, text),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn no_client_certificate() {
    let server = TestServer::start().await.unwrap();
    let client = client(&server, None, &server.certificates().ca);
    let (fault, text) = refused(&client).await;
    assert_eq!(fault, CertificateFault::ClientMissing);
    assert!(
        text.contains("demands a client certificate: configure"),
        "{text}"
    );
    assert!(server.log().is_empty(), "nothing may be taken");
}

#[tokio::test]
async fn the_certificate_of_a_stranger() {
    let server = TestServer::start().await.unwrap();
    let stranger = identity(&server.certificates().stranger);
    let (fault, text) = refused(&client(&server, Some(stranger), &server.certificates().ca)).await;
    assert!(
        matches!(fault, CertificateFault::ClientRefused { .. }),
        "{fault:?}"
    );
    assert!(
        text.contains("check that it was issued for this environment"),
        "{text}"
    );
    assert!(!text.contains("it expired at"), "{text}");
    assert!(server.log().is_empty(), "nothing may be taken");
}

#[tokio::test]
async fn an_expired_client_certificate() {
    let server = TestServer::start().await.unwrap();
    let expired = identity(&server.certificates().expired);
    let (_, text) = refused(&client(&server, Some(expired), &server.certificates().ca)).await;
    assert!(
        text.ends_with("; it expired at 2021-01-01 00:00:00 UTC"),
        "{text}"
    );
    assert!(server.log().is_empty(), "nothing may be taken");
}

#[tokio::test]
async fn a_server_for_another_name() {
    let names = ["elsewhere.example"];
    let server = TestServer::builder()
        .sample_mailboxes()
        .server_names(&names)
        .start()
        .await;
    let server = server.unwrap();
    let own = identity(&server.certificates().client);
    let (_, text) = refused(&client(&server, Some(own), &server.certificates().ca)).await;
    assert!(text.contains("it is for another host name"), "{text}");
    assert!(text.contains("check the address"), "{text}");
}

#[tokio::test]
async fn a_server_of_another_authority() {
    let server = TestServer::start().await.unwrap();
    let other = TestServer::start().await.unwrap();
    let own = identity(&server.certificates().client);
    let (_, text) = refused(&client(&server, Some(own), &other.certificates().ca)).await;
    assert!(
        text.contains("the service's certificate is not acceptable"),
        "{text}"
    );
}

#[tokio::test]
async fn a_port_that_does_not_speak_tls() {
    let plain = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = plain.local_addr().unwrap().port();
    tokio::spawn(async move {
        use tokio::io::AsyncWriteExt as _;
        while let Ok((mut stream, _)) = plain.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let server = TestServer::start().await.unwrap();
    let trust = TrustAnchors::from_pem(server.certificates().ca.as_bytes()).unwrap();
    let credentials = server.credentials(&mailbox()).unwrap();
    let address = format!("https://localhost:{port}");
    let client = Client::builder(&address, credentials)
        .trust(trust)
        .build()
        .unwrap();
    let error = client.send(&message()).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::Retry { after: None });
    assert!(error.to_string().contains("does not speak TLS"), "{error}");
}

#[tokio::test]
async fn a_client_needs_to_be_told_whom_to_trust() {
    let server = TestServer::start().await.unwrap();
    let credentials = server.credentials(&mailbox()).unwrap();
    let error = Client::builder(&server.url(), credentials)
        .build()
        .unwrap_err();
    assert_eq!(error.disposition(), Disposition::Misuse);
    assert!(error.to_string().starts_with("trust: "), "{error}");
}
