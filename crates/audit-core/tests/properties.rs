//! What holds for every ledger, tree and proof.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside of test functions"
)]

#[path = "support/ledger.rs"]
mod ledger;

use audit_core::{
    CompactRange, Hash, Sequencer, consistency_proof, empty_root, inclusion_proof, leaf_hash,
    node_hash, root_of, verify_consistency, verify_inclusion,
};
use ledger::{Ledger, body, stored};
use proptest::{prelude::*, sample::Index};

fn ledgers() -> impl Strategy<Value = Ledger> {
    proptest::collection::vec(0..5_u8, 1..24).prop_map(|streams| Ledger::of(&streams))
}

fn leaves() -> impl Strategy<Value = Vec<Hash>> {
    (1..70_u64).prop_map(|count| (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect())
}

/// The root by the definition of RFC 6962 section 2.1.
fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let mut split = 1;
            while split * 2 < leaves.len() {
                split *= 2;
            }
            node_hash(&naive_root(&leaves[..split]), &naive_root(&leaves[split..]))
        }
    }
}

fn is_found(ledger: &Ledger, changed: Vec<Vec<u8>>) -> bool {
    let options = stored(vec![ledger.checkpoint(ledger.events.len())]);
    let changed = Ledger {
        events: changed,
        roots: Vec::new(),
    };
    !changed.verify(options).is_clean()
}

fn flip(hash: Hash, bit: usize) -> Hash {
    let mut bytes = *hash.as_bytes();
    bytes[bit / 8 % 32] ^= 1 << (bit % 8);
    Hash::from_bytes(bytes)
}

#[test]
fn every_bit_of_a_ledger_counts() {
    let ledger = Ledger::of(&[1, 2, 1]);
    for (event, bytes) in ledger.events.iter().enumerate() {
        for bit in 0..bytes.len() * 8 {
            let mut changed = ledger.events.clone();
            changed[event][bit / 8] ^= 1 << (bit % 8);
            assert!(is_found(&ledger, changed), "event {event}, bit {bit}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn ledgers_as_written_are_clean(ledger in ledgers(), at: Index) {
        let size = at.index(ledger.events.len() + 1);
        let verification = ledger.verify(stored(vec![ledger.checkpoint(size)]));
        prop_assert!(verification.is_clean());
        prop_assert_eq!(verification.provable_to, size as u64);
        prop_assert_eq!(Some(&verification.root), ledger.roots.last());
    }

    #[test]
    fn any_changed_byte_is_found(ledger in ledgers(), event: Index, byte: Index, by in 1..=255_u8) {
        let mut changed = ledger.events.clone();
        let event = event.index(changed.len());
        let byte = byte.index(changed[event].len());
        changed[event][byte] ^= by;
        prop_assert!(is_found(&ledger, changed));
    }

    #[test]
    fn a_dropped_event_is_found(ledger in ledgers(), event: Index) {
        let mut changed = ledger.events.clone();
        changed.remove(event.index(changed.len()));
        prop_assert!(is_found(&ledger, changed));
    }

    #[test]
    fn a_doubled_event_is_found(ledger in ledgers(), event: Index, to: Index) {
        let mut changed = ledger.events.clone();
        let double = event.get(&changed).clone();
        changed.insert(to.index(changed.len() + 1), double);
        prop_assert!(is_found(&ledger, changed));
    }

    #[test]
    fn swapped_events_are_found(ledger in ledgers(), one: Index, other: Index) {
        let mut changed = ledger.events.clone();
        let (one, other) = (one.index(changed.len()), other.index(changed.len()));
        prop_assume!(one != other);
        changed.swap(one, other);
        prop_assert!(is_found(&ledger, changed));
    }

    #[test]
    fn a_dropped_event_is_found_without_a_checkpoint_unless_it_was_the_last(
        ledger in ledgers(),
        event: Index,
    ) {
        let mut changed = ledger;
        let event = event.index(changed.events.len());
        prop_assume!(event + 1 < changed.events.len());
        changed.events.remove(event);
        prop_assert!(!changed.verify(stored(Vec::new())).is_clean());
    }

    #[test]
    fn what_is_provable_was_not_changed(ledger in ledgers(), event: Index, byte: Index, at: Index) {
        let size = at.index(ledger.events.len() + 1);
        let mut changed = ledger.clone();
        let event = event.index(changed.events.len());
        let byte = byte.index(changed.events[event].len());
        changed.events[event][byte] ^= 1;
        let notes = vec![ledger.checkpoint(size), ledger.checkpoint(ledger.events.len())];
        let provable_to = changed.verify(stored(notes)).provable_to;
        prop_assert_eq!(provable_to, if event < size { 0 } else { size as u64 });
    }

    #[test]
    fn the_root_of_a_range_is_the_root_by_definition(leaves in leaves(), at: Index) {
        let leaves = &leaves[..at.index(leaves.len() + 1)];
        let mut range = CompactRange::new();
        leaves.iter().for_each(|leaf| range.push(*leaf));
        prop_assert_eq!(range.root(), naive_root(leaves));
        prop_assert_eq!(root_of(leaves), naive_root(leaves));
    }

    #[test]
    fn a_stored_range_goes_on_as_if_never_stored(leaves in leaves(), at: Index) {
        let (before, after) = leaves.split_at(at.index(leaves.len() + 1));
        let mut range = CompactRange::new();
        before.iter().for_each(|leaf| range.push(*leaf));
        let mut range = CompactRange::from_parts(range.size(), range.hashes().to_vec()).unwrap();
        after.iter().for_each(|leaf| range.push(*leaf));
        prop_assert_eq!(range.root(), naive_root(&leaves));
    }

    #[test]
    fn inclusion_proofs_prove_and_no_changed_one_does(
        leaves in leaves(), index: Index, part: Index, bit in 0..256_usize,
    ) {
        let (size, index) = (leaves.len() as u64, index.index(leaves.len()));
        let (leaf, root) = (leaves[index], root_of(&leaves));
        let proof = inclusion_proof(&leaves, index as u64).unwrap();
        let check = |index, size, leaf, proof: &[_], root| {
            verify_inclusion(index, size, &leaf, proof, &root).is_ok()
        };
        let at = index as u64;
        prop_assert!(check(at, size, leaf, &proof, root));
        prop_assert!(!check(at, size, flip(leaf, bit), &proof, root));
        prop_assert!(!check(at, size, leaf, &proof, flip(root, bit)));
        prop_assert!(!check(at + 1, size, leaf, &proof, root));
        prop_assert!(!check(size, size, leaf, &proof, root));
        let longer = [proof.as_slice(), &[leaf]].concat();
        prop_assert!(!check(at, size, leaf, &longer, root));
        if !proof.is_empty() {
            let mut changed = proof.clone();
            let part = part.index(changed.len());
            changed[part] = flip(changed[part], bit);
            prop_assert!(!check(at, size, leaf, &changed, root));
            prop_assert!(!check(at, size, leaf, &proof[1..], root));
        }
    }

    #[test]
    fn consistency_proofs_prove_and_no_changed_one_does(
        leaves in leaves(), first: Index, part: Index, bit in 0..256_usize,
    ) {
        let (second, first) = (leaves.len() as u64, first.index(leaves.len()) + 1);
        let (root1, root2) = (root_of(&leaves[..first]), root_of(&leaves));
        let first = first as u64;
        let proof = consistency_proof(&leaves, first).unwrap();
        let check = |root1, root2, proof: &[_]| {
            verify_consistency(first, second, &root1, &root2, proof).is_ok()
        };
        prop_assert!(check(root1, root2, &proof));
        prop_assert!(!check(flip(root1, bit), root2, &proof));
        prop_assert!(!check(root1, flip(root2, bit), &proof));
        prop_assert!(!check(root1, root2, &[proof.as_slice(), &[root1]].concat()));
        if !proof.is_empty() {
            let mut changed = proof.clone();
            let part = part.index(changed.len());
            changed[part] = flip(changed[part], bit);
            prop_assert!(!check(root1, root2, &changed));
            prop_assert!(!check(root1, root2, &proof[1..]));
        }
    }

    #[test]
    fn a_sequencer_that_resumes_gives_the_same_ledger(streams in 1..9_u64, at in 0..9_u64) {
        let mut whole = Sequencer::new();
        let mut parted = Sequencer::new();
        for n in 0..streams {
            if n == at {
                let range = parted.range().clone();
                prop_assert!(Sequencer::resume(range.clone(), n + 1).is_err());
                parted = Sequencer::resume(range, n).unwrap();
            }
            let stream = u8::try_from(n).unwrap();
            let event = whole.sequence(body(n, stream, 0), Hash::ZERO).unwrap();
            prop_assert_eq!(parted.sequence(body(n, stream, 0), Hash::ZERO).unwrap(), event);
        }
        prop_assert_eq!(whole, parted);
    }
}

#[test]
fn proofs_that_cannot_be_made_or_prove_nothing() {
    let leaves = [leaf_hash(b"a"), leaf_hash(b"b")];
    let root = root_of(&leaves);
    let text = |result: Result<_, audit_core::ProofError>| result.unwrap_err().to_string();
    assert_eq!(
        text(inclusion_proof(&leaves, 2)),
        "no leaf 2 in a tree of 2"
    );
    assert_eq!(
        text(consistency_proof(&leaves, 0)),
        "a consistency proof from an empty tree proves nothing"
    );
    assert_eq!(
        text(consistency_proof(&leaves, 3)),
        "a tree of 3 cannot be the beginning of a tree of 2"
    );
    assert!(verify_consistency(0, 0, &empty_root(), &empty_root(), &[]).is_err());
    assert!(verify_consistency(2, 2, &root, &root, &[]).is_ok());
    let too_long = "the number of hashes in the proof is not that of the trees' sizes";
    assert_eq!(
        text(verify_consistency(2, 2, &root, &root, &[root]).map(|()| Vec::new())),
        too_long
    );
    let proof = [leaves[1], root];
    let included = |proof| verify_inclusion(0, 2, &leaves[0], proof, &root).map(|()| Vec::new());
    assert!(included(&proof[..1]).is_ok());
    assert_eq!(text(included(&proof)), too_long);
    assert_eq!(text(included(&[])), too_long);
    assert_eq!(text(included(&[root])), "the proof leads to another root");
}

#[test]
fn a_sequencer_refuses_what_cannot_follow_and_stays_as_it_was() {
    let mut sequencer = Sequencer::new();
    for (lseq, prev) in [(0, leaf_hash(b"x")), (1, Hash::ZERO)] {
        let error = sequencer.sequence(body(0, 1, lseq), prev).unwrap_err();
        assert!(error.to_string().contains("zeros for event 0"), "{error}");
    }
    let mut unwritable = body(0, 1, 0);
    unwritable.actor.clear();
    assert!(sequencer.sequence(unwritable, Hash::ZERO).is_err());
    assert_eq!(sequencer, Sequencer::new());
}
