//! Tiles: where the hashes of the tree are kept (C2SP tlog-tiles).
//!
//! A tile holds up to 256 hashes of one level. `tile/<level>/<index>`, the index in groups of three
//! digits with `x` before all but the last; a partial tile adds `.p/<width>`.

/// Hashes in a full tile.
pub const WIDTH: u64 = 256;

/// Levels of tiles that 2^64 leaves can need (tlog-tiles: 0 to 63 are allowed in a path).
const LEVEL_MAX: u8 = 63;

/// One tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// Level: 0 holds leaves.
    pub level: u8,
    /// Index among the tiles of its level.
    pub index: u64,
    /// Hashes in it, 1 to 256.
    pub width: u16,
}

/// The path is not that of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the path of a tile: tile/<level>/<index in groups of three digits>[.p/<width>]")]
pub struct TilePathError;

impl Tile {
    /// A full tile.
    pub fn full(level: u8, index: u64) -> Self {
        Self {
            level,
            index,
            width: 256,
        }
    }

    /// The tile that holds a hash of a level, in a tree of some size: partial at the right edge.
    /// `None` when the tree has no such hash.
    pub fn holding(level: u8, hash: u64, size: u64) -> Option<Self> {
        let shift = u32::from(level).checked_mul(8)?;
        let hashes = size.checked_shr(shift).unwrap_or(0);
        if hash >= hashes {
            return None;
        }
        let index = hash / WIDTH;
        let width = (hashes - index * WIDTH).min(WIDTH);
        Some(Self {
            level,
            index,
            width: u16::try_from(width).unwrap_or(256),
        })
    }

    /// Whether it is full.
    pub fn is_full(&self) -> bool {
        u64::from(self.width) == WIDTH
    }

    /// Its path.
    pub fn path(&self) -> String {
        let index = index_path(self.index);
        let level = self.level;
        if self.is_full() {
            format!("tile/{level}/{index}")
        } else {
            format!("tile/{level}/{index}.p/{}", self.width)
        }
    }

    /// Path of the bundle with the entries of a tile of level 0.
    pub fn entries_path(&self) -> String {
        self.path().replacen("tile/0/", "tile/entries/", 1)
    }

    /// Reads a path, which must be written exactly as [`Tile::path`] writes it.
    ///
    /// # Errors
    /// [`TilePathError`].
    pub fn parse(path: &str) -> Result<Self, TilePathError> {
        let rest = path.strip_prefix("tile/").ok_or(TilePathError)?;
        let (level, rest) = rest.split_once('/').ok_or(TilePathError)?;
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, width.parse().or(Err(TilePathError))?),
            None => (rest, 256),
        };
        let mut number = 0_u64;
        for group in index.split('/') {
            let digits = group.strip_prefix('x').unwrap_or(group);
            let value: u64 = digits.parse().or(Err(TilePathError))?;
            number = number
                .checked_mul(1000)
                .and_then(|number| number.checked_add(value))
                .ok_or(TilePathError)?;
        }
        let tile = Self {
            level: level.parse().or(Err(TilePathError))?,
            index: number,
            width,
        };
        // one tile has one path: whatever else was written would be another file
        let is_exact =
            tile.path() == path && tile.level <= LEVEL_MAX && (1..=256).contains(&tile.width);
        is_exact.then_some(tile).ok_or(TilePathError)
    }
}

fn index_path(index: u64) -> String {
    let mut groups = vec![format!("{:03}", index % 1000)];
    let mut rest = index / 1000;
    while rest > 0 {
        groups.push(format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    groups.reverse();
    groups.join("/")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The examples of tlog-tiles, section "Merkle Tree".
    #[test]
    fn paths_are_those_of_tlog_tiles() {
        assert_eq!(Tile::full(0, 1_234_067).path(), "tile/0/x001/x234/067");
        let partial = Tile {
            level: 0,
            index: 273,
            width: 112,
        };
        assert_eq!(partial.path(), "tile/0/273.p/112");
        assert_eq!(partial.entries_path(), "tile/entries/273.p/112");
        assert_eq!(Tile::full(1, 0).path(), "tile/1/000");
    }

    #[test]
    fn tiles_of_a_tree_are_those_of_the_example() {
        // tlog-tiles: a tree of 70 000 leaves
        let tile = |level, hash| Tile::holding(level, hash, 70_000).map(|tile| tile.path());
        assert_eq!(tile(0, 0).as_deref(), Some("tile/0/000"));
        assert_eq!(tile(0, 69_999).as_deref(), Some("tile/0/273.p/112"));
        assert_eq!(tile(1, 0).as_deref(), Some("tile/1/000"));
        assert_eq!(tile(1, 272).as_deref(), Some("tile/1/001.p/17"));
        assert_eq!(tile(2, 0).as_deref(), Some("tile/2/000.p/1"));
        assert_eq!(tile(0, 70_000), None);
        assert_eq!(tile(1, 273), None);
        assert_eq!(tile(9, 0), None);
    }

    #[test]
    fn a_path_written_otherwise_is_refused() {
        for path in [
            "",
            "tile",
            "tile/0",
            "tile/0/1",
            "tile/0/0000",
            "tile/0/x000/001",
            "tile/00/001",
            "tile/64/001",
            "tile/0/001.p/0",
            "tile/0/001.p/256",
            "tile/0/001.p/257",
            "tile/0/001.p/01",
            "tile/0/001/",
            "tile/0/+01",
            "tile/entries/001",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert!(Tile::parse(path).is_err(), "{path}");
        }
    }

    proptest! {
        #[test]
        fn a_path_gives_back_its_tile(level in 0..=63_u8, index: u64, width in 1..=256_u16) {
            let tile = Tile { level, index, width };
            prop_assert_eq!(Tile::parse(&tile.path()), Ok(tile));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _tile = Tile::parse(&text);
        }
    }
}
