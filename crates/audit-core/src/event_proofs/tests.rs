use super::*;
use crate::{
    Checkpoint, Origin, Sequencer, SignedCheckpoint, Signer, inclusion_proof,
    tests_support::{body, signer},
};

/// A ledger of three streams, one event after the other; proofs of all events of streams 0 and 1.
fn proofs() -> (EventProofs, Signer) {
    let mut sequencer = Sequencer::new();
    let mut tails = [(0, Hash::ZERO); 3];
    let mut events = Vec::new();
    for n in 0..9_u8 {
        let stream = n % 3;
        let tail = &mut tails[usize::from(stream)];
        let event = sequencer.append(body(stream, tail.0), tail.1).unwrap();
        *tail = (tail.0 + 1, event.leaf);
        events.push(event);
    }
    let leaves: Vec<_> = events.iter().map(|event| event.leaf).collect();
    let signed = sign(&sequencer);
    let proof = |event: &crate::Sequenced| {
        let seq = event.event.seq;
        let path = inclusion_proof(&leaves, seq).unwrap();
        let mut proof = InclusionProofFile::new(seq, path, signed.clone());
        proof.extra = Some(event.canonical.clone());
        proof
    };
    let wanted = events.iter().filter(|event| event.event.seq % 3 < 2);
    (EventProofs::new(wanted.map(proof).collect()), signer())
}

fn sign(sequencer: &Sequencer) -> SignedCheckpoint {
    signer().sign(&Checkpoint {
        origin: Origin::parse("ledger.example/doors").unwrap(),
        size: sequencer.next_seq(),
        root: sequencer.root(),
    })
}

#[test]
fn a_file_is_read_as_it_was_written_and_proves_every_event() {
    let (proofs, signer) = proofs();
    let text = proofs.to_text();
    let read = EventProofs::parse(&text, &[signer.verifier_key()]).unwrap();
    assert_eq!(read, proofs);
    let events = read.check().unwrap();
    let seqs: Vec<_> = events.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, [0, 1, 3, 4, 6, 7]);
}

#[test]
fn each_part_is_a_proof_file_of_its_own() {
    let (proofs, signer) = proofs();
    for proof in proofs.proofs() {
        let alone = InclusionProofFile::parse(&proof.to_text(), &[signer.verifier_key()]);
        assert_eq!(alone.as_ref(), Ok(proof));
    }
}

#[test]
fn an_event_that_is_left_out_changed_or_moved_is_found() {
    let (whole, _) = proofs();
    let after = |change: fn(&mut Vec<InclusionProofFile>)| {
        let mut proofs = whole.proofs.clone();
        change(&mut proofs);
        EventProofs::new(proofs).check().unwrap_err()
    };
    let left_out = after(|proofs| drop(proofs.remove(2)));
    assert_eq!(left_out, EventProofsError::NotNext { index: 6 });
    let moved = after(|proofs| proofs.swap(0, 2));
    assert_eq!(moved, EventProofsError::NotNext { index: 3 });
    let empty = after(|proofs| proofs[1].extra = None);
    assert_eq!(empty, EventProofsError::NoEvent { index: 1 });
    let changed = after(|proofs| proofs[1].extra.as_mut().unwrap()[20] ^= 1);
    assert_eq!(
        changed,
        EventProofsError::NotProven {
            index: 1,
            source: ProofError::RootMismatch
        }
    );
    let other = after(|proofs| proofs[0].index = 1);
    assert!(matches!(
        other,
        EventProofsError::NotProven { index: 1, .. }
    ));
}

#[test]
fn a_leaf_that_is_no_event_is_told() {
    let root = leaf_hash(b"no event");
    let checkpoint = Checkpoint {
        origin: Origin::parse("ledger.example/doors").unwrap(),
        size: 1,
        root,
    };
    let mut proof = InclusionProofFile::new(0, Vec::new(), signer().sign(&checkpoint));
    proof.extra = Some(b"no event".to_vec());
    let error = EventProofs::new(vec![proof]).check().unwrap_err();
    assert!(matches!(
        error,
        EventProofsError::NotAnEvent { index: 0, .. }
    ));
}

#[test]
fn the_signature_of_a_stranger_proves_nothing() {
    let (proofs, _) = proofs();
    let stranger = Signer::from_seed("ledger.example/doors", [8; 32]).unwrap();
    let error = EventProofs::parse(&proofs.to_text(), &[stranger.verifier_key()]).unwrap_err();
    assert!(matches!(error, ProofFileError::Checkpoint(_)));
}
