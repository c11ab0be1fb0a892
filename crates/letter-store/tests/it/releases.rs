//! The store of each release, kept as it was, is opened by this version: nothing of it is lost.

use std::path::{Path, PathBuf};

use audit_core::{Data, StreamKey};
use chrono::Duration;
use letter_delivery::{CopyRecord, LetterRecord, PayloadId, Store as _};
use letter_store::{LetterView, MasterKey, SqliteStore};
use serde::{Deserialize, Serialize};

use crate::support::Desk;

/// Asks for the store of this version, and names the folder it is written to.
const MAKE: &str = "LETTERBOX_MAKE_RELEASE";
const FILES: [&str; 3] = ["rxx.db", "rxx.keys.db", "rxx.checkpoints.txt"];

/// What a store holds, as its own API tells it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Held {
    size: u64,
    root: String,
    checkpoint: Option<String>,
    events: Vec<String>,
    letters: Vec<(LetterRecord, Vec<CopyRecord>, Option<String>)>,
    /// Letter, id and text of every content, all of them synthetic.
    contents: Vec<(String, String, String)>,
}

async fn held(store: &SqliteStore, path: &Path) -> Held {
    let tree = store.tree().await.unwrap();
    let raw = rusqlite::Connection::open(path).unwrap();
    let list = |sql: &str| -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut statement = raw.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    };
    let events = list("SELECT bytes, x'' FROM event ORDER BY seq").into_iter();
    let mut contents = Vec::new();
    for (letter, id) in list("SELECT letter, id FROM payload ORDER BY id") {
        let letter = StreamKey::from_bytes(letter.try_into().unwrap());
        let id: [u8; 16] = id.try_into().unwrap();
        let text = store.payload(letter, PayloadId::from_random(id)).await;
        let id = id.iter().map(|byte| format!("{byte:02x}")).collect();
        contents.push((
            letter.to_string(),
            id,
            String::from_utf8(text.unwrap()).unwrap(),
        ));
    }
    let letters = store.letters(Default::default()).await.unwrap().into_iter();
    Held {
        size: tree.size,
        root: tree.root.to_string(),
        checkpoint: store.checkpoint().await.unwrap(),
        events: events
            .map(|(bytes, _)| String::from_utf8(bytes).unwrap())
            .collect(),
        letters: letters.map(shown).collect(),
        contents,
    }
}

fn shown(view: LetterView) -> (LetterRecord, Vec<CopyRecord>, Option<String>) {
    let document = view.document.map(|number| number.expose().clone());
    (view.letter, view.copies, document)
}

/// Writes the store of this version when it is asked for; `tests/data/releases/README.md` says how.
#[tokio::test]
async fn the_store_of_this_version_is_made_when_it_is_asked_for() {
    let Some(folder) = std::env::var_os(MAKE).map(PathBuf::from) else {
        return;
    };
    let mut desk = Desk::new(2026);
    desk.is_lucky = false;
    for round in 0..2 {
        for number in 0..5 {
            desk.take(&format!("D-{number}"), &format!("text {round} of {number}"))
                .await;
        }
        desk.work_off().await;
        desk.sign().await.unwrap();
        desk.now += Duration::minutes(90);
        desk.work_off().await;
    }
    desk.take("D-9", "taken last").await;
    let note = desk.engine.note(desk.now, "ods.loaded", Data::new());
    desk.store().commit(note).await.unwrap();
    desk.sign().await.unwrap();
    desk.assert_clean().await;
    let held = held(desk.store(), &desk.path()).await;
    desk.close();
    let raw = desk.raw();
    raw.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    drop(raw);
    for name in FILES {
        std::fs::copy(desk.folder.path().join(name), folder.join(name)).unwrap();
    }
    std::fs::write(folder.join("key.txt"), desk.key.to_hex()).unwrap();
    let held = serde_json::to_string_pretty(&held).unwrap();
    std::fs::write(folder.join("held.json"), held + "\n").unwrap();
}

fn releases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/releases");
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut releases: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    releases.sort();
    releases
}

/// A copy of a release's store.
struct Copied {
    folder: tempfile::TempDir,
    key: MasterKey,
    held: Held,
}

impl Copied {
    fn of(release: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in FILES {
            std::fs::copy(release.join(name), folder.path().join(name)).unwrap();
        }
        let key = std::fs::read_to_string(release.join("key.txt")).unwrap();
        let held = std::fs::read_to_string(release.join("held.json")).unwrap();
        Self {
            folder,
            key: MasterKey::from_hex(&key).unwrap(),
            held: serde_json::from_str(&held).unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("rxx.db")
    }
}

#[tokio::test]
async fn the_store_of_every_release_opens_with_all_that_it_held() {
    assert!(!releases().is_empty());
    for release in releases() {
        let copied = Copied::of(&release);
        let store = SqliteStore::open(&copied.path(), &copied.key).unwrap();
        let now = held(&store, &copied.path()).await;
        assert_eq!(now, copied.held, "{}", release.display());
        let mut desk = Desk::new(7);
        let trusted = desk.against();
        let verification = store.verify(trusted.clone()).await.unwrap();
        assert!(verification.is_clean(), "{:?}", verification.faults);
        assert_eq!(verification.provable_to, copied.held.size);

        // It goes on from there, and what was signed then is a prefix of what is signed now.
        drop(store);
        desk.use_store(copied.folder, copied.key);
        desk.take("D-NEW", "taken by this version").await;
        desk.now += Duration::days(1);
        desk.work_off().await;
        desk.sign().await.unwrap();
        let mut against = trusted;
        against.checkpoints.extend(copied.held.checkpoint);
        let verification = desk.store().verify(against).await.unwrap();
        assert!(verification.is_clean(), "{:?}", verification.faults);
        assert!(verification.events > copied.held.size);
    }
}
