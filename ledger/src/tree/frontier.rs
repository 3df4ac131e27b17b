//! The right edge of a growing tree: enough to go on and to know the root.

use super::{TreeHash, WIDTH, empty_root, node_hash, root_of};
use crate::tree::Tile;

/// The hashes of every tile that is not full yet, by level.
///
/// Level 0 holds leaves, level L the roots of full tiles of level L-1 (tlog-tiles, "Merkle Tree").
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    levels: Vec<Vec<TreeHash>>,
}

impl Frontier {
    /// The edge of the empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// The edge of a tree of some size, from the hashes of its tiles that are not full, level by
    /// level. `None` when they are not as many as the size says.
    pub fn of(size: u64, levels: Vec<Vec<TreeHash>>) -> Option<Self> {
        let mut rest = size;
        for level in &levels {
            let width = u64::try_from(level.len()).ok()?;
            if width != rest % WIDTH {
                return None;
            }
            rest /= WIDTH;
        }
        (rest == 0).then_some(Self { size, levels })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Hashes of the tile of a level that is not full; empty when the last one is.
    pub fn level(&self, level: u8) -> &[TreeHash] {
        self.levels
            .get(usize::from(level))
            .map_or(&[], Vec::as_slice)
    }

    /// Levels with hashes.
    pub fn levels(&self) -> u8 {
        u8::try_from(self.levels.len()).unwrap_or(u8::MAX)
    }

    /// Adds a leaf; `full` is shown every tile that it fills, lowest level first.
    ///
    /// # Errors
    /// What `full` answers; the edge must not be used then.
    pub fn push<E>(
        &mut self,
        leaf: TreeHash,
        mut full: impl FnMut(Tile, &[TreeHash]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut hash = leaf;
        let mut index = self.size;
        self.size += 1;
        for level in 0.. {
            let at = usize::from(level);
            if self.levels.len() <= at {
                self.levels.push(Vec::new());
            }
            let Some(tile) = self.levels.get_mut(at) else {
                break;
            };
            tile.push(hash);
            index /= WIDTH;
            if u64::try_from(tile.len()).unwrap_or(0) < WIDTH {
                break;
            }
            full(Tile::full(level, index), tile)?;
            hash = root_of(tile).unwrap_or(hash);
            tile.clear();
        }
        Ok(())
    }

    /// The root.
    pub fn root(&self) -> TreeHash {
        let mut root: Option<TreeHash> = None;
        for level in &self.levels {
            // perfect subtrees from the right: each is the left brother of all that is right of it
            let mut end = level.len();
            while end > 0 {
                let width = 1 << end.trailing_zeros();
                let Some(left) = level.get(end - width..end).and_then(root_of) else {
                    break;
                };
                root = Some(root.map_or(left, |right| node_hash(&left, &right)));
                end -= width;
            }
        }
        root.unwrap_or_else(empty_root)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    use super::*;
    use crate::tree::tests::leaves;

    /// Every tile that was filled, and the edge after each leaf.
    fn grown(count: u64) -> (BTreeMap<String, Vec<TreeHash>>, Frontier) {
        let mut tiles = BTreeMap::new();
        let mut frontier = Frontier::new();
        for leaf in leaves(count) {
            let keep = |tile: Tile, hashes: &[TreeHash]| {
                assert!(
                    tiles.insert(tile.path(), hashes.to_vec()).is_none(),
                    "a tile was written twice"
                );
                Ok::<(), Infallible>(())
            };
            frontier.push(leaf, keep).unwrap();
        }
        (tiles, frontier)
    }

    #[test]
    fn the_root_is_that_of_all_leaves_at_every_size() {
        let all = leaves(600);
        let mut frontier = Frontier::new();
        assert_eq!(frontier.root(), empty_root());
        for (leaf, size) in all.iter().zip(1..) {
            frontier
                .push(*leaf, |_, _| Ok::<(), Infallible>(()))
                .unwrap();
            assert_eq!(frontier.root(), root_of(&all[..size]).unwrap(), "{size}");
        }
    }

    #[test]
    fn tiles_hold_the_leaves_and_the_roots_of_tiles_below() {
        let (tiles, frontier) = grown(256 * 256 + 300);
        assert_eq!(tiles.len(), 257 + 1);
        let first = &tiles["tile/0/000"];
        assert_eq!(first, &leaves(256));
        assert_eq!(tiles["tile/1/000"][0], root_of(first).unwrap());
        assert_eq!(frontier.level(0).len(), 44);
        assert_eq!(frontier.level(1).len(), 1);
        assert_eq!(frontier.level(2).len(), 1);
        assert_eq!(frontier.root(), root_of(&leaves(256 * 256 + 300)).unwrap());
    }

    #[test]
    fn an_edge_goes_on_from_its_hashes_and_refuses_others() {
        let (_, frontier) = grown(700);
        let levels: Vec<_> = (0..frontier.levels())
            .map(|level| frontier.level(level).to_vec())
            .collect();
        assert_eq!(Frontier::of(700, levels.clone()), Some(frontier));
        assert_eq!(Frontier::of(701, levels.clone()), None);
        assert_eq!(Frontier::of(700 + 65_536, levels), None);
    }
}
