//! What we sign, prove and export, checked by implementations that others wrote: `signed_note` and
//! `tlog_tiles` (from Go's checksum database) and `ct-merkle`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside of test functions"
)]

#[path = "support/folder.rs"]
mod folder;
#[path = "support/ledger.rs"]
mod ledger;

use audit_core::{Hash, TileTree, consistency_proof, inclusion_proof, leaf_hash};
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use folder::Folder;
use ledger::{Ledger, signer, stored};
use sha2::Sha256;
use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::{HashReader, Tile, TileHashReader, TileReader, stored_hash_index};

const SIZES: [u16; 9] = [1, 2, 3, 8, 100, 256, 257, 512, 700];

fn ledger(size: u16) -> (Ledger, Folder) {
    let streams: Vec<u8> = (0..size).map(|n| u8::try_from(n % 5).unwrap()).collect();
    let ledger = Ledger::of(&streams);
    assert!(ledger.verify(stored(Vec::new())).is_clean());
    let folder = Folder::of(&ledger, &[1, size.into()]);
    assert!(folder.verify(stored(Vec::new())).is_clean());
    (ledger, folder)
}

fn theirs(hash: &Hash) -> tlog_tiles::Hash {
    tlog_tiles::Hash(*hash.as_bytes())
}

fn all_theirs(hashes: &[Hash]) -> Vec<tlog_tiles::Hash> {
    hashes.iter().map(theirs).collect()
}

fn root(ledger: &Ledger, size: usize) -> RootHash<Sha256> {
    RootHash::new((*ledger.roots[size].as_bytes()).into(), size as u64)
}

#[test]
fn checkpoints_are_read_and_verified_by_signed_note_and_tlog_tiles() {
    for size in SIZES {
        let (ledger, _) = ledger(size);
        let text = ledger.checkpoint(size.into());
        let note = Note::from_bytes(text.as_bytes()).unwrap();
        let key = StandardVerifier::new(&signer().verifier_key().to_string()).unwrap();
        let keys = VerifierList::new(vec![Box::new(key)]);
        let (verified, others) = note.verify(&keys).unwrap();
        assert_eq!((verified.len(), others.len()), (1, 0));
        let checkpoint = tlog_tiles::Checkpoint::from_bytes(note.text());
        // Their strict reader asks for what stands before the signatures, empty line included.
        let checkpoint = checkpoint
            .or_else(|_| tlog_tiles::Checkpoint::from_bytes(&[note.text(), b"\n"].concat()))
            .unwrap();
        assert_eq!(checkpoint.origin(), "ledger.example/doors");
        assert_eq!(checkpoint.size(), u64::from(size));
        assert_eq!(*checkpoint.hash(), theirs(&ledger.roots[usize::from(size)]));

        let forged = text.replacen(&format!("\n{size}\n"), "\n9999\n", 1);
        let note = Note::from_bytes(forged.as_bytes()).unwrap();
        assert!(note.verify(&keys).is_err());
    }
}

#[test]
fn inclusion_proofs_are_verified_by_tlog_tiles_and_ct_merkle() {
    for size in SIZES {
        let (ledger, folder) = ledger(size);
        let mut tree = TileTree::new(size.into(), |tile: &_| folder.read(tile));
        let leaves: Vec<_> = ledger.events.iter().map(|event| leaf_hash(event)).collect();
        for index in (0..u64::from(size)).step_by(7) {
            let at = usize::try_from(index).unwrap();
            let proof = tree.inclusion_proof(index).unwrap();
            assert_eq!(proof, inclusion_proof(&leaves, index).unwrap());

            let hash = theirs(&ledger.roots[usize::from(size)]);
            let leaf = theirs(&leaves[at]);
            assert_eq!(tlog_tiles::record_hash(&ledger.events[at]), leaf);
            let path = all_theirs(&proof);
            tlog_tiles::check_record(&path, size.into(), hash, index, leaf).unwrap();
            let other = tlog_tiles::Hash([7; 32]);
            assert!(tlog_tiles::check_record(&path, size.into(), hash, index, other).is_err());

            let bytes = proof.iter().flat_map(|hash| *hash.as_bytes()).collect();
            let proof = InclusionProof::<Sha256>::try_from_bytes(bytes).unwrap();
            let root = root(&ledger, size.into());
            root.verify_inclusion(&ledger.events[at], index, &proof)
                .unwrap();
            assert!(root.verify_inclusion(&b"other", index, &proof).is_err());
        }
    }
}

#[test]
fn consistency_proofs_are_verified_by_tlog_tiles_and_ct_merkle() {
    let (ledger, folder) = ledger(700);
    let leaves: Vec<_> = ledger.events.iter().map(|event| leaf_hash(event)).collect();
    let mut tree = TileTree::new(700, |tile: &_| folder.read(tile));
    for first in (1..=700_usize).step_by(13) {
        let proof = tree.consistency_proof(first as u64).unwrap();
        assert_eq!(proof, consistency_proof(&leaves, first as u64).unwrap());

        let (old, new) = (theirs(&ledger.roots[first]), theirs(&ledger.roots[700]));
        let path = all_theirs(&proof);
        tlog_tiles::check_tree(&path, 700, new, first as u64, old).unwrap();
        assert!(
            tlog_tiles::check_tree(&path, 700, old, first as u64, new).is_err() || first == 700
        );

        let bytes = proof.iter().flat_map(|hash| *hash.as_bytes()).collect();
        let proof = ConsistencyProof::<Sha256>::try_from_bytes(bytes).unwrap();
        root(&ledger, 700)
            .verify_consistency(&root(&ledger, first), &proof)
            .unwrap();
    }
}

/// Their reader proves every tile that it loads against the root of the tree.
struct Reader<'f>(&'f Folder);

impl TileReader for Reader<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let read = |tile: &Tile| {
            // They name the height of a tile in its path; C2SP tlog-tiles does not.
            let path = tile.path().replacen("tile/8/", "tile/", 1);
            let bytes = self.0.files.get(&path).cloned();
            bytes.ok_or(tlog_tiles::Error::InvalidTile)
        };
        tiles.iter().map(read).collect()
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

#[test]
fn the_tile_tree_is_verified_by_tlog_tiles() {
    for size in SIZES {
        let (ledger, folder) = ledger(size);
        let hash = theirs(&ledger.roots[usize::from(size)]);
        let reader = Reader(&folder);
        let indexes: Vec<_> = (0..u64::from(size))
            .map(|n| stored_hash_index(0, n))
            .collect();
        let hashes = TileHashReader::new(size.into(), hash, &reader)
            .read_hashes(&indexes)
            .unwrap();
        for (event, hash) in ledger.events.iter().zip(hashes) {
            assert_eq!(hash, theirs(&leaf_hash(event)));
        }
    }
}

/// With several complete subtrees their reader takes the first tiles after them unproven, so the
/// tree here is one complete subtree.
#[test]
fn a_changed_tile_is_refused_by_tlog_tiles_too() {
    let (ledger, whole) = ledger(512);
    let hash = theirs(&ledger.roots[512]);
    for path in ["tile/0/000", "tile/0/001", "tile/1/000.p/2"] {
        let mut folder = whole.clone();
        folder.files.get_mut(path).unwrap()[40] ^= 1;
        let reader = Reader(&folder);
        let theirs = TileHashReader::new(512, hash, &reader);
        let indexes = [0, 260, 511].map(|n| stored_hash_index(0, n));
        assert!(theirs.read_hashes(&indexes).is_err(), "{path}");
        assert!(!folder.verify(stored(Vec::new())).is_clean(), "{path}");
    }
}
