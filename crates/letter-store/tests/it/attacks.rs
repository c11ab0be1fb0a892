//! Flips, cuts, swaps, deletions and roll-backs at random ("must be shown" 5): each is found, with
//! its place and what is still provable, or it changed nothing that is stored.

use std::path::Path;

use letter_store::StoreVerification;
use rusqlite::Connection;

use crate::damage::dump;
use crate::support::Seeded;
use crate::tamper::Base;

/// How many copies of a store are attacked.
fn rounds() -> usize {
    std::env::var("LETTERBOX_TAMPER_ROUNDS").map_or(80, |rounds| rounds.parse().unwrap())
}

/// What was done, and the event that must be named, if it was done to one.
struct Attack {
    what: String,
    seq: Option<u64>,
}

impl Attack {
    fn on_file(what: String) -> Self {
        Self { what, seq: None }
    }

    fn on_event(what: String, seq: usize) -> Self {
        let seq = Some(seq as u64);
        Self { what, seq }
    }
}

/// Tables from which no row can go unseen.
const KEPT: [&str; 9] = [
    "checkpoint",
    "letter",
    "copy",
    "document",
    "payload",
    "letter_ref",
    "queue",
    "tree",
    "key_check",
];

/// Tables whose rows an older copy of the store cannot lend unseen.
const NOT_LENT: [&str; 4] = ["event", "letter", "copy", "document"];

fn attack(base: &Base, path: &Path, dice: &mut Seeded) -> Attack {
    match dice.below(8) {
        0 => flip(path, dice),
        1 => cut(path, dice),
        2 => swap_pages(path, dice),
        3 => swap_events(path, dice),
        4 => delete_event(path, dice),
        5 => delete_row(path, dice),
        6 => lend(base, path, dice),
        _ => flip_event(path, dice),
    }
}

fn flip(path: &Path, dice: &mut Seeded) -> Attack {
    let mut bytes = std::fs::read(path).unwrap();
    let (at, bit) = (dice.below(bytes.len()), dice.below(8));
    bytes[at] ^= 1 << bit;
    std::fs::write(path, &bytes).unwrap();
    Attack::on_file(format!("bit {bit} of byte {at} flipped"))
}

fn cut(path: &Path, dice: &mut Seeded) -> Attack {
    let mut bytes = std::fs::read(path).unwrap();
    let at = dice.below(bytes.len());
    bytes.truncate(at);
    std::fs::write(path, &bytes).unwrap();
    Attack::on_file(format!("cut at {at}"))
}

fn swap_pages(path: &Path, dice: &mut Seeded) -> Attack {
    let mut bytes = std::fs::read(path).unwrap();
    let pages = bytes.len() / 4096;
    let (a, b) = (dice.below(pages) * 4096, dice.below(pages) * 4096);
    for offset in 0..4096 {
        bytes.swap(a + offset, b + offset);
    }
    std::fs::write(path, &bytes).unwrap();
    Attack::on_file(format!("pages at {a} and {b} swapped"))
}

fn open(path: &Path) -> Connection {
    let db = Connection::open(path).unwrap();
    db.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    db
}

fn events(db: &Connection) -> usize {
    let count = "SELECT count(*) FROM event";
    let count: i64 = db.query_row(count, [], |row| row.get(0)).unwrap();
    usize::try_from(count).unwrap()
}

fn number(seq: usize) -> i64 {
    i64::try_from(seq).unwrap()
}

fn bytes_of(db: &Connection, seq: usize) -> Vec<u8> {
    let sql = "SELECT bytes FROM event WHERE seq = ?1";
    db.query_row(sql, [number(seq)], |row| row.get(0)).unwrap()
}

/// As somebody who knows how rows are made: the leaf hash is put right.
fn put_event(db: &Connection, seq: usize, bytes: &[u8]) {
    let leaf = audit_core::leaf_hash(bytes);
    let sql = "UPDATE event SET bytes = ?2, leaf = ?3 WHERE seq = ?1";
    let changed = db
        .execute(sql, (number(seq), bytes, leaf.as_bytes()))
        .unwrap();
    assert_eq!(changed, 1);
}

fn swap_events(path: &Path, dice: &mut Seeded) -> Attack {
    let db = open(path);
    let first = dice.below(events(&db) - 1);
    let second = first + 1 + dice.below(events(&db) - first - 1);
    let (a, b) = (bytes_of(&db, first), bytes_of(&db, second));
    put_event(&db, first, &b);
    put_event(&db, second, &a);
    Attack::on_event(format!("events {first} and {second} swapped"), first)
}

fn flip_event(path: &Path, dice: &mut Seeded) -> Attack {
    let db = open(path);
    let seq = dice.below(events(&db));
    let mut bytes = bytes_of(&db, seq);
    let at = dice.below(bytes.len());
    bytes[at] ^= 1 << dice.below(8);
    put_event(&db, seq, &bytes);
    Attack::on_event(format!("byte {at} of event {seq} flipped"), seq)
}

/// The event goes and those after it move up, or they stay where they are.
fn delete_event(path: &Path, dice: &mut Seeded) -> Attack {
    let db = open(path);
    let seq = dice.below(events(&db));
    let sql = "DELETE FROM event WHERE seq = ?1";
    assert_eq!(db.execute(sql, [number(seq)]).unwrap(), 1);
    if dice.below(2) == 0 {
        db.execute("UPDATE event SET seq = -seq WHERE seq > ?1", [number(seq)])
            .unwrap();
        db.execute("UPDATE event SET seq = -seq - 1 WHERE seq < 0", [])
            .unwrap();
    }
    Attack::on_event(format!("event {seq} deleted"), seq)
}

fn delete_row(path: &Path, dice: &mut Seeded) -> Attack {
    let db = open(path);
    let table = KEPT[dice.below(KEPT.len())];
    let key = if table == "letter_ref" {
        "idx"
    } else {
        first_column(&db, table)
    };
    let sql = format!(
        "DELETE FROM {table} WHERE {key} = (SELECT {key} FROM {table} ORDER BY {key} LIMIT 1 \
         OFFSET abs(?1) % max(1, (SELECT count(*) FROM {table})))"
    );
    let offset = i64::try_from(dice.below(1 << 30)).unwrap();
    assert!(db.execute(&sql, [offset]).unwrap() > 0, "{table}");
    Attack::on_file(format!("a row of {table} deleted"))
}

fn first_column(db: &Connection, table: &str) -> &'static str {
    let name: String = db
        .query_row(
            "SELECT name FROM pragma_table_info(?1) LIMIT 1",
            [table],
            |row| row.get(0),
        )
        .unwrap();
    ["size", "key", "id", "stream", "letter"]
        .into_iter()
        .find(|known| *known == name)
        .unwrap()
}

/// One table as it once was: its rows have digests that were right.
fn lend(base: &Base, path: &Path, dice: &mut Seeded) -> Attack {
    let db = open(path);
    let table = NOT_LENT[dice.below(NOT_LENT.len())];
    let older = base.older_path();
    db.execute("ATTACH ?1 AS older", [older.to_str().unwrap()])
        .unwrap();
    db.execute_batch(&format!(
        "DELETE FROM main.{table}; INSERT INTO main.{table} SELECT * FROM older.{table}; \
         DETACH older"
    ))
    .unwrap();
    Attack::on_file(format!("table {table} of an older copy"))
}

enum Fate {
    Refused,
    Found,
    Meaningless,
}

fn judge(base: &Base, path: &Path, attack: &Attack, before: &[String]) -> Fate {
    let what = &attack.what;
    let Some(found) = base.verify(path, vec![base.latest().to_owned()]) else {
        return Fate::Refused;
    };
    if found.is_clean() {
        let after = dump(&Connection::open(path).unwrap()).unwrap();
        assert!(after == before, "not found: {what}");
        return Fate::Meaningless;
    }
    place(&found, attack);
    Fate::Found
}

/// The place is named, and nothing is called provable that was changed.
fn place(found: &StoreVerification, attack: &Attack) {
    let what = &attack.what;
    assert!(
        found.faults.iter().all(|fault| !fault.what.is_empty()),
        "{what}"
    );
    let Some(seq) = attack.seq else { return };
    let named = found.faults.iter().filter_map(|fault| fault.seq).min();
    assert!(
        named.is_some_and(|named| named <= seq + 1),
        "{what}: {named:?}"
    );
    assert!(found.provable_to <= seq, "{what}: {}", found.provable_to);
}

#[test]
fn h15_every_attack_is_found_with_its_place_and_what_is_still_provable() {
    let base = Base::new(9);
    let before = dump(&base.raw()).unwrap();
    let results: Vec<[usize; 3]> = std::thread::scope(|scope| {
        let attacks = |thread: u64| {
            let mut dice = Seeded::new(thread);
            let mut counts = [0; 3];
            for _ in 0..rounds() / 4 {
                let folder = base.copy();
                let path = folder.path().join("rxx.db");
                let attack = attack(&base, &path, &mut dice);
                counts[judge(&base, &path, &attack, &before) as usize] += 1;
            }
            counts
        };
        let threads: Vec<_> = (0..4)
            .map(|thread| scope.spawn(move || attacks(thread)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let sum = |fate: usize| results.iter().map(|counts| counts[fate]).sum::<usize>();
    let (refused, found, meaningless) = (sum(0), sum(1), sum(2));
    println!("{refused} refused, {found} found, {meaningless} changed nothing that is stored");
    assert!(found > rounds() / 2);
}

#[test]
fn h15_a_whole_store_that_was_rolled_back_is_found_by_a_checkpoint_kept_outside() {
    let base = Base::new(10);
    let older = base.older_path();
    let alone = base.verify(&older, Vec::new()).unwrap();
    assert!(alone.is_clean(), "{:?}", alone.faults);
    let found = base.verify(&older, vec![base.latest().to_owned()]).unwrap();
    let fault = found
        .faults
        .iter()
        .find(|fault| fault.rule == "V9")
        .unwrap();
    assert_eq!(fault.seq, Some(found.events));
    assert_eq!(
        found.provable_to, found.events,
        "what it holds is still proven"
    );
}
