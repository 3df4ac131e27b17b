//! What the evidence crate promises, through its public names only.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
//! What evidence promises, through public names only.
    reason = "a test fails by panicking, in its helpers too"
)]

mod promises {
    mod cosigner;
    mod grown;
    mod liar;
    mod outside;
    mod policy;
    mod superlog;
    mod witness;
    mod witness_lies;
    mod timestamp;
}
