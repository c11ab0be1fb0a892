//! Proofs, events and checkpoints out of a store.

use audit_core::{
    EventProofs, SignedCheckpoint, StreamKey, leaf_hash, root_of, verify_consistency,
};
use letter_store::StatusFilter;

use crate::support::Desk;

/// A store of more than 600 events, its newest checkpoint, and the streams of one letter.
async fn store() -> (Desk, SignedCheckpoint, Vec<StreamKey>) {
    let mut desk = Desk::new(11);
    for number in 0..90 {
        desk.take(&format!("D-{number}"), "text").await;
    }
    desk.work_off().await;
    let note = desk.sign().await.unwrap();
    let trusted = [desk.signer().verifier_key()];
    let signed = SignedCheckpoint::parse(&note, &trusted).unwrap();
    assert!(
        signed.checkpoint().size > 600,
        "{}",
        signed.checkpoint().size
    );
    let views = desk.store().letters(StatusFilter::default()).await.unwrap();
    let view = views.iter().find(|view| !view.copies.is_empty()).unwrap();
    let streams = std::iter::once(view.letter.key).chain(view.copies.iter().map(|copy| copy.key));
    let streams = streams.collect();
    (desk, signed, streams)
}

#[tokio::test]
async fn section_5_3_the_history_of_a_letter_is_proven_by_its_file_alone() {
    let (desk, signed, streams) = store().await;
    let proofs = desk.store().proofs(streams.clone(), signed).await.unwrap();
    let text = proofs.to_text();
    let read = EventProofs::parse(&text, &[desk.signer().verifier_key()]).unwrap();
    let events = read.check().unwrap();
    let mut held = 0;
    for stream in &streams {
        held += desk.store().history(*stream).await.unwrap().len();
    }
    assert_eq!(events.len(), held);
    assert!(held > 6, "{held}");
}

#[tokio::test]
async fn kept_subtrees_may_be_missing_and_proofs_are_the_same() {
    let (desk, signed, streams) = store().await;
    let proofs = desk.store().proofs(streams.clone(), signed.clone()).await;
    let count = "SELECT count(*) FROM subtree";
    let kept: i64 = desk.raw().query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(u64::try_from(kept), Ok(signed.checkpoint().size / 256));
    let gone = desk.raw().execute("DELETE FROM subtree", []).unwrap();
    assert!(gone >= 2, "{gone}");
    let again = desk.store().proofs(streams, signed).await.unwrap();
    assert_eq!(again, proofs.unwrap());
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_witness_gets_a_consistency_proof_from_any_size() {
    let (desk, signed, _) = store().await;
    let size = signed.checkpoint().size;
    let entries = desk.store().entries(0, u32::MAX).await.unwrap();
    let leaves: Vec<_> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    assert_eq!(leaves.len() as u64, size);
    for first in (1..=size).step_by(41) {
        let proof = desk.store().consistency(first, size).await.unwrap();
        let beginning = usize::try_from(first).unwrap();
        let old = root_of(&leaves[..beginning]);
        verify_consistency(first, size, &old, &signed.checkpoint().root, &proof).unwrap();
    }
    assert!(desk.store().consistency(0, size).await.is_err());
    assert!(desk.store().consistency(size + 1, size).await.is_err());
}

#[tokio::test]
async fn events_and_checkpoints_are_read_in_order() {
    let mut desk = Desk::new(12);
    desk.take("D-1", "text").await;
    let first = desk.sign().await.unwrap();
    desk.take("D-2", "text").await;
    let second = desk.sign().await.unwrap();
    assert_eq!(desk.store().checkpoints().await.unwrap(), [first, second]);
    let all = desk.store().entries(0, 100).await.unwrap();
    assert_eq!(desk.store().entries(1, 2).await.unwrap(), all[1..3]);
    assert!(desk.store().entries(100, 1).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_store_that_does_not_lead_to_the_checkpoint_gives_no_proof() {
    let (desk, signed, streams) = store().await;
    let changed = "UPDATE event SET leaf = randomblob(32) WHERE seq = 300";
    assert_eq!(desk.raw().execute(changed, []).unwrap(), 1);
    desk.raw().execute("DELETE FROM subtree", []).unwrap();
    assert!(desk.store().proofs(streams, signed).await.is_err());
}
