//! What an append will do, decided before anything is written.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::decide::{Receipt, Told, Verdict, compare, conflicted, corroborated};
use crate::entry::Entry;
use crate::event::{Event, EventId, EventType, Position};
use crate::hash::Hash;
use crate::history::{History, IdHasher};
use crate::payload::{Payloads, PublicIn};
use crate::store::{Store, StoreError};

use super::AppendError;
use super::append::has_id;

/// Events handed to an append, with their payloads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batch<'a> {
    pub(super) events: &'a [Event],
    pub(super) payloads: &'a [Payloads<'a>],
}

/// An event that is to be appended: one given, or one made about a repeated one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Planned {
    Given(usize),
    Made(usize),
}

/// What an append will do.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) receipts: Vec<Receipt>,
    pub(super) planned: Vec<Planned>,
    /// Events made about repeated ones.
    pub(super) made: Vec<Event>,
    /// Positions of the planned events, by id.
    ids: HashMap<EventId, Position, BuildHasherDefault<IdHasher>>,
}

impl Plan {
    /// The event that a planned item stands for.
    pub(super) fn event<'e>(&'e self, item: &Planned, given: &'e [Event]) -> Option<&'e Event> {
        match item {
            Planned::Given(index) => given.get(*index),
            Planned::Made(index) => self.made.get(*index),
        }
    }
}

/// Makes a plan.
pub(super) struct Planner<'a> {
    pub(super) batch: Batch<'a>,
    /// Position of the next event.
    pub(super) size: Position,
    pub(super) blind: &'a Hash,
    pub(super) store: &'a dyn Store,
    pub(super) history: &'a History,
    pub(super) plan: &'a mut Plan,
}

impl Planner<'_> {
    /// Decides what each event becomes.
    pub(super) fn run(&mut self) -> Result<(), AppendError> {
        let Batch { events, payloads } = self.batch;
        self.plan.ids.reserve(events.len());
        self.plan.receipts.reserve(events.len());
        self.plan.planned.reserve(events.len());
        for (at, (event, payload)) in events.iter().zip(payloads).enumerate() {
            let receipt = match self.find(&event.id)? {
                None => Receipt::Appended(self.push(event.id, Planned::Given(at))),
                Some(of) => self.repeated(event, payload, of)?,
            };
            self.plan.receipts.push(receipt);
        }
        Ok(())
    }

    /// Where an event is, or will be.
    fn find(&self, id: &EventId) -> Result<Option<Position>, AppendError> {
        if let Some(position) = self.plan.ids.get(id) {
            return Ok(Some(*position));
        }
        self.history
            .find(id, &|position| has_id(self.store, position, id))
    }

    /// Plans an event; its position.
    fn push(&mut self, id: EventId, item: Planned) -> Position {
        let position = self.size + u64::try_from(self.plan.planned.len()).unwrap_or(u64::MAX);
        self.plan.planned.push(item);
        self.plan.ids.insert(id, position);
        position
    }

    /// Decides what an event becomes whose id is already at `of`.
    fn repeated(
        &mut self,
        event: &Event,
        payload: &Payloads<'_>,
        of: Position,
    ) -> Result<Receipt, AppendError> {
        let Some(first) = self.original(event, payload, of)? else {
            return Ok(Receipt::Duplicate(of));
        };
        let (made, is_conflict) = match compare(&first, Told::of(event)?, event.occurred_at) {
            Verdict::Same => return Ok(Receipt::Duplicate(of)),
            Verdict::More { adds, occurred_at } => (
                corroborated(event, of, adds, occurred_at, self.blind),
                false,
            ),
            Verdict::Contradiction { claims } => (conflicted(event, of, claims, self.blind), true),
        };
        if let Some(known) = self.find(&made.id)? {
            return Ok(Receipt::Duplicate(known));
        }
        let position = self.push(made.id, Planned::Made(self.plan.made.len()));
        self.plan.made.push(made);
        Ok(if is_conflict {
            Receipt::Conflicted { of, position }
        } else {
            Receipt::Corroborated { of, position }
        })
    }

    /// What the first event of that id told; `None` when it is the very same, byte for byte.
    fn original(
        &self,
        event: &Event,
        payload: &Payloads<'_>,
        of: Position,
    ) -> Result<Option<Told>, AppendError> {
        if let Some(index) = of.checked_sub(self.size) {
            let item = usize::try_from(index)
                .ok()
                .and_then(|index| self.plan.planned.get(index));
            let first = item.and_then(|item| self.plan.event(item, self.batch.events));
            return Ok(first.map(Told::of).transpose()?);
        }
        let stored = self.store.get(of)?.ok_or(StoreError::Expected {
            expected: of,
            actual: self.size,
        })?;
        let event_type = Entry::peek_event_type(&stored.entry);
        if event_type == event.body.event_type() && stored.public == payload.public {
            return Ok(None);
        }
        told(event_type, &stored.public)
            .map(Some)
            .map_err(|source| AppendError::Original {
                event: event.id,
                position: of,
                source,
            })
    }
}

fn told(event_type: EventType, public: &[u8]) -> Result<Told, serde_json::Error> {
    let public: PublicIn<'_> = serde_json::from_slice(public)?;
    Ok(Told {
        event_type,
        precision: public.precision,
        body: serde_json::from_str(public.body.get())?,
    })
}
