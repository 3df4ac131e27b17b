//! The files of a super-log: written whole or not at all, and durable before the next.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::durable::{Readers, replace, sync_dir};

/// Why a file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The operating system refused.
    #[error("`{path}` could not be used")]
    Io {
        /// Path in the super-log's folder.
        path: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Longer than such a file can be.
    #[error("`{path}` is longer than such a file can be")]
    TooLong {
        /// Path in the super-log's folder.
        path: String,
    },
    /// A tile or bundle is there already, with other bytes.
    #[error("`{path}` is there already with other bytes, and is never overwritten")]
    Foreign {
        /// Path in the super-log's folder.
        path: String,
    },
}

/// A folder, by paths relative to it.
#[derive(Debug)]
pub(super) struct Folder {
    dir: PathBuf,
}

impl Folder {
    pub(super) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    pub(super) fn holds(&self, path: &str) -> bool {
        self.dir.join(path).exists()
    }

    /// Reads a file of at most so many bytes; `None` when there is none.
    pub(super) fn read(&self, path: &str, most: usize) -> Result<Option<Vec<u8>>, FolderError> {
        let file = match File::open(self.dir.join(path)) {
            Ok(file) => file,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(failed(path)(error)),
        };
        let mut bytes = Vec::new();
        let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        file.take(limit)
            .read_to_end(&mut bytes)
            .map_err(failed(path))?;
        if bytes.len() > most {
            let path = path.to_owned();
            return Err(FolderError::TooLong { path });
        }
        Ok(Some(bytes))
    }

    /// Writes a file that never changes: one that is there must hold the same.
    pub(super) fn put(&self, path: &str, bytes: &[u8]) -> Result<(), FolderError> {
        match self.read(path, bytes.len()) {
            Ok(None) => self.replace(path, bytes),
            Ok(Some(there)) if there == bytes => Ok(()),
            Ok(Some(_)) | Err(FolderError::TooLong { .. }) => {
                let path = path.to_owned();
                Err(FolderError::Foreign { path })
            }
            Err(other) => Err(other),
        }
    }

    /// Writes a file in place of the one there was. When this returns it is durable; after a crash
    /// either is there, whole.
    pub(super) fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), FolderError> {
        let write = || {
            let path = self.dir.join(path);
            let folder = path.parent().unwrap_or(&self.dir);
            self.make(folder)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            replace(folder, &name, bytes, Readers::All)
        };
        write().map_err(failed(path))
    }

    /// Removes a file that there may be.
    pub(super) fn remove(&self, path: &str) -> Result<(), FolderError> {
        match std::fs::remove_file(self.dir.join(path)) {
            Err(error) if !is_absent(&error) => Err(failed(path)(error)),
            _ => sync_dir(&self.dir).map_err(failed(path)),
        }
    }

    /// Removes a folder of files that are of no more use. It is not asked to succeed.
    pub(super) fn forget(&self, path: &str) {
        let _gone = std::fs::remove_dir_all(self.dir.join(path));
    }

    /// Names of the files in a folder; none when it is absent.
    pub(super) fn names(&self, path: &str) -> Result<Vec<String>, FolderError> {
        let entries = match std::fs::read_dir(self.dir.join(path)) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            Err(error) => return Err(failed(path)(error)),
        };
        entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<_>>()
            .map_err(failed(path))
    }

    /// Makes a folder inside, and its name durable with those of the folders around it.
    fn make(&self, folder: &Path) -> io::Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        std::fs::create_dir_all(folder)?;
        let around = folder.ancestors().skip(1);
        for above in around.take_while(|above| above.starts_with(&self.dir)) {
            sync_dir(above)?;
        }
        Ok(())
    }
}

fn failed(path: &str) -> impl Fn(io::Error) -> FolderError {
    move |source| FolderError::Io {
        path: path.to_owned(),
        source,
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
