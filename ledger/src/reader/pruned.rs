//! What was pruned, as far as a reader meets it.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use super::{ReadError, Reader, io_error};
use crate::event::evidence::Pruned;
use crate::event::{EventBody, EventType, Position, Recorded};
use crate::segment::file::SegmentFile;

/// How much of a ledger is pruned: a number that changes with each pruning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PrunedMark {
    /// Segments from which payloads were pruned.
    pub segments: u64,
    /// Bytes left of them.
    pub bytes: u64,
}

impl Reader {
    /// Position after the last pruned record that scans of this reader passed over; `None` when
    /// they met none. Whoever computes from scans holds it against the `ledger.pruned` events.
    pub fn passed_over(&self) -> Option<Position> {
        let end = self.passed_over.load(Ordering::Relaxed);
        (end > 0).then_some(end)
    }

    pub(super) fn pass_over(&self, position: Position) {
        self.passed_over
            .fetch_max(position.saturating_add(1), Ordering::Relaxed);
    }

    /// How much was pruned when this was first asked: what was computed from the ledger before
    /// another pruning is not what would be computed after it.
    ///
    /// # Errors
    /// When a segment cannot be read.
    pub fn pruned_mark(&self) -> Result<PrunedMark, ReadError> {
        if let Some(mark) = self.pruned_mark.get() {
            return Ok(*mark);
        }
        let mut mark = PrunedMark::default();
        for sealed in &self.sealed {
            let fail = |source| io_error(sealed.first, source);
            let segment = SegmentFile::open(&self.dir, sealed.first).map_err(fail)?;
            let header = segment.header().map_err(fail)?;
            if header.is_some_and(|header| header.pruned) {
                mark.segments += 1;
                mark.bytes += segment.len().map_err(fail)?;
            }
        }
        Ok(*self.pruned_mark.get_or_init(|| mark))
    }

    /// The prunings on record from a position on, with their own positions.
    ///
    /// # Errors
    /// When a record in the way is damaged or cannot be read.
    pub fn prunings(&self, from: Position) -> Result<Vec<(Position, Pruned)>, ReadError> {
        let mut found = Vec::new();
        let wanted = |event_type| event_type == EventType::PRUNED;
        self.scan(from..self.size(), &wanted, &mut |recorded: Recorded| {
            if let EventBody::Pruned(pruned) = recorded.event.body {
                found.push((recorded.position, pruned));
            }
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }
}
