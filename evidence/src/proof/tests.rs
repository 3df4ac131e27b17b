use std::path::Path;

use proptest::prelude::*;

use super::*;

/// The known answer, when this machine has the shared vectors.
#[expect(clippy::print_stdout, reason = "says that the vectors are absent")]
fn known() -> Option<(Vec<u8>, Policy)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/vectors/tlog/lge1"))
        .find(|folder| folder.exists());
    let Some(folder) = folder else {
        println!("shared/vectors/tlog/lge1 is absent: not checked");
        return None;
    };
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let (log, witness) = (read("log.vkey"), read("witness.vkey"));
    let policy = format!(
        "log {}\nwitness w {}\nquorum w\n",
        log.trim(),
        witness.trim()
    );
    let proof = std::fs::read(folder.join("entry257.tlog-proof")).unwrap();
    Some((proof, Policy::parse(&policy).unwrap()))
}

#[test]
fn the_known_proof_is_read_checked_and_written_as_it_was() {
    let Some((bytes, policy)) = known() else {
        return;
    };
    let proof = ProofFile::parse(&bytes).unwrap();
    let judged = proof.verify(&policy).unwrap();
    assert_eq!((proof.index, judged.checkpoint.size), (257, 300));
    assert_eq!(judged.cosignatures.len(), 1);
    assert!(proof.event.as_ref().unwrap().private.is_some());
    assert_eq!(proof.to_string().as_bytes(), bytes);
}

#[test]
fn no_bit_of_the_known_proof_can_change() {
    let Some((bytes, policy)) = known() else {
        return;
    };
    for offset in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[offset] ^= 1 << bit;
            let holds = ProofFile::parse(&changed)
                .ok()
                .is_some_and(|proof| proof.verify(&policy).is_ok());
            assert!(!holds, "bit {bit} of byte {offset}");
        }
    }
    for length in 0..bytes.len() {
        let holds = ProofFile::parse(&bytes[..length])
            .ok()
            .is_some_and(|proof| proof.verify(&policy).is_ok());
        assert!(!holds, "cut to {length} bytes");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, text in ".{0,200}") {
        let _proof = ProofFile::parse(&bytes);
        let _opened = Opened::parse(&bytes);
        let _growth = GrowthFile::parse(&bytes);
        let _headed = ProofFile::parse(format!("{HEADER}\n{text}").as_bytes());
        let _grown = GrowthFile::parse(format!("old 1\n{text}").as_bytes());
    }
}
