//! The worked ledger (audit-and-delivery 5) is reproduced byte for byte.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside of test functions"
)]

use audit_core::{
    Checkpoint, CompactRange, Event, EventBody, Hash, InclusionProofFile, Origin, PseudonymKey,
    Sequencer, SignedCheckpoint, Signer, TileWriter, Verifier, VerifierKey, VerifyOptions,
    consistency_proof, empty_root, inclusion_proof, leaf_hash, root_of, salted_digest,
    verify_consistency, verify_inclusion,
};
use serde_json::Value;

const TLOG_PROOF: &str = include_str!("data/letter-accepted.tlog-proof");

struct Worked(Value);

impl Worked {
    fn load() -> Self {
        Self(serde_json::from_str(include_str!("data/worked-ledger.json")).unwrap())
    }

    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap()
    }

    fn list(&self, name: &str) -> &[Value] {
        self.0[name].as_array().unwrap()
    }

    fn events(&self) -> Vec<&[u8]> {
        self.list("events")
            .iter()
            .map(|e| e["canonical"].as_str().unwrap().as_bytes())
            .collect()
    }

    fn leaves(&self) -> Vec<Hash> {
        self.list("events")
            .iter()
            .map(|event| hash(&event["leaf_hash_hex"]))
            .collect()
    }

    fn root(&self, size: u64) -> Hash {
        hash(&self.0["roots_hex_by_size"][size.to_string()])
    }

    fn signer(&self) -> Signer {
        let seed = Hash::parse(self.text("ledger_key_seed_hex")).unwrap();
        Signer::from_seed(self.text("origin"), *seed.as_bytes()).unwrap()
    }

    fn key(&self) -> VerifierKey {
        VerifierKey::parse(self.text("ledger_vkey")).unwrap()
    }

    fn notes(&self) -> Vec<String> {
        self.list("checkpoints")
            .iter()
            .map(|c| c["note"].as_str().unwrap().to_owned())
            .collect()
    }

    fn options(&self) -> VerifyOptions {
        VerifyOptions {
            trusted: vec![self.key()],
            stored_checkpoints: self.notes(),
            ..VerifyOptions::default()
        }
    }
}

fn hash(value: &Value) -> Hash {
    Hash::parse(value.as_str().unwrap()).unwrap()
}

fn hashes(value: &Value) -> Vec<Hash> {
    value.as_array().unwrap().iter().map(hash).collect()
}

fn size(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap()
}

#[test]
fn section_8_1_pseudonymous_keys() {
    let worked = Worked::load();
    for (key, input, expected) in [
        ("letter_hmac_key_hex", "letter_hmac_input", "letter"),
        ("patient_hmac_key_hex", "patient_hmac_input", "patient"),
    ] {
        let key = PseudonymKey::new(*Hash::parse(worked.text(key)).unwrap().as_bytes());
        let parts: Vec<_> = worked.text(input).split("<1F>").collect();
        assert_eq!(key.stream_key(&parts).to_string(), worked.text(expected));
        assert_eq!(key.subject_key(&parts).to_string(), worked.text(expected));
    }
}

#[test]
fn section_8_1_salted_digest() {
    let worked = Worked::load();
    let salt = u128::from_str_radix(worked.text("payload_salt_hex"), 16)
        .unwrap()
        .to_be_bytes();
    let digest = salted_digest(&salt, worked.text("payload_utf8").as_bytes());
    assert_eq!(digest.to_string(), worked.text("payload_digest_hex"));
}

#[test]
fn section_5_1_events_are_read_and_written_byte_for_byte() {
    let worked = Worked::load();
    for (seq, (bytes, entry)) in (0..).zip(worked.events().into_iter().zip(worked.list("events"))) {
        let event = Event::parse(bytes).unwrap();
        assert_eq!(event.to_canonical().unwrap(), bytes);
        assert_eq!(bytes.len() as u64, size(entry, "length"));
        assert_eq!((event.seq, event.body.lseq), (seq, seq));
        assert_eq!(event.leaf_hash().unwrap(), hash(&entry["leaf_hash_hex"]));
        assert_eq!(event.body.stream.to_string(), worked.text("letter"));
        assert_eq!(
            event.body.subject.unwrap().to_string(),
            worked.text("patient")
        );
    }
}

#[test]
fn section_5_1_the_sequencer_gives_the_same_events_to_their_bodies() {
    let worked = Worked::load();
    let mut sequencer = Sequencer::new();
    let mut prev = Hash::ZERO;
    for bytes in worked.events() {
        let body = Event::parse(bytes).unwrap().body;
        let stored = body.to_canonical().unwrap();
        let sequenced = sequencer
            .append(EventBody::parse_body(&stored).unwrap(), prev)
            .unwrap();
        assert_eq!(sequenced.canonical, bytes);
        prev = sequenced.leaf;
    }
    assert_eq!(sequencer.root(), worked.root(8));
}

#[test]
fn section_5_2_roots_of_all_sizes() {
    let worked = Worked::load();
    let mut range = CompactRange::new();
    assert_eq!(range.root(), worked.root(0));
    assert_eq!(range.root(), empty_root());
    for (bytes, leaf) in worked.events().into_iter().zip(worked.leaves()) {
        assert_eq!(leaf_hash(bytes), leaf);
        range.push(leaf);
        assert_eq!(range.root(), worked.root(range.size()));
    }
}

#[test]
fn section_5_2_inclusion_proofs() {
    let worked = Worked::load();
    let leaves = worked.leaves();
    for entry in worked.list("inclusion") {
        let (index, size) = (size(entry, "index"), size(entry, "size"));
        let proof = inclusion_proof(&leaves, index).unwrap();
        assert_eq!(proof, hashes(&entry["proof_hex"]));
        let leaf = &leaves[usize::try_from(index).unwrap()];
        verify_inclusion(index, size, leaf, &proof, &worked.root(size)).unwrap();
    }
}

#[test]
fn section_5_2_consistency_proofs() {
    let worked = Worked::load();
    for entry in worked.list("consistency") {
        let (first, second) = (size(entry, "size1"), size(entry, "size2"));
        let proof = consistency_proof(&worked.leaves(), first).unwrap();
        assert_eq!(proof, hashes(&entry["proof_hex"]));
        let (root1, root2) = (worked.root(first), worked.root(second));
        verify_consistency(first, second, &root1, &root2, &proof).unwrap();
    }
}

#[test]
fn section_5_3_checkpoints_are_signed_byte_for_byte() {
    let worked = Worked::load();
    let signer = worked.signer();
    assert_eq!(
        signer.verifier_key().to_string(),
        worked.text("ledger_vkey")
    );
    for entry in worked.list("checkpoints") {
        let origin = Origin::parse(worked.text("origin")).unwrap();
        let checkpoint = Checkpoint {
            origin,
            size: size(entry, "size"),
            root: hash(&entry["root_hex"]),
        };
        let note = entry["note"].as_str().unwrap();
        assert_eq!(signer.sign(&checkpoint).to_text(), note);
        assert_eq!(
            leafless_sha256(note.as_bytes()),
            entry["note_hex_sha256"].as_str().unwrap()
        );
        let read = SignedCheckpoint::parse(note, &[worked.key()]).unwrap();
        assert_eq!(
            (read.checkpoint(), read.to_text().as_str()),
            (&checkpoint, note)
        );
    }
}

/// SHA-256 of `bytes`: the salted digest with the first 16 of them as salt.
fn leafless_sha256(bytes: &[u8]) -> String {
    let (salt, rest) = bytes.split_first_chunk().unwrap();
    salted_digest(salt, rest).to_string()
}

#[test]
fn section_5_3_cosignatures_of_unknown_witnesses_are_kept_and_passed_over() {
    let worked = Worked::load();
    for entry in worked.list("checkpoints") {
        let Some(cosignature) = entry["cosignature_line"].as_str() else {
            continue;
        };
        let text = format!("{}{cosignature}", entry["note"].as_str().unwrap());
        let read = SignedCheckpoint::parse(&text, &[worked.key()]).unwrap();
        assert_eq!(read.to_text(), text);
        assert_eq!(read.signers().collect::<Vec<_>>(), [worked.text("origin")]);
    }
}

#[test]
fn section_5_3_the_offline_proof_file() {
    let worked = Worked::load();
    let read = InclusionProofFile::parse(TLOG_PROOF, &[worked.key()]).unwrap();
    assert_eq!((read.index, read.extra.as_ref()), (6, None));
    read.check(&worked.leaves()[6]).unwrap();
    assert!(read.check(&worked.leaves()[5]).is_err());
    assert_eq!(read.to_text(), TLOG_PROOF);

    let proof = inclusion_proof(&worked.leaves(), 6).unwrap();
    assert_eq!(
        InclusionProofFile::new(6, proof, read.checkpoint).to_text(),
        TLOG_PROOF
    );
}

#[test]
fn section_5_3_the_entry_bundle_holds_the_same_events() {
    let worked = Worked::load();
    let mut bundle: &[u8] = include_bytes!("data/entries-000.p-8.bin");
    for expected in worked.events() {
        let (length, rest) = bundle.split_first_chunk().unwrap();
        let (event, rest) = rest.split_at(u16::from_be_bytes(*length).into());
        assert_eq!(event, expected);
        bundle = rest;
    }
    assert!(bundle.is_empty());
}

#[test]
fn section_5_3_the_worked_tiles_are_written_byte_for_byte() {
    let mut writer = TileWriter::new();
    for event in Worked::load().events() {
        assert_eq!(writer.push(event).unwrap(), []);
    }
    let expected: [(&str, &[u8]); 2] = [
        (
            "tile/entries/000.p/8",
            include_bytes!("data/entries-000.p-8.bin"),
        ),
        ("tile/0/000.p/8", include_bytes!("data/tile-0-000.p-8.bin")),
    ];
    let written = writer.partial();
    let written: Vec<_> = written
        .iter()
        .map(|file| (file.tile.to_string(), file.bytes.as_slice()))
        .collect();
    assert_eq!(
        written,
        expected.map(|(path, bytes)| (path.to_owned(), bytes))
    );
}

#[test]
fn section_6_the_worked_ledger_is_clean() {
    let worked = Worked::load();
    let mut verifier = Verifier::new(worked.options());
    worked
        .events()
        .into_iter()
        .for_each(|event| verifier.event(event));
    let verification = verifier.finish();
    assert_eq!(verification.faults, []);
    assert_eq!((verification.events, verification.provable_to), (8, 8));
    assert_eq!(verification.checkpoint_size, Some(8));
    assert_eq!(verification.root, worked.root(8));
}

#[test]
fn section_6_the_negatives() {
    let worked = Worked::load();
    let events: Vec<Vec<u8>> = worked.events().into_iter().map(<[u8]>::to_vec).collect();
    let negative = worked.list("negative");

    let mut flipped = events.clone();
    flipped[3][10] ^= 1;
    assert_eq!(leaf_hash(&flipped[3]), hash(&negative[0]["leaf_hash_hex"]));

    let mut dropped = events.clone();
    dropped.remove(4);
    assert_eq!(root(&dropped), hash(&negative[1]["root_hex"]));

    let mut swapped = events;
    swapped.swap(4, 5);
    assert_eq!(root(&swapped), hash(&negative[2]["root_hex"]));

    for (changed, provable_to) in [(flipped, 1), (dropped, 1), (swapped, 1)] {
        let mut verifier = Verifier::new(worked.options());
        changed.iter().for_each(|event| verifier.event(event));
        let verification = verifier.finish();
        assert!(!verification.is_clean());
        assert_eq!(verification.provable_to, provable_to);
    }
}

fn root(events: &[Vec<u8>]) -> Hash {
    root_of(
        &events
            .iter()
            .map(|event| leaf_hash(event))
            .collect::<Vec<_>>(),
    )
}
