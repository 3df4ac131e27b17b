//! What the ledger already says: a fold of its change events, used to see what a record adds.
//!
//! [`Known`] is a set of facts; every question names an instant and is answered by folding the
//! facts of one stream up to it. So it does not depend on the order in which events were learned,
//! nor on whether they came from a proposal or were read back: a second event with a known id is
//! merged by the same rule by which the ledger appends `corroborated`. Sign-ins are not learned.

mod fact;
mod same;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ledger::event::{Event, EventBody, EventId, Recorded, StreamName};
use serde_json::Value;

pub use fact::{Fact, Learned, Told};
pub(crate) use view::delegated_key;
pub use view::{Held, View};

use crate::draft::registered_id;
use crate::fields::{list, text};
use crate::graph_roles;

/// What the ledger says about identities, credentials, grants, policies, risk and licences.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    facts: BTreeMap<EventId, Fact>,
    // INVARIANT: holds (at, id) of every fact under its stream, and nothing else.
    streams: BTreeMap<StreamName, BTreeSet<(Timestamp, EventId)>>,
    // By tenant, resource object id, app role id. Not from events: see `learn_roles`.
    roles: BTreeMap<(String, String, String), String>,
}

impl Known {
    /// Nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Learns an event that was read or is proposed. Activity and notes on the ledger are ignored,
    /// except `ledger.corroborated`, which adds to the event it is about.
    pub fn learn(&mut self, event: &Event) -> Learned {
        if let EventBody::Corroborated(more) = &event.body {
            let told = fact::told_of(event);
            return self.change(more.event_id, |fact| {
                fact.corroborate(&more.adds, more.occurred_at, told)
            });
        }
        if !is_change(&event.body) {
            return Learned::Nothing;
        }
        if self.facts.contains_key(&event.id) {
            return self.change(event.id, |fact| fact.merge(event));
        }
        self.streams
            .entry(event.stream.clone())
            .or_default()
            .insert((event.occurred_at, event.id));
        self.facts.insert(event.id, Fact::new(event));
        Learned::New
    }

    /// Learns an event read back from the ledger.
    pub fn learn_recorded(&mut self, recorded: &Recorded) -> Learned {
        self.learn(&recorded.event)
    }

    /// Applies a change to a known fact and keeps its place in time.
    fn change(&mut self, id: EventId, apply: impl FnOnce(&mut Fact) -> Learned) -> Learned {
        let Some(fact) = self.facts.get_mut(&id) else {
            return Learned::Nothing;
        };
        let before = fact.at;
        let learned = apply(fact);
        if fact.at != before
            && let Some(order) = self.streams.get_mut(&fact.stream)
        {
            order.remove(&(before, id));
            order.insert((fact.at, id));
        }
        learned
    }

    /// The registration of a service principal or application.
    pub fn registration(&self, tenant: &str, object_id: &str) -> Option<&Fact> {
        self.facts.get(&registered_id(tenant, object_id))
    }

    /// The fact an event id stands for.
    pub fn fact(&self, id: EventId) -> Option<&Fact> {
        self.facts.get(&id)
    }

    /// Facts of a stream in order of time.
    pub fn facts_of(
        &self,
        stream: &StreamName,
    ) -> impl DoubleEndedIterator<Item = (EventId, &Fact)> + Clone {
        self.streams
            .get(stream)
            .into_iter()
            .flatten()
            .filter_map(|(_, id)| self.facts.get(id).map(|fact| (*id, fact)))
    }

    /// The last fact of a stream at or before an instant of which `wanted` makes something.
    pub fn latest<'a, T>(
        &'a self,
        stream: &StreamName,
        at: Timestamp,
        wanted: impl Fn(&'a EventBody) -> Option<T>,
    ) -> Option<T> {
        self.facts_of(stream)
            .rev()
            .filter(|(_, fact)| fact.at <= at)
            .find_map(|(_, fact)| wanted(&fact.body))
    }

    /// What held about a stream's subject at an instant.
    pub fn view(&self, stream: &StreamName, at: Timestamp) -> View<'_> {
        View::fold(self.facts_of(stream), at)
    }

    /// Whether anything is known about a stream.
    pub fn has(&self, stream: &StreamName) -> bool {
        self.streams.contains_key(stream)
    }

    /// Number of facts known.
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// Keeps id and value of the `appRoles` a resource's service principal record defines.
    pub fn learn_roles(&mut self, tenant: &str, resource_id: &str, record: &Value) {
        for role in list(record, "appRoles") {
            if let (Some(id), Some(value)) = (text(role, "id"), text(role, "value")) {
                let key = (tenant.to_owned(), resource_id.to_owned(), id.to_owned());
                self.roles.insert(key, value.to_owned());
            }
        }
    }

    /// Value of an app role: as its resource defines it, else as Microsoft Graph does.
    pub fn role_value(&self, tenant: &str, resource_id: &str, role_id: &str) -> Option<&str> {
        let key = (
            tenant.to_owned(),
            resource_id.to_owned(),
            role_id.to_owned(),
        );
        self.roles
            .get(&key)
            .map(String::as_str)
            .or_else(|| graph_roles::value_of(role_id))
    }

    /// Names an event by the known change it reports again, if there is one.
    ///
    /// An audit record has a correlation id, a snapshot has none, and two services of Entra may
    /// both log one change: their natural keys differ. Such an event gets the id and the told
    /// fields of the known fact, so that the ledger adds what is new and nothing else.
    pub fn settle(&self, event: Event) -> Event {
        if self.facts.contains_key(&event.id) {
            return event;
        }
        let facts: Vec<(EventId, &Fact)> = self.facts_of(&event.stream).collect();
        match same::find(&facts, &event) {
            Some((id, fact)) => Event {
                id,
                body: fact.body_with(&event.body),
                ..event
            },
            None => event,
        }
    }
}

/// Whether an event is a change worth knowing: everything but activity, bills, reports and notes
/// on the ledger.
fn is_change(body: &EventBody) -> bool {
    matches!(body.event_type().0 >> 8, 0x01..=0x04 | 0x06 | 0x07)
}

#[cfg(test)]
mod tests;
