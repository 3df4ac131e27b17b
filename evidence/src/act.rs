//! Events the evidence itself leaves in the book.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ledger::checkpoint::Checkpoint;
use ledger::event::evidence::{Anchored, EpochSealed, KeyRotated};
use ledger::hash::hex;
use ledger::{Event, EventBody, NaturalKey, StreamName};
use sha2::{Digest as _, Sha256};

use crate::timestamp::{Stamped, Token};

/// The event that a key is being replaced, or was.
pub fn key_rotated(body: KeyRotated, at: Timestamp) -> Event {
    let state = format!("{:?}", body.state);
    let key = NaturalKey::new("ledger.key_rotated")
        .with(&body.old)
        .with(&body.new)
        .with(&state);
    of_ledger(key, EventBody::KeyRotated(body), at)
}

/// The event that an epoch ended and the next began.
pub(crate) fn epoch_sealed(body: EpochSealed, at: Timestamp) -> Event {
    let key = NaturalKey::new("ledger.epoch_sealed")
        .with(&body.opened.to_string())
        .with(&body.key);
    of_ledger(key, EventBody::EpochSealed(body), at)
}

/// The event that a timestamp authority has seen a checkpoint, as the bytes that were stamped.
pub fn anchored(checkpoint: &Checkpoint, bytes: &[u8], token: &Token, stamped: &Stamped) -> Event {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    let body = Anchored {
        size: checkpoint.size,
        root: hex(&checkpoint.root),
        sha256: hex(&digest),
        time: stamped.time,
        authority: stamped.authority.clone(),
        token: STANDARD.encode(token.as_bytes()),
    };
    let key = NaturalKey::new("ledger.anchored").with(&body.token);
    of_ledger(key, EventBody::Anchored(body), stamped.time)
}

fn of_ledger(key: NaturalKey, body: EventBody, at: Timestamp) -> Event {
    Event::own(key, StreamName::ledger(), body, at)
}
