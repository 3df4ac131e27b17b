//! The right edge of a super-log, and the files its growth fills (C2SP tlog-tiles). Pure.

use std::convert::Infallible;

use ledger::tree::{Frontier, Tile, TreeHash, WIDTH};

use super::leaf::{LEAF_BYTES, Leaf};

/// Bytes of a leaf in a bundle: its length as u16, then itself.
const RECORD_BYTES: usize = LEAF_BYTES + 2;

/// Length of a leaf as it stands in a bundle.
const LEAF_LENGTH: [u8; 2] = 108_u16.to_be_bytes();

/// Bytes of a full bundle, which is the largest file of a super-log.
pub(super) const BUNDLE_BYTES_MAX: usize = 256 * RECORD_BYTES;

/// A file, by its path in the folder.
pub(super) struct Filled {
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
}

/// What there is of tiles and bundles that are not full.
#[derive(Debug, Clone, Default)]
pub(super) struct Edge {
    frontier: Frontier,
    bundle: Vec<u8>,
}

/// Files in the order they are written: entries are durable before what is hashed from them.
#[derive(Default)]
pub(super) struct Growth {
    pub(super) bundles: Vec<Filled>,
    pub(super) tiles: Vec<Filled>,
}

impl Edge {
    pub(super) fn size(&self) -> u64 {
        self.frontier.size()
    }

    pub(super) fn root(&self) -> TreeHash {
        self.frontier.root()
    }

    /// Adds leaves; the answer is what they filled.
    pub(super) fn grow(&mut self, leaves: &[Leaf]) -> Growth {
        let mut growth = Growth::default();
        for leaf in leaves {
            self.bundle.extend(LEAF_LENGTH);
            self.bundle.extend(leaf.bytes());
            let tiles = &mut growth.tiles;
            let full = |tile: Tile, hashes: &[TreeHash]| {
                tiles.push(filled(tile.path(), hashes));
                Ok::<(), Infallible>(())
            };
            let Ok(()) = self.frontier.push(leaf.hash(), full);
            if self.size().is_multiple_of(WIDTH) {
                let tile = Tile::full(0, self.size() / WIDTH - 1);
                growth.bundles.push(Filled {
                    path: tile.entries_path(),
                    bytes: std::mem::take(&mut self.bundle),
                });
            }
        }
        growth
    }

    /// What is not full, as partial tiles and bundle of this size.
    pub(super) fn partials(&self) -> Growth {
        let mut growth = Growth::default();
        let mut index = self.size();
        for level in 0..self.frontier.levels() {
            index /= WIDTH;
            let hashes = self.frontier.level(level);
            let Ok(width @ 1..) = u16::try_from(hashes.len()) else {
                continue;
            };
            let tile = Tile {
                level,
                index,
                width,
            };
            growth.tiles.push(filled(tile.path(), hashes));
            if level == 0 {
                growth.bundles.push(Filled {
                    path: tile.entries_path(),
                    bytes: self.bundle.clone(),
                });
            }
        }
        growth
    }
}

/// The leaves of a bundle of so many; `None` when it has others, or anything else.
pub(super) fn leaves(bundle: &[u8], count: u64) -> Option<Vec<Leaf>> {
    let (records, rest) = bundle.as_chunks::<RECORD_BYTES>();
    let is_whole = rest.is_empty() && u64::try_from(records.len()).ok()? == count;
    let read = |record: &[u8; RECORD_BYTES]| {
        let leaf = record.strip_prefix(&LEAF_LENGTH)?;
        Leaf::parse(leaf).ok()
    };
    is_whole.then(|| records.iter().map(read).collect())?
}

fn filled(path: String, hashes: &[TreeHash]) -> Filled {
    Filled {
        path,
        bytes: hashes.concat(),
    }
}
