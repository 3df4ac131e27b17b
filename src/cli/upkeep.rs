//! Flags of the commands that look after a ledger's folder.

use std::path::PathBuf;

use clap::Args;

use super::Output;

/// `backup`.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// A folder, made or brought up to date; or a new archive, when the name ends with `.tar`.
    #[arg(value_name = "DIR|FILE")]
    pub to: PathBuf,
    /// Leave out `blind.key`: a copy for auditors, which verifies and cannot be continued.
    #[arg(long)]
    pub without_blind: bool,
}

/// `restore`.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// A backup: a folder or an archive.
    #[arg(value_name = "DIR|FILE")]
    pub from: PathBuf,
}

/// `doctor`.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// A backup folder to compare with.
    #[arg(long, value_name = "DIR")]
    pub backup: Option<PathBuf>,
}

/// `copy`.
#[derive(Debug, Args)]
pub(crate) struct Copy {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// Folder or address of the ledger to copy; --keys names its keys.
    #[arg(value_name = "FROM")]
    pub from: PathBuf,
    /// Folder or address to copy to; a folder is made.
    #[arg(value_name = "TO")]
    pub to: PathBuf,
    /// Folder of the copy's keys. Default: as for --keys.
    #[arg(long, value_name = "DIR")]
    pub to_keys: Option<PathBuf>,
    /// Leave out `blind.key`: a copy for auditors, which verifies and cannot be continued.
    #[arg(long)]
    pub without_blind: bool,
}
