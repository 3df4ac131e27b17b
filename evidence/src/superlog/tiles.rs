//! Proofs from the tiles of a super-log's folder.

use ledger::tree::{Hashes, Tile, TreeHash, WIDTH, node_hash};

use super::folder::{Folder, FolderError};

/// Bytes of a full tile.
pub(super) const TILE_BYTES: usize = 8_192;

/// Why a hash cannot be had from the tiles.
#[derive(Debug, thiserror::Error)]
pub enum TilesError {
    /// A file could not be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A tile that the size asks for is not there, or has not so many hashes.
    #[error("`{path}` is missing or not whole")]
    Missing {
        /// Path in the super-log's folder.
        path: String,
    },
    /// The tiles do not lead to the root of the checkpoint: they were changed since they were
    /// checked.
    #[error("the tiles do not lead to the root of the checkpoint")]
    Root,
}

/// The tree of a size.
pub(super) struct Tiles<'f> {
    pub(super) folder: &'f Folder,
    pub(super) size: u64,
}

impl Hashes for Tiles<'_> {
    type Error = TilesError;

    fn subtree(&self, height: u8, index: u64) -> Result<TreeHash, TilesError> {
        let (level, within) = (height / 8, height % 8);
        let first = index << within;
        let last = first + (1 << within) - 1;
        let missing = |path| TilesError::Missing { path };
        let tile = Tile::holding(level, last, self.size)
            .ok_or_else(|| missing(Tile::full(level, last / WIDTH).path()))?;
        let path = tile.path();
        let mut bytes = self.folder.read(&path, TILE_BYTES)?;
        if bytes.is_none() {
            // a partial tile may be gone when the full one is there
            let full = Tile::full(level, tile.index).path();
            bytes = self.folder.read(&full, TILE_BYTES)?;
        }
        let bytes = bytes.ok_or_else(|| missing(path.clone()))?;
        let (hashes, _) = bytes.as_chunks::<32>();
        let from = usize::try_from(first % WIDTH).unwrap_or(usize::MAX);
        let hashes = hashes.get(from..from.saturating_add(1 << within));
        hashes
            .and_then(perfect_root)
            .ok_or_else(|| missing(path.clone()))
    }
}

/// The root over a power of two of hashes.
fn perfect_root(hashes: &[TreeHash]) -> Option<TreeHash> {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        let (pairs, _) = row.as_chunks::<2>();
        row = pairs
            .iter()
            .map(|[left, right]| node_hash(left, right))
            .collect();
    }
    row.first().copied()
}
