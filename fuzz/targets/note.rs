//! Signed notes: what is read is what is written again, and random bytes never are a signature.
#![no_main]

use ledger::note::{Note, SigningKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(note) = Note::parse(data) else {
        return;
    };
    assert_eq!(note.to_string().as_bytes(), data);
    // the key of no seed
    let key = SigningKey::new("ledger.example/fuzz", &[0x5a; 32]).expect("a name");
    assert!(note.verify(&[key.verifier().clone()]).is_err());
});
