//! Flags of the commands that make a ledger take less room.

use clap::Args;

use super::Output;
use crate::moment::Moment;

/// `pack`.
#[derive(Debug, Args)]
pub(crate) struct Pack {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// Level of zstd, 1 to 22: higher is smaller and slower. Segments that are packed stay as they are.
    #[arg(long, default_value_t = ledger::PACK_LEVEL, value_name = "N")]
    pub level: i32,
    /// Keep segments as written instead.
    #[arg(long, conflicts_with = "level")]
    pub unpack: bool,
}

/// `prune`.
#[derive(Debug, Args)]
pub(crate) struct Prune {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// Sign-ins that occurred before this time or date, or lie below `#POSITION`, in whole sealed segments.
    #[arg(long, value_name = "WHEN")]
    pub before: Moment,
    /// Only types that start with this, such as `activity.signed_in`; of `activity.` only. May be given several times.
    #[arg(long = "types", value_name = "PREFIX", default_value = "activity.")]
    pub types: Vec<String>,
    /// Why, in words that name nobody: it stays public.
    #[arg(long)]
    pub reason: String,
    /// Who approved it: two different ones at least. They stay public, so better roles than names.
    #[arg(long, value_name = "WHO", required = true)]
    pub approved_by: Vec<String>,
    /// The law or rule it rests on.
    #[arg(long, value_name = "TEXT")]
    pub legal_basis: Option<String>,
    /// Do it. Without this, what would be deleted is shown and nothing happens.
    #[arg(long)]
    pub yes: bool,
}
