//! The tree of a ledger: roots, proofs and tiles of every size up to its own.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::rc::Rc;

use rayon::prelude::*;

use super::TileFiles;
use crate::event::Position;
use crate::reader::{ReadError, Reader};
use crate::tree::{self, Hashes, Tile, TreeHash, WIDTH, leaf_hash, root_of};

/// Tiles kept in memory before they are forgotten: 32 MiB.
const TILES_KEPT: usize = 4_096;

/// The hashes of a tile, shared by who reads it.
type Kept = Rc<Vec<TreeHash>>;

/// Levels a tree of 2^64 leaves can have.
const LEVELS_MAX: u8 = 8;

/// Reads the tree. Tiles that are not on disk, and those at the right edge, are hashed from the
/// entries. Nothing read here is checked: a proof is checked before it is handed out, and the
/// ledger by [`crate::verify`].
#[derive(Debug)]
pub struct Tree<'r> {
    reader: &'r Reader,
    files: TileFiles,
    keeps: bool,
    /// Tiles read, by level and index.
    tiles: RefCell<BTreeMap<(u8, u64), Kept>>,
}

impl<'r> Tree<'r> {
    pub(crate) fn of(reader: &'r Reader) -> Self {
        Self {
            reader,
            files: TileFiles::of(reader.dir()),
            keeps: false,
            tiles: RefCell::default(),
        }
    }

    /// The same, which writes the full tiles it finds missing: for the writer alone.
    pub(crate) fn keeping(self) -> Self {
        Self {
            keeps: true,
            ..self
        }
    }

    /// The root at a size, at most the reader's.
    ///
    /// # Errors
    /// When an entry or a tile cannot be read.
    pub fn root(&self, size: u64) -> Result<TreeHash, ReadError> {
        tree::root(self, size)
    }

    /// The proof that a position is in the tree of a size; `None` when it is not.
    ///
    /// # Errors
    /// When an entry or a tile cannot be read.
    pub fn inclusion(
        &self,
        position: Position,
        size: u64,
    ) -> Result<Option<Vec<TreeHash>>, ReadError> {
        tree::inclusion(self, position, size)
    }

    /// The proof that the tree of a size is the beginning of a larger one; `None` when it is
    /// larger itself, or empty.
    ///
    /// # Errors
    /// When an entry or a tile cannot be read.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Option<Vec<TreeHash>>, ReadError> {
        tree::consistency(self, old, new)
    }

    /// The hashes of a tile, as many as its width asks for and the ledger has.
    ///
    /// # Errors
    /// When an entry or a tile cannot be read.
    pub fn tile(&self, tile: Tile) -> Result<Vec<TreeHash>, ReadError> {
        let hashes = self.hashes(tile.level, tile.index)?;
        Ok(hashes.iter().copied().take(tile.width.into()).collect())
    }

    /// Every hash the ledger has of a tile.
    fn hashes(&self, level: u8, index: u64) -> Result<Kept, ReadError> {
        if let Some(kept) = self.tiles.borrow().get(&(level, index)) {
            return Ok(Rc::clone(kept));
        }
        let count = count_at(self.reader.size(), level);
        let is_full = index < count / WIDTH;
        let tile = Tile::full(level, index);
        let read = if is_full {
            let fail = |source| ReadError::Io {
                file: tile.path(),
                source,
            };
            self.files.read(tile).map_err(fail)?
        } else {
            None
        };
        let hashes = if let Some(hashes) = read {
            hashes
        } else {
            let made = self.made(level, index, count)?;
            if is_full && self.keeps {
                // who can read the tree can do without the file
                let _kept = self.files.write(tile, &made).is_ok();
            }
            made
        };
        let hashes = Rc::new(hashes);
        let mut tiles = self.tiles.borrow_mut();
        if tiles.len() >= TILES_KEPT {
            tiles.clear();
        }
        tiles.insert((level, index), Rc::clone(&hashes));
        Ok(hashes)
    }

    /// The hashes of a tile, made from the level below; from the entries at level 0.
    fn made(&self, level: u8, index: u64, count: u64) -> Result<Vec<TreeHash>, ReadError> {
        let start = index.saturating_mul(WIDTH);
        let end = start.saturating_add(WIDTH).min(count);
        let Some(below) = level.checked_sub(1) else {
            return self.leaves(start, end);
        };
        // up to 255 tiles below the edge of each level: what a proof costs
        let files = &self.files;
        let read: Vec<Option<TreeHash>> = (start..end)
            .into_par_iter()
            .map(|hash| root_of(&files.read(Tile::full(below, hash)).ok().flatten()?))
            .collect();
        (start..end)
            .zip(read)
            .map(|(hash, root)| match root {
                Some(root) => Ok(root),
                None => Ok(root_of(&self.hashes(below, hash)?).unwrap_or_default()),
            })
            .collect()
    }

    fn leaves(&self, start: u64, end: u64) -> Result<Vec<TreeHash>, ReadError> {
        let mut leaves = Vec::new();
        // reading one record makes the index of its segment, where the scan then begins
        let _indexed = self.reader.get_stored(start)?;
        self.reader.scan_stored(start..end, &mut |record| {
            leaves.push(leaf_hash(record.entry));
            ControlFlow::Continue(())
        })?;
        Ok(leaves)
    }
}

impl Hashes for Tree<'_> {
    type Error = ReadError;

    fn subtree(&self, height: u8, index: u64) -> Result<TreeHash, ReadError> {
        let (level, within) = (height / 8, height % 8);
        let first = index << within;
        let tile = self.hashes(level, first / WIDTH)?;
        let from = usize::try_from(first % WIDTH).unwrap_or(usize::MAX);
        let hashes = tile.get(from..from.saturating_add(1 << within));
        // a proof asks for whole subtrees of the tree only
        hashes
            .and_then(root_of)
            .ok_or_else(|| ReadError::NoSuchTile {
                path: Tile::full(level, first / WIDTH).path(),
            })
    }
}

/// Hashes a level has in a tree of some size.
fn count_at(size: u64, level: u8) -> u64 {
    if level >= LEVELS_MAX {
        return 0;
    }
    size >> (u32::from(level) * 8)
}
