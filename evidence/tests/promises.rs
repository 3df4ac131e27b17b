//! What the evidence crate promises, through its public names only.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod promises {
    mod book;
    mod bundle;
    mod cosigner;
    mod grown;
    mod liar;
    mod outside;
    mod policy;
    mod publish;
    mod standing;
    mod superlog;
    mod timestamp;
    mod witness;
    mod witness_lies;
}
