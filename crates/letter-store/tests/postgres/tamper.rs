//! Changes by someone who may do anything in the database and has no key.

use chrono::Duration;
use letter_delivery::{Commit, SeenMessage, Store as _};
use letter_store::PostgresStore;
use letter_store::testkit::Cluster;
use tokio_postgres::Client;

use crate::support::{
    Mesh, SCHEMA, Worker, against, assert_clean, key, open, raw_at, run, signer, start,
};

/// What is done to a store by hand, the rule that finds it, and the event it names.
const CHANGES: &[(&str, Option<u64>, &str)] = &[
    // The ledger.
    (
        "V1",
        Some(7),
        "UPDATE event SET leaf = sha256('x') WHERE seq = 7",
    ),
    ("V1", Some(7), "UPDATE event SET stream = 'x' WHERE seq = 7"),
    ("V1", Some(7), "UPDATE event SET lseq = 99 WHERE seq = 7"),
    ("V1", Some(7), "UPDATE event SET leaf = NULL WHERE seq = 7"),
    (
        "V2",
        Some(7),
        "UPDATE event SET bytes = 'text' WHERE seq = 7",
    ),
    (
        "V2",
        Some(7),
        "UPDATE event SET bytes = bytes || 'x' WHERE seq = 7",
    ),
    ("V3", Some(8), "DELETE FROM event WHERE seq = 7"),
    (
        "V6",
        None,
        "DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)",
    ),
    ("V6", None, "DELETE FROM event"),
    (
        "V6",
        None,
        "UPDATE event SET seq = NULL WHERE seq = (SELECT max(seq) FROM event)",
    ),
    ("V1", None, "UPDATE event SET seq = NULL WHERE seq = 7"),
    (
        "V3",
        Some(6),
        "UPDATE event SET seq = -1 WHERE seq = 5; UPDATE event SET seq = 5 WHERE seq = 6; \
         UPDATE event SET seq = 6 WHERE seq = -1",
    ),
    (
        "V1",
        Some(5),
        "UPDATE event e SET bytes = (SELECT bytes FROM event WHERE seq = 11 - e.seq) \
         WHERE seq IN (5, 6)",
    ),
    (
        "V1",
        None,
        "INSERT INTO event (stream, lseq, id, bytes, mac) \
         SELECT 'another', 0, id, bytes, sha256('x') FROM event LIMIT 1",
    ),
    ("V6", None, "UPDATE tree SET size = size - 1"),
    ("V6", None, "UPDATE tree SET hashes = ''"),
    ("V6", None, "DELETE FROM tree"),
    (
        "V7",
        None,
        "UPDATE checkpoint SET note = replace(note, 'rxx', 'ryy')",
    ),
    ("V1", None, "UPDATE checkpoint SET at = at + 1"),
    ("V1", None, "UPDATE checkpoint SET size = 1"),
    // Letters and copies.
    (
        "V1",
        None,
        "UPDATE letter SET record = replace(record, 'epr', 'lab')",
    ),
    ("V1", None, "UPDATE letter SET record = '{}'"),
    ("V12", None, "UPDATE letter SET state = 'WITHDRAWN'"),
    (
        "V12",
        None,
        "UPDATE letter SET record = replace(record, 'ROUTED', 'WITHDRAWN')",
    ),
    (
        "V12",
        None,
        "DELETE FROM letter WHERE key = (SELECT key FROM letter ORDER BY key LIMIT 1)",
    ),
    (
        "V1",
        None,
        "UPDATE letter SET needs_person = NOT needs_person",
    ),
    ("V1", None, "UPDATE letter SET due_at = 1"),
    ("V1", None, "UPDATE letter SET version = version + 10"),
    (
        "V1",
        None,
        "UPDATE copy SET record = replace(record, 'YGM24GP1', 'YGM24GP2')",
    ),
    ("V12", None, "UPDATE copy SET state = 'FILED'"),
    (
        "V12",
        None,
        "UPDATE copy SET record = replace(record, 'ACCEPTED', 'FILED')",
    ),
    (
        "V12",
        None,
        "DELETE FROM copy WHERE key = (SELECT key FROM copy ORDER BY key LIMIT 1)",
    ),
    ("V12", None, "DELETE FROM copy"),
    ("V1", None, "UPDATE copy SET message_id = 'another'"),
    ("V1", None, "UPDATE copy SET practice = 'A81009'"),
    (
        "V12",
        None,
        "UPDATE copy SET letter = 'x' WHERE key = (SELECT key FROM copy ORDER BY key LIMIT 1)",
    ),
    // What stands beside them.
    ("V1", None, "UPDATE document SET content = sha256('x')"),
    ("V12", None, "UPDATE document SET latest = latest + 1"),
    ("V12", None, "UPDATE document SET letter = 'x'"),
    (
        "V12",
        None,
        "DELETE FROM document WHERE key = (SELECT key FROM document ORDER BY key LIMIT 1)",
    ),
    ("V1", None, "UPDATE work SET due_at = due_at + 1000000000"),
    ("V1", None, "UPDATE work SET tries = tries + 1"),
    ("V1", None, "UPDATE work SET token = sha256('x')"),
    ("V1", None, "UPDATE work SET line = 'another'"),
    ("V1", None, "UPDATE work SET lane = 'replay'"),
    (
        "V12",
        None,
        "UPDATE work SET stream = 'x' WHERE stream = (SELECT stream FROM work ORDER BY stream LIMIT 1)",
    ),
    ("V12", None, "DELETE FROM work"),
    (
        "V11",
        None,
        "UPDATE payload SET sealed = set_byte(sealed, 20, 255 - get_byte(sealed, 20)) \
         WHERE id = (SELECT id FROM payload ORDER BY id LIMIT 1)",
    ),
    ("V11", None, "UPDATE payload SET sealed = ''"),
    (
        "V1",
        None,
        "UPDATE payload SET kind = 'letter' WHERE kind = 'source'",
    ),
    (
        "V11",
        None,
        "DELETE FROM payload WHERE id = (SELECT id FROM payload ORDER BY id LIMIT 1)",
    ),
    ("V11", None, "DELETE FROM payload"),
    (
        "V1",
        None,
        "UPDATE letter_ref SET idx = sha256('x') WHERE kind = 'document' AND \
         letter = (SELECT letter FROM letter_ref ORDER BY letter LIMIT 1)",
    ),
    (
        "V12",
        None,
        "DELETE FROM letter_ref WHERE kind = 'nhs-number'",
    ),
    ("V1", None, "UPDATE seen SET ours = NOT ours"),
    ("V1", None, "UPDATE letter SET mac = sha256('x')"),
    (
        "V1",
        None,
        "UPDATE copy SET mac = (SELECT mac FROM copy ORDER BY mac LIMIT 1)",
    ),
    // The keys.
    (
        "V11",
        None,
        "DELETE FROM rxx_keys.data_key WHERE letter = (SELECT letter FROM letter_ref ORDER BY letter LIMIT 1)",
    ),
    (
        "V11",
        None,
        "UPDATE rxx_keys.data_key SET wrapped = wrapped || 'x'",
    ),
    ("V1", None, "DELETE FROM key_check"),
    ("V1", None, "UPDATE key_check SET sealed = sealed || 'x'"),
    // The tables themselves.
    ("V1", None, "DROP INDEX copy_by_message"),
    ("V1", None, "ALTER TABLE letter ADD COLUMN more text"),
    ("V1", None, "CREATE TABLE more (id bigint)"),
    (
        "V1",
        None,
        "CREATE RULE quiet AS ON DELETE TO event DO INSTEAD NOTHING",
    ),
    (
        "V1",
        None,
        "CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; \
         CREATE TRIGGER quiet BEFORE DELETE ON event FOR EACH ROW EXECUTE FUNCTION quiet()",
    ),
    ("V1", None, "UPDATE store_version SET works_with = 99"),
    ("V1", None, "DELETE FROM store_version"),
];

/// Letters on their way, signed, with messages that were met.
async fn fill(store: &PostgresStore) {
    let mut worker = Worker::new(1);
    for number in 0..5 {
        let commit = worker.letter(&format!("DOC-{number}"));
        store.commit(commit).await.unwrap();
    }
    let mesh = Mesh::default();
    while worker.work(store, &mesh, start()).await.unwrap() > 0 {}
    let mut seen = Commit::default();
    seen.seen
        .push(SeenMessage::new("RXXOT001", "M-1", true, start()));
    store.commit(seen).await.unwrap();
    store.sign(signer(), start()).await.unwrap();
    // Not signed: one whose preparation waits.
    store.commit(worker.letter("DOC-9")).await.unwrap();
    store.sequence().await.unwrap();
}

/// Nobody may be connected to what is copied.
async fn copy_database(cluster: &Cluster) {
    let admin = raw_at(&cluster.url_of("template1")).await;
    let drop = "DROP DATABASE IF EXISTS changed WITH (FORCE)";
    admin.batch_execute(drop).await.unwrap();
    crate::support::until("the database is copied", || async {
        let copy = "CREATE DATABASE changed TEMPLATE postgres";
        admin.batch_execute(copy).await.is_ok()
    })
    .await;
}

/// Changes a store, and looks at it.
async fn found(store: &PostgresStore, admin: &Client, change: &str) -> Vec<(String, Option<u64>)> {
    // Whoever owns the database can switch the checks of references off.
    let free = "SET session_replication_role = replica";
    admin.batch_execute(free).await.unwrap();
    let changed = admin.batch_execute(change).await;
    if let Err(error) = changed {
        return vec![(format!("not changed: {error:?}"), None)];
    }
    let found = store.verify(against()).await;
    let found = found.unwrap_or_else(|error| panic!("{change}: {error}"));
    let faults = found.faults.into_iter();
    faults.map(|fault| (fault.rule, fault.seq)).collect()
}

/// Audit 6: every change is found, by the rule that is there for it.
#[test]
fn audit_6_every_change_is_found_by_its_rule() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    run(async {
        let store = open(&cluster).await;
        fill(&store).await;
        assert_clean(&store).await;
        drop(store);
        let mut missed = Vec::new();
        for (rule, seq, change) in CHANGES {
            copy_database(&cluster).await;
            let copy = raw_at(&cluster.url_of("changed")).await;
            let settings = cluster.settings_of("changed", SCHEMA);
            let store = PostgresStore::open(settings, &key()).await.unwrap();
            let faults = found(&store, &copy, change).await;
            let is_told =
                |(told, at): &(String, Option<u64>)| told == rule && (seq.is_none() || at == seq);
            if !faults.iter().any(is_told) {
                missed.push(format!(
                    "{change}: expected {rule} at {seq:?}, found {faults:?}"
                ));
            }
        }
        assert!(missed.is_empty(), "{}", missed.join("\n"));
    });
}

/// Audit 6, V10: what stays unsigned for long is told.
#[test]
fn audit_6_v10_events_that_stay_unsigned_are_told() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    run(async {
        let store = open(&cluster).await;
        fill(&store).await;
        let mut against = against();
        against.now = Some(start() + Duration::hours(3));
        let found = store.verify(against).await.unwrap();
        assert_eq!(found.faults[0].rule, "V10");
    });
}
