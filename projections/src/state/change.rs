//! A change as collected from the ledger, before it is folded, and what later records add to it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::event::book::Corroborated;
use ledger::event::{EventBody, EventId, EventType, Position, Precision, Recorded, StreamName};

use super::spans::overlay;

/// One change event with all that is known of it.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) at: Timestamp,
    pub(crate) event_type: EventType,
    pub(crate) id: EventId,
    pub(crate) evidence: Vec<Position>,
    pub(crate) exact: bool,
    pub(crate) stream: StreamName,
    pub(crate) stream_no: u32,
    /// Kept aside: bodies are large, and changes are moved when they are put in order.
    pub(crate) body: Box<EventBody>,
}

impl Change {
    pub(crate) fn of(recorded: &Recorded) -> Self {
        Self {
            at: recorded.event.occurred_at,
            event_type: recorded.event.body.event_type(),
            id: recorded.event.id,
            evidence: vec![recorded.position],
            exact: recorded.event.precision == Precision::Exact,
            stream: recorded.event.stream.clone(),
            stream_no: recorded.stream_no,
            body: Box::new(recorded.event.body.clone()),
        }
    }

    /// The order of the fold. Changes of the same instant go by type (the numbers of
    /// `event/body.rs` put making before unmaking) and then by id, not by position: the same
    /// events imported in another order give the same state.
    pub(crate) fn order(&self) -> (Timestamp, EventType, EventId) {
        (self.at, self.event_type, self.id)
    }

    /// Takes in what a later record adds. An addition that does not fit the type is cited only.
    fn learn(&mut self, position: Position, more: &Corroborated) {
        self.evidence.push(position);
        if let (Some(at), false) = (more.occurred_at, self.exact) {
            self.at = at;
            self.exact = true;
        }
        if more.adds.as_object().is_none_or(serde_json::Map::is_empty) {
            return;
        }
        let Ok(mut json) = self.body.to_json() else {
            return;
        };
        overlay(&mut json, &more.adds);
        if let Ok(body) = EventBody::from_json(self.event_type, json) {
            *self.body = body;
        }
    }
}

/// What later records add, by the event they are about.
#[derive(Debug, Default)]
pub(crate) struct Additions(BTreeMap<EventId, Vec<(Position, Corroborated)>>);

impl Additions {
    pub(crate) fn of(mut corroborations: Vec<(Position, Corroborated)>) -> Self {
        corroborations.sort_by_key(|(position, _)| *position);
        let mut by_event: BTreeMap<EventId, Vec<(Position, Corroborated)>> = BTreeMap::new();
        for (position, more) in corroborations {
            by_event
                .entry(more.event_id)
                .or_default()
                .push((position, more));
        }
        Self(by_event)
    }

    /// Merges every corroboration into the change it is about and puts the changes into fold
    /// order. Corroborations of sign-ins find no change here and add nothing to counts.
    pub(crate) fn settle(&self, changes: &mut [Change]) {
        for change in changes.iter_mut() {
            for (position, more) in self.0.get(&change.id).into_iter().flatten() {
                change.learn(*position, more);
            }
        }
        changes.sort_by_key(Change::order);
    }
}
