//! Events on the ledger itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{BlindedId, EventId, Position};

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
    /// Blinded name of the stream of the event it is about, when there is a private part: it is
    /// encrypted under the data key of that subject, and erased with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<BlindedId>,
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
    /// As in [`Corroborated`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<BlindedId>,
}

/// What [`Corroborated`] and [`Conflicted`] say of the subject they are about.
#[derive(Debug, Deserialize)]
pub(crate) struct About {
    #[serde(default)]
    pub(crate) subject: Option<BlindedId>,
}

/// In which part an erased name stands in entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// As the subject: the events of one stream, and those that say more about them.
    Subject,
    /// As the actor of events, whatever their subject.
    Actor,
}

/// `ledger.redacted`: the private parts of every earlier event of one subject or actor were
/// erased, by destroying its data key. It holds no personal data: the name is blinded, and the
/// event holds for positions below its own only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redacted {
    /// Blinded name of the subject's stream or of the actor, as in entries.
    pub id: BlindedId,
    /// Which of the two it is.
    pub role: Role,
    /// Private parts that can no longer be read, those erased before not counted again.
    pub events: u64,
    /// Position of the last event it holds for: the one before its own.
    pub through: Position,
    /// Why, in words that name nobody.
    pub reason: String,
    /// The law or rule it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_basis: Option<String>,
    /// Who approved it: two or more, each once.
    pub approved_by: Vec<String>,
    /// The written order, hashed under the blinding key:
    /// `H(blind, KEY_ORDER || u32 length || bytes)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<BlindedId>,
}
