//! A backup that is a folder and grows.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::at;
use super::segment::{Found, find};
use super::{BackupError, Item, Put, Sink, pour};
use crate::contents::{Part, is_beside, is_folder, segment_name};
use crate::event::Position;
use crate::hash::Hash;
use crate::lock::{Attempt, WriterLock, try_lock};
use crate::reader::Reader;
use crate::segment::file::{SegmentFile, list};
use crate::segment::{sync_dir, temporary_path};
use crate::settings::Settings;

/// The folder, locked against another backup and against who takes it for a ledger to write to.
pub(super) struct Folder {
    dir: PathBuf,
    /// First position of its newest segment and number of its events, when it is a ledger.
    tail: Option<(Position, u64)>,
    /// Segments that are whole under their temporary names, ascending.
    staged: Vec<(Position, bool)>,
    /// Folders in which names are to be made durable.
    unsynced: Vec<PathBuf>,
    _lock: WriterLock,
}

impl Folder {
    /// Opens or makes the folder; `firsts` are the segments of the ledger. Only the lock is written.
    pub(super) fn open(
        dir: &Path,
        ledger: &Reader,
        settings: &[u8],
        firsts: &[Position],
    ) -> Result<Self, BackupError> {
        let is_new = !dir.exists();
        std::fs::create_dir_all(dir).map_err(at(dir))?;
        if !is_new {
            check_names(dir)?;
        }
        let lock = match try_lock(dir, None).map_err(at(dir))? {
            Attempt::Locked(lock) => lock,
            Attempt::Held(holder) => {
                return Err(BackupError::Busy {
                    path: dir.to_owned(),
                    holder,
                });
            }
            Attempt::Unsupported(source) => return Err(at(dir)(source)),
        };
        let mut folder = Self {
            dir: dir.to_owned(),
            tail: None,
            staged: Vec::new(),
            unsynced: vec![dir.to_owned()],
            _lock: lock,
        };
        let there = list(dir).map_err(at(dir))?;
        if dir.join(crate::settings::SETTINGS_FILE).exists() {
            folder.check_ledger(ledger, settings)?;
            if there.iter().any(|first| !firsts.contains(first)) {
                return Err(folder.forked());
            }
        } else {
            folder.check_begun(ledger, &there)?;
        }
        Ok(folder)
    }

    /// Compares what is there with the ledger.
    fn check_ledger(&mut self, ledger: &Reader, settings: &[u8]) -> Result<(), BackupError> {
        let path = || self.dir.clone();
        let damaged = |source| BackupError::Target {
            path: path(),
            source: Box::new(source),
        };
        let found = Settings::read(&self.dir).map_err(|error| damaged(error.into()))?;
        let is_same = std::fs::read(self.dir.join(crate::settings::SETTINGS_FILE))
            .is_ok_and(|bytes| bytes == settings);
        if found.is_none_or(|found| found.origin != ledger.origin()) || !is_same {
            return Err(BackupError::Foreign { path: path() });
        }
        let there = Reader::open(self.dir.as_path()).map_err(damaged)?;
        if there.size() > ledger.size() {
            return Err(BackupError::Ahead {
                path: path(),
                backup: there.size(),
                size: ledger.size(),
            });
        }
        let tail = there.segments().last().map_or(0, |range| range.start);
        self.tail = Some((tail, there.size()));
        if ledger.chain_at(there.size())? == Some(there.head_chain()) {
            Ok(())
        } else {
            Err(self.forked())
        }
    }

    /// A first backup that was cut short: its segments must be this ledger's.
    fn check_begun(&self, ledger: &Reader, there: &[Position]) -> Result<(), BackupError> {
        for first in there {
            let Ok(segment) = SegmentFile::open(&self.dir, *first) else {
                continue; // not whole: written again
            };
            let header = segment.header().map_err(at(&self.dir))?;
            if header.is_some_and(|header| header.ledger_id != ledger.ledger_id()) {
                return Err(BackupError::Foreign {
                    path: self.dir.clone(),
                });
            }
        }
        Ok(())
    }

    fn forked(&self) -> BackupError {
        BackupError::Forked {
            path: self.dir.clone(),
            backup: self.tail.map_or(0, |(_, size)| size),
        }
    }

    /// The blinding key that is there must be the one to be copied.
    pub(super) fn check_blind(&self, blind: Option<&Hash>) -> Result<(), BackupError> {
        let path = || self.dir.clone();
        match (crate::settings::read_blind(&self.dir)?, blind) {
            (Some(_), None) => Err(BackupError::BlindThere { path: path() }),
            (Some(there), Some(blind)) if there != *blind => {
                Err(BackupError::Foreign { path: path() })
            }
            _ => Ok(()),
        }
    }

    /// Makes the last names durable.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.unsynced.sort();
        self.unsynced.dedup();
        self.unsynced.iter().try_for_each(|dir| sync_dir(dir))
    }

    /// Writes a file under a temporary name and gives it its own.
    fn write(&mut self, item: &Item<'_>, from: &mut dyn Read) -> io::Result<File> {
        let path = self.dir.join(item.path);
        if let Some(parent) = path.parent()
            && parent != self.dir
        {
            if !parent.is_dir() {
                std::fs::create_dir_all(parent)?;
                let grown = parent.parent().unwrap_or(&self.dir);
                self.unsynced.push(grown.to_owned());
            }
            if self.unsynced.last().is_none_or(|last| last != parent) {
                self.unsynced.push(parent.to_owned());
            }
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".tmp");
        let temporary = path.with_file_name(name);
        let file = fill(&temporary, item, from)?;
        // a tile that is lost is made again
        if !matches!(item.part, Part::Tile(_)) {
            file.sync_all()?;
        }
        std::fs::rename(&temporary, &path)?;
        Ok(file)
    }
}

impl Sink for Folder {
    fn holds(&self, found: &Found) -> io::Result<bool> {
        match find(&self.dir, found.header.first) {
            Ok(Some(there)) => Ok(found.is_same(&there)),
            Ok(None) => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn holds_tail(&self, first: Position, size: u64) -> bool {
        self.tail == Some((first, size))
    }

    fn holds_file(&self, path: &str, length: u64, bytes: Option<&[u8]>) -> bool {
        let path = self.dir.join(path);
        match bytes {
            Some(bytes) if length <= crate::tiles::TILE_BYTES * 32 => {
                std::fs::read(path).is_ok_and(|there| there == bytes)
            }
            _ => std::fs::metadata(path).is_ok_and(|data| data.len() == length),
        }
    }

    fn put(&mut self, item: &Item<'_>, from: &mut dyn Read) -> io::Result<Put> {
        let Part::Segment { first, packed } = item.part else {
            return self.write(item, from).map(|file| Put { file, at: 0 });
        };
        let path = temporary_path(&self.dir, first);
        let file = fill(&path, item, from)?;
        file.sync_all()?;
        self.staged.push((first, packed));
        Ok(Put { file, at: 0 })
    }

    /// Gives the staged segments their names, one after the other, each durable before the next:
    /// at every instant what follows the newest segment is there under its temporary name, as in a
    /// ledger whose roll-over is under way. Segments the copy had before come last: they are those
    /// that were pruned since, after the event that says so.
    fn segments_done(&mut self) -> io::Result<()> {
        sync_dir(&self.dir)?;
        let mut staged = std::mem::take(&mut self.staged);
        let tail = self.tail.map_or(0, |(first, _)| first);
        staged.sort_by_key(|(first, _)| (*first < tail, *first));
        for (first, packed) in staged {
            let name = self.dir.join(segment_name(first, packed));
            std::fs::rename(temporary_path(&self.dir, first), name)?;
            sync_dir(&self.dir)?;
            let other = self.dir.join(segment_name(first, !packed));
            if other.exists() {
                std::fs::remove_file(other)?;
            }
        }
        Ok(())
    }
}

/// A new file with what comes out of `from`, which must be as long as was said.
fn fill(path: &Path, item: &Item<'_>, from: &mut dyn Read) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true);
    #[cfg(unix)]
    if item.part.is_secret() {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    let copied = pour(from, &mut file, item.length)?;
    if copied == item.length {
        Ok(file)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// A folder that holds anything a ledger's folder does not is somebody's own.
fn check_names(dir: &Path) -> Result<(), BackupError> {
    for item in std::fs::read_dir(dir).map_err(at(dir))? {
        let name = item.map_err(at(dir))?.file_name();
        let name = name.to_string_lossy();
        let is_known = Part::of(&name).is_some() || is_folder(&name) || is_beside(&name);
        if !is_known {
            return Err(BackupError::NotABackup {
                path: dir.to_owned(),
                name: name.into_owned(),
            });
        }
    }
    Ok(())
}
