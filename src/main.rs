//! The `daybook` command line.
fn main() {}
