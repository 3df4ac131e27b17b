//! Tiles on disk, beside the segments: `tile/<level>/<index>`, as C2SP tlog-tiles names them.
//!
//! Only full tiles are kept. They follow from the entries, so they are written without a sync and
//! made again where they are missing or torn; a whole tile is never overwritten with other bytes.
//! What is not full yet is hashed from the last entries when asked for. Entry bundles are not kept
//! either: the segments have the entries.

mod tree;
mod writer;

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::tree::{Tile, TreeHash, WIDTH};

pub use tree::Tree;
pub(crate) use writer::TileWriter;

/// Name of the folder.
pub(crate) const FOLDER: &str = "tile";

/// Bytes of a full tile.
pub(crate) const TILE_BYTES: u64 = 8_192;

/// A tile is there and holds other hashes than the entries lead to.
#[derive(Debug, thiserror::Error)]
pub enum TileError {
    /// The tile was written from other entries.
    #[error(
        "`{path}` holds the hashes of other entries: the folder mixes two copies of the ledger, or its tiles were changed"
    )]
    Foreign {
        /// Path of the tile in the ledger's folder.
        path: String,
    },
    /// There is a full tile beyond the newest entry.
    #[error(
        "`{path}` was written from more entries than the {size} there are: the segments are an older copy than the tiles"
    )]
    Ahead {
        /// Path of the tile in the ledger's folder.
        path: String,
        /// Entries there are.
        size: u64,
    },
    /// The operating system refused.
    #[error("`{path}` could not be used")]
    Io {
        /// Path of the tile in the ledger's folder.
        path: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

/// The files of the tiles of one ledger.
#[derive(Debug, Clone)]
pub(crate) struct TileFiles {
    /// Folder of the ledger.
    dir: PathBuf,
}

impl TileFiles {
    pub(crate) fn of(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    /// Those of a ledger, when there are any.
    pub(crate) fn there(dir: &Path) -> Option<Self> {
        dir.join(FOLDER).is_dir().then(|| Self::of(dir))
    }

    pub(crate) fn holds(&self, tile: Tile) -> bool {
        self.dir.join(tile.path()).exists()
    }

    /// Reads a full tile; `None` when it is not there, or not whole.
    pub(crate) fn read(&self, tile: Tile) -> io::Result<Option<Vec<TreeHash>>> {
        let file = match File::open(self.dir.join(tile.path())) {
            Ok(file) => file,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        // one byte more than a tile has, so that a longer file shows without being read
        let limit = TILE_BYTES + 1;
        let mut bytes = Vec::with_capacity(usize::try_from(limit).unwrap_or(0));
        file.take(limit).read_to_end(&mut bytes)?;
        let (hashes, rest) = bytes.as_chunks::<32>();
        let is_whole = rest.is_empty()
            && u64::try_from(hashes.len()).is_ok_and(|count| count == WIDTH)
            && !hashes.contains(&[0; 32]);
        Ok(is_whole.then(|| hashes.to_vec()))
    }

    /// Writes a full tile. One that is there and whole must hold the same.
    pub(crate) fn write(&self, tile: Tile, hashes: &[TreeHash]) -> Result<(), TileError> {
        let fail = |source| TileError::Io {
            path: tile.path(),
            source,
        };
        if self.holds(tile)
            && let Some(there) = self.read(tile).map_err(fail)?
        {
            return if there == hashes {
                Ok(())
            } else {
                Err(TileError::Foreign { path: tile.path() })
            };
        }
        let path = self.dir.join(tile.path());
        let bytes = hashes.concat();
        match write_all(&path, &bytes) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let folder = path.parent().unwrap_or(&self.dir);
                std::fs::create_dir_all(folder).map_err(fail)?;
                write_all(&path, &bytes).map_err(fail)
            }
            done => done.map_err(fail),
        }
    }
}

/// Gives a file its name when it is whole, so that no reader sees a part of it.
fn write_all(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    File::create(&temporary)?.write_all(bytes)?;
    std::fs::rename(&temporary, path)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
