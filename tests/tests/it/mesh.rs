//! `mesh …`: the MESH API by hand, and its JSON (design section 8).

use std::fs;

use letterbox_tests::{Mesh, Site};
use serde_json::{Value, json};

use crate::commands::{members, text};

fn answer(site: &Site, arguments: &[&str]) -> Vec<Value> {
    site.letterbox(&[arguments, &["--json"]].concat())
        .exits(0)
        .json()
}

/// Sends a small file under a local id; gives the message's id.
fn send(site: &Site, to: &str, local_id: &str) -> String {
    site.write("page.xml", "<letter/>");
    let arguments = [
        "mesh",
        "send",
        "--to",
        to,
        "--workflow",
        "TEST",
        "--local-id",
        local_id,
        "page.xml",
    ];
    text(&answer(site, &arguments)[0], "message_id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn handshake_and_lookup() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    let greeted = answer(&site, &["mesh", "handshake"]);
    assert_eq!(greeted, [json!({"mailbox": "RT9OT001"})]);
    let found = answer(&site, &["mesh", "lookup", "A99991", "TOC_OUTP_ATT_DMS"]);
    assert_eq!(
        found,
        [json!({"mailbox_id": "YGM24GP1", "mailbox_name": "Practice one"})]
    );
    let _ = site
        .letterbox(&["mesh", "lookup", "A99991", "NO_SUCH"])
        .exits(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn track_by_either_id() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    let id = send(&site, "YGM24GP1", "MINE-1");
    let tracked = &answer(&site, &["mesh", "track", &id])[0];
    let expected = [
        "code",
        "description",
        "local_id",
        "message_id",
        "recipient",
        "status",
        "status_at",
    ];
    assert_eq!(members(tracked), expected);
    assert_eq!(
        (text(tracked, "status"), text(tracked, "recipient")),
        ("accepted", "YGM24GP1")
    );
    assert_eq!(
        &answer(&site, &["mesh", "track", "--local-id", "MINE-1"])[0],
        tracked
    );
    let _ = mesh.collect("YGM24GP1");
    assert_eq!(
        text(&answer(&site, &["mesh", "track", &id])[0], "status"),
        "acknowledged"
    );
    let _ = site
        .letterbox(&["mesh", "track", "--local-id", "NOT-MINE"])
        .exits(1);
    let _ = site.letterbox(&["mesh", "track"]).exits(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn inbox_get_and_acknowledge() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    let id = send(&site, "RT9OT001", "MINE-1");
    assert_eq!(
        answer(&site, &["mesh", "inbox"]),
        [json!({"message_id": id})]
    );

    let got = &answer(&site, &["mesh", "get", &id, "--out", "got.xml"])[0];
    assert_eq!(fs::read(site.path("got.xml")).unwrap(), b"<letter/>");
    assert_eq!(
        (text(got, "kind"), got["bytes"].as_u64()),
        ("data", Some(9))
    );
    assert_eq!(
        (text(got, "mex-messageid"), text(got, "mex-localid")),
        (id.as_str(), "MINE-1")
    );
    assert_eq!(text(got, "sha256").len(), 64);
    assert!(members(got).iter().all(|name| *name == name.to_lowercase()));

    let _ = answer(&site, &["mesh", "ack", &id]);
    assert!(answer(&site, &["mesh", "inbox"]).is_empty());
    let nobodys = "20200101000000000000_ABCDEF";
    let _ = site
        .letterbox(&["mesh", "get", nobodys, "--out", "x"])
        .exits(1);
    assert!(!site.path("x").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_says_what_it_is_about() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    let id = send(&site, "YGM24GP1", "MINE-2");
    let sent = &mesh.waiting("YGM24GP1")[0];
    let report = mesh.server().undeliverable(&sent.id).unwrap();
    let got = &answer(&site, &["mesh", "get", report.as_str(), "--out", "report"])[0];
    assert_eq!(
        (text(got, "kind"), text(got, "linked_message_id")),
        ("report", id.as_str())
    );
    assert_eq!((text(got, "local_id"), text(got, "code")), ("MINE-2", "14"));
    assert_eq!(text(got, "event"), "SEND");
    assert!(text(got, "description").contains("not collected"), "{got}");
}
