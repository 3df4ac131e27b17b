//! Flags of the commands that erase private data and look after its keys.

use std::path::PathBuf;

use clap::Args;

use super::Output;

/// `redact`.
#[derive(Debug, Args)]
pub(crate) struct Redact {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// Whose data goes: an identity as in `daybook identity`, or a stream name. May be given several times.
    #[arg(long, value_name = "ID", required_unless_present = "actor")]
    pub subject: Vec<String>,
    /// An actor whose data goes, by the stable id its sources give. May be given several times.
    #[arg(long, value_name = "ID")]
    pub actor: Vec<String>,
    /// Why, in words that name nobody: it stays public.
    #[arg(long)]
    pub reason: String,
    /// Who approved it: two different ones at least. They stay public, so better roles than names.
    #[arg(long, value_name = "WHO", required = true)]
    pub approved_by: Vec<String>,
    /// The law or rule it rests on.
    #[arg(long, value_name = "TEXT")]
    pub legal_basis: Option<String>,
    /// The written order; a hash of it under the blinding key is recorded.
    #[arg(long, value_name = "FILE")]
    pub order: Option<PathBuf>,
    /// Do it. Without this, what would be erased is shown and nothing happens.
    #[arg(long)]
    pub yes: bool,
}

/// `keys data`.
#[derive(Debug, Args)]
pub(crate) struct KeysData {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// The file is lost for good: begin a new one, so that events with private data can be appended again.
    #[arg(long)]
    pub replace_lost: bool,
}
