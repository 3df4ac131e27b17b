//! Promises across crates, through the `daybook` binary: one module per promise.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "the helpers of tests fail by panicking and say what is absent"
)]

mod promises {
    mod bad_input;
    mod command_line;
    mod demo;
    mod erase;
    mod evidence;
    mod follow;
    mod full;
    mod hostile_text;
    mod idempotence;
    mod program;
    mod real_logs;
    mod rebuild;
    mod room;
    mod streams;
    mod tamper;
    mod tidy;
    mod upkeep;
}
