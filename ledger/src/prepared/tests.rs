use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::event::{Correlation, EventBody, NaturalKey, Precision, Source, risk};
use crate::payload::{SCHEMA, public_hash};

fn event(n: usize) -> Event {
    Event {
        id: NaturalKey::new("risk.level").with(&n.to_string()).id(),
        stream: StreamName::service_principal("tenant", &(n % 7).to_string()),
        occurred_at: Timestamp::UNIX_EPOCH,
        precision: Precision::Observed,
        body: EventBody::RiskConfirmed(risk::Level {
            level: "high".to_owned(),
            state: "confirmedCompromised".to_owned(),
            detail: None,
        }),
        source: Source {
            name: "graph/riskyServicePrincipal".to_owned(),
            record: None,
            digest: "d".repeat(n % 40 * 40),
        },
        correlation: Correlation::default(),
        actor: n.is_multiple_of(2).then(|| format!("someone {}", n % 3)),
        private: n.is_multiple_of(5).then(|| json!({ "n": n })),
    }
}

#[test]
fn each_event_is_ready_as_it_would_be_alone() {
    let blind = [0x42; 32];
    let preparer = Preparer::new(&blind);
    for count in [0, 1, 127, 128, 129, 511, 512, 1_300] {
        let events: Vec<Event> = (0..count).map(event).collect();
        let batch = preparer.prepare(&events).unwrap();
        assert_eq!((batch.len(), batch.iter().count()), (count, count));
        assert_eq!(batch.is_empty(), count == 0);
        for (ready, event) in batch.iter().zip(&events) {
            let mut public = Vec::new();
            crate::payload::write_public(event, &mut public).unwrap();
            assert_eq!(ready.public, public);
            assert_eq!(ready.fact.public_hash, public_hash(SCHEMA, &public));
            let private = event.private.as_ref().map(ToString::to_string);
            assert_eq!(ready.private, private.as_ref().map(String::as_bytes));
            assert_eq!(
                *ready.stream_id,
                hash::stream_id(&blind, event.stream.as_str())
            );
            let actor = event.actor.as_deref();
            let actor = actor.map_or([0; 32], |name| hash::actor_id(&blind, name));
            assert_eq!(ready.fact.actor_id, actor);
            assert_eq!(ready.fact.id, event.id);
            assert_eq!(ready.fact.event_type, event.body.event_type());
        }
    }
}

#[test]
fn neither_keys_nor_private_data_are_shown() {
    let preparer = Preparer::new(&[0x42; 32]);
    let batch = preparer.prepare(&[event(0)]).unwrap();
    assert_eq!(format!("{preparer:?}"), "Preparer");
    assert_eq!(
        format!("{batch:?}"),
        format!("Prepared {{ events: 1, bytes: {}, .. }}", batch.bytes())
    );
}

#[test]
fn events_are_for_one_ledger() {
    let (one, other) = (Preparer::new(&[1; 32]), Preparer::new(&[2; 32]));
    let prepared = one.prepare(&[event(1)]).unwrap();
    assert!(prepared.is_for(&one) && !prepared.is_for(&other));
}
