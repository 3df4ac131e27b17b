//! What a look at a ledger's folder tells, without reading its history and without changing
//! anything: how far it goes, how its end looks, who writes, what lies about.

use std::io;
use std::path::Path;

use crate::checkpoint::Checkpoint;
use crate::entry::Entry;
use crate::event::Position;
use crate::hash::Hash;
use crate::history::known_to_readers;
use crate::ledger::OpenError;
use crate::lock::{Holder, held_by};
use crate::note::Note;
use crate::reader::{ReadError, Reader};
use crate::segment::file::{SegmentFile, list, name_of};
use crate::segment::frame::Header;
use crate::segment::recover::{Extent, Met, Rest, footer, walk};
use crate::segment::seal::Times;
use crate::segment::temporary_path;
use crate::settings::{BLIND_FILE, Settings};
use crate::tiles;
use crate::tree::WIDTH;
use crate::verify::{CHECKPOINT_FILE, KeptNote};
use crate::{hash, settings};

/// What a look at a ledger's folder tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Origin of the ledger.
    pub origin: String,
    /// Version of the folder's format.
    pub format_version: u32,
    /// Committed events, as far as they can be reached.
    pub size: u64,
    /// Chain value of the newest of them; `None` when the end is damaged.
    pub head_chain: Option<Hash>,
    /// When the newest was recorded, in Unix milliseconds; `None` when it cannot be read.
    pub recorded_at_ms: Option<u64>,
    /// Segments, and how many of them are packed.
    pub segments: u64,
    /// See [`Self::segments`].
    pub packed: u64,
    /// Bytes of their files.
    pub bytes: u64,
    /// Name of the first sealed segment that has no header or footer, or does not continue the one
    /// before.
    pub broken: Option<String>,
    /// What follows the last commit.
    pub tail: Tail,
    /// Whether the newest segment is sealed and the next one not there yet.
    pub roll_over: RollOver,
    /// Files with what crashes cut short, and their bytes.
    pub torn: Vec<(String, u64)>,
    /// Full tiles the events lead to, and how many files of tiles there are.
    pub tiles_expected: u64,
    /// See [`Self::tiles_expected`].
    pub tiles_there: u64,
    /// Events the index covers, as far as readers use it; `None` when there is none.
    pub indexed: Option<u64>,
    /// Events of the newest checkpoint, and when the last of them was recorded, in Unix
    /// milliseconds.
    pub checkpoint: Option<(u64, Option<u64>)>,
    /// Whether the blinding key is there.
    pub with_blind: bool,
    /// Who has the ledger open for writing.
    pub writer: Writer,
}

/// What follows the last commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tail {
    /// Nothing.
    Clean,
    /// A batch that is being written, or that a crash cut short.
    Torn,
    /// Something acknowledged is damaged.
    Damaged {
        /// Name of the file.
        file: String,
        /// Where in it.
        offset: u64,
        /// Position of the event there.
        position: Position,
    },
}

/// How far a roll-over is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RollOver {
    /// None is under way.
    None,
    /// The next segment is there under its temporary name.
    UnderWay,
    /// The next segment is not there at all.
    Lost,
}

/// Who has a ledger open for writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Writer {
    /// Nobody.
    None,
    /// Somebody.
    Holds(Holder),
    /// That cannot be told: the lock cannot be looked at.
    Unknown(String),
}

/// Looks at the folder of a ledger.
///
/// # Errors
/// When it holds no ledger, or one this version does not read, or a file cannot be read at all.
pub fn condition(dir: &Path) -> Result<Condition, OpenError> {
    let settings = Settings::read(dir)?.ok_or_else(|| OpenError::NotALedger {
        dir: dir.to_owned(),
    })?;
    let fail = |source| OpenError::Io {
        path: dir.to_owned(),
        source,
    };
    let firsts = list(dir).map_err(fail)?;
    let (packed, bytes) = files(dir, &firsts).map_err(fail)?;
    let seen = match Reader::open(dir) {
        Ok(reader) => Seen::of(&reader)?,
        Err(OpenError::Read(ReadError::Damaged {
            file,
            offset,
            position,
        })) => Seen::damaged(Tail::Damaged {
            file,
            offset,
            position,
        }),
        Err(error) => return Err(error),
    };
    let ledger_id = hash::ledger_id(&settings.origin);
    let known = known_to_readers(dir, ledger_id);
    let (tiles_there, torn) = (count(&dir.join(tiles::FOLDER), 9), torn(dir).map_err(fail)?);
    Ok(Condition {
        segments: u64::try_from(firsts.len()).unwrap_or(u64::MAX),
        packed,
        bytes,
        broken: broken(dir, &firsts, &settings),
        size: seen.size,
        head_chain: seen.head_chain,
        recorded_at_ms: seen.recorded_at_ms,
        tail: seen.tail,
        roll_over: seen.roll_over,
        torn,
        tiles_expected: tiles_of(seen.size),
        tiles_there,
        indexed: known.extent.map(|extent| extent.next),
        checkpoint: seen.checkpoint,
        with_blind: settings::read_blind(dir)?.is_some() || dir.join(BLIND_FILE).exists(),
        writer: match held_by(dir) {
            Ok(None) => Writer::None,
            Ok(Some(holder)) => Writer::Holds(holder),
            Err(error) => Writer::Unknown(error.to_string()),
        },
        format_version: settings.format_version,
        origin: settings.origin,
    })
}

/// What the end of the ledger tells.
struct Seen {
    size: u64,
    head_chain: Option<Hash>,
    recorded_at_ms: Option<u64>,
    tail: Tail,
    roll_over: RollOver,
    checkpoint: Option<(u64, Option<u64>)>,
}

impl Seen {
    fn of(reader: &Reader) -> Result<Self, OpenError> {
        let dir = reader.dir();
        let size = reader.size();
        let first = reader.segments().last().map_or(0, |range| range.start);
        let segment = SegmentFile::open(dir, first).map_err(|source| OpenError::Io {
            path: dir.join(name_of(first)),
            source,
        })?;
        let mut extent = Extent {
            end: reader.tail_bytes(),
            next: size,
            head_chain: reader.head_chain(),
            times: Times::NONE,
            seal: None,
        };
        let rest =
            walk(&segment, &mut extent, &mut |_: &Met<'_>| {}).map_err(|source| OpenError::Io {
                path: dir.join(name_of(first)),
                source,
            })?;
        let tail = match rest {
            Rest::Clean => Tail::Clean,
            Rest::Torn => Tail::Torn,
            Rest::Damaged => Tail::Damaged {
                file: name_of(first),
                offset: extent.end,
                position: extent.next,
            },
        };
        let roll_over = match extent.seal {
            None => RollOver::None,
            Some(_) if temporary_path(dir, extent.next).exists() => RollOver::UnderWay,
            // or a writer has given it its name since
            Some(_) if SegmentFile::open(dir, extent.next).is_ok() => RollOver::None,
            Some(_) => RollOver::Lost,
        };
        let checkpoint = newest_checkpoint(dir).map(|size| (size, recorded(reader, size)));
        Ok(Self {
            size,
            head_chain: Some(reader.head_chain()),
            recorded_at_ms: recorded(reader, size),
            tail,
            roll_over,
            checkpoint,
        })
    }

    /// What is known when the end cannot be read.
    fn damaged(tail: Tail) -> Self {
        let size = match &tail {
            Tail::Damaged { position, .. } => *position,
            Tail::Clean | Tail::Torn => 0,
        };
        Self {
            size,
            head_chain: None,
            recorded_at_ms: None,
            tail,
            roll_over: RollOver::None,
            checkpoint: None,
        }
    }
}

/// When the last of the first `size` events was recorded, in Unix milliseconds.
fn recorded(reader: &Reader, size: u64) -> Option<u64> {
    let stored = reader.get_stored(size.checked_sub(1)?).ok()??;
    Entry::decode(&stored.entry)
        .ok()
        .map(|entry| entry.recorded_at_ms)
}

fn newest_checkpoint(dir: &Path) -> Option<u64> {
    let kept = KeptNote::read(&dir.join(CHECKPOINT_FILE), CHECKPOINT_FILE.to_owned()).ok()?;
    let note = Note::parse(&kept.bytes).ok()?;
    let checkpoint = Checkpoint::parse(note.text()).ok()?;
    Some(checkpoint.size)
}

/// How many segments are packed, and the bytes of all their files.
fn files(dir: &Path, firsts: &[Position]) -> io::Result<(u64, u64)> {
    let (mut packed, mut bytes) = (0, 0);
    for first in firsts {
        match std::fs::metadata(dir.join(name_of(*first))) {
            Ok(data) => bytes += data.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let name = crate::segment::file::packed_name_of(*first);
                bytes += std::fs::metadata(dir.join(name))?.len();
                packed += 1;
            }
            Err(error) => return Err(error),
        }
    }
    Ok((packed, bytes))
}

/// Name of the first segment before the last whose header or footer is not as it must be.
fn broken(dir: &Path, firsts: &[Position], settings: &Settings) -> Option<String> {
    let mut expected = Header {
        ledger_id: hash::ledger_id(&settings.origin),
        first: 0,
        prev_chain: hash::genesis(&settings.origin),
        pruned: false,
    };
    let (_last, sealed) = firsts.split_last()?;
    for first in sealed {
        let segment = SegmentFile::open(dir, *first).ok();
        let header = segment.as_ref().and_then(|segment| segment.header().ok()?);
        let seal = segment.as_ref().and_then(|segment| footer(segment).ok()?);
        match seal {
            Some(seal)
                if header.map(Header::unpruned) == Some(expected) && seal.first == *first =>
            {
                expected.first = seal.first.saturating_add(seal.count);
                expected.prev_chain = seal.head_chain;
            }
            _ => return Some(name_of(*first)),
        }
    }
    None
}

/// Full tiles of a tree, on all levels.
fn tiles_of(size: u64) -> u64 {
    let mut tiles = 0;
    let mut full = size / WIDTH;
    while full > 0 {
        tiles += full;
        full /= WIDTH;
    }
    tiles
}

/// Files below a folder, to a depth.
fn count(dir: &Path, depth: usize) -> u64 {
    let Ok(items) = std::fs::read_dir(dir) else {
        return 0;
    };
    let mut files = 0;
    for item in items.flatten() {
        match item.file_type() {
            Ok(kind) if kind.is_dir() && depth > 0 => files += count(&item.path(), depth - 1),
            Ok(kind) if kind.is_file() && item.path().extension().is_none() => files += 1,
            _ => {}
        }
    }
    files
}

/// Files that hold what a crash cut short.
fn torn(dir: &Path) -> io::Result<Vec<(String, u64)>> {
    let mut torn = Vec::new();
    for item in std::fs::read_dir(dir)? {
        let item = item?;
        let name = item.file_name().to_string_lossy().into_owned();
        if item
            .path()
            .extension()
            .is_some_and(|ending| ending == "torn")
        {
            torn.push((name, item.metadata().map_or(0, |data| data.len())));
        }
    }
    torn.sort();
    Ok(torn)
}
