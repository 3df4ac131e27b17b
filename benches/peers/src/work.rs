//! What is appended: the same events for all.

use std::time::Duration;

use ledger::event::activity::SignIn;
use ledger::{Correlation, Edge, Event, EventBody, NaturalKey, Precision, Source, StreamName};

/// Rows of a peer: id and payload.
pub(crate) type Rows = Vec<([u8; 16], Vec<u8>)>;

pub(crate) fn event(number: u64) -> Event {
    let sign_in_id = format!("11111111-0000-4000-8000-{number:012}");
    let identity = format!("5b3c0a70-0000-4000-8000-{:012}", number % 1_000);
    Event {
        id: NaturalKey::new("activity").with("tenant").with(&sign_in_id).id(),
        stream: StreamName::service_principal("tenant", &identity),
        occurred_at: jiff::Timestamp::from_millisecond(1_790_000_000_000 + i64::try_from(number).unwrap()).unwrap(),
        precision: Precision::Exact,
        body: EventBody::SignedIn(SignIn {
            sign_in_id,
            app_id: identity.clone(),
            credential_key_id: Some(identity),
            resource_id: Some("00000003-0000-0000-c000-000000000000".to_owned()),
            ip: Some("203.0.113.7".to_owned()),
            country: Some("NL".to_owned()),
            ..SignIn::default()
        }),
        source: Source { name: "bench".to_owned(), record: None, digest: String::new() },
        correlation: Correlation::default(),
        actor: None,
        private: None,
    }
}

fn payload(event: &Event) -> Vec<u8> {
    serde_json::to_vec(&serde_json::json!({
        "subject": event.stream, "occurred_at": event.occurred_at,
        "body": event.body.to_json().unwrap(), "source": event.source,
    }))
    .unwrap()
}

/// The rows a peer stores of some events.
pub(crate) fn rows(events: &[Event]) -> Rows {
    events.iter().map(|event| (event.id.0, payload(event))).collect()
}

pub(crate) fn edge() -> Edge {
    Edge {
        clock: Box::new(jiff::Timestamp::now),
        entropy: Box::new(|bytes| bytes.fill(7)),
    }
}

/// Events of a batch.
pub(crate) const BATCH: usize = 1_000;

pub(crate) fn rate(events: u64, took: Duration) -> u64 {
    (u128::from(events) * 1_000_000_000 / took.as_nanos().max(1)).try_into().unwrap()
}

pub(crate) fn median(values: &mut [u64]) -> u64 {
    values.sort_unstable();
    values[values.len() / 2]
}
