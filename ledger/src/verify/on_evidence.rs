//! Events on keys and seals, met while records are checked: what signatures are held against.

use crate::event::evidence::RotationState;
use crate::event::{EventBody, EventType, Position};
use crate::note::VerifierKey;
use crate::payload::PublicIn;

/// Numbers of `ledger.key_rotated` and `ledger.epoch_sealed`.
const TYPES: [EventType; 2] = [EventType(0x0b07), EventType(0x0b08)];

/// An event on keys or seals whose payload is the one its entry names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnEvidence {
    /// Its position.
    pub position: Position,
    /// Its type.
    pub event_type: EventType,
    /// Its public payload.
    pub public: Vec<u8>,
}

impl OnEvidence {
    /// Whether events of that type are on keys or seals.
    pub(super) fn is_one(event_type: EventType) -> bool {
        TYPES.contains(&event_type)
    }

    /// What it says; `None` when that is not in the shape its type names.
    pub fn body(&self) -> Option<EventBody> {
        let public: PublicIn<'_> = serde_json::from_slice(&self.public).ok()?;
        public.body(self.event_type).ok()
    }
}

/// A key the ledger had before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplacedKey {
    /// The key.
    pub key: VerifierKey,
    /// Size of the largest checkpoint it may have signed alone: the position of the event that
    /// ended its use; none while it still signs beside the new one.
    pub until: Option<u64>,
}

/// The keys the ledger had before, by its own account.
pub(super) fn replaced_keys(events: &[OnEvidence]) -> Vec<ReplacedKey> {
    let mut found: Vec<ReplacedKey> = Vec::new();
    for event in events {
        let Some(EventBody::KeyRotated(rotated)) = event.body() else {
            continue;
        };
        let Ok(key) = rotated.old.parse() else {
            continue;
        };
        let until = (rotated.state == RotationState::Ended).then_some(event.position);
        match found.iter_mut().find(|known| known.key == key) {
            Some(known) => known.until = known.until.or(until),
            None => found.push(ReplacedKey { key, until }),
        }
    }
    found
}
