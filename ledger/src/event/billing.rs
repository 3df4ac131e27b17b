//! Billing runs that were committed to.

use serde::{Deserialize, Serialize};

use super::Position;

/// `billing.run_recorded`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecorded {
    /// SHA-256 over the canonical inputs, hex.
    pub run_id: String,
    /// Tenant billed.
    pub tenant: String,
    /// Billing period, `YYYY-MM`.
    pub period: String,
    /// `final` or `draft`.
    pub kind: String,
    /// Events below this position were known to the run.
    pub cutoff_position: Position,
    /// SHA-256 of the price book's bytes, hex.
    pub price_book_sha256: String,
    /// ISO 4217 currency.
    pub currency: String,
    /// Sum of the lines in minor units.
    pub total_minor_units: i64,
    /// How many charge lines.
    pub lines: u64,
    /// SHA-256 of the run's canonical JSON, hex.
    pub result_sha256: String,
}
