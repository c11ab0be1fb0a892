//! The same suite against the official sandbox, when this machine can run it.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests fail as tests do"
)]

use std::path::Path;
use std::process::Command;

use mesh_client::{Credentials, Secret, TlsIdentity};
use mesh_testserver::conformance::{Target, run_all};
use mesh_testserver::sandbox::{Sandbox, cache_folder, missing_program};
use nhs_types::{MailboxId, OdsCode, WorkflowId};

/// Says why nothing was tested; where everything must be there, that is a failure.
fn skip(reason: &str) {
    println!("skipped: MESH sandbox ({reason})");
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "the MESH sandbox must run in CI: {reason}"
    );
}

fn credentials(id: &str, password: &str, key: &str) -> Credentials {
    Credentials::new(
        MailboxId::parse(id).unwrap(),
        Secret::new(password),
        Secret::new(key),
    )
}

#[tokio::test]
async fn every_case_holds_against_the_official_sandbox() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers/mesh-sandbox/start");
    if !script.exists() {
        return skip("its script is not in this copy");
    }
    if let Some(program) = missing_program() {
        return skip(&format!("{program} is missing"));
    }
    let Some(cache) = cache_folder() else {
        return skip("no cache folder");
    };
    let sandbox = match Sandbox::start(&script, &cache) {
        Ok(sandbox) => sandbox,
        Err(error) => return skip(&error.to_string()),
    };
    let key = sandbox.value("MESH_SHARED_KEY").unwrap();
    let mut target = Target::new(
        sandbox.value("MESH_URL").unwrap(),
        (sandbox.identity().unwrap(), sandbox.trust().unwrap()),
        (
            credentials("RT9OT001", "trust:pass word&1", key),
            credentials("YGM24GP1", "gp-pw-1", key),
        ),
        (
            OdsCode::parse("A99991").unwrap(),
            WorkflowId::parse("TOC_OUTP_ATT_DMS").unwrap(),
        ),
    );
    a_pkcs1_key_is_read(&sandbox);
    target.stranger = Some(sandbox.stranger().unwrap());
    let results = run_all(&target).await;
    let failed: Vec<_> = results
        .iter()
        .filter(|result| result.outcome.is_err())
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    println!("{} cases held against the official sandbox", results.len());
}

/// openssl writes RSA keys in this form when it is asked for the traditional one.
fn a_pkcs1_key_is_read(sandbox: &Sandbox) {
    let key = sandbox.value("MESH_CLIENT_KEY").unwrap();
    let command = ["rsa", "-traditional", "-in", key];
    let converted = Command::new("openssl").args(command).output().unwrap();
    assert!(
        converted
            .stdout
            .starts_with(b"-----BEGIN RSA PRIVATE KEY-----")
    );
    let certificate = std::fs::read(sandbox.value("MESH_CLIENT_CERT").unwrap()).unwrap();
    TlsIdentity::from_pem(&certificate, &converted.stdout).unwrap();
}
