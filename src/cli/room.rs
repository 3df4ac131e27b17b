//! Flags of the commands that make a ledger take less room.

use clap::Args;

use super::Output;

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
