//! Appending: what a batch becomes, and writing it.

use rayon::prelude::*;

use super::plan::{Batch, Plan, Planned, Planner};
use super::{AppendError, Ledger, OpenError, opening};
use crate::decide::Receipt;
use crate::entry::Entry;
use crate::event::{Event, EventId, Position};
use crate::payload::{Encoded, PAYLOAD_BYTES_MAX, Payloads, SALT_BYTES};
use crate::store::{RecordRef, Store, StoreError};
use crate::tree::{TreeHash, leaf_hash};

impl Ledger {
    /// Appends events in order, all or none, and returns when they are on disk: one receipt per
    /// event. An event whose id is already in the book, or earlier in the batch, is compared with
    /// the first of that id and appends what it adds or claims, or nothing.
    ///
    /// # Errors
    /// When an event cannot be written. After a failed write no append succeeds until the ledger
    /// is opened again.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "what is appended is handed over; a store may keep it"
    )]
    pub fn append(&mut self, events: Vec<Event>) -> Result<Vec<Receipt>, AppendError> {
        if self.failed {
            return Err(StoreError::Poisoned.into());
        }
        let encoded = encode(&events)?;
        let payloads: Vec<Payloads<'_>> = encoded.iter().flat_map(Encoded::iter).collect();
        for (event, payload) in events.iter().zip(&payloads) {
            check_length(event, payload)?;
        }
        let batch = Batch {
            events: &events,
            payloads: &payloads,
        };
        let prepared = match self.prepare(batch) {
            // what the index lost can be made again from the entries
            Err(AppendError::Index(_)) => {
                self.learn_anew()?;
                self.prepare(batch)
            }
            prepared => prepared,
        };
        let (plan, made, now_ms) = prepared?;
        self.write(batch, &plan, &made, now_ms)?;
        Ok(plan.receipts)
    }

    /// Makes the index again from the entries.
    fn learn_anew(&mut self) -> Result<(), AppendError> {
        self.history.clear();
        let opened = opening::open(self.place.folder(), &mut self.head, self.store.options());
        self.failed = opened.is_err();
        (self.history, self.store) = opened.map_err(|error| match error {
            OpenError::Store(error) => AppendError::Store(error),
            OpenError::Index(error) => AppendError::Index(error),
            _ => AppendError::Store(StoreError::Poisoned),
        })?;
        Ok(())
    }

    /// Plans a batch; the payloads of what was made for it, and the time to record.
    fn prepare(&mut self, batch: Batch<'_>) -> Result<(Plan, Encoded, u64), AppendError> {
        let mut plan = Plan::default();
        let mut planner = Planner {
            batch,
            size: self.head.size,
            blind: &self.head.blind,
            store: &self.store,
            history: &self.history,
            plan: &mut plan,
        };
        planner.run()?;
        let made = Encoded::of(plan.made.iter())?;
        for (event, payload) in plan.made.iter().zip(made.iter()) {
            check_length(event, &payload)?;
        }
        let items = plan.planned.iter();
        if items
            .filter_map(|item| plan.event(item, batch.events))
            .any(|event| event.private.is_some())
        {
            self.keyring.ready()?;
        }
        let history = &self.history;
        for item in &plan.planned {
            if let Some(event) = plan.event(item, batch.events) {
                self.head.meet(event, |id| history.stream(id))?;
            }
        }
        let now_ms = self.now_ms()?;
        Ok((plan, made, now_ms))
    }

    fn now_ms(&mut self) -> Result<u64, AppendError> {
        let time = (self.edge.clock)();
        u64::try_from(time.as_millisecond()).map_err(|_negative| AppendError::Clock { time })
    }

    /// Makes the entries of a plan and stores them, the keys they need before them.
    fn write(
        &mut self,
        batch: Batch<'_>,
        plan: &Plan,
        made: &Encoded,
        now_ms: u64,
    ) -> Result<(), AppendError> {
        let expected = self.head.size;
        let records = self.records(batch, plan, made, now_ms);
        self.failed = records.is_err();
        let (entries, records) = records?;
        let records: Vec<RecordRef<'_>> = records
            .iter()
            .map(|(entry, public, private)| RecordRef {
                entry,
                public,
                private,
            })
            .collect();
        let Self { store, head, .. } = self;
        let hash = || {
            let entries = records.iter().map(|record| record.entry);
            entries.map(|entry| leaf_hash(entry)).collect()
        };
        let mut append = || store.append(expected, &records, &head.chain);
        let (stored, leaves): (_, Vec<TreeHash>) = if records.len() < PARALLEL_MIN {
            (append(), hash())
        } else {
            // while the disk is waited for
            rayon::join(append, hash)
        };
        self.failed = stored.is_err();
        stored?;
        for entry in &entries {
            self.history.learn(entry);
        }
        if self.history.is_due() {
            let (extent, indexes) = self.store.edge();
            opening::keep(&mut self.head, &mut self.history, extent, indexes);
        }
        let grown = self.tiles.push(&leaves);
        self.failed = grown.is_err();
        Ok(grown?)
    }

    /// Moves the head over a plan: the records to store, whose keys are durable.
    fn records<'b>(
        &mut self,
        batch: Batch<'b>,
        plan: &Plan,
        made: &'b Encoded,
        now_ms: u64,
    ) -> Result<(Vec<Entry>, Vec<Made<'b>>), AppendError> {
        let Self {
            head,
            edge,
            keyring,
            ..
        } = self;
        let mut records = Vec::with_capacity(plan.planned.len());
        let mut entries = Vec::with_capacity(plan.planned.len());
        for item in &plan.planned {
            let payload = match item {
                Planned::Given(index) => batch.payloads.get(*index).copied(),
                Planned::Made(index) => made.get(*index),
            };
            let event = plan.event(item, batch.events);
            let (Some(event), Some(payload)) = (event, payload) else {
                continue;
            };
            let mut salt = [0; SALT_BYTES];
            if payload.private.is_some() {
                (edge.entropy)(&mut salt);
            }
            let entry = head.push(event, &payload, &salt, now_ms);
            let private = match payload.private {
                Some(bytes) => {
                    keyring.seal(&entry, payload.public, (&salt, bytes), &mut edge.entropy)?
                }
                None => Vec::new(),
            };
            records.push((entry.encode(), payload.public, private));
            entries.push(entry);
        }
        keyring.keep()?;
        Ok((entries, records))
    }
}

/// A record made: entry, public payload, private part as stored.
type Made<'b> = ([u8; 256], &'b [u8], Vec<u8>);

/// Events below this many are not worth handing to other threads.
const PARALLEL_MIN: usize = 256;

/// Writes the payloads of the events, on all cores when there are many.
fn encode(events: &[Event]) -> Result<Vec<Encoded>, serde_json::Error> {
    if events.len() < PARALLEL_MIN {
        return Ok(vec![Encoded::of(events.iter())?]);
    }
    events
        .par_chunks(PARALLEL_MIN / 2)
        .map(|chunk| Encoded::of(chunk.iter()))
        .collect()
}

/// Whether the event at a position has an id.
pub(super) fn has_id(
    store: &dyn Store,
    position: Position,
    id: &EventId,
) -> Result<bool, AppendError> {
    let record = store.get(position)?;
    Ok(record.is_some_and(|record| Entry::peek_event_id(&record.entry) == *id))
}

fn check_length(event: &Event, payload: &Payloads<'_>) -> Result<(), AppendError> {
    let private = payload.private.map_or(0, <[u8]>::len);
    let bytes = payload.public.len().max(private);
    if bytes > PAYLOAD_BYTES_MAX {
        return Err(AppendError::TooLong {
            event: event.id,
            bytes,
        });
    }
    Ok(())
}
