//! What an append will do, decided before anything is written.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::decide::{Later, Receipt, Told, Verdict, compare, conflicted, corroborated};
use crate::entry::Entry;
use crate::event::{Event, EventId, EventType, Position};
use crate::hash::{Hash, HashHasher};
use crate::history::History;
use crate::payload::PublicIn;
use crate::prepared::{About, Chunk, Prepared, Ready};
use crate::store::{Store, StoreError};

use super::AppendError;

/// An event that is to be appended: one given, or one made about a repeated one.
#[derive(Debug, Clone, Copy)]
enum Planned<'a> {
    Given(Ready<'a>),
    Made(usize),
}

/// What the requests of a group will append, one after the other.
#[derive(Default)]
pub(super) struct Plan<'a> {
    planned: Vec<Planned<'a>>,
    /// Events made about repeated ones.
    made: Vec<Chunk>,
    /// Where each planned event will be, by its id.
    positions: HashMap<EventId, Position, BuildHasherDefault<HashHasher>>,
}

impl Plan<'_> {
    /// A plan with room for that many events.
    pub(super) fn of(events: usize) -> Self {
        Self {
            planned: Vec::with_capacity(events),
            made: Vec::new(),
            positions: HashMap::with_capacity_and_hasher(events, BuildHasherDefault::default()),
        }
    }

    /// Number of events planned.
    pub(super) fn len(&self) -> usize {
        self.planned.len()
    }

    /// The planned events from an index on, in order.
    pub(super) fn from(&self, index: usize) -> impl Iterator<Item = Ready<'_>> {
        let planned = self.planned.get(index..).unwrap_or_default();
        planned.iter().filter_map(|item| self.ready(item))
    }

    fn ready<'p>(&'p self, item: &Planned<'p>) -> Option<Ready<'p>> {
        match item {
            Planned::Given(ready) => Some(*ready),
            Planned::Made(index) => self.made.get(*index)?.get(0),
        }
    }

    /// Takes back what was planned from an index on.
    pub(super) fn truncate(&mut self, length: usize) {
        let ids: Vec<EventId> = self.from(length).map(|ready| ready.fact.id).collect();
        for id in ids {
            self.positions.remove(&id);
        }
        let gone = self.planned.drain(length.min(self.planned.len())..);
        let made = gone.filter(|item| matches!(item, Planned::Made(_))).count();
        self.made.truncate(self.made.len().saturating_sub(made));
    }
}

/// Makes a plan.
pub(super) struct Planner<'p, 'a> {
    /// Position of the next event.
    pub(super) size: Position,
    /// Blinded name of the ledger's own stream.
    pub(super) ledger_stream: Hash,
    pub(super) store: &'p dyn Store,
    pub(super) history: &'p History,
    pub(super) plan: &'p mut Plan<'a>,
}

impl<'a> Planner<'_, 'a> {
    /// Decides what each event of a request becomes. After an error the plan is to be truncated.
    pub(super) fn request(&mut self, request: &'a Prepared) -> Result<Vec<Receipt>, AppendError> {
        let mut receipts = Vec::with_capacity(request.len());
        for ready in request.iter() {
            let receipt = match self.find(&ready.fact.id)? {
                Some(of) => self.repeated(&ready, of)?,
                None => Receipt::Appended(self.push(ready.fact.id, Planned::Given(ready))),
            };
            receipts.push(receipt);
        }
        Ok(receipts)
    }

    /// Where an event is in the book, or will be.
    fn find(&self, id: &EventId) -> Result<Option<Position>, AppendError> {
        match self.plan.positions.get(id) {
            Some(planned) => Ok(Some(*planned)),
            None => find(self.history, self.store, id),
        }
    }

    /// Plans an event; where it will be.
    fn push(&mut self, id: EventId, item: Planned<'a>) -> Position {
        let position = self.size + u64::try_from(self.plan.planned.len()).unwrap_or(u64::MAX);
        self.plan.planned.push(item);
        self.plan.positions.insert(id, position);
        position
    }

    /// Decides what an event becomes whose id is already at `of`.
    fn repeated(&mut self, ready: &Ready<'_>, of: Position) -> Result<Receipt, AppendError> {
        let id = ready.fact.id;
        let fail = |source| AppendError::Original {
            event: id,
            position: of,
            source,
        };
        let Some(first) = self.original(ready, of)? else {
            return Ok(Receipt::Duplicate(of));
        };
        let first = first.map_err(fail)?;
        let public: PublicIn<'_> = serde_json::from_slice(ready.public)?;
        let told = Told::of(ready.fact.event_type, &public)?;
        let later = Later {
            id,
            stream_id: *ready.stream_id,
            public: &public,
            has_private: ready.private.is_some(),
        };
        let (made, is_conflict) = match compare(&first, told, public.occurred_at) {
            Verdict::Same => return Ok(Receipt::Duplicate(of)),
            Verdict::More { adds, occurred_at } => {
                (corroborated(&later, of, adds, occurred_at), false)
            }
            Verdict::Contradiction { claims } => (conflicted(&later, of, claims), true),
        };
        let position = match self.made(&made, ready)? {
            Ok(position) => position,
            Err(known) => return Ok(Receipt::Duplicate(known)),
        };
        Ok(if is_conflict {
            Receipt::Conflicted { of, position }
        } else {
            Receipt::Corroborated { of, position }
        })
    }

    /// Plans an event made about another: where it will be, or is already.
    fn made(
        &mut self,
        event: &Event,
        about: &Ready<'_>,
    ) -> Result<Result<Position, Position>, AppendError> {
        if let Some(known) = self.find(&event.id)? {
            return Ok(Err(known));
        }
        let about = About {
            actor_id: about.fact.actor_id,
            private: about.private,
        };
        let made = Chunk::made(event, self.ledger_stream, &about)?;
        let item = Planned::Made(self.plan.made.len());
        self.plan.made.push(made);
        Ok(Ok(self.push(event.id, item)))
    }

    /// What the first event of that id told; `None` when it is the very same, byte for byte, or
    /// was pruned.
    fn original(
        &self,
        ready: &Ready<'_>,
        of: Position,
    ) -> Result<Option<Result<Told, serde_json::Error>>, AppendError> {
        let is_same = |event_type: EventType, public: &[u8]| {
            event_type == ready.fact.event_type && public == ready.public
        };
        if let Some(index) = of.checked_sub(self.size) {
            let item = usize::try_from(index)
                .ok()
                .and_then(|index| self.plan.planned.get(index));
            let first = item.and_then(|item| self.plan.ready(item));
            return Ok(first
                .filter(|first| !is_same(first.fact.event_type, first.public))
                .map(|first| told(first.fact.event_type, first.public)));
        }
        let stored = self.store.get(of)?.ok_or(StoreError::Expected {
            expected: of,
            actual: self.size,
        })?;
        let event_type = Entry::peek_event_type(&stored.entry);
        if stored.as_ref().is_pruned() {
            // what it told is gone: the id alone tells that it is the same
            return Ok(None);
        }
        let differs = !is_same(event_type, &stored.public);
        Ok(differs.then(|| told(event_type, &stored.public)))
    }
}

/// Where an event is in the book, by its id.
pub(super) fn find(
    history: &History,
    store: &dyn Store,
    id: &EventId,
) -> Result<Option<Position>, AppendError> {
    history.find(id, &|position| {
        let record = store.get(position)?;
        Ok(record.is_some_and(|record| Entry::peek_event_id(&record.entry) == *id))
    })
}

fn told(event_type: EventType, public: &[u8]) -> Result<Told, serde_json::Error> {
    Told::of(event_type, &serde_json::from_slice(public)?)
}
