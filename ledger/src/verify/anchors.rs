//! Anchors: level-0 tiles and chain values kept in a second place, out of reach of who keeps the
//! ledger.
//!
//! They tell exactly which entries were changed even when chain and tiles were hashed again to
//! fit: an entry whose hash differs is cleared when it has the anchored hash once the true chain
//! value is put back into it. The true chain value is known from the last anchor, one every 256
//! entries, for as long as the entries since are the anchored ones. `docs/format.md`, "Anchors".

use std::fs::File;
use std::io::{self, Read as _};
use std::ops::ControlFlow;
use std::path::Path;

use rayon::prelude::*;

use super::fault::{Fault, FaultClass, Faults};
use crate::entry::{CHAIN_AT, ENTRY_BYTES};
use crate::event::Position;
use crate::hash::{self, Hash};
use crate::reader::{ReadError, Reader};
use crate::tree::{Tile, TreeHash, WIDTH, leaf_hash};

/// Name of the folder with chain values: `chain/<index>` holds 256 of them, the n-th overall being
/// the chain value after entry 256 n + 255.
pub const CHAIN_FOLDER: &str = "chain";

/// The path of the file with the chain values of 256 tiles of level 0; `width` of them when it is
/// not full. Named as tiles are.
pub fn chain_path(index: u64, width: u16) -> String {
    let tile = Tile {
        level: 0,
        index,
        width,
    };
    tile.path().replacen("tile/0/", "chain/", 1)
}

/// Hashes of 32 bytes in a file, at most 256.
fn hashes(path: &Path) -> io::Result<Option<Vec<TreeHash>>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(8_193).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let (hashes, rest) = bytes.as_chunks::<32>();
    let is_tile = rest.is_empty() && hashes.len() <= 256;
    if is_tile {
        Ok(Some(hashes.to_vec()))
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "not up to 256 hashes of 32 bytes",
        ))
    }
}

/// The widest file of a name: the full one, else the widest partial one.
fn widest(dir: &Path, path_of: impl Fn(u16) -> String) -> io::Result<Option<Vec<TreeHash>>> {
    if let Some(full) = hashes(&dir.join(path_of(256)))? {
        return Ok(Some(full));
    }
    let partial = dir.join(path_of(1));
    let Some(folder) = partial.parent().filter(|folder| folder.is_dir()) else {
        return Ok(None);
    };
    let mut width = 0;
    for item in std::fs::read_dir(folder)? {
        let name = item?.file_name();
        let number = name.to_str().and_then(|name| name.parse::<u16>().ok());
        width = number.filter(|one| *one < 256).unwrap_or(0).max(width);
    }
    if width == 0 {
        return Ok(None);
    }
    hashes(&dir.join(path_of(width)))
}

/// What the anchors say of the entries of one level-0 tile.
struct Block {
    /// Leaf hashes, from the first entry on.
    leaves: Vec<TreeHash>,
    /// Chain value before the first entry, when known.
    chain: Option<Hash>,
}

/// What a comparison of some entries with the anchors found.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// Entries compared.
    pub(super) entries: u64,
    /// Entries that differ in nothing but the chain value they carry, and the first of them.
    relinked: u64,
    first_relinked: Option<Position>,
    pub(super) faults: Vec<Fault>,
}

impl Compared {
    fn add(mut self, other: Self) -> Self {
        self.entries += other.entries;
        self.relinked += other.relinked;
        let firsts = self.first_relinked.into_iter().chain(other.first_relinked);
        self.first_relinked = firsts.min();
        self.faults.extend(other.faults);
        self
    }
}

/// Compares every entry with the anchors. What lies beyond them is not compared.
pub(super) fn compare(dir: &Path, anchors: &Path) -> Compared {
    let reader = match Reader::open(dir) {
        Ok(reader) => reader,
        Err(error) => {
            let mut found = Faults::of("anchors".to_owned());
            let detail = format!("nothing could be compared: {error}");
            found.add(None, FaultClass::Anchor, detail);
            return Compared {
                faults: found.list,
                ..Compared::default()
            };
        }
    };
    let tiles = reader.size().div_ceil(WIDTH);
    let mut all = (0..tiles)
        .into_par_iter()
        .map(|tile| {
            compare_tile(&reader, anchors, tile).unwrap_or_else(|error| {
                let mut found = Faults::of(format!("anchors/{}", leaf_path(tile, 256)));
                let detail = format!("this tile could not be compared: {error}");
                found.add(tile * WIDTH, FaultClass::Anchor, detail);
                Compared {
                    faults: found.list,
                    ..Compared::default()
                }
            })
        })
        .reduce(Compared::default, Compared::add);
    let mut found = Faults::of("anchors".to_owned());
    if let Some(first) = all.first_relinked {
        let detail = format!(
            "{} entries from here on are as kept but for the chain value they carry: the chain was hashed again",
            all.relinked
        );
        found.add(first, FaultClass::Anchor, detail);
    }
    match anchored(anchors, tiles) {
        Ok(size) if size > reader.size() => {
            let detail = format!(
                "the anchors know {size} entries, the ledger ends after {}",
                reader.size()
            );
            found.add(reader.size(), FaultClass::Size, detail);
        }
        Ok(_) => {}
        Err(error) => found.add(None, FaultClass::Anchor, error.to_string()),
    }
    all.faults.extend(found.list);
    all
}

/// Entries the anchors reach to, looked for from the tile the ledger ends in.
fn anchored(dir: &Path, tiles: u64) -> io::Result<u64> {
    let mut at = tiles.saturating_sub(1);
    let mut size = 0;
    while let Some(leaves) = widest(dir, |width| leaf_path(at, width))? {
        size = at * WIDTH + u64::try_from(leaves.len()).unwrap_or(0);
        if u64::try_from(leaves.len()).unwrap_or(0) < WIDTH {
            break;
        }
        at += 1;
    }
    Ok(size)
}

fn leaf_path(index: u64, width: u16) -> String {
    let tile = Tile {
        level: 0,
        index,
        width,
    };
    tile.path()
}

fn unreadable(file: &str, source: io::Error) -> ReadError {
    ReadError::Io {
        file: format!("anchors/{file}"),
        source,
    }
}

fn block(reader: &Reader, dir: &Path, tile: u64) -> Result<Option<Block>, ReadError> {
    let path = leaf_path(tile, 256);
    let leaves =
        widest(dir, |width| leaf_path(tile, width)).map_err(|source| unreadable(&path, source))?;
    let Some(leaves) = leaves else {
        return Ok(None);
    };
    let chain = match tile.checked_sub(1) {
        None => Some(hash::genesis(reader.origin())),
        Some(before) => {
            let file = chain_path(before / WIDTH, 256);
            let values = widest(dir, |width| chain_path(before / WIDTH, width))
                .map_err(|source| unreadable(&file, source))?;
            let place = usize::try_from(before % WIDTH).unwrap_or(usize::MAX);
            values.and_then(|values| values.get(place).copied())
        }
    };
    Ok(Some(Block { leaves, chain }))
}

fn compare_tile(reader: &Reader, dir: &Path, tile: u64) -> Result<Compared, ReadError> {
    let Some(block) = block(reader, dir, tile)? else {
        return Ok(Compared::default());
    };
    let start = tile * WIDTH;
    let end = start + u64::try_from(block.leaves.len()).unwrap_or(0);
    let mut walk = Walk {
        true_chain: block.chain,
        relinked: 0,
        first_relinked: None,
        unclear: 0,
        faults: Faults::of(format!("anchors/{}", leaf_path(tile, 256))),
    };
    let mut leaves = block.leaves.iter();
    let mut compared = 0;
    // reading one record makes the index of its segment, where the scan then begins
    let _indexed = reader.get_stored(start)?;
    reader.scan_stored(start..end, &mut |record| {
        if let Some(anchored) = leaves.next() {
            walk.entry(start + compared, record.entry, anchored);
            compared += 1;
        }
        ControlFlow::Continue(())
    })?;
    Ok(Compared {
        entries: compared,
        relinked: walk.relinked,
        first_relinked: walk.first_relinked,
        faults: walk.faults.list,
    })
}

/// A walk over the entries of one tile.
struct Walk {
    /// What the next entry's chain value would be, had nothing been changed; when known.
    true_chain: Option<Hash>,
    relinked: u64,
    first_relinked: Option<Position>,
    unclear: u64,
    faults: Faults,
}

impl Walk {
    fn entry(&mut self, position: Position, entry: &[u8; ENTRY_BYTES], anchored: &TreeHash) {
        if leaf_hash(entry) == *anchored {
            self.true_chain = Some(hash::chain(entry));
            return;
        }
        if let Some(chain) = self.true_chain {
            let relinked = relink(entry, &chain);
            if leaf_hash(&relinked) == *anchored {
                self.true_chain = Some(hash::chain(&relinked));
                self.relinked += 1;
                self.first_relinked.get_or_insert(position);
                return;
            }
            self.faults.add(
                position,
                FaultClass::Anchor,
                "the entry is not the one whose hash was kept",
            );
            self.true_chain = None;
            return;
        }
        self.unclear += 1;
        if self.unclear == 1 {
            self.faults.add(
                position,
                FaultClass::Anchor,
                "from here to the next anchored chain value, changed entries cannot be told from those only linked anew",
            );
        }
    }
}

/// The entry with another chain value before it.
fn relink(entry: &[u8; ENTRY_BYTES], chain: &Hash) -> [u8; ENTRY_BYTES] {
    let mut relinked = *entry;
    if let Some(field) = relinked.get_mut(CHAIN_AT..) {
        field.copy_from_slice(chain);
    }
    relinked
}
