//! Events on the ledger itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{EventId, Position};

/// `ledger.created`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Created {
    /// Origin: schema-less URL that names the ledger in checkpoints.
    pub origin: String,
    /// Whether network facts of workloads go to the private part.
    #[serde(default)]
    pub private_network: bool,
}

/// Counts of records; `records = imported + duplicates + skipped + rejections`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordCounts {
    /// Records read.
    pub records: u64,
    /// Records that became one event or more, or joined one.
    pub imported: u64,
    /// Records that said nothing new.
    pub duplicates: u64,
    /// Records skipped by their activity name or category.
    pub skipped: u64,
    /// Records that could not be turned into an event.
    pub rejections: u64,
}

/// `ledger.imported`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// BLAKE3 of the file's bytes as read (after decompression), hex.
    pub digest: String,
    /// What happened to its records.
    pub counts: RecordCounts,
    /// Earliest and latest time among the file's timed records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<(Timestamp, Timestamp)>,
    /// Records by category read, such as `graph/signIn`: what sources this file speaks for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub categories: BTreeMap<String, u64>,
    /// Records skipped, by activity name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub skipped: BTreeMap<String, u64>,
}

/// `ledger.corroborated`: a later record says more about an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Corroborated {
    /// The event it is about.
    pub event_id: EventId,
    /// Its position.
    pub position: Position,
    /// Body fields that the event lacked, to be merged into its body.
    pub adds: serde_json::Value,
    /// Exact time, when the event was only observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
}

/// `ledger.conflicted`: a later record contradicts an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conflicted {
    /// The event it is about.
    pub event_id: EventId,
    /// Its position.
    pub position: Position,
    /// The body the later record claims.
    pub claims: serde_json::Value,
}
