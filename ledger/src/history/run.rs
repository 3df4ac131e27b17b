//! A run: one file that tells, of a range of positions, where each event id is, the newest event of
//! each stream, where the records lie in their segments, and which events are erasures.
//!
//! The layout is `docs/format.md`, "Index". A run follows from the entries and is written without
//! a sync; its checksums tell a whole one from what a crash left.

use std::fs::File;
use std::io::{self, BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::places::Places;
use super::table::{PAGE_BYTES, Table, TableWriter, key_of, pages_length};
use crate::entry::{Fields, Room};
use crate::event::{EventId, Position};
use crate::hash::Hash;
use crate::segment::Known;
use crate::segment::file::{SegmentFile, read_file_at};
use crate::segment::index::Index;
use crate::segment::recover::{Extent, commit_ends_at};
use crate::segment::seal::Times;
use crate::streams::StreamHead;

const MAGIC: [u8; 8] = *b"DAYBKIDX";

/// Version of the format.
const VERSION: u32 = 1;

/// Bytes of a header; pages begin behind it.
const HEADER_BYTES: usize = PAGE_BYTES;

/// Bytes of the header that are written.
const FIELDS_BYTES: usize = 256;

/// Bytes of a row of ids: the first eight of the id, and the position counted from the run's first.
pub(super) const ID_BYTES: usize = 12;

/// Bytes of a row of streams: blinded name, number, revision, position.
pub(super) const STREAM_BYTES: usize = 52;

/// Ending of a run's name.
const ENDING: &str = ".run";

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Position of the first event of the run.
    pub(crate) first: Position,
    /// Position after its last.
    pub(crate) next: Position,
    /// First position of the segment in which the run ends.
    pub(crate) segment: Position,
    /// Offset in that segment after the commit frame at which the run ends.
    pub(crate) end: u64,
    /// Chain value of the last event.
    pub(crate) chain: Hash,
    /// Times of that segment's records up to there.
    pub(crate) times: Times,
    /// Recorded time of the last event, in Unix milliseconds.
    pub(crate) recorded_at_ms: u64,
    /// Streams in the ledger up to there.
    pub(crate) streams: u32,
    /// Whether any event of the run has an encrypted private part.
    pub(crate) encrypted: bool,
}

impl Mark {
    /// How far the segment reaches in which the run ends, as the run says.
    fn extent(&self) -> Extent {
        Extent {
            end: self.end,
            next: self.next,
            head_chain: self.chain,
            times: self.times,
            seal: None,
        }
    }

    /// Whether the ledger in a folder has a commit exactly where the run says that it ends.
    pub(crate) fn fits(&self, dir: &Path) -> bool {
        SegmentFile::open(dir, self.segment)
            .and_then(|segment| commit_ends_at(&segment, &self.extent()))
            .unwrap_or(false)
    }

    /// What the runs up to this one tell of the segments; `None` when they contradict themselves.
    pub(crate) fn known(&self, places: Places) -> Option<Known> {
        let mut indexes: Vec<Index> = Vec::with_capacity(places.pieces.len());
        for piece in places.pieces {
            if piece.segment != indexes.last().map_or(0, Index::next) {
                return None;
            }
            indexes.push(Index::of(piece)?);
        }
        let last = indexes.last()?;
        let told = (last.first(), last.next(), last.end());
        (told == (self.segment, self.next, self.end)).then(|| Known {
            extent: Some(self.extent()),
            indexes,
        })
    }
}

/// Lengths and checksums of the parts behind a header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Layout {
    ids: u64,
    streams: u64,
    /// Bytes held in memory of each table.
    ids_memory: u64,
    streams_memory: u64,
    places: u64,
    memory_crc: u32,
    places_crc: u32,
}

/// An open run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) path: PathBuf,
    pub(crate) mark: Mark,
    file: File,
    layout: Layout,
}

fn encode(ledger_id: [u8; 16], mark: &Mark, layout: &Layout) -> [u8; FIELDS_BYTES] {
    let mut bytes = [0; FIELDS_BYTES];
    let mut rest = Room(&mut bytes);
    rest.put(&MAGIC);
    rest.put(&VERSION.to_be_bytes());
    rest.put(&ledger_id);
    for number in [mark.first, mark.next, mark.segment, mark.end] {
        rest.put(&number.to_be_bytes());
    }
    rest.put(&mark.chain);
    rest.put(&mark.times.recorded_first.to_be_bytes());
    rest.put(&mark.times.recorded_last.to_be_bytes());
    rest.put(&mark.times.occurred_min.to_be_bytes());
    rest.put(&mark.times.occurred_max.to_be_bytes());
    rest.put(&mark.recorded_at_ms.to_be_bytes());
    rest.put(&mark.streams.to_be_bytes());
    rest.put(&u32::from(mark.encrypted).to_be_bytes());
    let Layout {
        ids,
        streams,
        ids_memory,
        streams_memory,
        places,
        ..
    } = layout;
    for number in [ids, streams, ids_memory, streams_memory, places] {
        rest.put(&number.to_be_bytes());
    }
    rest.put(&layout.memory_crc.to_be_bytes());
    rest.put(&layout.places_crc.to_be_bytes());
    let (content, checksum) = bytes.split_at_mut(FIELDS_BYTES - 4);
    checksum.copy_from_slice(&crc32fast::hash(content).to_be_bytes());
    bytes
}

/// Reads a header strictly; `None` when any byte is not as written.
fn decode(bytes: &[u8; FIELDS_BYTES], ledger_id: [u8; 16]) -> Option<(Mark, Layout)> {
    let mut fields = Fields(bytes);
    let _magic: [u8; 8] = fields.take();
    let _version: [u8; 4] = fields.take();
    let _ledger_id: [u8; 16] = fields.take();
    let mut number = || u64::from_be_bytes(fields.take());
    let (first, next, segment, end) = (number(), number(), number(), number());
    let chain = fields.take();
    let mut number = || u64::from_be_bytes(fields.take());
    let (recorded_first, recorded_last) = (number(), number());
    let mut signed = || i64::from_be_bytes(fields.take());
    let (occurred_min, occurred_max) = (signed(), signed());
    let recorded_at_ms = u64::from_be_bytes(fields.take());
    let mark = Mark {
        first,
        next,
        segment,
        end,
        chain,
        times: Times {
            recorded_first,
            recorded_last,
            occurred_min,
            occurred_max,
        },
        recorded_at_ms,
        streams: u32::from_be_bytes(fields.take()),
        encrypted: u32::from_be_bytes(fields.take()) != 0,
    };
    let mut number = || u64::from_be_bytes(fields.take());
    let (ids, streams, ids_memory, streams_memory, places) =
        (number(), number(), number(), number(), number());
    let layout = Layout {
        ids,
        streams,
        ids_memory,
        streams_memory,
        places,
        memory_crc: u32::from_be_bytes(fields.take()),
        places_crc: u32::from_be_bytes(fields.take()),
    };
    (encode(ledger_id, &mark, &layout) == *bytes).then_some((mark, layout))
}

/// Name of the run of a range.
pub(super) fn name_of(first: Position, next: Position) -> String {
    format!("{first:020}-{next:020}{ENDING}")
}

/// The range a run's name tells; `None` for any other name.
pub(super) fn range_of(name: &str) -> Option<(Position, Position)> {
    let (first, next) = name.strip_suffix(ENDING)?.split_once('-')?;
    let (first, next): (u64, u64) = (first.parse().ok()?, next.parse().ok()?);
    (name == name_of(first, next) && first < next).then_some((first, next))
}

fn invalid() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

impl Run {
    /// Opens a run: an error of kind `InvalidData` when it is not as written, or another ledger's.
    pub(crate) fn open(path: &Path, ledger_id: [u8; 16]) -> io::Result<Self> {
        let file = File::open(path)?;
        let mut bytes = [0; FIELDS_BYTES];
        let read = read_file_at(&file, &mut bytes, 0)?;
        let header = (read == FIELDS_BYTES).then(|| decode(&bytes, ledger_id));
        let (mark, layout) = header.flatten().ok_or_else(invalid)?;
        let name = path.file_name().and_then(|name| name.to_str());
        let is_named = name.and_then(range_of) == Some((mark.first, mark.next));
        let run = Self {
            path: path.to_owned(),
            mark,
            file,
            layout,
        };
        let is_whole = run.length() == Some(run.file.metadata()?.len());
        if is_named && is_whole {
            Ok(run)
        } else {
            Err(invalid())
        }
    }

    fn memory_offset(&self) -> Option<u64> {
        u64::try_from(HEADER_BYTES)
            .ok()?
            .checked_add(pages_length(self.layout.ids, ID_BYTES)?)?
            .checked_add(pages_length(self.layout.streams, STREAM_BYTES)?)
    }

    fn memory_length(&self) -> Option<u64> {
        self.layout
            .ids_memory
            .checked_add(self.layout.streams_memory)
    }

    fn length(&self) -> Option<u64> {
        self.memory_offset()?
            .checked_add(self.memory_length()?)?
            .checked_add(self.layout.places)
    }

    /// Reads a part, whose length the file was seen to have.
    fn part(&self, offset: Option<u64>, length: Option<u64>, crc: u32) -> io::Result<Vec<u8>> {
        let (offset, length) = offset.zip(length).ok_or_else(invalid)?;
        let mut bytes = vec![0; usize::try_from(length).map_err(|_too_long| invalid())?];
        let read = read_file_at(&self.file, &mut bytes, offset)?;
        if read == bytes.len() && crc32fast::hash(&bytes) == crc {
            Ok(bytes)
        } else {
            Err(invalid())
        }
    }

    /// Where the records lie, and the erasures.
    pub(crate) fn places(&self) -> io::Result<Places> {
        let offset = self.memory_offset().zip(self.memory_length());
        let offset = offset.and_then(|(offset, memory)| offset.checked_add(memory));
        let bytes = self.part(offset, Some(self.layout.places), self.layout.places_crc)?;
        Places::decode(&bytes).ok_or_else(invalid)
    }

    /// The tables, for lookups.
    pub(super) fn tables(self) -> io::Result<Lookup> {
        let offset = self.memory_offset();
        let bytes = self.part(offset, self.memory_length(), self.layout.memory_crc)?;
        let cut = usize::try_from(self.layout.ids_memory).unwrap_or(usize::MAX);
        let (ids_memory, streams_memory) = bytes.split_at_checked(cut).ok_or_else(invalid)?;
        let Layout { ids, streams, .. } = self.layout;
        let start = u64::try_from(HEADER_BYTES).unwrap_or(u64::MAX);
        let behind = pages_length(ids, ID_BYTES).map(|length| start.saturating_add(length));
        let ids = Table::of(start, ID_BYTES, ids, ids_memory);
        let streams = Table::of(
            behind.unwrap_or(start),
            STREAM_BYTES,
            streams,
            streams_memory,
        );
        let (ids, streams) = ids.zip(streams).ok_or_else(invalid)?;
        Ok(Lookup {
            run: self,
            ids,
            streams,
        })
    }
}

/// A run with what is held in memory of it.
#[derive(Debug)]
pub(super) struct Lookup {
    pub(super) run: Run,
    pub(super) ids: Table,
    pub(super) streams: Table,
}

impl Lookup {
    /// Positions at which an event with this id may be.
    pub(super) fn find(&self, id: &EventId, each: &mut dyn FnMut(Position)) -> io::Result<()> {
        let first = self.run.mark.first;
        self.ids.find(&self.run.file, key_of(&id.0), &mut |row| {
            each(first.saturating_add(relative(row)));
        })
    }

    /// The newest event of a stream in this run.
    pub(super) fn stream(&self, id: &Hash) -> io::Result<Option<StreamHead>> {
        let mut found = None;
        self.streams.find(&self.run.file, key_of(id), &mut |row| {
            if row.starts_with(id) {
                found = Some(stream_head(row));
            }
        })?;
        Ok(found)
    }

    pub(super) fn file(&self) -> &File {
        &self.run.file
    }
}

/// The position in a row of ids.
pub(super) fn relative(row: &[u8]) -> u64 {
    row.last_chunk::<4>()
        .map_or(0, |bytes| u64::from(u32::from_be_bytes(*bytes)))
}

/// A row of ids, `relative` counted from the run's first position.
pub(super) fn id_row(key: u64, relative: u64) -> Option<[u8; ID_BYTES]> {
    let mut row = [0; ID_BYTES];
    let mut rest = Room(&mut row);
    rest.put(&key.to_be_bytes());
    rest.put(&u32::try_from(relative).ok()?.to_be_bytes());
    Some(row)
}

fn stream_head(row: &[u8]) -> StreamHead {
    let mut head = StreamHead {
        no: 0,
        revision: 0,
        position: 0,
    };
    if let Some(row) = row.first_chunk::<STREAM_BYTES>() {
        let mut fields = Fields(row);
        let _id: Hash = fields.take();
        head.no = u32::from_be_bytes(fields.take());
        head.revision = u64::from_be_bytes(fields.take());
        head.position = u64::from_be_bytes(fields.take());
    }
    head
}

/// A row of streams.
pub(super) fn stream_row(id: &Hash, head: &StreamHead) -> [u8; STREAM_BYTES] {
    let mut row = [0; STREAM_BYTES];
    let mut rest = Room(&mut row);
    rest.put(id);
    rest.put(&head.no.to_be_bytes());
    rest.put(&head.revision.to_be_bytes());
    rest.put(&head.position.to_be_bytes());
    row
}

/// Writes a run under a temporary name, then gives it its own.
pub(super) struct RunWriter {
    dir: PathBuf,
    temporary: PathBuf,
    out: BufWriter<File>,
}

/// Shows rows one after another, in order; `None` behind the last.
pub(super) type RowSource<'a> = dyn FnMut(&mut Vec<u8>) -> io::Result<bool> + 'a;

impl RunWriter {
    /// Begins a file in the folder of runs, which is made when it is not there.
    pub(super) fn create(dir: &Path, first: Position, next: Position) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let temporary = dir.join(format!("{}.tmp", name_of(first, next)));
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&temporary)?);
        out.write_all(&[0; HEADER_BYTES])?;
        Ok(Self {
            dir: dir.to_owned(),
            temporary,
            out,
        })
    }

    /// Writes a table from its rows: their number, and what is held in memory.
    pub(super) fn table(
        &mut self,
        width: usize,
        rows_max: u64,
        rows: &mut RowSource<'_>,
    ) -> io::Result<(u64, Vec<u8>)> {
        let mut table = TableWriter::new(width, rows_max);
        let mut row = Vec::with_capacity(width);
        while rows(&mut row)? {
            table.push(&row, &mut self.out)?;
        }
        table.finish(&mut self.out)
    }

    /// Writes what follows the tables and gives the file its name.
    pub(super) fn finish(
        mut self,
        ledger_id: [u8; 16],
        mark: &Mark,
        (ids, streams): ((u64, Vec<u8>), (u64, Vec<u8>)),
        places: &Places,
    ) -> io::Result<PathBuf> {
        let places = places.encode();
        let mut crc = crc32fast::Hasher::new();
        crc.update(&ids.1);
        crc.update(&streams.1);
        let layout = Layout {
            ids: ids.0,
            streams: streams.0,
            ids_memory: length(&ids.1),
            streams_memory: length(&streams.1),
            places: length(&places),
            memory_crc: crc.finalize(),
            places_crc: crc32fast::hash(&places),
        };
        for part in [&ids.1, &streams.1, &places] {
            self.out.write_all(part)?;
        }
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&encode(ledger_id, mark, &layout))?;
        self.out.flush()?;
        drop(self.out);
        let path = self.dir.join(name_of(mark.first, mark.next));
        std::fs::rename(&self.temporary, &path)?;
        Ok(path)
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
