//! A copy of a ledger that is consistent while a writer runs, and costs by what changed.
//!
//! No lock is taken on the ledger: checkpoints are read first, then what is committed, so that every
//! checkpoint in the copy counts events that are in it. Sealed segments are hashed while they are
//! copied and compared with their footers, their links are followed, and the frames and the chain
//! of the last segment are checked as they lie in the copy.
//!
//! The copy is a folder that grows ([`Target::Folder`]) or one archive ([`Target::Archive`]); both
//! are a whole ledger's folder, to be read as they are or by [`crate::restore`]. A folder is a
//! whole ledger at every instant: new segments are staged as `<position>.seg.tmp`, which is how the
//! ledger itself names what comes next, made durable, and then get their names in ascending order;
//! tiles and checkpoints follow, the settings of a new copy come last. So a crash leaves the copy
//! as it was, or a later state of the ledger. Keys are never copied, and neither is what follows
//! from the ledger; [`crate::contents`] decides.

mod archive;
mod error;
mod folder;
mod notes;
mod pour;
mod segment;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::contents::{self, Part};
use crate::entry::Entry;
use crate::event::Position;
use crate::hash::{self, Hash};
use crate::reader::Reader;
use crate::segment::file::list;
use crate::segment::frame::Header;
use crate::segment::seal::digest;
use crate::settings::{BLIND_FILE, SETTINGS_FILE};
use crate::tree::{Tile, WIDTH};
use archive::Archive;
use folder::Folder;
use notes::{notes_of, read};
use pour::Counted;
use segment::{Found, Hashing, check_tail, find};

pub use error::BackupError;
pub(crate) use pour::pour;

/// Where a backup goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A folder, which is made or brought up to date.
    Folder(PathBuf),
    /// A new `tar` archive; a file that is there is never overwritten.
    Archive(PathBuf),
}

impl Target {
    /// Its path.
    pub fn path(&self) -> &Path {
        match self {
            Self::Folder(path) | Self::Archive(path) => path,
        }
    }
}

/// What a backup is to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupOptions {
    /// Whether the blinding key is copied too. Without it the copy is an auditor's: it can be read
    /// and verified, and never be continued.
    pub with_blind: bool,
}

/// What a backup came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Origin of the ledger.
    pub origin: String,
    /// Number of events in the copy.
    pub size: u64,
    /// Chain value of the newest of them.
    pub head_chain: Hash,
    /// When the newest was recorded, in Unix milliseconds.
    pub recorded_at_ms: u64,
    /// Whether the copy has the blinding key.
    pub with_blind: bool,
    /// Segments in the copy.
    pub segments: u64,
    /// Segments that were there already.
    pub segments_kept: u64,
    /// Files that were copied.
    pub files_copied: u64,
    /// Bytes that were copied.
    pub bytes_copied: u64,
}

/// A file to be copied.
pub(crate) struct Item<'a> {
    /// Its path in the folder.
    path: &'a str,
    part: Part,
    length: u64,
    /// When it was last changed, in Unix seconds.
    modified: u64,
}

/// Where a file was put: in which file, and from which byte on.
struct Put {
    file: File,
    at: u64,
}

/// What a copy is written to.
trait Sink {
    /// Whether a sealed segment is there already.
    fn holds(&self, found: &Found) -> io::Result<bool>;

    /// Whether the newest segment is there already, as long as that.
    fn holds_tail(&self, first: Position, size: u64) -> bool;

    /// Whether a file other than a segment is there already: a tile by its length, others by what
    /// they hold.
    fn holds_file(&self, path: &str, length: u64, bytes: Option<&[u8]>) -> bool;

    /// Writes a file from what comes out of `from`.
    fn put(&mut self, item: &Item<'_>, from: &mut dyn Read) -> io::Result<Put>;

    /// All segments were put.
    fn segments_done(&mut self) -> io::Result<()>;
}

/// Copies the ledger in a folder, see the module. `progress` is told how many bytes were copied.
///
/// # Errors
/// Every [`BackupError`]; but for those of reading and writing, nothing was touched.
pub fn backup(
    dir: &Path,
    target: &Target,
    options: BackupOptions,
    progress: &dyn Fn(u64),
) -> Result<Backup, BackupError> {
    check_apart(dir, target.path())?;
    let notes = notes_of(dir)?;
    let reader = Reader::open(dir)?;
    let blind = if options.with_blind {
        crate::settings::read_blind(dir)?
    } else {
        None
    };
    let settings = read(dir, SETTINGS_FILE)?;
    match target {
        Target::Folder(path) => {
            let firsts = list(dir).map_err(error::at(dir))?;
            let mut folder = Folder::open(path, &reader, &settings, &firsts)?;
            folder.check_blind(blind.as_ref())?;
            let mut copy = Copy::of(dir, reader, progress);
            copy.blind(&mut folder, blind.as_ref())?;
            copy.content(&mut folder, &notes)?;
            copy.bytes(&mut folder, SETTINGS_FILE, &settings)?;
            folder.finish().map_err(error::at(path))?;
            let there = Reader::open(path.as_path()).map_err(|source| BackupError::Target {
                path: path.clone(),
                source: Box::new(source),
            })?;
            copy.finish(there.size(), there.head_chain())
        }
        Target::Archive(path) => {
            let mut copy = Copy::of(dir, reader, progress);
            let mut archive = Archive::create(path, blind.is_some())?;
            copy.bytes(&mut archive, SETTINGS_FILE, &settings)?;
            copy.blind(&mut archive, blind.as_ref())?;
            copy.content(&mut archive, &notes)?;
            let (next, chain) = (copy.next, copy.chain);
            let done = copy.finish(next, chain)?;
            archive.finish(path)?;
            Ok(done)
        }
    }
}

/// A backup under way.
struct Copy<'a> {
    dir: &'a Path,
    reader: Reader,
    progress: &'a dyn Fn(u64),
    ledger_id: [u8; 16],
    /// Whether payloads were pruned from a segment since the reader looked last, for all it knows.
    met_pruned: bool,
    /// How far the links were followed.
    next: Position,
    chain: Hash,
    done: Backup,
}

impl<'a> Copy<'a> {
    fn of(dir: &'a Path, reader: Reader, progress: &'a dyn Fn(u64)) -> Self {
        Self {
            dir,
            progress,
            ledger_id: reader.ledger_id(),
            met_pruned: false,
            next: 0,
            chain: hash::genesis(reader.origin()),
            done: Backup {
                origin: reader.origin().to_owned(),
                size: 0,
                head_chain: [0; 32],
                recorded_at_ms: 0,
                with_blind: false,
                segments: 0,
                segments_kept: 0,
                files_copied: 0,
                bytes_copied: 0,
            },
            reader,
        }
    }

    /// Segments, then tiles, then what is said of them; the newest checkpoint last.
    fn content(
        &mut self,
        sink: &mut dyn Sink,
        notes: &[(String, Vec<u8>)],
    ) -> Result<(), BackupError> {
        let mut copied = 0;
        let last = loop {
            let ranges = self.reader.segments();
            let (last, sealed) = ranges
                .split_last()
                .map_or((0, &[][..]), |(last, sealed)| (last.start, sealed));
            for range in sealed.iter().skip(copied) {
                self.sealed(sink, range.start, range.end)?;
            }
            copied = copied.max(sealed.len());
            if !std::mem::take(&mut self.met_pruned) {
                break last;
            }
            // the event that orders a pruning is durable before any payload is gone: looking again
            // makes sure that it is in the copy
            self.reader.refresh()?;
        };
        self.tail(sink, last)?;
        sink.segments_done().map_err(error::at(self.dir))?;
        self.tiles(sink)?;
        for (path, bytes) in notes {
            self.bytes(sink, path, bytes)?;
        }
        Ok(())
    }

    /// A sealed segment, whose footer tells what it holds.
    fn sealed(
        &mut self,
        sink: &mut dyn Sink,
        first: Position,
        next: Position,
    ) -> Result<(), BackupError> {
        let name = contents::segment_name(first, false);
        let fail = error::at(&self.dir.join(&name));
        let damaged = || BackupError::Damaged { file: name.clone() };
        let found = find(self.dir, first).map_err(&fail)?.ok_or_else(damaged)?;
        let expected = Header {
            ledger_id: self.ledger_id,
            first,
            prev_chain: self.chain,
            pruned: false,
        };
        self.met_pruned |= found.header.pruned;
        let reach = found.seal.first.checked_add(found.seal.count);
        if found.header.unpruned() != expected || found.seal.first != first || reach != Some(next) {
            return Err(damaged());
        }
        (self.next, self.chain) = (next, found.seal.head_chain);
        self.done.segments += 1;
        if sink.holds(&found).map_err(&fail)? {
            self.done.segments_kept += 1;
            return Ok(());
        }
        let packed = found.segment.is_packed();
        let path = contents::segment_name(first, packed);
        let item = Item {
            path: &path,
            part: Part::Segment { first, packed },
            length: found.length,
            modified: found.modified,
        };
        let digest = if packed {
            self.put(sink, &item, &mut &found.segment.file)?;
            digest(&found.segment, found.hashed()).map_err(&fail)?
        } else {
            let mut from = Hashing::new(&found.segment.file, found.hashed());
            self.put(sink, &item, &mut from)?;
            from.finish()
        };
        if digest != found.seal.digest {
            return Err(damaged());
        }
        Ok(())
    }

    /// The newest segment, up to the last commit seen.
    fn tail(&mut self, sink: &mut dyn Sink, first: Position) -> Result<(), BackupError> {
        self.done.segments += 1;
        if sink.holds_tail(first, self.reader.size()) {
            self.done.segments_kept += 1;
            (self.next, self.chain) = (self.reader.size(), self.reader.head_chain());
            return Ok(());
        }
        let path = contents::segment_name(first, false);
        let fail = error::at(&self.dir.join(&path));
        let file = File::open(self.dir.join(&path)).map_err(&fail)?;
        let length = self.reader.tail_bytes();
        let item = Item {
            path: &path,
            part: Part::Segment {
                first,
                packed: false,
            },
            length,
            modified: modified(&file),
        };
        let put = self.put(sink, &item, &mut (&file).take(length))?;
        let expected = Header {
            ledger_id: self.ledger_id,
            first,
            prev_chain: self.chain,
            pruned: false,
        };
        let checked = check_tail(put, length, &expected).map_err(&fail)?;
        let (next, chain) = checked.ok_or(BackupError::Damaged { file: path })?;
        (self.next, self.chain) = (next, chain);
        Ok(())
    }

    /// Full tiles of the events there are. One that is missing or not whole is made again by
    /// whoever opens the copy for writing.
    fn tiles(&mut self, sink: &mut dyn Sink) -> Result<(), BackupError> {
        let mut full = self.reader.size() / WIDTH;
        for level in 0.. {
            if full == 0 {
                break;
            }
            for index in 0..full {
                let path = Tile::full(level, index).path();
                if sink.holds_file(&path, crate::tiles::TILE_BYTES, None) {
                    continue;
                }
                match std::fs::read(self.dir.join(&path)) {
                    Ok(bytes) if bytes.len() == 8_192 => self.bytes(sink, &path, &bytes)?,
                    Ok(_torn) => {}
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error::at(&self.dir.join(&path))(error)),
                }
            }
            full /= WIDTH;
        }
        Ok(())
    }

    fn blind(&mut self, sink: &mut dyn Sink, blind: Option<&Hash>) -> Result<(), BackupError> {
        self.done.with_blind = blind.is_some();
        blind.map_or(Ok(()), |blind| self.bytes(sink, BLIND_FILE, blind))
    }

    /// A small file, unless it is there.
    fn bytes(&mut self, sink: &mut dyn Sink, path: &str, bytes: &[u8]) -> Result<(), BackupError> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let Some(part) = Part::of(path) else {
            return Ok(());
        };
        if sink.holds_file(path, length, Some(bytes)) {
            return Ok(());
        }
        let modified = File::open(self.dir.join(path)).map_or(0, |file| modified(&file));
        let item = Item {
            path,
            part,
            length,
            modified,
        };
        self.put(sink, &item, &mut &*bytes).map(drop)
    }

    fn put(
        &mut self,
        sink: &mut dyn Sink,
        item: &Item<'_>,
        from: &mut dyn Read,
    ) -> Result<Put, BackupError> {
        let mut from = Counted {
            from,
            read: self.done.bytes_copied,
            progress: self.progress,
        };
        let put = sink
            .put(item, &mut from)
            .map_err(error::at(Path::new(item.path)))?;
        self.done.files_copied += 1;
        self.done.bytes_copied += item.length;
        Ok(put)
    }

    /// What was done, when the copy is what the reader saw of the ledger.
    fn finish(self, size: u64, chain: Hash) -> Result<Backup, BackupError> {
        if size != self.reader.size() || chain != self.reader.head_chain() {
            return Err(BackupError::Differs {
                size,
                expected: self.reader.size(),
            });
        }
        let newest = match size.checked_sub(1) {
            Some(last) => self.reader.get_stored(last)?,
            None => None,
        };
        let newest = newest.and_then(|stored| Entry::decode(&stored.entry).ok());
        Ok(Backup {
            size,
            head_chain: chain,
            recorded_at_ms: newest.map_or(0, |entry| entry.recorded_at_ms),
            ..self.done
        })
    }
}

/// A backup inside the ledger's folder would be lost with it.
fn check_apart(dir: &Path, target: &Path) -> Result<(), BackupError> {
    let Ok(ledger) = dir.canonicalize() else {
        return Ok(()); // no ledger, as the reader says
    };
    let mut ancestors = target.ancestors();
    let there = ancestors.find_map(|path| {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        path.canonicalize().ok()
    });
    if there.is_some_and(|there| there.starts_with(&ledger)) {
        return Err(BackupError::Inside {
            path: target.to_owned(),
        });
    }
    Ok(())
}

/// When a file was last changed, in Unix seconds; 0 when that cannot be told.
fn modified(file: &File) -> u64 {
    let modified = file.metadata().and_then(|data| data.modified());
    modified
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
        .map_or(0, |since| since.as_secs())
}
