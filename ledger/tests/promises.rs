//! What a ledger promises, through its public names only.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, in its helpers too, and says what is absent"
)]

mod promises {
    mod append;
    mod backup;
    mod book;
    mod condition;
    mod crash;
    mod erase;
    mod group;
    mod group_model;
    mod index;
    mod matrix;
    mod pack;
    mod prune;
    mod read;
    mod replica;
    mod restore;
    mod rot;
    mod tamper;
    mod tiles;
    mod transparency;
    mod vectors;
    mod volume;
    mod writers;
}
