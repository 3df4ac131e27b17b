//! Where the records of a segment lie: an offset for every 64th.

use std::io;

use super::file::SegmentFile;
use super::frame::{Parsed, parse};
use crate::entry::Entry;
use crate::event::Position;
use crate::store::StoredRecord;

/// Records per remembered offset: 64 records of some 700 bytes are one quick read, and the index
/// of 100 million records is 12.5 MB.
const STRIDE: u64 = 64;

/// A part of an index, as kept beside the segments: the offsets of some records of one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// First position of the segment.
    pub(crate) segment: Position,
    /// Position of the first record the piece is about.
    pub(crate) first: Position,
    /// Position after the last.
    pub(crate) next: Position,
    /// Offset after the commit of the last.
    pub(crate) end: u64,
    /// Offsets of those records whose index in the segment is a multiple of the stride.
    pub(crate) offsets: Vec<u64>,
}

impl Piece {
    /// Adds the piece that follows in the same segment.
    pub(crate) fn extend(&mut self, more: Self) {
        self.next = more.next;
        self.end = more.end;
        self.offsets.extend(more.offsets);
    }
}

/// Sparse index of one segment.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    first: Position,
    /// Position after the last record.
    next: Position,
    offsets: Vec<u64>,
    /// Offset after the last commit.
    end: u64,
}

impl Index {
    /// Index of a segment without records.
    pub(crate) fn new(first: Position, end: u64) -> Self {
        Self {
            first,
            next: first,
            offsets: Vec::new(),
            end,
        }
    }

    /// The index that a piece from the segment's first record on makes; `None` for any other, or
    /// when it does not have the offsets it should.
    pub(crate) fn of(piece: Piece) -> Option<Self> {
        let records = piece.next.checked_sub(piece.segment)?;
        let offsets = u64::try_from(piece.offsets.len()).ok()?;
        let is_whole = piece.first == piece.segment && records.div_ceil(STRIDE) == offsets;
        (is_whole && piece.offsets.is_sorted()).then_some(Self {
            first: piece.segment,
            next: piece.next,
            offsets: piece.offsets,
            end: piece.end,
        })
    }

    /// What is behind a position; `None` when nothing is.
    pub(crate) fn piece(&self, from: Position) -> Option<Piece> {
        let first = from.max(self.first);
        let skipped = (first - self.first).div_ceil(STRIDE);
        let offsets = self.offsets.get(usize::try_from(skipped).ok()?..)?;
        (first < self.next).then(|| Piece {
            segment: self.first,
            first,
            next: self.next,
            end: self.end,
            offsets: offsets.to_vec(),
        })
    }

    /// Adds the next record.
    pub(crate) fn push(&mut self, offset: u64) {
        if (self.next - self.first).is_multiple_of(STRIDE) {
            self.offsets.push(offset);
        }
        self.next += 1;
    }

    /// Says where the last commit ends.
    pub(crate) fn set_end(&mut self, end: u64) {
        self.end = end;
    }

    pub(crate) fn first(&self) -> Position {
        self.first
    }

    /// Position after the last record.
    pub(crate) fn next(&self) -> Position {
        self.next
    }

    /// Offset after the last commit.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Offsets of the bytes that hold the record and its neighbours, and the position of the
    /// first record in them.
    pub(crate) fn block(&self, position: Position) -> Option<(std::ops::Range<u64>, Position)> {
        if position >= self.next {
            return None;
        }
        let number = position.checked_sub(self.first)? / STRIDE;
        let at = usize::try_from(number).ok()?;
        let start = *self.offsets.get(at)?;
        let end = self.offsets.get(at + 1).copied().unwrap_or(self.end);
        Some((start..end, self.first + number * STRIDE))
    }
}

/// The bytes of one block of an index, with the place of each record.
#[derive(Debug)]
pub(crate) struct Block {
    bytes: Vec<u8>,
    first: Position,
    records: Vec<usize>,
}

impl Block {
    /// Reads a block. Records that cannot be read are missing from it.
    pub(crate) fn read(
        segment: &SegmentFile,
        range: std::ops::Range<u64>,
        first: Position,
    ) -> io::Result<Self> {
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let mut bytes = vec![0; length];
        let read = segment.read_at(&mut bytes, range.start)?;
        bytes.truncate(read);
        let mut records = Vec::new();
        let mut at = 0;
        while let Some(Parsed::Frame(frame)) = bytes.get(at..).map(parse)
            && frame.intact
        {
            if frame.is_record() {
                records.push(at);
            }
            at += frame.bytes();
        }
        Ok(Self {
            bytes,
            first,
            records,
        })
    }

    /// The record at that position, when it is intact.
    pub(crate) fn record(&self, position: Position) -> Option<StoredRecord> {
        let index = usize::try_from(position.checked_sub(self.first)?).ok()?;
        let at = *self.records.get(index)?;
        let Parsed::Frame(frame) = parse(self.bytes.get(at..)?) else {
            return None;
        };
        let (entry, public, private) = frame.record()?;
        (Entry::peek_position(entry) == position).then(|| StoredRecord {
            entry: *entry,
            public: public.to_vec(),
            private: private.to_vec(),
        })
    }
}
