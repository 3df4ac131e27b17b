//! Reports that were issued.

use serde::{Deserialize, Serialize};

use super::Position;

/// `report.report_issued`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// Kind of report, such as `health`.
    pub report: String,
    /// Events below this position were known to the report.
    pub cutoff_position: Position,
    /// BLAKE3 of the report's JSON, hex.
    pub digest: String,
}
