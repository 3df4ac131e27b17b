//! What the store on KurrentDB promises, against a server that fails on demand.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "../../tests/conformance/mod.rs"]
mod conformance;

mod promises {
    mod appends;
    mod bad_input;
    mod cluster;
    mod follows;
    mod looks;
    mod owes;
    mod reads;
    mod records;
}
