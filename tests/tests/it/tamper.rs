//! One byte changed anywhere in the store's events is found, and its place is named.

use std::fs;

use letterbox_tests::{Letter, Mesh, Outcome, Site};
use rusqlite::{Connection, params};
use serde_json::Value;

/// A site through which a few letters went, with its database in one piece.
async fn site() -> Site {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    for n in 1..=3 {
        site.hand_over(&Letter::new(n));
    }
    site.hand_over(&Letter::new(4).unsigned());
    let _ = site.run_once().exits(0);
    let _ = mesh.collect("YGM24GP1");
    let _ = site.run_once().exits(0);
    whole(&site);
    site
}

/// Folds the write-ahead log into the database file.
fn whole(site: &Site) {
    let db = database(site);
    let _: i64 = db
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .unwrap();
}

fn database(site: &Site) -> Connection {
    Connection::open(site.path("data/rt9.db")).unwrap()
}

fn verify(site: &Site) -> Outcome {
    site.letterbox(&["audit", "verify", "--json"])
}

fn events(site: &Site) -> Vec<(u32, Vec<u8>)> {
    let db = database(site);
    let mut rows = db
        .prepare("SELECT seq, bytes FROM event ORDER BY seq")
        .unwrap();
    let events = rows
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    events.map(Result::unwrap).collect()
}

/// Whether the answer says "not clean" in the shape of design section 8, and names the event.
fn names(outcome: &Outcome, seq: u32) -> bool {
    assert_eq!(outcome.code, Some(1), "event {seq}: {outcome:#?}");
    let answer = &outcome.json()[0];
    assert_eq!(answer["clean"], Value::Bool(false));
    for member in ["events", "root", "checkpoint_size", "provable_to"] {
        assert!(answer.get(member).is_some(), "{member}: {answer}");
    }
    let faults = answer["faults"].as_array().unwrap();
    for fault in faults {
        assert!(fault["rule"].as_str().unwrap().starts_with('V'), "{fault}");
        assert!(fault["what"].is_string(), "{fault}");
    }
    faults
        .iter()
        .any(|fault| fault["seq"].as_u64() == Some(u64::from(seq)))
}

#[tokio::test(flavor = "multi_thread")]
async fn design_8_a_clean_ledger_says_so() {
    let site = site().await;
    let answer = &verify(&site).exits(0).json()[0];
    assert_eq!(answer["clean"], Value::Bool(true));
    let events = answer["events"].as_u64().unwrap();
    assert_eq!(answer["checkpoint_size"].as_u64(), Some(events));
    assert_eq!(answer["provable_to"].as_u64(), Some(events));
    assert_eq!(answer["root"].as_str().unwrap().len(), 64);
    assert_eq!(answer["faults"], Value::Array(Vec::new()));
    let said = site.letterbox(&["audit", "verify"]).exits(0).stdout;
    assert!(said.starts_with("RT9: verified, "), "{said}");
}

/// Issue "What must be shown" 5, by SQL: the digest of the row does not fit any more either.
#[tokio::test(flavor = "multi_thread")]
async fn one_byte_of_any_event_changed_by_sql_is_found_and_named() {
    let site = site().await;
    for (seq, bytes) in events(&site) {
        let mut changed = bytes.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        let set = "UPDATE event SET bytes = ?1 WHERE seq = ?2";
        database(&site).execute(set, params![changed, seq]).unwrap();
        let outcome = verify(&site);
        assert!(names(&outcome, seq), "event {seq}: {outcome:#?}");
        database(&site).execute(set, params![bytes, seq]).unwrap();
    }
    let _ = verify(&site).exits(0);
}

/// The same in the file itself, past SQLite: the first, the middle or the last byte of each event.
/// Where the database once moved a row, what it left behind is nobody's event.
#[tokio::test(flavor = "multi_thread")]
async fn one_byte_of_any_event_changed_in_the_file_is_found_and_named() {
    let site = site().await;
    let path = site.path("data/rt9.db");
    let file = fs::read(&path).unwrap();
    for (seq, bytes) in events(&site) {
        let length = bytes.len();
        let offset = [0, length / 2, length - 1][usize::try_from(seq % 3).unwrap()];
        let places = file
            .windows(length)
            .enumerate()
            .filter(|(_, part)| *part == bytes);
        let outcomes: Vec<_> = places
            .map(|(at, _)| {
                let mut changed = file.clone();
                changed[at + offset] ^= 0x04;
                fs::write(&path, &changed).unwrap();
                verify(&site)
            })
            .collect();
        let found = outcomes.iter().filter(|outcome| outcome.code != Some(0));
        let found: Vec<_> = found.map(|outcome| names(outcome, seq)).collect();
        assert_eq!(found, [true], "event {seq}: {outcomes:#?}");
    }
    fs::write(&path, &file).unwrap();
    let _ = verify(&site).exits(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_taken_out_put_in_or_moved_is_found() {
    let site = site().await;
    let path = site.path("data/rt9.db");
    let file = fs::read(&path).unwrap();
    let last = events(&site).last().unwrap().0;
    for sql in [
        format!("DELETE FROM event WHERE seq = {last}"),
        "DELETE FROM event WHERE seq = 3".to_owned(),
        "UPDATE event SET seq = 1000 WHERE seq = 3".to_owned(),
        "UPDATE event SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE seq IN (2, 3); \
         UPDATE event SET seq = -seq WHERE seq < 0"
            .to_owned(),
        "DELETE FROM checkpoint".to_owned(),
        "DELETE FROM letter WHERE rowid IS NOT NULL".to_owned(),
    ] {
        let done = database(&site).execute_batch(&sql);
        if done.is_ok() {
            let outcome = verify(&site);
            assert_eq!(outcome.code, Some(1), "{sql}: {outcome:#?}");
        }
        whole(&site);
        fs::write(&path, &file).unwrap();
    }
    let _ = verify(&site).exits(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_kept_outside_tells_a_store_that_was_rolled_back_whole() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    site.hand_over(&Letter::new(1));
    let _ = site.run_once().exits(0);
    whole(&site);
    let older: Vec<_> = ["rt9.db", "rt9.keys.db", "rt9.checkpoints.txt"]
        .map(|name| (name, fs::read(site.path("data").join(name)).unwrap()))
        .into();

    site.hand_over(&Letter::new(2));
    let _ = site.run_once().exits(0);
    let notes = fs::read_to_string(site.path("data/rt9.checkpoints.txt")).unwrap();
    let notes: Vec<_> = notes.split_inclusive("\n\n").collect();
    let (signatures, body) = (notes[notes.len() - 1], notes[notes.len() - 2]);
    let kept = format!("{body}{}\n", signatures.trim_end());
    site.write("kept-elsewhere.txt", &kept);
    let arguments = [
        "audit",
        "verify",
        "--json",
        "--checkpoint",
        "kept-elsewhere.txt",
    ];
    let _ = site.letterbox(&arguments).exits(0);

    let forged = kept.replacen("\n", "\n1", 1);
    site.write("forged.txt", forged);
    let _ = site
        .letterbox(&["audit", "verify", "--checkpoint", "forged.txt"])
        .exits(1);
    let _ = site
        .letterbox(&["audit", "verify", "--checkpoint", "missing.txt"])
        .exits(2);

    whole(&site);
    for (name, bytes) in older {
        fs::write(site.path("data").join(name), bytes).unwrap();
    }
    let _ = site.letterbox(&["audit", "verify"]).exits(0);
    let found = site.letterbox(&arguments).exits(1);
    assert_eq!(found.json()[0]["clean"], Value::Bool(false));

    // The file beside the store is younger than the store: nothing is sent from an old copy.
    site.write("data/rt9.checkpoints.txt", format!("{kept}\n"));
    site.hand_over(&Letter::new(3));
    let refused = site.run_once().exits(4);
    assert!(
        refused
            .stderr
            .contains("an older copy was put in its place"),
        "{refused:#?}"
    );
    assert_eq!(mesh.sends(), 2);
}
