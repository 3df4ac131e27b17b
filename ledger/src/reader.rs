//! Reading a ledger without its lock, from this process or another.

mod pruned;
mod recorded;
mod scan;
mod tail;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::entry::{Entry, EntryError};
use crate::event::{Position, Recorded};
use crate::hash::{self, Hash};
use crate::history::known_to_readers;
use crate::ledger::OpenError;
use crate::place::Place;
use crate::segment::Known;
use crate::segment::file::{SegmentFile, list, name_of};
use crate::segment::index::{Block, Index};
use crate::segment::recover::{Extent, Met, Rest, walk};
use crate::settings::Settings;
use crate::store::StoredRecord;
use crate::tiles::Tree;
use crate::vault::VaultError;
use recorded::Opener;

pub use pruned::PrunedMark;

/// Times a damaged tail is read again without getting further: a writer may be in the middle of it.
const RETRIES: usize = 3;

/// Reads what is committed. It never locks, and sees what was committed when it was opened or
/// last refreshed.
#[derive(Debug)]
pub struct Reader {
    dir: PathBuf,
    place: Place,
    settings: Settings,
    /// Sealed segments, ascending.
    sealed: Vec<Sealed>,
    /// The active segment, up to its last commit.
    active: Index,
    extent: Extent,
    /// Opens private parts; made when first needed.
    opener: OnceLock<Opener>,
    with_private: bool,
    /// Position after the last pruned record that a scan passed over, 0 for none.
    passed_over: AtomicU64,
    pruned_mark: OnceLock<PrunedMark>,
}

/// A sealed segment.
#[derive(Debug)]
struct Sealed {
    first: Position,
    /// What was told of its records, or found by walking it.
    index: RwLock<Option<Arc<Index>>>,
}

impl Sealed {
    fn of(first: Position, index: Option<Index>) -> Self {
        Self {
            first,
            index: RwLock::new(index.map(Arc::new)),
        }
    }

    fn index(&self) -> Option<Arc<Index>> {
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        index.clone()
    }
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
    /// The payload was pruned; the entry is still there, and proves that there was one.
    #[error("the payload at position {position} was pruned, only its entry is left")]
    Pruned {
        /// Position of the record.
        position: Position,
    },
    /// Payloads are gone, and no event says that they were pruned.
    #[error(
        "payloads below position {below} are gone and no pruning is on record; `verify` tells more"
    )]
    Lost {
        /// Position after the last of them.
        below: Position,
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
        let ledger_id = hash::ledger_id(&settings.origin);
        let Known { indexes, extent } = known_to_readers(dir, ledger_id);
        let ends = sealed.iter().skip(1).chain([last]);
        let mut indexes = indexes.into_iter().peekable();
        let sealed = sealed
            .iter()
            .zip(ends)
            .map(|(first, next)| {
                let index = indexes.next_if(|index| index.first() == *first);
                Sealed::of(*first, index.filter(|index| index.next() == *next))
            })
            .collect();
        let told = indexes.next().filter(|index| index.first() == *last);
        let header = first_extent(dir, *last, &settings)?;
        let (active, extent) = match told.zip(extent) {
            Some(told) => told,
            None => (Index::new(*last, header.end), header),
        };
        let mut reader = Self {
            dir: dir.to_owned(),
            place: place.clone(),
            active,
            sealed,
            settings,
            extent,
            opener: OnceLock::new(),
            with_private: false,
            passed_over: AtomicU64::new(0),
            pruned_mark: OnceLock::new(),
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
        let firsts: Vec<Position> = self.sealed.iter().map(|sealed| sealed.first).collect();
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
                    self.sealed.push(Sealed::of(index.first(), Some(index)));
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
            let rest = walk(&segment, extent, &mut |met: &Met<'_>| {
                active.push(met.offset);
            })
            .map_err(|source| io_error(first, source))?;
            active.set_end(extent.end);
            match rest {
                Rest::Clean | Rest::Torn if extent.seal.is_some() || !segment.is_packed() => {
                    return Ok(());
                }
                // A batch that was being written when its frames were read, and was whole when the
                // bytes after it were: the next walk gets past it. Damage never moves.
                Rest::Damaged if extent.end > before => stuck = 0,
                // A packed segment has a footer: one without is damaged too.
                Rest::Damaged | Rest::Clean | Rest::Torn => stuck += 1,
            }
        }
        Err(ReadError::Damaged {
            file: segment.name(),
            offset: extent.end,
            position: extent.next,
        })
    }

    /// Reads one event; `None` past the end.
    ///
    /// # Errors
    /// When the record is damaged, pruned or cannot be read.
    pub fn get(&self, position: Position) -> Result<Option<Recorded>, ReadError> {
        match self.get_stored(position)? {
            Some(stored) if stored.as_ref().is_pruned() => Err(ReadError::Pruned { position }),
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
        let Some(sealed) = self.sealed_of(position) else {
            let active = self.active.first();
            return self.get_by(&self.active, active, position).map(Some);
        };
        if let Some(index) = sealed.index()
            && let Ok(record) = self.get_by(&index, sealed.first, position)
        {
            return Ok(Some(record));
        }
        let index = self.walked(sealed)?;
        self.get_by(&index, sealed.first, position).map(Some)
    }

    /// Reads one record of the segment that begins at `first` where its index says that it is.
    fn get_by(
        &self,
        index: &Index,
        first: Position,
        position: Position,
    ) -> Result<StoredRecord, ReadError> {
        let segment = SegmentFile::open(&self.dir, first).map_err(|e| io_error(first, e))?;
        let damaged = |offset| ReadError::Damaged {
            file: segment.name(),
            offset,
            position,
        };
        let (range, block_first) = index.block(position).ok_or_else(|| damaged(0))?;
        let offset = range.start;
        let block =
            Block::read(&segment, range, block_first).map_err(|source| io_error(first, source))?;
        block.record(position).ok_or_else(|| damaged(offset))
    }

    /// The sealed segment that holds a position; `None` for the active one.
    fn sealed_of(&self, position: Position) -> Option<&Sealed> {
        if position >= self.active.first() {
            return None;
        }
        let after = self
            .sealed
            .partition_point(|sealed| sealed.first <= position);
        self.sealed.get(after.checked_sub(1)?)
    }

    /// Makes the index of a sealed segment by walking it.
    fn walked(&self, sealed: &Sealed) -> Result<Arc<Index>, ReadError> {
        let fail = |source| io_error(sealed.first, source);
        let segment = SegmentFile::open(&self.dir, sealed.first).map_err(fail)?;
        let mut extent = first_extent(&self.dir, sealed.first, &self.settings)?;
        let mut index = Index::new(sealed.first, extent.end);
        let rest = walk(&segment, &mut extent, &mut |met: &Met<'_>| {
            index.push(met.offset);
        })
        .map_err(fail)?;
        index.set_end(extent.end);
        if rest != Rest::Clean {
            return Err(ReadError::Damaged {
                file: segment.name(),
                offset: extent.end,
                position: extent.next,
            });
        }
        let index = Arc::new(index);
        let mut kept = sealed.index.write().unwrap_or_else(PoisonError::into_inner);
        *kept = Some(Arc::clone(&index));
        Ok(index)
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
