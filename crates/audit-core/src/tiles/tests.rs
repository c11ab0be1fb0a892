use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{CompactRange, Hash, Subtree, inclusion_proof, leaf_hash, verify_consistency};

fn entry(n: u64) -> Vec<u8> {
    format!("entry {n}").into_bytes()
}

/// A folder in memory.
#[derive(Default)]
struct Folder(BTreeMap<String, Vec<u8>>);

impl Folder {
    fn put(&mut self, file: TileFile) {
        let before = self.0.insert(file.tile.to_string(), file.bytes);
        assert!(before.is_none(), "{} was written twice", file.tile);
    }

    fn read(&self, tile: &Tile) -> Option<Vec<u8>> {
        self.0.get(&tile.to_string()).cloned()
    }
}

fn written(size: u64) -> (Folder, TileWriter) {
    let mut folder = Folder::default();
    let mut writer = TileWriter::new();
    for n in 0..size {
        for file in writer.push(&entry(n)).unwrap() {
            folder.put(file);
        }
    }
    for file in writer.partial() {
        folder.put(file);
    }
    (folder, writer)
}

#[test]
fn section_5_3_a_tree_of_70_000() {
    let (folder, writer) = written(70_000);
    let mut range = CompactRange::new();
    for n in 0..70_000 {
        range.push(leaf_hash(&entry(n)));
    }
    assert_eq!(writer.root(), range.root());
    let count = |prefix: &str| folder.0.keys().filter(|p| p.starts_with(prefix)).count();
    assert_eq!(count("tile/0/"), 274);
    assert_eq!(count("tile/entries/"), 274);
    assert_eq!(count("tile/1/"), 2);
    assert_eq!(count("tile/2/"), 1);
    for (path, bytes) in [
        ("tile/0/272", 8192),
        ("tile/0/273.p/112", 112 * 32),
        ("tile/1/000", 8192),
        ("tile/1/001.p/17", 17 * 32),
        ("tile/2/000.p/1", 32),
    ] {
        assert_eq!(folder.0[path].len(), bytes, "{path}");
    }
}

#[test]
fn paths_have_groups_of_three_digits() {
    let path = |kind, index, width| Tile { kind, index, width }.to_string();
    let hashes = TileKind::Hashes;
    assert_eq!(path(hashes(0), 0, 256), "tile/0/000");
    assert_eq!(path(hashes(1), 999, 255), "tile/1/999.p/255");
    assert_eq!(path(hashes(63), 1_000, 256), "tile/63/x001/000");
    assert_eq!(
        path(TileKind::Entries, 1_234_067, 1),
        "tile/entries/x001/x234/067.p/1"
    );
}

#[test]
fn the_limit_of_an_entry_and_one_past_it() {
    let mut writer = TileWriter::new();
    assert!(writer.push(&vec![b'x'; TILE_ENTRY_BYTES_MAX]).is_ok());
    let error = writer.push(&vec![b'x'; TILE_ENTRY_BYTES_MAX + 1]);
    let bytes = TILE_ENTRY_BYTES_MAX + 1;
    assert_eq!(error.unwrap_err(), TileError::EntryTooLong { bytes });
    assert_eq!(writer.size(), 1);
}

#[test]
fn a_writer_goes_on_where_another_ended() {
    for size in [0, 1, 255, 256, 257, 511, 600] {
        let (folder, before) = written(size);
        let mut resumed = TileWriter::resume(size, |tile| folder.read(tile)).unwrap();
        assert_eq!(resumed.root(), before.root(), "{size}");
        let (whole, after) = written(size + 300);
        for n in size..size + 300 {
            for file in resumed.push(&entry(n)).unwrap() {
                assert_eq!(whole.read(&file.tile), Some(file.bytes), "{}", file.tile);
            }
        }
        assert_eq!(resumed.partial(), after.partial());
        assert_eq!(resumed.root(), after.root());
    }
}

#[test]
fn what_cannot_be_resumed_is_told_by_its_file() {
    let (mut folder, _) = written(300);
    let resume = |folder: &Folder| TileWriter::resume(300, |tile| folder.read(tile)).map(drop);
    let path = "tile/entries/001.p/44";
    folder.0.get_mut(path).unwrap().pop();
    let malformed = TileError::Malformed {
        path: path.to_owned(),
        width: 44,
    };
    assert_eq!(resume(&folder), Err(malformed));
    folder.0.remove(path);
    let missing = TileError::Missing {
        path: path.to_owned(),
    };
    assert_eq!(resume(&folder), Err(missing));
}

fn leaves(size: u64) -> Vec<Hash> {
    (0..size).map(|n| leaf_hash(&entry(n))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn proofs_from_tiles_are_those_made_from_all_leaves(size in 1_u64..1_500, at in any::<u64>()) {
        let (folder, writer) = written(size);
        let leaves = leaves(size);
        let index = at % size;
        let mut tree = TileTree::new(size, |tile: &Tile| folder.read(tile));
        prop_assert_eq!(tree.root().unwrap(), writer.root());
        prop_assert_eq!(tree.inclusion_proof(index).unwrap(), inclusion_proof(&leaves, index).unwrap());
        let first = index + 1;
        let proof = tree.consistency_proof(first).unwrap();
        let beginning = usize::try_from(first).unwrap();
        let old = crate::root_of(&leaves[..beginning]);
        prop_assert!(verify_consistency(first, size, &old, &writer.root(), &proof).is_ok());
    }
}

#[test]
fn what_is_not_in_the_tree_has_no_proof() {
    let (folder, _) = written(5);
    let mut tree = TileTree::new(5, |tile: &Tile| folder.read(tile));
    let out = Err(TileError::NotInTree { size: 5 });
    assert_eq!(tree.inclusion_proof(5), out);
    assert_eq!(tree.consistency_proof(0), out);
    let hash = |tree: &mut TileTree<_>, level, index| tree.hash(Subtree { level, index });
    assert!(hash(&mut tree, 1, 1).is_ok());
    assert!(hash(&mut tree, 1, 2).is_err());
    assert!(hash(&mut tree, 70, 0).is_err());
    assert!(hash(&mut tree, 0, u64::MAX).is_err());
}
