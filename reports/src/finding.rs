//! A finding: the answer of a check about one identity, with the positions that prove it.

use ledger::Position;
use serde::{Deserialize, Serialize};

/// How bad a finding is. Ordered: `Info` is the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Tidy up when passing.
    Low,
    /// Plan it.
    Medium,
    /// Do it this week.
    High,
    /// Do it today.
    Critical,
}

/// Positions that prove a finding; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Evidence {
    // INVARIANT: ascending, without repeats, not empty.
    positions: Vec<Position>,
}

impl Evidence {
    /// Evidence from positions; `None` when there are none: a finding without proof cannot be made.
    pub fn new(positions: impl IntoIterator<Item = Position>) -> Option<Self> {
        let mut positions: Vec<Position> = positions.into_iter().collect();
        positions.sort_unstable();
        positions.dedup();
        (!positions.is_empty()).then_some(Self { positions })
    }

    /// The positions, ascending.
    pub fn positions(&self) -> &[Position] {
        &self.positions
    }
}

/// One answer of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Id of the check, such as `CRED-001`.
    pub check: String,
    /// Stream of the subject it is about (an identity, application, policy or tenant).
    pub subject: String,
    /// Tells findings of one check on one subject apart (a key id, a role id); may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub discriminator: String,
    /// Severity after adjustment to the subject's tier.
    pub severity: Severity,
    /// The fact, one sentence, no markup.
    pub statement: String,
    /// What proves it.
    pub evidence: Evidence,
}
