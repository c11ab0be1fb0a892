//! Whoever changes the database by hand is found, by the rule that names what was done.

use std::path::{Path, PathBuf};

use audit_core::{Data, StreamKey, VerifierKey};
use chrono::Duration;
use letter_delivery::CopyState;
use letter_store::{MasterKey, SqliteStore, StoreFault, StoreVerification, VerifyAgainst};
use rusqlite::Connection;

use crate::changes::CHANGES;
use crate::support::Desk;

/// A store of a few hundred events in all states, closed, to be copied and changed.
pub(crate) struct Base {
    folder: tempfile::TempDir,
    pub(crate) key: MasterKey,
    pub(crate) trusted: Vec<VerifierKey>,
    latest: String,
    /// The store as it was half way.
    older: tempfile::TempDir,
}

const FILES: [&str; 3] = ["rxx.db", "rxx.keys.db", "rxx.checkpoints.txt"];

impl Base {
    pub(crate) fn new(seed: u64) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(Self::play(seed))
    }

    async fn play(seed: u64) -> Self {
        let mut desk = Desk::new(seed);
        desk.is_lucky = false;
        let older = tempfile::tempdir().unwrap();
        for round in 0..6 {
            for number in 0..6 {
                desk.take(&format!("D-{number}"), &format!("text {round}"))
                    .await;
            }
            for number in 0..5 {
                desk.take(&format!("D-{round}-{number}"), "text").await;
            }
            desk.work_off().await;
            desk.sign().await.unwrap();
            if round == 3 {
                copy_open(&desk, older.path());
            }
            desk.now += Duration::minutes(90);
            desk.work_off().await;
        }
        let views = desk.store().letters(Default::default()).await.unwrap();
        let mut copies = views.iter().flat_map(|view| &view.copies);
        let sent = copies.find(|copy| copy.state == CopyState::Accepted);
        desk.report(sent.unwrap().key).await.unwrap();
        let note = desk.engine.note(desk.now, "ods.loaded", Data::new());
        letter_delivery::Store::commit(desk.store(), note)
            .await
            .unwrap();
        // Work that still waits.
        desk.take("D-last", "text").await;
        let latest = desk.sign().await.unwrap();
        desk.assert_clean().await;
        assert!(desk.store().tree().await.unwrap().size > 250);
        desk.close();
        let trusted = vec![desk.signer().verifier_key()];
        let raw = desk.raw();
        raw.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .unwrap();
        drop(raw);
        Self {
            folder: desk.folder,
            key: desk.key,
            trusted,
            latest,
            older,
        }
    }

    /// The newest checkpoint, as somebody outside keeps it.
    pub(crate) fn latest(&self) -> &str {
        &self.latest
    }

    pub(crate) fn older_path(&self) -> PathBuf {
        self.older.path().join("rxx.db")
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("rxx.db")
    }

    pub(crate) fn raw(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    pub(crate) fn copy(&self) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in FILES {
            std::fs::copy(self.folder.path().join(name), folder.path().join(name)).unwrap();
        }
        folder
    }

    pub(crate) fn verify(
        &self,
        path: &Path,
        checkpoints: Vec<String>,
    ) -> Option<StoreVerification> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let store = SqliteStore::open(path, &self.key).ok()?;
        let against = VerifyAgainst {
            trusted: self.trusted.clone(),
            checkpoints,
            now: None,
        };
        Some(runtime.block_on(store.verify(against)).unwrap())
    }

    /// What is found in a changed store; `None` when it cannot even be opened.
    pub(crate) fn faults_of(&self, path: &Path) -> Option<Vec<StoreFault>> {
        Some(self.verify(path, Vec::new())?.faults)
    }

    /// What is found after these statements.
    fn after(&self, sql: &str) -> Vec<StoreFault> {
        let folder = self.copy();
        let path = folder.path().join("rxx.db");
        let db = Connection::open(&path).unwrap();
        let changed = db.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}"));
        changed.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert!(db.total_changes() > 0, "{sql} changed nothing");
        drop(db);
        self.faults_of(&path).unwrap()
    }
}

/// Copies a store that is open.
fn copy_open(desk: &Desk, to: &Path) {
    for name in ["rxx.db", "rxx.keys.db"] {
        let from = Connection::open(desk.folder.path().join(name)).unwrap();
        let to = to.join(name);
        from.execute("VACUUM INTO ?1", [to.to_str().unwrap()])
            .unwrap();
    }
    let notes = "rxx.checkpoints.txt";
    std::fs::copy(desk.folder.path().join(notes), to.join(notes)).unwrap();
}

fn has(faults: &[StoreFault], rule: &str, seq: Option<u64>) -> bool {
    faults
        .iter()
        .any(|fault| fault.rule == rule && (seq.is_none() || fault.seq == seq))
}

#[test]
fn audit_6_every_change_is_found_by_its_rule() {
    let base = Base::new(1);
    for (rule, seq, sql) in CHANGES {
        let faults = base.after(sql);
        assert!(has(&faults, rule, *seq), "{sql}: {rule} not in {faults:?}");
    }
}

#[test]
fn audit_6_a_changed_byte_of_any_event_names_the_event() {
    let base = Base::new(2);
    let folder = base.copy();
    let path = folder.path().join("rxx.db");
    let db = Connection::open(&path).unwrap();
    let events: Vec<(u64, Vec<u8>)> = db
        .prepare("SELECT seq, bytes FROM event")
        .unwrap()
        .query_map([], |row| {
            Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?))
        })
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let store = SqliteStore::open(&path, &base.key).unwrap();
    let write = |seq: u64, bytes: &[u8]| {
        let seq = i64::try_from(seq).unwrap();
        db.execute("UPDATE event SET bytes = ?2 WHERE seq = ?1", (seq, bytes))
            .unwrap();
    };
    for (seq, bytes) in events.iter().step_by(5) {
        let at = (usize::try_from(*seq).unwrap() * 31) % bytes.len();
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        write(*seq, &changed);
        let faults = runtime
            .block_on(store.verify(VerifyAgainst::default()))
            .unwrap()
            .faults;
        assert!(has(&faults, "V1", Some(*seq)), "event {seq}, byte {at}");
        write(*seq, bytes);
    }
}

#[test]
fn h15_a_forger_who_recomputes_every_digest_is_met_by_the_signed_root() {
    let base = Base::new(5);
    let folder = base.copy();
    let path = folder.path().join("rxx.db");
    let db = Connection::open(&path).unwrap();
    let sql = "SELECT seq, bytes FROM event WHERE seq = (SELECT max(seq) FROM event \
               WHERE stream = ?1)";
    let (seq, bytes): (i64, Vec<u8>) = db
        .query_row(sql, [StreamKey::LEDGER.as_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    let forged = String::from_utf8(bytes)
        .unwrap()
        .replace("ods.loaded", "ods.erased");
    let leaf = audit_core::leaf_hash(forged.as_bytes());
    let changed = db.execute(
        "UPDATE event SET bytes = ?2, leaf = ?3 WHERE seq = ?1",
        (seq, forged.as_bytes(), leaf.as_bytes()),
    );
    assert_eq!(changed.unwrap(), 1);
    drop(db);
    let faults = base.faults_of(&path).unwrap();
    assert!(!has(&faults, "V1", None), "the digests are in order");
    assert!(has(&faults, "V6", None));
    // And with the checkpoints removed too, by one that was kept elsewhere.
    let db = Connection::open(&path).unwrap();
    db.execute("DELETE FROM checkpoint", []).unwrap();
    drop(db);
    std::fs::remove_file(folder.path().join("rxx.checkpoints.txt")).unwrap();
    let verification = base.verify(&path, vec![base.latest.clone()]).unwrap();
    assert!(has(&verification.faults, "V9", None));
}

#[test]
fn audit_6_v11_contents_without_their_key_are_told() {
    let base = Base::new(6);
    let folder = base.copy();
    let keys = Connection::open(folder.path().join("rxx.keys.db")).unwrap();
    let first = "DELETE FROM data_key WHERE letter = (SELECT letter FROM data_key LIMIT 1)";
    assert_eq!(keys.execute(first, []).unwrap(), 1);
    drop(keys);
    let faults = base.faults_of(&folder.path().join("rxx.db")).unwrap();
    assert!(faults.iter().all(|fault| fault.rule == "V11"));
    assert!(
        faults
            .iter()
            .any(|fault| fault.what.contains("key is gone"))
    );
    assert!(faults.iter().any(|fault| fault.seq.is_some()));
}

#[test]
fn audit_6_v7_a_store_that_nobody_vouches_for_is_not_clean() {
    let base = Base::new(7);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let folder = base.copy();
    let store = SqliteStore::open(&folder.path().join("rxx.db"), &base.key).unwrap();
    let verification = runtime
        .block_on(store.verify(VerifyAgainst::default()))
        .unwrap();
    assert!(verification.faults.iter().all(|fault| fault.rule == "V7"));
    assert!(!verification.is_clean());
    assert_eq!(verification.provable_to, 0);
}

#[test]
fn audit_6_v10_events_that_stay_unsigned_are_told() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut desk = Desk::new(8);
        desk.take("D-1", "text").await;
        let mut against = desk.against();
        against.now = Some(desk.now + Duration::hours(2));
        let at_limit = desk.store().verify(against.clone()).await.unwrap();
        assert!(at_limit.is_clean(), "{:?}", at_limit.faults);
        against.now = Some(desk.now + Duration::hours(2) + Duration::milliseconds(1));
        let past = desk.store().verify(against).await.unwrap();
        assert!(has(&past.faults, "V10", Some(0)));
    });
}
