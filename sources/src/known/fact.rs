//! One change event as kept in memory, and how a second report of it is merged.

use std::collections::BTreeSet;

use jiff::Timestamp;
use ledger::event::{Event, EventBody, Precision, StreamName};
use serde_json::{Map, Value};

use crate::fields::instant_of;

/// What learning an event did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learned {
    /// It is a new fact.
    New,
    /// It adds fields or the exact time to a known fact.
    More,
    /// It says nothing that was not known, or is of no concern.
    Nothing,
    /// It contradicts a known fact; the first one stays.
    Contradicts,
}

/// A change the ledger states.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// Its subject.
    pub stream: StreamName,
    /// When it happened.
    pub at: Timestamp,
    /// How well that is known.
    pub precision: Precision,
    /// The fact itself, with everything that later records added.
    pub body: EventBody,
    /// When a snapshot last stated it; `at` if none did.
    pub seen: Timestamp,
    /// Names of the full lists the registering snapshot told at `seen`; see [`Told::parse`].
    pub lists: BTreeSet<String>,
}

/// The name of a snapshot record, `<id>@<instant>[+<list>…]`: the object as it was at that time,
/// and which of its lists were told in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// When the snapshot was taken.
    pub at: Timestamp,
    /// Names of the lists told in full.
    pub lists: BTreeSet<String>,
}

impl Told {
    /// Reads a record name; `None` for the records of other sources.
    pub fn parse(record: &str) -> Option<Self> {
        let (_, told) = record.rsplit_once('@')?;
        let mut parts = told.split('+');
        let at = instant_of(parts.next()?)?;
        let lists = parts.map(str::to_owned).collect();
        Some(Self { at, lists })
    }
}

impl Fact {
    pub(super) fn new(event: &Event) -> Self {
        let told = told_of(event);
        Self {
            stream: event.stream.clone(),
            at: event.occurred_at,
            precision: event.precision,
            body: event.body.clone(),
            seen: told.as_ref().map_or(event.occurred_at, |told| told.at),
            lists: told.map(|told| told.lists).unwrap_or_default(),
        }
    }

    /// Merges a second event of the same id, by the rule of the ledger's append.
    pub(super) fn merge(&mut self, event: &Event) -> Learned {
        let at = (event.precision == Precision::Exact).then_some(event.occurred_at);
        match event.body.to_json() {
            Ok(body) => self.corroborate(&body, at, told_of(event)),
            Err(_) => Learned::Nothing,
        }
    }

    /// Adds fields this fact lacks, and the exact time when it was only observed.
    pub(super) fn corroborate(
        &mut self,
        adds: &Value,
        exact: Option<Timestamp>,
        told: Option<Told>,
    ) -> Learned {
        let Ok(mut body) = self.body.to_json() else {
            return Learned::Nothing;
        };
        let Some(grew) = add(&mut body, adds) else {
            return Learned::Contradicts;
        };
        let timed = exact.filter(|_| self.precision == Precision::Observed);
        if !grew && timed.is_none() {
            return Learned::Nothing;
        }
        let Ok(body) = EventBody::from_json(self.body.event_type(), body) else {
            return Learned::Contradicts;
        };
        self.body = body;
        if let Some(at) = timed {
            self.at = at;
            self.precision = Precision::Exact;
        }
        if let Some(told) = told.filter(|told| told.at > self.seen) {
            self.seen = told.at;
            self.lists = told.lists;
        }
        Learned::More
    }

    /// This fact's body with the fields of another that it lacks; where both tell, this one's.
    pub(super) fn body_with(&self, other: &EventBody) -> EventBody {
        let (Ok(mut body), Ok(more)) = (self.body.to_json(), other.to_json()) else {
            return self.body.clone();
        };
        fill(&mut body, &more);
        EventBody::from_json(self.body.event_type(), body).unwrap_or_else(|_| self.body.clone())
    }
}

/// What the name of the event's record tells, when it is from a snapshot.
pub(super) fn told_of(event: &Event) -> Option<Told> {
    Told::parse(event.source.record.as_deref()?)
}

fn is_untold(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Adds what `body` lacks. `None`: something differs, nothing was to be added; else whether it grew.
fn add(body: &mut Value, adds: &Value) -> Option<bool> {
    let (Value::Object(fields), Value::Object(more)) = (&mut *body, adds) else {
        return (body == adds).then_some(false);
    };
    let mut grew = false;
    for (name, value) in more {
        grew |= add_field(fields, name, value)?;
    }
    Some(grew)
}

fn add_field(fields: &mut Map<String, Value>, name: &str, value: &Value) -> Option<bool> {
    if is_untold(value) {
        return Some(false);
    }
    match fields.get_mut(name) {
        Some(old) if old.is_object() && value.is_object() => add(old, value),
        Some(old) if !is_untold(old) => (old == value).then_some(false),
        _ => {
            fields.insert(name.to_owned(), value.clone());
            Some(true)
        }
    }
}

/// Like [`add`], but what differs stays as it is.
fn fill(body: &mut Value, more: &Value) {
    let (Value::Object(fields), Value::Object(more)) = (body, more) else {
        return;
    };
    for (name, value) in more {
        match fields.get_mut(name) {
            Some(old) if old.is_object() && value.is_object() => fill(old, value),
            Some(old) if !is_untold(old) => {}
            _ => {
                fields.insert(name.clone(), value.clone());
            }
        }
    }
}
