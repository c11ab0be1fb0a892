use super::*;

/// What SQLite would do to answer.
fn plan(db: &Connection, sql: &str) -> String {
    let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let mut rows = statement.raw_query();
    let mut plan: Vec<String> = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        plan.push(row.get(3).unwrap());
    }
    plan.join("; ")
}

fn store() -> Connection {
    let db = Connection::open_in_memory().unwrap();
    for sql in [
        include_str!("../schema/1.sql"),
        include_str!("../schema/2.sql"),
    ] {
        db.execute_batch(sql).unwrap();
    }
    db
}

/// Design section 6: every search uses an index, and none sorts what it found.
#[test]
fn every_search_begins_at_an_index() {
    let db = store();
    let any = || "any".to_owned();
    let asks = [
        (Ask::Practice(any()), "copy_by_practice"),
        (Ask::Time(0, 1), "letter_by_time"),
        (Ask::LettersNeed, "letter_by_need"),
        (Ask::CopiesNeed, "copy_by_need"),
        (Ask::LettersIn(any()), "letter_by_state"),
        (Ask::CopiesIn(any()), "copy_by_state"),
        (Ask::Source(any()), "letter_by_source"),
        (Ask::Class(any()), "letter_by_class"),
    ];
    let lists = [
        (super::super::lists::FIND, "PRIMARY KEY"),
        (super::super::lists::REFERENCE, "letter_ref_by_letter"),
        (super::super::lists::HISTORY, "sqlite_autoindex_event_1"),
        (super::super::lists::COPIES_OF, "sqlite_autoindex_copy_2"),
    ];
    let asked = asks.iter().map(|(ask, index)| (question(ask).0, *index));
    for (sql, index) in asked.chain(lists) {
        let plan = plan(&db, sql);
        assert!(plan.contains(index), "{sql}: {plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{sql}: {plan}");
    }
}
