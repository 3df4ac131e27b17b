//! Everything gathered from a prefix of a ledger, before a question is asked of it.
//!
//! Reading events is what costs; folding what was gathered costs by identities, not by sign-ins.
//! So what was gathered is kept as a derived file, and the next reader starts from there.

mod codec;

use std::ops::{ControlFlow, Range};
use std::path::Path;

use jiff::Timestamp;
use ledger::event::{EventBody, Position, Recorded};
use ledger::{ReadError, Reader};
use rayon::prelude::*;

use crate::billing::Cutoff;
use crate::derived::{self, Binding, DerivedError};
use crate::rollup::MonthlyActivity;
use crate::state::{State, StateBuilder};

/// Kind of the derived file.
const KIND: &str = "gathered";

/// Events read in one go; parts of a ledger are read side by side and merged in order.
const PART: u64 = 1 << 16;

/// A file is worth writing when this many events were read that the last one lacks, and
const WORTH_EVENTS: u64 = 20_000;
/// when they are at least this part of the changes that have to be written again.
const WORTH_PART: u64 = 8;

/// What the events below a position say, not yet folded.
#[derive(Debug, Default)]
pub struct Gathered {
    size: Position,
    recorded_at: Option<Timestamp>,
    cutoff: Cutoff,
    builder: StateBuilder,
    activity: MonthlyActivity,
    /// Events read since the file was written that this was read from.
    unsaved: u64,
}

impl Gathered {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the next event.
    pub fn push(&mut self, recorded: &Recorded) {
        self.size = recorded.position.saturating_add(1);
        self.recorded_at = Some(recorded.recorded_at);
        self.cutoff
            .see(recorded.position, recorded.event.body.event_type());
        self.activity.push(recorded);
        self.builder.push(recorded);
        self.unsaved += 1;
    }

    /// Takes in what was gathered from the part of the ledger that follows.
    pub fn merge(&mut self, later: Self) {
        self.size = self.size.max(later.size);
        self.recorded_at = later.recorded_at.or(self.recorded_at);
        self.cutoff.join(later.cutoff);
        self.builder.merge(later.builder);
        self.activity.merge(&later.activity);
        self.unsaved += later.unsaved;
    }

    /// Events below this position were read.
    pub fn size(&self) -> Position {
        self.size
    }

    /// Events below this position can matter to a bill.
    pub fn cutoff(&self) -> Position {
        self.cutoff.position()
    }

    /// Latest time of a fact.
    pub fn latest(&self) -> Option<Timestamp> {
        self.builder.latest
    }

    /// Forgets its own sign-ins for those of what was gathered up to an instant: attributes and
    /// spans know their own times, tallies of sign-ins do not.
    pub fn take_sign_ins(&mut self, until: Self) {
        self.builder.activity = until.builder.activity;
        self.activity = until.activity;
    }

    /// The state it amounts to, and the sign-ins by identity and month.
    pub fn fold(self) -> (State, MonthlyActivity) {
        let state = self.builder.finish(self.size, self.recorded_at);
        (state, self.activity)
    }

    /// Reads the events that follow, up to a size of the ledger, on all cores. `progress` is told
    /// how many were read, now and then.
    ///
    /// # Errors
    /// [`ReadError`] when the ledger cannot be read.
    pub fn advance(
        &mut self,
        reader: &Reader,
        size: u64,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(), ReadError> {
        // told before anything is read: see `Binding::to`
        reader.pruned_mark()?;
        self.take(reader, self.size..size, Timestamp::MAX, progress)
    }

    /// Reads the events below a size that had occurred by an instant, on all cores, as
    /// [`Gathered::advance`].
    ///
    /// # Errors
    /// [`ReadError`] when the ledger cannot be read.
    pub fn until(
        reader: &Reader,
        size: u64,
        until: Timestamp,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Self, ReadError> {
        let mut gathered = Self::new();
        // told before anything is read: see `Binding::to`
        reader.pruned_mark()?;
        gathered.take(reader, 0..size, until, progress)?;
        Ok(gathered)
    }

    fn take(
        &mut self,
        reader: &Reader,
        range: Range<Position>,
        until: Timestamp,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(), ReadError> {
        let size = range.end;
        let parts = parts(reader, range);
        // as many at a time as keep all cores busy: what is gathered is much less than what is read
        for some in parts.chunks(rayon::current_num_threads().saturating_mul(4).max(1)) {
            let read: Vec<Result<Self, ReadError>> = some
                .par_iter()
                .map(|part| {
                    let gathered = Self::read(reader, part.clone(), until)?;
                    progress(part.end - part.start);
                    Ok(gathered)
                })
                .collect();
            for part in read {
                self.merge(part?);
            }
        }
        self.size = self.size.max(size);
        self.explain_gaps(reader)
    }

    /// Payloads that were passed over must have been pruned, by an event that may lie beyond what
    /// was read.
    fn explain_gaps(&mut self, reader: &Reader) -> Result<(), ReadError> {
        let Some(below) = reader.passed_over() else {
            return Ok(());
        };
        if !self.builder.knows_pruned(below) {
            for (position, pruned) in reader.prunings(self.size)? {
                self.builder.prune(position, pruned);
            }
        }
        if self.builder.knows_pruned(below) {
            return Ok(());
        }
        Err(ReadError::Lost { below })
    }

    fn read(reader: &Reader, range: Range<Position>, until: Timestamp) -> Result<Self, ReadError> {
        let mut gathered = Self::new();
        reader.scan(range, &|_| true, &mut |recorded| {
            let is_pruning = matches!(recorded.event.body, EventBody::Pruned(_));
            if recorded.event.occurred_at <= until || is_pruning {
                gathered.push(&recorded);
            }
            ControlFlow::Continue(())
        })?;
        Ok(gathered)
    }

    /// What was gathered and kept of the longest prefix of the ledger up to a size; nothing when
    /// no file can be used.
    pub fn load(folder: &Path, reader: &Reader, size: u64) -> Self {
        derived::sizes(folder, KIND)
            .into_iter()
            .rev()
            .filter(|kept| *kept <= size)
            .find_map(|kept| Self::load_one(folder, reader, kept))
            .unwrap_or_default()
    }

    fn load_one(folder: &Path, reader: &Reader, size: u64) -> Option<Self> {
        let binding = Binding::to(reader, size)?;
        let bytes = derived::load(folder, KIND, &binding).ok()?;
        let content = derived::unwrap(KIND, &binding, &bytes).ok()?;
        Self::decode(content).filter(|read| read.size == size)
    }

    /// Whether so much was read since the last file that writing one costs less than it spares.
    pub fn is_worth_saving(&self) -> bool {
        let changes = u64::try_from(self.builder.changes.len()).unwrap_or(u64::MAX);
        self.unsaved >= WORTH_EVENTS.max(changes / WORTH_PART)
    }

    /// Keeps what was gathered, for [`Gathered::load`].
    ///
    /// # Errors
    /// [`DerivedError`] when the file cannot be written.
    pub fn save(&mut self, folder: &Path, reader: &Reader) -> Result<(), DerivedError> {
        let damaged = || DerivedError::Damaged {
            kind: KIND,
            size: self.size,
        };
        let binding = Binding::to(reader, self.size).ok_or_else(damaged)?;
        let parts = self.encode().ok_or_else(damaged)?;
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        derived::save(folder, KIND, &binding, &parts)?;
        self.unsaved = 0;
        Ok(())
    }
}

/// A range cut into parts that do not cross segments.
fn parts(reader: &Reader, range: Range<Position>) -> Vec<Range<Position>> {
    let mut parts = Vec::new();
    for segment in reader.segments() {
        let end = segment.end.min(range.end);
        let mut from = segment.start.max(range.start);
        while from < end {
            let to = end.min(from.saturating_add(PART));
            parts.push(from..to);
            from = to;
        }
    }
    parts
}

#[cfg(test)]
mod tests;
