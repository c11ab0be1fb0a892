//! Stores are kept, brought back and taken from version to version.

use std::fs;
use std::path::Path;

use letterbox_tests::{Letter, Mesh, Site};

/// Puts the store of 0.1.0 in the place of the first trust's.
fn put_old_store(site: &Site) {
    let release = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../crates/letter-store/tests/data/releases/0.1.0");
    for end in ["db", "keys.db", "checkpoints.txt"] {
        let old = fs::read(release.join(format!("rxx.{end}"))).unwrap();
        site.write(&format!("data/rt9.{end}"), old);
    }
    let key = fs::read_to_string(release.join("key.txt")).unwrap();
    site.write_secret("secrets/rt9.key", &key);
}

#[tokio::test(flavor = "multi_thread")]
async fn design_7_a_store_of_an_older_version_is_migrated_when_someone_says_so() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    put_old_store(&site);
    let looked = site.letterbox(&["status"]).exits(2);
    assert!(
        looked.stderr.contains("letterbox store migrate"),
        "{looked:#?}"
    );

    let dry = site.letterbox(&["store", "migrate", "--dry-run"]).exits(0);
    assert!(dry.stdout.contains("RT9: schema 1 to 2"), "{dry:#?}");
    assert!(dry.stdout.contains("nothing was changed"), "{dry:#?}");
    let _ = site.letterbox(&["status"]).exits(2);

    let json = site.letterbox(&["store", "migrate", "--json"]).exits(0);
    assert_eq!(json.json()[0]["migrated"], true, "{json:#?}");
    let again = site.letterbox(&["store", "migrate"]).exits(0);
    assert!(again.stdout.contains("nothing to do"), "{again:#?}");
    let lines = site.letterbox(&["status", "--json"]).exits(0).json();
    assert!(lines.len() > 10, "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn design_7_a_run_takes_an_older_store_along() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    put_old_store(&site);
    let _ = site.run_once();
    let lines = site.letterbox(&["status", "--json"]).exits(0).json();
    assert!(lines.len() > 10, "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn design_6_store_backup_of_a_running_system() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    site.hand_over(&Letter::new(1));
    let _ = site.run_once().exits(0);

    let run = site.start(&["run"]);
    site.hand_over(&Letter::new(2));
    let told = site
        .letterbox(&["store", "backup", "kept", "--json"])
        .exits(0);
    let told = &told.json()[0];
    assert_eq!(told["clean"], true, "{told}");
    let folder = Path::new(told["folder"].as_str().unwrap()).to_owned();
    assert!(site.path("kept/letter-keys/rt9.keys.db").exists());
    assert!(site.folder().join(&folder).join("manifest.json").exists());
    let apart = site.letterbox(&["store", "backup", "kept", "--keys", "keys apart"]);
    let apart = apart.exits(0);
    assert!(apart.stdout.contains("verified"), "{apart:#?}");
    assert!(site.path("keys apart/rt9.keys.db").exists());
    let _ = run.terminate().exits(0);
    assert_eq!(fs::read_dir(site.path("kept/rt9")).unwrap().count(), 2);
}
