//! What other organisations send to the trust, from MESH to its own systems.

use std::fs;
use std::time::Duration;

use letterbox_tests::{Dice, Letter, Mesh, Site};
use nhs_types::{MailboxId, WorkflowId};
use serde_json::Value;

const OURS: &str = "TOC_DISCH_DMS";
const MAILBOX: &str = "RT9OT001";
const KETTERING: &str = "<?xml version=\"1.0\"?><Message>ZEBEDEEX kumquatophobia</Message>";

/// A site that takes one workflow in and hands it over in a folder.
fn site(mesh: &Mesh, more: &str) -> Site {
    let site = Site::new(mesh);
    fs::create_dir_all(site.path("inbound")).unwrap();
    site.change_config(
        "[trust.routing]",
        &format!(
            "[[trust.inbound]]\nworkflows = [\"{OURS}\"]\nfolder = \"inbound\"\n{more}\n\
             [trust.routing]"
        ),
    );
    site.change_config(
        "[trust.delivery]",
        "[trust.delivery]\nlook_every_seconds = 1\npoll_every_seconds = 1",
    );
    site
}

fn send(mesh: &Mesh, workflow: &str, n: u32) -> String {
    let (from, to) = ("YGM24GP1", MAILBOX);
    let content = KETTERING.replace("ZEBEDEEX", &format!("ZEBEDEEX {n}"));
    let id = mesh.server().deliver(
        &MailboxId::parse(from).unwrap(),
        &MailboxId::parse(to).unwrap(),
        &WorkflowId::parse(workflow).unwrap(),
        vec![content.into_bytes()],
    );
    id.as_str().to_owned()
}

fn names(site: &Site) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(site.path("inbound"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_for_the_trust_are_handed_over_and_then_acknowledged() {
    let mesh = Mesh::start().await;
    let site = site(&mesh, "");
    let ours = send(&mesh, OURS, 1);
    send(&mesh, "ANOTHER_SYSTEM", 2);
    site.hand_over(&Letter::new(1));
    let run = site.letterbox(&["run", "--once", "--json"]);
    assert_eq!(run.code, Some(0), "{run:#?}");
    let said = &run.json()[0];
    assert_eq!(
        (&said["received"], &said["handed_over"]),
        (&Value::from(1), &Value::from(1))
    );
    assert_eq!(
        (&said["left_alone"], &said["accepted"]),
        (&Value::from(1), &Value::from(1))
    );
    assert_eq!(
        names(&site),
        [format!("{ours}.json"), format!("{ours}.message")]
    );
    let content = fs::read_to_string(site.path("inbound").join(format!("{ours}.message")));
    assert_eq!(
        content.unwrap(),
        KETTERING.replace("ZEBEDEEX", "ZEBEDEEX 1")
    );
    let left: Vec<_> = mesh
        .waiting(MAILBOX)
        .into_iter()
        .map(|one| one.workflow)
        .collect();
    assert_eq!(left.len(), 1, "only the other system's is left: {left:?}");
    assert_eq!(site.letterbox(&["audit", "verify"]).code, Some(0));
    // Canaries: sealed in the store, and nowhere in what was said.
    assert!(!run.said().contains("ZEBEDEEX"));
    for entry in fs::read_dir(site.path("data")).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("ZEBEDEEX"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_anywhere_between_mesh_and_the_record_system_nothing_is_lost() {
    let mesh = Mesh::start().await;
    let site = site(&mesh, "");
    let mut dice = Dice::new();
    let mut sent = Vec::new();
    for n in 0..15 {
        sent.push(send(&mesh, OURS, n));
        let running = site.start(&["run"]);
        std::thread::sleep(Duration::from_millis(dice.between(20, 900)));
        running.kill();
        // What MESH was told is gone is with the record system, whole.
        let waits: Vec<_> = mesh
            .waiting(MAILBOX)
            .into_iter()
            .map(|one| one.id)
            .collect();
        for id in &sent {
            let is_in_mesh = waits.iter().any(|one| one.as_str() == id);
            let is_here = names(&site).contains(&format!("{id}.json"));
            assert!(is_in_mesh || is_here, "{id}");
        }
    }
    assert_eq!(site.run_once().code, Some(0));
    let mut expected: Vec<_> = sent
        .iter()
        .flat_map(|id| [format!("{id}.json"), format!("{id}.message")])
        .collect();
    expected.sort();
    assert_eq!(names(&site), expected);
    assert!(mesh.waiting(MAILBOX).is_empty());
    assert_eq!(site.letterbox(&["audit", "verify"]).code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_system_that_is_down_holds_up_neither_letters_nor_messages() {
    let mesh = Mesh::start().await;
    let nobody = crate::mllp::free_address();
    let site = site(&mesh, "");
    site.change_config("folder = \"inbound\"", &format!("mllp = \"{nobody}\""));
    send(&mesh, OURS, 1);
    site.hand_over(&Letter::new(1));
    let run = site.letterbox(&["run", "--once", "--json"]);
    let said = &run.json()[0];
    assert_eq!(
        (&said["received"], &said["handed_over"]),
        (&Value::from(1), &Value::from(0))
    );
    assert_eq!(
        (&said["inbound_waiting"], &said["accepted"]),
        (&Value::from(1), &Value::from(1))
    );
    assert_eq!(
        mesh.waiting(MAILBOX).len(),
        1,
        "MESH keeps it until it was handed over"
    );
}

/// An HL7 listener that gives these answers, one connection after the other.
fn answering(address: std::net::SocketAddr, codes: &'static [&'static str]) {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind(address).unwrap();
    std::thread::spawn(move || {
        for code in codes {
            let (mut stream, _) = listener.accept().unwrap();
            let mut decoder = clinical_letter::MllpDecoder::new(64 * 1024);
            let mut buffer = [0; 4096];
            let message = loop {
                if let Some(frame) = decoder.next_frame() {
                    break String::from_utf8(frame.unwrap().message).unwrap();
                }
                let count = stream.read(&mut buffer).unwrap();
                decoder.push(buffer.get(..count).unwrap());
            };
            let control = message.split('|').nth(9).unwrap();
            let answer = format!("MSH|^~\\&|T|R|L|R|1||ACK|1|P|2.4\rMSA|{code}|{control}\r");
            let answer = clinical_letter::encode_frame(answer.as_bytes());
            stream.write_all(&answer).unwrap();
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_record_system_refuses_is_on_the_work_list_until_a_person_sends_it_again() {
    let mesh = Mesh::start().await;
    let address = crate::mllp::free_address();
    let site = site(&mesh, "");
    site.change_config("folder = \"inbound\"", &format!("mllp = \"{address}\""));
    send(&mesh, OURS, 1);
    answering(address, &["AR", "AA"]);
    assert_eq!(site.run_once().code, Some(3), "a person must act");
    let lines = site.letterbox(&["worklist", "--json"]).exits(0).json();
    assert_eq!(lines.len(), 1);
    let line = &lines[0];
    assert_eq!(
        (line["class"].as_str(), line["state"].as_str()),
        (Some("inbound"), Some("HELD"))
    );
    assert_eq!(
        (line["reason"].as_str(), &line["possible"][0]),
        (Some("AR"), &Value::from("resend"))
    );
    let id = line["letter"].as_str().unwrap();
    let again = site.letterbox(&["letter", "resend", id, "--reason", "interface-mended"]);
    assert_eq!(again.code, Some(0), "{again:#?}");
    assert_eq!(site.run_once().code, Some(0));
    assert!(mesh.waiting(MAILBOX).is_empty());
    let twice = site.letterbox(&["letter", "resend", id, "--reason", "once-more"]);
    assert_eq!(twice.code, Some(1), "{twice:#?}");
    assert_eq!(
        site.letterbox(&["worklist", "--json"])
            .exits(0)
            .json()
            .len(),
        0
    );
    assert_eq!(site.letterbox(&["audit", "verify"]).code, Some(0));
}
