use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::SqliteStore;

/// Columns of a table: name, whether it must be given, its default.
type Columns = BTreeMap<String, (bool, Option<String>)>;

fn key() -> MasterKey {
    MasterKey::from_hex(&"5a".repeat(32)).unwrap()
}

/// The store of 0.1.0, as it was.
fn old_store() -> (TempDir, PathBuf) {
    let release = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/releases/0.1.0");
    let folder = tempfile::tempdir().unwrap();
    for name in ["rxx.db", "rxx.keys.db", "rxx.checkpoints.txt"] {
        fs::copy(release.join(name), folder.path().join(name)).unwrap();
    }
    let path = folder.path().join("rxx.db");
    (folder, path)
}

fn tables(db: &Connection) -> BTreeMap<String, Columns> {
    let sql = "SELECT m.name, c.name, c.\"notnull\", c.dflt_value FROM sqlite_schema m \
               JOIN pragma_table_info(m.name) c WHERE m.type = 'table'";
    let mut tables: BTreeMap<String, Columns> = BTreeMap::new();
    let mut statement = db.prepare(sql).unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let about = (row.get(2).unwrap(), row.get(3).unwrap());
        let table = tables.entry(row.get(0).unwrap()).or_default();
        table.insert(row.get(1).unwrap(), about);
    }
    tables
}

/// What a running program of the version before writes must still be right.
#[test]
fn a_migration_only_adds() {
    let (_folder, path) = old_store();
    let before = schema::open_as_it_is(&path, &key()).unwrap();
    let had = tables(&before);
    let indexes = schema::definitions(&before).unwrap();
    drop(before);
    let has = schema::open(&path, &key()).unwrap();
    for (table, columns) in had {
        let now = &tables(&has)[&table];
        assert_eq!(
            *now, columns,
            "{table} of 1.sql must stay as it is: add a table"
        );
    }
    let now = schema::definitions(&has).unwrap();
    for one in indexes {
        assert!(now.contains(&one), "{} was taken away or changed", one.0);
    }
}

#[test]
fn a_trial_tells_what_is_added_and_changes_nothing() {
    let (_folder, path) = old_store();
    let told = SqliteStore::versions(&path, &key()).unwrap();
    assert_eq!((told.found, told.known), (1, schema::known()));
    assert!(told.is_older());
    let db = schema::open_as_it_is(&path, &key()).unwrap();
    assert_eq!(schema::version(&db, &path).unwrap(), 1);
    let before = schema::definitions(&db).unwrap();
    drop(db);
    drop(SqliteStore::open(&path, &key()).unwrap());
    let after = SqliteStore::versions(&path, &key()).unwrap();
    assert!(!after.is_older() && after.adds.is_empty());
    let db = schema::open_as_it_is(&path, &key()).unwrap();
    let added = schema::definitions(&db).unwrap().into_iter();
    let added = added.filter(|one| !before.contains(one)).map(|one| one.0);
    assert_eq!(told.adds, added.collect::<Vec<_>>());

    let nothing = path.with_file_name("nothing.db");
    let told = SqliteStore::versions(&nothing, &key()).unwrap();
    assert!(told.found == 0 && !told.is_older());
    assert!(!nothing.exists());
}

#[test]
fn a_store_that_an_older_version_works_on_is_left_to_it() {
    let (_folder, path) = old_store();
    let running = lock::lock(&path).unwrap();
    let refused = SqliteStore::open(&path, &key()).unwrap_err();
    assert!(
        matches!(refused, OpenError::Older { found: 1, .. }),
        "{refused}"
    );
    assert!(refused.to_string().contains("end that first"));
    drop(running);
    drop(SqliteStore::open(&path, &key()).unwrap());
}

/// The files as a power cut leaves them.
fn image(path: &Path) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(path.parent().unwrap()).unwrap() {
        let from = entry.unwrap().path();
        // What is shared between processes only is made anew after a crash.
        if from.extension().is_some_and(|end| end != "db-shm") {
            fs::copy(&from, folder.path().join(from.file_name().unwrap())).unwrap();
        }
    }
    let copy = folder.path().join(path.file_name().unwrap());
    (folder, copy)
}

/// Before and after each statement the power is cut: what is found is the old store, until the
/// last moment, and then the new one; both open, and nothing is lost.
#[test]
fn a_migration_that_breaks_off_leaves_old_or_new_and_never_between() {
    let (_folder, path) = old_store();
    let db = schema::open_as_it_is(&path, &key()).unwrap();
    // Every page goes to the log at once, so that a cut meets half a change on disk.
    db.pragma_update(None, "cache_size", 1).unwrap();
    db.pragma_update(None, "cache_spill", 1).unwrap();
    let before = schema::definitions(&db).unwrap();
    let change = schema::begin(&db, &path).unwrap();
    let mut cuts = vec![image(&path)];
    let statements = schema::statements_from(1);
    assert!(!statements.is_empty());
    for statement in statements {
        change.execute_batch(&statement).unwrap();
        cuts.push(image(&path));
    }
    for (_folder, cut) in &cuts {
        let db = schema::open_as_it_is(cut, &key()).unwrap();
        assert_eq!(schema::version(&db, cut).unwrap(), 1);
        assert_eq!(schema::definitions(&db).unwrap(), before);
        drop(db);
        assert_is_whole(cut);
    }
    change.commit().unwrap();
    let (_after, cut) = image(&path);
    let db = schema::open_as_it_is(&cut, &key()).unwrap();
    assert_eq!(schema::version(&db, &cut).unwrap(), schema::known());
    drop(db);
    assert_is_whole(&cut);
}

fn assert_is_whole(path: &Path) {
    let store = SqliteStore::open(path, &key()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let found = runtime.block_on(store.verify(Default::default())).unwrap();
    let others = found.faults.iter().filter(|fault| fault.rule != "V7");
    assert_eq!(others.count(), 0, "{:?}", found.faults);
    assert_eq!(found.events, 100);
}
