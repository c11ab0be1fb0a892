//! A ledger as a folder of tiles, written, read and checked.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside of test functions"
)]

#[path = "support/folder.rs"]
mod folder;
#[path = "support/ledger.rs"]
mod ledger;

use audit_core::{Rule, TileTree, Verification, leaf_hash, verify_inclusion};
use folder::Folder;
use ledger::{Ledger, stored};

/// 600 events of 7 streams, with checkpoints at some sizes.
fn exported() -> (Ledger, Folder) {
    let streams: Vec<u8> = (0..600_u16).map(|n| u8::try_from(n % 7).unwrap()).collect();
    let ledger = Ledger::of(&streams);
    let folder = Folder::of(&ledger, &[1, 100, 256, 300, 600]);
    (ledger, folder)
}

fn verify(folder: &Folder) -> Verification {
    folder.verify(stored(Vec::new()))
}

fn first(found: &Verification) -> (Rule, Option<u64>) {
    let fault = &found.faults[0];
    (fault.rule, fault.seq)
}

#[test]
fn section_5_3_a_folder_as_it_was_written_is_clean() {
    let (ledger, folder) = exported();
    let found = verify(&folder);
    assert_eq!(found.faults, []);
    assert_eq!((found.events, found.provable_to), (600, 600));
    assert_eq!(found.root, ledger.roots[600]);
    assert_eq!(found.checkpoint_size, Some(600));
    let notes = [1, 100, 256, 300, 600].map(|size| ledger.checkpoint(size));
    assert_eq!(found, ledger.verify(stored(notes.to_vec())));
}

#[test]
fn a_folder_needs_no_list_of_its_checkpoints() {
    let (_, mut folder) = exported();
    folder.files.remove("checkpoints");
    let found = verify(&folder);
    assert!(found.is_clean());
    assert_eq!(found.provable_to, 600);
}

#[test]
fn an_event_is_proven_from_a_few_files_of_the_folder() {
    let (ledger, folder) = exported();
    let mut tree = TileTree::new(600, |tile: &_| folder.read(tile));
    for index in [0, 255, 256, 599] {
        let proof = tree.inclusion_proof(index).unwrap();
        let leaf = leaf_hash(&ledger.events[usize::try_from(index).unwrap()]);
        verify_inclusion(index, 600, &leaf, &proof, &ledger.roots[600]).unwrap();
    }
}

#[test]
fn v1_a_file_that_is_missing_is_named_by_its_first_event() {
    for (path, seq) in [
        ("tile/entries/000", 0),
        ("tile/entries/001", 256),
        ("tile/entries/002.p/88", 512),
        ("tile/0/001", 256),
        ("tile/0/002.p/88", 512),
        ("tile/1/000.p/2", 0),
        ("checkpoint", 0),
    ] {
        let (_, mut folder) = exported();
        folder.files.remove(path).unwrap();
        let found = verify(&folder);
        assert_eq!(first(&found), (Rule::V1, Some(seq)), "{path}");
        assert!(found.faults[0].what.contains("is missing"), "{path}");
    }
}

#[test]
fn v1_a_tile_that_is_not_the_one_over_its_entries() {
    for (path, seq) in [("tile/0/001", 256), ("tile/1/000.p/2", 0)] {
        let (_, mut folder) = exported();
        folder.files.get_mut(path).unwrap()[33] ^= 4;
        let found = verify(&folder);
        assert_eq!(first(&found), (Rule::V1, Some(seq)), "{path}");
        assert_eq!(found.provable_to, 600, "the entries themselves are proven");
    }
}

#[test]
fn v1_a_bundle_that_was_cut_ends_the_check_there() {
    let (_, mut folder) = exported();
    folder.files.get_mut("tile/entries/001").unwrap().pop();
    let found = verify(&folder);
    assert_eq!(first(&found), (Rule::V1, Some(256)));
    assert_eq!((found.events, found.provable_to), (256, 256));
}

#[test]
fn v2_a_changed_byte_of_any_entry_is_found() {
    for seq in (0..600).step_by(37) {
        let (ledger, mut folder) = exported();
        let event = &ledger.events[seq];
        let bundle = folder
            .files
            .get_mut(&format!("tile/entries/00{}{}", seq / 256, partial(seq)))
            .unwrap();
        let place = bundle.windows(event.len()).position(|part| part == event);
        bundle[place.unwrap() + seq % event.len()] ^= 1;
        let found = verify(&folder);
        assert!(!found.is_clean(), "{seq}");
        let tile = u64::try_from(seq / 256 * 256).unwrap();
        assert!(first(&found).1.unwrap() <= tile.max(seq as u64), "{seq}");
        assert!(found.provable_to <= seq as u64, "{seq}");
    }
}

fn partial(seq: usize) -> &'static str {
    if seq < 512 { "" } else { ".p/88" }
}

#[test]
fn v9_an_older_folder_is_found_by_a_checkpoint_kept_elsewhere() {
    let (ledger, _) = exported();
    let older = Folder::of(&Ledger::of(&[0, 1, 2]), &[3]);
    let mut options = stored(Vec::new());
    options.external_checkpoints = vec![ledger.checkpoint(600)];
    let found = older.verify(options);
    assert_eq!(first(&found), (Rule::V9, Some(3)));
}
