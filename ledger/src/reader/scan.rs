//! Reading record after record.

use std::ops::{ControlFlow, Range};
use std::path::Path;

use super::{ReadError, Reader, Sealed, io_error};
use crate::entry::Entry;
use crate::event::{EventType, Position, Recorded};
use crate::segment::file::SegmentFile;
use crate::segment::frame::Kind;
use crate::segment::frames::{Frames, Step};
use crate::store::RecordRef;

impl Reader {
    /// Shows the events of a range in order. Events whose type is not `wanted` are passed over by
    /// their header, without reading the payload as JSON, and so are those whose payload was pruned:
    /// [`Reader::passed_over`] tells. `each` may stop early.
    ///
    /// # Errors
    /// When a record in the way is damaged or cannot be read.
    pub fn scan(
        &self,
        range: Range<Position>,
        wanted: &dyn Fn(EventType) -> bool,
        each: &mut dyn FnMut(Recorded) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let mut failed = None;
        self.scan_stored(range, &mut |record| {
            if !wanted(Entry::peek_event_type(record.entry)) {
                return ControlFlow::Continue(());
            }
            if record.is_pruned() {
                self.pass_over(Entry::peek_position(record.entry));
                return ControlFlow::Continue(());
            }
            match self.recorded(record) {
                Ok(event) => each(event),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        failed.map_or(Ok(()), Err)
    }

    /// Shows the stored records of a range in order, as bytes. `each` may stop early.
    ///
    /// # Errors
    /// When a record in the way is damaged or cannot be read.
    pub fn scan_stored(
        &self,
        range: Range<Position>,
        each: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let end = range.end.min(self.size());
        let mut position = range.start;
        while position < end {
            let sealed = self.sealed_of(position);
            let index = match sealed {
                Some(sealed) => sealed.index(),
                None => None,
            };
            let (first, next, block) = match sealed {
                Some(sealed) => (sealed.first, self.end_of(sealed), index.as_deref()),
                None => (self.active.first(), self.size(), Some(&self.active)),
            };
            let until = end.min(next);
            let start = block.and_then(|index| index.block(position));
            let start = start.map(|(bytes, first)| (bytes.start, first));
            match scan_segment(&self.dir, first, start, position..until, each)? {
                ControlFlow::Continue(()) => position = until,
                ControlFlow::Break(()) => return Ok(()),
            }
        }
        Ok(())
    }

    /// Position after the last record of a sealed segment.
    fn end_of(&self, sealed: &Sealed) -> Position {
        let after = self
            .sealed
            .partition_point(|other| other.first <= sealed.first);
        let next = self.sealed.get(after);
        next.map_or(self.active.first(), |next| next.first)
    }
}

/// Shows the records of a range that lies in one segment, beginning where `start` says that a
/// record is, when that is true.
fn scan_segment(
    dir: &Path,
    first: Position,
    start: Option<(u64, Position)>,
    range: Range<Position>,
    each: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, ReadError> {
    let fail = |source| io_error(first, source);
    let segment = SegmentFile::open(dir, first).map_err(fail)?;
    let header_end = u64::try_from(crate::segment::EMPTY_BYTES).unwrap_or(u64::MAX);
    let (offset, mut position) = start.unwrap_or((header_end, first));
    let mut frames = Frames::new(&segment, offset);
    // an index may be of another form of the segment
    let mut doubted = start;
    while position < range.end {
        let offset = frames.offset();
        let damaged = || ReadError::Damaged {
            file: segment.name(),
            offset,
            position,
        };
        let record = match frames.next().map_err(fail)? {
            Step::Frame(_, frame) if frame.kind == Kind::Commit => continue,
            Step::Frame(_, frame) => frame.record(),
            _ => None,
        };
        let record = record.filter(|(entry, _, _)| Entry::peek_position(entry) == position);
        let Some((entry, public, private)) = record else {
            if doubted.take().is_none() {
                return Err(damaged());
            }
            frames = Frames::new(&segment, header_end);
            position = first;
            continue;
        };
        doubted = None;
        if position >= range.start {
            let record = RecordRef {
                entry,
                public,
                private,
            };
            if each(record).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        position += 1;
    }
    Ok(ControlFlow::Continue(()))
}
