//! The tree over all segments: tiles of every level, and the roots that checkpoints name.

use std::collections::BTreeMap;

use super::fault::{FaultClass, Faults};
use super::leaves::{Leaves, Part, Wanted, read_stored};
use super::statements::Statement;
use crate::tiles::TileFiles;
use crate::tree::{self, Hashes, Tile, TreeHash, WIDTH, root_of};

/// The hashes of the whole ledger, as far as its records are there.
#[derive(Debug)]
pub(super) struct Whole {
    size: u64,
    /// Leaves of tiles that are not full, or that a checkpoint ends in.
    parts: BTreeMap<u64, Part>,
    /// Roots of full tiles by level, from the entries.
    levels: Vec<Vec<Option<TreeHash>>>,
}

impl Whole {
    /// Joins the leaves of all segments; tells in which tiles they differ from those on disk.
    pub(super) fn join(
        size: u64,
        segments: Vec<Leaves>,
        wanted: &Wanted,
        faults: &mut Faults,
    ) -> Self {
        let full = usize::try_from(size / WIDTH).unwrap_or(usize::MAX);
        let mut entries = vec![None; full];
        let mut stored = vec![None; full];
        let mut parts: BTreeMap<u64, Part> = BTreeMap::new();
        let mut settled = Vec::new();
        for segment in segments {
            settled.extend(segment.roots);
            for part in segment.parts {
                parts
                    .entry(part.tile)
                    .and_modify(|known| known.merge(&part))
                    .or_insert(part);
            }
        }
        let is_settled: std::collections::BTreeSet<u64> =
            settled.iter().map(|roots| roots.tile).collect();
        for part in parts.values() {
            if part.tile < size / WIDTH && !is_settled.contains(&part.tile) {
                let (roots, found) = part.settle(wanted);
                settled.push(roots);
                faults.list.extend(found.list);
            }
        }
        for roots in settled {
            let at = usize::try_from(roots.tile).unwrap_or(usize::MAX);
            if let (Some(ours), Some(theirs)) = (entries.get_mut(at), stored.get_mut(at)) {
                *ours = roots.entries;
                *theirs = roots.stored;
            }
        }
        let mut whole = Self {
            size,
            parts,
            levels: vec![entries],
        };
        whole.raise(stored, wanted, faults);
        whole
    }

    /// Makes the levels above. A tile on disk must hold the roots of those below it on disk.
    fn raise(&mut self, mut stored: Vec<Option<TreeHash>>, wanted: &Wanted, faults: &mut Faults) {
        for level in 1_u8.. {
            let Some(below) = self.levels.last() else {
                break;
            };
            let (tiles, _) = below.as_chunks::<256>();
            if tiles.is_empty() {
                break;
            }
            let (stored_below, _) = stored.as_chunks::<256>();
            let mut ours = Vec::with_capacity(tiles.len());
            let mut theirs = Vec::with_capacity(tiles.len());
            for (index, (entries, below)) in (0..).zip(tiles.iter().zip(stored_below)) {
                let tile = Tile::full(level, index);
                let mut found = Faults::of(tile.path());
                let there = read_stored(wanted, tile, &mut found);
                if let Some(there) = &there {
                    let children = below.iter().zip(entries).map(|(one, two)| one.or(*two));
                    let span = WIDTH << (u32::from(level) * 8 - 8);
                    for (place, (child, hash)) in (0..).zip(children.zip(there)) {
                        if child.is_some_and(|child| child != *hash) {
                            let hashed: u64 = index * WIDTH + place;
                            found.add(
                                hashed.checked_mul(span),
                                FaultClass::Tile,
                                "the tile has another hash than the tile below it leads to",
                            );
                        }
                    }
                }
                faults.list.extend(found.list);
                ours.push(all(entries).and_then(|hashes| root_of(&hashes)));
                theirs.push(there.and_then(|hashes| root_of(&hashes)));
            }
            self.levels.push(ours);
            stored = theirs;
        }
    }

    /// The root at a size; `None` when records below it are missing.
    pub(super) fn root(&self, size: u64) -> Option<TreeHash> {
        tree::root(self, size).ok()
    }

    /// Compares with what checkpoints say, smallest first.
    pub(super) fn compare(
        &self,
        statements: &mut [Statement],
        wanted: &Wanted,
        faults: &mut Faults,
    ) {
        let mut held = 0;
        statements.sort_by(|one, two| (one.size, &one.name).cmp(&(two.size, &two.name)));
        for statement in statements {
            let mut found = Faults::of(statement.name.clone());
            if statement.size > self.size {
                let detail = format!(
                    "the checkpoint counts {} entries, the ledger ends after {}",
                    statement.size, self.size
                );
                found.add(self.size, FaultClass::Size, detail);
            } else if self.root(statement.size) == Some(statement.root) {
                statement.holds = true;
                held = statement.size;
            } else {
                let detail = self.why(statement, held, wanted);
                found.add(held, FaultClass::Root, detail);
            }
            faults.list.extend(found.list);
        }
    }

    /// What can be said of entries that do not lead to a signed root.
    fn why(&self, statement: &Statement, held: u64, wanted: &Wanted) -> String {
        let size = statement.size;
        if self.root(size).is_none() {
            return format!("records below {size} are missing, so they lead to no root");
        }
        let tiles = wanted.files.as_ref().map(FromTiles);
        let by_tiles = tiles.and_then(|tiles| tree::root(&tiles, size).ok());
        if by_tiles == Some(statement.root) {
            "the tiles lead to the signed root, the entries do not: the LEAF faults name the entries that were changed"
                .to_owned()
        } else {
            format!(
                "the first {size} entries are not those signed: one at or after position {held} was changed, or those before were signed by no checkpoint here"
            )
        }
    }
}

fn all(hashes: &[Option<TreeHash>; 256]) -> Option<Vec<TreeHash>> {
    hashes.iter().copied().collect()
}

/// A hash that records that are missing would lead to.
#[derive(Debug)]
pub(super) struct Missing;

impl Hashes for Whole {
    type Error = Missing;

    fn subtree(&self, height: u8, index: u64) -> Result<TreeHash, Missing> {
        let (level, within) = (usize::from(height / 8), height % 8);
        let first = index << within;
        let count = 1 << within;
        let hashes: Option<Vec<TreeHash>> = match level.checked_sub(1) {
            None => {
                let part = self.parts.get(&(first / WIDTH)).ok_or(Missing)?;
                let from = usize::try_from(first % WIDTH).or(Err(Missing))?;
                let some = part.leaves.get(from..from + count).ok_or(Missing)?;
                some.iter().copied().collect()
            }
            Some(level) => {
                let from = usize::try_from(first).or(Err(Missing))?;
                let level = self.levels.get(level).ok_or(Missing)?;
                let some = level.get(from..from + count).ok_or(Missing)?;
                some.iter().copied().collect()
            }
        };
        root_of(&hashes.ok_or(Missing)?).ok_or(Missing)
    }
}

/// The hashes of the tiles on disk, believed.
struct FromTiles<'f>(&'f TileFiles);

impl Hashes for FromTiles<'_> {
    type Error = Missing;

    fn subtree(&self, height: u8, index: u64) -> Result<TreeHash, Missing> {
        let (level, within) = (height / 8, height % 8);
        let first = index << within;
        let tile = Tile::full(level, first / WIDTH);
        let hashes = self.0.read(tile).or(Err(Missing))?.ok_or(Missing)?;
        let from = usize::try_from(first % WIDTH).or(Err(Missing))?;
        let some = hashes.get(from..from + (1 << within)).ok_or(Missing)?;
        root_of(some).ok_or(Missing)
    }
}
