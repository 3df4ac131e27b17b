//! The files of a backup, written into a new folder.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use super::error::{RestoreError, at};
use crate::backup::pour;
use crate::contents::{NOTE_FOLDERS, Part, is_folder};
use crate::event::Position;
use crate::segment::file::{SegmentFile, name_of};
use crate::segment::recover::footer;
use crate::segment::{TEMPORARY_ENDING, sync_dir};
use crate::tiles::{FOLDER as TILE_FOLDER, TILE_BYTES};
use crate::ustar::{Header, RECORD_BYTES, padding};

/// Deepest folder that files lie in: `tile/<level>/` and seven groups of three digits.
const DEPTH_MAX: usize = 9;

/// A new folder and what was put into it.
pub(super) struct Unpacked<'a> {
    dir: &'a Path,
    progress: &'a dyn Fn(u64),
    bytes: u64,
    /// Folders with names that are to be made durable.
    folders: BTreeSet<PathBuf>,
}

/// A file to be unpacked.
struct Item<'a> {
    /// The backup.
    source: &'a Path,
    /// Path in the folder.
    path: &'a str,
    part: Part,
    length: u64,
}

impl<'a> Unpacked<'a> {
    pub(super) fn into(dir: &'a Path, progress: &'a dyn Fn(u64)) -> Self {
        Self {
            dir,
            progress,
            bytes: 0,
            folders: BTreeSet::from([dir.to_owned()]),
        }
    }

    /// Copies the files of a ledger's folder, and nothing else that is there. Links are not
    /// followed.
    pub(super) fn folder(&mut self, source: &Path) -> Result<(), RestoreError> {
        let mut newest = None;
        for name in names(source)? {
            if let Some(part) = Part::of(&name) {
                self.copy(source, &name, part)?;
                if let Part::Segment { first, .. } = part {
                    newest = newest.max(Some(first));
                }
            }
        }
        for folder in NOTE_FOLDERS {
            self.below(source, folder, 1)?;
        }
        self.below(source, TILE_FOLDER, DEPTH_MAX)?;
        self.next_segment(source, newest)
    }

    /// Copies what lies below a folder.
    fn below(&mut self, source: &Path, folder: &str, depth: usize) -> Result<(), RestoreError> {
        if depth == 0 || !is_real(&source.join(folder), std::fs::Metadata::is_dir) {
            return Ok(());
        }
        for name in names(&source.join(folder))? {
            let path = format!("{folder}/{name}");
            if let Some(part) = Part::of(&path) {
                self.copy(source, &path, part)?;
            } else if is_folder(&path) {
                self.below(source, &path, depth - 1)?;
            }
        }
        Ok(())
    }

    /// A backup or a ledger that a crash met between two segments has the next one under its
    /// temporary name; without it, the one before would look as if the rest had been cut off.
    fn next_segment(
        &mut self,
        source: &Path,
        newest: Option<Position>,
    ) -> Result<(), RestoreError> {
        let Some(newest) = newest else {
            return Ok(());
        };
        let newest = SegmentFile::open(self.dir, newest).map_err(at(self.dir))?;
        let Some(seal) = footer(&newest).map_err(at(self.dir))? else {
            return Ok(());
        };
        let first = seal.first.saturating_add(seal.count);
        let path = format!("{}.{TEMPORARY_ENDING}", name_of(first));
        let part = Part::Segment {
            first,
            packed: false,
        };
        self.copy(source, &path, part)
    }

    fn copy(&mut self, source: &Path, path: &str, part: Part) -> Result<(), RestoreError> {
        let from = source.join(path);
        if !is_real(&from, std::fs::Metadata::is_file) {
            return Ok(());
        }
        let mut file = File::open(&from).map_err(at(&from))?;
        let length = file.metadata().map_err(at(&from))?.len();
        if matches!(part, Part::Tile(_)) && length != TILE_BYTES {
            return Ok(()); // torn: made again from the entries
        }
        let item = Item {
            source,
            path,
            part,
            length,
        };
        self.write(&item, &mut file)
    }

    /// Unpacks an archive, which may come from anywhere.
    pub(super) fn archive(&mut self, source: &Path) -> Result<(), RestoreError> {
        let mut file = BufReader::new(File::open(source).map_err(at(source))?);
        loop {
            let mut record = [0; RECORD_BYTES];
            fill(&mut file, &mut record, source)?;
            let archive = |cause| RestoreError::Archive {
                path: source.to_owned(),
                source: cause,
            };
            let Some(header) = Header::decode(&record).map_err(archive)? else {
                return Ok(());
            };
            self.entry(source, &header, &mut file)?;
            let mut behind = [0; RECORD_BYTES];
            let behind = behind.get_mut(..padding(header.length)).unwrap_or_default();
            fill(&mut file, behind, source)?;
        }
    }

    fn entry(
        &mut self,
        source: &Path,
        header: &Header,
        file: &mut impl Read,
    ) -> Result<(), RestoreError> {
        let path = header.path.strip_prefix("./").unwrap_or(&header.path);
        let unknown = || RestoreError::Unknown {
            path: source.to_owned(),
            name: header.path.clone(),
        };
        if header.is_folder {
            let folder = path.trim_end_matches('/');
            let is_root = matches!(header.path.as_str(), "." | "./");
            return ((is_root || is_folder(folder)) && header.length == 0)
                .then_some(())
                .ok_or_else(unknown);
        }
        let item = Item {
            source,
            path,
            part: Part::of(path).ok_or_else(unknown)?,
            length: header.length,
        };
        self.write(&item, file)
    }

    /// Writes a file that is not there yet, and as long as it was said to be.
    fn write(&mut self, item: &Item<'_>, from: &mut impl Read) -> Result<(), RestoreError> {
        let most = item.part.bytes_max();
        if item.length > most {
            return Err(RestoreError::TooLong {
                path: item.source.to_owned(),
                name: item.path.to_owned(),
                length: item.length,
                most,
            });
        }
        let to = self.dir.join(item.path);
        let fail = at(&to);
        let mut parent = to.parent();
        while let Some(folder) = parent
            && self.folders.insert(folder.to_owned())
        {
            parent = folder.parent();
        }
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).map_err(&fail)?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        if item.part.is_secret() {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let mut file = match options.open(&to) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(RestoreError::Twice {
                    path: item.source.to_owned(),
                    name: item.path.to_owned(),
                });
            }
            Err(error) => return Err(fail(error)),
        };
        let copied = pour(&mut from.take(item.length), &mut file, item.length).map_err(&fail)?;
        if copied < item.length {
            return Err(RestoreError::Cut {
                path: item.source.to_owned(),
            });
        }
        self.bytes += copied;
        (self.progress)(self.bytes);
        // a tile that is lost is made again
        if matches!(item.part, Part::Tile(_)) {
            return Ok(());
        }
        file.sync_all().map_err(&fail)
    }

    /// Makes all names durable.
    pub(super) fn finish(self) -> Result<(), RestoreError> {
        for folder in &self.folders {
            sync_dir(folder).map_err(at(folder))?;
        }
        Ok(())
    }
}

/// Whether a path is a file or folder itself, not a link to one.
fn is_real(path: &Path, is_kind: fn(&std::fs::Metadata) -> bool) -> bool {
    path.symlink_metadata().is_ok_and(|data| is_kind(&data))
}

/// Names in a folder, in order.
fn names(dir: &Path) -> Result<Vec<String>, RestoreError> {
    let mut names = Vec::new();
    for item in std::fs::read_dir(dir).map_err(at(dir))? {
        if let Ok(name) = item.map_err(at(dir))?.file_name().into_string() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Fills a buffer from an archive.
fn fill(from: &mut impl Read, buffer: &mut [u8], source: &Path) -> Result<(), RestoreError> {
    match from.read_exact(buffer) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(RestoreError::Cut {
            path: source.to_owned(),
        }),
        Err(error) => Err(at(source)(error)),
    }
}
