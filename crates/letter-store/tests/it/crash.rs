//! A process that is killed at any moment loses nothing that it was told is durable.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use letter_delivery::{RefKind, Store as _};
use letter_store::{MasterKey, OpenError, SqliteStore};

use crate::support::{Desk, Seeded, engine};

/// Tells the test binary that it plays the process to be killed, and where.
const FOLDER: &str = "LETTERBOX_CRASH_FOLDER";
/// How often it is killed.
const ROUNDS: &str = "LETTERBOX_CRASH_ROUNDS";

fn child(folder: &Path, seed: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::commits_until_killed", "--nocapture"])
        .env(FOLDER, format!("{seed} {}", folder.display()))
        // What it makes for itself is removed with the folder.
        .env("TMPDIR", folder)
        .env("TMP", folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The process to be killed: it does nothing when it is run as a test.
#[tokio::test]
async fn commits_until_killed() {
    let Ok(told) = std::env::var(FOLDER) else {
        return;
    };
    let (seed, folder) = told.split_once(' ').unwrap();
    let seed: u64 = seed.parse().unwrap();
    let key = MasterKey::from_hex(&"5a".repeat(32)).unwrap();
    let store = SqliteStore::open(&Path::new(folder).join("rxx.db"), &key).unwrap();
    let _lock = store.lock_engine().await.unwrap();
    println!("locked");
    let mut desk = Desk::new(seed);
    desk.engine = engine(&key, seed);
    for round in 0.. {
        // A few at a time, so that the kill also meets a shared transaction.
        let documents: Vec<String> = (0..4).map(|n| format!("K-{seed}-{round}-{n}")).collect();
        let mut commits = Vec::new();
        for document in &documents {
            let intake = desk.intake(document, &format!("text of {document}"));
            commits.push(desk.engine.intake(desk.now, intake, None, None).commit);
        }
        let [a, b, c, d] = &commits[..] else { return };
        let commit = |commit: &letter_delivery::Commit| store.commit(commit.clone());
        let done = tokio::join!(commit(a), commit(b), commit(c), commit(d));
        for (document, done) in documents.iter().zip([done.0, done.1, done.2, done.3]) {
            done.unwrap();
            println!("acked {document}");
        }
        if round % 5 == 0 {
            let signer = desk.signer();
            store.sign(signer, desk.now).await.unwrap();
        }
    }
}

/// Reads what was acknowledged, and kills the process after so many lines or a moment later.
fn acknowledged(mut child: Child, lines: usize, pause: Duration) -> Vec<String> {
    let out = BufReader::new(child.stdout.take().unwrap());
    let mut acked = Vec::new();
    let mut left = lines;
    for line in out.lines().map_while(Result::ok) {
        if let Some(document) = line.strip_prefix("acked ") {
            acked.push(document.to_owned());
        }
        left = left.saturating_sub(1);
        if left == 0 {
            std::thread::sleep(pause);
            let _ = child.kill();
            left = usize::MAX;
        }
    }
    child.wait().unwrap();
    acked
}

#[tokio::test]
async fn what_was_acknowledged_survives_the_kill_at_any_moment() {
    let rounds = std::env::var(ROUNDS)
        .ok()
        .and_then(|text| text.parse().ok());
    let rounds: u64 = rounds.unwrap_or(20);
    let mut desk = Desk::new(1);
    let mut all = BTreeSet::new();
    let mut dice = Seeded::new(u64::from(std::process::id()));
    for round in 0..rounds {
        desk.close();
        let running = child(desk.folder.path(), round);
        let pause = Duration::from_micros(u64::try_from(dice.below(20_000)).unwrap());
        let acked = acknowledged(running, 8 + dice.below(40), pause);
        assert!(!acked.is_empty(), "round {round} acknowledged nothing");
        all.extend(acked);
        desk.reopen();
        drop(desk.store().lock_engine().await.unwrap());
        desk.assert_clean().await;
    }
    for document in &all {
        let index = desk.engine.keys().reference(RefKind::Document, document);
        let found = desk.store().find(RefKind::Document, index).await.unwrap();
        assert_eq!(found.len(), 1, "{document} was acknowledged and is lost");
    }
    let letters = desk.store().letters(Default::default()).await.unwrap();
    let known: BTreeSet<_> = letters
        .iter()
        .filter_map(|view| view.document.as_ref().map(|d| d.expose().clone()))
        .collect();
    assert_eq!(known.len(), letters.len());
    assert!(known.is_superset(&all));
    assert!(known.iter().all(|document| document.starts_with("K-")));
    println!(
        "{rounds} kills, {} acknowledged, {} there",
        all.len(),
        known.len()
    );
}

#[tokio::test]
async fn another_process_holds_the_lock_until_it_is_killed() {
    let mut desk = Desk::new(2);
    desk.close();
    let mut running = child(desk.folder.path(), 7);
    let mut out = BufReader::new(running.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("locked") {
        line.clear();
        assert!(
            out.read_line(&mut line).unwrap() > 0,
            "it never got the lock"
        );
    }
    let store = desk.reopen();
    let refused = store.lock_engine().await.unwrap_err();
    assert!(matches!(refused, OpenError::Locked { .. }));
    running.kill().unwrap();
    running.wait().unwrap();
    drop(out);
    let _lock = store.lock_engine().await.unwrap();
}
