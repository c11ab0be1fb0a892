//! The suite against the server of this crate.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use mesh_client::{TlsIdentity, TrustAnchors};
use mesh_testserver::conformance::{Target, run_all};
use mesh_testserver::{PemPair, TestServer};
use nhs_types::{MailboxId, OdsCode, WorkflowId};

fn identity(pair: &PemPair) -> TlsIdentity {
    TlsIdentity::from_pem(pair.certificate.as_bytes(), pair.key.as_bytes()).unwrap()
}

#[tokio::test]
async fn every_case_holds() {
    let server = TestServer::start().await.unwrap();
    let credentials = |id: &str| server.credentials(&MailboxId::parse(id).unwrap()).unwrap();
    let certificates = server.certificates();
    let trust = TrustAnchors::from_pem(certificates.ca.as_bytes()).unwrap();
    let mut target = Target::new(
        &server.url(),
        (identity(&certificates.client), trust),
        (credentials("RT9OT001"), credentials("YGM24GP1")),
        (
            OdsCode::parse("A99991").unwrap(),
            WorkflowId::parse("TOC_OUTP_ATT_DMS").unwrap(),
        ),
    );
    target.stranger = Some(identity(&certificates.stranger));
    let results = run_all(&target).await;
    let failed: Vec<_> = results
        .iter()
        .filter(|result| result.outcome.is_err())
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(results.len() >= 20, "only {} cases", results.len());
    for id in ["RT9OT001", "YGM24GP1"] {
        assert!(
            server.mailbox(&MailboxId::parse(id).unwrap()).is_empty(),
            "{id} was left dirty"
        );
    }
}
