//! Files of proofs are refused, or written back byte for byte.

#![no_main]

use evidence::bundle::cited;
use evidence::proof::{GrowthFile, Opened, ProofFile, StandingFile};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(proof) = ProofFile::parse(bytes) {
        assert_eq!(proof.to_string().as_bytes(), bytes);
    }
    if let Ok(proof) = GrowthFile::parse(bytes) {
        assert_eq!(proof.to_string().as_bytes(), bytes);
    }
    if let Ok(proof) = StandingFile::parse(bytes) {
        assert_eq!(proof.to_string().as_bytes(), bytes);
    }
    if let Ok(event) = Opened::parse(bytes) {
        assert_eq!(event.bytes(), bytes);
    }
    let _cited = cited(bytes);
});
