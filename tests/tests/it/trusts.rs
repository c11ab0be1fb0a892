//! Several trusts in one configuration: a fault of one never touches another.

use std::fs;

use letterbox_tests::{Letter, Mesh, Plan, Site, TrustPlan};

const PRACTICE: &str = "YGM24GP1";

fn two(mesh: &Mesh) -> Site {
    let trusts = vec![
        TrustPlan::first(),
        TrustPlan::new("RT8", "RT8OT001", "other-pw"),
    ];
    let site = Site::planned(
        mesh,
        Plan {
            trusts,
            ..Plan::default()
        },
    );
    fs::write(
        site.folder_of("RT9", "in").join("a.txt"),
        Letter::new(1).to_text(),
    )
    .unwrap();
    fs::write(
        site.folder_of("RT8", "in").join("b.txt"),
        Letter::new(1).to_text(),
    )
    .unwrap();
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn each_has_its_own_letters_keys_and_ledger() {
    let mesh = Mesh::start().await;
    let site = two(&mesh);
    let _ = site.run_once().exits(0);
    let messages = mesh.collect(PRACTICE);
    let mut senders: Vec<_> = messages
        .iter()
        .map(|one| one.from.clone().unwrap().to_string())
        .collect();
    senders.sort();
    assert_eq!(senders, ["RT8OT001", "RT9OT001"]);
    assert_ne!(
        messages[0].local_id, messages[1].local_id,
        "the same document number in each"
    );

    let lines = site.letterbox(&["status", "--json"]).exits(0).json();
    let trusts: Vec<_> = lines
        .iter()
        .map(|line| line["trust"].as_str().unwrap())
        .collect();
    assert_eq!(trusts, ["RT9", "RT8"]);
    let one = site
        .letterbox(&["--trust", "rt8", "status", "--json"])
        .exits(0)
        .json();
    assert_eq!(one.len(), 1);
    let verified = site
        .letterbox(&["audit", "verify", "--json"])
        .exits(0)
        .json();
    assert_eq!(verified.len(), 2);
    assert_ne!(verified[0]["root"], verified[1]["root"]);
    let asked = site.letterbox(&["mesh", "handshake"]).exits(2);
    assert!(asked.stderr.contains("--trust CODE"), "{asked:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_of_one_leaves_the_other_alone() {
    let mesh = Mesh::start().await;
    let site = two(&mesh);
    site.write_secret("secrets/rt9.password", "not this one");
    let outcome = site.run_once().exits(2);
    assert!(outcome.stderr.contains("RT9: "), "{outcome:#?}");
    assert!(!outcome.stderr.contains("RT8: "), "{outcome:#?}");
    let messages = mesh.collect(PRACTICE);
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].from.as_ref().unwrap().as_str(), "RT8OT001");
    assert_eq!(
        site.ledger_of("RT8").way("1118-0001").await.state(),
        "ACCEPTED"
    );

    site.write_secret("secrets/rt9.password", "trust:pass word&1");
    let _ = site.run_once().exits(0);
    assert_eq!(mesh.collect(PRACTICE).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_folder_or_key_of_one_leaves_the_other_alone() {
    let mesh = Mesh::start().await;
    let site = two(&mesh);
    fs::rename(site.folder_of("RT9", "in"), site.path("elsewhere")).unwrap();
    let outcome = site.run_once().exits(2);
    assert!(
        outcome.stderr.contains("RT9: cannot read the folder"),
        "{outcome:#?}"
    );
    assert_eq!(mesh.collect(PRACTICE).len(), 1);
    fs::rename(site.path("elsewhere"), site.folder_of("RT9", "in")).unwrap();

    let key = fs::read_to_string(site.path("secrets/rt8.key")).unwrap();
    site.write_secret("secrets/rt8.key", &"ee".repeat(32));
    let outcome = site.run_once().exits(2);
    assert!(
        outcome.stderr.contains("RT8: the key does not fit"),
        "{outcome:#?}"
    );
    assert_eq!(mesh.collect(PRACTICE).len(), 1, "RT9's letter went");
    site.write_secret("secrets/rt8.key", &key);
    let _ = site.run_once().exits(0);
}

/// Keys, ledgers and stops are apart: what is brought back, stopped or swapped of one is no matter
/// of the other's.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_of_one_stops_the_other_in_nothing() {
    let mesh = Mesh::start().await;
    let site = two(&mesh);
    let _ = site.run_once().exits(0);
    let _ = site.letterbox(&["store", "backup", "kept"]).exits(0);
    let other = fs::read(site.path("data/rt8.db")).unwrap();
    let restored = ["--trust", "rt9", "store", "restore", "kept", "--replace"];
    let _ = site.letterbox(&restored).exits(0);
    assert_eq!(fs::read(site.path("data/rt8.db")).unwrap(), other);

    for code in ["RT9", "RT8"] {
        let folder = site.folder_of(code, "in");
        fs::write(folder.join("c.txt"), Letter::new(2).to_text()).unwrap();
    }
    let _ = mesh.collect(PRACTICE);
    let outcome = site.run_once().exits(3);
    assert!(
        outcome.stderr.contains("RT9: the store was restored"),
        "{outcome:#?}"
    );
    let sent = mesh.collect(PRACTICE);
    let senders: Vec<_> = sent.iter().map(|one| one.from.clone().unwrap()).collect();
    assert_eq!(senders.len(), 1);
    assert_eq!(senders[0].as_str(), "RT8OT001");
    let _ = site.letterbox(&["audit", "verify"]).exits(0);

    // The store of one in the place of the other's opens with no key that is there.
    let (one, two) = (site.path("data/rt9.db"), site.path("data/rt8.db"));
    let aside = site.path("data/aside.db");
    fs::rename(&one, &aside).unwrap();
    fs::rename(&two, &one).unwrap();
    fs::rename(&aside, &two).unwrap();
    let swapped = site.run_once().exits(2);
    assert!(
        swapped.stderr.contains("RT9: the key does not fit"),
        "{swapped:#?}"
    );
    assert!(
        swapped.stderr.contains("RT8: the key does not fit"),
        "{swapped:#?}"
    );
}
