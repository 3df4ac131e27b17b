//! Growing the tree with the ledger.

use std::path::Path;

use super::{TileError, TileFiles};
use crate::ledger::OpenError;
use crate::reader::Reader;
use crate::tree::{Frontier, Tile, TreeHash, WIDTH, leaf_hash, root_of};

/// Adds leaves and writes the tiles they fill.
#[derive(Debug)]
pub(crate) struct TileWriter {
    files: TileFiles,
    frontier: Frontier,
}

impl TileWriter {
    /// Goes on behind the entries there are; `edge` are those after the last full tile of level 0.
    /// Tiles a crash left out are made again.
    pub(crate) fn open(dir: &Path, size: u64, edge: &[[u8; 256]]) -> Result<Self, OpenError> {
        let files = TileFiles::of(dir);
        let next = Tile::full(0, size / WIDTH);
        if files.holds(next) {
            return Err(OpenError::Tiles(TileError::Ahead {
                path: next.path(),
                size,
            }));
        }
        let mut levels = vec![edge.iter().map(|entry| leaf_hash(entry)).collect()];
        let mut reader = None;
        let mut full = size / WIDTH;
        for level in 0.. {
            if full == 0 {
                break;
            }
            let mut hashes = Vec::new();
            for index in full - full % WIDTH..full {
                hashes.push(root_below(&files, &mut reader, Tile::full(level, index))?);
            }
            levels.push(hashes);
            full /= WIDTH;
        }
        let frontier = Frontier::of(size, levels).ok_or_else(|| OpenError::Empty {
            dir: dir.to_owned(),
        })?;
        Ok(Self { files, frontier })
    }

    /// Adds leaves. A tile that cannot be written is left out: it is made again when the ledger is
    /// opened next, and until then hashed from the entries.
    ///
    /// # Errors
    /// [`TileError::Foreign`]: what is in the folder belongs to another history.
    pub(crate) fn push(&mut self, leaves: &[TreeHash]) -> Result<(), TileError> {
        let Self { files, frontier } = self;
        for leaf in leaves {
            frontier.push(*leaf, |tile, hashes| match files.write(tile, hashes) {
                Err(TileError::Io { .. }) => Ok(()),
                done => done,
            })?;
        }
        Ok(())
    }

    /// The root over all leaves.
    pub(crate) fn root(&self) -> TreeHash {
        self.frontier.root()
    }
}

/// The root of a full tile, which is made from the entries and written where it is missing.
fn root_below(
    files: &TileFiles,
    reader: &mut Option<Reader>,
    tile: Tile,
) -> Result<TreeHash, OpenError> {
    let fail = |source| {
        OpenError::Tiles(TileError::Io {
            path: tile.path(),
            source,
        })
    };
    let hashes = if let Some(hashes) = files.read(tile).map_err(fail)? {
        hashes
    } else {
        let reader = match reader {
            Some(reader) => reader,
            None => reader.insert(Reader::open(&files.dir)?),
        };
        reader.tree().keeping().tile(tile)?
    };
    Ok(root_of(&hashes).unwrap_or_default())
}
