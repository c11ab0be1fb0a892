//! An audit trail of anything, in twenty lines: who opened which door, signed, proven and checked.

use audit_core::{
    Checkpoint, Data, EventBody, EventId, Hash, InclusionProofFile, Origin, PseudonymKey,
    Sequencer, Signer, Timestamp, Verifier, VerifyOptions, inclusion_proof, leaf_hash,
};

#[expect(clippy::print_stdout, reason = "an example shows what it did")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let door = PseudonymKey::new([1; 32]).stream_key(&["door", "3"]);
    let (mut sequencer, mut ledger, mut prev) = (Sequencer::new(), Vec::new(), Hash::ZERO);
    for (lseq, (kind, state)) in (0..).zip([("door.opened", "OPEN"), ("door.closed", "SHUT")]) {
        let body = EventBody {
            id: EventId::from_bytes(u128::from(lseq).to_be_bytes()),
            at: Timestamp::parse("2026-02-03T10:10:00.000Z")?,
            stream: door,
            copy: None,
            lseq,
            subject: None,
            kind: kind.to_owned(),
            state: state.to_owned(),
            actor: "user:4f2a".to_owned(),
            data: Data::new().with("badge_reader", 7),
        };
        let event = sequencer.append(body, prev)?;
        prev = event.leaf;
        ledger.push(event.canonical);
    }
    let signer = Signer::from_seed("ledger.example/doors", [2; 32])?;
    let (origin, size) = (Origin::parse("ledger.example/doors")?, sequencer.next_seq());
    let signed = signer.sign(&Checkpoint {
        origin,
        size,
        root: sequencer.root(),
    });
    let mut verifier = Verifier::new(VerifyOptions {
        trusted: vec![signer.verifier_key()],
        stored_checkpoints: vec![signed.to_text()],
        ..VerifyOptions::default()
    });
    ledger.iter().for_each(|event| verifier.event(event));
    let found = verifier.finish();
    let leaves: Vec<_> = ledger.iter().map(|event| leaf_hash(event)).collect();
    let proof = InclusionProofFile::new(1, inclusion_proof(&leaves, 1)?, signed.clone());
    let read = InclusionProofFile::parse(&proof.to_text(), &[signer.verifier_key()])?;
    read.check(&leaf_hash(&ledger.swap_remove(1)))?;
    println!("{}", signed.to_text());
    println!("{} events, clean: {}", found.events, found.is_clean());
    Ok(())
}
