//! A byte of the file that changes by itself is found, or meant nothing.

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use letter_store::{SqliteStore, VerifyAgainst};

use crate::support::Seeded;
use crate::tamper::Base;

/// Not the hashes of subtrees: they are made from the events where they are missing.
const TABLES: [&str; 13] = [
    "event",
    "tree",
    "checkpoint",
    "letter",
    "copy",
    "document",
    "work",
    "payload",
    "letter_ref",
    "seen",
    "key_check",
    "queue",
    "pace",
];

/// How many single bytes are changed.
const CHANGES: usize = 500;

/// Every value of every row.
pub(crate) fn dump(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut all = Vec::new();
    for table in TABLES {
        let mut statement = db.prepare(&format!("SELECT * FROM {table} NOT INDEXED"))?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let values: Vec<String> = (0..columns)
                .map(|column| row.get_ref(column).map(|value| shown(&value)))
                .collect::<Result<_, _>>()?;
            all.push(format!("{table} {}", values.join(" ")));
        }
    }
    Ok(all)
}

fn shown(value: &ValueRef<'_>) -> String {
    match value {
        ValueRef::Text(bytes) => format!("text {}", bytes.escape_ascii()),
        other => format!("{other:?}"),
    }
}

/// What became of a changed byte.
enum Fate {
    Refused,
    Found,
    Meaningless,
}

fn change(base: &Base, at: usize, mask: u8, before: &[String]) -> Fate {
    let folder = base.copy();
    let path = folder.path().join("rxx.db");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[at] ^= mask;
    std::fs::write(&path, &bytes).unwrap();
    let against = VerifyAgainst {
        trusted: base.trusted.clone(),
        ..VerifyAgainst::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let Ok(store) = SqliteStore::open(&path, &base.key) else {
        return Fate::Refused;
    };
    let verification = runtime.block_on(store.verify(against)).unwrap();
    if !verification.is_clean() {
        return Fate::Found;
    }
    let after = dump(&Connection::open(&path).unwrap()).unwrap();
    assert!(
        after == before,
        "byte {at} changed by {mask:#04x} is not found"
    );
    Fate::Meaningless
}

#[test]
fn h15_any_changed_byte_is_found_or_meant_nothing() {
    let base = Base::new(3);
    let before = dump(&base.raw()).unwrap();
    let size = std::fs::read(base.path()).unwrap().len();
    let results: Vec<[usize; 3]> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4_u64)
            .map(|thread| {
                let (base, before) = (&base, &before);
                scope.spawn(move || {
                    let mut dice = Seeded::new(thread);
                    let mut counts = [0; 3];
                    for _ in 0..CHANGES / 4 {
                        let mask = u8::try_from(1 + dice.below(255)).unwrap();
                        let fate = change(base, dice.below(size), mask, before);
                        counts[fate as usize] += 1;
                    }
                    counts
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let sum = |fate: usize| results.iter().map(|counts| counts[fate]).sum::<usize>();
    let (refused, found, meaningless) = (sum(0), sum(1), sum(2));
    println!("{size} bytes: {refused} refused, {found} found, {meaningless} meant nothing");
    assert_eq!(refused + found + meaningless, CHANGES);
    assert!(found > CHANGES / 4);
}

#[test]
fn a_torn_or_zeroed_page_is_found() {
    let base = Base::new(4);
    let size = std::fs::read(base.path()).unwrap().len();
    let mut found = 0;
    for page in (0..size).step_by(4096 * 5) {
        for cut in [false, true] {
            let folder = base.copy();
            let path = folder.path().join("rxx.db");
            let mut bytes = std::fs::read(&path).unwrap();
            if cut {
                bytes.truncate(page);
            } else {
                bytes[page..page + 4096].fill(0);
            }
            std::fs::write(&path, &bytes).unwrap();
            let faults = base.faults_of(&path);
            // An empty file is a new store, which its checkpoints contradict.
            assert!(
                faults.is_none_or(|faults| !faults.is_empty()),
                "page at {page}"
            );
            found += 1;
        }
    }
    assert!(found > 20);
}
