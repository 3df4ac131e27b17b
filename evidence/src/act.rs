//! Events the evidence itself leaves in the book.

use jiff::Timestamp;
use ledger::event::evidence::{Anchored, EpochSealed, KeyRotated};
use ledger::{Correlation, Event, EventBody, NaturalKey, Precision, Source, StreamName};

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

/// The event that a timestamp authority has seen a checkpoint.
pub fn anchored(body: Anchored) -> Event {
    let at = body.time;
    let key = NaturalKey::new("ledger.anchored").with(&body.token);
    of_ledger(key, EventBody::Anchored(body), at)
}

fn of_ledger(key: NaturalKey, body: EventBody, at: Timestamp) -> Event {
    Event {
        id: key.id(),
        stream: StreamName::ledger(),
        occurred_at: at,
        precision: Precision::Exact,
        body,
        source: Source {
            name: "daybook".to_owned(),
            record: None,
            digest: String::new(),
        },
        correlation: Correlation::default(),
        actor: None,
        private: None,
    }
}
