//! The tiles of a bundle, believed from the top: those at the edge lead to the root of the
//! checkpoint, and each other one to a hash in the tile above it.

use std::collections::{BTreeMap, BTreeSet};

use ledger::checkpoint::Checkpoint;
use ledger::tree::{self, Frontier, Hashes, Tile, TreeHash, WIDTH};

use super::check::Faults;

/// The tiles a bundle needs to bind the entries of some level-0 tiles: these, all above them, and
/// those at the edge of each level.
pub(super) fn needed(size: u64, level_0: &BTreeSet<u64>) -> BTreeSet<Tile> {
    let mut tiles = BTreeSet::new();
    let mut indexes = level_0.clone();
    for level in 0_u8.. {
        let hashes = size >> (u32::from(level) * 8);
        if hashes == 0 {
            break;
        }
        if !hashes.is_multiple_of(WIDTH) {
            indexes.insert(hashes / WIDTH);
        }
        let holding = |index: &u64| Tile::holding(level, index.saturating_mul(WIDTH), size);
        tiles.extend(indexes.iter().filter_map(holding));
        indexes = indexes.iter().map(|index| index / WIDTH).collect();
    }
    tiles
}

/// Tiles whose hashes the checkpoint binds.
#[derive(Debug, Default)]
pub(super) struct Bound {
    tiles: BTreeMap<(u8, u64), Vec<TreeHash>>,
}

impl Bound {
    /// Takes the tiles that were read, by path; what does not lead to the checkpoint is a fault.
    pub(super) fn of(
        checkpoint: &Checkpoint,
        read: BTreeMap<Tile, Vec<TreeHash>>,
        faults: &mut Faults,
    ) -> Self {
        let size = checkpoint.size;
        let mut bound = Self::default();
        let mut levels: BTreeMap<u8, Vec<(Tile, Vec<TreeHash>)>> = BTreeMap::new();
        for (tile, hashes) in read {
            if Tile::holding(tile.level, tile.index.saturating_mul(WIDTH), size) == Some(tile) {
                levels.entry(tile.level).or_default().push((tile, hashes));
            } else {
                faults.add(tile.path(), "a ledger of this size has no such tile");
            }
        }
        if !bound.take_edge(checkpoint, &levels, faults) {
            return bound;
        }
        for (_, tiles) in levels.into_iter().rev() {
            for (tile, hashes) in tiles {
                if tile.is_full() {
                    bound.take_full(tile, hashes, faults);
                }
            }
        }
        bound
    }

    /// The tiles that are not full: together they are the root.
    fn take_edge(
        &mut self,
        checkpoint: &Checkpoint,
        levels: &BTreeMap<u8, Vec<(Tile, Vec<TreeHash>)>>,
        faults: &mut Faults,
    ) -> bool {
        let mut edge = Vec::new();
        let mut rest = checkpoint.size;
        for level in 0_u8.. {
            if rest == 0 {
                break;
            }
            let wanted = usize::try_from(rest % WIDTH).unwrap_or(0);
            let partial = levels
                .get(&level)
                .and_then(|tiles| tiles.iter().find(|(tile, _)| !tile.is_full()));
            let hashes = partial.map_or_else(Vec::new, |(_, hashes)| hashes.clone());
            if hashes.len() != wanted {
                faults.add(
                    format!("tile/{level}"),
                    "the tile at the edge of this level is missing",
                );
                return false;
            }
            edge.push(hashes);
            rest /= WIDTH;
        }
        let root = Frontier::of(checkpoint.size, edge.clone()).map(|edge| edge.root());
        if root != Some(checkpoint.root) {
            faults.add(
                "checkpoint".to_owned(),
                "the tiles at the edge do not lead to the root of the checkpoint",
            );
            return false;
        }
        for (level, hashes) in (0_u8..).zip(edge) {
            let index = (checkpoint.size >> (u32::from(level) * 8)) / WIDTH;
            self.tiles.insert((level, index), hashes);
        }
        true
    }

    fn take_full(&mut self, tile: Tile, hashes: Vec<TreeHash>, faults: &mut Faults) {
        let Some(above) = self.hash(tile.level.saturating_add(1), tile.index) else {
            faults.add(tile.path(), "the tile above it is missing or not bound");
            return;
        };
        if tree::root(&One(&hashes), WIDTH) == Ok(above) {
            self.tiles.insert((tile.level, tile.index), hashes);
        } else {
            faults.add(tile.path(), "the tile does not lead to the hash above it");
        }
    }

    /// A hash of a level, when a bound tile has it.
    pub(super) fn hash(&self, level: u8, index: u64) -> Option<TreeHash> {
        let tile = self.tiles.get(&(level, index / WIDTH))?;
        tile.get(usize::try_from(index % WIDTH).ok()?).copied()
    }
}

/// The 256 hashes of one tile, as the leaves of a tree.
struct One<'h>(&'h [TreeHash]);

impl Hashes for One<'_> {
    type Error = ();

    fn subtree(&self, height: u8, index: u64) -> Result<TreeHash, ()> {
        if height == 0 {
            let at = usize::try_from(index).or(Err(()))?;
            return self.0.get(at).copied().ok_or(());
        }
        let left = self.subtree(height - 1, index * 2)?;
        let right = self.subtree(height - 1, index * 2 + 1)?;
        Ok(tree::node_hash(&left, &right))
    }
}
