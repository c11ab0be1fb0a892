use std::path::PathBuf;

use audit_core::{Checkpoint, Hash, Origin, Signer};
use proptest::prelude::*;

use super::*;

fn note(size: u64) -> String {
    let name = "ledger.example/rxx";
    let signer = Signer::from_seed(name, [7; 32]).unwrap();
    let origin = Origin::parse(name).unwrap();
    let root = Hash::ZERO;
    signer.sign(&Checkpoint { origin, size, root }).to_text()
}

fn file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rxx.checkpoints.txt");
    (folder, path)
}

#[test]
fn notes_come_back_in_their_order() {
    let (_folder, path) = file();
    assert_eq!(read(&path).unwrap(), Vec::<String>::new());
    for size in [1, 8, 9] {
        append(&path, &note(size)).unwrap();
    }
    assert_eq!(read(&path).unwrap(), [note(1), note(8), note(9)]);
}

#[test]
fn the_latest_note_is_not_written_twice() {
    let (_folder, path) = file();
    append(&path, &note(8)).unwrap();
    let once = std::fs::read(&path).unwrap();
    append(&path, &note(8)).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), once);
}

#[test]
fn a_tail_torn_at_any_byte_is_passed_over_and_hides_no_later_note() {
    let (_folder, path) = file();
    append(&path, &note(8)).unwrap();
    let whole = std::fs::read(&path).unwrap();
    append(&path, &note(9)).unwrap();
    let both = std::fs::read(&path).unwrap();
    for cut in whole.len()..both.len() {
        std::fs::write(&path, &both[..cut]).unwrap();
        assert_eq!(read(&path).unwrap(), [note(8)], "cut at {cut}");
        append(&path, &note(10)).unwrap();
        let read = read(&path).unwrap();
        assert_eq!(read.first(), Some(&note(8)), "cut at {cut}");
        assert_eq!(read.last(), Some(&note(10)), "cut at {cut}");
        // One byte short, the note is whole but for the line that ends it.
        assert_eq!(read.len(), if cut + 1 == both.len() { 3 } else { 2 });
    }
}

#[test]
fn only_the_end_of_a_long_file_is_read_for_its_latest_note() {
    let (_folder, path) = file();
    let text: String = (1..1000).map(|size| note(size) + "\n").collect();
    let tail_bytes = usize::try_from(TAIL_BYTES).unwrap();
    assert!(text.len() > tail_bytes);
    std::fs::write(&path, &text).unwrap();
    let tail = read_tail(&path, TAIL_BYTES).unwrap();
    assert_eq!(tail.len(), tail_bytes);
    assert_eq!(notes(&tail).last(), Some(&note(999)));
    assert_eq!(read(&path).unwrap().len(), 999);
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let (_folder, path) = file();
    std::fs::create_dir(&path).unwrap();
    assert!(matches!(read(&path), Err(StoreError::Unavailable(_))));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let (_folder, path) = file();
        std::fs::write(&path, &bytes).unwrap();
        read(&path).unwrap();
        append(&path, &note(3)).unwrap();
        let read = read(&path).unwrap();
        prop_assert_eq!(read.last(), Some(&note(3)));
    }
}
