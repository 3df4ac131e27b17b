//! Keys and checkpoints: what an outsider's evidence rests on.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Position;

/// Where a rotation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RotationState {
    /// Old and new key both sign from here on.
    Began,
    /// The old key was destroyed.
    Ended,
}

/// `ledger.key_rotated`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRotated {
    /// The key that is replaced, as a note verifier key.
    pub old: String,
    /// The key that signs on.
    pub new: String,
    /// Where the rotation stands.
    pub state: RotationState,
}

/// `ledger.epoch_sealed`: the key of one epoch was destroyed, that of the next signs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochSealed {
    /// The epoch that begins, in whole days since the ledger was created.
    pub opened: u64,
    /// Its key, as a note verifier key.
    pub key: String,
    /// Size of the checkpoint that ends the epoch before; absent for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_size: Option<u64>,
    /// All that as a signed note: by the ledger's key, and by the key of the epoch before.
    pub note: String,
}

/// `ledger.anchored`: a timestamp authority has seen a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchored {
    /// Size of the checkpoint.
    pub size: u64,
    /// Root it names, hex.
    pub root: String,
    /// SHA-256 of the bytes that were stamped, the note with its signatures, hex.
    pub sha256: String,
    /// Time the authority tells.
    pub time: Timestamp,
    /// The authority, as its certificate names it.
    pub authority: String,
    /// The token (RFC 3161 `TimeStampResp`), base64.
    pub token: String,
}

/// `ledger.pruned`: the payloads of old activity were deleted for good. Their entries stay, so
/// that chain, tree and streams are what they were; the event holds for positions below its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pruned {
    /// Payloads at positions below this one were deleted.
    pub below: Position,
    /// Names of the types they were of.
    pub types: Vec<String>,
    /// Payloads deleted, those deleted before not counted again.
    pub events: u64,
    /// Bytes of them, private parts included.
    pub bytes: u64,
    /// How many of them occurred in which month, `YYYY-MM` in UTC.
    pub months: BTreeMap<String, u64>,
    /// Why, in words that name nobody.
    pub reason: String,
    /// The law or rule it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_basis: Option<String>,
    /// Who approved it: two or more, each once.
    pub approved_by: Vec<String>,
}

impl Pruned {
    /// Whether it says that the payload of an event of that type at that position is gone.
    pub fn covers(&self, event_type: super::EventType, position: Position) -> bool {
        let name = event_type.name();
        position < self.below && name.is_some_and(|name| self.types.iter().any(|of| of == name))
    }
}
