//! Several `run` processes on one PostgreSQL database.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::time::{Duration, Instant};

use letter_delivery::CopyState;
use letter_store::testkit::Cluster;
use letter_store::{MasterKey, PostgresStore, StatusFilter};
use letterbox_tests::{Letter, Mesh, Plan, Site, TrustPlan};

const LETTERS: u32 = 60;
const PRACTICE: &str = "YGM24GP1";

/// A machine of the trust: its own folders and program, the same key and database.
fn machine(mesh: &Mesh, cluster: &Cluster) -> Site {
    let mut trust = TrustPlan::first();
    // Short, so that a dead machine's work comes back while the test looks.
    trust.delivery = "look_every_seconds = 1\nlease_seconds = 3\n".to_owned();
    let plan = Plan {
        trusts: vec![trust],
        store: Some(cluster.url()),
        ..Plan::default()
    };
    Site::planned(mesh, plan)
}

async fn open(cluster: &Cluster, site: &Site) -> PostgresStore {
    let key = fs::read_to_string(site.path("secrets/rt9.key")).unwrap();
    let key = MasterKey::from_hex(&key).unwrap();
    PostgresStore::open(cluster.settings("rt9"), &key)
        .await
        .unwrap()
}

/// States of the copies of all letters.
async fn states(store: &PostgresStore) -> Vec<CopyState> {
    let views = store.letters(StatusFilter::default()).await.unwrap();
    let copies = views.iter().flat_map(|view| &view.copies);
    copies.map(|copy| copy.state).collect()
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_runs_killed_half_way_changes_nothing_in_the_result() {
    let Some(cluster) = Cluster::start_durable() else {
        return;
    };
    let mesh = Mesh::start().await;
    let (first, second) = (machine(&mesh, &cluster), machine(&mesh, &cluster));
    for number in 1..=LETTERS {
        let site = if number % 2 == 0 { &first } else { &second };
        site.hand_over(&Letter::new(number));
    }
    let (killed, going_on) = (first.start(&["run"]), second.start(&["run"]));
    until("some are sent", || mesh.sends() >= 10);
    let sent = mesh.sends();
    killed.kill();
    assert!(sent < LETTERS as usize, "it was not half way: {sent}");
    // What the dead machine had not taken is handed over to the other.
    for name in first.names("in") {
        let text = fs::read(first.part("in").join(&name)).unwrap();
        second.put(&name, text);
    }

    let store = open(&cluster, &second).await;
    let begin = Instant::now();
    loop {
        let states = states(&store).await;
        if states == vec![CopyState::Accepted; LETTERS as usize] {
            break;
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "{states:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let ended = going_on.terminate().exits(0);
    assert!(!ended.stderr.contains("broke off"), "{ended:#?}");

    drop(store);
    let messages = mesh.waiting(PRACTICE);
    let mut ids: Vec<_> = messages
        .iter()
        .map(|message| format!("{:?}", message.local_id))
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(
        (messages.len(), ids.len()),
        (LETTERS as usize, LETTERS as usize)
    );
    for site in [&first, &second] {
        let verified = site.letterbox(&["audit", "verify", "--json"]).exits(0);
        let found = verified.json().remove(0);
        assert_eq!(found["clean"], true, "{found}");
        assert!(found.get("unsequenced").is_none(), "{found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_serves_the_commands_and_keeps_no_password_in_the_configuration() {
    let Some(cluster) = Cluster::start_durable() else {
        return;
    };
    let mesh = Mesh::start().await;
    let site = machine(&mesh, &cluster);
    site.hand_over(&Letter::new(1));
    let _ = site.run_once().exits(0);
    let status = site.letterbox(&["status", "--json"]).exits(0).json();
    assert_eq!(status.len(), 1, "{status:?}");
    let _ = site.letterbox(&["check"]).exits(0);
    let backup = site.letterbox(&["store", "backup", "kept"]).exits(2);
    assert!(backup.stderr.contains("pg_basebackup"), "{backup:#?}");

    // A server that may lose what it confirmed is refused.
    let Some(careless) = Cluster::start() else {
        return;
    };
    site.change_config(&cluster.url(), &careless.url());
    let refused = site.letterbox(&["check"]);
    assert!(refused.said().contains("fsync = off"), "{refused:#?}");
    let _ = site.run_once().exits(2);

    site.change_config(&careless.url(), "postgres://test:geheim@localhost/postgres");
    let refused = site.letterbox(&["check"]).exits(2);
    assert!(refused.stderr.contains("password_file"), "{refused:#?}");
    assert!(!refused.said().contains("geheim"), "{refused:#?}");
}
