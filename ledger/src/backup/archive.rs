//! A backup that is one file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::error::at;
use super::segment::Found;
use super::{BackupError, Item, Put, Sink, pour};
use crate::event::Position;
use crate::segment::sync_dir;
use crate::ustar::{Header, RECORD_BYTES, padding};

/// Ending of an archive that is not whole yet.
const UNFINISHED: &str = ".tmp";

/// An archive under its temporary name; removed when it is dropped unfinished.
pub(super) struct Archive {
    file: File,
    temporary: PathBuf,
    is_finished: bool,
}

impl Archive {
    /// Begins an archive beside its name. One that holds the blinding key is its owner's alone.
    pub(super) fn create(path: &Path, is_secret: bool) -> Result<Self, BackupError> {
        if path.symlink_metadata().is_ok() {
            return Err(BackupError::Exists {
                path: path.to_owned(),
            });
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(UNFINISHED);
        let temporary = path.with_file_name(name);
        let fail = at(&temporary);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        if is_secret {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        #[cfg(not(unix))]
        let _no_modes_here = is_secret;
        let file = options.open(&temporary).map_err(&fail)?;
        if let Err(std::fs::TryLockError::WouldBlock) = file.try_lock() {
            return Err(BackupError::Busy {
                path: temporary,
                holder: Box::default(),
            });
        }
        // what a crash left of an earlier one
        file.set_len(0).map_err(&fail)?;
        Ok(Self {
            file,
            temporary,
            is_finished: false,
        })
    }

    /// Ends the archive and gives it its name, unless somebody took that meanwhile.
    pub(super) fn finish(mut self, path: &Path) -> Result<(), BackupError> {
        let fail = at(&self.temporary);
        self.file.write_all(&[0; 2 * RECORD_BYTES]).map_err(&fail)?;
        self.file.sync_all().map_err(&fail)?;
        match std::fs::hard_link(&self.temporary, path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(BackupError::Exists {
                    path: path.to_owned(),
                });
            }
            // a file system without links: the name was free when the archive was begun
            Err(_no_links) => {
                std::fs::rename(&self.temporary, path).map_err(at(path))?;
                self.is_finished = true;
            }
        }
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        sync_dir(folder).map_err(at(folder))
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        if !self.is_finished {
            let _gone = std::fs::remove_file(&self.temporary).is_ok();
        }
    }
}

impl Sink for Archive {
    fn holds(&self, _found: &Found) -> io::Result<bool> {
        Ok(false)
    }

    fn holds_tail(&self, _first: Position, _size: u64) -> bool {
        false
    }

    fn holds_file(&self, _path: &str, _length: u64, _bytes: Option<&[u8]>) -> bool {
        false
    }

    fn put(&mut self, item: &Item<'_>, from: &mut dyn Read) -> io::Result<Put> {
        let header = Header {
            path: item.path.to_owned(),
            length: item.length,
            mode: if item.part.is_secret() { 0o600 } else { 0o644 },
            modified: item.modified,
            is_folder: false,
        };
        let record = header.encode().ok_or(io::ErrorKind::FileTooLarge)?;
        self.file.write_all(&record)?;
        let at = self.file.stream_position()?;
        let copied = pour(from, &mut self.file, item.length)?;
        if copied != item.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // a reader of the frames takes the zeros behind for the end, as in a segment
        let zeros = [0; RECORD_BYTES];
        let behind = zeros.get(..padding(item.length)).unwrap_or_default();
        self.file.write_all(behind)?;
        let file = self.file.try_clone()?;
        Ok(Put { file, at })
    }

    fn segments_done(&mut self) -> io::Result<()> {
        Ok(())
    }
}
