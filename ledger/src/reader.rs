//! Reading a ledger without its lock, from this process or another.

mod recorded;

use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::entry::{Entry, EntryError};
use crate::event::{EventType, Position, Recorded};
use crate::hash::{self, Hash};
use crate::ledger::OpenError;
use crate::place::Place;
use crate::segment::file::{Frames, SegmentFile, Step, list, name_of};
use crate::segment::frame::{Kind, record_parts};
use crate::segment::index::{Block, Index};
use crate::segment::recover::{Extent, Rest, walk};
use crate::settings::Settings;
use crate::store::{RecordRef, StoredRecord};
use crate::tiles::Tree;
use crate::vault::VaultError;
use recorded::Opener;

/// Times a damaged tail is read again without getting further: a writer may be in the middle of it.
const RETRIES: usize = 3;

/// Reads what is committed. It never locks, and sees what was committed when it was opened or
/// last refreshed.
#[derive(Debug)]
pub struct Reader {
    dir: PathBuf,
    place: Place,
    settings: Settings,
    /// Sealed segments, ascending; their index is built when first needed.
    sealed: Vec<(Position, OnceLock<Index>)>,
    /// The active segment, up to its last commit.
    active: Index,
    extent: Extent,
    /// Opens private parts; made when first needed.
    opener: OnceLock<Opener>,
    with_private: bool,
}

/// Why stored events could not be read. Listed in the order the causes are checked.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The operating system refused.
    #[error("`{file}` could not be read")]
    Io {
        /// Name of the file.
        file: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// Stored bytes are not what was written; `verify` tells more.
    #[error("`{file}` is damaged at byte {offset}, position {position}")]
    Damaged {
        /// Name of the file.
        file: String,
        /// Offset of the frame in the file.
        offset: u64,
        /// Position of the record, or of the next one.
        position: Position,
    },
    /// The entry is not one of this version.
    #[error("the entry at position {position} cannot be read")]
    Entry {
        /// Position of the record.
        position: Position,
        /// The cause.
        #[source]
        source: EntryError,
    },
    /// A payload is not the JSON its type names.
    #[error("the payload at position {position} cannot be read")]
    Payload {
        /// Position of the record.
        position: Position,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
    /// A hash was asked for that the tree does not have.
    #[error("the tree has no whole `{path}`")]
    NoSuchTile {
        /// Path of the tile.
        path: String,
    },
    /// The data key of a private part is not here, and no erasure says why.
    #[error(
        "the data key of the private part at position {position} is not here; name its folder with --keys"
    )]
    KeyMissing {
        /// Position of the record.
        position: Position,
    },
    /// A private part is not what was encrypted or committed to.
    #[error("the private part at position {position} is not the one committed to")]
    Private {
        /// Position of the record.
        position: Position,
    },
    /// The data keys cannot be read.
    #[error("the data keys cannot be read")]
    Vault {
        /// The cause.
        #[source]
        source: Box<VaultError>,
    },
    /// A time lies outside the years that can be told.
    #[error("the time at position {position} is {milliseconds} ms, out of range")]
    Time {
        /// Position of the record.
        position: Position,
        /// The time found.
        milliseconds: u64,
    },
}

impl Reader {
    /// Opens the ledger in a folder.
    ///
    /// # Errors
    /// When the folder holds no ledger, or the end of it cannot be read.
    pub fn open(place: impl Into<Place>) -> Result<Self, OpenError> {
        let place = place.into();
        let dir = place.folder();
        let settings = Settings::read(dir)?.ok_or_else(|| OpenError::NotALedger {
            dir: dir.to_owned(),
        })?;
        let firsts = list(dir).map_err(|source| OpenError::Io {
            path: dir.to_owned(),
            source,
        })?;
        let Some((last, sealed)) = firsts.split_last() else {
            return Err(OpenError::Empty {
                dir: dir.to_owned(),
            });
        };
        let extent = first_extent(dir, *last, &settings)?;
        let mut reader = Self {
            dir: dir.to_owned(),
            place: place.clone(),
            active: Index::new(*last, extent.end),
            sealed: sealed
                .iter()
                .map(|first| (*first, OnceLock::new()))
                .collect(),
            settings,
            extent,
            opener: OnceLock::new(),
            with_private: false,
        };
        reader.refresh()?;
        Ok(reader)
    }

    /// Opens private parts from now on, where their keys are here; what became of the others is in
    /// [`Recorded::private_state`].
    ///
    /// # Errors
    /// When there are data keys but they cannot be read.
    pub fn with_private(mut self) -> Result<Self, ReadError> {
        self.opener()?;
        self.with_private = true;
        Ok(self)
    }

    /// Number of committed events seen.
    pub fn size(&self) -> u64 {
        self.extent.next
    }

    /// Origin of the ledger.
    pub fn origin(&self) -> &str {
        &self.settings.origin
    }

    /// Id of the ledger, derived from its origin.
    pub fn ledger_id(&self) -> [u8; 16] {
        hash::ledger_id(&self.settings.origin)
    }

    /// Whether network facts of workloads are kept in the private part.
    pub fn private_network(&self) -> bool {
        self.settings.private_network
    }

    /// Chain value of the newest event seen.
    pub fn head_chain(&self) -> Hash {
        self.extent.head_chain
    }

    /// Chain value of a prefix: of the entry below `size`, or of the genesis for 0. `None` when
    /// fewer events are committed.
    ///
    /// # Errors
    /// When the entry that tells it is damaged or cannot be read.
    pub fn chain_at(&self, size: u64) -> Result<Option<Hash>, ReadError> {
        if size == self.size() {
            return Ok(Some(self.head_chain()));
        }
        let Some(next) = self.get_stored(size)? else {
            return Ok(None);
        };
        let entry = Entry::decode(&next.entry).map_err(|source| ReadError::Entry {
            position: size,
            source,
        })?;
        Ok(Some(entry.prev_chain))
    }

    /// The ranges of positions that lie in one segment each, in order.
    pub fn segments(&self) -> Vec<Range<Position>> {
        let firsts: Vec<Position> = self.sealed.iter().map(|(first, _)| *first).collect();
        let ends = firsts.iter().skip(1).copied().chain([self.active.first()]);
        let mut ranges: Vec<Range<Position>> = firsts
            .iter()
            .zip(ends)
            .map(|(first, end)| *first..end)
            .collect();
        ranges.push(self.active.first()..self.size());
        ranges
    }

    /// Folder of the ledger.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The tree over the events seen.
    pub fn tree(&self) -> Tree<'_> {
        Tree::of(self)
    }

    /// Looks for what was committed since.
    ///
    /// # Errors
    /// When the end of the ledger is damaged or cannot be read.
    pub fn refresh(&mut self) -> Result<(), ReadError> {
        loop {
            self.follow_active()?;
            if self.extent.seal.is_none() {
                return Ok(());
            }
            let next = self.extent.next;
            match first_extent(&self.dir, next, &self.settings) {
                Ok(extent) => {
                    let index = std::mem::replace(&mut self.active, Index::new(next, extent.end));
                    self.sealed.push((index.first(), OnceLock::from(index)));
                    self.extent = extent;
                }
                // The writer is between sealing the old segment and starting the next.
                Err(ReadError::Io { source, .. })
                    if source.kind() == std::io::ErrorKind::NotFound =>
                {
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn follow_active(&mut self) -> Result<(), ReadError> {
        if self.extent.seal.is_some() {
            return Ok(());
        }
        let first = self.active.first();
        let segment = SegmentFile::open(&self.dir, first).map_err(|e| io_error(first, e))?;
        let Self { active, extent, .. } = self;
        let mut stuck = 0;
        while stuck < RETRIES {
            let before = extent.end;
            let rest = walk(&segment.file, extent, &mut |met| active.push(met.offset))
                .map_err(|source| io_error(first, source))?;
            active.set_end(extent.end);
            match rest {
                Rest::Clean | Rest::Torn => return Ok(()),
                // A batch that was being written when its frames were read, and was whole when the
                // bytes after it were: the next walk gets past it. Damage never moves.
                Rest::Damaged if extent.end > before => stuck = 0,
                Rest::Damaged => stuck += 1,
            }
        }
        Err(ReadError::Damaged {
            file: segment.name(),
            offset: extent.end,
            position: extent.next,
        })
    }

    /// Shows the events of a range in order. Events whose type is not `wanted` are passed over by
    /// their header, without reading the payload as JSON. `each` may stop early.
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
            let (first, index, next) = self.segment_of(position);
            let until = end.min(next);
            let start = index.and_then(|index| index.block(position));
            match scan_segment(&self.dir, first, start, position..until, each)? {
                ControlFlow::Continue(()) => position = until,
                ControlFlow::Break(()) => return Ok(()),
            }
        }
        Ok(())
    }

    /// First position, index when there is one, and end of the segment that holds a position.
    fn segment_of(&self, position: Position) -> (Position, Option<&Index>, Position) {
        if position >= self.active.first() {
            return (self.active.first(), Some(&self.active), self.size());
        }
        let after = self.sealed.partition_point(|(first, _)| *first <= position);
        let next = self
            .sealed
            .get(after)
            .map_or(self.active.first(), |(first, _)| *first);
        match after.checked_sub(1).and_then(|at| self.sealed.get(at)) {
            Some((first, index)) => (*first, index.get(), next),
            None => (0, None, next),
        }
    }

    /// Reads one event; `None` past the end.
    ///
    /// # Errors
    /// When the record is damaged or cannot be read.
    pub fn get(&self, position: Position) -> Result<Option<Recorded>, ReadError> {
        match self.get_stored(position)? {
            Some(stored) => self.recorded(stored.as_ref()).map(Some),
            None => Ok(None),
        }
    }

    /// Reads one record as stored; `None` past the end.
    ///
    /// # Errors
    /// When the record is damaged or cannot be read.
    pub fn get_stored(&self, position: Position) -> Result<Option<StoredRecord>, ReadError> {
        if position >= self.size() {
            return Ok(None);
        }
        let (first, index, _) = self.segment_of(position);
        let segment = SegmentFile::open(&self.dir, first).map_err(|e| io_error(first, e))?;
        let index = match index {
            Some(index) => index,
            None => self.build_index(&segment)?,
        };
        let damaged = |offset| ReadError::Damaged {
            file: segment.name(),
            offset,
            position,
        };
        let (range, block_first) = index.block(position).ok_or_else(|| damaged(0))?;
        let offset = range.start;
        let block = Block::read(&segment.file, range, block_first)
            .map_err(|source| io_error(first, source))?;
        block
            .record(position)
            .map(Some)
            .ok_or_else(|| damaged(offset))
    }

    /// Builds the index of a sealed segment by walking it once.
    fn build_index(&self, segment: &SegmentFile) -> Result<&Index, ReadError> {
        let first = segment.first;
        let damaged = |extent: &Extent| ReadError::Damaged {
            file: segment.name(),
            offset: extent.end,
            position: extent.next,
        };
        let mut extent = first_extent(&self.dir, first, &self.settings)?;
        let mut index = Index::new(first, extent.end);
        let rest = walk(&segment.file, &mut extent, &mut |met| {
            index.push(met.offset);
        })
        .map_err(|source| io_error(first, source))?;
        index.set_end(extent.end);
        if rest != Rest::Clean {
            return Err(damaged(&extent));
        }
        match self.sealed.iter().find(|(at, _)| *at == first) {
            Some((_, cell)) => Ok(cell.get_or_init(|| index)),
            None => Err(damaged(&extent)),
        }
    }
}

fn io_error(first: Position, source: std::io::Error) -> ReadError {
    ReadError::Io {
        file: name_of(first),
        source,
    }
}

/// Reads the header of a segment and checks that it belongs to the ledger.
fn first_extent(dir: &Path, first: Position, settings: &Settings) -> Result<Extent, ReadError> {
    let fail = |source| io_error(first, source);
    let segment = SegmentFile::open(dir, first).map_err(fail)?;
    match segment.header().map_err(fail)? {
        Some(header)
            if header.first == first && header.ledger_id == hash::ledger_id(&settings.origin) =>
        {
            Ok(Extent::of_header(&header))
        }
        _ => Err(ReadError::Damaged {
            file: segment.name(),
            offset: 0,
            position: first,
        }),
    }
}

/// Shows the records of a range that lies in one segment, beginning at a block of its index when
/// there is one.
fn scan_segment(
    dir: &Path,
    first: Position,
    start: Option<(Range<u64>, Position)>,
    range: Range<Position>,
    each: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, ReadError> {
    let fail = |source| io_error(first, source);
    let segment = SegmentFile::open(dir, first).map_err(fail)?;
    let header_end = u64::try_from(crate::segment::EMPTY_BYTES).unwrap_or(u64::MAX);
    let (offset, mut position) = start.map_or((header_end, first), |(at, first)| (at.start, first));
    let mut frames = Frames::new(&segment.file, offset);
    while position < range.end {
        let offset = frames.offset();
        let damaged = || ReadError::Damaged {
            file: name_of(first),
            offset,
            position,
        };
        let Step::Frame(_, frame) = frames.next().map_err(fail)? else {
            return Err(damaged());
        };
        match frame.kind {
            Kind::Commit => continue,
            Kind::Seal => return Err(damaged()),
            Kind::Record => {}
        }
        let (entry, public, private) = record_parts(frame.body).ok_or_else(damaged)?;
        if Entry::peek_position(entry) != position {
            return Err(damaged());
        }
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
