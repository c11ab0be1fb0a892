//! Every projection is made anew from the ledger.

use audit_core::Data;
use chrono::Duration;
use letter_store::Rebuilt;
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::support::Desk;

/// Letters in many states, some in several versions.
async fn played(seed: u64, is_lucky: bool) -> Desk {
    let mut desk = Desk::new(seed);
    desk.is_lucky = is_lucky;
    for round in 0..3 {
        for number in 0..6 {
            desk.take(&format!("D-{number}"), &format!("text {round}"))
                .await;
            desk.take(&format!("D-{round}-{number}"), "text").await;
        }
        desk.work_off().await;
        desk.now += Duration::minutes(90);
        desk.work_off().await;
    }
    desk.take("D-last", "text").await;
    let note = desk.engine.note(desk.now, "ods.loaded", Data::new());
    letter_delivery::Store::commit(desk.store(), note)
        .await
        .unwrap();
    desk.sign().await.unwrap();
    desk.assert_clean().await;
    desk
}

async fn rebuild(desk: &Desk) -> Rebuilt {
    let lock = desk.store().lock_engine().await.unwrap();
    desk.store().rebuild(&lock, desk.now).await.unwrap()
}

/// Every byte of every row of a table.
fn rows(db: &Connection, table: &str) -> Vec<Vec<Value>> {
    let mut statement = db
        .prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2"))
        .unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|at| row.get(at)).collect());
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

const TABLES: [&str; 3] = ["letter", "copy", "document"];

fn projections(desk: &Desk) -> Vec<Vec<Vec<Value>>> {
    let db = desk.raw();
    TABLES.iter().map(|table| rows(&db, table)).collect()
}

fn change(desk: &Desk, sql: &str) {
    let db = desk.raw();
    db.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}"))
        .unwrap();
    assert!(db.total_changes() > 0, "{sql} changed nothing");
}

#[tokio::test]
async fn a_store_as_it_was_written_stays_byte_for_byte() {
    for seed in 1..4 {
        let desk = played(seed, false).await;
        let before = projections(&desk);
        let work = rows(&desk.raw(), "work");
        let done = rebuild(&desk).await;
        assert_eq!(
            (done.mended, done.removed, done.work, done.lost),
            (0, 0, 0, 0)
        );
        assert!(done.events > 100 && done.records > 20, "{done:?}");
        assert_eq!(projections(&desk), before);
        assert_eq!(rows(&desk.raw(), "work"), work);
        desk.assert_clean().await;
    }
}

#[tokio::test]
async fn every_row_that_is_lost_is_made_again_byte_for_byte() {
    let desk = played(5, true).await;
    let before = projections(&desk);
    for table in TABLES.iter().chain(&["work"]) {
        change(&desk, &format!("DELETE FROM {table}"));
    }
    let done = rebuild(&desk).await;
    let documents = rows(&desk.raw(), "document").len() as u64;
    assert_eq!(done.mended, done.records + documents);
    assert_eq!((done.removed, done.lost), (0, 0));
    assert!(done.work > 0);
    let after = projections(&desk);
    for (table, (after, before)) in TABLES.iter().zip(after.iter().zip(&before)) {
        assert_eq!(after.len(), before.len(), "{table}");
        for (after, before) in after.iter().zip(before) {
            assert_eq!(after, before, "{table}");
        }
    }
    desk.assert_clean().await;
}

#[tokio::test]
async fn rows_that_were_changed_by_hand_are_mended_and_strays_are_removed() {
    for sql in [
        "UPDATE copy SET practice = 'Y99999'",
        r#"UPDATE copy SET record = replace(record, '"series":1', '"series":2')"#,
        "UPDATE letter SET version = version + 7",
        "UPDATE document SET latest = 99",
        "DELETE FROM work",
        "INSERT INTO work SELECT randomblob(16), kind, due_at, earliest_at, tries, token, \
         lease_until, mac FROM work LIMIT 1",
        "INSERT INTO document SELECT randomblob(32), latest, letter, content, mac FROM document \
         LIMIT 1",
    ] {
        let desk = played(6, true).await;
        let before = projections(&desk);
        change(&desk, sql);
        assert!(!desk.verify().await.is_clean(), "{sql}");
        let done = rebuild(&desk).await;
        assert!(
            done.mended + done.removed + done.work > 0,
            "{sql}: {done:?}"
        );
        assert_eq!(projections(&desk), before, "{sql}");
        desk.assert_clean().await;
    }
}

#[tokio::test]
async fn a_ledger_that_cannot_be_read_changes_nothing() {
    let desk = played(7, true).await;
    change(
        &desk,
        "UPDATE event SET bytes = 'text' WHERE seq = 7; DELETE FROM work",
    );
    let before = projections(&desk);
    let lock = desk.store().lock_engine().await.unwrap();
    assert!(desk.store().rebuild(&lock, desk.now).await.is_err());
    assert_eq!(projections(&desk), before);
    assert!(rows(&desk.raw(), "work").is_empty());
}
