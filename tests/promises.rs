//! Promises across crates, through the `daybook` binary: one module per promise.

mod promises {
    pub mod bad_input;
    pub mod command_line;
    pub mod demo;
    pub mod hostile_text;
    pub mod idempotence;
    pub mod program;
    pub mod real_logs;
    pub mod rebuild;
    pub mod tamper;
    pub mod tidy;
}
