//! Published vectors, read from beside the project when they are there.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests, outside of test functions"
)]

#[path = "support/shared.rs"]
mod shared;

use audit_core::{
    CompactRange, Hash, SignedCheckpoint, Tile, TileTree, TileWriter, VerifierKey,
    consistency_proof, inclusion_proof, leaf_hash, root_of, verify_consistency, verify_inclusion,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

fn load(name: &str) -> Option<Value> {
    shared::read(name).map(|text| serde_json::from_str(&text).unwrap())
}

/// A hash in base64; some vectors hold bytes of another length on purpose, which are no [`Hash`].
fn hash(value: &Value) -> Option<Hash> {
    Some(Hash::from_bytes(bytes(value)?.try_into().ok()?))
}

/// As [`hash`], but with a hash that is like no other in the place of other bytes: one probe holds
/// such roots and must be accepted.
fn stand_in(value: &Value) -> Option<Hash> {
    Some(hash(value).unwrap_or(leaf_hash(&bytes(value)?)))
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(value.as_str()?).ok()
}

fn hashes(value: &Value) -> Option<Vec<Hash>> {
    value
        .as_array()
        .map_or(Some(Vec::new()), |list| list.iter().map(hash).collect())
}

/// How many probes agree, and how many there are.
fn agreement(probes: &[Value], is_proven: impl Fn(&Value) -> Option<bool>) -> (usize, usize) {
    let agrees = |probe: &&Value| {
        let refused = is_proven(probe) != Some(true);
        let agrees = refused == probe["wantErr"].as_bool().unwrap();
        if !agrees {
            println!("disagrees: {}", probe["name"]);
        }
        agrees
    };
    (probes.iter().filter(agrees).count(), probes.len())
}

#[test]
fn inclusion_probes_of_transparency_dev() {
    let Some(probes) = load("data/tlog/merkle-proofs/inclusion.json") else {
        return;
    };
    let is_proven = |probe: &Value| {
        let (index, size) = (probe["leafIdx"].as_u64()?, probe["treeSize"].as_u64()?);
        let (leaf, root) = (hash(&probe["leafHash"])?, hash(&probe["root"])?);
        Some(verify_inclusion(index, size, &leaf, &hashes(&probe["proof"])?, &root).is_ok())
    };
    assert_eq!(agreement(probes.as_array().unwrap(), is_proven), (98, 98));
}

#[test]
fn consistency_probes_of_transparency_dev() {
    let Some(probes) = load("data/tlog/merkle-proofs/consistency.json") else {
        return;
    };
    let is_proven = |probe: &Value| {
        let (first, second) = (probe["size1"].as_u64()?, probe["size2"].as_u64()?);
        let (root1, root2) = (stand_in(&probe["root1"])?, stand_in(&probe["root2"])?);
        let proof = hashes(&probe["proof"])?;
        Some(verify_consistency(first, second, &root1, &root2, &proof).is_ok())
    };
    assert_eq!(agreement(probes.as_array().unwrap(), is_proven), (98, 98));
}

fn hex(value: &Value) -> Hash {
    Hash::parse(value.as_str().unwrap()).unwrap()
}

#[test]
fn the_certificate_transparency_reference_tree() {
    let Some(tree) = load("data/tlog/ct-reference-tree.json") else {
        return;
    };
    let list = |name: &str| tree[name].as_array().unwrap().clone();
    let leaves: Vec<_> = list("leaf_hash_hex").iter().map(hex).collect();
    let root = |size: usize| hex(&tree["roots_hex_by_size"][size.to_string()]);
    for size in 0..=leaves.len() {
        assert_eq!(root_of(&leaves[..size]), root(size));
    }
    let count = |entry: &Value, name: &str| usize::try_from(entry[name].as_u64().unwrap()).unwrap();
    let proof = |entry: &Value| -> Vec<_> {
        entry["proof_hex"]
            .as_array()
            .unwrap()
            .iter()
            .map(hex)
            .collect()
    };
    for entry in &list("inclusion") {
        let (index, size) = (count(entry, "index"), count(entry, "size"));
        assert_eq!(
            inclusion_proof(&leaves[..size], index as u64).unwrap(),
            proof(entry)
        );
    }
    for entry in &list("consistency") {
        let (first, second) = (count(entry, "size1"), count(entry, "size2"));
        assert_eq!(
            consistency_proof(&leaves[..second], first as u64).unwrap(),
            proof(entry)
        );
    }
}

#[test]
fn the_log_of_tessera() {
    const KEY: &str =
        "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";
    let key = VerifierKey::parse(KEY).unwrap();
    let folder = "data/tlog/tessera-log";
    let Some(bundle) = shared::read(&format!("{folder}/tile/entries/000.p/15")) else {
        return;
    };
    let entries = entries(bundle.as_bytes());
    let mut range = CompactRange::new();
    for size in 0..=15 {
        let note = shared::read(&format!("{folder}/checkpoint.{size}")).unwrap();
        let signed = SignedCheckpoint::parse(&note, std::slice::from_ref(&key)).unwrap();
        assert_eq!(signed.to_text(), note);
        assert_eq!(
            (signed.checkpoint().size, signed.checkpoint().root),
            (size, range.root())
        );
        if let Some(entry) = entries.get(usize::try_from(size).unwrap()) {
            range.push(leaf_hash(entry));
        }
    }
    assert_eq!(range.size(), 15);
}

/// Tiles and bundles as another implementation writes them, at every size.
#[test]
fn the_tiles_of_tessera() {
    let folder = "data/tlog/tessera-log";
    let read = |path: &str| shared::read_bytes(&format!("{folder}/{path}"));
    let Some(bundle) = read("tile/entries/000.p/15") else {
        return;
    };
    let mut writer = TileWriter::new();
    for entry in entries(&bundle) {
        assert_eq!(writer.push(entry).unwrap(), []);
        for file in writer.partial() {
            let path = file.tile.to_string();
            assert_eq!(Some(file.bytes), read(&path), "{path}");
        }
        let note = shared::read(&format!("{folder}/checkpoint.{}", writer.size())).unwrap();
        let mut tree = TileTree::new(writer.size(), |tile: &Tile| read(&tile.to_string()));
        let root = BASE64_STANDARD.encode(tree.root().unwrap().as_bytes());
        assert_eq!(note.lines().nth(2), Some(root.as_str()));
    }
    assert_eq!(writer.size(), 15);
}

fn entries(mut bundle: &[u8]) -> Vec<&[u8]> {
    let mut entries = Vec::new();
    while let Some((length, rest)) = bundle.split_first_chunk() {
        let (entry, rest) = rest.split_at(u16::from_be_bytes(*length).into());
        entries.push(entry);
        bundle = rest;
    }
    entries
}
