//! The whole way against the official sandbox, with a practice that is not ours.

use letterbox_tests::{Letter, Mesh, Site};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::python;

/// Issue "What must be shown" 2.
#[tokio::test(flavor = "multi_thread")]
async fn the_practice_gets_exactly_what_was_rendered_and_the_next_run_knows() {
    if python::skipped("the sandbox and the Python client") {
        return;
    }
    let sandbox = python::sandbox();
    let mesh = Mesh::sandbox(&sandbox);
    let site = Site::new(&mesh);
    for n in 1..=3 {
        site.hand_over(&Letter::new(n));
    }
    let _ = site.letterbox(&["check"]).exits(0);
    let _ = site.run_once().exits(0);

    let received = python::collect(&sandbox);
    assert_eq!(received.len(), 3);
    let ledger = site.ledger();
    for way in ledger.ways().await {
        assert_eq!(way.state(), "ACCEPTED");
        let copy = &way.view.copies[0];
        let message = received
            .iter()
            .find(|message| message["local_id"] == copy.local_id.as_str())
            .expect("a message with the copy's local id");
        let digest = Sha256::digest(ledger.artefact(&way).await);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(message["sha256"], Value::String(digest));
        assert_eq!(message["workflow_id"], "TOC_OUTP_ATT_DMS");
        assert_eq!(message["sender"], "RT9OT001");
    }

    let _ = site.run_once().exits(0);
    let lines = site.letterbox(&["status", "--json"]).exits(0).json();
    let states: Vec<_> = lines
        .iter()
        .map(|line| line["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["COLLECTED"; 3]);
    let _ = site.letterbox(&["audit", "verify"]).exits(0);
}
