use super::*;
use crate::{Checkpoint, Origin, Signer, inclusion_proof, leaf_hash, root_of};

fn signer() -> Signer {
    Signer::from_seed("ledger.example/a", [3; 32]).unwrap()
}

fn leaves(count: u8) -> Vec<Hash> {
    (0..count).map(|n| leaf_hash(&[n])).collect()
}

fn file(index: u64, count: u8) -> InclusionProofFile {
    let leaves = leaves(count);
    let checkpoint = Checkpoint {
        origin: Origin::parse("ledger.example/a").unwrap(),
        size: count.into(),
        root: root_of(&leaves),
    };
    let proof = inclusion_proof(&leaves, index).unwrap();
    InclusionProofFile::new(index, proof, signer().sign(&checkpoint))
}

fn parse(text: &str) -> Result<InclusionProofFile, ProofFileError> {
    InclusionProofFile::parse(text, &[signer().verifier_key()])
}

#[test]
fn c2sp_files_are_read_as_they_were_written() {
    for (index, count) in [(0, 1), (2, 3), (6, 8)] {
        let mut file = file(index, count);
        for extra in [None, Some(Vec::new()), Some(b"opaque".to_vec())] {
            file.extra = extra;
            let read = parse(&file.to_text()).unwrap();
            assert_eq!(read, file);
            read.check(&leaves(count)[usize::try_from(index).unwrap()])
                .unwrap();
        }
    }
}

#[test]
fn c2sp_other_texts_are_refused_with_the_line() {
    let good = file(2, 3).to_text();
    for (from, to, line) in [
        ("tlog-proof@v1", "tlog-proof@v2", 1),
        ("index 2", "index 02", 2),
        ("index 2", "index -2", 2),
        ("index 2", "Index 2", 2),
        ("index 2", "extra AA=\nindex 2", 2),
        ("index 2", "extra AA==\nindices 2", 3),
        ("index 2", "index 2\nextra AA==", 3),
        ("index 2\n", "index 2\n ", 3),
    ] {
        let error = parse(&good.replacen(from, to, 1)).unwrap_err();
        assert!(
            matches!(error, ProofFileError::Malformed { line: at, .. } if at == line),
            "{to}: {error}"
        );
    }
    assert!(parse("").is_err());
}

#[test]
fn a_file_proves_nothing_with_another_index_leaf_or_key() {
    let good = file(2, 3).to_text();
    let moved = parse(&good.replace("index 2", "index 1")).unwrap();
    assert!(moved.check(&leaves(3)[2]).is_err());
    let outside = parse(&good.replace("index 2", "index 3")).unwrap();
    assert_eq!(
        outside.check(&leaves(3)[2]),
        Err(ProofError::IndexOutOfRange { index: 3, size: 3 })
    );
    assert!(parse(&good).unwrap().check(&leaves(3)[1]).is_err());
    assert_eq!(
        InclusionProofFile::parse(&good, &[]),
        Err(ProofFileError::Checkpoint(CheckpointError::Untrusted))
    );
}

#[test]
fn proof_length_limit() {
    let mut file = file(0, 1);
    file.proof = vec![Hash::ZERO; PROOF_HASHES_MAX];
    assert!(parse(&file.to_text()).is_ok());
    file.proof.push(Hash::ZERO);
    assert_eq!(
        parse(&file.to_text()).unwrap_err().to_string(),
        "proof file with too long a proof: at most 63 are allowed"
    );
}

#[test]
fn extra_size_limit() {
    let mut file = file(0, 1);
    file.extra = Some(vec![0; PROOF_EXTRA_BYTES_MAX]);
    assert!(parse(&file.to_text()).is_ok());
    file.extra = Some(vec![0; PROOF_EXTRA_BYTES_MAX + 1]);
    let error = parse(&file.to_text()).unwrap_err();
    assert_eq!(
        error,
        ProofFileError::TooLong {
            what: "extra",
            max: PROOF_EXTRA_BYTES_MAX
        }
    );
}
