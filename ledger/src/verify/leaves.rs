//! Leaves of the tree, hashed as the records are met, and compared with the tiles beside them.
//!
//! Of a full tile only its root is kept; what is cut by the ends of a segment, or is asked for
//! again, is kept leaf by leaf.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::fault::{FaultClass, Faults};
use crate::event::Position;
use crate::tiles::TileFiles;
use crate::tree::{Tile, TreeHash, WIDTH, root_of};

/// What the leaves are compared with, and which are wanted later.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Tiles beside the segments, when there are any.
    pub(super) files: Option<TileFiles>,
    /// Numbers of the level-0 tiles that a checkpoint ends in.
    pub(super) kept: BTreeSet<u64>,
}

/// Some leaves of one level-0 tile.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) tile: u64,
    /// By place in the tile; fewer than 256 when the end is not known.
    pub(super) leaves: Vec<Option<TreeHash>>,
}

/// A full level-0 tile: its root by the entries, and by the tile on disk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Roots {
    pub(super) tile: u64,
    pub(super) entries: Option<TreeHash>,
    pub(super) stored: Option<TreeHash>,
}

/// The leaves of one segment.
#[derive(Debug, Default)]
pub(super) struct Leaves {
    current: Option<Part>,
    filled: Vec<Part>,
    /// Tiles that are whole in this segment.
    pub(super) roots: Vec<Roots>,
    /// The others, and those wanted later.
    pub(super) parts: Vec<Part>,
}

impl Part {
    fn of(tile: u64) -> Self {
        Self {
            tile,
            leaves: Vec::with_capacity(WIDTH_LEAVES),
        }
    }

    fn put(&mut self, place: usize, leaf: TreeHash) {
        if self.leaves.len() <= place {
            self.leaves.resize(place + 1, None);
        }
        if let Some(slot) = self.leaves.get_mut(place) {
            *slot = Some(leaf);
        }
    }

    /// Adds the leaves another part of the same tile has.
    pub(super) fn merge(&mut self, other: &Self) {
        for (place, leaf) in other.leaves.iter().enumerate() {
            if let Some(leaf) = leaf {
                self.put(place, *leaf);
            }
        }
    }

    fn is_whole(&self) -> bool {
        self.leaves.len() == WIDTH_LEAVES && self.leaves.iter().all(Option::is_some)
    }

    /// The root of the whole tile, and of the one on disk, with every leaf in which they differ.
    pub(super) fn settle(&self, wanted: &Wanted) -> (Roots, Faults) {
        let tile = Tile::full(0, self.tile);
        let mut faults = Faults::of(tile.path());
        let leaves: Vec<TreeHash> = self.leaves.iter().flatten().copied().collect();
        let entries = self.is_whole().then(|| root_of(&leaves)).flatten();
        let stored = read_stored(wanted, tile, &mut faults).map(|stored| {
            let differs = (0..).zip(self.leaves.iter().zip(&stored)).filter_map(
                |(place, (leaf, stored)): (u64, _)| {
                    leaf.is_some_and(|leaf| leaf != *stored).then_some(place)
                },
            );
            let mut same = self.is_whole();
            for place in differs {
                same = false;
                faults.add(
                    self.tile.saturating_mul(WIDTH).saturating_add(place),
                    FaultClass::Leaf,
                    "the tile has another hash for this entry: one of the two was changed",
                );
            }
            if same {
                entries.unwrap_or_default()
            } else {
                root_of(&stored).unwrap_or_default()
            }
        });
        let roots = Roots {
            tile: self.tile,
            entries,
            stored,
        };
        (roots, faults)
    }
}

/// Leaves of a full tile.
pub(super) const WIDTH_LEAVES: usize = 256;

/// A full tile on disk. That it is missing is no fault: it follows from the entries.
pub(super) fn read_stored(
    wanted: &Wanted,
    tile: Tile,
    faults: &mut Faults,
) -> Option<Vec<TreeHash>> {
    let files = wanted.files.as_ref()?;
    let first = tile.index.checked_mul(WIDTH << (u32::from(tile.level) * 8));
    let read = match files.read(tile) {
        // a writer beside may just have given it its name, and then it is whole
        Ok(None) if files.holds(tile) => files.read(tile),
        read => read,
    };
    match read {
        Ok(None) if files.holds(tile) => {
            let detail =
                "the tile is not 256 hashes; opened for writing, the ledger makes it again";
            faults.add(first, FaultClass::Tile, detail);
            None
        }
        Ok(read) => read,
        Err(error) => {
            let detail = format!("the tile cannot be read: {error}");
            faults.add(first, FaultClass::Tile, detail);
            None
        }
    }
}

impl Leaves {
    /// Takes the leaf of the next record.
    pub(super) fn push(&mut self, position: Position, leaf: TreeHash) {
        let tile = position / WIDTH;
        let place = usize::try_from(position % WIDTH).unwrap_or(usize::MAX);
        if self.current.as_ref().is_none_or(|part| part.tile != tile) {
            self.finish();
            self.current = Some(Part::of(tile));
        }
        if let Some(current) = &mut self.current {
            current.put(place, leaf);
        }
    }

    /// Takes no more leaves.
    pub(super) fn finish(&mut self) {
        if let Some(part) = self.current.take() {
            if part.is_whole() {
                self.filled.push(part);
            } else {
                self.parts.push(part);
            }
        }
    }

    /// Takes no more leaves; whether every tile that was filled is as on disk.
    pub(super) fn end(&mut self, wanted: &Wanted) -> bool {
        let mut faults = Faults::of(String::new());
        self.finish();
        self.settle(wanted, &mut faults);
        faults.list.is_empty()
    }

    /// Compares the tiles that were filled with those on disk, on all cores.
    pub(super) fn settle(&mut self, wanted: &Wanted, faults: &mut Faults) {
        let filled = std::mem::take(&mut self.filled);
        let settled: Vec<(Roots, Faults)> =
            filled.par_iter().map(|part| part.settle(wanted)).collect();
        for (roots, found) in settled {
            self.roots.push(roots);
            faults.list.extend(found.list);
        }
        let kept = filled
            .into_iter()
            .filter(|part| wanted.kept.contains(&part.tile));
        self.parts.extend(kept);
    }
}
