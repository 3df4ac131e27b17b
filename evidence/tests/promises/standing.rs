//! A ledger's checkpoint stands in a super-log: proven by the super-log's policy, and for that
//! checkpoint alone.

use evidence::policy::Policy;
use evidence::proof::{StandingError, StandingFile};

use super::superlog::{create, key, statement};

/// The proof that a tenant's checkpoint is the second of three leaves.
fn proof() -> (StandingFile, Policy) {
    let dir = tempfile::tempdir().unwrap();
    let mut log = create(dir.path());
    let ours = statement(1, 20);
    log.append(&[statement(0, 10), ours.clone(), statement(2, 30)])
        .unwrap();
    let included = log.inclusion(1).unwrap().unwrap();
    let proof = StandingFile {
        leaf: included.leaf,
        opening: log.opening(&ours.checkpoint.origin),
        index: included.index,
        hashes: included.proof,
        checkpoint: log.note().clone(),
    };
    let policy = format!("log {}\nquorum none\n", key().verifier());
    (proof, Policy::parse(&policy).unwrap())
}

#[test]
fn it_is_read_as_it_was_written_and_holds() {
    let (proof, policy) = proof();
    let text = proof.to_string();
    let read = StandingFile::parse(text.as_bytes()).unwrap();
    assert_eq!(read, proof);
    let judged = read.verify(&statement(1, 20).checkpoint, &policy).unwrap();
    assert_eq!(judged.checkpoint.size, 3);
}

#[test]
fn it_holds_for_no_other_checkpoint() {
    let (proof, policy) = proof();
    let ours = statement(1, 20).checkpoint;
    let mut root = ours.clone();
    root.root[0] ^= 1;
    for other in [
        statement(0, 20).checkpoint,
        statement(1, 21).checkpoint,
        root,
    ] {
        assert!(matches!(
            proof.verify(&other, &policy),
            Err(StandingError::Other)
        ));
    }
}

#[test]
fn no_changed_bit_of_it_holds() {
    let (proof, policy) = proof();
    let ours = statement(1, 20).checkpoint;
    let text = proof.to_string().into_bytes();
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut changed = text.clone();
            changed[at] ^= 1 << bit;
            let holds = StandingFile::parse(&changed)
                .ok()
                .is_some_and(|read| read.verify(&ours, &policy).is_ok());
            assert!(!holds, "byte {at} bit {bit}");
        }
    }
}
