//! Handing records to a store, many at once.

use std::ops::ControlFlow;

use ledger::hash;
use ledger::{Position, RecordRef, Store, StoredRecord};

/// Records handed over at once, and their bytes.
const BATCH_RECORDS: usize = 1_000;
const BATCH_BYTES: usize = 1 << 20;

/// Hands records to a store, many at once.
pub(crate) struct Filling<'a> {
    store: &'a mut dyn Store,
    batch: Vec<StoredRecord>,
    bytes: usize,
}

impl<'a> Filling<'a> {
    pub(crate) fn new(store: &'a mut dyn Store) -> Self {
        Self {
            store,
            batch: Vec::new(),
            bytes: 0,
        }
    }

    /// Position of the next record to take.
    pub(crate) fn next(&self) -> Position {
        self.store.size() + self.batch.len() as u64
    }

    pub(crate) fn take(&mut self, record: StoredRecord) -> anyhow::Result<()> {
        self.bytes += record.public.len() + record.private.len() + record.entry.len();
        self.batch.push(record);
        if self.batch.len() >= BATCH_RECORDS || self.bytes >= BATCH_BYTES {
            self.finish()?;
        }
        Ok(())
    }

    /// Hands over what is left.
    pub(crate) fn finish(&mut self) -> anyhow::Result<()> {
        let Some(last) = self.batch.last() else {
            return Ok(());
        };
        let chain = hash::chain(&last.entry);
        let refs: Vec<RecordRef<'_>> = self.batch.iter().map(StoredRecord::as_ref).collect();
        self.store.append(self.store.size(), &refs, &chain)?;
        self.batch.clear();
        self.bytes = 0;
        Ok(())
    }
}

/// Takes a record; breaks when no more is wanted.
type Each<'a> = &'a mut dyn FnMut(StoredRecord) -> ControlFlow<()>;

/// Fills a store with what a reader shows from a position on, up to another; tells of each record.
/// What was read before an error is kept.
pub(crate) fn pour(
    store: &mut dyn Store,
    until: Position,
    told: &dyn Fn(),
    read: impl FnOnce(Position, Each<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut filling = Filling::new(store);
    let mut failed = None;
    let done = read(filling.next(), &mut |record| {
        // what is appended meanwhile is for the next time
        if filling.next() >= until {
            return ControlFlow::Break(());
        }
        told();
        match filling.take(record) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    });
    match failed {
        Some(error) => Err(error),
        None => filling.finish().and(done),
    }
}
