//! What others send to the trust: kept, handed over, and only then acknowledged.

use std::fs;

use letter_delivery::testkit::Trouble;
use letter_delivery::{InboundRecord, InboundState, Policy, Store as _};
use letter_gateway::{Acknowledge, InboundRoute, OutcomeLine, Receiver, Trust, Webhook};
use mesh_client::MessageId;
use mesh_testserver::{Fault, FaultAction};
use serde_json::Value;

use crate::feed::{Listener, SECRET, by_hl7, by_http};
use crate::support::{TRUST, World, mailbox, names, trust, workflow};

const OURS: &str = "TOC_DISCH_DMS";
const THEIRS: &str = "ANOTHER_SYSTEM";
const KETTERING: &[u8] = b"<?xml version=\"1.0\"?><Message>\xc3\xa9 of CANARYPATIENT</Message>";

fn routed(to: Receiver, acknowledge: Acknowledge) -> Trust {
    let mut trust = trust();
    let mut route = InboundRoute::new(vec![workflow(OURS)], to);
    route.acknowledge = acknowledge;
    trust.inbound = vec![route];
    trust
}

impl World {
    async fn receiving(to: Receiver, acknowledge: Acknowledge) -> Self {
        Self::with(routed(to, acknowledge), Policy::default()).await
    }

    fn sends(&self, kind: &str) -> MessageId {
        // In two chunks, as large messages come.
        let (one, two) = KETTERING.split_at(20);
        let chunks = vec![one.to_vec(), two.to_vec()];
        let (from, to) = (mailbox("STRANGER1"), mailbox(TRUST));
        self.server.deliver(&from, &to, &workflow(kind), chunks)
    }

    fn in_mesh(&self) -> usize {
        self.received(TRUST).len()
    }

    /// Looks into the mailbox, then hands over: taken in, handed over.
    async fn look(&self) -> (usize, usize) {
        let polled = self.gateway.poll().await.unwrap();
        let handed = self.gateway.hand_over_inbound().await.unwrap();
        (polled.received, handed.handed_over)
    }

    fn inbound(&self) -> InboundRecord {
        let rows = self.store.rows();
        assert_eq!(rows.inbound.len(), 1);
        rows.inbound.values().next().unwrap().clone()
    }
}

fn folder() -> (tempfile::TempDir, Receiver) {
    let folder = tempfile::tempdir().unwrap();
    let to = Receiver::Folder(folder.path().join("inbound"));
    fs::create_dir(folder.path().join("inbound")).unwrap();
    (folder, to)
}

#[tokio::test]
async fn design_5_rule_1_a_message_is_kept_handed_over_and_only_then_acknowledged() {
    let (place, to) = folder();
    let world = World::receiving(to, Acknowledge::HandedOver).await;
    let id = world.sends(OURS);
    let polled = world.gateway.poll().await.unwrap();
    assert_eq!(
        (polled.received, world.in_mesh()),
        (1, 1),
        "durable, not acknowledged"
    );
    assert_eq!(world.inbound().state, InboundState::Received);
    let handed = world.gateway.hand_over_inbound().await.unwrap();
    assert_eq!((handed.handed_over, world.in_mesh()), (1, 0));
    assert_eq!(world.inbound().state, InboundState::HandedOver);
    let at = place.path().join("inbound");
    let id = id.as_str();
    assert_eq!(names(&at), [format!("{id}.json"), format!("{id}.message")]);
    assert_eq!(
        fs::read(at.join(format!("{id}.message"))).unwrap(),
        KETTERING
    );
    let beside: Value =
        serde_json::from_slice(&fs::read(at.join(format!("{id}.json"))).unwrap()).unwrap();
    assert_eq!(
        (beside["workflow"].as_str(), beside["from"].as_str()),
        (Some(OURS), Some("STRANGER1"))
    );
    assert_eq!(beside["bytes"], KETTERING.len());
    assert_eq!(world.look().await, (0, 0));
    let events = ["inbound.received", "inbound.handed_over"].map(str::to_owned);
    assert_eq!(world.ledger(), events);
    assert!(!format!("{:?}", world.store.rows().events).contains("CANARY"));
    world.check();
}

#[tokio::test]
async fn nothing_is_acknowledged_that_is_not_durable() {
    let (_place, to) = folder();
    let world = World::receiving(to, Acknowledge::Stored).await;
    world.sends(OURS);
    world.store.set(Trouble::Unavailable);
    world.gateway.poll().await.unwrap_err();
    assert_eq!(world.in_mesh(), 1);
    world.store.set(Trouble::None);
    assert_eq!(world.look().await, (1, 1));
    assert_eq!(world.in_mesh(), 0);
}

#[tokio::test]
async fn a_system_that_is_down_gets_it_when_it_is_back_and_mesh_keeps_it_until_then() {
    let (place, to) = folder();
    let world = World::receiving(to, Acknowledge::HandedOver).await;
    let at = place.path().join("inbound");
    fs::remove_dir(&at).unwrap();
    world.sends(OURS);
    world.sends(OURS);
    assert_eq!(world.look().await, (2, 0));
    for _ in 0..3 {
        assert_eq!(world.look().await, (0, 0), "known, though not acknowledged");
    }
    assert_eq!((world.in_mesh(), world.count("inbound.received")), (2, 2));
    let downloads = world.server.log();
    let downloads = downloads
        .iter()
        .filter(|one| one.method == "GET" && one.path.contains("/inbox/"));
    assert_eq!(downloads.count(), 4, "two chunks each, once");
    fs::create_dir(&at).unwrap();
    world.later(60);
    assert_eq!(world.look().await, (0, 2));
    assert_eq!((world.in_mesh(), names(&at).len()), (0, 4));
    world.check();
}

#[tokio::test]
async fn stored_acknowledges_at_once_and_hands_over_all_the_same() {
    let (place, to) = folder();
    let world = World::receiving(to, Acknowledge::Stored).await;
    let at = place.path().join("inbound");
    fs::remove_dir(&at).unwrap();
    world.sends(OURS);
    assert_eq!(world.look().await, (1, 0));
    assert_eq!(world.in_mesh(), 0);
    fs::create_dir(&at).unwrap();
    world.later(60);
    assert_eq!(world.look().await, (0, 1));
    assert_eq!(names(&at).len(), 2);
    world.check();
}

#[tokio::test]
async fn rule_8_another_systems_messages_are_left_alone_until_they_are_declared_ours() {
    let (place, to) = folder();
    let mut world = World::receiving(to.clone(), Acknowledge::HandedOver).await;
    world.sends(THEIRS);
    world.sends(OURS);
    for _ in 0..3 {
        world.look().await;
    }
    assert_eq!((world.in_mesh(), world.count("inbox.left_alone")), (1, 1));
    // Another process with the same settings leaves it alone, and does not note it again.
    world.restart_with(routed(to.clone(), Acknowledge::HandedOver));
    let polled = world.gateway.poll().await.unwrap();
    assert_eq!((polled.left_alone, world.count("inbox.left_alone")), (1, 1));
    let mut both = routed(to, Acknowledge::HandedOver);
    both.inbound[0].workflows.push(workflow(THEIRS));
    world.restart_with(both);
    assert_eq!(world.look().await, (1, 1));
    assert_eq!(
        (world.in_mesh(), names(&place.path().join("inbound")).len()),
        (0, 4)
    );
    world.check();
}

#[tokio::test]
async fn a_process_that_dies_at_any_commit_loses_nothing_and_names_it_the_same() {
    for commits in 0..3 {
        let (place, to) = folder();
        let mut world = World::receiving(to.clone(), Acknowledge::HandedOver).await;
        world.sends(OURS);
        world.store.set(Trouble::DiesAfter(commits));
        if world.gateway.poll().await.is_ok() {
            let _ = world.gateway.hand_over_inbound().await;
        }
        let durable = world.count("inbound.handed_over");
        assert_eq!(world.in_mesh(), 1 - durable, "never acknowledged before");
        world.store.set(Trouble::None);
        world.restart_with(routed(to, Acknowledge::HandedOver));
        world.look().await;
        assert_eq!(world.in_mesh(), 0, "{commits}");
        assert_eq!(names(&place.path().join("inbound")).len(), 2);
        assert_eq!(world.count("inbound.received"), 1);
        assert_eq!(world.count("inbound.handed_over"), 1);
        world.check();
    }
}

#[tokio::test]
async fn an_acknowledgement_of_mesh_that_failed_is_made_again() {
    let (_place, to) = folder();
    let world = World::receiving(to, Acknowledge::HandedOver).await;
    world.sends(OURS);
    world.gateway.poll().await.unwrap();
    world
        .server
        .fault(Fault::new("PUT", "*/inbox/*", FaultAction::status(503)));
    let handed = world.gateway.hand_over_inbound().await.unwrap();
    assert_eq!(
        (handed.handed_over, handed.failed, world.in_mesh()),
        (1, 1, 1)
    );
    assert_eq!(world.look().await, (0, 0));
    assert_eq!(
        (world.in_mesh(), world.count("inbound.handed_over")),
        (0, 1)
    );
}

#[tokio::test]
async fn an_hl7_system_may_refuse_for_good_and_a_person_has_it_handed_over_again() {
    let listener = Listener::start(true, &["AE", "AR", "AA"], by_hl7).await;
    let to = Receiver::Mllp(OutcomeLine::new(listener.address));
    let world = World::receiving(to, Acknowledge::HandedOver).await;
    world.sends(OURS);
    assert_eq!(world.look().await, (1, 0));
    world.later(60);
    assert_eq!(world.look().await, (0, 0));
    let held = world.inbound();
    assert_eq!(
        (held.state, held.reason.as_deref()),
        (InboundState::Held, Some("AR"))
    );
    assert!(held.needs_person() && held.act_by().is_some());
    world.later(600);
    assert_eq!(world.look().await, (0, 0), "only a person moves it on");
    let person = letter_delivery::testkit::keys().account("unix:1001");
    let mut engine = letter_delivery::Engine::new(
        letter_delivery::testkit::keys(),
        Policy::default(),
        Box::new(letter_gateway::SystemEntropy::default()),
    );
    let now = held.entered_at + chrono::Duration::hours(10);
    let reason = letter_delivery::Reason::parse("interface-mended").unwrap();
    let commit = engine.hand_over_again(now, held, &person, &reason);
    world.store.commit(commit).await.unwrap();
    world.later(600);
    assert_eq!(world.look().await, (0, 1));
    assert_eq!(world.in_mesh(), 0);
    let again = engine.hand_over_again(now, world.inbound(), &person, &reason);
    assert!(again.is_empty(), "what was handed over is not held");
    let heard = listener.heard();
    assert_eq!(heard.len(), 3);
    assert!(heard.iter().all(|one| one.contains("MDM^T02^MDM_T02|LBI")
        && one
            == &heard[0].replace(
                heard[0].split('|').nth(6).unwrap(),
                one.split('|').nth(6).unwrap()
            )));
    world.check();
}

#[tokio::test]
async fn an_http_system_gets_the_content_with_its_names_and_our_signature() {
    let listener = Listener::start(false, &["503 Later", "200 OK"], by_http).await;
    let url = format!("http://{}/inbound", listener.address);
    let to = Receiver::Webhook(Webhook::new(&url, SECRET, None).unwrap());
    let world = World::receiving(to, Acknowledge::HandedOver).await;
    let id = world.sends(OURS);
    assert_eq!(world.look().await, (1, 0));
    world.later(60);
    assert_eq!(world.look().await, (0, 1));
    let heard = listener.heard();
    let (head, body) = heard[1].split_once("\r\n\r\n").unwrap();
    assert_eq!(body.as_bytes(), KETTERING);
    for line in [
        format!("letterbox-message-id: {}", id.as_str()),
        format!("letterbox-workflow: {OURS}"),
        "letterbox-from: STRANGER1".to_owned(),
        format!("letterbox-mailbox: {TRUST}"),
    ] {
        assert!(head.contains(&line), "{line}: {head}");
    }
    assert!(head.contains("letterbox-signature: t=") && head.contains("idempotency-key: "));
    assert!(!head.contains("CANARY"));
}

#[tokio::test]
async fn a_run_takes_in_and_hands_over_beside_all_else() {
    let (place, to) = folder();
    let world = World::receiving(to, Acknowledge::HandedOver).await;
    world.sends(OURS);
    world.hand_over("1.txt", crate::support::letters::report("W-1", "Rest"));
    let summary = world.run_once().await;
    assert_eq!(
        (summary.received, summary.handed_over, summary.accepted),
        (1, 1, 1)
    );
    assert_eq!((summary.inbound_waiting, summary.inbound_held), (0, 0));
    assert_eq!(names(&place.path().join("inbound")).len(), 2);
    fs::remove_dir_all(place.path()).unwrap();
    world.sends(OURS);
    let summary = world.run_once().await;
    assert_eq!((summary.received, summary.inbound_waiting), (1, 1));
    world.check();
}
