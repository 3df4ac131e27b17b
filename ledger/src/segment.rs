//! The embedded store: a folder of segment files, written by one process.
//!
//! A batch is one write and one sync; its commit frame makes it visible. A full segment is sealed
//! with a digest and never written again. The layout and what a crash can leave behind are
//! `docs/format.md`. Deliberately not here: the lock that keeps other writers out, and hashing of
//! history, which is [`crate::verify`].

pub(crate) mod file;
pub(crate) mod frame;
pub(crate) mod frames;
pub(crate) mod index;
mod open;
pub(crate) mod packed;
pub(crate) mod prune;
pub(crate) mod recover;
pub(crate) mod seal;

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::event::Position;
use crate::hash::Hash;
use crate::store::{RecordRef, Store, StoreError, StoredRecord};
use file::{SegmentFile, last_nonzero, name_of, write_at};
use frame::{Commit, HEADER_BYTES, Header, Kind, begin, finish};
use index::{Block, Index};
use open::NoOne;
use recover::{Extent, Met, Rest, walk};
use seal::{FOOTER_BYTES, Seal, digest};

pub(crate) use open::{Follow, Known};

/// Sizes of segment files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentOptions {
    /// A batch that would grow a segment beyond this many bytes starts the next one. A batch is
    /// never split, so a larger one makes a larger segment.
    pub segment_bytes: u64,
    /// Zeros written ahead of small batches, at most, so that a sync need not move the file's end.
    pub extend_bytes: u64,
    /// Events after which a file of the index is written: so many are read again when the ledger is
    /// opened.
    pub index_events: usize,
}

impl Default for SegmentOptions {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            extend_bytes: 8 << 20,
            index_events: 32_768,
        }
    }
}

/// Least zeros written ahead: a new ledger stays small.
const EXTEND_BYTES_MIN: u64 = 1 << 20;

/// Batches that zeros written ahead must have room for to be worth writing: what is written
/// into them was written and synced once before, as zeros.
const BATCHES_AHEAD_MIN: u64 = 64;

/// Blocks of records kept for comparing repeated events with their originals.
const BLOCKS_KEPT: usize = 64;

/// Ending of a segment that is being created.
pub(crate) const TEMPORARY_ENDING: &str = "tmp";

/// A block read for its records.
struct KeptBlock {
    range: std::ops::Range<u64>,
    first: Position,
    block: Arc<Block>,
}

/// The store's writer.
pub(crate) struct SegmentStore {
    dir: PathBuf,
    ledger_id: [u8; 16],
    options: SegmentOptions,
    /// Index of every segment; the last is the active one.
    indexes: Vec<Index>,
    active: SegmentFile,
    extent: Extent,
    /// Length of the active file, zeros ahead included.
    allocated: u64,
    poisoned: bool,
    /// Over what the active segment holds, when all of it was written here: a roll-over need not
    /// read it again.
    digest: Option<blake3::Hasher>,
    buffer: Vec<u8>,
    blocks: RefCell<Vec<KeptBlock>>,
}

impl SegmentStore {
    /// Creates the first segment of an empty folder.
    pub(crate) fn create(
        dir: &Path,
        ledger_id: [u8; 16],
        genesis: Hash,
        options: SegmentOptions,
    ) -> Result<Self, StoreError> {
        let header = Header {
            ledger_id,
            first: 0,
            prev_chain: genesis,
            pruned: false,
        };
        prepare_segment(dir, &header).map_err(|source| io_error(0, source))?;
        publish_segment(dir, 0).map_err(|source| io_error(0, source))?;
        let known = Known::default();
        Self::open(dir, (ledger_id, genesis), options, known, &mut NoOne)
    }

    fn at(
        dir: &Path,
        active: SegmentFile,
        extent: Extent,
        indexes: Vec<Index>,
        (ledger_id, options): ([u8; 16], SegmentOptions),
    ) -> Result<Self, StoreError> {
        let first = active.first;
        let fail = |source| io_error(first, source);
        let allocated = active.file.metadata().map_err(fail)?.len();
        let sealed = extent.seal.is_some();
        let mut store = Self {
            dir: dir.to_owned(),
            ledger_id,
            options,
            indexes,
            active,
            extent,
            allocated,
            poisoned: false,
            digest: None,
            buffer: Vec::new(),
            blocks: RefCell::default(),
        };
        if sealed {
            let next = store.next_header();
            // Prepared before the footer is written, so what is not there was lost.
            if !temporary_path(dir, next.first).exists() {
                return Err(damaged(&store.active, store.extent.end, next.first));
            }
            store.end_behind_footer().map_err(fail)?;
            let fail = |source| io_error(next.first, source);
            prepare_segment(dir, &next).map_err(fail)?;
            store.start_segment(&next).map_err(fail)?;
        }
        Ok(store)
    }

    /// Cuts off the zeros ahead that a crash left behind the footer of the last segment.
    fn end_behind_footer(&mut self) -> io::Result<()> {
        let end = self.extent.end + FOOTER_BYTES;
        if self.allocated > end && last_nonzero(&self.active, end)?.is_none() {
            self.active.file.set_len(end)?;
            self.active.file.sync_all()?;
        }
        Ok(())
    }

    fn next_header(&self) -> Header {
        Header {
            ledger_id: self.ledger_id,
            first: self.extent.next,
            prev_chain: self.extent.head_chain,
            pruned: false,
        }
    }

    /// Seals the active segment and starts the next. The next one is prepared under another name
    /// first, so that a sealed last segment without it is a loss, not a crash.
    fn roll_over(&mut self) -> io::Result<()> {
        let next = self.next_header();
        prepare_segment(&self.dir, &next)?;
        // Its name too must be there before the footer is.
        sync_dir(&self.dir)?;
        let seal = Seal {
            digest: match &self.digest {
                Some(running) => *running.finalize().as_bytes(),
                None => digest(&self.active, self.extent.end)?,
            },
            first: self.active.first,
            count: self.extent.next - self.active.first,
            times: self.extent.times,
            head_chain: self.extent.head_chain,
        };
        let mut footer = Vec::new();
        let start = begin(Kind::Seal, &mut footer);
        seal.write(&mut footer);
        finish(start, &mut footer).ok_or(io::ErrorKind::InvalidInput)?;
        let write = || {
            let file = &self.active.file;
            write_at(file, &footer, self.extent.end)?;
            file.set_len(self.extent.end + length(&footer))?;
            file.sync_all()
        };
        write().inspect_err(|_| self.take_back())?;
        self.start_segment(&next)
    }

    fn start_segment(&mut self, header: &Header) -> io::Result<()> {
        publish_segment(&self.dir, header.first)?;
        self.active = SegmentFile::open_for_writing(&self.dir, header.first)?;
        self.extent = Extent::of_header(header);
        let mut digest = blake3::Hasher::new();
        digest.update(&header.encode());
        self.digest = Some(digest);
        self.allocated = self.extent.end;
        self.indexes.push(Index::new(header.first, self.extent.end));
        Ok(())
    }

    /// Fills the buffer with the frames of a batch; returns where each record begins in it.
    fn encode(
        &mut self,
        expected: Position,
        records: &[RecordRef<'_>],
        head_chain: &Hash,
    ) -> Result<Vec<u64>, StoreError> {
        let buffer = &mut self.buffer;
        buffer.clear();
        let mut starts = Vec::with_capacity(records.len());
        let mut position = expected;
        for record in records {
            let start = begin(Kind::Record, buffer);
            buffer.extend_from_slice(record.entry);
            buffer.extend_from_slice(record.public);
            buffer.extend_from_slice(record.private);
            let bytes = buffer.len() - start;
            finish(start, buffer).ok_or(StoreError::TooLong { position, bytes })?;
            starts.push(u64::try_from(start).unwrap_or(u64::MAX));
            position += 1;
        }
        let start = begin(Kind::Commit, buffer);
        let commit = Commit {
            first: expected,
            count: u64::try_from(records.len()).unwrap_or(u64::MAX),
            head_chain: *head_chain,
        };
        commit.write(buffer);
        let bytes = buffer.len() - start;
        finish(start, buffer).ok_or(StoreError::TooLong { position, bytes })?;
        Ok(starts)
    }

    /// Writes the buffer behind the last commit and waits until it is on disk.
    fn write_durably(&mut self) -> io::Result<()> {
        let bytes = length(&self.buffer);
        let full = self.extent.end + bytes > self.options.segment_bytes;
        if full && self.extent.next > self.active.first {
            self.roll_over()?;
        }
        self.write_buffer().inspect_err(|_| self.take_back())
    }

    /// Cuts off what could not be made durable. After a failed sync the system holds it as if it
    /// were on disk (Rebello et al., USENIX ATC 2020), and a writer that opens the ledger next
    /// would take it for committed.
    fn take_back(&self) {
        // A disk that refuses this too leaves a tail that was never acknowledged.
        let _as_far_as_possible = self.active.file.set_len(self.extent.end).is_ok();
    }

    fn write_buffer(&mut self) -> io::Result<()> {
        let bytes = length(&self.buffer);
        let end = self.extent.end + bytes;
        if end > self.allocated {
            let ahead = self
                .allocated
                .max(EXTEND_BYTES_MIN)
                .min(self.options.extend_bytes);
            // A large batch moves the end of the file anyway; zeros would only be written twice.
            if bytes <= ahead / BATCHES_AHEAD_MIN {
                let zeros = vec![0; usize::try_from(end + ahead - self.allocated).unwrap_or(0)];
                write_at(&self.active.file, &zeros, self.allocated)?;
                self.allocated = end + ahead;
            }
        }
        let file = &self.active.file;
        write_at(file, &self.buffer, self.extent.end)?;
        file.sync_data()?;
        if let Some(digest) = &mut self.digest {
            digest.update(&self.buffer);
        }
        self.allocated = self.allocated.max(end);
        Ok(())
    }

    /// Whether exactly these records are stored from `expected` on.
    fn holds(&self, expected: Position, records: &[RecordRef<'_>]) -> Result<bool, StoreError> {
        for (position, record) in (expected..).zip(records) {
            match self.get(position)? {
                Some(stored) if stored.as_ref() == *record => {}
                _ => return Ok(false),
            }
        }
        Ok(!records.is_empty())
    }

    fn block(&self, position: Position) -> Result<Option<Arc<Block>>, StoreError> {
        let after = self
            .indexes
            .partition_point(|index| index.first() <= position);
        let Some(index) = after.checked_sub(1).and_then(|at| self.indexes.get(at)) else {
            return Ok(None);
        };
        let Some((range, first)) = index.block(position) else {
            return Ok(None);
        };
        let mut blocks = self.blocks.borrow_mut();
        let kept = blocks
            .iter()
            .find(|kept| kept.first == first && kept.range == range);
        if let Some(kept) = kept {
            return Ok(Some(Arc::clone(&kept.block)));
        }
        let fail = |source| io_error(index.first(), source);
        let segment = SegmentFile::open(&self.dir, index.first()).map_err(fail)?;
        let block = Block::read(&segment, range.clone(), first).map_err(fail)?;
        let block = Arc::new(block);
        if blocks.len() >= BLOCKS_KEPT {
            blocks.remove(0);
        }
        blocks.push(KeptBlock {
            range,
            first,
            block: Arc::clone(&block),
        });
        Ok(Some(block))
    }
}

impl Store for SegmentStore {
    fn size(&self) -> u64 {
        self.extent.next
    }

    fn head_chain(&self) -> Hash {
        self.extent.head_chain
    }

    fn append(
        &mut self,
        expected: Position,
        records: &[RecordRef<'_>],
        head_chain: &Hash,
    ) -> Result<(), StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        if expected != self.size() {
            if self.holds(expected, records)? {
                return Ok(());
            }
            return Err(StoreError::Expected {
                expected,
                actual: self.size(),
            });
        }
        if records.is_empty() {
            return Ok(());
        }
        let starts = self.encode(expected, records, head_chain)?;
        if let Err(source) = self.write_durably() {
            self.poisoned = true;
            return Err(io_error(self.active.first, source));
        }
        for record in records {
            self.extent.times.add_entry(record.entry);
        }
        let base = self.extent.end;
        self.extent.end = base + length(&self.buffer);
        self.extent.next = expected + u64::try_from(records.len()).unwrap_or(u64::MAX);
        self.extent.head_chain = *head_chain;
        if let Some(index) = self.indexes.last_mut() {
            for start in starts {
                index.push(base + start);
            }
            index.set_end(self.extent.end);
        }
        Ok(())
    }

    fn get(&self, position: Position) -> Result<Option<StoredRecord>, StoreError> {
        let Some(block) = self.block(position)? else {
            return Ok(None);
        };
        match block.record(position) {
            Some(record) => Ok(Some(record)),
            None => Err(StoreError::Damaged {
                file: self.file_of(position),
                offset: 0,
                position,
            }),
        }
    }
}

impl SegmentStore {
    pub(crate) fn options(&self) -> SegmentOptions {
        self.options
    }

    /// How far the store reaches: the active segment's first position, and its extent.
    pub(crate) fn edge(&self) -> (&Extent, &[Index]) {
        (&self.extent, &self.indexes)
    }

    /// Finds the records of a sealed segment again, whose file was rewritten.
    pub(crate) fn reread(&mut self, first: Position) -> Result<(), StoreError> {
        let fail = |source| io_error(first, source);
        let segment = SegmentFile::open(&self.dir, first).map_err(fail)?;
        let header = segment.header().map_err(fail)?;
        let header = header.ok_or_else(|| damaged(&segment, 0, first))?;
        let mut extent = Extent::of_header(&header);
        let mut index = Index::new(first, extent.end);
        let rest = walk(&segment, &mut extent, &mut |met: &Met<'_>| {
            index.push(met.offset);
        })
        .map_err(fail)?;
        index.set_end(extent.end);
        if rest != Rest::Clean || extent.seal.is_none() {
            return Err(damaged(&segment, extent.end, extent.next));
        }
        self.blocks.borrow_mut().clear();
        if let Some(known) = self.indexes.iter_mut().find(|known| known.first() == first) {
            *known = index;
        }
        Ok(())
    }

    fn file_of(&self, position: Position) -> String {
        let firsts = self.indexes.iter().map(Index::first);
        name_of(firsts.filter(|first| *first <= position).max().unwrap_or(0))
    }
}

/// Writes a new segment's header under a temporary name.
fn prepare_segment(dir: &Path, header: &Header) -> io::Result<()> {
    let mut file = File::create(temporary_path(dir, header.first))?;
    file.write_all(&header.encode())?;
    file.sync_all()
}

/// Gives a prepared segment its name.
fn publish_segment(dir: &Path, first: Position) -> io::Result<()> {
    std::fs::rename(temporary_path(dir, first), dir.join(name_of(first)))?;
    sync_dir(dir)
}

pub(crate) fn temporary_path(dir: &Path, first: Position) -> PathBuf {
    dir.join(format!("{}.{TEMPORARY_ENDING}", name_of(first)))
}

/// Makes created and renamed names of a folder durable.
#[cfg(unix)]
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Folders cannot be synced here; the file system orders names itself.
#[cfg(not(unix))]
pub(crate) fn sync_dir(_dir: &Path) -> io::Result<()> {
    Ok(())
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn io_error(first: Position, source: io::Error) -> StoreError {
    StoreError::Io {
        file: name_of(first),
        source,
    }
}

fn damaged(segment: &SegmentFile, offset: u64, position: Position) -> StoreError {
    StoreError::Damaged {
        file: segment.name(),
        offset,
        position,
    }
}

/// Bytes of a segment without records.
pub(crate) const EMPTY_BYTES: usize = HEADER_BYTES;

#[cfg(test)]
mod tests;
