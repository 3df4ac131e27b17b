//! What a bundle is about.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a bundle proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Kind {
    /// A billing run: the document is the one its event commits to, and every event it cites is
    /// here.
    Invoice {
        /// Tenant billed.
        tenant: String,
        /// Month billed, `YYYY-MM`.
        period: String,
        /// Position of `billing.run_recorded`.
        event: u64,
        /// Path of the run.
        document: String,
    },
    /// A report: the document is the one its event commits to, and every event it cites is here.
    Report {
        /// Kind of report, such as `health`.
        report: String,
        /// Position of `report.report_issued`.
        event: u64,
        /// Path of the report.
        document: String,
    },
    /// An identity: every event of its stream, without a gap.
    Identity {
        /// Name of the stream.
        stream: String,
        /// Number of the stream in the ledger.
        stream_no: u32,
    },
    /// A month: every event that occurred in it.
    Period {
        /// The month, `YYYY-MM`.
        period: String,
        /// When it begins.
        start: Timestamp,
        /// When it ends, itself not within.
        end: Timestamp,
    },
}

/// `bundle.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Version of the layout: 1.
    pub bundle: u32,
    /// Origin of the ledger.
    pub origin: String,
    /// Events under the checkpoint.
    pub size: u64,
    /// What is proven.
    pub about: Kind,
    /// Whether every entry up to the checkpoint is here, so that none can be left out.
    pub complete: bool,
    /// Events whose payloads are here: half-open ranges of positions, ascending, apart.
    pub positions: Vec<(u64, u64)>,
}

impl About {
    /// Ranges of some positions.
    pub(super) fn ranges(positions: &std::collections::BTreeSet<u64>) -> Vec<(u64, u64)> {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for position in positions {
            match ranges.last_mut() {
                Some((_, end)) if *end == *position => *end += 1,
                _ => ranges.push((*position, position.saturating_add(1))),
            }
        }
        ranges
    }

    /// Whether the ranges are ascending, apart, not empty and below the size.
    pub(super) fn ranges_are_sound(&self) -> bool {
        let mut before = None;
        self.positions.iter().all(|(start, end)| {
            let sound = start < end && *end <= self.size && before.is_none_or(|it| it < *start);
            before = Some(*end);
            sound
        })
    }

    /// Whether the payload of a position is here.
    pub(super) fn has(&self, position: u64) -> bool {
        let after = self
            .positions
            .partition_point(|(start, _)| *start <= position);
        after
            .checked_sub(1)
            .and_then(|at| self.positions.get(at))
            .is_some_and(|(_, end)| position < *end)
    }
}
