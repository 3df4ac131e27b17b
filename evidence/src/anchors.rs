//! Anchors: leaf hashes and chain values copied to a second place, from which `verify` names every
//! changed entry (`docs/format.md`, "Anchors"). Files that are there are never changed.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use ledger::tree::{Tile, WIDTH, leaf_hash};
use ledger::{ReadError, Reader, chain_path, hash};

use crate::durable::{Readers, replace};

/// Why anchors were not copied. Listed in the order the causes are checked.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// The operating system refused.
    #[error("`{path}` could not be used")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The ledger is not the one anchored before.
    #[error("`{path}` was anchored with other hashes: the ledger was changed since")]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The ledger cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Copies what is not there yet; the entries the anchors reach to. The last tile that was there is
/// hashed again and compared; older ones are `verify`'s.
///
/// # Errors
/// [`AnchorError`].
pub fn copy(reader: &Reader, to: &Path) -> Result<u64, AnchorError> {
    let size = reader.size();
    let full = size / WIDTH;
    let mut first = full;
    while first > 0 && !to.join(Tile::full(0, first - 1).path()).exists() {
        first -= 1;
    }
    let mut chains: Vec<[u8; 32]> = Vec::new();
    for index in first.saturating_sub(1)..full.saturating_add(1) {
        let (leaves, chain) = hashes(reader, index)?;
        let width = u16::try_from(leaves.len()).unwrap_or(256);
        if width == 0 {
            continue;
        }
        let tile = Tile {
            level: 0,
            index,
            width,
        };
        put(to, &tile.path(), &leaves.concat())?;
        if width == 256 && index >= first {
            chains.push(chain);
        }
    }
    put_chains(reader, to, (first, full), &chains)?;
    Ok(size)
}

/// The leaf hashes of a tile's entries, and the chain value after the last.
fn hashes(reader: &Reader, index: u64) -> Result<(Vec<[u8; 32]>, [u8; 32]), AnchorError> {
    let start = index.saturating_mul(WIDTH);
    let mut leaves = Vec::new();
    let mut chain = [0; 32];
    reader.scan_stored(start..start.saturating_add(WIDTH), &mut |record| {
        leaves.push(leaf_hash(record.entry));
        chain = hash::chain(record.entry);
        ControlFlow::Continue(())
    })?;
    Ok((leaves, chain))
}

/// Adds the chain values of the tiles from `first` on; there are `full` in all.
fn put_chains(
    reader: &Reader,
    to: &Path,
    (first, full): (u64, u64),
    added: &[[u8; 32]],
) -> Result<(), AnchorError> {
    if first == full {
        return Ok(());
    }
    let mut added = added.iter();
    for file in first / WIDTH..full.div_ceil(WIDTH) {
        let start = file * WIDTH;
        let end = full.min(start + WIDTH);
        let kept = first.saturating_sub(start);
        let mut values = Vec::new();
        if kept > 0 {
            values = earlier_chains(reader, to, file, kept)?;
        }
        let wanted = usize::try_from(end - start - kept).unwrap_or(0);
        values.extend(added.by_ref().take(wanted).flatten());
        let width = u16::try_from(end - start).unwrap_or(256);
        put(to, &chain_path(file, width), &values)?;
    }
    Ok(())
}

/// The first chain values of a file: those kept, or read again when a crash left them out.
fn earlier_chains(
    reader: &Reader,
    to: &Path,
    file: u64,
    count: u64,
) -> Result<Vec<u8>, AnchorError> {
    let path = to.join(chain_path(file, u16::try_from(count).unwrap_or(256)));
    match std::fs::read(&path) {
        Ok(values) => return Ok(values),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(source) => return Err(AnchorError::Io { path, source }),
    }
    let mut values = Vec::new();
    for tile in 0..count {
        let after = (file * WIDTH + tile + 1) * WIDTH;
        values.extend(reader.chain_at(after)?.unwrap_or_default());
    }
    Ok(values)
}

/// Writes a file once; one that is there must be the same.
fn put(to: &Path, name: &str, bytes: &[u8]) -> Result<(), AnchorError> {
    let path = to.join(name);
    let fail = |source| AnchorError::Io {
        path: path.clone(),
        source,
    };
    match std::fs::read(&path) {
        Ok(there) if there == bytes => return Ok(()),
        Ok(_) => return Err(AnchorError::Changed { path }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(fail(error)),
    }
    let folder = path.parent().unwrap_or(to);
    std::fs::create_dir_all(folder).map_err(fail)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    replace(folder, &name, bytes, Readers::All).map_err(fail)
}
