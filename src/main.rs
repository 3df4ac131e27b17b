//! The `daybook` command line: parse, dispatch, print, exit code. Everything else is in libraries.

mod cli;
mod commands;
mod demo;
mod edge;
mod inputs;
mod moment;
mod outcome;
mod remote;
mod style;
mod terminal;

use std::process::ExitCode;

use clap::Parser as _;

/// Folding a ledger makes and drops many small texts: the system's allocator takes twice as long.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return outcome::usage(&error),
    };
    match commands::run(&cli) {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => outcome::failed(&error),
    }
}
